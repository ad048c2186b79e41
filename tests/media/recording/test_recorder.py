"""A recording of a real card's sound and a camera's picture, as a visitor makes it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

import numpy as np
import pytest

from intercom.media.camera.encoder import VideoFormat
from intercom.media.camera.shared import Camera
from intercom.media.camera.test_pattern import PatternSource
from intercom.media.recording import recorder
from intercom.media.recording.recorder import SILENT_S, Recording
from intercom.media.sound.ends import FarEnd, NearEnd
from intercom.media.sound.format import BLOCK_SAMPLES, Samples
from tests.alsa import AlsaCards, tone, tone_level_db
from tests.media.calls import LIMIT_S, on, running_engine, until
from tests.media.recording.film import Played, played

PICTURE = VideoFormat(160, 90, 15, 100_000)
NOTHING = Played([], 0.0, [])


class File:
    """What was written, and when."""

    def __init__(self) -> None:
        self.parts: list[bytes] = []

    def write(self, data: bytes) -> None:
        self.parts.append(data)

    @property
    def data(self) -> bytes:
        return b"".join(self.parts)


@pytest.fixture
async def camera(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Camera]:
    """A camera whose first picture is waited for, however long a busy machine needs for it."""
    monkeypatch.setattr(recorder, "PICTURE_PATIENCE_S", 1000.0)
    camera = Camera(PatternSource(PICTURE), start_s=LIMIT_S, stall_s=LIMIT_S)
    yield camera
    await asyncio.to_thread(camera.stop)


async def test_what_a_visitor_says_and_shows_is_in_the_file(alsa_cards: AlsaCards, camera: Camera) -> None:
    file = File()

    def is_seen_and_heard() -> bool:
        shown = played(file.data) if len(file.parts) >= 4 else NOTHING
        return len(shown.pictures) > 5 and shown.sound_s > 1

    with running_engine(on(alsa_cards)) as engine, alsa_cards.speak(tone(600, LIMIT_S)):
        recording = Recording(engine, camera, longest_s=LIMIT_S, silent_s=LIMIT_S)
        await until(lambda: camera.is_running)
        running = asyncio.create_task(recording.run(file.write))
        await until(is_seen_and_heard)
        recording.end()
        recorded = await running
        await recording.close()
    shown = played(file.data)
    assert shown.sound_s < recorded.seconds + 0.1, "a card that stops for a moment leaves a gap"
    assert shown.pictures[0] == 0
    assert shown.pictures[-1] < recorded.seconds + 1
    pieces = np.array_split(_sound_of(file.data), 10)  # behind a gap the tone goes on anywhere
    assert max(tone_level_db(piece, 600) for piece in pieces) > -30


def _sound_of(data: bytes) -> Samples:
    import io

    import av

    with av.open(io.BytesIO(data)) as container:
        frames = [frame.to_ndarray().reshape(-1) for frame in container.decode(audio=0)]
    wave = np.concatenate(frames)
    return (wave * 32767).astype(np.int16) if wave.dtype.kind == "f" else wave.astype(np.int16)


async def test_nothing_runs_when_a_recording_is_over(alsa_cards: AlsaCards, camera: Camera) -> None:
    with running_engine(on(alsa_cards)) as engine:
        recording = Recording(engine, camera, longest_s=LIMIT_S)
        running = asyncio.create_task(recording.run(File().write))
        await until(lambda: engine.stats().running)
        recording.end()
        await running
        await recording.close()
        await until(lambda: not engine.stats().running and not camera.is_running)


class Card:
    """An engine whose blocks come when the test says so, at the test's time."""

    def __init__(self) -> None:
        self.near: NearEnd | None = None
        self.now = 100.0

    def connect(self, far: FarEnd, near: NearEnd) -> None:
        assert not far.pull(self.now, BLOCK_SAMPLES).any(), "nothing is played while a visitor speaks"
        self.near = near

    def disconnect(self, near: NearEnd) -> None:
        if self.near is near:
            self.near = None

    def hears(self, block: Samples, seconds: float) -> None:
        assert self.near is not None
        for _ in range(round(seconds * 100)):
            self.near.push(block, self.now)
            self.now += 0.01


NOISE = (np.random.default_rng(1).normal(0, 60, 480)).astype(np.int16)
WORDS = (np.random.default_rng(2).normal(0, 4000, 480)).astype(np.int16)


async def recorded(card: Card, happens: Callable[[Recording], None], **settings: float) -> tuple[float, bool]:
    """Record while something happens; return the length and whether somebody spoke."""
    recording = Recording(card, None, longest_s=settings.get("longest_s", 30), clock=lambda: card.now)
    running = asyncio.create_task(recording.run(File().write))
    await until(lambda: card.near is not None)
    happens(recording)
    result = await asyncio.wait_for(running, LIMIT_S)
    await recording.close()
    assert card.near is None
    return result


async def test_a_visitor_who_falls_silent_has_said_what_they_had_to_say() -> None:
    card = Card()

    def happens(_: Recording) -> None:
        for _ in range(4):
            card.hears(WORDS, 0.5)
            card.hears(NOISE, 0.2)
        card.hears(NOISE, SILENT_S)

    seconds, heard = await recorded(card, happens)
    assert heard
    assert seconds == pytest.approx(4 * 0.7 + SILENT_S, abs=0.1)


async def test_a_visitor_who_says_nothing_leaves_nothing_that_was_heard() -> None:
    card = Card()
    _, heard = await recorded(card, lambda _: card.hears(NOISE, SILENT_S + 0.1))
    assert not heard


async def test_a_visitor_who_speaks_on_is_ended_by_the_limit() -> None:
    card = Card()

    def happens(_: Recording) -> None:
        for _ in range(10):
            card.hears(WORDS, 0.5)
            card.hears(NOISE, 0.1)

    seconds, heard = await recorded(card, happens, longest_s=5)
    assert heard
    assert seconds == pytest.approx(6, abs=0.1)


async def test_a_card_that_fills_up_ends_the_recording_with_its_error_and_lets_the_engine_go() -> None:
    card = Card()

    def full(_: bytes) -> None:
        raise OSError(28, "No space left on device")

    recording = Recording(card, None, longest_s=30, clock=lambda: card.now)
    running = asyncio.create_task(recording.run(full))
    await until(lambda: card.near is not None)
    card.hears(WORDS, 1)
    with pytest.raises(OSError, match="No space"):
        await asyncio.wait_for(running, LIMIT_S)
    assert card.near is None


async def test_a_forbidden_camera_is_not_opened(alsa_cards: AlsaCards, camera: Camera) -> None:
    camera.forbid(True)
    card, file = Card(), File()
    recording = Recording(card, camera, longest_s=30, clock=lambda: card.now)
    running = asyncio.create_task(recording.run(file.write))
    await until(lambda: card.near is not None)
    card.hears(WORDS, 1)
    recording.end()
    await running
    await recording.close()
    assert not camera.is_running
    assert b"avc1" not in file.data
    assert b"Opus" in file.data


async def test_a_camera_that_is_forbidden_meanwhile_is_seen_no_more_and_the_sound_goes_on(camera: Camera) -> None:
    card, file = Card(), File()
    recording = Recording(card, camera, longest_s=1000, silent_s=1000, clock=lambda: card.now)
    running = asyncio.create_task(recording.run(file.write))
    await until(lambda: card.near is not None)

    def is_seen() -> bool:
        card.hears(WORDS, 0.02)
        return bool(file.parts) and len(played(file.data).pictures) > 5

    def has(parts: int) -> bool:
        card.hears(WORDS, 0.02)
        return len(file.parts) >= parts

    await until(is_seen)
    camera.forbid(True)
    written = len(file.parts)
    await until(lambda: has(written + 2))  # the next may be on its way, without the last pictures from before
    seen = len(played(file.data).pictures)
    await until(lambda: has(written + 3))
    card.hears(WORDS, 1.1)  # however seldom a busy machine looked until now
    recording.end()
    await running
    await recording.close()
    shown = played(file.data)
    assert len(shown.pictures) <= seen + 1, "no more than the last picture from before"
    assert shown.sound_s > 1
