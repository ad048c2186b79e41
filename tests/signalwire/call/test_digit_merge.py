"""A key that comes by signalling and in the sound was pressed once."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from intercom.signalwire.call.digit_merge import SAME_PRESS_S, DigitMerge, Way


def heard(*arrivals: tuple[float, Way, str]) -> str:
    merge = DigitMerge()
    return "".join(digit for now, way, digit in arrivals if merge.is_new(digit, way, now))


def test_a_key_by_both_ways_counts_once() -> None:
    assert heard((0.0, "signalling", "9"), (0.1, "media", "9")) == "9"
    assert heard((0.0, "media", "9"), (0.1, "signalling", "9")) == "9"


def test_a_key_pressed_twice_and_sent_by_both_ways_counts_twice() -> None:
    assert heard((0, "media", "9"), (0.06, "signalling", "9"), (0.12, "media", "9"), (0.18, "signalling", "9")) == "99"
    assert heard((0.0, "signalling", "9"), (0.0, "signalling", "9"), (0.05, "media", "9"), (0.1, "media", "9")) == "99"


def test_another_key_or_a_later_one_is_a_press_of_its_own() -> None:
    assert heard((0.0, "signalling", "1"), (0.05, "media", "2")) == "12"
    assert heard((0.0, "signalling", "9"), (0.3, "media", "9")) == "99"


@given(st.text(alphabet="0123456789*#", max_size=20), st.floats(0, SAME_PRESS_S - 0.001), st.booleans())
def test_what_comes_by_both_ways_reads_as_by_one(digits: str, late_s: float, signalling_first: bool) -> None:
    first: Way = "signalling" if signalling_first else "media"
    second: Way = "media" if signalling_first else "signalling"
    arrivals = [(0.2 * n, first, digit) for n, digit in enumerate(digits)]
    arrivals += [(0.2 * n + late_s, second, digit) for n, digit in enumerate(digits)]
    assert heard(*sorted(arrivals, key=lambda arrival: arrival[0])) == digits
