"""Hearing of a network address, and trying at once."""

from __future__ import annotations

import asyncio
import errno
import socket

import pytest

from intercom.signalwire import SignalWire
from intercom.signalwire.link.network_watch import (
    HEADER,
    IFF_RUNNING,
    LINK,
    RTM_DELADDR,
    RTM_DELLINK,
    RTM_NEWADDR,
    RTM_NEWLINK,
    NetworkWatch,
)
from intercom.signalwire.link.transport import _is_ours
from intercom.signalwire.options import Options
from tests.signalwire.media import ScriptedMedia
from tests.signalwire.service import MemorySocket, Service, Tokens


def message(kind: int, body: bytes = b"") -> bytes:
    data = HEADER.pack(HEADER.size + len(body), kind, 0, 0, 0) + body
    return data + bytes(-len(data) % 4)


def link(index: int, *, running: bool) -> bytes:
    return message(RTM_NEWLINK, LINK.pack(0, 1, index, IFF_RUNNING if running else 0, 0))


def tells(*data: bytes) -> bool:
    return NetworkWatch(lambda: None).tells_of_a_change(b"".join(data))


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


async def test_what_the_kernel_tells_is_heard_once_it_settled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("intercom.signalwire.link.network_watch.SETTLE_S", 0.0)
    heard = asyncio.Event()
    watch = NetworkWatch(heard.set)
    watch.start()
    assert watch._socket is not None
    ours, kernel = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    ours.setblocking(False)
    asyncio.get_running_loop().remove_reader(watch._socket)
    watch._socket.close()
    watch._socket = ours
    asyncio.get_running_loop().add_reader(ours, watch._readable)
    kernel.send(message(RTM_NEWADDR))
    async with asyncio.timeout(5):
        await heard.wait()
    watch.stop()
    kernel.close()


async def test_more_changes_than_the_kernel_could_tell_are_a_change(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("intercom.signalwire.link.network_watch.SETTLE_S", 0.0)

    class Overrun(socket.socket):
        def recv(self, *_: int) -> bytes:
            raise OSError(errno.ENOBUFS, "No buffer space available")

    heard = asyncio.Event()
    watch = NetworkWatch(heard.set)
    watch._socket = Overrun(socket.AF_UNIX, socket.SOCK_DGRAM)
    watch._readable()
    async with asyncio.timeout(5):
        await heard.wait()
    watch.stop()


async def test_a_new_address_ends_the_pause(client: SignalWire, service: Service) -> None:
    service.reachable = False
    service.cut()
    await service.until(lambda: service.connects >= 5)
    service.reachable = True
    attempts = service.connects
    client._link.network_changed()
    await service.until(lambda: client.is_registered)
    assert service.connects == attempts + 1


async def test_a_change_begins_an_attempt_anew_that_hangs(service: Service) -> None:
    hanging = asyncio.Event()
    opened = service.open

    async def open_or_hang(url: str, certificate: str | None) -> MemorySocket:
        if not hanging.is_set():
            hanging.set()
            await asyncio.Event().wait()
        return await opened(url, certificate)

    options = Options(connector=open_or_hang, request_json=service.http, random=lambda: 0.0)
    async with SignalWire(Tokens(), media=ScriptedMedia(), options=options) as client:
        registering = asyncio.create_task(client.register())
        async with asyncio.timeout(5):
            await hanging.wait()
            client._network_changed()
            await registering
    assert service.connects == 1


async def test_a_socket_that_does_not_answer_after_a_change_is_left(
    client: SignalWire, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def is_alive(self: MemorySocket, timeout_s: float) -> bool:
        return self is not service.sockets[0]

    monkeypatch.setattr(MemorySocket, "is_alive", is_alive, raising=False)
    client._network_changed()
    await service.until(lambda: service.connects == 2 and client.is_registered)
    client._network_changed()
    await service.until(lambda: client._link._probe is not None and client._link._probe.done())
    assert service.connects == 2


async def test_an_address_of_ours_is_told_from_one_that_is_gone() -> None:
    assert _is_ours(("127.0.0.1", 1))
    assert not _is_ours(("192.0.2.77", 1))


async def test_a_socket_that_is_closed_already_is_not_ours() -> None:
    assert not _is_ours(None)


async def test_a_machine_without_descriptors_left_does_not_think_that_its_address_is_gone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr(socket, "socket", refuse)
    assert _is_ours(("127.0.0.1", 1))
