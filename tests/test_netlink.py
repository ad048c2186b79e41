"""What the kernel tells of this machine's network, and where it tells nobody."""

from __future__ import annotations

import asyncio
import errno
import socket
import sys
from collections.abc import AsyncIterator, Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intercom.netlink import (
    HEADER,
    IFF_RUNNING,
    LINK,
    RTM_DELADDR,
    RTM_DELLINK,
    RTM_NEWADDR,
    RTM_NEWLINK,
    NetworkWatch,
    open_netlink,
)

LIMIT_S = 60.0


def message(kind: int, body: bytes = b"") -> bytes:
    data = HEADER.pack(HEADER.size + len(body), kind, 0, 0, 0) + body
    return data + bytes(-len(data) % 4)


def link(index: int, *, running: bool) -> bytes:
    return message(RTM_NEWLINK, LINK.pack(0, 1, index, IFF_RUNNING if running else 0, 0))


def tells(*data: bytes) -> bool:
    return NetworkWatch(lambda: None).tells_of_a_change(b"".join(data))


def refused() -> socket.socket:
    raise PermissionError("not in here")


class Overrun(socket.socket):
    """A socket for which the kernel had no room."""

    def recv(self, *_: int) -> bytes:
        raise OSError(errno.ENOBUFS, "No buffer space available")


async def heard(event: asyncio.Event) -> None:
    async with asyncio.timeout(LIMIT_S):
        await event.wait()
    event.clear()


@pytest.fixture
async def change() -> asyncio.Event:
    return asyncio.Event()


@pytest.fixture
async def kernel(change: asyncio.Event) -> AsyncIterator[Callable[[bytes], int]]:
    """Says something on the socket that a watch listens to."""
    ours, kernels = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    ours.setblocking(False)
    watch = NetworkWatch(change.set, settle_s=0.0, opener=lambda: ours)
    watch.start()
    yield kernels.send
    watch.stop()
    kernels.close()


def test_an_address_is_found_among_other_messages() -> None:
    assert tells(message(99, b"odd"), message(RTM_NEWADDR))
    assert tells(message(RTM_DELADDR))
    assert not tells(message(99, b"odd"))
    assert not tells(HEADER.pack(0, RTM_NEWADDR, 0, 0, 0))
    assert not tells()
    assert not tells(message(RTM_NEWLINK, b"short"))


def test_a_link_is_news_when_its_carrier_comes_or_goes() -> None:
    watch = NetworkWatch(lambda: None)
    assert watch.tells_of_a_change(link(2, running=True))
    assert not watch.tells_of_a_change(link(2, running=True))
    assert watch.tells_of_a_change(link(2, running=False) + link(3, running=True))
    assert not watch.tells_of_a_change(link(3, running=True))
    assert watch.tells_of_a_change(message(RTM_DELLINK, LINK.pack(0, 1, 3, IFF_RUNNING, 0)))


def test_links_that_came_and_went_are_forgotten() -> None:
    watch = NetworkWatch(lambda: None)

    def containers(first: int) -> int:
        for index in range(first, first + 2000):
            assert watch.tells_of_a_change(link(index, running=True))
            assert watch.tells_of_a_change(message(RTM_DELLINK, LINK.pack(0, 1, index, 0, 0)))
        return sys.getallocatedblocks()

    before = containers(1000)
    assert containers(3000) < before + 200, "a number each, where they are remembered"


def test_a_link_without_a_carrier_is_no_news_when_it_goes() -> None:
    watch = NetworkWatch(lambda: None)
    watch.tells_of_a_change(link(2, running=False))
    assert not watch.tells_of_a_change(message(RTM_DELLINK, LINK.pack(0, 1, 2, 0, 0)))


@given(st.binary())
def test_any_bytes_tell_of_a_change_or_not(data: bytes) -> None:
    assert tells(data) in {True, False}


async def test_what_the_kernel_tells_is_heard_once_it_settled(
    change: asyncio.Event, kernel: Callable[[bytes], int]
) -> None:
    kernel(message(RTM_NEWADDR))
    await heard(change)


async def test_what_is_no_change_is_passed_over(change: asyncio.Event, kernel: Callable[[bytes], int]) -> None:
    kernel(message(99, b"odd"))
    kernel(b"")
    for _ in range(5):
        await asyncio.sleep(0)
    assert not change.is_set()


async def test_more_changes_than_the_kernel_could_tell_are_a_change(change: asyncio.Event) -> None:
    ours, kernels = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    overrun = Overrun(ours.family, ours.type, fileno=ours.detach())
    overrun.setblocking(False)
    watch = NetworkWatch(change.set, settle_s=0.0, opener=lambda: overrun)
    watch.start()
    kernels.send(b"readable")
    await heard(change)
    watch.stop()
    kernels.close()


async def test_without_a_kernel_that_tells_it_calls_again_and_again(change: asyncio.Event) -> None:
    watch = NetworkWatch(change.set, poll_s=0.0, opener=refused)
    watch.start()
    await heard(change)
    await heard(change)
    watch.stop()


async def test_without_a_kernel_that_tells_it_is_silent_where_nobody_wants_to_be_called_for_nothing(
    change: asyncio.Event,
) -> None:
    watch = NetworkWatch(change.set, opener=refused)
    watch.start()
    for _ in range(5):
        await asyncio.sleep(0)
    watch.stop()
    assert not change.is_set()


def test_a_system_without_netlink_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(socket, "AF_NETLINK")
    with pytest.raises(OSError, match="no netlink"):
        open_netlink(0, 0)


async def test_a_watch_that_never_began_may_be_stopped() -> None:
    NetworkWatch(lambda: None).stop()
