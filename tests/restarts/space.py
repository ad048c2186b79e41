"""A space in a process of its own: `python -m tests.restarts.space DIRECTORY PORT`."""

from __future__ import annotations

import asyncio
import json
import logging
import sys
import time
from pathlib import Path

from intercom.config import SpaceConfig
from intercom.space import Space, SpaceError
from tests.network.telling import obey, tell

RETRY_S = 0.2
START_LIMIT_S = 20.0


async def started(config: SpaceConfig, directory: Path) -> Space:
    """A space that serves; the port of one that was just killed may need a moment."""
    give_up = time.monotonic() + START_LIMIT_S
    while True:
        space = Space(config, directory)
        try:
            await space.start()
        except SpaceError:
            if time.monotonic() > give_up:
                raise
            space.store.close()
            await asyncio.sleep(RETRY_S)
        else:
            return space


def kept_calls(path: Path) -> set[str]:
    """The callers' ids of the calls in the file."""
    try:
        return {call["caller"]["call_id"] for call in json.loads(path.read_bytes())}
    except FileNotFoundError:
        return set()


async def main(directory: Path, port: str) -> None:
    """Serve until the input ends, or until killed."""
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(relativeCreated)d %(name)s %(message)s")
    space = await started(SpaceConfig(listen=f"127.0.0.1:{port}"), directory / "space")
    if space.store.subscriber("door") is None:
        space.store.add_subscriber("door", "Front door", kind="door")
    space.write_credential("door", directory / "door.json")
    tell("serves", port=space.port)

    async def pairing_code() -> str:
        return space.invite().code

    async def calls() -> int:
        """The calls that a kill now would not lose: an answered one counts once its file is on the disk."""
        kept = kept_calls(directory / "space" / "calls.json")
        return sum(call.answered is None or call.caller.call_id in kept for call in space.exchange.control.calls)

    await obey({command.__name__: command for command in (pairing_code, calls)})
    await space.stop()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2]))
