"""A far end with real media: a raw client whose calls are aiortc peer connections that send a tone and a picture."""

from __future__ import annotations

import asyncio
import contextlib
import fractions
from typing import Any

import numpy as np
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import AudioStreamTrack, MediaStreamTrack, VideoStreamTrack
from av import AudioFrame

from ..space.conftest import WAIT_S, Client

RATE_HZ = 48_000
BLOCK = 960


class Tone(AudioStreamTrack):
    """A sine of `frequency_hz`, mono S16, 20 ms a frame, in real time."""

    def __init__(self, frequency_hz: float) -> None:
        super().__init__()
        self._frequency_hz = frequency_hz
        self._position = 0
        self._started_at = 0.0

    async def recv(self) -> AudioFrame:
        loop = asyncio.get_running_loop()
        self._started_at = self._started_at or loop.time()
        await asyncio.sleep(max(0.0, self._started_at + self._position / RATE_HZ - loop.time()))
        times = (np.arange(BLOCK) + self._position) / RATE_HZ
        samples = (12_000 * np.sin(2 * np.pi * self._frequency_hz * times)).astype(np.int16)
        frame = AudioFrame.from_ndarray(samples.reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = RATE_HZ, self._position, fractions.Fraction(1, RATE_HZ)
        self._position += BLOCK
        return frame


class Peer:
    """One call's media at the far end.

    :param client: the raw client through which it speaks.
    :param tone_hz: what it sends.
    """

    def __init__(self, client: Client, *, tone_hz: float = 700.0, video: bool = True) -> None:
        self._client = client
        self.call_id = ""
        # No ICE server: a relay candidate of one side is enough, and none means no wait.
        self.connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self.connection.addTrack(Tone(tone_hz))
        if video:
            self.connection.addTrack(VideoStreamTrack())
        self.audio_frames = 0
        self.video_frames = 0
        self.loudness = 0.0
        self._readers: list[asyncio.Task[None]] = []
        self.connection.on("track", self._track)

    def _track(self, track: MediaStreamTrack) -> None:
        self._readers.append(asyncio.create_task(self._read(track)))

    async def _read(self, track: MediaStreamTrack) -> None:
        with contextlib.suppress(Exception):
            while True:
                frame: Any = await track.recv()
                if track.kind == "audio":
                    self.audio_frames += 1
                    self.loudness = max(self.loudness, float(np.abs(frame.to_ndarray().astype(float)).max()))
                else:
                    self.video_frames += 1

    async def dial(self, destination: str, **dialog: Any) -> None:
        """Call an address; returns once the far end has answered and its answer is applied."""
        await self.connection.setLocalDescription(await self.connection.createOffer())
        answer = await self._client.verto(
            "verto.invite",
            "peer-call",
            sdp=self.connection.localDescription.sdp,
            dialog={"destination_number": destination, **dialog},
        )
        assert answer["result"]["message"] == "CALL CREATED", answer
        self.call_id = "peer-call"

    async def answered(self) -> None:
        """Wait for the far end's answer."""
        answer = await self._client.heard("verto.answer")
        await self.connection.setRemoteDescription(RTCSessionDescription(answer["sdp"], "answer"))

    async def answer(self) -> None:
        """Wait for an invite and answer it."""
        invite = await self._client.heard("verto.invite")
        await self.answer_offer(invite["callID"], invite["sdp"])

    async def answer_offer(self, call_id: str, offer: str) -> None:
        """Answer an offer, the first of a call or one that changes it."""
        self.call_id = call_id
        await self.connection.setRemoteDescription(RTCSessionDescription(offer, "offer"))
        await self.connection.setLocalDescription(await self.connection.createAnswer())
        answered = await self._client.verto("verto.answer", self.call_id, sdp=self.connection.localDescription.sdp)
        assert "error" not in answered, answered

    @property
    def hears(self) -> bool:
        """Whether sound that is not silence has come."""
        return self.audio_frames >= 50 and self.loudness >= 1000

    @property
    def sees(self) -> bool:
        """Whether a picture has come."""
        return self.video_frames >= 5

    async def hears_and_sees(self, *, video: bool = True) -> None:
        """Wait until sound that is not silence, and frames, have come from the far end."""
        async with asyncio.timeout(2 * WAIT_S):
            while not self.hears or (video and not self.sees):
                await asyncio.sleep(0.05)

    async def hears_silence(self) -> None:
        """Wait until nothing but silence has come for a second: Chromium sends none at all for a stopped track."""
        async with asyncio.timeout(2 * WAIT_S):
            self.loudness = 1.0
            while self.loudness:
                self.loudness = 0.0
                await asyncio.sleep(1.0)
                self.loudness = self.loudness if self.loudness >= 10 else 0.0

    async def close(self) -> None:
        """End the media."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.connection.close(), 2.0)
        for reader in self._readers:
            reader.cancel()
