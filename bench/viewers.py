"""What viewers by RTSP cost, and whether the bell notices them: four, one slow, one stuck, and a recorder beside them.

`viewer_cpu` is what each further viewer costs the door, of 1280x720 at 25 frames a second. The bell is that of
`press-to-ring`: from the edge at the button's pin to the invite at the far end, once while nobody watches and once
while all do.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from typing import cast

from bench._rtsp_viewers import SLOW, STUCK, WELL, rtsp_viewers
from bench.press_to_ring import _home, _presses
from bench.report import Report, spread
from bench.video_cost import VIDEO, Film, HardwareSource
from intercom.config import Config, RtspConfig
from intercom.integrations.access import Access
from intercom.integrations.rtsp.accounts import Account, Accounts
from intercom.integrations.rtsp.server import RtspServer
from intercom.media.camera.shared import Camera
from tests.alsa import AlsaCards
from tests.e2e.home import home_config
from tests.integrations.rtsp.watched_door import AccessToMedia
from tests.media.calls import running_engine, simulated
from tests.ports import reserved_port

FEW, MANY = 1, 5
SETTLE_S = 2.0
MEASURED_S = 10.0
CROWD = (WELL, WELL, SLOW, STUCK)
"""The viewers that watch while the bell is measured, beside a recorder, which takes the sound as well."""


async def run() -> Report:
    """Measure the process with one viewer and with five; then press forty times, twice."""
    film = Film(VIDEO)
    cost = {count: await _cost(film, count) for count in (FEW, MANY)}
    plain, watched = await _bell()
    figures = {
        "viewer_cpu": round((cost[MANY] - cost[FEW]) / (MANY - FEW), 4),
        "one_cpu": round(cost[FEW], 4),
        "five_cpu": round(cost[MANY], 4),
        **{f"press_to_ring_{name}": value for name, value in spread(watched).items()},
        **{f"unwatched_{name}": value for name, value in spread(plain).items()},
    }
    return Report("viewers", figures, {"viewer_cpu": 0.015, "press_to_ring_p95_ms": 25.0})


async def _cost(film: Film, count: int) -> float:
    """Return the core-seconds a second of a door that so many watch."""
    camera = Camera(HardwareSource(film.units))
    with tempfile.TemporaryDirectory(prefix="bench-") as directory, running_engine(simulated()) as engine:
        config = Config(rtsp=RtspConfig(listen="127.0.0.1:0", most_viewers=MANY))
        account = Accounts(Path(directory)).add("viewer", talk=False)
        server = RtspServer(config, Path(directory), cast(Access, AccessToMedia(camera, engine)))
        await server.start()
        try:
            async with rtsp_viewers(server.port, account, [WELL] * count, "door-video"):
                await asyncio.sleep(SETTLE_S)
                begun, cpu = time.monotonic(), time.process_time()
                await asyncio.sleep(MEASURED_S)
                return (time.process_time() - cpu) / (time.monotonic() - begun)
        finally:
            await server.stop()
            await asyncio.to_thread(camera.stop)


async def _bell() -> tuple[list[float], list[float]]:
    """Return how long each press took in ms while nobody watched, and while the crowd did."""
    with tempfile.TemporaryDirectory(prefix="bench-") as temporary, reserved_port() as port:
        directory = Path(temporary)
        cards = AlsaCards(directory)
        cards.start()
        rtsp = RtspConfig(listen=f"127.0.0.1:{port}", sound=True, most_viewers=len(CROWD) + 1)
        try:
            async with _home(directory / "home", replace(home_config(), rtsp=rtsp)) as (home, far_end):
                account = _account(home.state_dir)
                plain = await _presses(home, far_end)
                async with AsyncExitStack() as stack:
                    await stack.enter_async_context(rtsp_viewers(port, account, CROWD))
                    await stack.enter_async_context(rtsp_viewers(port, account, [WELL], "door-pcma"))
                    return plain, await _presses(home, far_end)
        finally:
            cards.stop()


def _account(state_dir: Path) -> Account:
    return Accounts(state_dir).add("recorder", talk=False)
