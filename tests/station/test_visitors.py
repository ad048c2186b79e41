"""The visitors' list on the page, with the real space: what it shows, counts, deletes, and ten thousand rows of it."""

import asyncio
import re
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from av import VideoFrame
from playwright.async_api import Browser, Page, expect

from intercom.config import HistoryConfig, SpaceConfig
from intercom.media.camera.snapshot import jpeg
from intercom.space import Space
from intercom.space.visitors.book import Book
from intercom.space.visitors.visit import Page as Visits
from intercom.space.visitors.visit import State, Visit
from intercom.space.visitors.visitors import VISITORS
from tests.firefox import firefox
from tests.station.conftest import new_profile
from tests.station.door import Door, draw_street
from tests.station.door_line import DoorLine
from tests.station.waiting import PATIENCE_MS, state, until

pytestmark = pytest.mark.asyncio(loop_scope="session")

KEPT = HistoryConfig(keep_calls=20_000, snapshots=True)
MANY = 10_000
ROWS_LIMIT = 60
"""Limit of rows in the document at once: those in view of a tall phone, and some beyond them."""
REMEMBER_BADGE = """window.badge = null;
    navigator.setAppBadge = async (n) => { window.badge = n; };
    navigator.clearAppBadge = async () => { window.badge = 0; };"""
COUNTS = "performance.getEntriesByType('resource').filter(({ name }) => name.includes('limit=0')).length"
"""How many answers the page has had that tell how many were missed."""
WITHOUT_A_TIME_LIMIT = "AbortSignal.timeout = () => new AbortController().signal"
"""A request waits for its answer as long as a busy machine needs."""
TO_THE_END = """async (last) => {
    const scroller = document.querySelector("#visitors-scroll");
    const end = performance.now() + 60_000;
    let most = 0;
    while (!document.querySelector(`.visit[aria-posinset="${last}"]`) && performance.now() < end) {
        scroller.scrollTop += scroller.scrollTop < 20_000 ? scroller.clientHeight : scroller.scrollHeight;
        await new Promise(requestAnimationFrame);
        most = Math.max(most, document.querySelectorAll("#visitors-list > li").length);
    }
    scroller.scrollTop = scroller.scrollHeight; // the names of the days have made it longer
    return document.querySelector(`.visit[aria-posinset="${last}"]`) ? most : Infinity;
}"""


def fill(directory: Path, count: int) -> None:
    """Write visitors of the last months down, as a space did that ran before: one every ten minutes, the newest now."""
    directory.mkdir(exist_ok=True)
    book = Book(directory / VISITORS, KEPT)
    now = time.time()
    ends: tuple[State, ...] = ("missed", "answered", "given_up", "opened")
    for first in range(0, count, 1000):
        visits = []
        for number in range(first, min(count, first + 1000)):
            at = now - (count - number) * 600
            begun = Visit(f"door/{number}", "Front door", "/private/door", "", at)
            end = ends[number % len(ends)]
            by = "Anna" if end in ("answered", "opened") else ""
            visits += [begun, Visit(begun.ring, begun.door, begun.address, "", at, end, by, by, at + 20)]
        book.write(visits, now)
    book.close()


@pytest_asyncio.fixture(loop_scope="session")
async def space(tmp_path: Path) -> AsyncIterator[Space]:
    """A space that keeps visitors and their pictures."""
    running = Space(SpaceConfig(listen="127.0.0.1:0"), tmp_path / "state", history=KEPT)
    await running.start()
    yield running
    await running.stop()


@pytest_asyncio.fixture(loop_scope="session")
async def other(browser: Browser) -> AsyncIterator[Page]:
    """The page on another device."""
    context = await new_profile(browser, permissions=["microphone", "notifications"])
    yield await context.new_page()
    await context.close()


async def joined(page: Page, space: Space) -> Page:
    """Pair a page, and put its first steps away."""
    await page.add_init_script(REMEMBER_BADGE)
    await page.goto(space.invite().url)
    await state(page, "ready")
    await page.click("#walk-close")
    await page.locator("#visitors-open").wait_for()
    return page


async def miss(page: Page, line: DoorLine, door: Door, *, shown: bool = False) -> None:
    """Let somebody ring and give up; where they are `shown`, Anna has told them to wait."""
    call = await line.ring(door)
    await state(page, "ringing")
    if shown:
        await line.show(call, jpeg(VideoFrame.from_ndarray(draw_street(320, 240), format="rgb24")))
        await line.ask("intercom.said", {"callID": call, "text": "Please wait.", "by": "Anna"})
    await line.give_up(call)
    await state(page, "ready")


async def test_a_missed_visitor_is_counted_until_seen_shown_large_and_deleted_with_one_tap(
    page: Page, space: Space, door: Door
) -> None:
    await joined(page, space)
    count, row = page.locator("#visitors-count"), page.locator(".visit")
    await expect(count).to_be_hidden()
    async with DoorLine(space) as line:
        await miss(page, line, door, shown=True)
    await expect(count).to_have_text("1 missed")
    await until(page, "badge === 1")
    await page.click("#visitors-open")
    await expect(row).to_have_count(1)
    await expect(row).to_contain_text("Front door")
    await expect(row).to_contain_text("Missed: the visitor gave up. Anna has told the visitor: Please wait.")
    await expect(row.locator("h3")).to_have_text(re.compile("^(Today|Yesterday)$"))  # it may be midnight
    await expect(row).to_have_class("visit is-missed is-new")
    await until(page, "document.querySelector('.visit-face').naturalWidth === 320")
    await page.keyboard.press("Escape")
    await expect(page.locator("#visitors-open")).to_be_focused()
    await expect(count).to_be_hidden()
    await until(page, "badge === 0")
    await page.reload()
    await page.locator("#visitors-open").wait_for()
    await page.click("#visitors-open")
    await expect(row).to_have_class("visit is-missed")  # seen before
    await row.locator(".visit-open").focus()
    await page.keyboard.press("Enter")
    await expect(page.locator("#visit-title")).to_have_text("Front door")
    await expect(page.locator("#visit-replies li")).to_have_text(["Anna has told the visitor: Please wait."])
    await until(page, "document.querySelector('#visit-picture').naturalWidth === 320")
    await page.keyboard.press("Escape")
    await expect(row.locator(".visit-open")).to_be_focused()
    await row.locator(".visit-delete").click()
    await expect(row).to_have_count(0)
    await expect(page.locator("#visitors-words")).to_have_text("Nobody has rung yet.")
    await expect(page.locator("#visitors-close")).to_be_focused()


async def test_a_visitor_who_rings_closes_the_list_and_stands_in_it_afterwards_on_every_device(
    page: Page, other: Page, space: Space, door: Door
) -> None:
    await joined(page, space)
    await joined(other, space)
    async with DoorLine(space) as line:
        await miss(page, line, door)
        await expect(page.locator("#visitors-count")).to_have_text("1 missed")
        await page.click("#visitors-open")
        await expect(page.locator(".visit")).to_have_count(1)
        call = await line.ring(door)
        await state(page, "ringing")
        await expect(page.locator("#visitors")).to_be_hidden()
        await page.click("#decline")
        await state(page, "ready")
        assert call
    await expect(other.locator("#last-call")).to_contain_text("Declined by")  # what rings there closes its list as well
    await state(other, "ready")
    await other.click("#visitors-open")
    await expect(other.locator(".visit")).to_have_count(2)
    await expect(other.locator(".visit").first).to_contain_text("Declined by")
    await page.click("#visitors-open")
    await expect(page.locator(".visit")).to_have_count(2)
    await other.locator(".visit-delete").first.click()
    for each in (page, other):
        await expect(each.locator(".visit")).to_have_count(1)
    await expect(other.locator(".visit-delete")).to_be_focused()
    await page.click("#visitors-clear")
    await expect(page.locator("#visitors-keep")).to_be_focused()
    await page.click("#visitors-keep")
    await expect(page.locator(".visit")).to_have_count(1)
    await page.click("#visitors-clear")
    await page.click("#visitors-sure")
    await expect(page.locator("#visitors-words")).to_have_text("Nobody has rung yet.")
    await expect(other.locator(".visit")).to_have_count(0)


async def test_each_device_counts_for_itself_and_one_that_joins_begins_with_nothing_missed(
    page: Page, other: Page, space: Space, door: Door
) -> None:
    await joined(page, space)
    async with DoorLine(space) as line:
        await miss(page, line, door)
    await expect(page.locator("#visitors-count")).to_have_text("1 missed")
    late = await joined(other, space)
    await expect(late.locator("#visitors-count")).to_be_hidden()
    async with DoorLine(space) as line:
        await miss(page, line, door)
    await expect(page.locator("#visitors-count")).to_have_text("2 missed")
    await expect(late.locator("#visitors-count")).to_have_text("1 missed")
    await page.click("#visitors-open")
    await expect(page.locator(".is-new")).to_have_count(2)
    await expect(late.locator("#visitors-count")).to_have_text("1 missed")


async def test_a_count_that_comes_late_brings_nothing_back_that_was_seen(
    page: Page, space: Space, door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    await page.add_init_script(WITHOUT_A_TIME_LIMIT)
    await joined(page, space)
    read, counted, may_come = space.visitors.page, asyncio.Event(), asyncio.Event()

    async def read_late(*, before: int | None, limit: int, seen: int) -> Visits:
        found = await read(before=before, limit=limit, seen=seen)
        if limit == 0 and found.missed:  # the page may still be counting as it joins
            counted.set()
            await may_come.wait()
        return found

    monkeypatch.setattr(space.visitors, "page", read_late)
    async with DoorLine(space) as line:
        await miss(page, line, door)
    async with asyncio.timeout(PATIENCE_MS / 1000):
        await counted.wait()
    await page.click("#visitors-open")
    await expect(page.locator(".visit")).to_have_count(1)
    await until(page, "Number(localStorage.getItem('intercom.visitors')) > 0")
    before: int = await page.evaluate(COUNTS)
    may_come.set()
    await until(page, f"{COUNTS} > {before}")
    await page.click("#visitors-close")
    await expect(page.locator("#visitors-open")).to_be_focused()
    await expect(page.locator("#visitors-count")).to_be_hidden()


async def test_ten_thousand_visitors_scroll_with_few_rows_in_the_document(page: Page, tmp_path: Path) -> None:
    fill(tmp_path / "state", MANY)
    space = Space(SpaceConfig(listen="127.0.0.1:0"), tmp_path / "state", history=KEPT)
    await space.start()
    try:
        await joined(page, space)
        await page.click("#visitors-open")
        await page.locator(".visit[aria-posinset='1']").wait_for()
        assert await page.locator(".visit").first.get_attribute("aria-setsize") == str(MANY)
        most: float = await page.evaluate(TO_THE_END, MANY)
        assert 0 < most <= ROWS_LIMIT
        last = page.locator(f".visit[aria-posinset='{MANY}']")
        await expect(last).to_be_in_viewport()
        await last.locator(".visit-delete").focus()
        await page.keyboard.press("Home")
        await page.locator(".visit[aria-posinset='1']").wait_for()
        await expect(last.locator(".visit-delete")).to_be_focused()  # however far the list is scrolled
        await page.keyboard.press("Enter")
        await expect(page.locator(".visit").first).to_have_attribute("aria-setsize", str(MANY - 1))
        # The house's event may come before its answer, with which the focus moves on.
        await expect(page.locator(f".visit[aria-posinset='{MANY - 1}'] .visit-delete")).to_be_focused()
        assert await page.locator(".visit").count() <= ROWS_LIMIT
    finally:
        await space.stop()


async def test_a_house_that_keeps_no_visitors_has_no_list(page: Page, tmp_path: Path, door: Door) -> None:
    space = Space(SpaceConfig(listen="127.0.0.1:0"), tmp_path / "state", history=HistoryConfig(keep_calls=0))
    await space.start()
    try:
        async with page.expect_response(lambda answer: "/api/space/visitors" in answer.url) as counted:
            await page.goto(space.invite().url)
        assert not (await (await counted.value).json())["keeps"]
        await state(page, "ready")
        async with DoorLine(space) as line:
            await miss(page, line, door)
        await expect(page.locator("#visitors-open")).to_be_hidden()
    finally:
        await space.stop()


async def test_the_list_scrolls_in_firefox_too(tmp_path: Path) -> None:
    fill(tmp_path / "state", 500)
    space = Space(SpaceConfig(listen="127.0.0.1:0"), tmp_path / "state", history=KEPT)
    await space.start()
    try:
        async with firefox() as tab:
            await tab.goto(space.invite().url)
            await tab.until("document.body.dataset.state === 'ready'")
            await tab.until("!document.querySelector('#visitors-open').hidden")
            await tab.evaluate("document.querySelector('#visitors-open').click()")
            await tab.until("document.querySelector('.visit[aria-posinset=\"1\"]')?.innerText.includes('Front door')")
            most = await tab.evaluate(f"({TO_THE_END})(500)")
            assert 0 < most <= ROWS_LIMIT
    finally:
        await space.stop()
