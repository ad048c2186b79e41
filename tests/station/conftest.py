"""A real Chromium with a fake microphone, a scripted house, and the page opened in it."""

from collections.abc import AsyncIterator
from typing import Any, Literal

import pytest
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

SPARE_PROCESS = "SpareRendererForSitePerProcess"
"""A process that Chromium starts beside each page, for one that might be opened next."""
POPUPS_OF_THE_ADDRESS_BAR = ("WebUIOmniboxPopup", "WebUIOmniboxAimPopup", "WebUIOmniboxFullPopup")
"""Pages that Chromium loads for each window, in two processes, before anyone types an address."""
WITHOUT = (
    *("AimEnabled", "AvoidCorsURLLoaderRestartOnRedirect", "AvoidUnnecessaryBeforeUnloadCheckSync"),
    *("DestroyProfileOnBrowserClose", "HttpsFirstBalancedModeAutoEnable", "HttpsUpgrades", "LensOverlay"),
    *("MediaRouter", "NetworkTimeServiceQuerying", "OptimizationHints", "PaintHolding", "PreconnectToSearch"),
    *("ThirdPartyStoragePartitioning", SPARE_PROCESS, *POPUPS_OF_THE_ADDRESS_BAR),
)
"""Features that the browser does without: those that Playwright names, as ours replace them, and what no test sees."""
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


async def new_profile(browser: Browser, *, service_worker: bool = False, **more: Any) -> BrowserContext:
    """Return a fresh profile, patient as a busy machine needs it.

    :param service_worker: let the page have its worker, which fetches each of its 60 files again: a quarter of what a
        page's start costs the processor, so that only tests of what the worker does have it.
    :param more: options of Playwright's `new_context`.
    """
    workers: Literal["allow", "block"] = "allow" if service_worker else "block"
    return patient(await browser.new_context(service_workers=workers, reduced_motion="reduce", **more))


@pytest.fixture
def service_worker() -> None:
    """Let the pages of `context` have their service worker: ask for it with `pytest.mark.usefixtures`."""


@pytest_asyncio.fixture(loop_scope="session")
async def context(browser: Browser, request: pytest.FixtureRequest) -> AsyncIterator[BrowserContext]:
    """A fresh profile of a phone."""
    fresh = await new_profile(
        browser,
        service_worker="service_worker" in request.fixturenames,
        viewport={"width": 390, "height": 844},
        permissions=["microphone", "notifications"],
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
