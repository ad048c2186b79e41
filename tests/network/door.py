"""The whole door station with simulated pins and a simulated card: `python -m tests.network.door DIRECTORY [PATIENCE]`.

`PATIENCE` multiplies the waits of the recovery ladder, so that a test need not wait for a minute.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from gpiozero.pins.mock import MockFactory, MockPWMPin

from intercom.cli import render
from intercom.config import AudioConfig, CallConfig, CameraConfig, Config, PanelConfig
from intercom.door.appliance import Appliance
from intercom.door.machine import Decision
from intercom.door.volume import Volume
from intercom.signalwire import SignalWireError, WebRTCCall
from intercom.signalwire.call import recovery_policy
from intercom.signalwire.link.transport import WebSocket
from tests.network.telling import Hearing, hum, obey, tell

TIME_LIMIT_S = 3600.0
"""Longest call. The usual five minutes ended the one call of the network bench, which takes about as long."""


def config() -> Config:
    """No picture: it is the sound that is timed."""
    return Config(
        audio=AudioConfig(card="simulated", echo_canceller="none"),
        camera=CameraConfig(source="off"),
        panel=PanelConfig(pins="simulated", page_listen=""),
        call=CallConfig(video=False, time_limit_s=TIME_LIMIT_S),
    )


async def main(directory: Path, patience: float = 1.0) -> None:
    """Be a door until the input ends."""
    for name in ("RESTART_TIMEOUT_S", "COOLDOWN_S", "REFUSED_PAUSE_S"):
        setattr(recovery_policy, name, getattr(recovery_policy, name) * patience)
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(relativeCreated)d %(name)s %(message)s")
    hum(1100.0)
    Hearing()
    door = Appliance(config(), state_dir=directory, pin_factory=MockFactory(pin_class=MockPWMPin))
    carry_out = door.machine.on_decision

    def decided(decision: Decision) -> None:
        if decision.source is not decision.dest:
            tell("state", state=str(decision.dest), why=decision.reason)
        carry_out(decision)

    door.machine.on_decision = decided
    tell_media = door.events.media

    def media_event(event: Any) -> None:
        tell("media", event=repr(event))
        tell_media(event)

    door.media._on_event = media_event
    play = door.engine.play

    def sounds(name: str, **more: Any) -> Any:
        tell("tone", name=name)
        return play(name, **more)

    door.engine.play = sounds  # type: ignore[method-assign]  # it only listens
    door.client.is_registered_stream.subscribe(lambda on: tell("registered", on=on))
    known: set[str] = set()

    def listed(calls: Sequence[WebRTCCall]) -> None:
        for call in calls:
            if call.id not in known:
                known.add(call.id)
                follow(call)

    def follow(call: WebRTCCall) -> None:
        call.status_stream.subscribe(lambda status: tell("call", status=str(status), cause=call.end_cause))

    door.client.session.calls_stream.subscribe(listed)

    async def press() -> None:
        door.calls.press()

    async def status() -> Any:
        return door.handlers.status()

    async def status_text() -> str:
        return render.status(door.handlers.status(), colour=False)

    async def hang_up() -> None:
        await door.calls.hang_up()

    async def address() -> str:
        socket = door.client._client.link._socket
        return str(socket._connection.local_address[0]) if isinstance(socket, WebSocket) else ""

    async def reach() -> float:
        """When the service answers."""
        while True:
            with contextlib.suppress(SignalWireError):
                await door.client.session.execute("signalwire.ping", {}, timeout_s=0.5)
                return time.monotonic()

    async def last_call() -> Any:
        (record,) = await door.recorder.calls(1)
        return asdict(record)

    assert isinstance(door.volume, Volume)
    await door.start()
    commands = (press, status, status_text, hang_up, address, reach, last_call)
    await obey({command.__name__: command for command in commands})
    await door.stop()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), *map(float, sys.argv[2:])))
