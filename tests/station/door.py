"""A door for the station to talk to: aiortc with a tone in, a picture in, and what it heard kept."""

import asyncio
import fractions
import time
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError, MediaStreamTrack
from av import AudioFrame, VideoFrame

RATE_HZ = 48_000
BLOCK_S = 0.02
TONE_HZ = 1000.0
PATIENCE_S = 60.0
SMALL = (320, 180)
"""Width and height of a picture that is looked at by no person: aiortc encodes 1280 x 720 with a third of a core."""


class Tone(MediaStreamTrack):
    """A sine at TONE_HZ in 20 ms blocks, paced."""

    kind = "audio"

    def __init__(self) -> None:
        super().__init__()
        self._samples = 0
        self._start = 0.0

    async def recv(self) -> AudioFrame:
        """The next 20 ms."""
        self._start = self._start or time.monotonic()
        count = int(RATE_HZ * BLOCK_S)
        await asyncio.sleep(max(0.0, self._start + self._samples / RATE_HZ - time.monotonic()))
        phase = 2 * np.pi * TONE_HZ * (np.arange(count) + self._samples) / RATE_HZ
        frame = AudioFrame.from_ndarray((np.sin(phase) * 12_000).astype(np.int16)[None, :], layout="mono")
        frame.sample_rate = RATE_HZ
        frame.pts = self._samples
        frame.time_base = fractions.Fraction(1, RATE_HZ)
        self._samples += count
        return frame


class Street(MediaStreamTrack):
    """A drawn street with somebody in front of the door, 15 frames a second."""

    kind = "video"

    def __init__(self, width: int, height: int) -> None:
        super().__init__()
        self._still = draw_street(width, height)
        self._count = 0
        self._start = 0.0

    async def recv(self) -> VideoFrame:
        """The next frame; a bar moves, so that no two are alike."""
        self._start = self._start or time.monotonic()
        await asyncio.sleep(max(0.0, self._start + self._count / 15 - time.monotonic()))
        image = self._still.copy()
        x = self._count * 8 % (image.shape[1] - 40)
        image[-12:, x : x + 40] = 200
        frame = VideoFrame.from_ndarray(image, format="rgb24")
        frame.pts = self._count * 6000
        frame.time_base = fractions.Fraction(1, 90_000)
        self._count += 1
        return frame


@cache
def draw_street(width: int, height: int) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """Dusk, a pavement, a visitor: drawn once, so that whoever changes it takes a copy."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    x, y = x / width * 16 / 9, y / height
    sky = np.stack([70 + 90 * y, 84 + 70 * y, 120 + 30 * y], axis=-1)
    ground = np.stack([66 - 20 * y, 64 - 20 * y, 66 - 20 * y], axis=-1)
    image = np.where((y > 0.62)[..., None], ground, sky)
    for left, right, top in ((0.05, 0.42, 0.2), (0.46, 0.6, 0.34), (1.2, 1.7, 0.16)):
        image[(x > left) & (x < right) & (y > top) & (y < 0.64)] = (58, 52, 56)
    lit = (np.mod(x * 14, 1) < 0.35) & (np.mod(y * 12, 1) < 0.45) & (y < 0.55) & (y > 0.22)
    image[lit & (((x > 0.07) & (x < 0.4)) | ((x > 1.22) & (x < 1.68)))] = (214, 178, 108)
    body = ((x - 0.88) / 0.2) ** 2 + ((y - 1.0) / 0.5) ** 2 < 1
    image[body] = (46, 66, 84)
    image[((x - 0.88) / 0.035) ** 2 + ((y - 0.5) / 0.08) ** 2 < 1] = (190, 146, 120)
    image[((x - 0.88) / 0.085) ** 2 + ((y - 0.4) / 0.115) ** 2 < 1] = (206, 160, 132)
    image[(((x - 0.88) / 0.09) ** 2 + ((y - 0.36) / 0.1) ** 2 < 1) & (y < 0.345)] = (52, 40, 34)
    return np.clip(image, 0, 255).astype(np.uint8)


class Door:
    """One call at the door's side."""

    def __init__(self, *, video: bool = True, size: tuple[int, int] = SMALL) -> None:
        self._connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self._video = video
        self._size = size
        self._changed = asyncio.Condition()
        self._task: asyncio.Task[None] | None = None
        self.first_sound_at: float | None = None
        self.heard: list[np.ndarray[Any, np.dtype[np.int16]]] = []
        self.heard_something = asyncio.Event()
        self.connected = asyncio.Event()

        @self._connection.on("track")
        def _track(track: MediaStreamTrack) -> None:
            if track.kind == "audio":
                self._task = asyncio.create_task(self._listen(track))

        @self._connection.on("connectionstatechange")
        def _state() -> None:
            if self._connection.connectionState == "connected":
                self.connected.set()

    async def offer(self) -> str:
        """A complete offer: sound both ways, picture out."""
        self._connection.addTrack(Tone())
        if self._video:
            self._connection.addTransceiver(Street(*self._size), direction="sendonly")
        await self._connection.setLocalDescription(await self._connection.createOffer())
        return self._connection.localDescription.sdp

    async def accept(self, answer: str) -> None:
        """Take the station's answer."""
        await self._connection.setRemoteDescription(RTCSessionDescription(answer, "answer"))

    async def answer(self, offer: str) -> str:
        """Answer a call from the house."""
        await self._connection.setRemoteDescription(RTCSessionDescription(offer, "offer"))
        self._connection.addTrack(Tone())
        self._connection.addTrack(Street(*self._size))
        await self._connection.setLocalDescription(await self._connection.createAnswer())
        return self._connection.localDescription.sdp

    async def hears_more_than(self, blocks: int) -> None:
        """Wait until more than so many blocks have been heard in all."""
        await self._until(lambda: len(self.heard) > blocks)

    async def hears_silence(self) -> None:
        """Wait for a second in which nothing is heard: the fake microphone beeps once a second."""
        await self._until(lambda: len(self.heard) > 60 and max(np.abs(b).max() for b in self.heard[-60:]) < 50)

    async def _until(self, true: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE_S), self._changed:
            await self._changed.wait_for(true)

    async def close(self) -> None:
        """Hang up the media."""
        if self._task:
            self._task.cancel()
        await self._connection.close()

    async def _listen(self, track: MediaStreamTrack) -> None:
        while True:
            try:
                frame = await track.recv()
            except MediaStreamError:
                return  # the call is over
            assert isinstance(frame, AudioFrame)
            samples = frame.to_ndarray().reshape(-1).astype(np.int16)
            self.first_sound_at = self.first_sound_at or time.monotonic()
            self.heard.append(samples)
            async with self._changed:
                self._changed.notify_all()
            if np.abs(samples).max() > 1000:
                self.heard_something.set()
