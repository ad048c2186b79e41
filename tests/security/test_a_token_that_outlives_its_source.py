"""Attack: a token that is about to end, or that was seen in passing, is turned into one that lasts."""

from __future__ import annotations

from intercom.space.auth.tokens import REFRESH_SCOPE, UNBOUND_LIFETIME_S
from tests.space.auth.test_device_tokens import Device, post
from tests.space.conftest import House, configure, house

__all__ = ["configure", "house"]

PATH = "/api/fabric/subscriber/devices/token"


async def test_a_token_with_seconds_left_is_not_exchanged_for_a_quarter_of_an_hour(house: House) -> None:
    thief = Device()
    visitor = house.space.store.add_subscriber("visitor")
    token, expires_at = house.space.tokens.issue(visitor, scope=[REFRESH_SCOPE], fingerprint=thief.jkt, lifetime_s=20)
    status, bound = await post(house, PATH, token, thief.http_proof(house, PATH))
    assert status == 200
    assert bound["expires_at"] <= expires_at


async def test_an_unbound_token_that_somebody_saw_is_worth_nothing_after_a_minute(house: House) -> None:
    visitor = house.space.store.add_subscriber("visitor")
    _, expires_at = house.space.tokens.issue(visitor, scope=[REFRESH_SCOPE], lifetime_s=3600)
    assert expires_at - house.space.tokens._now() <= UNBOUND_LIFETIME_S
