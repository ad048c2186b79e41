"""Hearing of a network address, and trying at once."""

from __future__ import annotations

import asyncio
import errno
import socket

import pytest

from intercom.signalwire import SignalWire
from intercom.signalwire.link.transport import _is_ours
from intercom.signalwire.options import Options
from tests.signalwire.media import ScriptedMedia
from tests.signalwire.service import WAIT_S, MemorySocket, Service, Tokens


async def test_a_new_address_ends_the_pause(client: SignalWire, service: Service) -> None:
    service.reachable = False
    service.cut()
    await service.until(lambda: service.connects >= 5)
    service.reachable = True
    attempts = service.connects
    client._client.link.network_changed()
    await service.until(lambda: client.is_registered)
    assert service.connects == attempts + 1


async def test_a_change_begins_an_attempt_anew_that_hangs(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("link", "reconnect"):
        monkeypatch.setattr(f"intercom.signalwire.link.{module}.ATTEMPT_TIMEOUT_S", 10 * WAIT_S)
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
        async with asyncio.timeout(WAIT_S):
            await hanging.wait()
            client._client.network_changed()
            await registering
    assert service.connects == 1


async def test_a_socket_that_does_not_answer_after_a_change_is_left(service: Service) -> None:
    class Probed(MemorySocket):
        async def is_alive(self, timeout_s: float) -> bool:
            return self is not service.sockets[0]

    service.kind_of_socket = Probed
    async with SignalWire(Tokens(), media=ScriptedMedia(), options=service.options()) as client:
        await client.register()
        client._client.network_changed()
        await service.until(lambda: service.connects == 2 and client.is_registered)
        client._client.network_changed()
        await service.until(lambda: client._client.link._probe is not None and client._client.link._probe.done())
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
