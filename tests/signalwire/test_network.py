"""Hearing of a network address, and trying at once."""

from __future__ import annotations

import asyncio
import errno
import socket

import pytest

from intercom.signalwire import SignalWire
from intercom.signalwire.network import HEADER, RTM_NEWADDR, NetworkWatch, tells_of_an_address
from tests.signalwire.service import Service


def message(kind: int, body: bytes = b"") -> bytes:
    data = HEADER.pack(HEADER.size + len(body), kind, 0, 0, 0) + body
    return data + bytes(-len(data) % 4)


def test_an_address_is_found_among_other_messages() -> None:
    assert tells_of_an_address(message(16, b"link") + message(RTM_NEWADDR))
    assert not tells_of_an_address(message(21) + b"\x01")
    assert not tells_of_an_address(HEADER.pack(0, 16, 0, 0, 0))
    assert not tells_of_an_address(b"")


async def test_what_the_kernel_tells_is_heard_once_it_settled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("intercom.signalwire.network.SETTLE_S", 0.0)
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
    monkeypatch.setattr("intercom.signalwire.network.SETTLE_S", 0.0)

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
    client._link.retry_now()
    await service.until(lambda: client.is_registered)
    assert service.connects == attempts + 1
