"""One end of a call of stock aiortc, as a process: `python -m bench._stock_call`.

It reads JSON lines, {"do": "offer" | "answer" | "accept" | "close", "sdp"?}, and tells what came of each.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from fractions import Fraction

import numpy as np
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import AudioStreamTrack, MediaStreamError, MediaStreamTrack
from av import AudioFrame

from tests.network.telling import AUDIBLE, QUIET_S, tell

RATE_HZ, FRAME = 48_000, 960
TONE_HZ = 900.0


class Hum(AudioStreamTrack):
    """A steady tone."""

    def __init__(self) -> None:
        super().__init__()
        at = np.arange(FRAME) / RATE_HZ
        self._block = (8000 * np.sin(2 * np.pi * TONE_HZ * at)).astype(np.int16).tobytes()
        self._begun = 0.0
        self._frames = 0

    async def recv(self) -> AudioFrame:
        """The next 20 ms."""
        self._begun = self._begun or time.monotonic()
        await asyncio.sleep(max(0.0, self._begun + self._frames * FRAME / RATE_HZ - time.monotonic()))
        frame = AudioFrame(format="s16", layout="mono", samples=FRAME)
        frame.planes[0].update(self._block)
        frame.sample_rate, frame.time_base = RATE_HZ, Fraction(1, RATE_HZ)
        frame.pts = self._frames * FRAME
        self._frames += 1
        return frame


class Ear:
    """Tells when the far end's tone begins and ends."""

    def __init__(self) -> None:
        self._last = 0.0
        self._on = False

    async def listen(self, track: MediaStreamTrack) -> None:
        """Until the track ends."""
        watching = asyncio.create_task(self._watch())
        try:
            while True:
                frame = await track.recv()
                assert isinstance(frame, AudioFrame)
                if float(np.sqrt(np.mean(frame.to_ndarray().astype(np.float32) ** 2))) > AUDIBLE:
                    self._last = time.monotonic()
                    self._switch(True)
        except MediaStreamError:
            return
        finally:
            watching.cancel()
            self._switch(False)

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(QUIET_S / 5)
            if time.monotonic() - self._last > QUIET_S:
                self._switch(False)

    def _switch(self, on: bool) -> None:
        if on is not self._on:
            self._on = on
            tell("sound", on=on)


async def main() -> None:
    """Do as told."""
    loop = asyncio.get_running_loop()
    peer: RTCPeerConnection | None = None
    ears: set[asyncio.Task[None]] = set()

    def fresh() -> RTCPeerConnection:
        made = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        made.addTrack(Hum())
        made.on("track", lambda track: ears.add(asyncio.create_task(Ear().listen(track))))
        return made

    while line := await loop.run_in_executor(None, sys.stdin.readline):
        asked = json.loads(line)
        if asked["do"] == "offer":
            peer = fresh()
            await peer.setLocalDescription(await peer.createOffer())
        elif asked["do"] == "answer":
            peer = fresh()
            await peer.setRemoteDescription(RTCSessionDescription(asked["sdp"], "offer"))
            await peer.setLocalDescription(await peer.createAnswer())
        elif asked["do"] == "accept" and peer is not None:
            await peer.setRemoteDescription(RTCSessionDescription(asked["sdp"], "answer"))
        elif peer is not None:
            await peer.close()
            peer = None
        tell("done", command=asked["do"], result=peer.localDescription.sdp if peer else "")
    if peer is not None:
        await peer.close()


if __name__ == "__main__":
    asyncio.run(main())
