"""Somebody records how a recorder signs in to the stream, and says the same on a connection of their own."""

from __future__ import annotations

from tests.integrations.rtsp.client import RawClient
from tests.integrations.rtsp.watched_door import WatchedDoor, door, engine

__all__ = ["door", "engine"]


async def test_a_proof_opens_no_second_connection(door: WatchedDoor) -> None:
    async with RawClient(door.server.port, door.viewer) as recorder, RawClient(door.server.port) as thief:
        assert (await recorder.ask("DESCRIBE")).status == 200
        assert (await thief.ask("DESCRIBE", Authorization=recorder.proof)).status == 401


async def test_a_session_of_another_connection_is_not_taken_over(door: WatchedDoor) -> None:
    async with RawClient(door.server.port, door.viewer) as recorder, RawClient(door.server.port) as thief:
        await recorder.watch()
        thief.session = recorder.session
        for method in ("PLAY", "PAUSE", "TEARDOWN"):
            assert (await thief.ask(method)).status == 401
        await recorder.packet()


async def test_somebody_else_with_an_account_does_not_end_it_either(door: WatchedDoor) -> None:
    async with RawClient(door.server.port, door.viewer) as one, RawClient(door.server.port, door.talker) as two:
        await one.watch()
        two.session = one.session
        assert (await two.ask("TEARDOWN")).status == 454
        await one.packet()
