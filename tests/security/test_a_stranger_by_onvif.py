"""A stranger in the network finds the door by ONVIF, and tries to see it, to follow it and to open it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from intercom.integrations.onvif.soap import MOST_BYTES, envelope
from intercom.integrations.rtsp.accounts import Account
from tests.integrations.onvif.found_door import FoundDoor, found_door
from tests.integrations.onvif.messages import OPEN, answered, ask, challenge_of, proved


@pytest.fixture
async def door(tmp_path: Path) -> AsyncIterator[FoundDoor]:
    async with found_door(tmp_path) as door:
        yield door


@pytest.mark.parametrize(
    "body",
    [
        OPEN,
        "<tds:GetDeviceInformation/>",
        "<trt:GetStreamUri/>",
        "<trt:GetProfiles/>",
        "<tev:CreatePullPointSubscription/>",
    ],
)
async def test_without_an_account_they_learn_and_open_nothing(door: FoundDoor, body: str) -> None:
    status, said = await ask(door, envelope(body))
    assert (status, "ter:NotAuthorized" in said) == (401, True)
    assert door.access.asked == []


async def test_a_guessed_password_opens_nothing(door: FoundDoor) -> None:
    message, guess = envelope(OPEN), Account("opener", "guess")
    assert (await ask(door, proved(OPEN, guess)))[0] == 401
    said = answered(await challenge_of(door), guess, message)
    assert (await ask(door, message, Authorization=said))[0] == 401
    assert door.access.asked == []


async def test_who_may_only_watch_does_not_open(door: FoundDoor) -> None:
    message = envelope(OPEN)
    status, said = await ask(door, message, Authorization=answered(await challenge_of(door), door.viewer, message))
    assert (status, "may not open" in said) == (401, True)
    assert door.access.asked == []


async def test_an_account_that_was_removed_opens_nothing(door: FoundDoor) -> None:
    message, challenge = envelope(OPEN), await challenge_of(door)
    door.accounts.remove("opener")
    assert (await ask(door, message, Authorization=answered(challenge, door.opener, message)))[0] == 401
    assert door.access.asked == []


async def test_the_still_is_for_accounts_alone(door: FoundDoor) -> None:
    async with aiohttp.ClientSession() as session, session.get(f"{door.url}/snapshot.jpg") as response:
        assert response.status == 401
        assert response.headers["WWW-Authenticate"].startswith("Digest ")


async def test_a_bomb_of_entities_and_a_file_of_the_door_are_not_read(door: FoundDoor) -> None:
    bomb = b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "bb"><!ENTITY c "&b;&b;">]><a>&c;</a>'
    file = b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>'
    for message in (bomb, file, b"<" * 1000, b""):
        status, said = await ask(door, message)
        assert status == 400
        assert "root:" not in said


async def test_a_flood_in_one_message_is_not_read(door: FoundDoor) -> None:
    status, said = await ask(door, b" " * (MOST_BYTES + 1))
    assert status == 413
    assert "<s:Fault>" in said, "a recorder reads XML and nothing else"


async def test_somebody_else_s_subscription_is_not_followed(door: FoundDoor) -> None:
    status, said = await ask(door, proved("<tev:CreatePullPointSubscription/>", door.viewer), "events")
    assert status == 200
    path = said.partition("/onvif/")[2].partition("<")[0]
    pull = "<tev:PullMessages><tev:Timeout>PT0S</tev:Timeout><tev:MessageLimit>1</tev:MessageLimit></tev:PullMessages>"
    assert (await ask(door, proved(pull, door.viewer), path))[0] == 200
    assert (await ask(door, proved(pull, door.opener), path))[0] == 400
