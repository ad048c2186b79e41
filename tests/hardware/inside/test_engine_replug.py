"""The audio engine while its USB headset is pulled out and put back, in the middle of a call."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from intercom.media.cards import pcm_loss
from intercom.media.events import DeviceLost, DeviceReturned, EngineEvent, EngineStarted
from intercom.media.sound.engine import AudioEngine
from tests.alsa import cards_named
from tests.hardware.ends import FarEnd, NearEnd
from tests.hardware.headset import CARD_LIMIT_S, Headset
from tests.hardware.wait import until
from tests.media.events import Reported

CARD = "plughw:CARD=Headset,DEV=0"
FAR_HZ, DOOR_HZ = 1000, 700
LIMIT_S = 60.0
CYCLES = 3
BOTH = ["capture", "playback"]


@pytest.fixture
def reported() -> Reported[EngineEvent]:
    return Reported()


@pytest.fixture
def engine(headset: Headset, reported: Reported[EngineEvent]) -> Iterator[AudioEngine]:
    """An engine that uses the headset, which is not plugged in yet."""
    headset.tone(DOOR_HZ)
    engine = AudioEngine(cards_named(CARD, CARD), on_event=reported)
    yield engine
    engine.stop()
    assert not [thread for thread in threading.enumerate() if thread.name == "audio-engine"]


def both_ways(headset: Headset, near: NearEnd) -> None:
    """Wait until the speaker plays the far end and the far end gets the microphone."""
    until(lambda: headset.report().sound_at_s, LIMIT_S, "the speaker plays the far end")
    until(lambda: near.hears(DOOR_HZ), LIMIT_S, "the far end hears the door")


def directions(reported: Reported[EngineEvent], kind: type[DeviceLost | DeviceReturned]) -> list[str]:
    return sorted(event.direction for event in reported.all if isinstance(event, kind))


def test_sound_flows_again_after_each_replug(
    engine: AudioEngine, headset: Headset, reported: Reported[EngineEvent]
) -> None:
    near = NearEnd()
    headset.plug()
    engine.start()
    engine.connect(FarEnd(FAR_HZ), near)
    both_ways(headset, near)

    for _ in range(CYCLES):
        headset.unplug()
        until(lambda: not Path("/proc/asound/Headset").is_symlink(), CARD_LIMIT_S, "the card goes")
        near.forget()
        headset.plug(wait=False)
        both_ways(headset, near)

    engine.disconnect(near)


def test_both_directions_report_the_loss_and_the_return(
    engine: AudioEngine, headset: Headset, reported: Reported[EngineEvent]
) -> None:
    headset.plug()
    engine.start()
    near = NearEnd()
    engine.connect(FarEnd(FAR_HZ), near)
    both_ways(headset, near)

    headset.unplug()
    until(lambda: directions(reported, DeviceLost) == BOTH, LIMIT_S, "both directions are lost")
    headset.plug()
    until(lambda: directions(reported, DeviceReturned) == BOTH, LIMIT_S, "both directions return")


def test_the_loss_is_told_by_the_kernel_s_word_and_not_by_a_silence(
    engine: AudioEngine, headset: Headset, reported: Reported[EngineEvent], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pcm_loss, "SILENT_S", 10 * LIMIT_S)
    headset.plug()
    engine.start()
    near = NearEnd()
    engine.connect(FarEnd(FAR_HZ), near)
    both_ways(headset, near)

    headset.unplug()
    reported.wait_for(DeviceLost, LIMIT_S)


def test_sound_that_is_not_ready_at_boot_is_waited_for(
    engine: AudioEngine, headset: Headset, reported: Reported[EngineEvent]
) -> None:
    engine.start()
    assert "plugged in?" in reported.wait_for(DeviceLost, LIMIT_S).reason
    headset.plug(wait=False)
    reported.wait_for(DeviceReturned, LIMIT_S)

    chime = engine.play("chime")
    until(lambda: headset.report().sound_at_s, LIMIT_S, "the chime is heard")
    chime.stop()


def test_a_headset_that_freezes_is_taken_for_lost_and_returns(
    engine: AudioEngine, headset: Headset, reported: Reported[EngineEvent]
) -> None:
    headset.plug()
    engine.start()
    reported.wait_for(EngineStarted, LIMIT_S)
    near = NearEnd()
    engine.connect(FarEnd(FAR_HZ), near)
    both_ways(headset, near)

    headset.freeze()
    reported.wait_for(DeviceLost, LIMIT_S)
    near.forget()
    headset.thaw()
    headset.forget()
    both_ways(headset, near)
