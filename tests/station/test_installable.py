"""The page as an app on a telephone: Chromium would install it, and its icons are what they say."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import pytest
from playwright.async_api import async_playwright

from intercom import station
from tests.station.conftest import CHROMIUM, FLAGS
from tests.station.house import House
from tests.station.icons import ICONS
from tests.station.waiting import PATIENCE_MS, patient, state


def pixels(path: Path) -> tuple[int, int]:
    """Return the size of a PNG, as its header has it."""
    header = path.read_bytes()[:24]
    assert header[:8] == b"\x89PNG\r\n\x1a\n", path
    return struct.unpack(">II", header[16:24])


def test_each_icon_has_the_size_that_it_is_said_to_have() -> None:
    manifest = json.loads((station.DIRECTORY / "station.webmanifest").read_text())
    told = {icon["src"]: icon["sizes"] for icon in manifest["icons"] if icon["type"] == "image/png"}
    assert told == {src: f"{size}x{size}" for src, (size, _) in ICONS.items() if src in told}
    assert {"192x192", "512x512"} == set(told.values())
    for src, (size, _) in ICONS.items():
        assert pixels(station.DIRECTORY / src) == (size, size)


@pytest.mark.asyncio(loop_scope="session")
async def test_chromium_would_install_the_page(house: House, tmp_path: Path) -> None:
    async with async_playwright() as playwright:
        launched = await playwright.chromium.launch_persistent_context(
            tmp_path, executable_path=CHROMIUM, args=FLAGS, timeout=PATIENCE_MS
        )
        profile = patient(launched)
        page = profile.pages[0]
        await page.goto(house.url)
        await state(page, "unpaired")
        await page.evaluate("navigator.serviceWorker.ready.then(() => true)")
        tool = await profile.new_cdp_session(page)
        assert (await tool.send("Page.getAppManifest"))["errors"] == []
        assert (await tool.send("Page.getInstallabilityErrors"))["installabilityErrors"] == []
        await profile.close()
