"""Register as a subscriber and answer whoever calls, until Ctrl-C.

usage: python examples/register_and_answer.py PAIRING.json [SOUND.wav]

PAIRING.json is what pairing with an Intercom space wrote; SOUND.wav is played to callers.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
from pathlib import Path

from intercom.signalwire import AiortcMedia, CallError, InvalidStateError, SignalWire, SpaceCredentials, WebRTCCall


def sound(path: str) -> AiortcMedia:
    from aiortc.contrib.media import MediaPlayer

    return AiortcMedia(audio=lambda: MediaPlayer(path, loop=True).audio)


async def answer(call: WebRTCCall) -> None:
    try:
        await call.answer()
    except (CallError, InvalidStateError) as error:
        print(f"not answered: {error}", flush=True)


async def main(pairing: Path, media: AiortcMedia) -> None:
    async with SignalWire(SpaceCredentials(pairing), media=media) as client, asyncio.TaskGroup() as tasks:
        answered: set[str] = set()

        def ring(calls: tuple[WebRTCCall, ...]) -> None:
            answered.intersection_update(call.id for call in calls)
            for call in calls:
                if call.id not in answered:
                    answered.add(call.id)
                    print(f"{call.from_name or call.from_} calls", flush=True)
                    tasks.create_task(answer(call))
                    call.status_stream.subscribe(lambda status, call=call: print(call.id[:8], status, flush=True))

        client.session.incoming_calls_stream.subscribe(ring)
        await client.register()
        print("registered", flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main(Path(sys.argv[1]), sound(sys.argv[2]) if len(sys.argv) > 2 else AiortcMedia()))
