"""The whole door station on a real kernel: it rings, it talks, and its headset is pulled out in the middle of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from intercom.devices import Finder
from intercom.media.camera.v4l2_controls import camera_name
from tests.hardware.gpio import GpioChip
from tests.hardware.headset import Headset
from tests.hardware.house import CONFIGURATION, PINS, House
from tests.hardware.resident import Resident
from tests.hardware.wait import eventually

pytest.importorskip("lgpio", reason="lgpio is not installed: pip install 'intercom[gpio]'")

RESIDENT_HZ, VISITOR_HZ, NOTICE_HZ = 1000, 700, 620
LIMIT_S = 60.0
DRIVER = Path("/sys/bus/platform/drivers/vivid")


@pytest.fixture
def house(tmp_path: Path, header: GpioChip, headset: Headset) -> Iterator[House]:
    headset.tone(VISITOR_HZ)
    headset.plug()
    with House(tmp_path, header, configuration=CONFIGURATION.replace('source = "off"', camera())) as house:
        yield house


def camera() -> str:
    """The configuration of the one camera that can be pulled out."""
    found = next(camera for camera in Finder(camera_name).cameras() if camera.label == "vivid")
    return f'source = "v4l2"\ndevice = "{found.name}"\nwidth = 320\nheight = 180\nframe_rate = 5'


@pytest.fixture
async def resident(house: House) -> AsyncIterator[Resident]:
    async with Resident(house.join("kitchen"), RESIDENT_HZ) as resident:
        yield resident


async def test_a_call_goes_on_while_the_headset_is_pulled_out_and_put_back(
    house: House, resident: Resident, headset: Headset, header: GpioChip
) -> None:
    def white() -> bool:
        return all(header.is_high(line) for line in (PINS.red_gpio, PINS.green_gpio, PINS.blue_gpio))

    def amber() -> bool:
        return header.is_high(PINS.red_gpio) and not header.is_high(PINS.blue_gpio)

    async def both_ways() -> None:
        await eventually(lambda: headset.hears(RESIDENT_HZ), LIMIT_S, "the visitor hears the resident")
        await eventually(lambda: resident.hears(VISITOR_HZ), LIMIT_S, "the resident hears the visitor")

    await eventually(white, LIMIT_S, "the door is idle")
    house.press()
    call = await resident.rings(LIMIT_S)
    await call.answer(audio=True, video=False)
    await both_ways()

    for _ in range(2):
        headset.unplug()
        await eventually(amber, LIMIT_S, "the light shows that something is wrong")
        resident.forget()
        headset.plug(wait=False)
        await both_ways()
        assert call.status == "connected"

    await call.hangup()
    await eventually(white, LIMIT_S, "the door is idle again")


async def test_the_house_rings_although_the_headset_is_missing_and_hears_it_when_it_is_put_back(
    house: House, resident: Resident, headset: Headset
) -> None:
    await eventually(lambda: house.status()["lights"] == "idle", LIMIT_S, "the door is idle")
    headset.unplug()
    await eventually(lambda: house.status()["lights"] == "recovering", LIMIT_S, "the light shows that sound is missing")
    house.press()
    call = await resident.rings(LIMIT_S)
    await eventually(lambda: house.status()["lights"] == "ringing without sound", LIMIT_S, "the visitor is told")
    await eventually(lambda: house.status()["picture"]["press_to_jpeg_ms"], LIMIT_S, "the house sees who it is")
    await call.answer(audio=True, video=False)
    await eventually(lambda: resident.hears(NOTICE_HZ), LIMIT_S, "the resident hears that sound is missing")
    headset.plug(wait=False)
    await eventually(lambda: resident.hears(VISITOR_HZ), LIMIT_S, "the resident hears the visitor")
    await call.hangup()


async def test_a_camera_that_goes_while_nobody_looks_is_a_fault_until_it_is_back(
    house: House, header: GpioChip
) -> None:
    def faults() -> list[str]:
        return [fault["kind"] for fault in house.status()["faults"]]

    await eventually(lambda: house.status()["lights"] == "idle", LIMIT_S, "the door is idle")
    await asyncio.to_thread((DRIVER / "unbind").write_text, "vivid.0")
    try:
        await eventually(lambda: faults() == ["camera"], LIMIT_S, "the camera is missed")
    finally:
        await asyncio.to_thread((DRIVER / "bind").write_text, "vivid.0")
    await eventually(lambda: not faults(), LIMIT_S, "the camera is back")
