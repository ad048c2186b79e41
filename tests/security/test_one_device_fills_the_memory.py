"""One device's secret: sessions that acknowledge nothing, and calls with the largest offers that are taken."""

from __future__ import annotations

import asyncio
import json
from contextlib import AsyncExitStack
from pathlib import Path

import aiohttp
from hypothesis import given
from hypothesis import strategies as st

from intercom.space.http.waiting import SOCKET_LIMIT_BYTES, Waiting
from intercom.space.switch.call_control import CALLS_PER_SUBSCRIBER_LIMIT
from intercom.space.switch.calls.calls import RINGING_LIMIT
from intercom.space.switch.message_fields import VARIABLES_LIMIT_BYTES
from intercom.space.switch.sessions.undelivered import (
    COUNT_LIMIT,
    MEMBER_LIMIT_BYTES,
    SESSION_LIMIT_BYTES,
    KeptBytes,
    KeptFrames,
)
from tests.space.conftest import Client
from tests.space.switchboard import SDP, Switchboard

from .house import AttackedHouse, attacked_house

LARGE = SDP + "a=x:" + "x" * 65_000 + "\r\n"
MEMBERS, PAGES, ROUNDS = 8, 15, 5
"""Pairings of one device, pages of each, and calls of each: 120 sessions, and 40 calls to all of them."""
MORE_MB_MOST = 100
"""The unit's `MemoryMax` is 300M, of which the space takes a fifth at rest, and half with two thousand members."""


def call_house(board: Switchboard, caller: str, number: int, **dialog: object) -> dict[str, object]:
    dialog = {"destination_number": "/private/house", **dialog}
    answer = board.verto(caller, "verto.invite", f"call-{number}", sdp=LARGE, dialog=dialog)
    assert answer is not None
    return answer


def test_what_is_kept_for_sessions_that_acknowledge_nothing_is_bounded_in_bytes() -> None:
    board = Switchboard("thief", "silent")
    board.acknowledges = False
    for number in range(CALLS_PER_SUBSCRIBER_LIMIT):
        call_house(board, "thief", number)
    kept = board.exchange.kept_bytes("silent")
    assert 0 < kept <= MEMBER_LIMIT_BYTES


def test_a_subscriber_makes_only_so_many_calls_from_however_many_pages() -> None:
    board = Switchboard("thief", "anna", "ben", "carl")
    board.connect("second page", "thief")
    for number in range(CALLS_PER_SUBSCRIBER_LIMIT):
        callee = ("anna", "ben", "carl")[number % 3]
        page = "thief" if number % 2 else "second page"
        assert "result" in call_house(board, page, number, destination_number=f"/private/{callee}")
    refused = call_house(board, "second page", 99)
    assert "too many calls" in json.dumps(refused)


def test_what_a_caller_sends_along_is_small() -> None:
    board = Switchboard("thief", "anna")
    refused = call_house(board, "thief", 1, userVariables={"x": "x" * VARIABLES_LIMIT_BYTES})
    assert "userVariables may have" in json.dumps(refused)


def test_what_was_kept_is_given_back_when_the_session_ends() -> None:
    board = Switchboard("thief", "silent")
    board.acknowledges = False
    call_house(board, "thief", 1)
    board.exchange.disconnected("silent", board.now)
    board.wait(120)
    assert board.exchange.kept_bytes("silent") == 0


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 300_000), st.booleans()), max_size=60))
def test_kept_frames_never_pass_their_limits_and_count_what_they_hold(
    steps: list[tuple[int, int, bool]],
) -> None:
    member = KeptBytes()
    sessions = [KeptFrames(member) for _ in range(6)]
    for number, (which, size, forgets) in enumerate(steps):
        sessions[which].keep(str(number), "x" * size)
        if forgets:
            sessions[which].forget(str(number))
        held = [[len(text) for text in session.texts()] for session in sessions]
        assert all(len(sizes) <= COUNT_LIMIT and sum(sizes) <= SESSION_LIMIT_BYTES for sizes in held)
        assert sum(map(sum, held)) == member.used <= MEMBER_LIMIT_BYTES


def test_the_newest_frame_is_kept_before_older_ones() -> None:
    kept = KeptFrames()
    for number in range(COUNT_LIMIT + 1):
        kept.keep(str(number), "text")
    assert next(iter(kept)) == "1"
    assert [*kept][-1] == str(COUNT_LIMIT)


def memory_mb(house: AttackedHouse) -> int:
    """What the space's process holds in memory."""
    status = Path(f"/proc/{house.pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) // 1024


async def sign_in(house: AttackedHouse, http: aiohttp.ClientSession, code: str) -> tuple[str, str]:
    """Pair a device; return its secret and a token of its."""
    async with http.post(f"{house.url}/api/space/pair", json={"code": code}) as answer:
        secret = str((await answer.json())["device_secret"])
    async with http.post(f"{house.url}/api/space/token", headers={"Authorization": f"Bearer {secret}"}) as answer:
        return secret, str((await answer.json())["token"])


async def test_a_whole_space_stays_small_while_one_device_asks_for_all_that_it_may_and_serves_the_others() -> None:
    async with attacked_house() as house, AsyncExitStack() as machines:
        http = await machines.enter_async_context(house.machine("127.0.0.2"))
        secret, token = await sign_in(house, http, house.code)
        members = [token]
        for _ in range(MEMBERS - 1):
            asking = http.post(f"{house.url}/api/space/pairing", headers={"Authorization": f"Bearer {secret}"})
            async with asking as answer:
                members.append((await sign_in(house, http, (await answer.json())["code"]))[1])
        before = memory_mb(house)
        for number, mine in enumerate(members):
            away = await machines.enter_async_context(house.machine(f"127.0.1.{number + 1}"))
            for _ in range(PAGES):
                await silent(await away.ws_connect(house.relay_url), mine)
        for number, mine in enumerate(members):
            away = await machines.enter_async_context(house.machine(f"127.0.2.{number + 1}"))
            caller = Client(await away.ws_connect(house.relay_url))
            await caller.connect(mine)
            for call in range(ROUNDS):
                dialog = {"destination_number": "/private/house"}
                await caller.verto("verto.invite", f"{number}-{call}", sdp=LARGE, dialog=dialog)
        assert memory_mb(house) - before < MORE_MB_MOST
        kitchen = await house.member(await machines.enter_async_context(house.machine("127.0.0.3")))
        assert "result" in await kitchen.rpc("signalwire.ping")


async def silent(socket: aiohttp.ClientWebSocketResponse, token: str) -> None:
    """Register, and never acknowledge nor even read anything from then on."""
    client = Client(socket)
    assert "result" in await client.connect(token)
    assert "result" in await client.rpc("subscriber.online")
    client.reader.cancel()
    await asyncio.wait([client.reader])


def test_a_house_in_which_many_calls_ring_takes_no_more_of_them_than_a_person_answers() -> None:
    callers = [f"thief {number}" for number in range(RINGING_LIMIT + 1)]
    board = Switchboard(*callers, "anna")
    for number, caller in enumerate(callers):
        board.verto(caller, "verto.invite", f"call-{number}", sdp=SDP, dialog={"destination_number": "/private/anna"})
    assert board.methods("anna").count("verto.invite") == RINGING_LIMIT
    assert "verto.bye" in board.methods(callers[-1])


FRAME = 64 * 1024


def test_what_waits_for_all_sockets_of_one_member_is_bounded_in_bytes() -> None:
    member, sockets = KeptBytes(), [Waiting() for _ in range(16)]
    for socket in sockets:
        socket.share(member)
        while socket.add(FRAME):
            pass
    assert member.used <= MEMBER_LIMIT_BYTES + len(sockets) * FRAME


def test_a_slow_member_takes_nothing_from_another() -> None:
    slow, other = Waiting(), Waiting()
    slow.share(KeptBytes())
    other.share(KeptBytes())
    while slow.add(FRAME):
        pass
    assert sum(other.add(FRAME) for _ in range(100)) == SOCKET_LIMIT_BYTES // FRAME


def test_what_waited_is_given_back_when_it_is_written_and_when_the_socket_ends() -> None:
    member, socket = KeptBytes(), Waiting()
    socket.add(FRAME)
    socket.share(member)
    socket.add(FRAME)
    socket.written(FRAME)
    assert member.used == FRAME
    socket.end()
    assert member.used == 0
