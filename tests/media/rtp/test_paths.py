"""Which ways a call's sound may take: relays alone, and servers that do not answer. The relay is a real coturn."""

from __future__ import annotations

import shutil
import socket
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from intercom.media.errors import NoRelayError
from intercom.media.events import CallMoved
from intercom.media.rtp import hooks
from intercom.media.rtp.hooks import GATHERING_S
from intercom.media.rtp.peer import DoorCall, DoorMedia
from intercom.media.sound.engine import AudioEngine
from intercom.space.turn.coturn import TurnServer
from tests.media.calls import LIMIT_S, arrivals, connected, move, stopwatch, until
from tests.media.events import Reported

SLACK_S = 0.5
"""What a loaded machine may add to a time-out."""


@pytest.fixture
async def relay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[dict[str, Any]]:
    """A TURN server, as a client is told of it; it is waited for, however little time a busy machine gives it."""
    if shutil.which("turnserver") is None:
        pytest.skip("coturn is not installed (apt install coturn)")
    turn = TurnServer(tmp_path, loopback_peers=True)
    await turn.start()
    monkeypatch.setattr(hooks, "GATHERING_S", LIMIT_S)
    given = turn.ice_server("door", time.time())
    yield {"urls": given.urls, "username": given.username, "credential": given.credential}
    await turn.stop()


def candidate_types(sdp: str) -> set[str]:
    return {line.split(" typ ")[1].split()[0] for line in sdp.splitlines() if line.startswith("a=candidate:")}


def way(call: DoorCall) -> str:
    """The type of the local candidate over which the call's connection sends."""
    ice = call._connection.sender.transport.transport._connection
    return str(ice._nominated[1].local_candidate.type)


async def test_a_call_that_keeps_to_relays_offers_and_uses_nothing_else(
    engine: AudioEngine, events: Reported[object], relay: dict[str, Any]
) -> None:
    near = DoorMedia(engine, on_event=events).open("near", [])
    far = DoorMedia(engine, on_event=events).open("far", [])
    near.use_paths([relay], relay_only=True)
    offers: list[str] = []
    create_offer = near.create_offer

    async def offer() -> str:
        offers.append(await create_offer())
        return offers[0]

    near.create_offer = offer  # type: ignore[method-assign]  # only listens
    async with connected(near, far):
        assert candidate_types(offers[0]) == {"relay"}
        assert way(near) == "relay"
        heard = arrivals(far)
        await until(lambda: len(heard) > 20)


async def test_a_call_moves_to_the_relay_and_back(
    engine: AudioEngine, events: Reported[object], relay: dict[str, Any]
) -> None:
    near = DoorMedia(engine, on_event=events).open("near", [])
    far = DoorMedia(engine, on_event=events).open("far", [])
    async with connected(near, far):
        for moves, (relay_only, expected) in enumerate([(True, "relay"), (False, "host")], start=1):
            near.use_paths([relay], relay_only=relay_only)
            await move(near, far)
            await until(lambda moves=moves: sum(isinstance(event, CallMoved) for event in events.all) == 2 * moves)
            assert way(near) == expected


async def test_without_a_relay_such_a_call_is_not_made(engine: AudioEngine, events: Reported[object]) -> None:
    call = DoorMedia(engine, on_event=events).open("near", [])
    call.use_paths([], relay_only=True)
    with pytest.raises(NoRelayError):
        await call.create_offer()
    await call.close()


@pytest.mark.parametrize(
    "kind", ["stun:127.0.0.1:{}", "turn:127.0.0.1:{}?transport=udp", "turn:127.0.0.1:{}?transport=tcp"]
)
async def test_a_server_that_does_not_answer_delays_the_offer_by_600_ms_at_most(
    engine: AudioEngine, events: Reported[object], kind: str
) -> None:
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent_udp,
        socket.socket(socket.AF_INET, socket.SOCK_STREAM) as silent_tcp,
    ):
        silent_udp.bind(("127.0.0.1", 0))
        silent_tcp.bind(("127.0.0.1", 0))
        silent_tcp.listen()
        silent = silent_tcp if kind.endswith("tcp") else silent_udp
        server = {"urls": [kind.format(silent.getsockname()[1])], "username": "u", "credential": "c"}
        call = DoorMedia(engine, on_event=events).open("near", [server])
        async with stopwatch() as clock:
            await call.create_offer()
            took_s = clock()
        await call.close()
    assert took_s < GATHERING_S + SLACK_S
