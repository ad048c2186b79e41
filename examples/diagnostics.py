"""Register, make a test call to an address that answers by itself, and print what there is to know, as JSON.

usage: python examples/diagnostics.py PAIRING.json [ADDRESS] [SECONDS]
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

import msgspec

from intercom.signalwire import AiortcMedia, SignalWire, SpaceCredentials


async def main(pairing: Path, address: str, seconds: float) -> None:
    async with SignalWire(SpaceCredentials(pairing), media=AiortcMedia()) as client:
        await client.register()
        result = await client.preflight(address, duration_s=seconds)
        print(json.dumps({"preflight": msgspec.to_builtins(result), **client.export_diagnostics()}, indent=2))


if __name__ == "__main__":
    arguments = [*sys.argv[2:], "/public/echo", "5"][: max(2, len(sys.argv) - 2)]
    asyncio.run(main(Path(sys.argv[1]), arguments[0], float(arguments[1])))
