"""Whoever may watch has the door send its picture to a machine that did not ask for it."""

from __future__ import annotations

import socket

from tests.integrations.rtsp.client import RawClient
from tests.integrations.rtsp.watched_door import WatchedDoor, door, engine, until
from tests.ports import free_port

__all__ = ["door", "engine"]

VICTIM = "127.0.0.2"


def bound(address: str, port: int = 0) -> socket.socket:
    opened = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    opened.bind((address, port))
    opened.setblocking(False)
    return opened


def arrived(port: socket.socket) -> bool:
    try:
        return bool(port.recv(2048))
    except BlockingIOError:
        return False


async def test_an_address_that_the_client_names_counts_for_nothing(door: WatchedDoor) -> None:
    with bound("127.0.0.1") as asker, bound(VICTIM, asker.getsockname()[1]) as victim:
        async with RawClient(door.server.port, door.viewer) as client:
            await client.ask("DESCRIBE")
            number = asker.getsockname()[1]
            aimed = f"RTP/AVP;unicast;destination={VICTIM};client_port={number}-{number ^ 1}"
            set_up = await client.ask("SETUP", "door/video", Transport=aimed)
            assert set_up.status == 200
            assert VICTIM not in set_up.headers["transport"]
            await client.ask("PLAY")
            await until(lambda: arrived(asker))
            assert not arrived(victim)


async def test_a_port_where_nobody_listens_gets_no_stream(door: WatchedDoor) -> None:
    closed = free_port()
    async with RawClient(door.server.port, door.viewer) as client:
        await client.ask("DESCRIBE")
        await client.ask("SETUP", "door/video", Transport=f"RTP/AVP;unicast;client_port={closed}-{closed ^ 1}")
        await client.ask("PLAY")
        await client.ends()


async def test_a_multicast_group_gets_none_either(door: WatchedDoor) -> None:
    async with RawClient(door.server.port, door.viewer) as client:
        await client.ask("DESCRIBE")
        aimed = "RTP/AVP;multicast;destination=239.1.2.3;client_port=5000-5001"
        assert (await client.ask("SETUP", "door/video", Transport=aimed)).status == 461
