"""Call an address and press keys once it has answered; print the keys that the far end presses.

usage: python examples/dtmf.py PAIRING.json ADDRESS DIGITS
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from intercom.signalwire import AiortcMedia, CallError, InvalidStateError, SignalWire, SpaceCredentials


async def main(pairing: Path, address: str, digits: str) -> None:
    async with SignalWire(SpaceCredentials(pairing), media=AiortcMedia()) as client:
        await client.connect()
        try:
            call = await client.dial(address)
            decided = asyncio.Event()
            call.status_stream.subscribe(lambda status: decided.set() if status in {"connected", "destroyed"} else None)
            call.digits_stream.subscribe(lambda digit: print(f"the far end pressed {digit}", flush=True))
            await decided.wait()
            await call.send_digits(digits)
            print(f"sent {len(digits)} digits")
            await call.hangup()
        except (CallError, InvalidStateError) as error:
            print(error)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2], sys.argv[3]))
