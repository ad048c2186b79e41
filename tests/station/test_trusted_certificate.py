"""The page on a device that trusts the house's CA, and the page /trust that leads there: real browsers, both."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from cryptography import x509
from playwright.async_api import Browser, Error, Page, async_playwright, expect

from intercom.config import SpaceConfig
from intercom.space import Space
from intercom.space.tls.authority import Authority
from intercom.space.tls.certificate import now_utc
from tests.firefox import firefox
from tests.space.tls.test_authority import forged
from tests.space.tls.trusting import trusting
from tests.station.conftest import CHROMIUM, FLAGS
from tests.station.waiting import PATIENCE_MS, patient, state

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.skipif(shutil.which("certutil") is None, reason="certutil is missing (apt install libnss3-tools)"),
]

DATABASE = ("cert9.db", "key4.db", "pkcs11.txt")
BANK = "bank.example.com"


@pytest.fixture(scope="module")
def state_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the space keeps its certificates."""
    return tmp_path_factory.mktemp("space")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def space(state_dir: Path) -> AsyncIterator[Space]:
    """A space with a certificate of its CA."""
    served = Space(SpaceConfig(listen="127.0.0.1:0", tls="on"), state_dir)
    await served.start()
    yield served
    await served.stop()


@pytest.fixture(scope="module")
def database(space: Space, state_dir: Path) -> Path:
    """A browser's certificates, the house's CA among them."""
    return trusting(state_dir)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def trusting_browser(database: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Browser]:
    """Chromium of a user who has put the CA in; the bank's name leads to this machine."""
    home = tmp_path_factory.mktemp("home")
    shutil.copytree(database, home / ".pki" / "nssdb")
    async with async_playwright() as playwright:
        flags = [*FLAGS, f"--host-resolver-rules=MAP {BANK} 127.0.0.1"]
        chromium = await playwright.chromium.launch(
            executable_path=CHROMIUM, args=flags, env={**os.environ, "HOME": str(home)}, timeout=PATIENCE_MS
        )
        yield chromium
        await chromium.close()


@pytest_asyncio.fixture(loop_scope="module")
async def phone(trusting_browser: Browser) -> AsyncIterator[Page]:
    """A page on it that breaks no policy."""
    context = patient(
        await trusting_browser.new_context(
            viewport={"width": 390, "height": 844}, permissions=["microphone", "notifications"]
        )
    )
    page = await context.new_page()
    refused: list[str] = []
    page.on("console", lambda m: refused.append(m.text) if "Content Security Policy" in m.text else None)
    yield page
    await context.close()
    assert refused == []


async def test_chromium_sees_that_it_trusts_the_house_and_leads_on_to_pairing(space: Space, phone: Page) -> None:
    code = space.invite(name="Kitchen").url.partition("#")[2]
    await phone.goto(f"{space.trust_page.url}#{code}")
    await expect(phone.locator("#state")).to_have_text("This device trusts the house.")
    await phone.click("#go")
    await state(phone, "ready")
    assert phone.url == f"{space.url}/station/"
    await expect(phone.locator("#only-open")).to_be_hidden()
    assert await phone.evaluate("navigator.serviceWorker.ready.then((worker) => worker.active !== null)")


async def test_chromium_with_the_ca_refuses_a_bank_that_it_signed(space: Space, state_dir: Path, phone: Page) -> None:
    bank, tls = state_dir / "bank.crt", space.tls.context
    assert tls is not None
    bank.write_bytes(forged(Authority(state_dir), x509.DNSName(BANK), key=state_dir / "tls.key"))
    tls.load_cert_chain(bank, state_dir / "tls.key")
    try:
        with pytest.raises(Error, match="ERR_CERT"):
            await phone.goto(f"https://{BANK}:{space.port}/")
    finally:
        tls.load_cert_chain(state_dir / "tls.crt", state_dir / "tls.key")


async def test_chromium_without_the_ca_sees_that_it_does_not_trust_the_house(space: Space) -> None:
    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS, timeout=PATIENCE_MS)
        page = patient(await chromium.new_page())
        await page.goto(space.trust_page.url)
        await expect(page.locator("#state")).to_have_text("This device does not trust the house yet.")
        await expect(page.locator("#go")).to_be_hidden()
        await chromium.close()


async def test_the_page_notices_that_the_device_trusts_the_house_meanwhile(
    space: Space, state_dir: Path, phone: Page
) -> None:
    """Here the house changes and not the device: it shows another CA's certificate first, then the known one's."""
    known = {name: (state_dir / name).read_bytes() for name in ("ca.crt", "ca.key")}
    Authority(state_dir).make_anew(space.location.names, now_utc())
    space.tls.follow()
    await phone.goto(space.trust_page.url)
    await expect(phone.locator("#state")).to_have_text("This device does not trust the house yet.")
    for name, content in known.items():
        (state_dir / name).write_bytes(content)
    space.tls.follow()
    await expect(phone.locator("#state")).to_have_text("This device trusts the house.")
    await expect(phone.locator("#go")).to_be_visible()


async def test_firefox_with_the_ca_joins_the_house_without_a_warning(space: Space, database: Path) -> None:
    async with firefox(files={name: (database / name).read_bytes() for name in DATABASE}) as tab:
        await tab.goto(space.trust_page.url)
        await tab.until("document.body.dataset.state === 'trusted'")
        await tab.goto(space.invite(name="Tablet").url)
        await tab.until("document.body.dataset.state === 'ready'")
        await tab.until("navigator.serviceWorker.controller !== null || document.querySelector('#only-open').hidden")


async def test_firefox_without_the_ca_is_told_the_steps(space: Space) -> None:
    async with firefox() as tab:
        await tab.goto(space.trust_page.url)
        await tab.until("document.body.dataset.state === 'untrusted'")
        assert "identify websites" in await tab.text("#desktop")
