"""The unmodified reference client connects, registers, is called, calls; both directions of media are measured."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from playwright.async_api import Browser, Error

from intercom.space import Space

from ..space.conftest import House
from .peer import Peer
from .sdk import WAIT_S, ReferenceClient, reference_space

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_it_connects_registers_and_knows_who_it_is(browser: Browser, space: Space) -> None:
    async with ReferenceClient(browser, space, "tablet", groups=("house",)) as client:
        state = await client.state()
        assert state["connected"]
        assert state["registered"]
        assert space.exchange.online() == ["tablet"]
        assert (await client.user())["addresses"][0]["name"] == "/private/tablet"


async def test_the_door_calls_it_and_both_hear_and_see_each_other(browser: Browser, space: Space, house: House) -> None:
    async with ReferenceClient(browser, space, "tablet", groups=("house",)) as client:
        door = await house.join("door")
        peer = Peer(door, tone_hz=700.0)
        try:
            await client.answer_calls()
            await peer.dial("/private/house")
            await peer.answered()
            call = await client.ringing()
            await client.reaches(call, "connected")
            await peer.hears_and_sees()
            await client.until_report(call, lambda r: r.get("videoFrames", 0) > 5, "five frames of the door's picture")
            await client.hears(call, 700.0)
            await client.digits(call, "9")
            assert (await door.heard("verto.info"))["dtmf"] == "9"
            await client.hangup(call)
            assert (await door.heard("verto.bye"))["cause"] == "NORMAL_CLEARING"
        finally:
            await peer.close()


async def test_it_dials_and_is_answered(browser: Browser, space: Space, house: House) -> None:
    async with ReferenceClient(browser, space, "tablet") as client:
        door = await house.join("door")
        peer = Peer(door, tone_hz=900.0)
        try:
            call = await client.dial("/private/door")
            await peer.answer()
            await client.reaches(call, "connected")
            await peer.hears_and_sees()
            await client.hears(call, 900.0)
            await door.verto("verto.bye", peer.call_id)
            await client.reaches(call, "destroyed")
        finally:
            await peer.close()


async def test_it_rejects_a_call(browser: Browser, space: Space, house: House) -> None:
    async with ReferenceClient(browser, space, "tablet") as client:
        door = await house.join("door")
        peer = Peer(door)
        try:
            await peer.dial("/private/tablet")
            await client.reject(await client.ringing())
            assert (await door.heard("verto.bye"))["cause"] == "USER_BUSY"
        finally:
            await peer.close()


async def test_it_holds_and_resumes_a_call(browser: Browser, space: Space, house: House) -> None:
    async with ReferenceClient(browser, space, "tablet") as client:
        door = await house.join("door")
        peer = Peer(door)
        try:
            call = await client.dial("/private/door")
            await peer.answer()
            await client.reaches(call, "connected")
            for action in ("hold", "unhold"):
                await client.toggle_hold(call)
                assert (await door.heard("verto.modify"))["action"] == action
            assert (await client.state())["errors"] == []
        finally:
            await peer.close()


async def test_its_dial_rejects_where_nobody_can_be_called(browser: Browser, space: Space) -> None:
    async with ReferenceClient(browser, space, "tablet") as client:
        for destination, words in (
            ("/private/castle", "Nobody in this space has the address"),
            ("+1555-123", "no telephone number"),
            ("sip:anna@example.com", "no line to sip:anna@example.com"),
        ):
            with pytest.raises(Error, match="Call creation failed"):
                await client.dial(destination)
            last = next(f["frame"] for f in reversed(await client.frames()) if '"error"' in json.dumps(f))
            assert words in last["result"]["result"]["error"]["message"]


async def test_it_comes_back_after_its_socket_was_cut_and_its_call_goes_on(
    browser: Browser, space: Space, house: House
) -> None:
    async with ReferenceClient(browser, space, "tablet", groups=("house",)) as client:
        door = await house.join("door")
        peer = Peer(door)
        try:
            call = await client.dial("/private/door")
            await peer.answer()
            await client.reaches(call, "connected")
            cut = space.exchange.links_of("tablet")
            space.sockets.break_off("tablet")
            await client.until_state(
                # "registered" is of the first socket for as long as the client has not noticed that it is gone.
                lambda state: state["registered"] and space.exchange.links_of("tablet") not in ([], cut),
                "a second socket, registered",
            )
            await peer.hears_and_sees()
            await client.digits(call, "9")
            assert (await door.heard("verto.info"))["dtmf"] == "9"
            await client.hangup(call)
            assert (await door.heard("verto.bye"))["cause"] == "NORMAL_CLEARING"
        finally:
            await peer.close()


async def test_it_binds_its_token_to_its_key_and_refreshes_it(browser: Browser, tmp_path: Path) -> None:
    # The client refreshes 30 s before its token expires: with 33 s that is three seconds after it got it.
    async with (
        reference_space(tmp_path, token_lifetime_s=33) as space,
        ReferenceClient(browser, space, "tablet", refreshable=True) as client,
    ):
        async with asyncio.timeout(WAIT_S):
            while True:
                sent = [f["frame"] for f in await client.frames() if f["from"] == "client"]
                reauthentications = [f for f in sent if f.get("method") == "signalwire.reauthenticate"]
                if len(reauthentications) >= 2:
                    break
                await asyncio.sleep(0.2)
        for frame in reauthentications:
            assert frame["params"]["dpop_token"]
        tokens = [f["params"]["authentication"]["jwt_token"] for f in reauthentications]
        assert len(set(tokens)) == len(tokens)
        assert all(space.tokens.check(token, even_expired=True).jkt for token in tokens)
        assert (await client.state())["errors"] == []


async def test_it_reads_the_directory_page_by_page(browser: Browser, space: Space) -> None:
    for number in range(60):
        space.store.add_subscriber(f"room-{number}")
    async with ReferenceClient(browser, space, "tablet") as client:
        names = await client.directory()
        assert {f"/private/room-{number}" for number in range(60)} <= set(names)


async def test_the_far_end_takes_its_ice_restart(browser: Browser, space: Space, house: House) -> None:
    async with ReferenceClient(browser, space, "tablet") as client:
        await client.open(unpooled=True)
        door = await house.join("door")
        peer, second = Peer(door), Peer(door, tone_hz=1100.0)
        try:
            call = await client.dial("/private/door")
            await peer.answer()
            await client.reaches(call, "connected")
            restarting = asyncio.create_task(client.ice_restart(call))
            offer = await door.heard("verto.modify")
            assert offer["action"] == "updateMedia"
            await second.answer_offer(peer.call_id, offer["sdp"])
            await restarting
            await second.hears_and_sees()
            await client.hears(call, 1100.0)
        finally:
            await peer.close()
            await second.close()


async def test_a_page_that_was_reloaded_takes_its_call_back(browser: Browser, space: Space, house: House) -> None:
    async with ReferenceClient(browser, space, "tablet") as client:
        door = await house.join("door")
        peers = [Peer(door)]

        async def answer_each_offer() -> None:
            while True:  # the page asks twice, and the later offer is the one that it keeps
                offer = await door.events.get()
                peers.append(Peer(door, tone_hz=1300.0))
                await peers[-1].answer_offer(peers[0].call_id, offer["params"]["params"]["sdp"])

        async def hears_and_sees_anew() -> None:
            async with asyncio.timeout(2 * WAIT_S):
                while not any(peer.hears and peer.sees for peer in peers[1:]):
                    await asyncio.sleep(0.05)

        try:
            call = await client.dial("/private/door")
            await peers[0].answer()
            await client.reaches(call, "connected")
            await client.open(reconnectAttachedCalls=True)
            answering = asyncio.create_task(answer_each_offer())
            hearing = asyncio.create_task(hears_and_sees_anew())
            try:
                done, _ = await asyncio.wait({answering, hearing}, return_when=asyncio.FIRST_COMPLETED)
                await done.pop()
            finally:
                answering.cancel()
                hearing.cancel()
        finally:
            for peer in peers:
                await peer.close()


async def test_it_hears_itself_at_the_echo(browser: Browser, space: Space) -> None:
    async with ReferenceClient(browser, space, "tablet") as client:
        call = await client.dial("/public/echo", video=False)
        await client.reaches(call, "connected")
        await client.until_report(call, lambda r: r.get("audioEnergy", 0.0) > 1e-4, "its own voice")
        await client.hangup(call)


async def test_the_echo_takes_its_ice_restart_and_its_page_loaded_anew(browser: Browser, space: Space) -> None:
    async with ReferenceClient(browser, space, "tablet") as client:
        await client.open(unpooled=True)
        call = await client.dial("/public/echo", video=False)
        await client.until_report(call, lambda r: r.get("audioEnergy", 0.0) > 1e-4, "its own voice")
        await client.ice_restart(call)
        await client.modified(call)
        await client.until_report(call, lambda r: r.get("audioEnergy", 0.0) > 1e-4, "its voice on the new path")
        await client.open(unpooled=True, reconnectAttachedCalls=True)
        await client.until_state(lambda state: call in state["calls"], "its call again")
        await client.until_report(call, lambda r: r.get("audioEnergy", 0.0) > 1e-4, "its voice after the reload")
        await client.hangup(call)
        await client.reaches(call, "destroyed")


async def test_its_preflight_finds_the_way_free(browser: Browser, space: Space) -> None:
    async with ReferenceClient(browser, space, "tablet") as client:
        result = await client.preflight("/public/echo", duration_s=2)
        assert result["ok"], result
        assert result["connectivity"]["turnReachable"]
        assert result["bandwidth"] is not None
