"""Pictures of every state of the station page: `python -m tests.station.screens DIRECTORY`."""

import asyncio
import contextlib
import sys
import tempfile
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, Literal

from playwright.async_api import Browser, Error, Page, ViewportSize, async_playwright

from intercom.config import SpaceConfig
from intercom.space import Space
from tests.station.conftest import CHROMIUM, FLAGS
from tests.station.door import Door
from tests.station.house import House
from tests.station.test_bell import SILENT_UNTIL_A_TAP
from tests.station.test_page import visitor
from tests.station.test_untrusted_certificate import CLICKED_AWAY
from tests.station.waiting import state, until

PHONE: ViewportSize = {"width": 390, "height": 844}
SIDEWAYS: ViewportSize = {"width": 844, "height": 390}
TABLET: ViewportSize = {"width": 1280, "height": 800}
SHAPES: list[tuple[str, ViewportSize, Literal["dark", "light"]]] = [
    ("phone-dark", PHONE, "dark"),
    ("phone-light", PHONE, "light"),
    ("sideways-dark", SIDEWAYS, "dark"),
    ("tablet-dark", TABLET, "dark"),
    ("tablet-light", TABLET, "light"),
]
DEVICES = [
    {"name": "Kitchen tablet", "online": True, "seen_on": "2026-11-28", "registered_on": "2026-11-28", "push": True}
    | {"trouble": "", "shown_at": 1_795_888_000},
    {"name": "Hall phone", "online": False, "seen_on": "2026-11-27", "registered_on": "2026-11-27", "push": False}
    | {"trouble": "", "shown_at": 0},
]
VISITS = [("given_up", ""), ("answered", "Anna"), ("refused", "Hall phone"), ("opened", "Anna's key"), ("missed", "")]
Shoot = Callable[[str], Coroutine[Any, Any, None]]


async def tour(page: Page, house: House, shoot: Shoot) -> None:
    """Lead one page through all of its states."""
    await page.goto(house.url)
    await state(page, "unpaired")
    await shoot("unpaired")
    await page.fill("#pair-code", "WRONG")
    await page.click("#pair")
    await until(page, "!document.querySelector('#error').hidden")
    await shoot("unpaired-error")
    house.faults.silent = True
    await page.fill("#pair-code", next(iter(house.codes)))
    await page.click("#pair")
    await state(page, "connecting")
    await shoot("connecting")
    house.faults.silent = False
    await page.reload()
    await state(page, "ready")
    await _walk(page, house, shoot)
    await shoot("ready")
    house.visitors = [visitor(9 - n, how, by) for n, (how, by) in enumerate(VISITS)]
    await page.click("#visitors-open")
    await page.locator(".visit").first.wait_for()
    await shoot("visitors")
    await page.locator(".visit-open").first.click()
    await shoot("visitor")
    await page.keyboard.press("Escape")
    await page.keyboard.press("Escape")
    house.invites_to = "https://192.168.1.20:8443/station/"
    await page.click("#add-device")
    await until(page, "document.querySelector('#invite-qr').naturalWidth > 0")
    await shoot("invite")
    await page.keyboard.press("Escape")
    await _calls(page, house, shoot)
    house.faults.away = True
    await house.cut()
    await state(page, "lost")
    await asyncio.sleep(1.2)
    await shoot("lost")
    house.secrets.clear()
    house.faults.away = False
    await state(page, "unpaired")
    await shoot("not-paired-any-more")


async def _walk(page: Page, house: House, shoot: Shoot) -> None:
    """Each step by which a device that has joined proves that it rings."""
    await page.wait_for_selector("[data-step=name] > button[aria-expanded=true]")
    await shoot("walk-name")
    await page.click("#walk-rename")
    await page.wait_for_selector("[data-step=push] > button[aria-expanded=true]")
    await shoot("walk-notifications")
    await page.click("#walk-later")
    await page.click("#walk-ring")
    await page.wait_for_selector("#walk-ringing:not([hidden])")
    await asyncio.sleep(0.8)
    await shoot("walk-rings")
    await page.click("#walk-unheard")
    await shoot("walk-unheard")
    await page.click("#walk-ring")
    await page.click("#walk-heard")
    await page.wait_for_selector("[data-step=open][data-state=done]")
    await page.evaluate("document.body.dataset.push = 'on'")  # no push service is reached from here
    await page.click("[data-step=closed] > button")
    await page.click("#walk-wake")
    await until(page, "document.querySelector('[data-step=closed]').textContent.includes('a few seconds')")
    await shoot("walk-closed")
    house.device["woken_at"] = time.time()
    await page.wait_for_selector("[data-step=closed][data-state=done]")
    await page.click("[data-step=closed] > button")
    await page.click("#walk-house summary")
    await shoot("walk-done")
    await page.click("#walk-done")


async def shoot_untrusting(browser: Browser, directory: Path) -> None:
    """The page in a browser that does not trust the house, and the page that shows the way."""
    with tempfile.TemporaryDirectory() as state_dir:
        space = Space(SpaceConfig(listen="127.0.0.1:0", tls="on"), Path(state_dir))
        await space.start()
        for shape, viewport in (("phone", PHONE), ("tablet", TABLET)):
            context = await browser.new_context(viewport=viewport, color_scheme="dark", permissions=["microphone"])
            page = await context.new_page()
            await page.goto(space.trust_page.url)
            await page.wait_for_selector("body[data-state=untrusted]")
            await page.screenshot(path=directory / f"{shape}-dark-trust-page.png")
            with contextlib.suppress(Error):
                await page.goto(space.invite(name="Kitchen").url)
            await page.locator("#details-button").wait_for()
            await page.keyboard.type(CLICKED_AWAY)
            await state(page, "ready")
            await page.wait_for_selector("[data-step=trust] > button[aria-expanded=true]")
            await page.screenshot(path=directory / f"{shape}-dark-walk-trust.png")
            await context.close()
        await space.stop()


async def _calls(page: Page, house: House, shoot: Shoot) -> None:
    door = Door(size=(1280, 720))
    await house.invite("shot-1", await door.offer())
    await state(page, "ringing")
    await asyncio.sleep(1.3)
    await shoot("ringing")
    await page.click("#answer")
    await door.accept((await house.wait_for_verto("verto.answer"))["sdp"])
    await door.heard_something.wait()
    await until(page, "document.querySelector('#remote-video').currentTime > 2.5")
    await shoot("in-call")
    await page.keyboard.press("m")
    await page.keyboard.press("Tab")
    await page.keyboard.press("Tab")
    await shoot("muted-keyboard-focus")
    await page.keyboard.press("o")
    await shoot("door-asked")
    await house.door_says("shot-1", "open")
    await until(page, "document.querySelector('#open-door').dataset.door === 'open'")
    await shoot("door-open")
    await house.door_says("shot-1", "closed")
    await until(page, "document.querySelector('#open-door').dataset.door === 'closed'")
    await page.keyboard.press("o")
    await until(page, "!document.querySelector('#error').hidden")
    await shoot("door-silent")
    house.faults.away = True
    await house.cut()
    await page.wait_for_selector("body[data-link=lost]")
    await shoot("in-call-lost")
    house.faults.away = False
    await page.wait_for_selector("body[data-link=ready]")
    await page.keyboard.press("Escape")
    await state(page, "ready")
    await shoot("ready-after-call")
    await door.close()
    await page.click("#call-door")
    await state(page, "calling")
    await asyncio.sleep(0.6)
    await shoot("calling")
    invite = await house.wait_for_verto("verto.invite")
    await house.bye(invite["dialogParams"]["callID"], "USER_NOT_REGISTERED")
    await state(page, "ready")
    await shoot("call-failed")


async def shoot_all(browser: Browser, directory: Path) -> None:
    """Every state in every shape, and those that need another browser."""
    for shape, viewport, scheme in SHAPES:
        house = House(devices=DEVICES)
        await house.start()
        context = await browser.new_context(
            viewport=viewport, color_scheme=scheme, permissions=["microphone", "notifications"], device_scale_factor=1
        )
        page = await context.new_page()

        async def shoot(name: str, shape: str = shape, page: Page = page) -> None:
            await page.screenshot(path=directory / f"{shape}-{name}.png")

        await tour(page, house, shoot)
        await context.close()
        await house.stop()


async def shoot_without_tap(directory: Path) -> None:
    """A browser that wants a tap before sound, and one that refuses the microphone."""
    strict = [flag for flag in FLAGS if "autoplay" not in flag and "fake-ui" not in flag]
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=strict)
        house = House()
        await house.start()
        context = await browser.new_context(viewport=PHONE, color_scheme="dark")
        await context.add_init_script(SILENT_UNTIL_A_TAP)
        page = await context.new_page()
        await page.goto(f"{house.url}#pair={next(iter(house.codes))}")
        await state(page, "ready")
        await page.screenshot(path=directory / "phone-dark-bell-off.png")
        door = Door(size=(1280, 720))
        await house.invite("quiet", await door.offer())
        await state(page, "ringing")
        await page.screenshot(path=directory / "phone-dark-ringing-silent.png")
        await page.click("#answer")
        await door.accept((await house.wait_for_verto("verto.answer"))["sdp"])
        await until(page, "document.querySelector('#remote-video').currentTime > 1")
        await page.screenshot(path=directory / "phone-dark-microphone-refused.png")
        await door.close()
        await browser.close()
        await house.stop()


async def main(directory: Path) -> None:
    """Shoot everything into the directory."""
    directory.mkdir(parents=True, exist_ok=True)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        await shoot_all(browser, directory)
        await shoot_untrusting(browser, directory)
        await browser.close()
    await shoot_without_tap(directory)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
