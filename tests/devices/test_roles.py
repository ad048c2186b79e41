"""A role and its device while devices come and go: what is used, and the reason that is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from intercom.devices import DeviceRecovery, Finder, Memory, Role, Roles, Wishes

from .tree import Tree

PHONE, JABRA = "USB Phone", "Jabra"


class Door:
    """The roles of a door that opens whatever it is given, and what it was told."""

    def __init__(self, finder: Finder, file: Path | None, wishes: Wishes = Wishes()) -> None:  # noqa: B008 (frozen)
        self.told: list[DeviceRecovery] = []
        self.memory = Memory(file)
        self.roles = Roles(finder, wishes, self.memory, on_event=self.told.append)

    def look(self) -> list[tuple[str, str | None]]:
        """The speaker's reasons and devices since the last look."""
        self.told.clear()
        self.roles.look()
        self.roles.works("microphone")
        self.roles.works("speaker")
        self.memory.save()
        return [(event.reason, event.new and event.new.label) for event in self.told if event.role == "speaker"]

    def uses(self, role: Role = "speaker") -> str | None:
        device = self.roles.choices[role].device
        return device and device.label


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "state" / "devices.json"


@pytest.fixture
def door(finder: Finder, file: Path) -> Door:
    return Door(finder, file)


def test_the_first_choice_of_all_is_no_recovery(tree: Tree, door: Door) -> None:
    tree.usb_card(1, "1-1.2")
    assert door.look() == []
    assert door.uses() == PHONE


def test_a_card_that_goes_and_comes_back_is_told_both_times(tree: Tree, door: Door) -> None:
    tree.usb_card(1, "1-1.2")
    door.look()
    tree.unplug("card1")
    assert door.look() == [("device_disconnected", None)]
    tree.usb_card(2, "1-1.2")
    assert door.look() == [("device_reconnected", PHONE)]


def test_a_replug_between_two_looks_is_seen(tree: Tree, door: Door) -> None:
    tree.usb_card(1, "1-1.2")
    door.look()
    tree.unplug("card1")
    tree.usb_card(1, "1-1.2")
    assert door.look() == [("device_reconnected", PHONE)]


def test_another_card_stands_in_and_the_first_is_taken_back(tree: Tree, door: Door) -> None:
    tree.usb_card(1, "1-1.2", serial="A")
    door.look()
    tree.usb_card(2, "1-1.3", product=JABRA, serial="B")
    assert door.look() == []
    tree.unplug("card1")
    assert door.look() == [("fallback_to_default", JABRA)]
    tree.usb_card(1, "1-1.2", serial="A")
    assert door.look() == [("device_reconnected", PHONE)]


def test_after_a_restart_the_session_is_restored(tree: Tree, finder: Finder, file: Path) -> None:
    tree.usb_card(2, "1-1.3", product=JABRA)
    Door(finder, file).look()
    tree.usb_card(1, "1-1.2")
    assert Door(finder, file).look() == [("session_restored", JABRA)]


def test_sound_that_is_late_at_boot_is_restored_when_it_comes(tree: Tree, finder: Finder, file: Path) -> None:
    tree.usb_card(1, "1-1.2")
    Door(finder, file).look()
    tree.unplug("card1")
    door = Door(finder, file)
    assert door.look() == []
    assert "not plugged in" in door.roles.choices["speaker"].why
    tree.usb_card(1, "1-1.2")
    assert door.look() == [("session_restored", PHONE)]


def test_a_speakerphone_takes_the_place_of_hdmi_which_nobody_chose(tree: Tree, door: Door) -> None:
    tree.other_card(0, "vc4hdmi0", "vc4-hdmi")
    door.look()
    tree.usb_card(1, "1-1.2")
    assert door.look() == [("default_changed", PHONE)]


def test_twins_that_both_moved_are_told_to_be_ambiguous(tree: Tree, door: Door) -> None:
    tree.usb_card(1, "1-1.1")
    door.look()
    tree.unplug("card1")
    door.look()
    tree.usb_card(1, "1-1.2")
    tree.usb_card(2, "1-1.3", name="Device_1")
    assert door.look() == [("ambiguous_match", PHONE)]


def test_a_twin_that_was_there_beside_the_own_card_is_never_taken_for_it(
    tree: Tree, finder: Finder, file: Path
) -> None:
    tree.usb_card(1, "1-1.1")
    tree.usb_card(2, "1-1.2", name="Device_1")
    door = Door(finder, file)
    door.look()
    tree.unplug("card1")
    assert door.look() == [("fallback_to_default", PHONE)]
    tree.unplug("card2")
    restarted = Door(finder, file)
    restarted.look()
    tree.usb_card(1, "1-1.2")
    restarted.look()
    tree.usb_card(2, "1-1.1", name="Device_1")
    assert restarted.look() == [("device_reconnected", PHONE)]
    assert restarted.roles.choices["speaker"].opens == "plughw:CARD=Device_1,DEV=0"


def test_an_own_card_that_moved_is_found_beside_its_twin(tree: Tree, door: Door) -> None:
    tree.usb_card(1, "1-1.1")
    door.look()
    tree.usb_card(2, "1-1.2", name="Device_1")
    door.look()
    tree.unplug("card1")
    tree.usb_card(1, "1-1.3")
    assert door.look() == [("device_reconnected", PHONE)]
    assert door.roles.choices["speaker"].opens == "plughw:CARD=Device,DEV=0"


def test_an_only_card_that_moved_is_the_door_s_own_in_its_new_socket(tree: Tree, door: Door) -> None:
    tree.usb_card(1, "1-1.1")
    door.look()
    tree.unplug("card1")
    tree.usb_card(1, "1-1.2")
    door.look()
    tree.usb_card(2, "1-1.1", name="Device_1")
    assert door.look() == []
    assert door.roles.choices["speaker"].opens == "plughw:CARD=Device,DEV=0"


def test_a_camera_is_followed_to_another_file(tree: Tree, finder: Finder, file: Path) -> None:
    tree.camera(0, "1-1.4")
    door = Door(finder, file, Wishes(camera="/dev/video0"))
    door.look()
    door.roles.works("camera")
    tree.unplug("video0")
    door.look()
    tree.camera(1, "1-1.4")
    door.look()
    assert door.roles.choices["camera"].opens == "/dev/video1"


def test_an_unchanged_machine_costs_no_write(tree: Tree, door: Door, file: Path) -> None:
    tree.usb_card(1, "1-1.2")
    door.look()
    written = file.stat().st_mtime_ns
    tree.unplug("card1")
    door.look()
    tree.usb_card(1, "1-1.2")
    door.look()
    assert file.stat().st_mtime_ns == written


@pytest.mark.parametrize("content", [b"", b"{", b'{"preferred": 3}', b"\xff\xfe", b"[" * 5000])
def test_a_damaged_memory_is_none_and_is_written_anew(tree: Tree, finder: Finder, file: Path, content: bytes) -> None:
    file.parent.mkdir()
    file.write_bytes(content)
    tree.usb_card(1, "1-1.2")
    door = Door(finder, file)
    door.look()
    assert door.uses() == PHONE
    assert Memory(file).known.history[0].label == PHONE


def test_a_memory_that_cannot_be_kept_is_no_reason_to_be_silent(tree: Tree, finder: Finder, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    tree.usb_card(1, "1-1.2")
    door = Door(finder, tmp_path / "file" / "devices.json")
    door.look()
    assert door.uses() == PHONE
