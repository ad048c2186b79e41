"""Somebody takes the SD card out of the gate's door station and has its credential, gate.json: what it opens."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiortc import RTCPeerConnection

from intercom.config import AudioConfig, CallConfig
from intercom.door.machine import State
from intercom.space import SpaceCredential
from tests.e2e.home import Home, home_config
from tests.space.conftest import Client

SETUP_OF_OLD = ("/private/*",)
"""What `setup` wrote for a house that may look and listen at any time."""


class Thief:
    """Has gate.json, and speaks to the space with it."""

    def __init__(self, card: SpaceCredential, http: aiohttp.ClientSession) -> None:
        self.card = card
        self.http = http

    async def post(self, path: str) -> tuple[int, dict[str, Any]]:
        """Ask the space for something as the gate's door station."""
        bearer = {"Authorization": f"Bearer {self.card.device_secret}"}
        async with self.http.post(f"{self.card.api_url}/api/space/{path}", headers=bearer) as answer:
            return answer.status, (await answer.json() if answer.content_type == "application/json" else {})

    async def register(self) -> Client:
        """Be online as the gate."""
        _, grant = await self.post("token")
        client = Client(await self.http.ws_connect(self.card.relay_url))
        await client.connect(grant["token"])
        await client.rpc("subscriber.online")
        return client

    @staticmethod
    async def offer() -> str:
        """An offer that a door could answer."""
        peer = RTCPeerConnection()
        peer.addTransceiver("audio")
        await peer.setLocalDescription(await peer.createOffer())
        sdp = peer.localDescription.sdp
        await peer.close()
        return sdp


@pytest.fixture
async def home(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Home]:
    """A house with a front door, whose installer let the house look and listen at any time."""
    listed, ring_time_s = getattr(request, "param", (SETUP_OF_OLD, 60))
    call = CallConfig(ring_time_s=ring_time_s, auto_answer=listed)
    house = Home(tmp_path, home_config(audio=AudioConfig(card="simulated"), call=call))
    await house.start()
    yield house
    await house.stop()


@pytest.fixture
async def thief(home: Home) -> AsyncIterator[Thief]:
    async with aiohttp.ClientSession() as http:
        yield Thief(home.space.enrol("gate", "Garden gate"), http)


async def test_the_gates_credential_makes_no_pairing_code(home: Home, thief: Thief) -> None:
    status, answer = await thief.post("pairing")
    assert status == 403
    assert "code" not in answer


@pytest.mark.parametrize("home", [(SETUP_OF_OLD, 1), (("residents",), 1)], indirect=True)
async def test_the_front_door_does_not_answer_the_gate_by_itself(home: Home, thief: Thief) -> None:
    client = await thief.register()
    variables = {"intercom": {"role": "resident"}, "caller_kind": "resident"}
    answer = await client.verto(
        "verto.invite",
        "theft",
        sdp=await thief.offer(),
        caller_kind="resident",
        dialog={"destination_number": "/private/door", "userVariables": variables, "caller_kind": "resident"},
    )
    assert answer["result"]["message"] == "CALL CREATED"
    assert (await client.heard("verto.bye"))["cause"] == "NO_ANSWER"
    await client.close()


async def test_nine_does_not_open_the_front_door_for_a_gate_whom_a_visitor_answered(home: Home, thief: Thief) -> None:
    client = await thief.register()
    assert home.door is not None
    await client.verto("verto.invite", "theft", sdp=await thief.offer(), dialog={"destination_number": "/private/door"})
    await home.until(State.RINGING)
    home.door.calls.press()
    await client.heard("verto.answer")
    await client.verto("verto.info", "theft", dtmf="9")
    told = await client.heard("verto.info")
    assert told["intercom"] == {"door": "refused", "reason": "a_door"}
    await client.close()
