"""What a socket may do: authenticate, resume, break, misbehave."""

from __future__ import annotations

import asyncio
import contextlib
import json
import select
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
from aiohttp import WSCloseCode

from intercom.config import SpaceConfig
from intercom.space import Space, space
from intercom.space.http import sockets, waiting
from intercom.space.http.sockets import GUEST_FRAME_LIMIT_BYTES
from intercom.space.switch import message_fields
from intercom.space.switch.exchange import BURST, EXCESS_LIMIT
from tests.ports import reserved_port
from tests.space.conftest import ANSWER, WAIT_S, House


async def test_the_connect_result_is_what_the_protocol_says(house: House) -> None:
    door = await house.join("door")
    result = door.connect_result
    assert result["authorization"]["fabric_subscriber"]["project_id"] == house.space.tokens.project_id
    assert result["identity"].startswith("door@")
    assert result["ice_servers"] == []
    assert door.state


async def test_nothing_works_before_authentication(house: House) -> None:
    client = await house.open()
    for method in ("subscriber.online", "webrtc.verto", "signalwire.reauthenticate"):
        assert (await client.rpc(method))["error"]["code"] == -32002


async def test_three_wrong_tokens_close_the_socket(house: House) -> None:
    client = await house.open()
    for _ in range(3):
        assert (await client.connect("nonsense"))["error"]["code"] == -32002
    await asyncio.wait_for(client.reader, WAIT_S)
    assert client.socket.close_code == 1008


async def test_a_frame_nested_without_end_gets_an_error_and_the_socket_lives(house: House) -> None:
    """Too deep or not JSON: which of the two the parser meets first depends on Python's version."""
    door = await house.join("door")
    for frame in ("[" * 5000, '{"jsonrpc": "2.0", "id": "1", "result": ' + "[" * 5000):
        await door.socket.send_str(frame)
        refused = await asyncio.wait_for(door.other.get(), WAIT_S)
        assert refused["error"]["code"] in (-32600, -32700)
    assert "result" in await door.rpc("signalwire.ping")


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        ("this is no JSON", -32700),
        ('{"jsonrpc": "1.0", "id": "1", "method": "x"}', -32600),
        ("[]", -32600),
        ('{"jsonrpc": "2.0", "method": "x"}', -32600),
    ],
)
async def test_a_malformed_frame_gets_an_error_and_the_socket_lives(house: House, frame: str, code: int) -> None:
    door = await house.join("door")
    await door.socket.send_str(frame)
    refused = await asyncio.wait_for(door.other.get(), WAIT_S)
    assert (refused["id"], refused["error"]["code"]) == (None, code)
    assert "result" in await door.rpc("signalwire.ping")


async def test_an_unknown_method_is_refused_by_name(house: House) -> None:
    door = await house.join("door")
    refused = await door.rpc("call.teleport")
    assert refused["error"]["code"] == -32601
    assert "call.teleport" in refused["error"]["message"]


async def test_a_frame_that_is_too_large_ends_the_socket(house: House) -> None:
    door = await house.join("door")
    await door.socket.send_str(json.dumps({"jsonrpc": "2.0", "id": "1", "method": "x" * 200_000}))
    await asyncio.wait_for(door.reader, WAIT_S)
    assert door.socket.close_code == 1009


async def test_a_frame_that_signs_nobody_in_may_not_be_large(house: House) -> None:
    stranger = await house.open()
    await stranger.socket.send_str(json.dumps({"jsonrpc": "2.0", "id": "1", "method": "x" * GUEST_FRAME_LIMIT_BYTES}))
    await asyncio.wait_for(stranger.reader, WAIT_S)
    assert stranger.socket.close_code == WSCloseCode.ABNORMAL_CLOSURE


async def test_a_flood_of_frames_is_cut_off_and_nobody_else_notices(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    door, kitchen = await house.join("door"), await house.join("kitchen")
    now = time.monotonic()
    monkeypatch.setattr(house.space.sockets, "_now", lambda: now)  # in seconds that pass, more frames are allowed
    for _ in range(int(BURST) + EXCESS_LIMIT + 200):
        if door.socket.closed:
            break
        await door.socket.send_str('{"jsonrpc":"2.0","id":"1","result":{}}')
    await asyncio.wait_for(door.reader, WAIT_S)
    assert door.socket.close_code == 1008
    assert "result" in await kitchen.rpc("signalwire.ping")


async def test_a_session_is_resumed_with_its_state_even_after_its_token_expired(house: House) -> None:
    subscriber = house.space.store.add_subscriber("door")
    door = await house.join("door")
    expired, _ = house.space.tokens.issue(subscriber, lifetime_s=-1)
    await door.close()
    again = await house.open()
    response = await again.connect(expired, protocol=door.protocol, authorization_state=door.state)
    assert response["result"]["protocol"] == door.protocol


async def test_a_resume_with_another_sessions_state_is_refused(house: House) -> None:
    door, kitchen = await house.join("door"), await house.join("kitchen")
    again = await house.open()
    response = await again.connect(door.token, protocol=kitchen.protocol, authorization_state=kitchen.state)
    assert response["error"]["code"] == -32003
    fresh = await again.connect(door.token)
    assert fresh["result"]["protocol"] not in {door.protocol, kitchen.protocol}


async def test_a_call_survives_the_loss_and_return_of_a_socket(house: House) -> None:
    door, kitchen = await house.join("door"), await house.join("kitchen")
    mine = await door.dial("/private/kitchen")
    theirs = await kitchen.ringing()
    await kitchen.verto("verto.answer", theirs, sdp=ANSWER)
    await door.heard("verto.answer")

    await door.close()
    await kitchen.verto("verto.info", theirs, dtmf="9")
    again = await house.open()
    await again.connect(door.token, protocol=door.protocol, authorization_state=door.state)
    assert await again.heard("verto.info") == {"callID": mine, "dtmf": "9"}
    attach = await again.heard("verto.attach")
    assert (attach["callID"], attach["display_direction"]) == (mine, "outbound")
    await again.verto("verto.bye", mine)
    assert (await kitchen.heard("verto.bye"))["callID"] == theirs


async def test_an_answer_is_at_its_caller_before_the_house_hears_of_it(house: House) -> None:
    house.space.store.add_subscriber("door", kind="door")
    door, kitchen = await house.join("door"), await house.join("kitchen")
    await door.dial("/private/kitchen")
    theirs = await kitchen.ringing()
    has_come: list[bool] = []
    to_door = door.socket.get_extra_info("socket")
    house.space.rings.subscribe(lambda _ring: has_come.append(bool(select.select([to_door], [], [], 0)[0])))
    await kitchen.verto("verto.answer", theirs, sdp=ANSWER)
    assert has_come == [True]


async def test_a_page_that_was_reloaded_takes_its_call_back(house: House) -> None:
    door, kitchen = await house.join("door"), await house.join("kitchen")
    mine = await door.dial("/private/kitchen")
    theirs = await kitchen.ringing()
    await kitchen.verto("verto.answer", theirs, sdp=ANSWER)
    await door.heard("verto.answer")

    await kitchen.close()
    again = await house.open()
    await again.connect(kitchen.token)
    await again.dial("/private/door", theirs, reattaching=True, attach=True)
    offer = await door.heard("verto.modify")
    assert (offer["callID"], offer["action"]) == (mine, "updateMedia")
    await door.verto("verto.answer", mine, sdp=ANSWER)
    assert await again.heard("verto.answer") == {"callID": theirs, "sdp": ANSWER}


async def test_a_registration_ends_with_its_socket(house: House) -> None:
    door, kitchen = await house.join("door"), await house.join("kitchen")
    await kitchen.close()
    await door.rpc("signalwire.ping")
    await door.dial("/private/kitchen")
    assert (await door.heard("verto.bye"))["cause"] == "USER_NOT_REGISTERED"


async def test_a_session_takes_a_new_token_of_its_own_subscriber_only(house: House) -> None:
    door = await house.join("door")
    own = await door.rpc("signalwire.reauthenticate", {"authentication": {"jwt_token": house.token("door")}})
    assert "result" in own
    other = await door.rpc("signalwire.reauthenticate", {"authentication": {"jwt_token": house.token("hall")}})
    assert other["error"]["code"] == -32002


async def test_stopping_closes_every_socket_and_waits_for_no_client(house: House) -> None:
    door = await house.join("door")
    await asyncio.wait_for(house.space.stop(), WAIT_S)
    await asyncio.wait_for(door.reader, WAIT_S)
    assert door.socket.closed


async def test_a_space_whose_parts_are_slow_to_stop_gives_its_port_back_all_the_same(
    configure: Callable[..., SpaceConfig], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with reserved_port() as port:
        slow, next_one = (Space(configure(listen=f"127.0.0.1:{port}"), tmp_path / name) for name in ("slow", "next"))
        await slow.start()
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        with monkeypatch.context() as patience:
            patience.setattr(space, "STOP_LIMIT_S", 0.0)
            await slow.stop()
        with contextlib.suppress(ConnectionResetError):
            assert await asyncio.wait_for(reader.read(), WAIT_S) == b""
        writer.close()
        await next_one.start()
        await next_one.stop()


async def test_a_socket_that_no_longer_answers_is_given_up(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    door = await house.join("door")
    monkeypatch.setattr(sockets, "HEARTBEAT_S", 1.0)
    kitchen = await house.join("kitchen")
    kitchen.falls_silent()
    async with asyncio.timeout(WAIT_S):
        while house.space.exchange.online() != ["door"]:
            await asyncio.sleep(0.05)
    await door.dial("/private/kitchen")
    assert (await door.heard("verto.bye"))["cause"] == "USER_NOT_REGISTERED"
    assert kitchen.socket is not None


@pytest.mark.parametrize(("end", "closed"), [("closes", True), ("is killed", True), ("is cut off", False)])
async def test_a_client_that_goes_is_told_from_one_that_is_cut_off(
    house: House, monkeypatch: pytest.MonkeyPatch, end: str, closed: bool
) -> None:
    if end == "is cut off":
        monkeypatch.setattr(sockets, "HEARTBEAT_S", 1.0)
    client = await house.join("kitchen")
    session = house.space.exchange._sessions[client.protocol]
    if end == "is cut off":
        client.falls_silent()
    elif end == "closes":
        await client.close()
    elif end == "is killed":
        connection = client.socket._response.connection
        assert connection is not None
        assert connection.transport is not None
        connection.transport.abort()
    async with asyncio.timeout(WAIT_S):
        while session.link is not None:
            await asyncio.sleep(0.01)
    assert session.closed is closed


@pytest.mark.parametrize(
    ("where", "limit", "value"), [(sockets, "QUEUE_LIMIT_FRAMES", 8), (waiting, "SOCKET_LIMIT_BYTES", 200_000)]
)
async def test_a_client_that_does_not_read_is_cut_off(
    house: House, monkeypatch: pytest.MonkeyPatch, where: ModuleType, limit: str, value: int
) -> None:
    monkeypatch.setattr(where, limit, value)
    monkeypatch.setattr(message_fields, "INFO_LIMIT_BYTES", 100_000)
    door, kitchen = await house.join("door"), await house.join("kitchen", reading=False)
    await door.dial("/private/kitchen")
    (call,) = house.space.exchange.control.calls
    padding = {"intercom": {"padding": "x" * 60_000}}
    async with asyncio.timeout(WAIT_S):
        while call.ringing and next(iter(call.ringing)).session.link is not None:
            await door.verto("verto.info", call.caller.call_id, **padding)
    assert "result" in await door.rpc("signalwire.ping")
    del kitchen
