"""A full disk, or another process that holds the database, costs records: no ring, no sign-in and no removal."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import sqlite3
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from intercom.config import SpaceConfig
from intercom.space import Membership, Space
from intercom.space.errors import StoreError
from intercom.space.store.database import RESERVE, RESERVE_BYTES
from intercom.space.store.store import DATABASE, Store
from intercom.space.visitors import book
from intercom.space.visitors.visitors import VISITORS
from tests.space.visitors.front import front_of

from ..conftest import WAIT_S, House

DAY_S = 86_400.0


class Clock:
    """The time of day."""

    now = 1_790_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of one megabyte."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", disk], capture_output=True, text=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"a small file system cannot be mounted here: {mounted.stderr.strip()}")
    yield disk
    subprocess.run(["umount", "--lazy", disk], check=True)


def fill(disk: Path) -> None:
    """Write until nothing more fits."""
    with (disk / "recordings").open("ab", buffering=0) as file:
        for size in (4096, 1):
            with contextlib.suppress(OSError):
                while True:
                    file.write(b"x" * size)


@pytest.fixture
async def full(small_disk: Path, configure: Callable[..., SpaceConfig]) -> AsyncIterator[tuple[House, Clock, Path]]:
    """A running space whose disk became full meanwhile, and its clock."""
    clock = Clock()
    space = Space(configure(), small_disk / "state", wall=clock)
    await space.start()
    async with aiohttp.ClientSession() as http:
        house = House(space, http)
        yield house, clock, small_disk
        for client in house.clients:
            await client.close()
        await space.stop()


async def sign_in(house: House, secret: str) -> dict[str, Any]:
    async with house.http.post(
        f"{house.space.url}/api/space/token", headers={"Authorization": f"Bearer {secret}"}
    ) as answer:
        assert answer.status == 200, await answer.text()
        return dict(await answer.json())


async def test_a_device_signs_in_with_its_first_token_of_a_day(full: tuple[House, Clock, Path]) -> None:
    house, clock, disk = full
    subscriber = house.space.store.add_subscriber("kitchen", groups=("house",))
    secret = house.space.store.add_device(subscriber, "Kitchen")
    fill(disk)
    (disk / "state" / RESERVE).unlink()
    fill(disk)
    clock.now += DAY_S
    assert (await sign_in(house, secret))["token"]


async def test_a_call_rings(full: tuple[House, Clock, Path]) -> None:
    house, _, disk = full
    door, kitchen = await house.join("door"), await house.station("kitchen")
    fill(disk)
    await door.dial("/private/house")
    await kitchen.ringing()


async def test_a_visitor_rings_on_a_full_disk_and_is_listed_once_there_is_room(
    full: tuple[House, Clock, Path], caplog: pytest.LogCaptureFixture
) -> None:
    house, _, disk = full
    home = await front_of(house)
    fill(disk)
    (disk / "state" / RESERVE).unlink()
    fill(disk)
    first = await home.press("first")
    await home.page.ringing()
    await home.give_up(first)
    async with asyncio.timeout(WAIT_S):
        while "Visits are not written down" not in caplog.text:
            await asyncio.sleep(0.02)
    assert not any(record.exc_info for record in caplog.records)
    (disk / "recordings").unlink()
    await home.give_up(await home.press("second"))
    await home.told("given_up")
    assert [one["ring"] for one in (await home.list())["visitors"]] == ["door/second", "door/first"]


async def test_a_visitors_list_that_another_process_holds_delays_no_ring_and_no_sign_in(
    full: tuple[House, Clock, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(book, "BUSY_S", WAIT_S)  # it is still held when this test has looked at everything else
    house, _, disk = full
    home = await front_of(house)
    await home.give_up(await home.press("first"))
    await home.told("given_up")
    await home.page.ringing()
    with contextlib.closing(sqlite3.connect(disk / "state" / VISITORS, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        second = await home.press("second")
        await home.give_up(second)
        assert (await home.page.heard("verto.bye"))["cause"] == "ORIGINATOR_CANCEL"
        await home.page.ringing()
        assert (await sign_in(house, home.headers["Authorization"].removeprefix("Bearer ")))["token"]
        other.execute("ROLLBACK")
    await home.told("given_up")
    assert (await home.list())["total"] == 2


async def test_a_lost_phone_is_thrown_out_by_the_reserve(full: tuple[House, Clock, Path]) -> None:
    house, clock, disk = full
    secret = house.space.store.add_device(house.space.store.add_subscriber("phone"), "Phone")
    fill(disk)
    with Membership(disk / "state", wall=clock) as members:
        assert members.remove("phone").address == "/private/phone"
    house.space.store.changed_elsewhere()
    async with house.http.post(
        f"{house.space.url}/api/space/token", headers={"Authorization": f"Bearer {secret}"}
    ) as answer:
        assert answer.status == 401


async def test_a_pairing_that_cannot_be_written_is_told_and_logged_in_a_sentence(
    full: tuple[House, Clock, Path], caplog: pytest.LogCaptureFixture
) -> None:
    house, _, disk = full
    code = house.space.invite(name="Phone").code
    fill(disk)
    (disk / "state" / RESERVE).unlink()
    fill(disk)
    async with house.http.post(f"{house.space.url}/api/space/pair", json={"code": code, "name": "Phone"}) as answer:
        assert answer.status == 503
        assert "cannot write" in (await answer.json())["error"]
    assert "Make room on the disk" in caplog.text
    assert not any(record.exc_info for record in caplog.records)


def test_the_reserve_is_taken_again_when_there_is_room(tmp_path: Path) -> None:
    with contextlib.closing(Store(tmp_path / DATABASE, now=lambda: 0.0)) as store:
        (tmp_path / RESERVE).unlink()
        store.add_subscriber("door")
    assert (tmp_path / RESERVE).stat().st_size == RESERVE_BYTES


def test_a_database_without_room_for_a_reserve_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_room(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.posix_fallocate", no_room)
    with contextlib.closing(Store(tmp_path / DATABASE, now=lambda: 0.0)) as store:
        store.add_subscriber("door")
        assert store.subscriber("door") is not None
    assert not (tmp_path / RESERVE).exists()


# Another process holds the file


@pytest.fixture
def held(tmp_path: Path) -> Iterator[Store]:
    """A store whose file another process holds, for however long."""
    store = Store(tmp_path / DATABASE, now=lambda: 0.0, patience_s=0.0)
    store.add_group("house")
    store.add_subscriber("kitchen", "Kitchen", groups=("house",))
    other = sqlite3.connect(tmp_path / DATABASE, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    yield store
    other.close()
    store.close()


def test_the_switchboard_reads_while_another_process_holds_the_database(held: Store) -> None:
    kitchen = held.subscriber("kitchen")
    assert kitchen is not None
    assert held.ringing_at("/private/house") == [kitchen.id]
    assert held.display_name("/private/kitchen") == "Kitchen"
    assert not held.changed_elsewhere()


def test_a_write_while_another_process_holds_the_database_says_so(held: Store) -> None:
    with pytest.raises(StoreError, match="wait for the program that holds it"):
        held.add_subscriber("tablet")


def test_what_another_process_writes_is_read_after_the_next_look(tmp_path: Path) -> None:
    with (
        contextlib.closing(Store(tmp_path / DATABASE, now=lambda: 0.0)) as ours,
        contextlib.closing(Store(tmp_path / DATABASE, now=lambda: 0.0)) as theirs,
    ):
        theirs.add_subscriber("tablet")
        assert ours.subscriber("tablet") is None
        assert ours.changed_elsewhere()
        assert ours.subscriber("tablet") is not None
        assert not ours.changed_elsewhere()
