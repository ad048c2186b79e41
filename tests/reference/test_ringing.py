"""What tells the unmodified reference client that the far end rings; and why `verto.media` is not what does.

Its status says "ringing" after `verto.media` alone, which starts a timer of three seconds in it, whatever the message
holds. If its media is connected by then, its status says "connected", though nobody has answered. If it is not, the
client keeps to relays from then on, and renews its ICE after the answer; a far end that cannot costs the call.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from aiortc import RTCSessionDescription
from playwright.async_api import Browser

from intercom.space import Space
from intercom.space.switch.calls.calls import Call
from intercom.space.switch.calls.sdp import answer_between

from ..space.conftest import Client, House
from .components import ComponentPage, why_no_components
from .peer import Peer
from .sdk import ReferenceClient

pytestmark = pytest.mark.asyncio(loop_scope="session")

THREE_SECONDS_LAST_A_MINUTE = """() => {
    const { setTimeout } = window;
    window.setTimeout = (act, ms, ...more) => setTimeout(act, ms === 3000 ? 60_000 : ms, ...more);
}"""
"""The page's clock for the client's timer of three seconds: media may need longer to connect on a busy machine."""

RC_2 = pytest.mark.skipif(bool(why_no_components()), reason=why_no_components())


@pytest_asyncio.fixture(
    params=[pytest.param(ReferenceClient, id="beta.12"), pytest.param(ComponentPage, id="rc.2", marks=RC_2)],
    loop_scope="session",
)
async def client(
    request: pytest.FixtureRequest, browser: Browser, space: Space, house: House
) -> AsyncIterator[ReferenceClient]:
    """The reference client of either version, in a page of its own."""
    async with request.param(browser, space, "tablet") as client:
        yield client


@pytest_asyncio.fixture(loop_scope="session")
async def door(house: House) -> Client:
    """Whom it calls."""
    return await house.join("door")


@pytest_asyncio.fixture(loop_scope="session")
async def peer(door: Client) -> AsyncIterator[Peer]:
    """The media of whom it calls."""
    peer = Peer(door)
    yield peer
    await peer.close()


def send_media(space: Space, sdp: str) -> Call:
    """Send the caller of the one call that rings a verto.media, which leaves with the space's next tick."""
    (call,) = space.exchange.control.calls
    call.caller.tell("verto.media", {"sdp": sdp}, time.time())
    return call


async def test_its_call_states_say_that_the_far_end_rings(client: ReferenceClient, peer: Peer) -> None:
    call = await client.dial("/private/door")
    await client.until_report(call, lambda report: report["told"] == ["ringing"], "the ringing")
    await peer.answer()
    await client.reaches(call, "connected")
    await peer.hears_and_sees()
    assert "ringing" not in {each["status"] for each in (await client.report(call))["history"]}


async def test_a_verto_media_without_description_would_cost_the_call(
    client: ReferenceClient, space: Space, door: Client, peer: Peer
) -> None:
    call = await client.dial("/private/door")
    send_media(space, "")
    await client.reaches(call, "ringing")
    await client.keeps_to_relays(call)
    await peer.answer()
    await client.reaches(call, "connected")
    assert (await door.heard("verto.modify"))["action"] == "updateMedia"  # and the far end has no answer to it
    await client.reaches(call, "failed")


async def test_a_verto_media_with_a_description_would_say_connected_while_it_rings(
    client: ReferenceClient, space: Space, door: Client, peer: Peer
) -> None:
    await client.page.evaluate(THREE_SECONDS_LAST_A_MINUTE)
    call = await client.dial("/private/door")
    invite = await door.heard("verto.invite")
    await peer.connection.setRemoteDescription(RTCSessionDescription(invite["sdp"], "offer"))
    await peer.connection.setLocalDescription(await peer.connection.createAnswer())
    early = answer_between(peer.connection.localDescription.sdp, by="raw/1", to="signalwire-js/4.0.0")
    ringing = send_media(space, early)
    await client.reaches(call, "connected")
    assert ringing.answered is None
