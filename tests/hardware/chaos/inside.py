"""The chaos run itself, inside a guest: `python -m tests.hardware.chaos.inside MINUTES SEED LOG`.

A space and a resident in the house, the door at the other end of a cable; a stream of calls, and mishaps upon it. Its
exit status is 1 when something was found.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from pathlib import Path

from intercom.control.errors import ControlError
from intercom.media.camera.v4l2_controls import camera_name
from tests.hardware.gpio import GpioChip
from tests.hardware.headset import Headset
from tests.hardware.house import House
from tests.hardware.resident import Resident
from tests.systemd_line import SystemdLine

from . import plan
from .liars import TABLES, Liars, liars
from .plan import Kind, Mishap
from .stream import Calls, Door, Sound
from .trouble import Trouble
from .verdict import Done, Line, Size, creep, faults_of, judge, last_words, leaks, table
from .wires import HOUSE, OUTSIDE, Cable

RESIDENT_HZ, VISITOR_HZ = 1000, 700
WATCHDOG_S = 20
"""As in the unit."""
READY_S = 90.0
HEAL_S = 60.0
"""Longer than any recovery may take: then the run goes on, and says so."""
ALONE_S = 150.0
"""Longer than the longest pause before the next try, and than a viewer that vanished holds its place."""
WARM_CALLS = 2
SETTLE_S = 5.0
LOOK_S = 0.2
KERNEL_CHARS = 4000
CALM_S = 20.0
"""So long after a mishap a call must succeed again."""
CONFIGURATION = f"""
state_dir = "{{state}}"
[audio]
card = "plughw:CARD=Headset,DEV=0"
[camera]
source = "v4l2"
device = "CAMERA"
width = 160
height = 120
frame_rate = 5
look = true
[call]
auto_answer = ["residents"]
ring_time_s = 20
[panel]
pins = "gpio"
[space]
listen = "{HOUSE}:8443"
[log]
level = "debug"
{TABLES}"""


class Run:
    """One chaos run over a house that stands."""

    def __init__(
        self,
        house: House,
        headset: Headset,
        resident: Resident,
        cable: Cable,
        liars: Liars,
        systemd: SystemdLine,
        folder: Path,
    ) -> None:
        self._house = house
        self._headset = headset
        self._resident = resident
        self._systemd = systemd
        self._door = Door(folder / "control.sock")
        self._trouble = Trouble(house, headset, cable)
        self._liars = liars
        self._began = time.monotonic()
        self._heard = Sound(headset, VISITOR_HZ, resident, RESIDENT_HZ)
        self._calls = Calls(house, resident, self._door, self._heard, spoilt=self._spoilt, now=self._now, say=self._say)
        self._log: list[Line] = []
        self._done: list[Done] = []
        self._memory: list[float] = []
        self._fed = time.monotonic()
        self._longest_hunger_s = 0.0
        self._said = ""
        self.findings: list[str] = []
        self._over = threading.Event()
        self._listener = threading.Thread(target=self._listen)

    async def go(self, seconds: float, seed: int) -> None:
        """Warm up, do the plan for so long, wait until all is well again, and look what is left."""
        self._listener.start()
        strays = asyncio.create_task(self._calls.turn_strays_away())
        if not (await self._until(self._is_idle, READY_S) and await self._until(self._is_left_alone, READY_S)):
            self._find("the door was not ready at the start")
            return
        planned = plan.calls(seed)
        for call in itertools.islice(planned, WARM_CALLS):
            await self._calls.make(call)
        before = await self._size()
        self._say(f"before: {before}")
        self._log.clear()
        end = time.monotonic() + seconds
        planned_mishaps = (plan.mishaps(seed), *(plan.lies(seed, kinds) for kinds in plan.LIARS))
        mishaps = asyncio.gather(*(self._mishaps(each, end) for each in planned_mishaps))
        while time.monotonic() < end and not self._has_ended:
            call = next(planned)
            await asyncio.sleep(call.pause_s)
            await self._calls.make(call)
        await mishaps
        strays.cancel()
        if self._has_ended:
            return
        if not await self._until(self._is_idle, HEAL_S):
            self._find(f"the door did not come to rest: {await self._status()}")
        await self._last_call()
        if not await self._until(self._is_left_alone, ALONE_S):
            self._find(f"the house's other systems are not what they were: {await self._status()}")
        after = await self._size()
        self._say(f"after: {after}")
        for leak in (*leaks(before, after), *creep(self._memory)):
            self._find(leak)

    async def look_back(self) -> None:
        """After the door has ended: hold its log against what was done."""
        faults = faults_of(self._log)
        stalls = [(began_s - self._began, over_s - self._began) for began_s, over_s in self._headset.report().stalls]
        for finding in (*judge(self._done, faults, self._log, stalls), *self._calls.findings):
            self._find(finding)
        if self._longest_hunger_s > WATCHDOG_S:
            self._find(f"the watchdog went hungry for {self._longest_hunger_s:.0f} s")
        self._say(table(self._done))
        if stalls:
            self._say(f"the bench's own headset stood still {len(stalls)} times: the machine was busy")
        self._say("calls: " + ", ".join(f"{count} {outcome}" for outcome, count in self._calls.outcomes.most_common()))
        self._say(
            f"faults: {len(faults)}; longest time between two meals of the watchdog: {self._longest_hunger_s:.1f} s"
        )

    def end_door(self) -> None:
        """End the door, and see that nothing of it is left."""
        died = self._house.ended("run")
        status = self._house.end("run") if died is None else died
        self._over.set()
        self._listener.join()
        if died is not None:
            self._find(f"the door died, with status {status}. Its last words:\n{last_words(self._log)}")
            if status == -signal.SIGKILL:  # which leaves it no words: most likely the kernel was out of memory
                self._say(subprocess.run(["dmesg"], capture_output=True, text=True, check=False).stdout[-KERNEL_CHARS:])
        elif status:
            self._find(f"the door ended with status {status}")
        for pcm in Path("/proc/asound").glob("card*/pcm*/sub*/status"):
            if (state := pcm.read_text().strip()) != "closed":
                self._find(f"{pcm} is still open: {state}")
        for process in Path("/proc").glob("[0-9]*/cmdline"):
            with contextlib.suppress(OSError):
                if b"panel/relay/relay_watchdog.py" in process.read_bytes():
                    self._find("the relay's guard is still there")

    # -- the mishaps -----------------------------------------------------------------------------------

    async def _mishaps(self, planned: Iterator[Mishap], end: float) -> None:
        under_way: set[asyncio.Task[None]] = set()
        for mishap in planned:
            if not mishap.overlaps and under_way:
                await asyncio.wait(under_way)
            if mishap.after_health:
                await self._until(partial(self._is_well_after, mishap.kind), HEAL_S)
            await asyncio.sleep(mishap.pause_s)
            if time.monotonic() + mishap.lasts_s >= end or self._has_ended:
                break
            task = asyncio.create_task(self._one(mishap))
            under_way.add(task)
            task.add_done_callback(under_way.discard)
        if under_way:
            await asyncio.wait(under_way)

    async def _one(self, mishap: Mishap) -> None:
        async with self._trouble.turn(mishap.kind):
            done = Done(mishap, self._now())
            self._done.append(done)
            self._memory.append(self._memory_mb())
            self._say(f"{done.began_s:7.1f} s  {self._memory[-1]:5.1f} MB  {mishap.kind.words}, for {mishap.lasts_s} s")
            try:
                await (self._trouble if mishap.kind.lie is None else self._liars).do(mishap)
            except Exception as error:  # noqa: BLE001 - whatever it is, the bench did not do what it says
                self._find(f"the bench failed at {mishap.kind.words} at {done.began_s:.1f} s: {error!r}")
            done.over_s = self._now()
        limit_s = HEAL_S if mishap.kind.lie is None else ALONE_S
        healed = await self._until(lambda: self._healed_or_disturbed(done), limit_s)
        if not self._is_disturbed(done):
            done.healed_after_s = self._now() - done.over_s
            if not healed:
                self._say(f"{self._now():7.1f} s  not healed: {await self._status()}")

    async def _healed_or_disturbed(self, done: Done) -> bool:
        return self._is_disturbed(done) or await self._is_well_after(done.mishap.kind)

    def _is_disturbed(self, done: Done) -> bool:
        """Return whether something else that breaks the same lasted longer, or began since."""
        mine = done.mishap.kind
        return any(
            other is not done
            and other.over_s > done.over_s
            and (other.mishap.kind.lie is None if mine.lie is None else bool(other.mishap.kind.causes & mine.causes))
            for other in self._done
        )

    def _spoilt(self, since_s: float, sound: bool) -> bool:
        return any(
            (done.mishap.spoils_sound if sound else done.mishap.spoils_calls) and done.over_s + CALM_S > since_s
            for done in self._done
        )

    # -- the door --------------------------------------------------------------------------------------

    async def _is_healthy(self) -> bool:
        with contextlib.suppress(ControlError, OSError):
            return await self._door.healthy() is not None
        return False

    async def _is_well_after(self, kind: Kind) -> bool:
        """Return whether nothing is broken any more of what an accident breaks, or this lie."""
        if kind.lie is None:
            return await self._is_healthy()
        with contextlib.suppress(ControlError, OSError):
            return not await self._door.has(kind.causes)
        return False

    async def _is_left_alone(self) -> bool:
        with contextlib.suppress(ControlError, OSError):
            return await self._door.is_left_alone()
        return False

    async def _is_idle(self) -> bool:
        with contextlib.suppress(ControlError, OSError):
            status = await self._door.healthy()
            return status is not None and status["state"] == "idle" and not status["sound"]["running"]
        return False

    async def _status(self) -> str:
        try:
            status = await self._door.ask("status")
        except (ControlError, OSError) as error:
            return str(error)
        return f"{status['state']}, registered {status['registered']}, {status['faults']}, call {status['call']}"

    async def _last_call(self) -> None:
        """With nothing amiss any more: both hear one another."""
        await self._heard.forget()
        self._house.press()
        try:
            call = await self._resident.rings(HEAL_S)
            await call.answer(audio=True, video=False)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is found
            self._find(f"the last call failed: {error!r}")
            return
        for who, hears in (
            ("visitor", lambda: self._headset.hears(RESIDENT_HZ)),
            ("resident", lambda: self._resident.hears(VISITOR_HZ)),
        ):
            if not await self._until(_off_loop(hears), HEAL_S):
                self._find(f"the {who} does not hear the other in the last call")
        await call.hangup()
        if not await self._until(self._is_idle, HEAL_S):
            self._find(f"the door is not idle after the last call: {await self._status()}")

    async def _size(self) -> Size:
        """What the idle door holds, once that has settled."""
        await self._until(self._is_idle, HEAL_S)
        await asyncio.sleep(SETTLE_S)
        tasks = (await self._door.ask("diagnostics"))["tasks"]
        threads = (await self._door.ask("diagnostics"))["threads"]
        return Size(
            # What waits in asyncio's pool for the next piece of blocking work is bounded by the pool.
            threads=int(self._kernel_says("Threads")) - sum(name.startswith("asyncio_") for name in threads),
            tasks=len(tasks),
            descriptors=len(list(self._process().glob("fd/*"))),
            memory_mb=self._memory_mb(),
        )

    @property
    def _has_ended(self) -> bool:
        return self._house.ended("run") is not None

    def _memory_mb(self) -> float:
        return 0.0 if self._has_ended else int(self._kernel_says("VmRSS")) / 1024

    def _kernel_says(self, what: str) -> str:
        status = dict(line.split(":", 1) for line in (self._process() / "status").read_text().splitlines())
        return status[what].split()[0]

    def _process(self) -> Path:
        return Path("/proc", str(self._house.pid("run")))

    # -- what the door says ----------------------------------------------------------------------------

    def _listen(self) -> None:
        """On a thread of its own: read the door's log and its line to systemd as they come."""
        with self._house.log_file("run").open(errors="replace") as log:
            while not self._over.wait(LOOK_S / 4):
                self._log += [Line(self._now(), line.rstrip()) for line in log]
                for said in self._systemd.heard():
                    if said == "WATCHDOG=1":
                        self._fed = time.monotonic()
                self._longest_hunger_s = max(self._longest_hunger_s, time.monotonic() - self._fed)
            self._log += [Line(self._now(), line.rstrip()) for line in log]

    def _now(self) -> float:
        return time.monotonic() - self._began

    def _find(self, finding: str) -> None:
        self.findings.append(finding)
        self._say(f"FOUND: {finding}")

    def _say(self, text: str) -> None:
        print(text, flush=True)

    async def _until(self, holds: Callable[[], Awaitable[bool]], limit_s: float) -> bool:
        give_up = time.monotonic() + limit_s
        while not await holds():
            if time.monotonic() > give_up or self._has_ended:
                return False
            await asyncio.sleep(LOOK_S)
        return True


def _off_loop(hears: Callable[[], bool]) -> Callable[[], Awaitable[bool]]:
    return lambda: asyncio.to_thread(hears)


def _camera() -> str:
    nodes = sorted(Path("/sys/class/video4linux").glob("video*"))
    return next(f"/dev/{node.name}" for node in nodes if camera_name(f"/dev/{node.name}") == "vivid")


async def run(minutes: float, seed: int, folder: Path) -> int:
    """Do a whole run in `folder`; the exit status."""
    logging.basicConfig(level=logging.ERROR)  # the resident's own troubles are not what is looked for
    cable = Cable()
    with contextlib.ExitStack() as stack:
        header = stack.enter_context(GpioChip())
        headset = stack.enter_context(Headset())
        headset.tone(VISITOR_HZ)
        headset.plug()
        systemd = stack.enter_context(SystemdLine())
        configuration = CONFIGURATION.replace("CAMERA", _camera())
        cable.lay()
        os.environ |= {"NOTIFY_SOCKET": systemd.address, "WATCHDOG_USEC": str(WATCHDOG_S * 1_000_000)}
        house = stack.enter_context(House(folder, header, configuration=configuration, door=OUTSIDE, tells=False))
        async with liars(house, cable, folder) as there, Resident(house.join("kitchen"), RESIDENT_HZ) as resident:
            chaos = Run(house, headset, resident, cable, there, systemd, folder)
            await chaos.go(60 * minutes, seed)
            chaos.end_door()
            await chaos.look_back()
            print(f"{len(chaos.findings)} findings, seed {seed}")
            return 1 if chaos.findings else 0


def main(minutes: str, seed: str, keep_log: str) -> int:
    """The command; `keep_log` is a file for the door's log."""
    with tempfile.TemporaryDirectory(prefix="chaos-") as work:
        try:
            return asyncio.run(run(float(minutes), int(seed), Path(work)))
        finally:
            with contextlib.suppress(OSError):
                shutil.copy(Path(work, "run.log"), keep_log)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
