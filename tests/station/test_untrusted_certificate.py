"""The page on a device that does not trust the house's certificate: whoever opened it clicked the warning away."""

from __future__ import annotations

import asyncio
import hashlib
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import BrowserContext, Error, Page, expect

from intercom.config import SpaceConfig
from intercom.space import Space
from tests.firefox import firefox
from tests.station.waiting import state

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.usefixtures("service_worker")]

CLICKED_AWAY = "thisisunsafe"
"""Typed on Chromium's warning page it is the same as Advanced, Proceed."""

RINGS_ON_ANDROID = """async () => {
    window.Notification = class {
        static permission = "granted";
        constructor() { throw new TypeError("Illegal constructor"); }
    };
    Object.defineProperty(document, "hidden", { value: true, configurable: true });
    const { Alerts } = await import("./alerts/alerts.js");
    new Alerts().start("Front door is ringing");
    return document.title;
}"""
"""There no page may show a notification by itself, and without trust there is no service worker that might."""


@pytest_asyncio.fixture(loop_scope="session")
async def space(tmp_path: Path) -> AsyncIterator[Space]:
    """A space with TLS and the certificate that it made for itself."""
    served = Space(SpaceConfig(listen="127.0.0.1:0", tls="on"), tmp_path)
    await served.start()
    yield served
    await served.stop()


@pytest_asyncio.fixture(loop_scope="session")
async def untrusting(context: BrowserContext, space: Space) -> Page:
    """The page in a Chromium that was told to go on in spite of the warning."""
    page = await context.new_page()
    with pytest.raises(Error, match="ERR_CERT_AUTHORITY_INVALID"):
        await page.goto(space.invite(name="Kitchen").url)
    await page.locator("#details-button").wait_for()  # the warning page is there, and listens
    await page.keyboard.type(CLICKED_AWAY)
    await state(page, "ready")
    return page


async def test_chromium_pairs_and_waits_for_rings_without_its_service_worker(untrusting: Page) -> None:
    assert await untrusting.evaluate("navigator.serviceWorker.getRegistrations().then((all) => all.length)") == 0
    await expect(untrusting.locator("#status")).to_have_text("Ready")


async def test_the_page_says_that_it_rings_only_while_it_is_open(untrusting: Page) -> None:
    await expect(untrusting.locator("#only-open")).to_contain_text("does not trust")


async def test_the_page_leads_to_where_the_device_learns_to_trust_the_house(untrusting: Page, space: Space) -> None:
    await expect(untrusting.locator("[data-step=trust]")).to_have_attribute("data-state", "todo")
    await expect(untrusting.locator("#walk-trust")).to_have_attribute("href", space.trust_page.url)
    await expect(untrusting.locator("#walk-trust")).to_be_visible()
    await untrusting.click("#walk-close")
    await expect(untrusting.locator("#trust-link")).to_have_attribute("href", space.trust_page.url)
    await expect(untrusting.locator("#trust-link")).to_be_visible()


async def test_a_page_that_may_show_no_notification_goes_on_with_its_title(untrusting: Page) -> None:
    assert await untrusting.evaluate(RINGS_ON_ANDROID) == "\U0001f514 Front door is ringing"


async def test_a_page_whose_certificate_is_trusted_says_nothing_of_it(station: Page) -> None:
    await expect(station.locator("#only-open")).to_be_hidden()


async def test_firefox_pairs_after_the_warning_too(space: Space) -> None:
    pem = await asyncio.to_thread(ssl.get_server_certificate, ("localhost", space.port), timeout=60.0)
    digest = hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem)).hexdigest().upper()
    fingerprint = ":".join(digest[i : i + 2] for i in range(0, len(digest), 2))
    # What "Accept the risk and continue" writes: the host, the digest's name, the certificate's digest.
    exception = f"localhost:{space.port}:\tOID.2.16.840.1.101.3.4.2.1\t{fingerprint}\t\n"
    async with firefox(files={"cert_override.txt": exception}) as tab:
        await tab.goto(space.invite(name="Tablet").url)
        await tab.until("document.body.dataset.state === 'ready'")
