"""The page as a page: its files, its policy, its words, and whether everybody can use it."""

import time
from typing import Any

import pytest
from playwright.async_api import Page, expect

from tests.station.door import Door
from tests.station.house import House
from tests.station.waiting import state

pytestmark = pytest.mark.asyncio(loop_scope="session")

SMALL = """() => [...document.querySelectorAll("button, input, label.row")]
    .filter((control) => control.checkVisibility())
    .filter((control) => !control.closest("label.row") || control.matches("label.row"))
    .map((control) => [control.id, control.getBoundingClientRect()])
    .filter(([, box]) => box.width < 48 || box.height < 48)
    .map(([id]) => id)"""

FAINT = """() => {
    const numbers = (colour) => colour.match(/[\\d.]+/g).map(Number);
    const luminance = ([r, g, b]) => [r, g, b].map((v) => v / 255)
        .map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
        .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
    const ground = (node) => {
        for (; node; node = node.parentElement) {
            const colour = numbers(getComputedStyle(node).backgroundColor);
            if (colour.length === 3 || colour[3] > 0.5) return colour;
        }
        return [255, 255, 255];
    };
    return [...document.querySelectorAll("h1, p, span, label, dt, button")]
        .filter((node) => node.checkVisibility() && !node.closest(":disabled") && !node.closest(".unseen"))
        .filter((node) => [...node.childNodes].some((child) => child.nodeType === 3 && child.textContent.trim()))
        .map((node) => {
            const [a, b] = [luminance(numbers(getComputedStyle(node).color)), luminance(ground(node))];
            return [node.textContent, (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05)];
        })
        .filter(([, contrast]) => contrast < 4.5);
}"""

NAMELESS = """() => [...document.querySelectorAll("button, input, video, [role=img]")]
    .filter((control) => control.checkVisibility())
    .filter((control) => !(control.getAttribute("aria-label") || control.textContent.trim()
        || [...(control.labels ?? [])].some((label) => label.textContent.trim())))
    .map((control) => control.id)"""


def visitor(number: int, how: str, by: str = "", door: str = "Front door") -> dict[str, Any]:
    """A visitor as the house describes one."""
    at = time.time() - 90_000 / number
    about = {"id": number, "version": number, "ring": f"r{number}", "door": {"name": door, "address": "/private/door"}}
    about["button"] = ""
    return {**about, "began_at": at, "ended_at": at, "state": how, "by": by, "opened_by": "", "picture": False}


async def test_a_visitor_at_a_door_with_markup_for_a_name_is_listed_as_text(station: Page, house: House) -> None:
    house.visitors = [visitor(1, "answered", "<b>Anna</b>", door="<img src=x onerror=alert(1)>")]
    await station.click("#walk-close")
    await station.click("#visitors-open")
    await expect(station.locator(".visit-who")).to_have_text("<img src=x onerror=alert(1)>")
    await expect(station.locator(".visit-what")).to_have_text("Answered by <b>Anna</b>")


async def test_a_caller_with_markup_for_a_name_is_shown_as_text(station: Page, house: House, door: Door) -> None:
    await house.invite("c1", await door.offer(), name="<img src=x onerror=alert(1)>")
    await state(station, "ringing")
    await expect(station.locator("#ringing-title")).to_have_text("<img src=x onerror=alert(1)>")
    assert await station.locator("#ringing-title img").count() == 0


@pytest.mark.usefixtures("service_worker")  # with it the page has more to say of notifications
@pytest.mark.parametrize("scheme", ["dark", "light"])
async def test_everything_can_be_read_touched_and_named(station: Page, house: House, door: Door, scheme: str) -> None:
    await station.emulate_media(color_scheme="dark" if scheme == "dark" else "light")

    async def check() -> None:
        assert await station.evaluate(FAINT) == []
        assert await station.evaluate(SMALL) == []
        assert await station.evaluate(NAMELESS) == []

    await check()
    house.visitors = [visitor(2, "given_up"), visitor(1, "answered", "Anna")]
    await station.click("#visitors-open")
    await expect(station.locator(".visit")).to_have_count(2)
    await check()
    await station.locator(".visit-open").first.click()
    await check()
    await house.invite("c1", await door.offer())
    await state(station, "ringing")
    await check()
    await station.click("#answer")
    await state(station, "in-call")
    await station.keyboard.press("m")
    await check()
    await station.keyboard.press("Escape")
    await house.wait_for_verto("verto.bye")
    await station.evaluate("localStorage.clear()")
    await station.reload()
    await state(station, "unpaired")
    await check()


@pytest.mark.parametrize(("width", "height"), [(320, 568), (390, 844), (844, 390), (768, 1024), (1280, 800)])
async def test_nothing_is_cut_off(station: Page, house: House, door: Door, width: int, height: int) -> None:
    await station.set_viewport_size({"width": width, "height": height})
    await house.connect_call(station, door, "c1")
    for selector in ("#hangup", "#open-door", "#mute", "#call-title"):
        await expect(station.locator(selector)).to_be_in_viewport(ratio=0.99)
    assert await station.evaluate("document.documentElement.scrollWidth <= innerWidth")


async def test_a_keyboard_reaches_every_control_of_a_call_and_shows_where_it_is(
    station: Page, house: House, door: Door
) -> None:
    await house.connect_call(station, door, "c1")
    await expect(station.locator("#fit")).to_be_visible()
    reached = []
    for _ in range(6):
        await station.keyboard.press("Tab")
        reached.append(await station.evaluate("document.activeElement.id"))
        outline = await station.evaluate("getComputedStyle(document.activeElement).outlineWidth")
        assert outline == "3px"
    assert reached == ["fit", "more-open", "volume", "open-door", "mute", "hangup"]
