"""A phone with the page of an older version: its worker and its kept files survive the house's update."""

import shutil
from pathlib import Path

import pytest
from playwright.async_api import Page

from intercom import station
from tests.station.house import House
from tests.station.waiting import state

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.usefixtures("service_worker")]

OLDER_FILES = ("moved.js", "older.js")
KEPT = """caches.open("intercom-station").then((cache) => cache.keys())
    .then((kept) => kept.map(({ url }) => url.split("/station/")[1]).sort())"""


def older_page(directory: Path) -> Path:
    """Write a page whose files the present page has elsewhere, or not at all."""
    directory.mkdir()
    (directory / "index.html").write_text(
        '<!doctype html><title>Older</title><body data-state="older"><script type="module" src="older.js"></script>'
    )
    (directory / "older.js").write_text('import "./moved.js"; navigator.serviceWorker.register("offline.js");')
    (directory / "moved.js").write_text("")
    worker = (station.DIRECTORY / "offline.js").read_text()
    before, _, after = worker.partition("const SHELL = [")
    shell = ", ".join(f'"{name}"' for name in ("./", *OLDER_FILES))
    (directory / "offline.js").write_text(f"{before}const SHELL = [{shell}];{after.partition('];')[2]}")
    (directory / "alerts").mkdir()
    for name in ("languages.js", "alerts/notifications.js"):
        shutil.copy(station.DIRECTORY / name, directory / name)
    return directory


async def test_a_phone_with_an_older_page_has_the_new_one_after_one_reload(
    page: Page, house: House, tmp_path: Path
) -> None:
    house.directory = older_page(tmp_path / "older")
    await page.goto(house.url)
    await page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    assert {*OLDER_FILES, ""} <= set(await page.evaluate(KEPT))

    house.directory = station.DIRECTORY
    await page.reload()
    await state(page, "unpaired")
    await page.wait_for_function(f"{KEPT}.then((kept) => !kept.includes('older.js') && !kept.includes('moved.js'))")

    await house.stop()
    await page.reload()
    await state(page, "unpaired")
