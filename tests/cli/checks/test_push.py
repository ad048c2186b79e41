"""`intercom doctor` on how far each phone and tablet is reached, asked of a running space."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from intercom.cli.checks import doctor, house
from intercom.cli.checks.finding import GOOD, WARNING, Finding
from intercom.cli.checks.reach import Reach
from intercom.config import SpaceConfig
from intercom.space import Space
from intercom.space.auth.secret_hash import secret_hash
from tests.space.push.browser_keys import BrowserKeys

WAIT_S = 60.0


@pytest.fixture
async def space(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Space]:
    """A space that is reached over TLS, and the door's credential for it."""
    monkeypatch.setattr(house, "LIMIT_S", WAIT_S)  # a busy machine's space may take longer than an owner would wait
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


async def findings(tmp_path: Path, what: str = "device") -> list[Finding]:
    """What doctor says of each device, or of pushes."""
    found = await asyncio.to_thread(lambda: list(doctor._devices(tmp_path / "door.json")))
    return [finding for finding in found if finding.what == what]


async def test_a_house_without_phones_is_told_nothing(space: Space, tmp_path: Path) -> None:
    assert await findings(tmp_path) == []
    assert await findings(tmp_path, "push") == []


async def test_a_house_whose_phones_ring_only_while_open_is_told_how_to_wake_them(space: Space, tmp_path: Path) -> None:
    secret = add(space, "Phone")
    (finding,) = await findings(tmp_path, "push")
    assert finding.verdict == WARNING
    assert "Turn on" in finding.mend
    subscribe(space, secret, "phone")
    assert await findings(tmp_path, "push") == []


async def test_a_phone_that_rings_is_one_line_with_page_socket_push_and_receipt(space: Space, tmp_path: Path) -> None:
    secret = add(space, "Phone")
    subscribe(space, secret, "phone")
    space.store.proofs.seen(secret)
    space.store.proofs.registered(space.store.owner_of(secret).id)
    space.store.proofs.rang(secret, "open")
    (finding,) = await findings(tmp_path)
    day, moment = r"\d{4}-\d\d-\d\d", r"\d{4}-\d\d-\d\d \d\d:\d\d"
    line = f"Phone: page {day}, wss {day}, rang open {moment}, push yes, last receipt never, rang closed never"
    assert finding.verdict == GOOD
    assert re.fullmatch(line, finding.told)


async def test_a_phone_that_is_not_woken_is_named_with_the_reason(space: Space, tmp_path: Path) -> None:
    secret = add(space, "Phone")
    subscribe(space, secret, "phone")
    space.store.proofs.seen(secret)
    space.store.proofs.registered(space.store.owner_of(secret).id)
    space.store.proofs.rang(secret, "open")
    space.store.subscriptions.note({}, {secret_hash(secret): "the push service says 403 Forbidden"})
    (finding,) = await findings(tmp_path)
    assert finding.verdict == WARNING
    assert "push fails" in finding.told
    assert finding.mend.startswith("it is not woken (the push service says 403 Forbidden)")


async def test_a_phone_that_was_paired_and_never_came_is_told_how_its_page_is_trusted(
    space: Space, tmp_path: Path
) -> None:
    add(space, "Phone")
    (finding,) = await findings(tmp_path)
    assert (finding.verdict, finding.told.partition(",")[0]) == (WARNING, "Phone: page never")
    assert "intercom space trust" in finding.mend


async def test_a_phone_whose_browser_refuses_the_socket_is_told_to_trust_the_house(
    space: Space, tmp_path: Path
) -> None:
    space.store.proofs.seen(add(space, "Phone"))
    (finding,) = await findings(tmp_path)
    assert (finding.verdict, "wss never" in finding.told) == (WARNING, True)
    assert "trust the house first" in finding.mend


def test_a_space_that_is_not_there_is_another_finding(tmp_path: Path) -> None:
    assert list(doctor._devices(tmp_path / "door.json")) == []


DAY = "2026-11-28"
NEW = Reach(name="Kitchen", seen_on="", push=False, shown_at=0.0, trouble="")
IN = replace(NEW, seen_on=DAY, registered_on=DAY)
WOKEN = replace(IN, rang_at=1.0, push=True, shown_at=1.0, woken_at=1.0)


def test_a_page_that_is_open_is_said_to_be() -> None:
    assert "wss now" in replace(IN, online=True).line


@pytest.mark.parametrize(
    ("device", "wanted"),
    [
        (NEW, ["open its page;", "tap Turn on"]),
        (replace(NEW, seen_on=DAY), ["has to trust the house", "tap Turn on"]),
        (IN, ["let it ring while the page is open", "tap Turn on"]),
        (replace(IN, rang_at=1.0, push=True), ["tap Test"]),
        (replace(WOKEN, woken_at=0.0), ["let it ring while the page is closed"]),
        (WOKEN, []),
        (replace(NEW, door=True), []),
    ],
)
def test_for_each_thing_that_is_missing_there_is_what_to_do(device: Reach, wanted: list[str]) -> None:
    told = list(device.missing())
    assert [words in one for words, one in zip(wanted, told, strict=True)] == [True] * len(wanted)
