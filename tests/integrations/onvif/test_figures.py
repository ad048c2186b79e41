"""Who is told by ONVIF is counted, and who proves no account."""

from __future__ import annotations

from intercom.history.families import text
from intercom.integrations.rtsp.accounts import Account
from tests.integrations.onvif.found_door import FoundDoor
from tests.integrations.onvif.messages import ask, proved


async def test_recorders_that_are_told_are_counted_and_guesses_too(door: FoundDoor) -> None:
    guesser = Account(door.viewer.name, "a guess")
    assert (await ask(door, proved("<tds:GetHostname/>", guesser)))[0] == 401
    assert (await ask(door, proved("<tev:CreatePullPointSubscription/>", door.viewer), "events"))[0] == 200
    told = text(door.server.figures()).splitlines()
    assert {"intercom_onvif_subscriptions 1", "intercom_onvif_refusals_total 1"} <= set(told)
