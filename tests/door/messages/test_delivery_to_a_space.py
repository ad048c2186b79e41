"""A door's messages reach a real space, over TLS and its own HTTP, also when the space is restarted meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from intercom.config import HistoryConfig, SpaceConfig
from intercom.door.messages.delivery import Delivery
from intercom.facts import RegistrationChanged
from intercom.history.journal import Entry
from intercom.message_files import PIECE_BYTES, MessageFiles
from intercom.signalwire import SpaceCredentials
from intercom.space import Space
from tests.ports import reserved_port

LIMIT_S = 60.0
FILM = bytes(range(256)) * (5 * PIECE_BYTES // 512)


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(LIMIT_S):
        while not holds():
            await asyncio.sleep(0.01)


async def test_a_message_arrives_whole_over_a_restart_of_the_space(tmp_path: Path) -> None:
    files = MessageFiles(tmp_path / "door", keep_days=9, most_bytes=10**8)
    files.finish(files.append(files.begin("ring-1"), FILM), seconds=21)
    credential = tmp_path / "door.json"
    with reserved_port() as port:
        config = SpaceConfig(listen=f"127.0.0.1:{port}", tls="on")

        def space() -> Space:
            return Space(config, tmp_path / "space", history=HistoryConfig(messages=True))

        first = space()
        await first.start()
        first.write_credential("door", credential, display_name="Front door")
        arrived = first.messages.files
        delivery = Delivery(files, SpaceCredentials(credential))
        running = asyncio.create_task(delivery.run())
        await until(lambda: bool(arrived.all() or arrived.all(whole=False)))
        await first.stop()
        second = space()
        await second.start()
        try:
            delivery.take(Entry(1, datetime.now(UTC), 0.0, RegistrationChanged(registered=True)))
            await until(lambda: files.all() == [])
            (message,) = second.messages.files.all()
            assert (message.id, message.door, message.seconds) == ("ring-1", "door", 21)
            assert message.path.read_bytes() == FILM
        finally:
            running.cancel()
            await second.stop()
