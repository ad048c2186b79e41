"""A viewer's sound, both ways, with real peers: who may, what is agreed on, and what it does not carry."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import numpy as np
import pytest
from aiortc.rtp import RtpPacket

from intercom.media.camera.shared import Camera
from intercom.media.camera.test_pattern import PatternSource
from intercom.media.sound.engine import AudioEngine
from intercom.media.sound.format import SILENCE
from intercom.media.viewers import sound
from intercom.media.viewers.sound import Voice as Said
from intercom.media.viewers.viewers import Viewers
from tests.alsa import AlsaCards, tone
from tests.media.calls import on, running_engine, until
from tests.media.viewers.far_end import FarEnd
from tests.media.viewers.go2rtc import Go2rtc, Voice
from tests.media.viewers.test_viewers import SMALL

VIEWER_HZ, VISITOR_HZ = 500.0, 1300.0


@pytest.fixture
def engine(alsa_cards: AlsaCards) -> Iterator[AudioEngine]:
    with running_engine(on(alsa_cards)) as engine:
        yield engine


@asynccontextmanager
async def viewers_of(engine: AudioEngine) -> AsyncIterator[Viewers]:
    camera = Camera(PatternSource(SMALL))
    viewers = Viewers(camera, beside=engine.beside)
    try:
        yield viewers
    finally:
        await viewers.stop()
        await asyncio.to_thread(camera.stop)


async def test_a_viewer_that_may_talk_hears_the_visitor_and_is_heard(
    engine: AudioEngine, alsa_cards: AlsaCards
) -> None:
    async with viewers_of(engine) as viewers, Go2rtc(Voice(VIEWER_HZ)) as viewer:
        with alsa_cards.listen() as ear, alsa_cards.speak(tone(VISITOR_HZ, 60.0)):
            await viewer.accept(await viewers.admit("view", await viewer.offer(), [], sound=True))
            await viewer.sees(2)
            await asyncio.to_thread(ear.wait_for_tone, VIEWER_HZ)
            await asyncio.to_thread(viewer.heard.wait_for_tone, VISITOR_HZ)
        assert viewers.end("view")
        await until(lambda: engine.beside.listeners == () and engine.beside.voice is None)


async def test_a_viewer_that_may_not_talk_is_answered_without_sound_and_the_microphone_stays_off(
    engine: AudioEngine,
) -> None:
    async with viewers_of(engine) as viewers, Go2rtc(Voice(VIEWER_HZ)) as viewer:
        answer = await viewers.admit("view", await viewer.offer(), [])
        assert re.findall(r"m=(\w+) (\d+)", answer)[1:] == [("audio", "0"), ("audio", "0")]
        assert engine.beside.listeners == ()
        assert engine.beside.voice is None
        assert not engine.stats().running


async def test_keys_are_not_agreed_on(engine: AudioEngine) -> None:
    async with viewers_of(engine) as viewers, Go2rtc(Voice(VIEWER_HZ)) as viewer:
        answer = await viewers.admit("view", await viewer.offer(), [], sound=True)
        assert "opus" in answer
        assert "telephone-event" not in answer


async def test_a_viewer_that_only_listens_is_sent_sound_and_one_that_asks_for_none_is_not(engine: AudioEngine) -> None:
    async with viewers_of(engine) as viewers, Go2rtc() as listener, FarEnd() as silent:
        answer = await viewers.admit("listener", await listener.offer(), [], sound=True)
        assert answer.count("a=sendonly") == 2
        await listener.accept(answer)
        await until(lambda: len(engine.beside.listeners) == 1)
        assert engine.beside.voice is None, "the loudspeaker is for who speaks"
        viewers.end("listener")
        await until(lambda: engine.beside.listeners == ())
        await silent.accept(await viewers.admit("silent", await silent.offer(), [], sound=True))
        await silent.sees()
        assert engine.beside.listeners == ()


async def test_who_speaks_first_has_the_loudspeaker_until_they_are_quiet(
    engine: AudioEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sound, "QUIET_S", 60.0)
    async with viewers_of(engine) as viewers, Go2rtc(Voice(VIEWER_HZ)) as first, Go2rtc(Voice(VISITOR_HZ)) as second:
        await first.accept(await viewers.admit("first", await first.offer(), [], sound=True))
        await until(lambda: engine.beside.voice is not None)
        voice = engine.beside.voice
        await second.accept(await viewers.admit("second", await second.offer(), [], sound=True))
        await second.sees(5)
        assert engine.beside.voice is voice
        viewers.end("first")
        await until(lambda: engine.beside.voice not in (None, voice))


def packet(sequence: int) -> RtpPacket:
    found = RtpPacket(payload_type=0, sequence_number=sequence, timestamp=sequence * 160, ssrc=1)
    found.payload = bytes([sequence % 100] * 160)
    return found


def test_what_a_viewer_says_during_a_call_is_not_heard_after_it() -> None:
    now = 100.0
    voice = Said(lambda: now)
    voice.take(packet(1), "pcmu")
    now += 10.0  # a call has the loudspeaker
    assert voice.waits
    voice.take(packet(2), "pcmu")
    assert voice.pull(now) is SILENCE
    assert all(np.array_equal(voice.pull(now), SILENCE) for _ in range(50)), "what was said before is not played late"
    for sequence in range(500, 520):
        voice.take(packet(sequence), "pcmu")
    assert any(voice.pull(now + turn / 100).any() for turn in range(30))


async def test_candidates_that_come_after_the_offer_bring_a_viewer_to_the_door(engine: AudioEngine) -> None:
    async with viewers_of(engine) as viewers, FarEnd() as viewer:
        offer = await viewer.offer()
        found = re.findall(r"a=(candidate:\S+ .*)\r\n", offer)
        bare = re.sub(r"a=(candidate:.*|end-of-candidates)\r\n", "", offer)
        answer = await viewers.admit("view", bare, [])
        for line in (*found, "candidate:nonsense", "", "candidate:1 1 udp 1 evil.example 1 typ host"):
            viewers.add_candidate("view", line)
        viewers.add_candidate("another", found[0])
        await viewer.accept(answer)
        await viewer.sees()
