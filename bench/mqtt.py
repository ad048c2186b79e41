"""From the edge at the button's pin to the event at another client of the house's broker, a real mosquitto.

Beside it, what a door costs that is at a broker and idle: processor and memory of `intercom run`, with and without it.
"""

from __future__ import annotations

import asyncio
import shutil
import tempfile
import time
from pathlib import Path

from bench._door_process import door_process
from bench._space_process import space_process
from bench._stock_cost import Figures
from bench.call_cost import measure
from bench.report import CannotRunError, Report, spread
from intercom.config import AudioConfig, MqttConfig
from intercom.door.machine import State
from tests.e2e.home import Home, home_config
from tests.integrations.mqtt.mosquitto import PATH, PROGRAMS, Listener, Mosquitto, mosquitto

PRESSES = 40
BETWEEN_S = 0.3
RING = "intercom/door/ring"


async def run() -> Report:
    """Press forty times; then let two doors be idle, one after the other."""
    if missing := [program for program in PROGRAMS if shutil.which(program, path=PATH) is None]:
        raise CannotRunError(f"there is no {missing[0]}: `apt install mosquitto mosquitto-clients`")
    with tempfile.TemporaryDirectory(prefix="bench-") as temporary:
        directory = Path(temporary)
        async with mosquitto(directory / "broker") as broker:
            took = await _presses(directory / "home", broker)
            without, with_broker = await _idle(directory / "idle", broker)
    figures = spread(took) | {
        "idle_cpu_percent": round(with_broker[0] * 100, 3),
        "without_idle_cpu_percent": round(without[0] * 100, 3),
        "idle_more_rss_mb": round(with_broker[1] - without[1], 1),
    }
    notes = ("p50, p95: from the pin's edge to the event in the hands of mosquitto_sub, a process of its own.",)
    return Report("mqtt", figures, {"p95_ms": 50.0}, notes=notes)


async def _presses(directory: Path, broker: Mosquitto) -> list[float]:
    directory.mkdir()
    mqtt = MqttConfig(url=broker.url, id="door")
    home = Home(directory, home_config(audio=AudioConfig(card="simulated"), mqtt=mqtt))
    async with broker.listener("intercom/door/call", RING) as program:
        await home.start()
        try:
            await program.hears("intercom/door/call")
            return [await _press(home, program) for _ in range(PRESSES)]
        finally:
            await home.stop()


async def _press(home: Home, program: Listener) -> float:
    """Press once and hang up; return how long the event took, in ms."""
    assert home.door is not None
    button = home.pins.pin(home.config.panel.button_gpio)
    program.heard.clear()
    pressed_at = time.time()
    button.drive_low()
    took_ms = ((await program.hears(RING)).at - pressed_at) * 1000
    await asyncio.sleep(BETWEEN_S)
    button.drive_high()
    await home.door.calls.hang_up()
    await home.until(State.IDLE)
    await asyncio.sleep(BETWEEN_S)
    return took_ms


async def _idle(directory: Path, broker: Mosquitto) -> tuple[Figures, Figures]:
    directory.mkdir()
    at_broker = f'[mqtt]\nurl = "{broker.url}"\nid = "idle"\n'
    async with space_process(directory):
        async with door_process(directory / "without", directory / "door.json") as door:
            without = await measure(door)
        async with (
            broker.listener("intercom/idle/availability") as program,
            door_process(directory / "with", directory / "door.json", more=at_broker) as door,
        ):
            await program.hears("intercom/idle/availability")
            return without, await measure(door)
