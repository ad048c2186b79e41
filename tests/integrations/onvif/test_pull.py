"""Pull points: what happened waits for those who ask, bounded, and only for them."""

from __future__ import annotations

import asyncio

import pytest

from intercom.integrations.onvif.pull import BELL, CONTACT, LONGEST_S, MOST_SUBSCRIPTIONS, MOST_WAITING, Inputs
from intercom.integrations.onvif.soap import SoapError
from intercom.integrations.rtsp.accounts import Account

NVR, OTHER = Account("nvr", "secret"), Account("other", "secret")


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def inputs(clock: Clock) -> Inputs:
    return Inputs(has_contact=True, clock=clock)


async def test_a_subscription_begins_with_what_is_now(inputs: Inputs) -> None:
    inputs.change(BELL, True)
    key, _ = inputs.subscribe(NVR, 60)
    changes = await inputs.pull(key, NVR, 0, 10)
    assert [(each.token, each.state, each.is_new) for each in changes] == [(BELL, True, False), (CONTACT, False, False)]


async def test_a_press_wakes_whoever_waits(inputs: Inputs) -> None:
    key, _ = inputs.subscribe(NVR, 60)
    await inputs.pull(key, NVR, 0, 10)
    waiting = asyncio.ensure_future(inputs.pull(key, NVR, 30, 10))
    await asyncio.sleep(0)
    inputs.change(BELL, True)
    assert [(each.token, each.state, each.is_new) for each in await waiting] == [(BELL, True, True)]


async def test_what_has_not_changed_is_not_told(inputs: Inputs) -> None:
    key, _ = inputs.subscribe(NVR, 60)
    await inputs.pull(key, NVR, 0, 10)
    inputs.change(BELL, False)
    inputs.change("Other", True)
    assert await inputs.pull(key, NVR, 0, 10) == []


async def test_no_more_is_given_than_was_asked_for(inputs: Inputs) -> None:
    key, _ = inputs.subscribe(NVR, 60)
    assert len(await inputs.pull(key, NVR, 0, 1)) == 1
    assert len(await inputs.pull(key, NVR, 0, 1)) == 1


async def test_what_nobody_asks_for_does_not_pile_up(inputs: Inputs) -> None:
    key, _ = inputs.subscribe(NVR, 60)
    for number in range(3 * MOST_WAITING):
        inputs.change(BELL, number % 2 == 0)
    assert len(await inputs.pull(key, NVR, 0, 1000)) == MOST_WAITING


async def test_another_account_has_no_such_subscription(inputs: Inputs) -> None:
    key, _ = inputs.subscribe(NVR, 60)
    with pytest.raises(SoapError):
        await inputs.pull(key, OTHER, 0, 10)
    with pytest.raises(SoapError):
        inputs.unsubscribe(key, OTHER)


async def test_a_subscription_ends_when_its_time_is_over(inputs: Inputs, clock: Clock) -> None:
    key, _ = inputs.subscribe(NVR, 60)
    clock.now += 61
    with pytest.raises(SoapError):
        inputs.synchronize(key, NVR)


async def test_it_lasts_longer_when_it_is_renewed_but_not_for_ever(inputs: Inputs, clock: Clock) -> None:
    key, _ = inputs.subscribe(NVR, 60)
    assert inputs.renew(key, NVR, 10 * LONGEST_S) == LONGEST_S
    clock.now += 61
    inputs.synchronize(key, NVR)


async def test_the_subscription_that_ends_first_makes_room(inputs: Inputs) -> None:
    keys = [inputs.subscribe(NVR, 60 + number)[0] for number in range(MOST_SUBSCRIPTIONS + 1)]
    with pytest.raises(SoapError):
        inputs.synchronize(keys[0], NVR)
    for key in keys[1:]:
        inputs.synchronize(key, NVR)
