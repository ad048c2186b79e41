"""Call an address, let it ring, stay for some seconds once it is connected, hang up.

usage: python examples/dial.py PAIRING.json ADDRESS [SECONDS]
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from intercom.signalwire import AiortcMedia, CallError, SignalWire, SpaceCredentials


async def main(pairing: Path, address: str, seconds: float) -> None:
    async with SignalWire(SpaceCredentials(pairing), media=AiortcMedia()) as client:
        await client.connect()
        try:
            call = await client.dial(address)
        except CallError as error:
            print(error)
            return
        decided, over = asyncio.Event(), asyncio.create_task(call.wait_destroyed())
        call.status_stream.subscribe(lambda status: print(status, flush=True))
        call.status_stream.subscribe(lambda status: decided.set() if status in {"connected", "destroyed"} else None)
        await decided.wait()
        await asyncio.wait({over}, timeout=seconds)
        await call.hangup()
        print(f"ended: {call.end_cause}")


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2], float(sys.argv[3]) if len(sys.argv) > 3 else 10.0))
