"""A viewer as go2rtc is one: it asks for picture and sound, and speaks in a second audio section of its own."""

from __future__ import annotations

import asyncio
import fractions
from types import TracebackType
from typing import Any, Self

import numpy as np
from aiortc import RTCBundlePolicy, RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import AudioStreamTrack, MediaStreamTrack
from av.audio.frame import AudioFrame

from tests.alsa import Heard

PATIENCE_S = 60.0
FRAME_S = 0.02


class Voice(AudioStreamTrack):
    """A tone of so many Hz, for ever."""

    def __init__(self, hz: float, level: int = 12_000) -> None:
        super().__init__()
        self._hz, self._level, self._sent = hz, level, 0

    async def recv(self) -> AudioFrame:
        await asyncio.sleep(FRAME_S)
        at = (np.arange(960) + self._sent * 960) / 48_000
        samples = (self._level * np.sin(2 * np.pi * self._hz * at)).astype(np.int16).reshape(1, -1)
        frame = AudioFrame.from_ndarray(samples, format="s16", layout="mono")
        frame.sample_rate, frame.time_base = 48_000, fractions.Fraction(1, 48_000)
        frame.pts = self._sent * 960
        self._sent += 1
        return frame


class Go2rtc:
    """The viewer's peer; `heard` is what it hears of the door."""

    def __init__(self, says: MediaStreamTrack | None = None) -> None:
        self.peer = RTCPeerConnection(RTCConfiguration(iceServers=[], bundlePolicy=RTCBundlePolicy.MAX_BUNDLE))
        self.picture = self.peer.addTransceiver("video", "recvonly").receiver
        self.peer.addTransceiver("audio", "recvonly")
        if says is not None:
            self.peer.addTransceiver(says, "sendonly")
        self.heard = Heard()
        self.connected, self.closed = asyncio.Event(), asyncio.Event()
        self.peer.on("connectionstatechange", self._changed)
        self.peer.on("track", self._track)
        self._listening: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        for task in self._listening:
            task.cancel()
        await self.peer.close()

    async def offer(self) -> str:
        """Return the complete offer."""
        await self.peer.setLocalDescription(await self.peer.createOffer())
        return str(self.peer.localDescription.sdp)

    async def accept(self, answer: str) -> None:
        """Connect with the answer."""
        await self.peer.setRemoteDescription(RTCSessionDescription(answer, "answer"))
        async with asyncio.timeout(PATIENCE_S):
            await self.connected.wait()

    async def sees(self, pictures: int = 1) -> Any:
        """Wait for decoded pictures; return the last."""
        frame = None
        async with asyncio.timeout(PATIENCE_S):
            for _ in range(pictures):
                frame = await self.picture.track.recv()
        return frame

    def _track(self, track: MediaStreamTrack) -> None:
        if track.kind == "audio":
            self._listening.append(asyncio.create_task(self._listen(track)))

    async def _listen(self, track: MediaStreamTrack) -> None:
        while True:
            frame = await track.recv()
            assert isinstance(frame, AudioFrame)
            self.heard.add(frame.to_ndarray().reshape(-1, len(frame.layout.channels))[:, 0].tobytes())

    def _changed(self) -> None:
        if self.peer.connectionState == "connected":
            self.connected.set()
        elif self.peer.connectionState in {"closed", "failed"}:
            self.closed.set()
