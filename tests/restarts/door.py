"""The whole door station with simulated pins and a simulated card: `python -m tests.restarts.door DIRECTORY`."""

from __future__ import annotations

import asyncio
import logging
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from gpiozero.pins.mock import MockFactory, MockPWMPin

from intercom.config import AudioConfig, CallConfig, CameraConfig, Config, DoorConfig, PanelConfig
from intercom.door.appliance import Appliance
from intercom.facts import Pressed, PressedAgain, PressWaits
from intercom.history.journal import Entry
from tests.network.telling import obey, tell

EVERY = 10_000
"""Limit of the rows of the log that are looked at: more than any run of restarts makes."""
TAKEN_LIMIT_S = 60.0


def config() -> Config:
    """No picture and no canceller: what is looked at is who rings."""
    return Config(
        audio=AudioConfig(card="simulated", echo_canceller="none"),
        camera=CameraConfig(source="off"),
        # While the loop is busy the finger stays, and one that stays for two seconds ends the ringing.
        panel=PanelConfig(pins="simulated", page_listen="", hold_s=10.0),
        door=DoorConfig(pulse_s=0.5),
        call=CallConfig(video=False, ring_time_s=600.0),
    )


async def main(directory: Path) -> None:
    """Be a door until the input ends, or until killed."""
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(relativeCreated)d %(name)s %(message)s")
    pins = MockFactory(pin_class=MockPWMPin)
    settings = config()
    door = Appliance(settings, state_dir=directory, pin_factory=pins)
    button = pins.pin(settings.panel.button_gpio)

    taken = asyncio.Event()

    def told(entry: Entry) -> None:
        if isinstance(entry.fact, Pressed | PressedAgain | PressWaits):
            taken.set()

    async def press() -> None:
        """Keep the finger on the button until the press is taken, and away from it until another one would count."""
        taken.clear()
        button.drive_low()
        await asyncio.wait_for(taken.wait(), TAKEN_LIMIT_S)
        button.drive_high()
        await asyncio.sleep((settings.panel.button_settle_ms + settings.panel.button_lockout_ms) / 1000 + 0.05)

    async def status() -> dict[str, Any]:
        machine = door.machine
        return {"state": str(machine.state), "phase": str(machine.phase), "registered": machine.registered}

    async def log() -> list[dict[str, Any]]:
        return [asdict(record) for record in await door.recorder.calls(EVERY)]

    async def hang_up() -> bool:
        return await door.calls.hang_up()

    door.journal.subscribe(told)
    await door.start()
    tell("runs")
    commands = (press, status, log, hang_up)
    await obey({command.__name__: command for command in commands})
    await door.stop()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
