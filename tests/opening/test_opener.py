"""Keys in a call open the door for whoever may, and tell the others why not."""

from __future__ import annotations

import logging
import re
from pathlib import Path

import pytest

import intercom
from intercom.opening.decision import Kind, Ruling, Way
from tests.keypad import Keypad


def test_whom_the_door_rang_opens_it_with_the_code() -> None:
    door = Keypad(open_digits="42")
    assert door.types("42")
    assert door.journal.openings == ["/private/house"]
    assert door.told == []


def test_part_of_the_code_says_and_does_nothing() -> None:
    door = Keypad(open_digits="42")
    assert not door.types("4")
    assert door.told == []


def test_a_code_that_is_typed_by_both_ways_is_one() -> None:
    door = Keypad(open_digits="42")
    door.types("4", "media")
    assert door.types("2", "signalling")


def test_a_code_does_not_begin_in_one_call_and_end_in_another() -> None:
    door = Keypad(open_digits="42")
    door.types("4")
    door.call("/private/house")
    assert not door.types("2")


def test_after_a_pause_a_code_begins_anew() -> None:
    door = Keypad(open_digits="42")
    door.types("7")
    door.now += 5.1
    assert door.types("42")


def test_nothing_opens_before_somebody_answers() -> None:
    door = Keypad()
    door.call("/private/house", answered=False)
    assert not door.types("9")


def test_without_a_code_no_key_opens() -> None:
    door = Keypad(open_digits="")
    assert not door.types("9")
    assert door.told == []


def test_a_caller_whom_only_the_star_means_does_not_open() -> None:
    door = Keypad()
    door.call("/private/anna", outbound=False)
    assert not door.types("9")
    assert door.told == [{"door": "refused", "reason": "not_named"}]


def test_a_caller_who_is_named_opens() -> None:
    door = Keypad(openers=("*", "/private/anna"))
    door.call("/private/anna", outbound=False)
    assert door.types("9")


def test_a_door_opens_no_other_door_though_its_address_is_named() -> None:
    door = Keypad(openers=("*", "/private/*"))
    door.call("/private/gate", outbound=False, kind=Kind.DOOR)
    assert not door.types("9")
    assert door.told == [{"door": "refused", "reason": "a_door"}]


def test_who_may_not_open_does_not_learn_whether_the_code_was_right() -> None:
    door = Keypad(open_digits="42")
    door.call("+15551234567", outbound=False)
    door.types("42")
    door.now += 2
    door.types("13")
    assert door.told == [{"door": "refused", "reason": "not_named"}] * 2


def test_who_may_not_open_makes_the_door_deaf_to_nobody() -> None:
    door = Keypad()
    door.call("+15551234567", outbound=False)
    door.types("1234567")
    door.call("/private/house")
    assert door.types("9")


def test_a_flood_of_refusals_is_told_once_a_second() -> None:
    door = Keypad()
    door.call("/private/anna", outbound=False)
    door.types("1" * 64)
    assert len(door.told) == 1
    assert len(door.journal.refusals) == 64


def test_a_relay_that_must_rest_is_told() -> None:
    door = Keypad()
    door.lock.rests = True
    door.types("9")
    assert door.told == [{"door": "refused", "reason": "relay"}]


def test_a_relay_that_fails_is_told_and_the_call_goes_on() -> None:
    door = Keypad()
    door.lock.broken = True
    door.types("9")
    assert door.told == [{"door": "refused", "reason": "relay"}]


def test_residents_who_call_open_the_door_when_that_is_said_and_a_door_among_them_does_not() -> None:
    for kind, opens in ((Kind.RESIDENT, True), (Kind.DOOR, False), (Kind.UNKNOWN, False)):
        door = Keypad(openers=("*", "residents"))
        door.call("/private/anna", outbound=False, kind=kind)
        assert door.types("9") is opens


@pytest.mark.parametrize(("kind", "opens"), [(Kind.RESIDENT, True), (Kind.DOOR, False), (Kind.UNKNOWN, False)])
def test_a_tap_opens_for_a_device_of_which_the_space_says_that_it_is_a_resident_s(kind: Kind, opens: bool) -> None:
    door = Keypad()
    door.call("/private/house", kind=kind)
    assert door.taps() is opens
    assert bool(door.told) is not opens


def test_a_tap_of_a_resident_who_called_counts_only_when_that_is_said() -> None:
    for openers, opens in ((("*",), False), (("*", "residents"), True), (("/private/anna",), True)):
        door = Keypad(openers=openers)
        door.call("/private/anna", outbound=False, kind=Kind.RESIDENT)
        assert door.taps() is opens


def test_a_tap_before_the_answer_and_at_a_door_without_keys_opens_nothing() -> None:
    door = Keypad()
    door.call("/private/house", answered=False, kind=Kind.RESIDENT)
    assert not door.taps()
    door = Keypad(open_digits="")
    door.call("/private/house", kind=Kind.RESIDENT)
    assert not door.taps()


def test_wrong_codes_of_somebody_else_do_not_keep_residents_out() -> None:
    door = Keypad()
    for _ in range(3):
        door.types("1")
    assert door.opener.deaf_s > 0
    door.call("/private/house", kind=Kind.RESIDENT)
    assert door.taps()


def test_a_program_on_the_door_opens_it() -> None:
    door = Keypad()
    assert door.opener.ask(Way.CONTROL, "pi")
    assert door.journal.openings == ["pi"]


def test_no_key_is_ever_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    door = Keypad(open_digits="4242")
    door.types("7777" * 4 + "4242")
    assert Ruling.DEAF in door.journal.refusals
    assert "7777" not in caplog.text and "4242" not in caplog.text


def test_nothing_else_in_the_program_opens_the_door() -> None:
    package = Path(intercom.__file__).parent
    opening = re.compile(r"[._](door|lock|relay)\.open\(")
    found = {str(file.relative_to(package)) for file in package.rglob("*.py") if opening.search(file.read_text())}
    assert found == {"opening/opener.py"}
