"""The connection never needs a hand: refusals, cuts, resumes, lost registrations."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest

from intercom.signalwire import (
    AuthenticationError,
    InvalidCredentialsError,
    MemoryStorage,
    RpcError,
    SignalWire,
    TransportError,
)
from intercom.signalwire.account.access_token import Credential
from intercom.signalwire.link.link import Link
from intercom.signalwire.link.reconnect import LinkState
from intercom.signalwire.wire import messages as m
from tests.signalwire.media import ScriptedMedia
from tests.signalwire.service import PROTOCOL, WAIT_S, Service, Tokens


async def test_connecting_says_who_we_are(client: SignalWire, service: Service) -> None:
    connect = service.requests[0]
    assert connect.method == "signalwire.connect"
    assert connect.params["authentication"] == {"jwt_token": "token"}
    assert connect.params["version"] == {"major": 4, "minor": 0, "revision": 0}
    assert connect.params["event_acks"] is True
    assert connect.params["agent"].startswith("intercom/")
    assert [connect.params[name] for name in ("contexts", "topics", "eventing")] == [[], [], []]
    assert "authorization_state" not in connect.params
    assert client.is_connected
    assert client.is_registered


async def test_registering_reauthenticates_and_tries_once_more(service: Service, media: ScriptedMedia) -> None:
    service.refusals["subscriber.online"] = [-32000]
    tokens = Tokens("first", "second")
    async with SignalWire(tokens, media=media, options=service.options()) as client:
        await client.register()
        methods = [request.method for request in service.requests]
        assert methods == ["signalwire.connect", "subscriber.online", "signalwire.reauthenticate", "subscriber.online"]
        assert service.requests[2].params["authentication"] == {"jwt_token": "second", "project": "project"}
        assert client.is_registered


async def test_registration_that_fails_twice_raises_and_names_the_second_failure(
    service: Service, media: ScriptedMedia
) -> None:
    service.refusals["subscriber.online"] = [-32000, -32001]
    async with SignalWire(Tokens(), media=media, options=service.options()) as client:
        with pytest.raises(InvalidCredentialsError) as failed:
            await client.register()
        assert isinstance(failed.value.__cause__, RpcError)
        assert failed.value.__cause__.code == -32001
        assert not client.is_registered
        assert client.is_connected


async def test_a_refused_credential_is_raised_to_whoever_connects(service: Service, media: ScriptedMedia) -> None:
    service.refusals["signalwire.connect"] = [-32002]
    async with SignalWire(Tokens(), media=media, options=service.options()) as client:
        with pytest.raises(AuthenticationError):
            await client.connect()
        assert not client.is_connected
        await client.connect()
        assert client.is_connected


@pytest.mark.parametrize("code", [-32603, -32000, 500])
async def test_trouble_in_the_service_at_the_first_connect_passes(
    service: Service, media: ScriptedMedia, caplog: pytest.LogCaptureFixture, code: int
) -> None:
    service.refusals["signalwire.connect"] = [code, code]
    tokens = Tokens()
    async with SignalWire(tokens, media=media, options=service.options()) as client:
        await client.register()
        assert client.is_registered
    assert tokens.asked == 1
    assert f"refused ({code})" in caplog.text


async def test_a_credential_that_takes_its_time_is_waited_for(
    service: Service, media: ScriptedMedia, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("intercom.signalwire.link.link.ATTEMPT_TIMEOUT_S", 0.02)

    class Slow(Tokens):
        async def authenticate(self, fingerprint: str | None = None) -> Credential:
            await asyncio.sleep(0.1)
            return await super().authenticate(fingerprint)

    async with SignalWire(Slow(), media=media, options=service.options()) as client:
        async with asyncio.timeout(WAIT_S):
            await client.connect()
        assert client.is_connected


async def test_who_is_registered_is_not_registered_twice(client: SignalWire, service: Service) -> None:
    await asyncio.gather(client.register(), client.register())
    assert service.count("subscriber.online") == 1
    await client.unregister()
    await asyncio.gather(client.register(), client.register())
    assert service.count("subscriber.online") == 2
    assert client.is_registered


async def test_a_lost_connection_comes_back_registered(client: SignalWire, service: Service) -> None:
    registered: list[bool] = []
    client.is_registered_stream.subscribe(registered.append)
    service.cut()
    await service.asked("subscriber.online", 2)
    await service.until(lambda: client.is_registered)
    assert registered == [True, False, True]


async def test_a_lost_connection_is_resumed(client: SignalWire, service: Service) -> None:
    service.tell("signalwire.authorization.state", {"authorization_state": "sealed"}, event_channel="")
    await service.until(lambda: len(service.responses) == 1)
    service.cut()
    connect = await service.asked("signalwire.connect", 2)
    assert connect.params["authorization_state"] == "sealed"
    assert connect.params["protocol"] == f"{PROTOCOL}_1"
    assert connect.params["authentication"] == {"jwt_token": "token"}


async def test_a_refused_resume_starts_afresh_and_tells_nobody(client: SignalWire, service: Service) -> None:
    faults: list[Any] = []
    client.errors_stream.subscribe(faults.append)
    service.tell("signalwire.authorization.state", {"authorization_state": "stale"}, event_channel="")
    await service.until(lambda: len(service.responses) == 1)
    service.refusals["signalwire.connect"] = [-32003]
    service.cut()
    fresh = await service.asked("signalwire.connect", 3)
    assert "authorization_state" not in fresh.params
    await service.until(lambda: client.is_registered)
    assert faults == []


async def test_a_token_that_ran_out_is_replaced_on_the_next_connection(service: Service, media: ScriptedMedia) -> None:
    async with SignalWire(Tokens("old", "new"), media=media, options=service.options()) as client:
        await client.register()
        service.refusals["signalwire.connect"] = [-32002]
        service.cut()
        connect = await service.asked("signalwire.connect", 3)
        assert connect.params["authentication"] == {"jwt_token": "new"}
        await service.until(lambda: client.is_registered)


async def test_the_next_process_resumes_the_session(service: Service, media: ScriptedMedia) -> None:
    storage = MemoryStorage()
    async with SignalWire(Tokens(), media=media, storage=storage, options=service.options()) as client:
        await client.register()
        service.tell("signalwire.authorization.state", {"authorization_state": "sealed"}, event_channel="")
        await service.until(lambda: len(service.responses) == 1)
    async with SignalWire(Tokens(), media=media, storage=storage, options=service.options()) as client:
        await client.connect()
        assert (await service.asked("signalwire.connect", 2)).params["authorization_state"] == "sealed"
        await client.disconnect()
        await client.connect()
        assert "authorization_state" not in (await service.asked("signalwire.connect", 3)).params


async def test_registration_is_tried_again_until_the_service_takes_it(client: SignalWire, service: Service) -> None:
    service.refusals["subscriber.online"] = [-32000, -32000]
    service.cut()
    await service.asked("subscriber.online", 4)
    await service.until(lambda: client.is_registered)


async def test_unregistering_keeps_the_connection(client: SignalWire, service: Service) -> None:
    await client.unregister()
    assert service.requests[-1].method == "subscriber.offline"
    assert (client.is_registered, client.is_connected) == (False, True)
    service.cut()
    await service.asked("signalwire.connect", 2)
    await service.until(lambda: client.ready)
    assert service.count("subscriber.online") == 1


async def test_a_client_counts_as_connected_until_it_disconnects_but_is_ready_only_while_it_can_call(
    client: SignalWire, service: Service
) -> None:
    seen: list[tuple[str, bool]] = []
    client.is_connected_stream.subscribe(lambda connected: seen.append(("connected", connected)))
    client.ready_stream.subscribe(lambda ready: seen.append(("ready", ready)))
    service.cut()
    await service.asked("signalwire.connect", 2)
    await service.until(lambda: client.ready)
    await client.disconnect()
    assert seen[:4] == [("connected", True), ("ready", True), ("ready", False), ("ready", True)]
    assert sorted(seen[4:]) == [("connected", False), ("ready", False)]
    assert not client.is_connected


async def test_requests_made_while_down_leave_in_order_and_once(client: SignalWire, service: Service) -> None:
    service.reachable = False
    service.cut()
    await service.until(lambda: not client.ready)
    asked = [asyncio.ensure_future(client.session.execute(f"test.{number}", {})) for number in range(3)]
    await asyncio.sleep(0)
    service.reachable = True
    await asyncio.gather(*asked)
    tests = [request.method for request in service.requests if request.method.startswith("test.")]
    assert tests == ["test.0", "test.1", "test.2"]


async def test_a_request_whose_answer_was_lost_fails_and_is_not_repeated(client: SignalWire, service: Service) -> None:
    service.silent.add("test.once")
    asked = asyncio.ensure_future(client.session.execute("test.once", {}))
    await service.asked("test.once")
    service.cut()
    with pytest.raises(TransportError):
        await asked
    await service.until(lambda: client.ready)
    assert service.count("test.once") == 1


async def test_a_service_that_asks_us_to_leave_is_left_and_found_again(client: SignalWire, service: Service) -> None:
    service.say(m.encode(m.request("signalwire.disconnect", {}, id="d")))
    await service.asked("signalwire.connect", 2)
    assert service.responses[-1] == m.Response("d", {})
    await service.until(lambda: client.is_registered)


async def test_a_service_that_drops_us_at_once_is_not_hammered(service: Service, media: ScriptedMedia) -> None:
    async with SignalWire(Tokens(), media=media, options=service.options()) as client:
        client.ready_stream.subscribe(lambda ready: service.cut() if ready else None)
        connecting = asyncio.ensure_future(client.connect())
        await service.asked("signalwire.connect", 4)
        waits = client._client.link._policy.failures
        assert waits >= 3
        connecting.cancel()


async def test_rubbish_on_the_wire_is_reported_and_survived(client: SignalWire, service: Service) -> None:
    warnings: list[str] = []
    client.warnings_stream.subscribe(warnings.append)
    for rubbish in ("", "{", "[]", '{"jsonrpc":"2.0","id":"x","result":{}}', "x" * 300_000):
        service.say(rubbish)
    service.tell("webrtc.message", {"method": 5})
    service.verto("verto.invite", "call-9")
    service.say(m.encode(m.request("signalwire.ping", {"timestamp": 12.5}, id="p")))
    await service.until(lambda: any(response.id == "p" for response in service.responses))
    assert service.responses[-1].result == {"timestamp": 12.5}
    assert len(warnings) == 7
    assert client.is_connected


async def test_every_event_is_acknowledged_and_happens_once(client: SignalWire, service: Service) -> None:
    seen: list[str] = []
    client.session.signaling_event_stream.subscribe(lambda event: seen.append(event.event_type))
    first = service.tell("member.talking", {"member": {}})
    service.tell("member.talking", {"member": {}}, event_id=first)
    service.tell("room.updated", {}, event_channel="signalwire_of_somebody_else")
    service.tell("conversation.message", {}, event_channel="elsewhere")
    await service.until(lambda: len(service.responses) == 4)
    assert all(response.result == {} for response in service.responses)
    assert seen == ["member.talking", "conversation.message"]


async def test_what_one_event_began_goes_on_before_the_next_that_came_with_it(
    client: SignalWire, service: Service
) -> None:
    order: list[str] = []
    begun: list[asyncio.Task[None]] = []

    async def begin(name: str) -> None:
        order.append(f"{name} begun")

    def told(event_type: str) -> None:
        order.append(event_type)
        begun.append(asyncio.create_task(begin(event_type)))

    client.session.signaling_event_stream.subscribe(lambda event: told(event.event_type))
    service.tell("member.talking", {"member": {}})
    service.tell("conversation.message", {}, event_channel="elsewhere")
    await service.until(lambda: len(service.responses) == 2)
    assert order[:3] == ["member.talking", "member.talking begun", "conversation.message"]


async def test_the_log_says_once_that_it_is_down_and_when_it_is_back(
    client: SignalWire, service: Service, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "intercom.signalwire")
    await asyncio.sleep(0.25)
    service.reachable = False
    service.cut()
    await service.until(lambda: service.connects >= 4)
    service.reachable = True
    await service.until(lambda: client.is_registered)
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]
    assert "Connected again after" in caplog.records[-1].message
    assert "token" not in caplog.text.replace("token ", "")


async def test_nothing_is_overdue_while_connected_nor_while_offline_and_trying(
    client: SignalWire, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = asyncio.get_running_loop().time()
    monkeypatch.setattr(Link, "_now", staticmethod(lambda: now))
    assert client.overdue_s == 0.0
    service.reachable = False
    service.cut()
    await service.until(lambda: not client.ready)
    assert client.overdue_s == 0.0


async def test_an_attempt_that_does_not_come_is_overdue(
    client: SignalWire, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    service.reachable = False
    service.cut()
    await service.until(lambda: client._client.link.state is LinkState.WAITING)
    later = asyncio.get_running_loop().time() + 60.0
    monkeypatch.setattr(Link, "_now", staticmethod(lambda: later))
    assert 55.0 < client.overdue_s < 90.0


async def test_a_slow_credential_is_waited_for_but_not_for_ever(
    client: SignalWire, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = asyncio.get_running_loop().time()
    client._client.link._policy.retry_now(now)
    monkeypatch.setattr(Link, "_now", staticmethod(lambda: now + 200.0))
    assert client.overdue_s == 0.0
    monkeypatch.setattr(Link, "_now", staticmethod(lambda: now + 400.0))
    assert client.overdue_s == pytest.approx(90.0, abs=1.0)


async def test_what_a_slow_credential_took_is_not_held_against_the_session_that_begins(client: SignalWire) -> None:
    client._client.link._policy.retry_now(asyncio.get_running_loop().time() - 200.0)
    client._client.link._policy.socket_opened()
    assert client.overdue_s == 0.0
