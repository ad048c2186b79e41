"""What viewers by RTSP cost, and whether the bell notices them: four, one slow, one stuck, and a recorder beside them.

`viewer_cpu` is what each further viewer costs the door, of 1280x720 at 25 frames a second. The others are measured as
by the benches of these names, once while nobody watches and once while all do: `press_to_ring_…` from the edge at the
button's pin to the invite at the far end; `answer_to_audio_…` from the resident's click to the first sound, the slower
way; `mouth_to_ear_…` from a sample at the microphone to the far speaker. `…_ratio` is the median beside that of the
same run while nobody watched.
"""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import cast

from bench._rtsp_viewers import SLOW, STUCK, WELL, rtsp_viewers
from bench.answer_to_audio import answering
from bench.mouth_to_ear import measure, nobody_watches, our_call
from bench.press_to_ring import _home, _presses
from bench.report import Report, spread
from bench.video_cost import VIDEO, Film, HardwareSource
from intercom.config import Config, RtspConfig
from intercom.integrations.access import Access
from intercom.integrations.rtsp.accounts import Account, Accounts
from intercom.integrations.rtsp.server import RtspServer
from intercom.media.camera.shared import Camera
from intercom.media.sound.engine import AudioEngine
from tests.alsa import AlsaCards
from tests.e2e.home import home_config
from tests.integrations.rtsp.watched_door import AccessToMedia
from tests.media.calls import running_engine, simulated
from tests.ports import reserved_port

FEW, MANY = 1, 5
SETTLE_S = 2.0
MEASURED_S = 10.0
ANSWERS = 15
SPEECH_S = 15.0
UNNOTICED = 1.2
"""Limit of what the crowd may make of a figure's median: viewers, browser and door share this machine's processors."""
CROWD = (WELL, WELL, SLOW, STUCK)
"""The viewers that watch while the bell is measured, beside a recorder, which takes the sound as well."""


async def run() -> Report:
    """Measure the process with one viewer and with five; then the bell's figures, without viewers and with them."""
    film = Film(VIDEO)
    cost = {count: await _cost(film, count) for count in (FEW, MANY)}
    bell, answers, delays = await _bell(), await _answers(), await _delays(film)
    figures = {
        "viewer_cpu": round((cost[MANY] - cost[FEW]) / (MANY - FEW), 4),
        "one_cpu": round(cost[FEW], 4),
        "five_cpu": round(cost[MANY], 4),
    }
    measured = {"press_to_ring": bell, "answer_to_audio": answers, "mouth_to_ear": delays}
    for bench, (unwatched, watched) in measured.items():
        figures |= {f"{bench}_{name}": value for name, value in spread(watched).items()}
        figures |= {f"{bench}_unwatched_{name}": value for name, value in spread(unwatched).items()}
        figures[f"{bench}_ratio"] = round(statistics.median(watched) / statistics.median(unwatched), 2)
    targets = {"viewer_cpu": 0.015, "press_to_ring_p95_ms": 25.0}
    targets |= {f"{bench}_ratio": UNNOTICED for bench in measured}
    return Report("viewers", figures, targets)


async def _cost(film: Film, count: int) -> float:
    """Return the core-seconds a second of a door that so many watch."""
    with running_engine(simulated()) as engine:
        async with _served(film, engine) as (port, account), rtsp_viewers(port, account, [WELL] * count, "door-video"):
            await asyncio.sleep(SETTLE_S)
            begun, cpu = time.monotonic(), time.process_time()
            await asyncio.sleep(MEASURED_S)
            return (time.process_time() - cpu) / (time.monotonic() - begun)


@asynccontextmanager
async def _served(film: Film, engine: AudioEngine) -> AsyncIterator[tuple[int, Account]]:
    """The film and this engine's sound by RTSP: the port, and an account there."""
    camera = Camera(HardwareSource(film.units))
    with tempfile.TemporaryDirectory(prefix="bench-") as directory:
        config = Config(rtsp=replace(_rtsp(0), most_viewers=MANY))
        account = Accounts(Path(directory)).add("viewer", talk=False)
        server = RtspServer(config, Path(directory), cast(Access, AccessToMedia(camera, engine)))
        await server.start()
        try:
            yield server.port, account
        finally:
            await server.stop()
            await asyncio.to_thread(camera.stop)


def _rtsp(port: int) -> RtspConfig:
    return RtspConfig(listen=f"127.0.0.1:{port}", sound=True, most_viewers=len(CROWD) + 1)


@asynccontextmanager
async def _crowd(port: int, account: Account) -> AsyncIterator[None]:
    """Let all watch who watch while the bell is measured."""
    async with rtsp_viewers(port, account, CROWD), rtsp_viewers(port, account, [WELL], "door-pcma"):
        yield


async def _bell() -> tuple[list[float], list[float]]:
    """Return how long each press took in ms while nobody watched, and while the crowd did."""
    with _watched_home() as (directory, _, config, port):
        async with _home(directory / "home", config) as (home, far_end):
            account = Accounts(home.state_dir).add("recorder", talk=False)
            unwatched = await _presses(home, far_end)
            async with _crowd(port, account):
                return unwatched, await _presses(home, far_end)


async def _answers() -> tuple[list[float], list[float]]:
    """Return from each click to the first sound in ms, while nobody watched, and while the crowd did."""
    with _watched_home() as (directory, cards, config, port):
        async with answering(directory / "home", cards, config) as (home, answer):
            account = Accounts(home.state_dir).add("recorder", talk=False)
            unwatched = [(await answer()).both_ms for _ in range(ANSWERS)]
            async with _crowd(port, account):
                return unwatched, [(await answer()).both_ms for _ in range(ANSWERS)]


@contextmanager
def _watched_home() -> Iterator[tuple[Path, AlsaCards, Config, int]]:
    """A folder, cards, and a configuration that lets recorders in at a port."""
    with tempfile.TemporaryDirectory(prefix="bench-") as temporary, reserved_port() as port:
        directory = Path(temporary)
        cards = AlsaCards(directory)
        cards.start()
        try:
            yield directory, cards, replace(home_config(), rtsp=_rtsp(port)), port
        finally:
            cards.stop()


async def _delays(film: Film) -> tuple[list[float], list[float]]:
    """Return each word's delay from the door's microphone in ms, while nobody watched, and while the crowd did."""

    @asynccontextmanager
    async def watched(engine: AudioEngine) -> AsyncIterator[None]:
        async with _served(film, engine) as (port, account), _crowd(port, account):
            yield

    return await _said(nobody_watches), await _said(watched)


async def _said(beside: Callable[[AudioEngine], AbstractAsyncContextManager[None]]) -> list[float]:
    measured = await measure(partial(our_call, stats=[], beside=beside), {"clean": SPEECH_S})
    return [some.delay_ms for some in measured["clean"].words if some.delay_ms is not None]
