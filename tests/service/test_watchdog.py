"""The watchdog is fed while everything moves, and goes hungry with a sentence when something does not."""

from __future__ import annotations

import asyncio
import logging

import pytest

from intercom.service.watchdog import Watchdog


class Dog:
    """Counts its meals."""

    def __init__(self) -> None:
        self.fed = 0

    def alive(self) -> None:
        self.fed += 1


class Part:
    """Stands still when told so."""

    why: str | None = None

    def stalled(self) -> str | None:
        return self.why


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_it_is_fed_twice_in_the_time_that_systemd_allows() -> None:
    assert Watchdog(Dog(), Part().stalled, watchdog_s=20.0).period_s == 10.0


def test_it_is_fed_while_everything_moves() -> None:
    dog = Dog()
    watchdog = Watchdog(dog, Part().stalled, watchdog_s=20.0)
    watchdog.look()
    watchdog.look()
    assert dog.fed == 2


def test_it_goes_hungry_while_something_stands_still_and_says_once_what(caplog: pytest.LogCaptureFixture) -> None:
    dog, part = Dog(), Part()
    watchdog = Watchdog(dog, part.stalled, watchdog_s=20.0)
    part.why = "the audio thread stands still"
    watchdog.look()
    watchdog.look()
    assert dog.fed == 0
    (told,) = caplog.records
    assert told.levelno == logging.ERROR
    assert "the audio thread stands still" in told.message


def test_what_moves_again_in_time_is_fed_again_and_told_with_how_long(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    dog, part, clock = Dog(), Part(), Clock()
    watchdog = Watchdog(dog, part.stalled, watchdog_s=20.0, clock=clock)
    part.why = "the session stands still"
    watchdog.look()
    part.why, clock.now = None, 10.0
    watchdog.look()
    assert dog.fed == 1
    assert caplog.records[-1].message == "The watchdog is fed again after 10 s"


async def test_it_looks_at_once_and_goes_on_until_it_is_ended() -> None:
    dog = Dog()
    watching = asyncio.create_task(Watchdog(dog, Part().stalled, watchdog_s=0.002).run())
    while dog.fed < 3:
        await asyncio.sleep(0)
    watching.cancel()
