"""What the door tells of the pins around it, and the alarms that follow."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from intercom.door.entrance.entrance import BLOCK_FILE, LOOK_S
from intercom.door.entrance.tamper_block import BLOCK_S
from intercom.door.health.faults import FORCED_DOOR, HELD_OPEN_DOOR, TAMPER
from intercom.facts import (
    Answered,
    CallIdentity,
    ChimeRang,
    DoorMoved,
    DoorOpened,
    ExitPressed,
    Pressed,
    Tampered,
)
from intercom.panel import Pattern
from tests.door.entrance.around import AroundTheDoor, Pins

LIMIT_S = 60.0


@pytest.fixture
def scene(tmp_path: Path) -> AroundTheDoor:
    return AroundTheDoor(tmp_path)


def test_a_visitor_who_is_let_in_raises_no_alarm(scene: AroundTheDoor) -> None:
    scene.relay(is_on=True)
    scene.door(is_open=True)
    scene.relay(is_on=False)
    scene.door(is_open=False)
    assert scene.told(DoorMoved) == [DoorMoved("open"), DoorMoved("closed")]
    assert not scene.faults.open


def test_a_forced_door_is_an_alarm_until_it_is_closed(scene: AroundTheDoor) -> None:
    scene.door(is_open=True)
    assert scene.told(DoorMoved) == [DoorMoved("forced")]
    assert set(scene.faults.open) == {FORCED_DOOR}
    scene.door(is_open=False)
    assert not scene.faults.open


def test_a_door_that_is_held_open_is_an_alarm_until_it_is_closed(tmp_path: Path) -> None:
    scene = AroundTheDoor(tmp_path, held_open_s=60.0)
    scene.relay(is_on=True)
    scene.door(is_open=True)
    scene.passes(60.0)
    assert scene.told(DoorMoved) == [DoorMoved("open"), DoorMoved("held_open")]
    assert set(scene.faults.open) == {HELD_OPEN_DOOR}
    scene.door(is_open=False)
    assert not scene.faults.open


def test_the_exit_button_opens_the_door_and_is_a_fact(scene: AroundTheDoor) -> None:
    assert scene.pins.on_exit is not None
    scene.pins.on_exit()
    assert scene.lock.opened == 1
    assert scene.facts == [DoorOpened("exit button"), ExitPressed(opens=True)]


@pytest.mark.parametrize("trouble", ["rests", "broken"])
def test_an_exit_button_whose_door_does_not_open_says_so(scene: AroundTheDoor, trouble: str) -> None:
    setattr(scene.lock, trouble, True)
    assert scene.pins.on_exit is not None
    scene.pins.on_exit()
    assert scene.facts == [ExitPressed(opens=False)]


def test_a_box_that_is_opened_is_an_alarm_until_its_keys_count_again(scene: AroundTheDoor) -> None:
    scene.box(is_open=True)
    assert scene.entrance.blocks_keys
    assert set(scene.faults.open) == {TAMPER}
    scene.box(is_open=False)
    assert set(scene.faults.open) == {TAMPER}
    scene.passes(BLOCK_S)
    assert not scene.faults.open
    assert scene.told(Tampered) == [
        Tampered(is_open=True, blocks=True),
        Tampered(is_open=False, blocks=True),
        Tampered(is_open=False, blocks=False),
    ]


def test_the_chime_rings_for_a_press_and_is_a_fact(scene: AroundTheDoor) -> None:
    scene.entrance.chime_of_a_press()()
    assert scene.pins.rung == 1
    assert scene.facts == [ChimeRang()]


def test_chime_and_light_rest_while_the_house_is_quiet(scene: AroundTheDoor) -> None:
    scene.quiet = True
    scene.entrance.chime_of_a_press()()
    scene.entrance.pressed()
    scene.entrance.look()
    assert (scene.pins.rung, scene.pins.bell_light.pattern) == (0, Pattern.OFF)


def test_the_second_bell_light_flashes_from_the_press_to_the_answer(scene: AroundTheDoor) -> None:
    scene.entrance.pressed()
    scene.journal.tell(Pressed("/private/house"))
    scene.passes(30.0)
    assert scene.pins.bell_light.pattern is Pattern.RINGING
    scene.journal.tell(Answered(CallIdentity("1", "outbound", "/private/house")))
    assert scene.pins.bell_light.pattern is Pattern.OFF


def test_the_status_has_what_is_wired(scene: AroundTheDoor) -> None:
    scene.box(is_open=True)
    assert scene.entrance.contact is not None
    assert scene.entrance.contact["state"] == "closed"
    assert scene.entrance.tamper == {"open": True, "blocks_s": BLOCK_S}


def test_the_status_has_nothing_of_what_is_not_wired(tmp_path: Path) -> None:
    scene = AroundTheDoor(tmp_path, pins=Pins(wired=False))
    assert (scene.entrance.contact, scene.entrance.tamper) == (None, None)
    assert not scene.entrance.blocks_keys


def test_it_looks_again_when_something_is_due_and_each_second_at_least(scene: AroundTheDoor) -> None:
    assert scene.entrance.pause_s == LOOK_S
    scene.pins.door_is_open = True
    scene.entrance.look()
    assert scene.entrance.pause_s < LOOK_S


async def test_a_change_whose_edge_was_lost_is_seen_at_the_next_look(tmp_path: Path) -> None:
    loop = asyncio.get_running_loop()
    scene = AroundTheDoor(tmp_path)
    scene.now = loop.time()
    scene.clock = loop.time  # type: ignore[method-assign] # from here on time passes
    scene.entrance._clock = loop.time
    watching = loop.create_task(scene.entrance.run())
    scene.pins.door_is_open = True  # and nobody tells
    async with asyncio.timeout(LIMIT_S):
        while not scene.told(DoorMoved):
            await asyncio.sleep(0.01)
    watching.cancel()


async def test_the_block_is_kept_for_a_restart_and_forgotten_when_it_is_over(tmp_path: Path) -> None:
    scene = AroundTheDoor(tmp_path)

    async def settles(*, there: bool) -> None:
        watching = asyncio.create_task(scene.entrance.run())
        async with asyncio.timeout(LIMIT_S):
            while (tmp_path / BLOCK_FILE).exists() is not there:
                await asyncio.sleep(0.01)
        watching.cancel()
        await asyncio.wait([watching])

    scene.box(is_open=True)
    await settles(there=True)
    scene.box(is_open=False)
    scene.passes(BLOCK_S)
    await settles(there=False)


async def test_a_door_with_none_of_it_watches_nothing(tmp_path: Path) -> None:
    pins = Pins(wired=False)
    pins.contact = pins.tamper = pins.bell_light = None  # type: ignore[assignment] # as the panel's are
    async with asyncio.timeout(LIMIT_S):
        await AroundTheDoor(tmp_path, pins=pins).entrance.run()


async def test_a_disk_that_is_full_leaves_the_block_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    scene = AroundTheDoor(tmp_path / "file")
    scene.box(is_open=True)
    await scene.entrance._keep_block(True)
    assert scene.entrance.blocks_keys
