"""Calls between two doors, and between a door and a stock aiortc peer, with real sound cards."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import AudioStreamTrack

from intercom.media.errors import CallEndedError, SessionDescriptionError
from intercom.media.events import CallConnected, CallEvent, MediaSilent
from intercom.media.rtp import connection
from intercom.media.rtp.peer import DoorMedia
from intercom.media.rtp.sdp import Description
from intercom.media.sound.engine import AudioEngine
from tests.alsa import AlsaCards, tone
from tests.media.calls import LIMIT_S, connected, on, running_engine, stopwatch, until, wait_for_state
from tests.media.events import Reported


@pytest.fixture
def door_engine(alsa_cards: AlsaCards) -> Iterator[AudioEngine]:
    with running_engine(on(alsa_cards)) as engine:
        yield engine


@pytest.fixture
def door(door_engine: AudioEngine, events: Reported[object]) -> DoorMedia:
    return DoorMedia(door_engine, on_event=events)


@pytest.fixture
def far(far_engine: AudioEngine, events: Reported[object]) -> DoorMedia:
    return DoorMedia(far_engine, on_event=events)


async def test_two_doors_hear_each_other(
    door: DoorMedia, far: DoorMedia, door_engine: AudioEngine, far_engine: AudioEngine, alsa_cards: AlsaCards
) -> None:
    caller, callee = door.open("1", []), far.open("2", [])
    with alsa_cards.speak(tone(700, LIMIT_S)):
        async with connected(caller, callee):
            heard = set[AudioEngine]()

            def both_heard() -> bool:
                heard.update(engine for engine in (door_engine, far_engine) if engine.stats().speaker_db > -50)
                return len(heard) == 2

            await until(both_heard)


async def test_the_stats_of_a_call_tell_what_arrives(door: DoorMedia, far: DoorMedia) -> None:
    caller, callee = door.open("1", []), far.open("2", [])
    async with connected(caller, callee):
        await until(lambda: (arrived := caller.stats().far_end) is not None and arrived.received >= 20)
        stats = caller.stats()
    assert stats.codec == "opus"
    assert stats.connect_ms is not None


async def test_keys_cross_the_call_once_each(door: DoorMedia, far: DoorMedia) -> None:
    caller, callee = door.open("1", []), far.open("2", [])
    pressed: list[str] = []
    callee.digits_stream.subscribe(pressed.append)
    async with connected(caller, callee):
        assert await caller.send_digits("159#")
        await until(lambda: len(pressed) >= 4)
    assert "".join(pressed) == "159#"


async def test_a_stock_aiortc_peer_is_heard_and_hears(door: DoorMedia, alsa_cards: AlsaCards) -> None:
    call = door.open("1", [])
    peer = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    peer.addTrack(AudioStreamTrack())
    try:
        await peer.setRemoteDescription(RTCSessionDescription(await call.create_offer(), "offer"))
        await peer.setLocalDescription(await peer.createAnswer())
        await call.accept_answer(peer.localDescription.sdp)
        await wait_for_state(call, "connected")
        frame = await asyncio.wait_for(peer.getReceivers()[0].track.recv(), LIMIT_S)
        await until(lambda: (arrived := call.stats().far_end) is not None and arrived.played_s >= 0.5)
    finally:
        await call.close()
        await peer.close()
    assert frame is not None


async def test_an_offer_is_ready_in_time_with_a_dead_stun_and_turn_server(door: DoorMedia) -> None:
    servers = [
        {"urls": "stun:192.0.2.1:3478"},
        {"urls": "turn:192.0.2.1:3478", "username": "u", "credential": "c"},
    ]
    call = door.open("1", servers)
    async with stopwatch() as clock:
        offer = await call.create_offer()
        took_s = clock()
    await call.close()
    assert "typ host" in offer
    assert took_s < 1.2


async def test_an_offer_names_one_fingerprint_and_asks_for_redundancy(door: DoorMedia) -> None:
    call = door.open("1", [])
    audio = Description.parse(await call.create_offer()).sections[0]
    await call.close()
    assert [line.split()[0] for line in audio.lines if "fingerprint" in line] == ["a=fingerprint:sha-256"]
    assert any("useinbandfec=1" in line for line in audio.lines)


async def test_a_silent_far_end_is_reported_after_three_seconds(
    door: DoorMedia, far: DoorMedia, far_engine: AudioEngine, events: Reported[object]
) -> None:
    caller, callee = door.open("near", []), far.open("far", [])
    async with connected(caller, callee):
        # A far end that never sent anything is taken for one that keeps silent.
        await until(lambda: (heard := caller.stats().far_end) is not None and heard.received > 0)
        far_engine.stop()

        def told() -> list[MediaSilent]:
            # A sound server that stands still on a busy machine silences the door for the other end as well.
            return [event for event in events.all if isinstance(event, MediaSilent) and event.call_id == "near"]

        await until(lambda: bool(told()))
        # That may have been before the first packet, which a busy machine sends late: now there are no more.
        async with asyncio.timeout(LIMIT_S):
            while (await caller.call_counters())["silent_s"] <= 3.0:
                await asyncio.sleep(0.01)
    assert told()[0].silent_s > 3.0


async def test_a_call_that_connects_says_so(door: DoorMedia, far: DoorMedia, events: Reported[CallEvent]) -> None:
    async with connected(door.open("1", []), far.open("2", [])):
        pass
    assert {event.call_id for event in events.all if isinstance(event, CallConnected)} == {"1", "2"}


async def test_an_answer_that_is_none_is_refused_with_the_reason(door: DoorMedia) -> None:
    call = door.open("1", [])
    await call.create_offer()
    with pytest.raises(SessionDescriptionError, match="does not begin with v="):
        await call.accept_answer("hello")
    await call.close()


async def test_a_call_that_is_closed_while_it_answers_leaves_the_microphone_alone(
    door: DoorMedia, far: DoorMedia, door_engine: AudioEngine
) -> None:
    caller, call = far.open("2", []), door.open("1", [{"urls": "stun:192.0.2.1:3478"}])
    answering = asyncio.create_task(call.create_answer(await caller.create_offer()))
    while call._connection._peer.iceGatheringState != "gathering":
        await asyncio.sleep(0)
    await asyncio.gather(call.close(), caller.close())
    with pytest.raises(CallEndedError):
        await answering
    assert door_engine._call is None


async def test_closing_twice_is_harmless_and_a_closed_call_refuses_work(door: DoorMedia) -> None:
    call = door.open("1", [])
    await call.close()
    await call.close()
    assert call.state == "closed"
    with pytest.raises(CallEndedError):
        await call.create_offer()


async def test_a_connection_that_does_not_close_is_left_behind_in_time(
    door: DoorMedia, door_engine: AudioEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "CLOSE_DEADLINE_S", 0.05)
    call = door.open("1", [])
    await call.create_offer()
    peer = call._connection._peer
    close, hangs = peer.close, asyncio.Event()
    monkeypatch.setattr(peer, "close", hangs.wait)
    await asyncio.wait_for(call.close(), LIMIT_S)
    assert call.state == "closed"
    assert door_engine._call is None
    await close()


async def test_the_loop_watches_a_calls_socket_only_while_nobody_plays(
    door: DoorMedia, far: DoorMedia, door_engine: AudioEngine
) -> None:
    caller, callee = door.open("1", []), far.open("2", [])

    def received() -> int:
        stats = caller.stats().far_end
        return 0 if stats is None else stats.received

    def is_watched() -> bool:
        inlet = caller._connection._inlet
        return inlet is None or inlet._watched

    async with connected(caller, callee):
        await until(lambda: not is_watched())
        before = received()
        await until(lambda: received() > before + 5)
        door_engine.stop()
        await until(is_watched)
        before = received()
        await until(lambda: received() > before + 5)
        assert caller.state == "connected"
