"""The echo takes new offers in a call, and the page that was loaded anew; with real media."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import MediaStreamTrack

from intercom.space.echo import echo, media
from intercom.space.switch.calls import renegotiation
from intercom.space.switch.sessions import sessions

from ...reference.peer import Tone
from ..conftest import WAIT_S, Client, House


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give the echo, and the page that is loaded anew, the time of a busy machine."""
    for module, limit in (
        (renegotiation, "MODIFY_LIMIT_S"),
        (sessions, "LEFT_LIMIT_S"),
        (echo, "RETURN_LIMIT_S"),
        (media, "CONNECT_LIMIT_S"),
    ):
        monkeypatch.setattr(module, limit, WAIT_S)


class Talker:
    """One peer connection of a caller, who hears themselves."""

    def __init__(self) -> None:
        self.connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self.connection.addTrack(Tone(750.0))
        self.heard: asyncio.Future[MediaStreamTrack] = asyncio.get_running_loop().create_future()
        self.connection.on("track", self.heard.set_result)

    async def offer(self) -> str:
        await self.connection.setLocalDescription(await self.connection.createOffer())
        return str(self.connection.localDescription.sdp)

    async def hears_themselves(self, answer: str) -> None:
        await self.connection.setRemoteDescription(RTCSessionDescription(answer, "answer"))
        track = await asyncio.wait_for(self.heard, WAIT_S)
        async with asyncio.timeout(WAIT_S):
            while abs((await track.recv()).to_ndarray().astype(float)).max() < 4000:
                pass


@pytest.fixture
async def talkers() -> AsyncIterator[list[Talker]]:
    talkers = [Talker() for _ in range(3)]
    yield talkers
    for talker in talkers:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(talker.connection.close(), WAIT_S)


async def call_the_echo(client: Client, talker: Talker, **dialog: object) -> None:
    dialog = {"destination_number": "/public/echo", **dialog}
    created = await client.verto("verto.invite", "test", sdp=await talker.offer(), dialog=dialog)
    assert created["result"]["message"] == "CALL CREATED", created
    await talker.hears_themselves((await client.heard("verto.answer"))["sdp"])


async def test_the_echo_takes_a_new_offer(house: House, talkers: list[Talker]) -> None:
    client = await house.join("installer")
    await call_the_echo(client, talkers[0])
    modified = await client.verto("verto.modify", "test", action="updateMedia", sdp=await talkers[1].offer())
    await talkers[1].hears_themselves(modified["result"]["sdp"])


async def test_an_offer_that_the_echo_cannot_read_does_not_end_the_call(
    house: House, talkers: list[Talker], monkeypatch: pytest.MonkeyPatch
) -> None:
    client = await house.join("installer")
    await call_the_echo(client, talkers[0])
    with monkeypatch.context() as impatience:
        impatience.setattr(renegotiation, "MODIFY_LIMIT_S", 0.5)
        refused = await client.verto("verto.modify", "test", action="updateMedia", sdp="v=0\r\nm=nonsense")
    assert "in time" in refused["error"]["message"]
    modified = await client.verto("verto.modify", "test", action="updateMedia", sdp=await talkers[1].offer())
    await talkers[1].hears_themselves(modified["result"]["sdp"])


async def test_a_page_that_is_loaded_anew_takes_its_call_back_though_it_asks_twice(
    house: House, talkers: list[Talker]
) -> None:
    before = await house.join("installer")
    await call_the_echo(before, talkers[0])
    await talkers[0].connection.close()
    await before.close()
    after = await house.join("installer")
    for talker in talkers[1:]:
        await call_the_echo(after, talker, reattaching=True)


async def test_the_echo_stands_in_the_directory_once(house: House) -> None:
    headers = {"Authorization": f"Bearer {house.token('installer')}"}
    async with house.http.get(house.space.url + "/api/fabric/addresses", headers=headers) as answer:
        names = [address["name"] for address in (await answer.json())["data"]]
    assert [name for name in names if "echo" in name] == ["/public/echo"]
