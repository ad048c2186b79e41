"""How often each machine may do something, and how often strangers' doings are logged."""

from __future__ import annotations

import logging

import pytest

from intercom.space.http.allowance import LOOPBACK_FACTOR, NETWORK_FACTOR, Allowances
from intercom.space.http.rate_limited_log import Seldom


class Clock:
    """Time, which a test moves."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def taken(allowances: Allowances, address: str, times: int = 1000) -> int:
    return sum(allowances.take(address) for _ in range(times))


def test_a_machine_gets_its_burst_and_then_its_rate(clock: Clock) -> None:
    allowances = Allowances(2.0, 10.0, now=clock)
    assert taken(allowances, "192.0.2.1") == 10
    clock.now = 3.0
    assert taken(allowances, "192.0.2.1") == 6


def test_one_machine_does_not_use_up_anothers(clock: Clock) -> None:
    allowances = Allowances(2.0, 10.0, now=clock)
    taken(allowances, "192.0.2.1")
    assert allowances.take("192.0.2.2")


def test_a_machine_gains_little_by_changing_its_ipv6_address(clock: Clock) -> None:
    allowances = Allowances(2.0, 10.0, now=clock)
    assert sum(taken(allowances, f"2001:db8::{number:x}", 20) for number in range(1, 100)) == 10 * NETWORK_FACTOR
    assert allowances.take("2001:db8:0:1::1")


def test_a_machine_with_one_ipv6_address_does_not_use_up_its_neighbours(clock: Clock) -> None:
    allowances = Allowances(2.0, 10.0, now=clock)
    taken(allowances, "2001:db8::1")
    assert allowances.take("2001:db8::2")


def test_this_machine_may_more_and_not_everything(clock: Clock) -> None:
    assert taken(Allowances(2.0, 10.0, now=clock), "127.0.0.1") == 10 * LOOPBACK_FACTOR


@pytest.mark.parametrize("address", ["192.0.2.1", "127.0.0.1"])
def test_ten_wrong_guesses_use_up_the_burst_of_any_machine(clock: Clock, address: str) -> None:
    allowances = Allowances(2.0, 10.0, now=clock)
    for _ in range(10):
        allowances.charge(address, 0.1)
    assert not allowances.take(address)


@pytest.mark.parametrize("address", ["192.0.2.1", "127.0.0.1"])
def test_whoever_guesses_on_gets_two_guesses_a_second(clock: Clock, address: str) -> None:
    allowances = Allowances(20.0, 100.0, now=clock)
    guesses = 0
    while clock.now < 60.0:
        if allowances.take(address):
            allowances.charge(address, 0.1)
            guesses += 1
        clock.now += 0.01
    assert guesses == pytest.approx(10 + 60 * 2, abs=15)


def test_a_line_that_strangers_cause_is_logged_once_a_minute(clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    seldom = Seldom(logging.getLogger(__name__), now=clock)
    for _ in range(100):
        seldom.warn("flood", "%s floods.", "192.0.2.1")
    assert [record.getMessage() for record in caplog.records] == ["192.0.2.1 floods."]
    clock.now = 61.0
    seldom.warn("flood", "%s floods.", "192.0.2.1")
    assert caplog.records[-1].getMessage() == "192.0.2.1 floods. (99 more since the last such line)"
