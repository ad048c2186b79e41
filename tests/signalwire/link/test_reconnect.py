"""When the next attempt comes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intercom.signalwire.link.reconnect import ATTEMPT_TIMEOUT_S, LONGEST_DELAY_S, LinkState, ReconnectPolicy


def delays(policy: ReconnectPolicy, count: int) -> list[float]:
    """The pauses before the next attempts, if each fails at once."""
    now, found = 0.0, []
    for _ in range(count):
        policy.failed(now)
        deadline = policy.next_deadline()
        assert deadline is not None
        found.append(deadline - now)
        now = deadline
        policy.tick(now)
    return found


def started(random: float = 0.0) -> ReconnectPolicy:
    policy = ReconnectPolicy(lambda: random)
    policy.start(0.0)
    return policy


def test_delays_double_to_three_seconds_and_stay_there() -> None:
    assert delays(started(0.999999), 8) == pytest.approx([0.1, 0.2, 0.4, 0.8, 1.6, 3.0, 3.0, 3.0], rel=1e-3)


def test_jitter_takes_at_most_half_of_a_delay() -> None:
    assert delays(started(0.0), 3) == pytest.approx([0.05, 0.1, 0.2])


def test_a_connection_that_lasted_starts_the_delays_anew() -> None:
    policy = started()
    delays(policy, 6)
    policy.socket_opened()
    policy.authenticated(20.0)
    policy.failed(30.0)
    assert policy.next_deadline() == pytest.approx(30.05)


def test_a_connection_that_is_dropped_at_once_does_not() -> None:
    policy = started()
    delays(policy, 6)
    policy.authenticated(20.0)
    policy.failed(20.01)
    assert policy.next_deadline() == pytest.approx(21.51)


def test_the_outage_is_told_from_its_first_moment() -> None:
    policy = started()
    policy.authenticated(1.0)
    policy.failed(10.0)
    policy.tick(11.0)
    policy.failed(12.0)
    policy.tick(20.0)
    assert policy.authenticated(25.0) == 15.0


def test_an_attempt_that_hangs_is_given_up() -> None:
    policy = started()
    policy.socket_opened()
    policy.tick(ATTEMPT_TIMEOUT_S)
    assert policy.state is LinkState.WAITING


def test_a_refused_credential_is_not_asked_about_every_second() -> None:
    policy = started()
    policy.failed(0.0, refused=True)
    assert policy.next_deadline() == 15.0


def test_who_stops_is_left_alone() -> None:
    policy = started()
    policy.stop()
    policy.failed(1.0)
    policy.tick(100.0)
    policy.retry_now(101.0)
    assert (policy.state, policy.next_deadline()) == (LinkState.STOPPED, None)


@given(st.lists(st.tuples(st.sampled_from(["failed", "opened", "ready", "tick", "retry"]), st.floats(0, 1e6))))
def test_somebody_who_wants_a_connection_never_waits_in_vain(steps: list[tuple[str, float]]) -> None:
    policy, now = started(), 0.0
    for step, seconds in steps:
        now += seconds
        match step:
            case "failed":
                policy.failed(now)
            case "opened":
                policy.socket_opened()
            case "ready":
                policy.authenticated(now)
            case "tick":
                policy.tick(now)
            case "retry":
                policy.retry_now(now)
        deadline = policy.next_deadline()
        assert (deadline is None) == (policy.state is LinkState.READY)
        if policy.state is LinkState.WAITING:
            assert deadline is not None
            assert deadline <= now + LONGEST_DELAY_S
