"""The door with stock aiortc in place of our media: its encoder, its jitter buffer, and PCMs read as a script would."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any
from unittest.mock import patch

import alsaaudio
from aiortc.mediastreams import AudioStreamTrack, MediaStreamTrack
from av import AudioFrame, AudioResampler

from intercom.config import Config
from intercom.door import appliance
from intercom.door.appliance import Appliance
from intercom.signalwire import CredentialProvider, SignalWire
from intercom.signalwire.aiortc_media import AiortcMedia
from tests.alsa import MICROPHONE, RATE_HZ, SPEAKER

FRAME = RATE_HZ // 50
PERIODS = 4


class StockMicrophone(AudioStreamTrack):
    """Frames of 20 ms from the PCM."""

    def __init__(self) -> None:
        super().__init__()
        self._pcm = alsaaudio.PCM(
            alsaaudio.PCM_CAPTURE, device=MICROPHONE, rate=RATE_HZ, channels=1, periodsize=FRAME, periods=PERIODS
        )
        self._pts = 0
        self._reading = False

    async def recv(self) -> AudioFrame:
        """The next 20 ms."""
        data = b""
        while len(data) < 2 * FRAME:
            self._reading = True
            data += await asyncio.shield(asyncio.to_thread(self._read))
        frame = AudioFrame(format="s16", layout="mono", samples=FRAME)
        frame.planes[0].update(data[: 2 * FRAME])
        frame.sample_rate = RATE_HZ
        frame.pts, self._pts = self._pts, self._pts + FRAME
        return frame

    def _read(self) -> bytes:
        data: bytes = self._pcm.read()[1]
        self._reading = False
        if self.readyState == "ended":
            self._pcm.close()
        return data

    def stop(self) -> None:
        """Let go of the PCM; one that is being read is closed by its reader."""
        super().stop()
        if not self._reading:
            self._pcm.close()


async def play(track: MediaStreamTrack) -> None:
    """Write what comes to the PCM until the track ends."""
    pcm = alsaaudio.PCM(
        alsaaudio.PCM_PLAYBACK, device=SPEAKER, rate=RATE_HZ, channels=1, periodsize=FRAME, periods=PERIODS
    )
    resampler = AudioResampler(format="s16", layout="mono", rate=RATE_HZ)
    try:
        while True:
            received = await track.recv()
            assert isinstance(received, AudioFrame)
            for frame in resampler.resample(received):
                await asyncio.to_thread(pcm.write, bytes(frame.planes[0])[: 2 * frame.samples])
    finally:
        pcm.close()


class StockDoor(Appliance):
    """An appliance that calls with stock aiortc."""

    def __init__(self, config: Config, *, state_dir: Path, pin_factory: Any = None) -> None:
        media = AiortcMedia(audio=StockMicrophone)
        media.tracks_stream.subscribe(self._heard)
        self._players: set[asyncio.Task[None]] = set()

        def client(credentials: CredentialProvider, **options: Any) -> SignalWire:
            return SignalWire(credentials, **options | {"media": media})

        with patch.object(appliance, "SignalWire", client):  # every part gets the client that is made here
            super().__init__(config, state_dir=state_dir, pin_factory=pin_factory)

    def _heard(self, arrived: tuple[str, MediaStreamTrack]) -> None:
        if arrived[1].kind == "audio":
            task = asyncio.get_running_loop().create_task(play(arrived[1]))
            self._players.add(task)
            task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._players.discard(task)
        if not task.cancelled():
            task.exception()  # the track's end, which aiortc tells by an exception
