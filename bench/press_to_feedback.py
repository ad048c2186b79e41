"""From the edge at the button's pin to the light and to the first sample of the chime at the card.

The door is the real one: gpiozero on simulated pins, `pyalsaaudio` on a real PCM, the appliance registered with a
space; `planned_…` is that of a door with a plan of five steps. The baseline does what a short gpiozero script does: on
`when_pressed` it lights the LED, opens the PCM and writes the sound.
"""

from __future__ import annotations

import asyncio
import tempfile
import threading
import time
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import alsaaudio
from gpiozero import LED, Button
from gpiozero.pins.mock import MockFactory, MockPWMPin

from bench._far_end import FarEnd
from bench._plan import planned
from bench.report import Report, spread
from intercom.config import Config
from intercom.door.machine import State
from tests.alsa import SPEAKER, AlsaCards, tone
from tests.e2e.home import Home, home_config

PRESSES = 40
PERIOD_FRAMES = 480
BETWEEN_S = 0.6
LIMIT_S = 60.0
"""Longest wait of the short script for its sound: on a busy machine the card opens late."""


class TimedPin(MockPWMPin):  # type: ignore[misc] # gpiozero is untyped
    """A simulated pin that remembers when it became clearly brighter or darker."""

    def __init__(self, *arguments: Any) -> None:
        self.changed_at: list[float] = []
        super().__init__(*arguments)

    def _set_state(self, value: Any) -> None:
        if abs(float(value) - float(self._state)) >= 0.3:
            self.changed_at.append(time.monotonic())
        super()._set_state(value)


async def run() -> Report:
    """Press forty times and tell the slower of light and sound."""
    with tempfile.TemporaryDirectory(prefix="bench-") as directory:
        cards = AlsaCards(Path(directory))
        cards.start()
        try:
            config = home_config()
            light, sound = await _door(Path(directory) / "plain", config)
            steps = await _door(Path(directory) / "planned", replace(config, call=planned(config.call)))
            stock = await asyncio.to_thread(_stock)
        finally:
            cards.stop()
    figures = spread(_slower(light, sound))
    figures |= {f"light_{name}": value for name, value in spread(light).items()}
    figures |= {f"chime_{name}": value for name, value in spread(sound).items()}
    figures |= {f"planned_{name}": value for name, value in spread(_slower(*steps)).items()}
    baselines = {f"gpiozero_script_{name}": value for name, value in spread(stock).items()}
    return Report("press-to-feedback", figures, {"p95_ms": 20.0, "planned_p95_ms": 20.0}, baselines)


def _slower(light: list[float], sound: list[float]) -> list[float]:
    return [max(pair) for pair in zip(light, sound, strict=True)]


async def _door(directory: Path, config: Config) -> tuple[list[float], list[float]]:
    directory.mkdir()
    home = Home(directory / "home", config)
    home.pins = MockFactory(pin_class=TimedPin)
    await home.start()
    far_end = FarEnd(home.space, directory)
    await far_end.start()
    assert home.door is not None
    engine, panel = home.door.engine, config.panel
    played: list[Any] = []
    play = engine.play

    def remembering(name: str, *, repeat: bool = False) -> Any:
        played.append(play(name, repeat=repeat))
        return played[-1]

    engine.play = remembering  # type: ignore[method-assign] # the bench looks over the engine's shoulder
    lights = [home.pins.pin(gpio) for gpio in (panel.red_gpio, panel.green_gpio, panel.blue_gpio)]
    button = home.pins.pin(panel.button_gpio)
    light_ms, sound_ms = [], []
    try:
        for _ in range(PRESSES):
            played.clear()
            pressed_at = time.monotonic()
            button.drive_low()
            await asyncio.sleep(BETWEEN_S)
            button.drive_high()
            await far_end.rings()
            home.door.calls.hold()
            chime = next(sound for sound in played if sound.name == "chime")
            await home.wait_for(partial(_was_written, chime), "the chime at the card")
            changed = [at for pin in lights for at in pin.changed_at if at > pressed_at]
            light_ms.append((min(changed) - pressed_at) * 1000)
            sound_ms.append((chime.first_written_at - pressed_at) * 1000)
            await home.until(State.IDLE)
            await asyncio.sleep(BETWEEN_S)
    finally:
        await far_end.stop()
        await home.stop()
    return light_ms, sound_ms


def _was_written(sound: Any) -> bool:
    return sound.first_written_at is not None


def _stock() -> list[float]:
    """What a short script does; the later of its LED and its first write."""
    factory = MockFactory(pin_class=TimedPin)
    led, button = LED(22, pin_factory=factory), Button(17, pin_factory=factory)
    chime = tone(880.0, 0.1).tobytes()
    heard = threading.Event()
    done: list[float] = []

    def pressed() -> None:
        led.on()
        pcm = alsaaudio.PCM(
            alsaaudio.PCM_PLAYBACK, device=SPEAKER, rate=48_000, channels=1, periodsize=PERIOD_FRAMES, periods=4
        )
        pcm.write(chime[: 2 * PERIOD_FRAMES])
        done.append(time.monotonic())
        pcm.close()
        led.off()
        heard.set()

    button.when_pressed = pressed
    pin = factory.pin(17)
    took = []
    for _ in range(PRESSES):
        heard.clear()
        began = time.monotonic()
        pin.drive_low()
        heard.wait(LIMIT_S)
        pin.drive_high()
        took.append((done[-1] - began) * 1000)
        time.sleep(0.05)
    return took
