"""In the ARM machine: a finger, a headset and a resident at the installed door; `python -m tests.arm.inside`.

Each line that it prints is a thing that somebody saw. It fails where one of them does not come.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from intercom.config import load
from intercom.service.run_as_service import SPACE_STATE, as_owner_of
from intercom.space import Space
from tests.hardware.headset import Headset
from tests.hardware.house import DOOR, PINS, PRESS_S
from tests.hardware.resident import Resident
from tests.hardware.wait import eventually

SETTINGS = Path("/etc/intercom/intercom.toml")
LINES = "devices/platform/gpio-sim.*/gpiochip*/sim_gpio{}"
RESIDENT_HZ, VISITOR_HZ = 1000, 700
LIMIT_S = 60.0


def line(number: int) -> Path:
    """The directory of a line of the header."""
    (found,) = Path("/sys").glob(LINES.format(number))
    return found


def is_high(number: int) -> bool:
    """Whether a light of the header is on."""
    return (line(number) / "value").read_text().strip() == "1"


async def press() -> None:
    """Press the button and let go."""
    pull = line(PINS.button_gpio) / "pull"
    pull.write_text("pull-down")
    await asyncio.sleep(PRESS_S)
    pull.write_text("pull-up")


async def saw(what: str, happened: Callable[[], object]) -> None:
    """Wait for something, and tell how long it took."""
    began = time.monotonic()
    await eventually(happened, LIMIT_S, what)
    print(f"{what}: {time.monotonic() - began:.2f} s", flush=True)


def join(folder: Path) -> Path:
    """Make someone a resident and return the file of their credential."""
    config, file = load(SETTINGS), folder / "kitchen.json"
    with as_owner_of(SPACE_STATE):
        space = Space(config.space, SPACE_STATE)
        space.store.add_subscriber("kitchen", "Kitchen", groups=(config.space.group,))
        credential = space.credential_of("kitchen", None)
        space.store.close()
    credential.write(file)
    return file


async def visit(headset: Headset, resident: Resident) -> None:
    """Somebody rings, talks, comes in, and loses the headset in between."""

    def idle() -> bool:
        return all(is_high(light) for light in (PINS.red_gpio, PINS.green_gpio, PINS.blue_gpio))

    def amber() -> bool:
        return is_high(PINS.red_gpio) and not is_high(PINS.blue_gpio)

    def green() -> bool:
        return is_high(PINS.green_gpio) and not is_high(PINS.red_gpio)

    async def both_ways() -> None:
        await saw("  the visitor hears the resident", lambda: headset.hears(RESIDENT_HZ))
        await saw("  the resident hears the visitor", lambda: resident.hears(VISITOR_HZ))

    await saw("the light is white: the door is idle", idle)
    began = time.monotonic()
    await press()
    call = await resident.rings(LIMIT_S)
    print(f"the button is pressed, and the house rings: {time.monotonic() - began:.2f} s", flush=True)
    await call.answer(audio=True, video=False)
    await both_ways()
    await call.send_digits(DOOR.open_digits)
    await saw("the resident presses the key that opens: the relay is on", lambda: is_high(DOOR.relay_gpio))
    await saw("  and off again", lambda: not is_high(DOOR.relay_gpio))
    await saw("the light is green: they speak", green)
    headset.unplug()
    await saw("the headset is pulled out in the call: the light is amber", amber)
    resident.forget()
    headset.plug(wait=False)
    print("the headset is put back", flush=True)
    await both_ways()
    assert call.status == "connected", call.status
    await call.hangup()
    await saw("after the call the light is white", idle)


async def main() -> None:
    """Plug in, join, visit."""
    with TemporaryDirectory() as folder, Headset() as headset:
        headset.tone(VISITOR_HZ)
        headset.plug()
        async with Resident(join(Path(folder)), RESIDENT_HZ) as resident:
            await visit(headset, resident)


if __name__ == "__main__":
    asyncio.run(main())
