"""What the visitor sees, and the tones that they hear."""

from __future__ import annotations

import asyncio

import pytest

from intercom.door.machine import Fault
from intercom.facts import Tampered
from intercom.panel import Pattern
from tests.door.visitor import Scene, made


@pytest.fixture
async def scene() -> Scene:
    """A registered door that has tones alone, and a visitor before it."""
    return made({})


async def test_a_press_is_seen_and_heard_before_anything_is_decided(scene: Scene) -> None:
    scene.feedback.pressed()
    assert scene.visitor.shown[-1] is Pattern.PRESSED
    assert scene.visitor.played[-1].name == "chime"


async def test_the_light_of_a_press_gives_way_to_ringing(scene: Scene) -> None:
    scene.feedback.pressed()
    scene.machine.press()
    assert scene.feedback.pattern is Pattern.PRESSED
    scene.loop.run_out()
    assert scene.feedback.pattern is Pattern.RINGING


async def test_the_ring_back_tone_follows_the_chime(scene: Scene) -> None:
    scene.machine.press()
    assert scene.visitor.sounding == []
    scene.loop.run_out()
    assert scene.visitor.sounding == ["ringback"]


async def test_the_ring_back_tone_ends_with_the_answer(scene: Scene) -> None:
    press = scene.machine.press()
    scene.loop.run_out()
    assert press.call is not None
    scene.machine.answered(press.call)
    assert scene.visitor.sounding == []
    assert scene.visitor.shown[-1] is Pattern.IN_CALL


async def test_the_light_of_a_call_shows_that_the_microphone_is_muted(scene: Scene) -> None:
    press = scene.machine.press()
    assert press.call is not None
    scene.machine.answered(press.call)
    scene.feedback.muted(True)
    assert scene.visitor.shown[-1] is Pattern.MUTED
    scene.feedback.muted(False)
    assert scene.visitor.shown[-1] is Pattern.IN_CALL


async def test_an_answer_during_the_chime_brings_no_ring_back_tone(scene: Scene) -> None:
    press = scene.machine.press()
    assert press.call is not None
    scene.machine.answered(press.call)
    scene.loop.run_out()
    assert scene.visitor.sounding == []


async def test_the_door_rings_audibly_when_it_is_called(scene: Scene) -> None:
    scene.machine.incoming()
    assert scene.visitor.sounding == ["incoming"]


@pytest.mark.parametrize(
    ("cause", "tone"),
    [("USER_BUSY", "busy"), ("NO_ANSWER", "reorder"), ("USER_NOT_REGISTERED", "error"), ("", "error")],
)
async def test_each_failure_has_its_tone(scene: Scene, cause: str, tone: str) -> None:
    scene.feedback.failed(cause)
    assert scene.visitor.played[-1].name == tone
    assert scene.visitor.shown[-1] is Pattern.ERROR


async def test_the_light_of_a_failure_passes(scene: Scene) -> None:
    scene.feedback.failed("NO_ANSWER")
    scene.loop.run_out()
    assert scene.visitor.shown[-1] is Pattern.IDLE


async def test_an_open_door_is_what_matters_most(scene: Scene) -> None:
    scene.feedback.failed("NO_ANSWER")
    scene.feedback.door_changed(True)
    assert scene.visitor.shown[-1] is Pattern.DOOR_OPEN
    assert scene.visitor.played[-1].name == "door_open"
    scene.feedback.door_changed(False)
    assert scene.visitor.shown[-1] is Pattern.ERROR


async def test_a_deaf_door_shows_it_in_the_call_too(scene: Scene) -> None:
    scene.machine.fault(Fault.MICROPHONE)
    scene.machine.press()
    assert scene.feedback.pattern is Pattern.RINGING_MUTE
    scene.machine.answered(1)
    assert scene.feedback.pattern is Pattern.RECOVERING


async def test_the_light_shows_a_lost_microphone_before_the_event_loop_comes_to_it(scene: Scene) -> None:
    scene.feedback.sound_lost()
    assert scene.visitor.shown[-1] is Pattern.RECOVERING


async def test_a_lost_microphone_does_not_put_out_the_light_of_an_open_door(scene: Scene) -> None:
    scene.feedback.door_changed(True)
    scene.feedback.sound_lost()
    assert scene.visitor.shown[-1] is Pattern.DOOR_OPEN


async def test_a_lost_camera_does_not_keep_the_light_from_saying_speak(scene: Scene) -> None:
    press = scene.machine.press()
    assert press.call is not None
    scene.machine.answered(press.call)
    scene.machine.fault(Fault.CAMERA)
    assert scene.feedback.pattern is Pattern.IN_CALL


async def test_a_visitor_whose_call_is_being_mended_hears_and_sees_that_until_it_is_or_ends(scene: Scene) -> None:
    ticket = scene.machine.press().call
    assert ticket is not None
    scene.machine.answered(ticket)
    for end in (lambda: scene.machine.fault_cleared(Fault.MEDIA), lambda: scene.machine.ended(ticket)):
        scene.machine.fault(Fault.MEDIA)
        assert (scene.visitor.sounding, scene.visitor.shown[-1]) == (["mending"], Pattern.RECOVERING)
        end()
        assert scene.visitor.sounding == []
    assert [sound.name for sound in scene.visitor.played].count("mending") == 2


async def test_a_defect_is_shown_as_out_of_order(scene: Scene) -> None:
    scene.feedback.broken()
    assert scene.visitor.shown[-1] is Pattern.FAULT


async def test_a_press_that_waits_for_the_house_keeps_its_light_and_is_heard_to_be_tried(scene: Scene) -> None:
    scene.machine.now_unregistered()
    scene.feedback.trying(True)
    assert (scene.feedback.pattern, scene.visitor.sounding) == (Pattern.PRESSED, [])
    scene.loop.run_out()
    assert scene.visitor.sounding == ["mending"]
    scene.feedback.trying(False)
    assert (scene.visitor.shown[-1], scene.visitor.sounding) == (Pattern.REGISTERING, [])


async def test_the_house_is_heard_to_ring_only_where_somebody_is_there(scene: Scene) -> None:
    scene.machine.press()
    scene.feedback.trying(True)
    scene.loop.run_out()
    assert (scene.feedback.pattern, scene.visitor.sounding) == (Pattern.PRESSED, ["mending"])
    scene.feedback.trying(False)
    scene.loop.run_out()
    assert (scene.feedback.pattern, scene.visitor.sounding) == (Pattern.RINGING, ["ringback"])


async def test_closing_silences_what_repeats(scene: Scene) -> None:
    scene.machine.incoming()
    scene.feedback.close()
    assert scene.visitor.sounding == []


async def test_a_door_without_prompts_has_its_tones_as_before(scene: Scene) -> None:
    ticket = scene.rings()
    scene.loop.run_out()
    assert scene.visitor.sounding == ["ringback"]
    scene.ends(ticket, "NO_ANSWER")
    scene.loop.run_out()
    assert scene.visitor.said == []


async def test_both_who_talk_hear_that_the_call_ends_soon(scene: Scene) -> None:
    scene.feedback.call_ending()
    assert (scene.visitor.played[-1].name, scene.visitor.told) == ("call_ending", ["call_ending"])


async def test_a_visitor_is_asked_for_a_message_by_sound_and_light_and_not_told_that_it_failed(scene: Scene) -> None:
    scene.feedback.message(True)
    scene.feedback.failed("NO_ANSWER")
    assert scene.feedback.pattern is Pattern.MESSAGE
    asking = asyncio.ensure_future(scene.feedback.ask_for_message())
    await asyncio.sleep(0)
    (sound,) = scene.visitor.played
    assert (sound.name, asking.done()) == ("message", False)
    sound.finished.set()
    assert await asking
    scene.feedback.message(False)
    assert scene.visitor.shown[-1] is Pattern.IDLE


async def test_an_open_door_is_shown_before_a_message(scene: Scene) -> None:
    scene.feedback.message(True)
    scene.feedback.door_changed(True)
    assert scene.feedback.pattern is Pattern.DOOR_OPEN


async def test_a_box_that_was_opened_is_shown_while_nothing_else_goes_on(scene: Scene) -> None:
    scene.tell(Tampered(is_open=True, blocks=True))
    assert scene.feedback.pattern is Pattern.TAMPERED
    scene.machine.press()
    assert scene.feedback.pattern is Pattern.RINGING
    scene.machine.hold()
    assert scene.visitor.shown[-1] is Pattern.TAMPERED
    scene.tell(Tampered(is_open=False, blocks=False))
    assert scene.visitor.shown[-1] is Pattern.IDLE
