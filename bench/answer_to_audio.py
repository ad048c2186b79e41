"""From the resident's click on "answer" to the first sound, both ways; the slower way counts.

A tone is spoken into the door's microphone (a real ALSA PCM) all the while, and Chromium's microphone hears another
one. The page notes, sample by sample, when the door's tone comes out of its decoder, by the decoder's clock: its own
thread, which draws the call meanwhile, looks later. The door's speaker is recorded, and the recording is searched for
the middle of the resident's tone's rise. The baseline is stock aiortc in the door's place, on the same
PCMs: its own encoder, its own jitter buffer, frames of 20 ms read and written as they come. Either door is a process of
its own, as in a house; the space and what drives the browser are another. Where the time goes is told by the door: when
the answer has come through the space, and when ICE and DTLS stand.
"""

from __future__ import annotations

import asyncio
import tempfile
import wave
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol

import numpy as np
from playwright.async_api import async_playwright

from bench._door_apart import calls_of, door_apart, stages_ms
from bench._settled import settled
from bench._stock_door import StockDoor
from bench.report import Report, spread
from intercom.config import Config
from intercom.door.appliance import Appliance
from intercom.door.machine import State
from intercom.media.rtp.peer import DoorCall
from intercom.space import Space
from tests.alsa import RATE_HZ, AlsaCards, Recording, Samples, tone, tone_level_db
from tests.e2e.home import Home, Station, home_config
from tests.station.conftest import CHROMIUM, FLAGS

CALLS = 30
VISITOR_HZ, RESIDENT_HZ = 1100.0, 700.0
LONGEST_S = 15.0
"""Limit of the wait until both are heard."""
LOOK_S = 0.5
"""Interval between two looks whether they are: to look costs the door its time."""
WINDOW, HOP, FINE_HOP = RATE_HZ // 50, RATE_HZ // 200, RATE_HZ // 1000
SOON = RATE_HZ // 20
"""Samples after a tone's beginning within which it is as loud as it becomes."""
ABOVE_DB = -45.0
NEAR_HZ = 60.0

WATCH = """() => {
  window.firstSound = 0;
  window.clickedAt = 0;
  document.querySelector("#answer").addEventListener("click", (event) => {
    window.clickedAt = performance.timeOrigin + event.timeStamp;
    const look = setInterval(() => {
      const element = document.querySelector("#remote-audio");
      const stream = element.srcObject ?? document.querySelector("#remote-video").srcObject;
      const track = stream?.getAudioTracks()[0];
      if (!track) return;
      clearInterval(look);
      const reader = new MediaStreamTrackProcessor({track}).readable.getReader();
      const read = async () => {
        for (;;) {
          const {value, done} = await reader.read();
          if (done) return;
          const {timestamp, sampleRate, numberOfFrames} = value;
          const samples = new Float32Array(numberOfFrames);
          value.copyTo(samples, {planeIndex: 0, format: "f32-planar"});
          value.close();
          const begins = samples.findIndex((sample) => Math.abs(sample) > 0.01);
          if (begins >= 0) {
            window.firstSound = performance.timeOrigin + timestamp / 1000 + begins * 1000 / sampleRate;
            reader.cancel();
            return;
          }
        }
      };
      read();
    }, 1);
  }, {capture: true, once: true});
}"""


async def run() -> Report:
    """Answer thirty calls."""
    with tempfile.TemporaryDirectory(prefix="bench-") as temporary:
        directory = Path(temporary)
        cards = AlsaCards(directory)
        cards.start()
        try:
            ours = await _calls(directory / "ours", cards, Appliance)
            stock = await _calls(directory / "stock", cards, StockDoor)
        finally:
            cards.stop()
    figures = spread([answer.both_ms for answer in ours])
    for part in ("answered", "connected", "door_to_house", "house_to_door"):
        figures |= {f"{part}_{name}": value for name, value in spread([getattr(a, f"{part}_ms") for a in ours]).items()}
    baselines = {f"stock_aiortc_{name}": value for name, value in spread([answer.both_ms for answer in stock]).items()}
    return Report(
        "answer-to-audio",
        figures,
        {"p95_ms": 70.0},
        baselines,
        notes=(
            f"{CALLS} calls each. All from the click: answered, the door has the answer and its own description; "
            "connected, ICE and DTLS stand at the door; then the first sound that is heard, each way.",
        ),
    )


@dataclass(frozen=True)
class Answer:
    """One answered call; all in milliseconds from the click."""

    answered_ms: float
    """The answer was at the door; 0 where the door does not tell."""
    connected_ms: float
    """Its connection stood; 0 where the door does not tell."""
    door_to_house_ms: float
    """The resident heard the visitor."""
    house_to_door_ms: float
    """The visitor heard the resident."""

    @property
    def both_ms(self) -> float:
        """Both heard the other."""
        return max(self.door_to_house_ms, self.house_to_door_ms)


def resident_voice(file: Path) -> Path:
    """The resident's tone, in bursts that Chromium does not take for noise, with hardly a pause between them."""
    with wave.open(str(file), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(RATE_HZ)
        burst, pause = tone(RESIDENT_HZ, 0.18, level_db=-6.0), tone(RESIDENT_HZ, 0.02, level_db=-120.0)
        out.writeframes((burst.tobytes() + pause.tobytes()) * 50)
    return file


async def _calls(directory: Path, cards: AlsaCards, kind: type[Appliance]) -> list[Answer]:
    config = home_config()
    space = Space(config.space, directory / "space", history=config.history)
    await space.start()
    space.store.add_subscriber("door", "Front door", kind="door")
    space.write_credential("door", directory / "door" / "door.json")
    try:
        async with door_apart(directory / "door", kind) as door, _resident(directory, space) as station:
            with cards.speak(tone(VISITOR_HZ, 600.0)), settled():
                return [await _one(door, station, cards) for _ in range(CALLS)]
    finally:
        await space.stop()


@asynccontextmanager
async def answering(
    directory: Path, cards: AlsaCards, config: Config
) -> AsyncIterator[tuple[Home, Callable[[], Awaitable[Answer]]]]:
    """A home in this process whose visitor speaks all the while, and what lets its resident answer one call there."""
    home = Home(directory, config)
    await home.start()
    assert home.door is not None
    door = _Here(home, calls_of(home.door.media))
    try:
        async with _resident(directory, home.space) as station:
            with cards.speak(tone(VISITOR_HZ, 600.0)), settled():
                yield home, partial(_one, door, station, cards)
    finally:
        await home.stop()


@asynccontextmanager
async def _resident(directory: Path, space: Space) -> AsyncIterator[Station]:
    voice = resident_voice(directory / "voice.wav")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=CHROMIUM, args=[*FLAGS, f"--use-file-for-fake-audio-capture={voice}"]
        )
        try:
            yield await Station.pair(await browser.new_context(permissions=["microphone"]), space)
        finally:
            await browser.close()


class _Door(Protocol):
    async def press(self) -> None: ...
    async def until(self, state: State) -> None: ...
    async def stages_ms(self) -> tuple[float, float]: ...


class _Here:
    """The door of a home in this process."""

    def __init__(self, home: Home, opened: list[DoorCall]) -> None:
        self.press, self.until, self._opened = home.press, home.until, opened

    async def stages_ms(self) -> tuple[float, float]:
        return stages_ms(self._opened)


async def _one(door: _Door, station: Station, cards: AlsaCards) -> Answer:
    await station.page.evaluate(WATCH)
    await door.press()
    await station.until("ringing")
    await asyncio.sleep(1.0)  # nobody answers in the same instant
    recording = await asyncio.to_thread(cards.listen)
    await station.click("#answer")
    await door.until(State.IN_CALL)
    try:
        async with asyncio.timeout(LONGEST_S):
            heard_at = await _first_heard(recording)
            while not (first_ms := await station.page.evaluate("window.firstSound")):
                await asyncio.sleep(LOOK_S)
    finally:
        recording.stop()
    clicked_ms = await station.page.evaluate("window.clickedAt")
    answered_ms, connected_ms = (at and at - clicked_ms for at in await door.stages_ms())
    await station.click("#hangup")
    await door.until(State.IDLE)
    await station.until("ready")
    return Answer(answered_ms, connected_ms, first_ms - clicked_ms, heard_at * 1000 - clicked_ms)


async def _first_heard(recording: Recording) -> float:
    """Wait until the resident's tone is in the recording; return since when, in seconds since 1970."""
    while True:
        await asyncio.sleep(LOOK_S)
        first = await asyncio.to_thread(_first_of_resident, recording.samples)
        if first is not None:
            return recording.began_at + first / RATE_HZ


def _first_of_resident(samples: Samples) -> int | None:
    """Return where the resident's tone begins: the middle of the first window that holds half of it."""
    starts = range(0, len(samples) - WINDOW, HOP)
    start = next((start for start in starts if _is_resident(samples[start : start + WINDOW])), None)
    if start is None:
        return None
    windows = range(start, min(start + SOON, len(samples) - WINDOW), FINE_HOP)
    levels_db = [tone_level_db(samples[at : at + WINDOW], RESIDENT_HZ) for at in windows]
    half = next(i for i, level_db in enumerate(levels_db) if level_db > max(levels_db) - 6.0)
    return windows[half] + WINDOW // 2


def _is_resident(window: Samples) -> bool:
    """Whether these 20 ms hold the resident's tone and not, say, the ring-back tone."""
    spectrum = abs(np.fft.rfft(window / 32768 * np.hanning(WINDOW), 8 * WINDOW)) * 4 / WINDOW
    loudest = int(np.argmax(spectrum))
    return bool(
        20 * np.log10(max(spectrum[loudest], 1e-9)) > ABOVE_DB
        and abs(loudest * RATE_HZ / (8 * WINDOW) - RESIDENT_HZ) < NEAR_HZ
    )
