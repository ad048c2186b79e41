"""`intercom doctor` on the phones that ring while their page is closed, asked of a running space."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from intercom.cli.checks import doctor
from intercom.cli.checks.finding import GOOD, WARNING, Finding
from intercom.cli.checks.push import PushDevice
from intercom.config import SpaceConfig
from intercom.space import Space
from intercom.space.secret_hash import secret_hash
from tests.space.push.browser_keys import BrowserKeys


@pytest.fixture
async def space(tmp_path: Path) -> AsyncIterator[Space]:
    """A space that is reached over TLS, and the door's credential for it."""
    running = Space(SpaceConfig(listen="127.0.0.1:0", tls="on"), tmp_path)
    await running.start()
    running.write_credential("door", tmp_path / "door.json")
    yield running
    await running.stop()


def add(space: Space, name: str) -> str:
    """Add a phone to the house; return its secret."""
    owner = space.store.add_subscriber(name.lower(), name, groups=("house",))
    return space.store.add_device(owner, name)


def subscribe(space: Space, secret: str, name: str) -> None:
    """Turn its notifications on."""
    sent = BrowserKeys().subscription(f"https://push.example.net/{name}")
    space.store.subscriptions.keep(secret, sent["endpoint"], **sent["keys"])


async def findings(tmp_path: Path, what: str = "push") -> list[Finding]:
    """What doctor says of pushes, or of pages."""
    found = await asyncio.to_thread(lambda: list(doctor._push(tmp_path / "door.json")))
    return [finding for finding in found if finding.what == what]


async def test_a_house_without_phones_is_told_nothing(space: Space, tmp_path: Path) -> None:
    assert await findings(tmp_path) == []


async def test_a_house_whose_phones_ring_only_while_open_is_told_how_to_wake_them(space: Space, tmp_path: Path) -> None:
    add(space, "Phone")
    (finding,) = await findings(tmp_path)
    assert finding.verdict == WARNING
    assert "Turn on" in finding.mend


async def test_the_phones_that_are_woken_are_named_with_their_last_receipt(space: Space, tmp_path: Path) -> None:
    subscribe(space, add(space, "Phone"), "phone")
    assert await findings(tmp_path) == [Finding("push", GOOD, "rings closed pages of Phone (last shown: never)")]


async def test_a_phone_that_is_not_woken_is_named_with_the_reason(space: Space, tmp_path: Path) -> None:
    secret = add(space, "Phone")
    subscribe(space, secret, "phone")
    space.store.subscriptions.note({}, {secret_hash(secret): "the push service says 403 Forbidden"})
    trouble, _ = await findings(tmp_path)
    assert (trouble.verdict, trouble.told) == (WARNING, "Phone is not woken: the push service says 403 Forbidden")


async def test_a_phone_that_was_paired_and_never_came_is_told_how_its_page_is_trusted(
    space: Space, tmp_path: Path
) -> None:
    add(space, "Phone")
    (finding,) = await findings(tmp_path, "page")
    assert (finding.verdict, finding.told) == (WARNING, "Phone was paired and never signed in")
    assert "intercom space trust" in finding.mend


async def test_a_phone_whose_page_came_is_told_with_its_day(space: Space, tmp_path: Path) -> None:
    space.store.seen(add(space, "Phone"))
    (finding,) = await findings(tmp_path, "page")
    assert finding.verdict == GOOD
    assert re.fullmatch(r"reaches the house: Phone \(last on \d{4}-\d\d-\d\d\)", finding.told)


def test_a_space_that_is_not_there_is_another_finding(tmp_path: Path) -> None:
    assert list(doctor._push(tmp_path / "door.json")) == []


def test_a_page_that_is_open_is_said_to_be() -> None:
    kitchen = PushDevice(name="Kitchen", online=True, seen_on="2026-11-28", push=False, shown_at=0.0, trouble="")
    assert list(doctor._pages([kitchen])) == [Finding("page", GOOD, "reaches the house: Kitchen (connected now)")]
