"""The attack: call after call, somebody goes through the codes that open the door, ten thousand of four keys."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intercom.opening.wrong_codes import DEAF_MOST_S, DEAF_S, WRONG_MOST

from ..keypad import Keypad

DAY_S = 86_400.0
CODE = "7351"


def test_all_codes_by_messages_of_one_call_do_not_open_the_door() -> None:
    door = Keypad(open_digits=CODE)
    assert not any(door.types(f"{code:04}") for code in range(10_000))


def test_a_day_of_guessing_tries_less_than_one_code_in_a_hundred() -> None:
    door = Keypad(open_digits=CODE)
    tried, began = 0, door.now
    while door.now - began < DAY_S:
        door.call("/private/house")  # hanging up and calling again changes nothing
        for _ in range(WRONG_MOST):
            assert not door.types("0000")
            tried += 1
        assert door.opener.deaf_s > 0
        door.now += door.opener.deaf_s
    assert tried <= 100


def test_the_right_code_does_not_open_a_deaf_door() -> None:
    door = Keypad(open_digits=CODE)
    door.types("0000" * 3)
    door.now += 2
    assert not door.types(CODE)
    assert door.told[-1] == {"door": "refused", "reason": "deaf", "for_s": 28}


def test_the_far_end_hears_of_each_wrong_code_and_for_how_long_the_door_is_deaf() -> None:
    door = Keypad(open_digits=CODE)
    door.types("0000" * 3)
    wrong = {"door": "refused", "reason": "wrong_code"}
    assert door.told == [wrong, wrong, {**wrong, "for_s": 30}]


def test_a_new_call_does_not_make_a_deaf_door_hear() -> None:
    door = Keypad(open_digits=CODE)
    door.types("0000" * 3)
    door.call("/private/anna")
    assert not door.types(CODE)


def test_wrong_codes_by_every_way_count_together() -> None:
    door = Keypad(open_digits=CODE)
    door.types("0000", "signalling")
    door.types("0000", "media")
    door.types("00", "signalling")
    door.types("00", "media")
    assert door.opener.deaf_s == DEAF_S


def test_the_door_hears_again_when_the_time_is_over() -> None:
    door = Keypad(open_digits=CODE)
    door.types("0000" * 3)
    door.now += DEAF_S
    assert door.types(CODE)


def test_each_deafness_is_twice_as_long_as_the_last_up_to_an_hour() -> None:
    door = Keypad(open_digits=CODE)
    lasted = []
    for _ in range(9):
        door.types("0000" * 3)
        lasted.append(door.opener.deaf_s)
        door.now += door.opener.deaf_s
    assert lasted == [30, 60, 120, 240, 480, 960, 1920, DEAF_MOST_S, DEAF_MOST_S]


def test_an_opening_by_somebody_else_does_not_shorten_the_next_deafness() -> None:
    door = Keypad(open_digits=CODE)
    door.types("0000" * 3)
    door.now += DEAF_S
    door.types(CODE)
    door.types("0000" * 3)
    assert door.opener.deaf_s == 2 * DEAF_S


def test_slips_between_right_codes_never_add_up() -> None:
    door = Keypad(open_digits=CODE)
    for _ in range(20):
        door.types("0000" * 2)
        assert door.types(CODE)


def test_after_a_day_without_a_wrong_code_the_first_deafness_is_short_again() -> None:
    door = Keypad(open_digits=CODE)
    door.types("0000" * 3)
    door.now += 2 * DAY_S
    door.types("0000" * 3)
    assert door.opener.deaf_s == DEAF_S


def test_wrong_codes_are_in_the_log_with_who_typed_them(caplog: pytest.LogCaptureFixture) -> None:
    door = Keypad(open_digits=CODE)
    door.types("0000" * 3)
    assert "/private/house may not open the door: the code is wrong; no keys open it for 30 s" in caplog.text


@given(
    codes=st.lists(st.from_regex(r"\A[0-9*#]{1,8}\Z"), max_size=60),
    pauses=st.lists(st.floats(0, 100), min_size=1, max_size=10),
)
def test_nobody_tries_more_codes_than_the_door_allows(codes: list[str], pauses: list[float]) -> None:
    door = Keypad(open_digits="5555")
    began = door.now
    for number, code in enumerate(codes):
        if number % 5 == 0:
            door.call("/private/house")
        door.types(code.replace("5", "6"), "media" if number % 2 else "signalling")
        door.now += pauses[number % len(pauses)]
    tried = [told for told in door.told if told["reason"] == "wrong_code"]
    lots, allowed_s = 0, 0.0
    while allowed_s <= door.now - began:
        allowed_s += min(DEAF_S * 2**lots, DEAF_MOST_S)
        lots += 1
    assert door.lock.opened == 0
    assert len(tried) <= WRONG_MOST * lots
