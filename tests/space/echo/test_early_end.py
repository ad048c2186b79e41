"""What becomes of the echo's connections that end before they have begun."""

from __future__ import annotations

import asyncio
import gc
from typing import Any

from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription

from intercom.space.echo.media import EchoMedia, close
from intercom.space.echo.member import EchoMember

from ...reference.peer import Tone

LIMIT_S = 60.0
TURNS = 50
"""Turns of the loop in which what was closed comes to its end."""


async def test_a_call_that_ends_while_it_connects_leaves_no_complaint() -> None:
    complaints: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, told: complaints.append(told))
    caller = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    caller.addTrack(Tone(500.0))
    caller.addTransceiver("video")
    await caller.setLocalDescription(await caller.createOffer())
    media = EchoMedia()
    answer = await media.answer(caller.localDescription.sdp, EchoMember("call"))
    reached = asyncio.Event()  # and DTLS is still to come
    media.connection.on(
        "iceconnectionstatechange", lambda: media.connection.iceConnectionState == "completed" and reached.set()
    )
    await caller.setRemoteDescription(RTCSessionDescription(answer, "answer"))
    await asyncio.wait_for(reached.wait(), LIMIT_S)
    await close(media.connection)
    await caller.close()
    for _ in range(TURNS):
        await asyncio.sleep(0)
    gc.collect()
    assert complaints == []
