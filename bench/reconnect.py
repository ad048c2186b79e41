"""From the service's return to registered, fifty times, ours and the reference JavaScript SDK under the same cuts.

Both are registered with one space, through a gate that closes for between half a second and four seconds: connections
break without a farewell and new ones are refused. The time runs from the moment when the gate is open again until the
space holds the client registered, so it counts the client's pause between two attempts, the socket with TLS,
authentication and registration. `p50_ms` and `p95_ms` are of a client with its usual pauses, `own_space_…` of the door
at its own space, which it may ask more often.
"""

from __future__ import annotations

import asyncio
import random
import tempfile
import time
from pathlib import Path

from bench._far_end import NoMedia
from bench._gate import Gate
from bench.report import Report, spread
from intercom.door.account import OWN_SPACE_DELAY_S
from intercom.signalwire import Options, SignalWire, SpaceCredentials
from intercom.space import Space
from tests.reference.sdk import ReferenceClient, chromium, reference_space

CUTS = 50
OUTAGE_S = (0.5, 4.0)
SEED = 3
STEADY_S = 0.5
"""Both have settled before the next cut."""
GIVEN_UP_S = 20.0
"""Who is not back by now is counted as left unregistered."""
LOOK_S = 0.002
OURS, DOOR, SDK = "client", "door", "sdk"


async def run() -> Report:
    """Cut fifty times."""
    with tempfile.TemporaryDirectory(prefix="bench-") as temporary:
        directory = Path(temporary)
        async with reference_space(directory) as space:
            gate = Gate(space.port)
            await gate.open()
            # What the SDK's token says of the relay's whereabouts.
            space.tokens.channel_host = space.tokens.channel_host.replace(str(space.port), str(gate.port))
            try:
                async with (
                    SignalWire(_credentials(space, gate, directory, OURS), media=NoMedia()) as ours,
                    SignalWire(
                        _credentials(space, gate, directory, DOOR),
                        media=NoMedia(),
                        options=Options(longest_delay_s=OWN_SPACE_DELAY_S),
                    ) as door,
                    chromium() as browser,
                    ReferenceClient(browser, space, SDK),
                ):
                    await asyncio.gather(ours.register(), door.register())
                    took, left = await _cuts(space, gate)
            finally:
                await gate.close()
    figures = spread(took[OURS]) | {f"own_space_{name}": value for name, value in spread(took[DOOR]).items()}
    figures["left_unregistered"] = left[OURS] + left[DOOR]
    baselines = {f"reference_sdk_{name}": value for name, value in spread(took[SDK]).items()}
    baselines["reference_sdk_left_unregistered"] = left[SDK]
    notes = [
        f"{CUTS} outages of {OUTAGE_S[0]} s to {OUTAGE_S[1]} s; whoever needs more than {GIVEN_UP_S:.0f} s is counted "
        "as left unregistered."
    ]
    return Report("reconnect", figures, {"left_unregistered": 0}, baselines, notes=notes)


def _credentials(space: Space, gate: Gate, directory: Path, reference: str) -> SpaceCredentials:
    """A credential of ours, through the gate."""
    file = directory / f"{reference}.json"
    space.write_credential(reference, file)
    file.write_text(file.read_text().replace(f":{space.port}", f":{gate.port}"))
    return SpaceCredentials(file)


async def _cuts(space: Space, gate: Gate) -> tuple[dict[str, list[float]], dict[str, int]]:
    took: dict[str, list[float]] = {OURS: [], DOOR: [], SDK: []}
    left = dict.fromkeys(took, 0)
    lengths = random.Random(SEED)  # the same outages in every run
    for _ in range(CUTS):
        await gate.close()
        await _until(space, set())
        await asyncio.sleep(lengths.uniform(*OUTAGE_S))
        await gate.open()
        back = await _until(space, set(took))
        for who, times in took.items():
            if who in back:
                times.append(back[who])
            else:
                left[who] += 1
                times.append(GIVEN_UP_S * 1000)
        await asyncio.sleep(STEADY_S)
    return took, left


async def _until(space: Space, wanted: set[str]) -> dict[str, float]:
    """Wait until exactly these are registered; when each came, in ms from now."""
    began = time.monotonic()
    came: dict[str, float] = {}
    while True:
        now = time.monotonic()
        online = set(space.exchange.online()) & {OURS, DOOR, SDK}
        for who in online - set(came):
            came[who] = (now - began) * 1000
        if online == wanted or now - began > GIVEN_UP_S:
            return came
        await asyncio.sleep(LOOK_S)
