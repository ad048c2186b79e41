"""A push in quiet hours: without a sound where somebody wants to see who rings, and none where nobody does."""

from __future__ import annotations

from intercom.space.quiet.house_quiet import HouseQuiet
from tests.space.conftest import House
from tests.space.push.phone import Phone
from tests.space.push.service import PushService
from tests.space.push.test_waker import door_of, press


def quiet_of(house: House, name: str, *, notify: bool) -> HouseQuiet:
    """Make a phone quiet until it takes that back."""
    quiet, subscriber = house.space.exchange.control.quiet.house, house.space.store.subscriber(name)
    assert quiet is not None
    assert subscriber is not None
    quiet.set_resident(subscriber.id, begins="", ends="", notify=notify)
    quiet.order_resident(subscriber.id, quiet=True)
    return quiet


async def test_a_quiet_phone_is_woken_without_a_sound_and_told_how_it_ended(pushing: House, phone: Phone) -> None:
    quiet_of(pushing, "phone", notify=True)
    door = await door_of(pushing)
    mine = await press(door)
    notice = await phone.notice()
    assert (notice["kind"], notice["quiet"]) == ("ring", True)
    await door.verto("verto.bye", mine, cause="ORIGINATOR_CANCEL")
    assert (await phone.notice(2))["kind"] == "given_up"


async def test_a_phone_that_wants_to_be_left_alone_is_not_woken_and_the_door_learns_at_once_that_nobody_comes(
    pushing: House, phone: Phone
) -> None:
    quiet_of(pushing, "phone", notify=False)
    door = await door_of(pushing)
    await press(door)
    assert (await door.heard("verto.bye"))["cause"] == "NO_USER_RESPONSE"
    assert phone.service.arrived == []


async def test_a_quiet_phone_leaves_the_others_their_sound(pushing: House, phone: Phone, service: PushService) -> None:
    quiet_of(pushing, "phone", notify=False)
    tablet = await Phone(pushing, service, "tablet").subscribe()
    await press(await door_of(pushing))
    notice = await tablet.notice()
    assert (notice["kind"], notice["quiet"]) == ("ring", False)
    assert len(service.arrived) == 1
