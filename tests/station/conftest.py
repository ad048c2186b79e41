"""A real Chromium with a fake microphone, a scripted house, and the page opened in it."""

from collections.abc import AsyncIterator

import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Page, async_playwright, expect

from tests.ports import reserved_port
from tests.station.door import Door
from tests.station.house import House
from tests.station.waiting import PATIENCE_MS, patient, remember

CHROMIUM = "/usr/bin/chromium"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--autoplay-policy=no-user-gesture-required",
]

POPUPS_OF_THE_ADDRESS_BAR = ("WebUIOmniboxPopup", "WebUIOmniboxAimPopup", "WebUIOmniboxFullPopup")
"""Pages that Chromium loads for each window, in two processes, before anyone types an address."""
WITHOUT = (
    *("AimEnabled", "AvoidCorsURLLoaderRestartOnRedirect", "AvoidUnnecessaryBeforeUnloadCheckSync"),
    *("DestroyProfileOnBrowserClose", "HttpsFirstBalancedModeAutoEnable", "HttpsUpgrades", "LensOverlay"),
    *("MediaRouter", "NetworkTimeServiceQuerying", "OptimizationHints", "PaintHolding", "PreconnectToSearch"),
    *("ThirdPartyStoragePartitioning", *POPUPS_OF_THE_ADDRESS_BAR),
)
"""Features that the browser does without: those that Playwright names, whose list ours replaces, and the popups."""
LEAN = f"--disable-features={','.join(WITHOUT)}"

expect.set_options(timeout=PATIENCE_MS)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    """One Chromium for all tests."""
    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(executable_path=CHROMIUM, args=[*FLAGS, LEAN], timeout=PATIENCE_MS)
        yield chromium
        await chromium.close()


@pytest_asyncio.fixture(loop_scope="session")
async def house() -> AsyncIterator[House]:
    """A scripted house, whose port stays its own while it is away."""
    with reserved_port() as port:
        served = House(port)
        await served.start()
        yield served
        await served.stop()


@pytest_asyncio.fixture(loop_scope="session")
async def context(browser: Browser) -> AsyncIterator[BrowserContext]:
    """A fresh profile of a phone."""
    fresh = patient(
        await browser.new_context(viewport={"width": 390, "height": 844}, permissions=["microphone", "notifications"])
    )
    yield fresh
    await fresh.close()


@pytest_asyncio.fixture(loop_scope="session")
async def page(context: BrowserContext) -> AsyncIterator[Page]:
    """A page that must not throw."""
    opened = await context.new_page()
    await remember(opened)
    thrown: list[str] = []
    opened.on("pageerror", lambda error: thrown.append(str(error)))
    opened.on("console", lambda m: thrown.append(m.text) if "Content Security Policy" in m.text else None)
    yield opened
    assert thrown == []


@pytest_asyncio.fixture(loop_scope="session")
async def station(page: Page, house: House) -> Page:
    """The page, paired and ready."""
    await page.goto(f"{house.url}#pair=ABCD2345")
    await page.wait_for_selector("body[data-state=ready]")
    return page


@pytest_asyncio.fixture(loop_scope="session")
async def door() -> AsyncIterator[Door]:
    """The door's side of a call."""
    peer = Door()
    yield peer
    await peer.close()
