"""axe-core looks at every screen, dark and light; a keyboard reaches everything, in the order in which it stands."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, Literal

import pytest
from playwright.async_api import Page, expect

from tests.reference.sdk import fetch_packages
from tests.station.camera import HeldCamera
from tests.station.door import Door
from tests.station.house import House, Json
from tests.station.waiting import state, until

pytestmark = [
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.usefixtures("service_worker"),  # with it the page has more to say of notifications
    pytest.mark.timeout(600),
]

HERE = Path(__file__).parent
FOUND = """async () => (await axe.run(document, { resultTypes: ["violations"] })).violations
    .flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.target.join(" ")}: ${node.failureSummary}`))"""
FOCUSED = """() => {
    const { activeElement: node } = document;
    const box = node.getBoundingClientRect();
    return [node.id || node.textContent.trim(), getComputedStyle(node).outlineWidth, box.width * box.height > 0];
}"""
CONTROLS = """() => [...document.querySelectorAll("button, input, select, a[href], summary")]
    .filter((node) => node.checkVisibility() && !node.disabled)
    .map((node) => node.id || node.textContent.trim())"""
FROM_THE_TOP = """() => {
    document.body.tabIndex = -1;
    document.body.focus();
    document.body.removeAttribute("tabindex");
}"""
Look = Callable[[str], Coroutine[Any, Any, None]]
LATE = ("#bell-row", "#microphone-row", "#speaker-row", "#push", "#visitors-open", "#looks button")
"""What a page that has just joined shows a moment later, as the browser and the house tell of it."""


@pytest.fixture(scope="session")
def axe() -> str:
    """axe-core's script, as package-lock.json names it."""
    fetch_packages(HERE)
    return (HERE / "node_modules/axe-core/axe.min.js").read_text(encoding="utf-8")


QUIET = {
    "device": {"quiet": True, "until": None, "begins": "22:00", "ends": "07:00", "notify": True},
    "house": {"quiet": False, "until": None, "begins": "", "ends": "07:00", "notify": True},
}
"""A device that is quiet, as its house tells it."""


def visitor(number: int, how: str, by: str = "", opened_by: str = "") -> Json:
    """A visitor of the list, to whom the door has said something."""
    return {
        "id": number,
        "version": number,
        "ring": f"door/{number}",
        "door": {"name": "Front door", "address": "/private/door"},
        "button": "",
        "began_at": 1_790_000_000.0 + number,
        "state": how,
        "by": by,
        "opened_by": opened_by,
        "ended_at": 1_790_000_030.0 + number,
        "replies": [{"text": "Please wait.", "by": "Ben"}],
        "picture": False,
    }


async def tour(page: Page, house: House, door: Door, look: Look) -> None:
    """Lead a page through its screens."""
    house.may_look = True
    house.visitors = [visitor(2, "missed"), visitor(1, "answered", by="Anna", opened_by="Anna")]
    await page.goto(house.url)
    await state(page, "unpaired")
    await look("unpaired")
    await page.fill("#pair-code", "WRONG")
    await page.click("#pair")
    await expect(page.locator("#error")).to_be_visible()
    await look("an error")
    await page.fill("#pair-code", next(iter(house.codes)))
    await page.click("#pair")
    await state(page, "ready")
    for late in LATE:
        await expect(page.locator(late)).to_be_visible()
    for step in ("name", "microphone", "push", "open", "closed"):
        await page.evaluate(f"document.querySelector('[data-step={step}] > button').click()")
        await look(f"the walk's step {step}")
    await page.click("#walk-close")
    await look("ready")
    await page.click("#add-device")
    await until(page, "document.querySelector('#invite-qr').naturalWidth > 0")
    await look("add a device")
    await page.keyboard.press("Escape")
    await house.push_event("intercom.quiet", QUIET)
    await page.click("#quiet summary")
    await expect(page.locator("#quiet-off")).to_be_visible()
    await look("the settings for quiet")
    await page.click("#quiet summary")
    await page.click("#visitors-open")
    await expect(page.locator(".visit")).to_have_count(2)
    await look("the visitors")
    await page.locator(".visit-open").first.click()
    await expect(page.locator("#visit-replies li")).to_have_count(1)
    await look("a visitor")
    await page.keyboard.press("Escape")
    await page.keyboard.press("Escape")
    await look_through_the_camera(page, house, look)
    offer = await door.offer()
    await house.invite("c1", offer)
    await state(page, "ringing")
    await look("ringing")
    await page.click("#answer")
    await door.accept((await house.wait_for_verto("verto.answer"))["sdp"])
    await state(page, "in-call")
    await until(page, "document.querySelector('#remote-video').currentTime > 0.5")
    await expect(page.locator("#fit")).to_be_visible()
    await page.keyboard.press("m")
    await look("in a call")
    await house.invite("c2", offer, name="Back door", number="/private/back-door")
    await expect(page.locator("#waiting li")).to_have_count(1)
    await look("a second door beside the call")
    await page.click("#waiting .waiting-decline")
    await expect(page.locator("#waiting li")).to_have_count(0)
    await page.click("#more-open")
    await page.click("#keypad button")
    await look("more about the call")
    await page.keyboard.press("Escape")
    await page.keyboard.press("Escape")
    await state(page, "ready")
    await page.click("#call-door")
    await state(page, "calling")
    await look("calling")
    await page.keyboard.press("Escape")
    house.faults.away = True
    await house.cut()
    await state(page, "lost")
    await look("no connection")


async def look_through_the_camera(page: Page, house: House, look: Look) -> None:
    """Let a page look at the door without a call."""
    camera = HeldCamera()
    camera.runs.set()
    house.shows = camera.answer
    await page.click("#looks button")
    await state(page, "looking")
    await until(page, "document.querySelector('#face').currentTime > 0")
    await expect(page.locator("#fit")).to_be_visible()
    await look("looking through the camera")
    await page.click("#look-end")
    await state(page, "ready")
    house.shows = None
    await camera.close()


@pytest.mark.parametrize("scheme", ["dark", "light"])
async def test_axe_finds_nothing_on_any_screen(
    page: Page, house: House, door: Door, axe: str, scheme: Literal["dark", "light"]
) -> None:
    found: dict[str, list[str]] = {}

    async def look(screen: str) -> None:
        if not await page.evaluate("'axe' in window"):
            await page.evaluate(axe)
        found[screen] = await page.evaluate(FOUND)

    await page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    await tour(page, house, door, look)
    assert {screen: each for screen, each in found.items() if each} == {}
    assert len(found) == 19


async def test_a_keyboard_reaches_every_control_in_the_order_in_which_it_stands(
    page: Page, house: House, door: Door
) -> None:
    reached: dict[str, tuple[list[str], list[str]]] = {}

    async def look(screen: str) -> None:
        await page.evaluate(FROM_THE_TOP)
        controls = await page.evaluate(CONTROLS)
        inside = await page.evaluate("Boolean(document.querySelector('dialog[open]'))")
        order: list[str] = []
        for _ in range(0 if inside else 2 * len(controls)):
            if len(order) == len(controls):
                break
            await page.keyboard.press("Tab")
            name, outline, seen = await page.evaluate(FOCUSED)
            if order[-1:] != [name]:  # else it is the next part of a time
                assert (outline, seen) == ("3px", True), (screen, name)
                order.append(name)
        reached[screen] = (order, [] if inside else controls)

    await tour(page, house, door, look)
    assert {screen: order for screen, (order, _) in reached.items()} == {
        screen: controls for screen, (_, controls) in reached.items()
    }
