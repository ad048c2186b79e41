"""What is plugged in and what opens it, joined as in the door, on a made-up machine."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from intercom.config import AudioConfig, Config
from intercom.devices import DeviceRecovery, Finder
from intercom.door.devices import DoorDevices
from intercom.media.cards import chosen_cards
from intercom.media.cards.card import Pcm
from intercom.media.cards.chosen_cards import DIRECTIONS, ChosenCards
from intercom.media.cards.simulated import SimulatedCards, SimulatedSpeaker
from intercom.media.errors import CardBusyError, CardError
from intercom.media.events import Direction
from intercom.media.sound.engine import AudioEngine
from tests.devices.tree import Tree

Make = Callable[..., DoorDevices]


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    return Tree(tmp_path / "machine")


@pytest.fixture
def told() -> list[DeviceRecovery]:
    return []


@pytest.fixture
def make(tree: Tree, tmp_path: Path, told: list[DeviceRecovery]) -> Make:
    def made(config: Config | None = None, *, simulated: bool = False) -> DoorDevices:
        finder = Finder(tree.names.get, root=tree.root)
        state = tmp_path / "state"
        return DoorDevices(config or Config(), state, simulated=simulated, on_event=told.append, finder=finder)

    return made


def test_a_real_door_waits_for_its_card_and_says_so(make: Make) -> None:
    devices = make()
    with pytest.raises(CardError, match="plug in a USB speakerphone"):
        devices.cards.open("playback")
    assert "no sound card yet" in devices.cards.description


def test_simulated_pins_without_a_card_have_a_simulated_one(make: Make) -> None:
    assert isinstance(make(simulated=True).cards, SimulatedCards)


def test_a_card_that_is_named_is_waited_for_with_simulated_pins_too(make: Make) -> None:
    config = Config(audio=AudioConfig(card="plughw:CARD=Device,DEV=0"))
    assert isinstance(make(config, simulated=True).cards, ChosenCards)


def test_a_simulated_card_can_be_configured(tree: Tree, make: Make) -> None:
    tree.usb_card(1, "1-1.2")
    cards = make(Config(audio=AudioConfig(card="simulated"))).cards
    assert isinstance(cards, SimulatedCards)
    assert "simulated" in cards.description


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """The directions in which a desktop holds every card."""
    directions: set[str] = set()

    def open_pcm(direction: Direction, name: str) -> Pcm:
        if direction in directions:
            raise CardBusyError("another program uses it")
        return SimulatedSpeaker(None)

    monkeypatch.setattr(chosen_cards, "open_pcm", open_pcm)
    return directions


def test_simulated_pins_use_a_real_card_that_is_free(tree: Tree, make: Make, held: set[str]) -> None:
    tree.usb_card(1, "1-1.2")
    assert isinstance(make(simulated=True).cards, ChosenCards)


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_simulated_pins_leave_a_card_to_the_desktop_that_holds_it(
    tree: Tree, make: Make, held: set[str], direction: Direction
) -> None:
    tree.usb_card(1, "1-1.2")
    held.add(direction)
    assert isinstance(make(simulated=True).cards, SimulatedCards)


def test_a_card_that_is_named_is_waited_for_while_a_desktop_holds_it(tree: Tree, make: Make, held: set[str]) -> None:
    tree.usb_card(1, "1-1.2")
    held.update(DIRECTIONS)
    both = AudioConfig(capture="plughw:CARD=Device,DEV=0", playback="plughw:CARD=Device,DEV=0")
    assert isinstance(make(Config(audio=both), simulated=True).cards, ChosenCards)


def test_a_real_door_waits_for_a_card_that_another_program_holds(tree: Tree, make: Make, held: set[str]) -> None:
    tree.usb_card(1, "1-1.2")
    held.update(DIRECTIONS)
    assert isinstance(make().cards, ChosenCards)


async def test_what_a_restart_restores_is_listed_and_told_to_nobody_who_is_not_ready(
    tree: Tree, make: Make, told: list[DeviceRecovery]
) -> None:
    tree.usb_card(1, "1-1.2", serial="A1")
    tree.camera(0, "1-1.4")
    await make().works("microphone", "speaker", "camera")

    devices = make()
    reasons = {row["role"]: row["reason"] for row in devices.table()["recoveries"]}
    assert reasons == dict.fromkeys(("microphone", "speaker", "camera"), "session_restored")
    assert told == []


def test_the_table_says_who_has_which_role_and_why(tree: Tree, make: Make) -> None:
    tree.other_card(0, "vc4hdmi0", "vc4-hdmi")
    tree.usb_card(1, "1-1.2", serial="A1")
    table = make().table()
    assert [(card["id"], card["roles"]) for card in table["cards"]] == [
        ("vc4hdmi0", []),
        ("Device", ["microphone", "speaker"]),
    ]
    assert table["cards"][1]["serial"] == "A1"
    assert table["roles"]["speaker"]["opens"] == "plughw:CARD=Device,DEV=0"
    assert table["roles"]["speaker"]["why"]


async def test_what_is_plugged_in_before_the_door_listens_is_found_at_its_start(
    tree: Tree, make: Make, told: list[DeviceRecovery]
) -> None:
    devices = make()
    tree.usb_card(1, "1-1.2")
    tree.camera(0, "1-1.4")
    devices.start(AudioEngine(devices.cards, on_event=lambda event: None))
    devices.stop()
    assert devices.has_card()
    assert devices.camera_file() == "/dev/video0"
    assert told == []


async def test_a_camera_that_moved_is_opened_under_its_new_file_and_told(
    tree: Tree, make: Make, told: list[DeviceRecovery]
) -> None:
    tree.camera(0, "1-1.4")
    devices = make()
    assert devices.camera_file() == "/dev/video0"
    await devices.works("camera")
    devices.start(AudioEngine(devices.cards, on_event=lambda event: None))
    tree.unplug("video0")
    devices.look()
    tree.camera(2, "1-1.4")
    devices.look()
    devices.stop()
    assert devices.camera_file() == "/dev/video2"
    assert [event.reason for event in told] == ["device_disconnected", "device_reconnected"]
