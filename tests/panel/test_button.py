"""The button's logic: settle, lock-out, hold, release."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from intercom.panel.button import COIL_S, EDGE_LATE_S, Button, ButtonEvent

SETTLE_S, LOCKOUT_S, HOLD_S = 0.005, 0.2, 2.0
PRESSED, HELD, RELEASED = ButtonEvent.PRESSED, ButtonEvent.HELD, ButtonEvent.RELEASED


def replay(edges: list[tuple[float, bool]], until: float, *, level: bool = False) -> list[tuple[float, ButtonEvent]]:
    """Feed edges (time, level) and every deadline between them; return what was reported, and when."""
    button = Button.starting(settle_s=SETTLE_S, lockout_s=LOCKOUT_S, hold_s=HOLD_S, level=level, now=0.0)
    reported: list[tuple[float, ButtonEvent]] = []
    for at, new_level in [*edges, (until, edges[-1][1] if edges else level)]:
        while (deadline := button.deadline) is not None and deadline < at:
            reported += [(deadline, event) for event in button.advance(deadline)]
        reported += [(at, event) for event in button.edge(new_level, at)]
    return reported


def test_a_press_is_reported_as_soon_as_the_contact_has_settled() -> None:
    assert replay([(1.0, True)], until=1.1) == [(1.0 + SETTLE_S, PRESSED)]


def test_an_interference_spike_is_no_press() -> None:
    assert replay([(1.0, True), (1.003, False)], until=5.0) == []


def test_a_bouncing_contact_is_one_press_counted_from_its_last_bounce() -> None:
    edges = [(1.0, True), (1.001, False), (1.002, True), (1.003, False), (1.004, True)]
    assert replay(edges, until=1.5) == [(1.004 + SETTLE_S, PRESSED)]


def test_a_second_tap_within_the_lock_out_is_ignored() -> None:
    edges = [(1.0, True), (1.05, False), (1.1, True), (1.15, False)]
    assert [event for _, event in replay(edges, until=5.0)] == [PRESSED, RELEASED]


def test_a_press_that_outlasts_the_lock_out_is_reported_at_its_end() -> None:
    edges = [(1.0, True), (1.05, False), (1.1, True)]
    events = replay(edges, until=1.5)
    assert [event for _, event in events] == [PRESSED, RELEASED, PRESSED]
    assert events[-1][0] == 1.05 + SETTLE_S + LOCKOUT_S


def test_holding_is_reported_once() -> None:
    events = replay([(1.0, True), (9.0, False)], until=10.0)
    assert [event for _, event in events] == [PRESSED, HELD, RELEASED]


def test_a_late_reader_still_sees_the_hold_before_the_release() -> None:
    button = Button.starting(settle_s=SETTLE_S, lockout_s=LOCKOUT_S, hold_s=HOLD_S, level=False, now=0.0)
    button.edge(True, 1.0)
    button.advance(1.005)
    button.edge(False, 4.0)
    assert button.advance(4.1) == [RELEASED]


def test_a_button_that_is_down_at_the_start_is_no_press_until_it_was_released() -> None:
    events = replay([(3.0, False), (4.0, True)], until=4.1, level=True)
    assert [event for _, event in events] == [PRESSED]


def test_a_reading_that_contradicts_the_last_edge_waits_for_its_edge() -> None:
    button = Button.starting(settle_s=SETTLE_S, lockout_s=LOCKOUT_S, hold_s=HOLD_S, level=False, now=0.0)
    button.edge(True, 1.0)
    assert button.sample(False, 1.006) == []
    assert button.edge(False, 1.004) == []
    assert button.deadline is None


def test_a_press_is_no_spike_because_its_reader_was_late() -> None:
    button = Button.starting(settle_s=SETTLE_S, lockout_s=LOCKOUT_S, hold_s=HOLD_S, level=False, now=0.0)
    button.edge(True, 1.0)
    assert button.sample(False, 1.3) == []
    assert button.edge(False, 1.08) == [PRESSED]
    assert button.short_pulses.count == 0


def test_a_reading_whose_edge_never_comes_starts_over() -> None:
    button = Button.starting(settle_s=SETTLE_S, lockout_s=LOCKOUT_S, hold_s=HOLD_S, level=False, now=0.0)
    button.edge(True, 1.0)
    assert button.sample(False, 1.006) == []
    assert button.deadline == 1.006 + EDGE_LATE_S
    assert button.sample(False, 1.006 + EDGE_LATE_S) == []
    assert button.deadline is None


edge_lists = st.lists(st.tuples(st.floats(0.0005, 3.0), st.booleans()), max_size=60)


@given(edge_lists)
def test_whatever_the_contact_does_presses_and_releases_alternate(gaps: list[tuple[float, bool]]) -> None:
    now, edges = 0.0, []
    for gap, level in gaps:
        now += gap
        edges.append((now, level))
    events = [event for _, event in replay(edges, until=now + 10)]
    taps = [event for event in events if event is not HELD]
    assert taps == ([PRESSED, RELEASED] * len(taps))[: len(taps)]


@given(edge_lists)
def test_whatever_the_contact_does_two_presses_are_a_lock_out_apart(gaps: list[tuple[float, bool]]) -> None:
    now, edges = 0.0, []
    for gap, level in gaps:
        now += gap
        edges.append((now, level))
    presses = [at for at, event in replay(edges, until=now + 10) if event is PRESSED]
    assert all(later - earlier >= LOCKOUT_S for earlier, later in itertools.pairwise(presses))


@given(edge_lists)
def test_a_long_press_is_never_lost(gaps: list[tuple[float, bool]]) -> None:
    now, edges = 0.0, []
    for gap, level in gaps:
        now += gap
        edges.append((now, level))
    edges += [(now + 1.0, False), (now + 2.0, True), (now + 3.0, False)]
    events = replay(edges, until=now + 4.0)
    assert (now + 2.0 + SETTLE_S, PRESSED) in events


def presses_beside_the_relay(pulse_s: float, after_edge_s: float) -> list[ButtonEvent]:
    """Return what a button makes of one low pulse that starts so long after an edge of the door's relay."""
    button = Button.starting(settle_s=SETTLE_S, lockout_s=LOCKOUT_S, hold_s=HOLD_S, level=False, now=0.0)
    button.relay_moves(1.0)
    low_at = 1.0 + after_edge_s
    events = button.edge(True, low_at)
    while (deadline := button.deadline) is not None and deadline < low_at + pulse_s:
        events += button.advance(deadline)
    return events + button.edge(False, low_at + pulse_s) + button.advance(low_at + 5.0)


@given(st.floats(0.0, 0.030), st.floats(0.0, COIL_S))
def test_what_the_strike_s_coil_does_to_the_line_is_no_press(pulse_s: float, after_edge_s: float) -> None:
    assert presses_beside_the_relay(pulse_s, after_edge_s) == []


@given(st.floats(0.080, 1.9), st.floats(0.0, 1.0))
def test_a_real_press_counts_whatever_the_relay_does(pulse_s: float, after_edge_s: float) -> None:
    assert presses_beside_the_relay(pulse_s, after_edge_s) == [PRESSED, RELEASED]


@given(st.floats(0.0, SETTLE_S, exclude_max=True))
def test_a_press_that_the_relay_s_edge_falls_into_counts(before_edge_s: float) -> None:
    button = Button.starting(settle_s=SETTLE_S, lockout_s=LOCKOUT_S, hold_s=HOLD_S, level=False, now=0.0)
    button.edge(True, 1.0 - before_edge_s)
    button.relay_moves(1.0)
    assert button.edge(False, 1.080 - before_edge_s) == [PRESSED]


def test_away_from_the_relay_a_press_is_reported_as_soon_as_ever() -> None:
    button = Button.starting(settle_s=SETTLE_S, lockout_s=LOCKOUT_S, hold_s=HOLD_S, level=False, now=0.0)
    button.relay_moves(1.0)
    button.edge(True, 1.0 + COIL_S + 0.001)
    assert button.deadline == 1.0 + COIL_S + 0.001 + SETTLE_S


def test_short_pulses_are_counted_and_the_last_is_told() -> None:
    button = Button.starting(settle_s=SETTLE_S, lockout_s=LOCKOUT_S, hold_s=HOLD_S, level=False, now=0.0)
    for at in (1.0, 2.0):
        button.edge(True, at)
        button.edge(False, at + 0.003)
    button.relay_moves(3.0)
    button.edge(True, 3.0)
    button.edge(False, 3.030)
    assert button.short_pulses.count == 3
    assert (button.short_pulses.last_at, round(button.short_pulses.last_s, 3)) == (3.030, 0.030)


def test_the_bounces_of_a_press_are_no_short_pulses() -> None:
    button = Button.starting(settle_s=SETTLE_S, lockout_s=LOCKOUT_S, hold_s=HOLD_S, level=False, now=0.0)
    button.edge(True, 1.0)
    button.edge(False, 1.003)
    before = button.short_pulses
    for at, level in [(2.0, True), (2.001, False), (2.003, True), (2.004, False), (2.006, True)]:
        button.edge(level, at)
    assert button.advance(2.1) == [PRESSED]
    for at, level in [(2.2, False), (2.201, True), (2.203, False)]:
        button.edge(level, at)
    assert button.advance(2.5) == [RELEASED]
    assert button.short_pulses == before
