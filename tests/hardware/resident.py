"""A resident without a screen, for use inside a guest: answers the door, says one tone, listens for another."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from intercom.media.cards.card import Pcm
from intercom.media.cards.simulated import SimulatedMicrophone, SimulatedSpeaker
from intercom.media.events import Direction
from intercom.media.rtp.peer import DoorMedia
from intercom.media.sound.engine import AudioEngine
from intercom.signalwire import SignalWire, SpaceCredentials, WebRTCCall
from tests.alsa import tone, tone_level_db

VOICE_S = 120.0
"""The simulated microphone pauses after its recording; no test lasts so long."""
HEARD_SAMPLES = 4800
LOUD_DB = -35.0


class Ear(SimulatedSpeaker):
    """A speaker whose last tenth of a second can be looked at, and which waits for a tone."""

    def __init__(self) -> None:
        super().__init__(None)
        self.heard = np.zeros(HEARD_SAMPLES, np.int16)
        self._awaited: tuple[int, int] | None = None
        self.heard_at_s: float | None = None
        """When the tone that was waited for was played (monotonic clock); None until then."""

    def wait_for(self, hz: int, samples: int) -> None:
        """Forget what was heard, and note when this tone is played for so many samples."""
        self.heard = np.zeros(HEARD_SAMPLES, np.int16)
        self._awaited, self.heard_at_s = (hz, samples), None

    def write(self, data: bytes, /) -> int:
        """Play and remember."""
        frames = super().write(data)
        if frames > 0:
            played = np.frombuffer(data, np.int16)[:frames]
            self.heard = np.concatenate([self.heard, played])[-HEARD_SAMPLES:]
            if self._awaited is not None and tone_level_db(self.heard[-self._awaited[1] :], self._awaited[0]) > LOUD_DB:
                self._awaited, self.heard_at_s = None, time.monotonic()
        return frames


class Head:
    """The resident's sound card: a mouth that says a tone, and ears."""

    description = "the resident's mouth and ears"

    def __init__(self, tone_hz: int) -> None:
        self._tone_hz = tone_hz
        self.ear = Ear()

    def open(self, direction: Direction) -> Pcm:
        """Open the mouth or the ear."""
        if direction == "playback":
            return self.ear
        return SimulatedMicrophone(tone(self._tone_hz, VOICE_S))


class Resident:
    """A member of the house's group with a credential of its own."""

    def __init__(self, credential: Path, tone_hz: int) -> None:
        self._head = Head(tone_hz)
        self._engine = AudioEngine(self._head, on_event=lambda event: None)
        media = DoorMedia(self._engine, on_event=lambda event: None)
        self._client = SignalWire(SpaceCredentials(credential), media=media)
        self._rings: asyncio.Queue[WebRTCCall] = asyncio.Queue()
        self._known: set[str] = set()

    async def __aenter__(self) -> Resident:
        self._engine.start()
        self._client.session.incoming_calls_stream.subscribe(self._listed)
        await self._client.register()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.destroy()
        await asyncio.to_thread(self._engine.stop)

    async def call(self, address: str) -> WebRTCCall:
        """Call somebody; raises SignalWireError."""
        return await self._client.dial(address, audio=True, video=False)

    async def rings(self, limit_s: float) -> WebRTCCall:
        """Wait for the door's call."""
        async with asyncio.timeout(limit_s):
            return await self._rings.get()

    @property
    def is_rung(self) -> bool:
        """Whether a call of the door waits to be taken."""
        return not self._rings.empty()

    def hears(self, hz: int) -> bool:
        """Return whether the last tenth of a second held this tone."""
        return tone_level_db(self._head.ear.heard, hz) > LOUD_DB

    @property
    def ear(self) -> Ear:
        """Where the resident hears."""
        return self._head.ear

    def forget(self) -> None:
        """Forget what was heard so far."""
        self.ear.heard = np.zeros(HEARD_SAMPLES, np.int16)

    def _listed(self, calls: Sequence[WebRTCCall]) -> None:
        for call in calls:
            if call.id not in self._known:
                self._known.add(call.id)
                self._rings.put_nowait(call)
