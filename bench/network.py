"""A call through everything that befalls a network: how soon both hear each other again, and the door is registered.

A door, a router and a house are three network namespaces; door, space and resident are processes of their own, with
real sockets. In the middle of one long call the router loses every packet for 1 to 30 s without a word, the cable is
pulled for as long, the door's address changes, it moves from the cable to Wi-Fi and back, and the space is killed and
started again. The times run from the moment when the network (or the space) is there again until the last gap of more
than a quarter of a second is over, at the ear of both; until the door is registered for good. A call that ends is
dropped.

The baseline goes through the same at the same time: a call of stock aiortc between the same namespaces. Who is not
heard again within ten seconds is counted as dropped and called anew.
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from bench.report import CannotRunError, Report
from tests.network.namespaces import NamespacesUnavailableError, Street
from tests.network.processes import Neighbourhood, Process, neighbourhood

OUTAGES_S = (1, 1, 1, 5, 5, 10, 30)
ADDRESSES = 4
RESTARTS = 3
AWAY_S = 1.0
"""Without an address between two, as with DHCP."""
DOWN_S = 1.0
"""Between the space's death and its start."""
STEADY_S = 3.0
"""They talk for so long between two events."""
GIVEN_UP_S = 10.0


@dataclass
class Tally:
    """What was measured."""

    audible: dict[str, list[float]] = field(default_factory=dict)
    """By kind of event, seconds."""
    registered: list[float] = field(default_factory=list)
    dropped: list[str] = field(default_factory=list)
    """What ended our calls: the event, and what the door says of it."""
    stock_audible: list[float] = field(default_factory=list)
    stock_dropped: int = 0
    stock_address_changes_lost: int = 0


async def run() -> Report:
    """Go through all of it once; about six minutes."""
    tally = Tally()
    try:
        with tempfile.TemporaryDirectory(prefix="bench-") as directory:
            async with neighbourhood(Path(directory)) as here:
                stock = StockCall(here.street, Path(directory))
                await stock.start()
                try:
                    await _all(here, stock, tally)
                finally:
                    await stock.stop()
                has_netem = here.street.has_netem
    except NamespacesUnavailableError as reason:
        raise CannotRunError(str(reason)) from reason
    return _report(tally, has_netem)


async def _all(here: Neighbourhood, stock: StockCall, tally: Tally) -> None:
    street = here.street
    bench = _Bench(here, stock, tally)
    for seconds in OUTAGES_S:
        await bench.event("outage", lambda: street.forward(False), seconds, lambda: street.forward(True))
        await bench.event("cable", lambda: street.plug("cable", False), seconds, lambda: street.plug("cable", True))
    for host in range(10, 10 + ADDRESSES):
        renumber = partial(street.renumber, "cable", host)
        await bench.event("address", lambda: street.leave("cable"), AWAY_S, renumber)
    for _ in range(ADDRESSES // 2):
        await bench.event("address", lambda: street.leave("cable"), AWAY_S, lambda: street.join("wifi", street.door))
        await bench.event("address", lambda: street.leave("wifi"), AWAY_S, lambda: street.join("cable", street.door))
    for _ in range(RESTARTS):
        await bench.restart()


class _Bench:
    def __init__(self, here: Neighbourhood, stock: StockCall, tally: Tally) -> None:
        self._here = here
        self._stock = stock
        self._tally = tally
        self._talks = False

    async def event(self, kind: str, begin: Callable[[], None], seconds: float, end: Callable[[], None]) -> None:
        """Something happens to the network for a while."""
        await self._ready()
        begin()
        await asyncio.sleep(seconds)
        end()
        await self._measure(kind, time.monotonic())

    async def restart(self) -> None:
        """The space dies and is started again."""
        await self._ready()
        await self._here.space.kill()
        await asyncio.sleep(DOWN_S)
        await self._here.start_space()
        await self._measure("restart", time.monotonic())

    async def _ready(self) -> None:
        if self._talks and self._is_dropped("between two events"):
            self._talks = False
        if not self._talks:
            await self._here.talk()
            self._talks = True
        await self._stock.talk()
        await asyncio.sleep(STEADY_S)

    async def _measure(self, kind: str, back: float) -> None:
        await asyncio.gather(self._ours(kind, back), self._stocks(kind, back))

    async def _ours(self, kind: str, back: float) -> None:
        times = self._tally.audible.setdefault(kind, [])
        try:
            times.append(await self._here.audible(back, GIVEN_UP_S))
        except AssertionError:
            times.append(GIVEN_UP_S)
        if self._is_dropped(kind):
            self._talks = False
        self._tally.registered.append(await self._here.registered(back))

    def _is_dropped(self, by: str) -> bool:
        if self._here.call_status in {"connected", "recovering"}:
            return False
        told = self._here.door.last("call") or {}
        self._tally.dropped.append(f"{by} ({told.get('status')}, {told.get('cause')})")
        return True

    async def _stocks(self, kind: str, back: float) -> None:
        try:
            self._tally.stock_audible.append(await self._stock.audible(back, GIVEN_UP_S))
        except AssertionError:
            self._tally.stock_dropped += 1
            self._tally.stock_address_changes_lost += kind == "address"
            await self._stock.hang_up()


class StockCall:
    """A call of stock aiortc between the door's namespace and the house's."""

    def __init__(self, street: Street, directory: Path) -> None:
        self._street = street
        self._directory = directory
        self._ends: list[Process] = []
        self._talks = False

    async def start(self) -> None:
        """Start both ends."""
        for namespace in (self._street.door, self._street.house):
            command = self._street.command(namespace, sys.executable, "-m", "bench._stock_call")
            self._ends.append(await Process.start(command, self._directory / f"stock-{namespace}.log"))

    async def talk(self) -> None:
        """Call, unless they talk."""
        if self._talks:
            return
        since, (near, far) = time.monotonic(), self._ends
        answer = await _ask(far, "answer", await _ask(near, "offer"))
        await _ask(near, "accept", answer)
        for end in self._ends:
            await end.until(lambda told: told["what"] == "sound" and told["on"], "the stock call's sound", since)
        self._talks = True

    async def hang_up(self) -> None:
        """End it."""
        self._talks = False
        for end in self._ends:
            await _ask(end, "close")

    async def audible(self, back: float, patience_s: float) -> float:
        """As `Neighbourhood.audible`."""
        return max([await end.on_again("sound", back, patience_s) for end in self._ends])

    async def stop(self) -> None:
        """End both processes."""
        for end in self._ends:
            await end.stop()


async def _ask(end: Process, do: str, sdp: str = "") -> str:
    return str(await end.do(do, line=json.dumps({"do": do, "sdp": sdp})))


def _report(tally: Tally, has_netem: bool) -> Report:
    every = [seconds for times in tally.audible.values() for seconds in times]
    figures: dict[str, float] = {
        "audible_p50_s": _quantile(every, 0.50),
        "audible_p95_s": _quantile(every, 0.95),
        "registered_p50_s": _quantile(tally.registered, 0.50),
        "registered_p95_s": _quantile(tally.registered, 0.95),
        "calls_dropped": len(tally.dropped),
    }
    figures |= {f"{kind}_audible_max_s": max(times) for kind, times in tally.audible.items()}
    baselines: dict[str, float] = {
        "stock_aiortc_audible_p50_s": _quantile(tally.stock_audible, 0.50),
        "stock_aiortc_audible_p95_s": _quantile(tally.stock_audible, 0.95),
        "stock_aiortc_calls_dropped": tally.stock_dropped,
        "stock_aiortc_address_changes_lost": tally.stock_address_changes_lost,
    }
    addresses = len(tally.audible["address"])
    notes = [
        f"{len(every)} events: outages without a word and pulled cables of {', '.join(map(str, OUTAGES_S))} s, "
        f"{addresses} changes of address, {RESTARTS} restarts of the space.",
        "The baseline has no signalling to lose; its times are of those calls that came back. "
        f"Of the {addresses} changes of address it survived {addresses - tally.stock_address_changes_lost}.",
        *(f"Dropped by: {event}." for event in tally.dropped),
        "Delay between the namespaces: 10 ms each way, by netem."
        if has_netem
        else "This kernel has no netem: between the namespaces there is no delay but the kernel's own.",
    ]
    targets = {"audible_p95_s": 3.0, "registered_p95_s": 1.0, "calls_dropped": 0.0}
    return Report("network", figures, targets, baselines, notes=notes)


def _quantile(values: list[float], share: float) -> float:
    ordered = sorted(values) or [float("nan")]
    return round(ordered[min(len(ordered) - 1, int(share * len(ordered)))], 3)
