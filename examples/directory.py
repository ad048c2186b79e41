"""List who can be called.

usage: python examples/directory.py PAIRING.json
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from intercom.signalwire import AiortcMedia, SignalWire, SpaceCredentials


async def main(pairing: Path) -> None:
    async with SignalWire(SpaceCredentials(pairing), media=AiortcMedia()) as client:
        await client.connect()
        assert client.directory is not None
        await client.directory.load_all()
        for address in client.directory.addresses:
            print(f"{address.default_channel:40} {address.type:10} {address.display_name}")


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
