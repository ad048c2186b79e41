"""The echo address, with real media."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator

import numpy as np
import pytest
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import MediaStreamTrack

from intercom.space.echo import echo

from ...reference.peer import RATE_HZ, Tone
from ..conftest import WAIT_S, Client, House


@pytest.fixture
async def connection() -> AsyncIterator[RTCPeerConnection]:
    connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    connection.addTrack(Tone(750.0))
    yield connection
    await asyncio.wait_for(connection.close(), WAIT_S)


async def call_the_echo(installer: Client, connection: RTCPeerConnection) -> MediaStreamTrack:
    heard: asyncio.Future[MediaStreamTrack] = asyncio.get_running_loop().create_future()
    connection.on("track", heard.set_result)
    await connection.setLocalDescription(await connection.createOffer())
    await installer.verto(
        "verto.invite",
        "test",
        sdp=connection.localDescription.sdp,
        dialog={"destination_number": "/public/echo"},
    )
    answer = await installer.heard("verto.answer")
    await connection.setRemoteDescription(RTCSessionDescription(answer["sdp"], "answer"))
    return await asyncio.wait_for(heard, WAIT_S)


async def test_the_echo_sends_back_the_tone_that_it_hears(house: House, connection: RTCPeerConnection) -> None:
    installer = await house.join("installer")
    track = await call_the_echo(installer, connection)
    async with asyncio.timeout(WAIT_S):
        while True:
            frame = await track.recv()
            samples = frame.to_ndarray().reshape(-1, 2)[:, 0].astype(float)
            spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples)), RATE_HZ))
            if np.abs(samples).max() > 4000 and abs(int(np.argmax(spectrum)) - 750) < 25:
                break
    await installer.verto("verto.bye", "test")


async def test_the_house_is_served_while_the_echo_loads_what_its_first_call_needs(
    house: House, connection: RTCPeerConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    loading, loaded = threading.Event(), threading.Event()

    def load_slowly() -> None:
        loading.set()
        assert loaded.wait(WAIT_S)

    monkeypatch.setattr(echo, "load", load_slowly)
    installer = await house.join("installer")
    call = asyncio.create_task(call_the_echo(installer, connection))
    assert await asyncio.to_thread(loading.wait, WAIT_S)
    await house.join("other")
    assert not call.done()
    loaded.set()
    await call


async def test_two_can_talk_to_themselves_at_once(house: House, connection: RTCPeerConnection) -> None:
    installer, other = await house.join("installer"), await house.join("other")
    await call_the_echo(installer, connection)
    second = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    try:
        second.addTrack(Tone(500.0))
        await call_the_echo(other, second)
    finally:
        await asyncio.wait_for(second.close(), WAIT_S)


async def test_an_offer_that_the_echo_cannot_read_ends_the_call(house: House) -> None:
    installer = await house.join("installer")
    await installer.verto(
        "verto.invite", "test", sdp="v=0\r\nm=nonsense", dialog={"destination_number": "/public/echo"}
    )
    assert (await installer.heard("verto.bye"))["cause"] == "INCOMPATIBLE_DESTINATION"
