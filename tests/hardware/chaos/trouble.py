"""Does the mishaps of the plan to a house, and undoes them."""

from __future__ import annotations

import asyncio
import random
import signal
import threading
import time
from collections import defaultdict
from pathlib import Path

from tests.hardware.headset import Headset
from tests.hardware.house import House

from .plan import Kind, Mishap
from .wires import Cable

CAMERA_DRIVER = Path("/sys/bus/platform/drivers/vivid")
CAMERA = "vivid.0"
LOOSE_TIMES = 10
DAY_S = 86_400
_THING = {
    Kind.HEADSET_UNPLUGGED: "headset",
    Kind.HEADSET_FROZEN: "headset",
    Kind.HEADSET_LOOSE: "headset",
    Kind.LINK_DOWN: "cable",
    Kind.LINK_SWALLOWS: "cable",
    Kind.LINK_LOSSY: "cable",
    Kind.ADDRESS_CHANGED: "cable",
    Kind.SPACE_KILLED: "space",
    Kind.SPACE_STOPPED: "space",
}


class Trouble:
    """One thing has one mishap at a time; different things may have theirs at once."""

    def __init__(self, house: House, headset: Headset, cable: Cable) -> None:
        self._house = house
        self._headset = headset
        self._cable = cable
        self._busy: defaultdict[object, asyncio.Lock] = defaultdict(asyncio.Lock)

    def turn(self, kind: Kind) -> asyncio.Lock:
        """Hold this while doing a mishap of this kind."""
        return self._busy[_THING.get(kind, kind)]

    async def do(self, mishap: Mishap) -> None:
        """Do it, let it last, undo it."""
        draw = random.Random(mishap.seed)
        match mishap.kind:
            case Kind.HEADSET_UNPLUGGED:
                await asyncio.to_thread(self._headset.unplug)
                await asyncio.sleep(mishap.lasts_s)
                await asyncio.to_thread(self._headset.plug)
            case Kind.HEADSET_FROZEN:
                await asyncio.to_thread(self._headset.freeze)
                await asyncio.sleep(mishap.lasts_s)
                await asyncio.to_thread(self._headset.thaw)
            case Kind.HEADSET_LOOSE:
                await asyncio.to_thread(self._rattle, mishap.lasts_s, draw)
            case Kind.CAMERA_UNPLUGGED:
                # The driver waits for the last who has the device open.
                unbinding = threading.Thread(target=(CAMERA_DRIVER / "unbind").write_text, args=(CAMERA,))
                unbinding.start()
                await asyncio.sleep(mishap.lasts_s)
                await asyncio.to_thread(unbinding.join)
                await asyncio.to_thread((CAMERA_DRIVER / "bind").write_text, CAMERA)
            case Kind.LINK_DOWN:
                await asyncio.to_thread(self._cable.down)
                await asyncio.sleep(mishap.lasts_s)
                await asyncio.to_thread(self._cable.up)
            case Kind.LINK_SWALLOWS | Kind.LINK_LOSSY:
                await asyncio.to_thread(self._cable.lose, 100 if mishap.kind is Kind.LINK_SWALLOWS else 5)
                await asyncio.sleep(mishap.lasts_s)
                await asyncio.to_thread(self._cable.carry)
            case Kind.ADDRESS_CHANGED:
                await asyncio.to_thread(self._cable.change_address)
            case Kind.SPACE_KILLED:
                await asyncio.to_thread(self._house.send, "space", signal.SIGKILL)
                await asyncio.sleep(mishap.lasts_s)
                await asyncio.to_thread(self._house.start, "space")
            case Kind.SPACE_STOPPED:
                self._house.send("space", signal.SIGSTOP)
                await asyncio.sleep(mishap.lasts_s)
                self._house.send("space", signal.SIGCONT)
            case Kind.BUTTON_MASHED:
                until = time.monotonic() + mishap.lasts_s
                while time.monotonic() < until:
                    await asyncio.to_thread(self._house.press)
                    await asyncio.sleep(draw.uniform(0.0, 0.3))
            case Kind.CLOCK_STEPPED:
                step_s = draw.choice((-DAY_S, -3600, -30, 30, 3600, DAY_S))
                _step_clock(step_s)
                await asyncio.sleep(mishap.lasts_s)
                _step_clock(-step_s)

    def _rattle(self, seconds: float, draw: random.Random) -> None:
        for _ in range(LOOSE_TIMES):
            self._headset.unplug()
            time.sleep(seconds / LOOSE_TIMES * draw.uniform(0.2, 0.5))
            self._headset.plug(wait=False)
            time.sleep(seconds / LOOSE_TIMES * draw.uniform(0.2, 0.5))


def _step_clock(seconds: float) -> None:
    time.clock_settime(time.CLOCK_REALTIME, time.clock_gettime(time.CLOCK_REALTIME) + seconds)
