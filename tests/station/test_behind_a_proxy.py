"""The page behind a real nginx: with the documented configuration it works, with a wrong one it says why not."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from intercom.config import SpaceConfig
from intercom.space import Space
from tests.space.nginx import PROGRAM, below_a_path, nginx
from tests.station.conftest import new_profile
from tests.station.waiting import state

pytestmark = [
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.skipif(PROGRAM is None, reason="nginx is not installed (apt install nginx-light)"),
]


@pytest_asyncio.fixture(loop_scope="session")
async def phone(browser: Browser) -> AsyncIterator[Page]:
    """A phone that trusts the proxy's certificate."""
    context = await new_profile(browser, service_worker=True, ignore_https_errors=True, permissions=["microphone"])
    yield await context.new_page()
    await context.close()


def still_good(space: Space, link: str) -> bool:
    """Whether the code of a pairing link was not used up."""
    space.codes.claim(link.partition("pair=")[2].partition("&")[0])
    return True


async def test_a_phone_joins_through_the_documented_proxy(phone: Page, tmp_path: Path) -> None:
    space = Space(SpaceConfig(listen="127.0.0.1:0", trusted_proxies=("127.0.0.1",)), tmp_path / "state")
    await space.start()
    async with nginx(tmp_path / "nginx", space.port) as port:
        await phone.goto(space.invite(url=f"https://localhost:{port}").url)
        await state(phone, "ready")
    await space.stop()


async def test_a_phone_joins_below_a_path(phone: Page, tmp_path: Path) -> None:
    config = SpaceConfig(listen="127.0.0.1:0", trusted_proxies=("127.0.0.1",), public_url="https://localhost/door")
    space = Space(config, tmp_path / "state")
    await space.start()
    async with nginx(tmp_path / "nginx", space.port, changed=below_a_path(space.port)) as port:
        await phone.goto(space.invite(url=f"https://localhost:{port}/door").url)
        await state(phone, "ready")
        assert phone.url == f"https://localhost:{port}/door/station/"
        await expect(phone.locator("#doors")).to_contain_text("Call the door")
    await space.stop()


async def test_a_proxy_that_the_space_does_not_know_is_told_and_costs_no_code(phone: Page, tmp_path: Path) -> None:
    space = Space(SpaceConfig(listen="127.0.0.1:0"), tmp_path / "state")
    await space.start()
    async with nginx(tmp_path / "nginx", space.port) as port:
        link = space.invite(url=f"https://localhost:{port}").url
        await phone.goto(link)
        await expect(phone.locator("#error")).to_contain_text("space.trusted_proxies")
        assert still_good(space, link)
    await space.stop()


async def test_a_proxy_that_lets_no_socket_through_is_told_and_costs_no_code(phone: Page, tmp_path: Path) -> None:
    space = Space(SpaceConfig(listen="127.0.0.1:0", trusted_proxies=("127.0.0.1",)), tmp_path / "state")
    await space.start()
    changed = {"proxy_set_header Upgrade $http_upgrade;": ""}
    async with nginx(tmp_path / "nginx", space.port, changed=changed) as port:
        link = space.invite(url=f"https://localhost:{port}").url
        await phone.goto(link)
        await expect(phone.locator("#error")).to_contain_text("cannot open its connection")
        assert still_good(space, link)
    await space.stop()
