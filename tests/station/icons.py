"""Draws the page's icons from `icon.svg`, as `make icons` does: telephones take PNG.

`python -m tests.station.icons`
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Final

from playwright.async_api import Browser, async_playwright

from intercom import station
from tests.station.conftest import CHROMIUM, FLAGS

SOURCE: Final = station.DIRECTORY / "icon.svg"
ROUNDED: Final = ' rx="112"'
"""What rounds the corners of the source: a telephone that cuts its icons by itself wants none."""
ICONS: Final = {
    "icons/192.png": (192, True),
    "icons/512.png": (512, True),
    "icons/maskable-192.png": (192, False),
    "icons/maskable-512.png": (512, False),
    "icons/apple-touch-180.png": (180, False),
}
"""Each icon: its pixels, and whether its corners are round."""


async def drawn(browser: Browser, pixels: int, *, rounded: bool) -> bytes:
    """Return the icon of this size as PNG."""
    svg = SOURCE.read_text(encoding="utf-8")
    assert ROUNDED in svg
    page = await browser.new_page(viewport={"width": pixels, "height": pixels})
    await page.set_content(
        f"<style>body {{ margin: 0 }} svg {{ display: block; width: {pixels}px; height: {pixels}px }}</style>"
        + (svg if rounded else svg.replace(ROUNDED, "", 1))
    )
    png = await page.screenshot(omit_background=True)
    await page.close()
    return png


async def main(directory: Path = station.DIRECTORY) -> None:
    """Draw all icons into the page's directory."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        for name, (pixels, rounded) in ICONS.items():
            path = directory / name
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(await drawn(browser, pixels, rounded=rounded))
        await browser.close()


if __name__ == "__main__":
    asyncio.run(main())
