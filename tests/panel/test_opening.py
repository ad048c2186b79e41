"""The door's timing: pulse, extension, hard cap, rest."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intercom.panel.opening import REST_S, Opening

CAP_S = 7.0


def test_one_command_opens_for_its_pulse() -> None:
    opening = Opening(CAP_S)
    opening.open(1.5, now=10.0)
    assert (opening.opened_at, opening.closes_at) == (10.0, 11.5)


def test_a_second_command_extends() -> None:
    opening = Opening(CAP_S)
    opening.open(1.5, now=10.0)
    opening.open(1.5, now=11.0)
    assert opening.closes_at == 12.5


def test_a_shorter_second_command_does_not_shorten() -> None:
    opening = Opening(CAP_S)
    opening.open(5.0, now=10.0)
    opening.open(0.5, now=10.1)
    assert opening.closes_at == 15.0


def test_the_cap_counts_from_the_first_command() -> None:
    opening = Opening(CAP_S)
    opening.open(6.0, now=10.0)
    opening.open(6.0, now=15.0)
    assert opening.closes_at == 17.0


def test_after_a_cut_by_the_cap_the_door_rests() -> None:
    opening = Opening(CAP_S)
    opening.open(99.0, now=0.0)
    opening.close(7.0)
    assert not opening.open(1.5, now=7.0)
    assert opening.open(1.5, now=7.0 + REST_S)


def test_after_an_ordinary_pulse_the_door_opens_again_at_once() -> None:
    opening = Opening(CAP_S)
    opening.open(1.5, now=0.0)
    opening.close(1.5)
    assert opening.open(1.5, now=1.5)


@given(
    st.floats(0.1, 7.0),
    st.lists(st.tuples(st.floats(0, 3.0), st.floats(0.01, 20.0)), min_size=1, max_size=80),
)
def test_no_sequence_of_commands_holds_the_door_open_past_the_cap(
    cap_s: float, commands: list[tuple[float, float]]
) -> None:
    opening, now, spans = Opening(cap_s), 0.0, []
    for wait_s, pulse_s in commands:
        now += wait_s
        if opening.opened_at is not None and opening.is_due(now):
            spans.append((opening.opened_at, opening.closes_at))
            opening.close(opening.closes_at)
        opening.open(pulse_s, now)
    if opening.opened_at is not None:
        spans.append((opening.opened_at, opening.closes_at))
    for (opened, closed), (next_opened, _) in zip(spans, [*spans[1:], (float("inf"), 0.0)], strict=True):
        assert closed - opened <= cap_s + 1e-9
        if closed - opened >= cap_s:
            assert next_opened - closed >= REST_S - 1e-9


@pytest.mark.parametrize("now", [0.0, 1.49])
def test_the_door_is_not_due_before_its_pulse_is_over(now: float) -> None:
    opening = Opening(CAP_S)
    opening.open(1.5, now=0.0)
    assert not opening.is_due(now)
    assert opening.is_due(1.5)
