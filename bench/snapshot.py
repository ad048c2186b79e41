"""From the edge at the button's pin to the JPEG of who pressed.

`press_to_jpeg_ms`: a whole door with the test pattern, whose camera runs because it rings or talks. `passed_…`: a
camera with its own H.264 encoder, whose pictures have to be decoded. `cold_…`: the camera is off, as privacy wants it
until the first press; what a real camera takes to start comes on top.
"""

from __future__ import annotations

import asyncio
import tempfile
import threading
import time
from pathlib import Path

import av
from av.packet import Packet
from av.video.codeccontext import VideoCodecContext

from bench.report import Report, percentile
from bench.video_cost import VIDEO, Film, HardwareSource
from intercom.config import AudioConfig, CallConfig, CameraConfig, PanelConfig
from intercom.door.camera.press_snapshot import PressPictures
from intercom.media.camera.shared import LINGER_S, Camera
from intercom.media.camera.snapshot import LatestUnits, jpeg
from intercom.media.camera.source import Deliver
from intercom.media.codec.h264 import AccessUnit
from tests.e2e.home import Home, home_config

PRESSES = 20
COLD_PRESSES = 5
BETWEEN_S = 0.3


class FilmedCamera(HardwareSource):
    """A camera with an encoder of its own, which makes a keyframe when asked."""

    def __init__(self, film: Film) -> None:
        super().__init__(film.units)
        self._latest = LatestUnits()
        self._asked = threading.Event()

    def run(self, deliver: Deliver, stopping: threading.Event) -> None:
        def keep(unit: AccessUnit) -> None:
            if self._asked.is_set():
                self._asked.clear()
                unit = AccessUnit(self._units[0].data, unit.pts, True)
            self._latest.put(unit)
            deliver(unit)

        super().run(keep, stopping)

    def request_keyframe(self) -> None:
        self._asked.set()

    def snapshot(self) -> bytes:
        return self._latest.jpeg(self.request_keyframe)


async def _door(*, warm: bool) -> list[float]:
    """Milliseconds from the pin's edge to the picture, at a whole door."""
    with tempfile.TemporaryDirectory(prefix="bench-") as directory:
        config = home_config(
            audio=AudioConfig(card="simulated"),
            camera=CameraConfig(source="pattern"),
            panel=PanelConfig(pins="simulated", page_listen="", button_lockout_ms=0),
            call=CallConfig(ring="/private/nobody"),
        )
        home = Home(Path(directory), config)
        await home.start()
        door = home.door
        assert door is not None
        assert door.camera is not None
        button, pictures = home.pins.pin(config.panel.button_gpio), door.pictures
        frames = door.camera.frames() if warm else None
        took = []
        try:
            for _ in range(PRESSES if warm else COLD_PRESSES):
                await asyncio.sleep(BETWEEN_S if warm else LINGER_S + BETWEEN_S)
                before, pressed = pictures.newest, time.monotonic()
                button.drive_low()
                while pictures.newest is before:
                    await asyncio.sleep(0.001)
                took.append((time.monotonic() - pressed) * 1000)
                button.drive_high()
        finally:
            if frames is not None:
                frames.close()
            await home.stop()
        return took


async def _passed(film: Film) -> list[float]:
    """The same from the press on, of a camera whose H.264 is passed on."""
    camera = Camera(FilmedCamera(film))
    pictures = PressPictures(camera.snapshot)
    took = []
    with camera.frames() as frames:
        await frames.next()
        for number in range(PRESSES):
            await asyncio.sleep(BETWEEN_S + number * 0.013)  # at another place of a period each time
            pictures.press()
            picture = await pictures.last()
            assert picture is not None
            took.append(picture.after_s * 1000)
    await pictures.stop()
    await asyncio.to_thread(camera.stop)
    return took


def _decoded_all(film: Film) -> float:
    """Milliseconds for what a program does that cannot ask for a keyframe: decode all since the last one."""
    began = time.monotonic()
    decoder = av.CodecContext.create("h264", "r")
    assert isinstance(decoder, VideoCodecContext)
    pictures = [picture for unit in film.units for picture in decoder.decode(Packet(unit.data))]
    jpeg([*pictures, *decoder.decode(None)][-1])
    return (time.monotonic() - began) * 1000


async def run() -> Report:
    """Press twenty times at a warm camera of each kind, and five times at a cold one."""
    film = await asyncio.to_thread(Film, VIDEO)
    figures = {
        "press_to_jpeg_ms": await _door(warm=True),
        "passed_press_to_jpeg_ms": await _passed(film),
        "cold_press_to_jpeg_ms": await _door(warm=False),
    }
    return Report(
        "snapshot",
        {name: round(percentile(took, 95), 1) for name, took in figures.items()},
        targets={"press_to_jpeg_ms": 300, "passed_press_to_jpeg_ms": 300},
        baselines={"decode_all_passed_press_to_jpeg_ms": round(await asyncio.to_thread(_decoded_all, film), 1)},
        notes=(
            f"95th percentile of {PRESSES} presses (cold: {COLD_PRESSES}), {VIDEO}; the pattern is smaller.",
            "decode_all: without a keyframe on request, four seconds after the last one. cold: without a real camera's "
            "own start, one to two seconds on a Pi.",
        ),
    )
