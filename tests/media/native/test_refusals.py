"""What does not fit is refused by an exception, whatever it is: no memory beside the arrays is read or written.

`test_sanitized.py` runs these once more in a build that notices if it is.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from intercom.media.native import module

if module.why_not():
    pytest.skip(module.why_not(), allow_module_level=True)

from intercom.media.native import _native

KERNEL = np.ones(96, np.float32)


def unaligned(count: int) -> Any:
    return np.frombuffer(bytes(2 * count + 1), np.uint8)[1:].view(np.int16)


ANYTHING: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.integers(),
    st.floats(),
    st.text(),
    st.binary(max_size=2000),
    st.builds(np.zeros, st.integers(0, 2000), st.sampled_from("bBhHiIlLfdg?cSO")),
    st.builds(np.zeros, st.integers(0, 2000), st.sampled_from([">i2", ">f4", "<i2", "m8[s]", "U3"])),
    st.builds(lambda rows, columns: np.zeros((rows, columns), np.int16), st.integers(0, 40), st.integers(0, 40)),
    st.builds(lambda count, step: np.zeros(count, np.int16)[::step], st.integers(0, 2000), st.sampled_from([-1, 2, 3])),
    st.builds(unaligned, st.integers(0, 2000)),
    st.builds(lambda count: memoryview(bytearray(2 * count)).cast("h"), st.integers(0, 2000)),
)
CALLS: list[Callable[..., object]] = [
    _native.Decimator(KERNEL, 3).run,
    _native.Decimator(KERNEL, 6).run,
    _native.LinearFilter().process,
    _native.energy,
    _native.peak,
    _native.echo_energies,
    _native.varispeed,
    _native.Passage().send,
]


@given(call=st.sampled_from(CALLS), given=st.lists(ANYTHING, max_size=6))
def test_a_call_does_it_or_says_why_not(call: Callable[..., object], given: list[Any]) -> None:
    try:
        call(*given)
    except (TypeError, ValueError) as refused:
        assert str(refused)


@given(kernel=ANYTHING | st.builds(np.zeros, st.integers(0, 400), st.just(np.float32)), factor=st.integers())
def test_a_decimator_is_made_or_says_why_not(kernel: Any, factor: int) -> None:
    try:
        made = _native.Decimator(kernel, factor)
    except (TypeError, ValueError, OverflowError) as refused:
        assert str(refused)
    else:
        made.run(np.zeros(factor * 1000, np.int16), np.zeros(1000, np.int16))


@pytest.mark.parametrize(
    ("block", "down", "refusal"),
    [
        (np.zeros(480, np.int16), np.zeros(159, np.int16), "an array of 160 is wanted, not of 159"),
        (np.zeros(481, np.int16), np.zeros(160, np.int16), "a block of 481 is no multiple of 3"),
        (np.zeros((2, 240), np.int16), np.zeros(160, np.int16), "an array of one dimension is wanted, not of 2"),
        (np.zeros(960, np.int16)[::2], np.zeros(160, np.int16), "not C-contiguous"),
        (unaligned(480), np.zeros(160, np.int16), "does not begin where its type may lie|'h' is wanted"),
        (np.zeros(3, np.int16), memoryview(bytes(2)).cast("h"), "read-only or not contiguous"),
    ],
)
def test_a_wrong_array_is_refused_with_a_sentence(block: Any, down: Any, refusal: str) -> None:
    with pytest.raises((ValueError, TypeError), match=refusal):
        _native.Decimator(KERNEL, 3).run(block, down)


@pytest.mark.parametrize("wrong", [np.uint16, np.float16, np.int32, ">i2"])
def test_a_wrong_type_is_refused(wrong: Any) -> None:
    with pytest.raises(TypeError, match="an array of type 'h' is wanted"):
        _native.Decimator(KERNEL, 3).run(np.zeros(480, wrong), np.zeros(160, np.int16))


@given(
    heard=st.integers(0, 3000),
    ahead=st.floats() | st.floats(-2, 3000),
    speed=st.floats() | st.floats(0.9, 1.1),
    count=st.integers(0, 3000),
)
def test_what_would_play_beyond_the_sound_is_refused(heard: int, ahead: float, speed: float, count: int) -> None:
    sound, filters, played = np.ones(heard, np.int16), np.zeros(257 * 24, np.float32), np.ones(count, np.int16)
    try:
        _native.varispeed(sound, filters, 24, ahead, speed, played)
    except ValueError as refused:
        assert str(refused) == f"{heard} samples are not enough for {count} at that speed"
    else:
        assert not played.any()
        assert ahead >= 0
        assert not count or ahead + speed * (count - 1) < heard - 23


@given(weights=st.integers(0, 100), taps=st.integers(-1, 60))
def test_filters_are_of_16_or_24_weights_and_more_than_one(weights: int, taps: int) -> None:
    sound, played = np.ones(100, np.int16), np.ones(10, np.int16)
    try:
        _native.varispeed(sound, np.zeros(weights, np.float32), taps, 0.0, 1.0, played)
    except ValueError as refused:
        assert str(refused)
    else:
        assert taps in {16, 24}
        assert weights >= 2 * taps
        assert weights % taps == 0


@pytest.mark.parametrize("given", [(0, 1), (1, 0), (1, 6), (1, -1), ("1", 1), (1,)])
def test_no_constructor_and_no_number_of_filters_but_one_to_five_is_taken(given: Any) -> None:
    with pytest.raises((TypeError, ValueError, OverflowError)):
        _native.choose_filters(*given)


def test_a_kernel_of_an_odd_length_is_refused() -> None:
    with pytest.raises(ValueError, match="no decimator divides by 3 with 95 taps"):
        _native.Decimator(KERNEL[:95], 3)
