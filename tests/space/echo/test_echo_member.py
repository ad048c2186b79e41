"""What the members of a call with the echo are told is heard in what comes back, with real media."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import numpy as np
import pytest
from aiortc import RTCConfiguration, RTCPeerConnection
from aiortc.mediastreams import MediaStreamTrack

from intercom.space.echo.member import EchoMember

from ...reference.peer import Tone
from ..conftest import WAIT_S, Client, House
from .test_echo import call_the_echo

MINE = {"audio_muted": False, "deaf": False, "input_volume": 0, "output_volume": 0, "member_id": "echo"}


def member(**told: Any) -> EchoMember:
    """The echo in a call whose caller was told something."""
    echo = EchoMember("call")
    room = {"members": [MINE, {**MINE, "member_id": "caller"}]}
    echo.receive("call.joined", {"call_id": "call", "member_id": "echo", "room_session_id": "r", "room_session": room})
    caller = {**MINE, "member_id": "caller", **told}
    echo.receive("member.updated", {"room_session_id": "r", "member": caller})
    return echo


@pytest.mark.parametrize(
    ("told", "gain"),
    [({}, 1.0), ({"audio_muted": True}, 0.0), ({"deaf": True}, 0.0), ({"input_volume": -25}, 0.5)],
)
def test_the_echo_is_as_loud_as_its_caller_was_told(told: dict[str, Any], gain: float) -> None:
    assert member(**told).gain == gain


def test_what_is_told_in_another_call_changes_nothing() -> None:
    echo = member()
    echo.receive("member.updated", {"room_session_id": "other", "member": {**MINE, "audio_muted": True}})
    assert echo.gain == 1.0


@pytest.fixture
async def connection() -> AsyncIterator[RTCPeerConnection]:
    connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    connection.addTrack(Tone(750.0))
    yield connection
    await asyncio.wait_for(connection.close(), WAIT_S)


async def until(track: MediaStreamTrack, heard: Callable[[int], bool]) -> None:
    """Listen until ten frames in a row are so loud or so quiet."""
    in_a_row = 0
    async with asyncio.timeout(WAIT_S):
        while in_a_row < 10:
            frame: Any = await track.recv()
            loudest = int(np.abs(frame.to_ndarray().astype(int)).max())
            in_a_row = in_a_row + 1 if heard(loudest) else 0


async def join(installer: Client, connection: RTCPeerConnection) -> tuple[MediaStreamTrack, dict[str, dict[str, str]]]:
    """A call with the echo; its track, and the targets of methods: oneself and the echo."""
    track = await call_the_echo(installer, connection)
    async with asyncio.timeout(WAIT_S):
        while (event := await installer.room_events.get())["event_type"] != "call.joined":
            pass
    joined = event["params"]
    me = {"node_id": "", "call_id": "test", "member_id": joined["member_id"]}
    others = [one["member_id"] for one in joined["room_session"]["members"] if one["member_id"] != me["member_id"]]
    return track, {"self": me, "echo": {**me, "member_id": others[0]}}


@pytest.mark.parametrize("whom", ["self", "echo"])
async def test_what_is_muted_is_silent_and_sounds_again_when_it_is_not(
    house: House, connection: RTCPeerConnection, whom: str
) -> None:
    installer = await house.join("installer")
    track, targets = await join(installer, connection)
    await until(track, lambda loudest: loudest > 4000)
    for method, heard in (("call.mute", False), ("call.unmute", True)):
        params = {"self": targets["self"], "target": targets[whom], "channels": ["audio"]}
        assert (await installer.rpc(method, params))["result"]["code"] == "200"
        await until(track, (lambda loudest: loudest > 4000) if heard else (lambda loudest: loudest < 3))
    await installer.verto("verto.bye", "test")
