"""What a call sends and plays can be switched while it goes on, and what it counts tells how good it is."""

from __future__ import annotations

import msgspec
import pytest

from intercom.media.camera.encoder import VideoFormat
from intercom.media.camera.shared import Camera
from intercom.media.camera.test_pattern import PatternSource
from intercom.media.rtp.audio_track import FRAME_SAMPLES, MicrophoneTrack
from intercom.media.rtp.peer import DoorCall, DoorMedia
from intercom.media.sound.engine import AudioEngine
from intercom.media.sound.format import Samples
from intercom.media.sound.tones import GENERATED
from intercom.signalwire.call.quality import MediaCounters
from intercom.signalwire.media import KeyframeMedia, MeasuredMedia, MutableMedia
from tests.alsa import tone
from tests.media.calls import connected, until
from tests.media.events import Reported

LOUD, QUIET = 0.05, 0.001


@pytest.fixture
def door(engine: AudioEngine) -> DoorMedia:
    camera = Camera(PatternSource(VideoFormat(320, 180, 25, 300_000)), on_event=Reported())
    return DoorMedia(engine, lambda: camera, on_event=Reported())


@pytest.fixture
def far(far_engine: AudioEngine) -> DoorMedia:
    return DoorMedia(far_engine, on_event=Reported())


async def test_what_a_call_counts_has_the_names_that_the_client_reads(door: DoorMedia, far: DoorMedia) -> None:
    caller, callee = door.open("1", [], video=False), far.open("2", [], video=False)
    async with connected(caller, callee):
        await until(lambda: (arrived := caller.stats().far_end) is not None and arrived.received >= 20)
        told = await caller.call_counters()
    assert set(told) <= set(MediaCounters.__struct_fields__)
    counted = msgspec.convert(told, MediaCounters)
    assert counted.audio_packets_received >= 20
    assert counted.jitter_ms >= 0.0
    assert 0.0 <= counted.local_level <= 1.0


def test_a_door_that_is_prepared_plays_without_making_a_tone_first(
    door: DoorMedia, engine: AudioEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    door.prepare()
    for name in GENERATED:
        monkeypatch.setitem(GENERATED, name, lambda: pytest.fail("a tone was made while somebody waits"))
        engine.play(name).stop()


def test_a_doors_call_is_all_that_the_client_asks_for(door: DoorMedia) -> None:
    for wanted in (MeasuredMedia, MutableMedia, KeyframeMedia):
        assert issubclass(DoorCall, wanted)


async def test_a_muted_microphone_sends_silence_and_goes_on_when_it_is_back() -> None:
    heard: list[Samples] = []

    class Listening:
        def encode(self, samples: Samples) -> bytes:
            heard.append(samples)
            return b""

        def adapt(self, *, bitrate_bps: int, loss_percent: int) -> None:
            """Nothing to adapt."""

    track = MicrophoneTrack(Listening())
    voice = tone(700, 0.02)[:FRAME_SAMPLES]
    for number, muted in enumerate((False, True, False)):
        track.muted = muted
        track.push(voice[:480], 1.0 + number * 0.02)
        track.push(voice[480:], 1.01 + number * 0.02)
    assert [bool(frame.any()) for frame in heard] == [True, False, True]


async def test_a_call_muted_before_it_begins_is_silent_until_it_is_unmuted(
    door: DoorMedia, far: DoorMedia, far_engine: AudioEngine
) -> None:
    caller, callee = door.open("1", [], video=False), far.open("2", [], video=False)
    caller.set_sending("audio", False)
    async with connected(caller, callee):
        await until(lambda: (arrived := callee.stats().far_end) is not None and arrived.played_s > 0.5)
        assert far_engine.stats().speaker_db < -60
        caller.set_sending("audio", True)
        await until(lambda: far_engine.stats().speaker_db > -50)
        callee.set_receiving("audio", False)
        await until(lambda: far_engine.stats().speaker_db < -90)
        callee.set_receiving("audio", True)
        await until(lambda: far_engine.stats().speaker_db > -50)
