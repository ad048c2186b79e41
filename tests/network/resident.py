"""Somebody in the house, who answers at once: `python -m tests.network.resident DIRECTORY`."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path

from intercom.config import AudioConfig
from intercom.media.cards.simulated import SimulatedCards
from intercom.media.rtp.peer import DoorMedia
from intercom.media.sound.engine import AudioEngine
from intercom.signalwire import SignalWire, SpaceCredentials, WebRTCCall
from tests.network.telling import Hearing, hum, obey, tell


async def main(directory: Path) -> None:
    """Answer until the input ends."""
    hum(700.0)
    Hearing()
    engine = AudioEngine(SimulatedCards(AudioConfig()), on_event=lambda _: None)
    engine.start()
    media = DoorMedia(engine, on_event=lambda event: tell("media", event=repr(event)))
    client = SignalWire(SpaceCredentials(directory / "kitchen.json"), media=media)
    known: set[str] = set()

    async def answer(call: WebRTCCall) -> None:
        call.status_stream.subscribe(lambda status: tell("call", status=str(status), cause=call.end_cause))
        call.recovery_event_stream.subscribe(lambda event: tell("recovery", event=repr(event)))
        await call.answer(video=False)

    def listed(calls: Sequence[WebRTCCall]) -> None:
        for call in calls:
            if call.id not in known:
                known.add(call.id)
                tasks.append(asyncio.get_running_loop().create_task(answer(call)))

    async def hang_up() -> None:
        for call in client.session.calls:
            await call.hangup()

    tasks: list[asyncio.Task[None]] = []
    client.session.incoming_calls_stream.subscribe(listed)
    client.is_registered_stream.subscribe(lambda on: tell("registered", on=on))
    await client.register()
    await obey({"hang_up": hang_up})
    await client.destroy()
    engine.stop()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
