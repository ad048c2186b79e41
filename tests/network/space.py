"""A space as a process of its own: `python -m tests.network.space DIRECTORY LISTEN [TURN_LISTEN]`."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from intercom.config import SpaceConfig
from intercom.space import Space
from intercom.space.auth.membership import Membership
from tests.network.telling import obey, tell


async def main(directory: Path, listen: str, turn_listen: str = "") -> None:
    """Serve until the input ends, or until killed."""
    space = Space(SpaceConfig(listen=listen, turn_listen=turn_listen), directory / "space")
    await space.start()
    for name, groups in (("door", ()), ("kitchen", ("house",))):
        if space.store.subscriber(name) is None:
            space.store.add_subscriber(name, name.capitalize(), groups=groups, kind="resident" if groups else "door")
        space.write_credential(name, directory / f"{name}.json")

    async def online() -> list[str]:
        return space.exchange.online()

    async def calls() -> int:
        return len(space.exchange.control.calls)

    async def kept_calls() -> str:
        file = space._kept_calls._path
        return file.read_text() if file.exists() else ""

    async def pairing_url() -> str:
        return space.invite(name="Tablet").url

    async def remove_door() -> None:
        del space.credentials._files["door"]  # or else the space would make the door a new one by itself
        Membership(directory / "space").remove("door", even_a_door=True)

    async def readmit_door() -> None:
        space.store.add_subscriber("door", "Door", kind="door")
        space.write_credential("door", directory / "door.json")

    tell("serves", port=space.port)
    commands = (online, calls, kept_calls, pairing_url, remove_door, readmit_door)
    await obey({command.__name__: command for command in commands})
    await space.stop()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), *sys.argv[2:]))
