"""The page in a dashboard's frame, behind a real nginx that serves it as Home Assistant's ingress does."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Frame, Page, expect

from intercom.config import SpaceConfig
from intercom.space import Space
from tests.ports import reserved_port
from tests.space.nginx import PROGRAM, nginx
from tests.station.conftest import new_profile
from tests.station.test_behind_a_proxy import still_good
from tests.station.waiting import PATIENCE_MS

pytestmark = [
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.skipif(PROGRAM is None, reason="nginx is not installed (apt install nginx-light)"),
]

DOOR, HOME, OTHER_SITE = "door.house.localhost", "home.house.localhost", "cloud.localhost"
"""Two hosts of one site, and one of another: a browser that blocks other sites' storage gives its frames none."""
INGRESS = "/api/hassio_ingress/Zm9vYmFyMTIz"
DASHBOARD = """
    location = /dashboard {
        default_type text/html;
        return 200 '<iframe allow="microphone; autoplay" width="400" height="800"></iframe>';
    }
"""
LISTENS = """async () => {
    const stream = await navigator.mediaDevices.getUserMedia({ audio: true });
    stream.getTracks().forEach((track) => track.stop());
    return stream.getAudioTracks().length;
}"""


@dataclass
class Dashboard:
    """Home Assistant's host, with a page of its own and the space below a path, and who may frame it."""

    page: Page
    space: Space
    port: int

    async def frame(self, host: str, link: str) -> Frame:
        """Open the dashboard at a host and let it frame a link; return the frame."""
        await self.page.goto(f"https://{host}:{self.port}/dashboard")
        await self.page.evaluate("(link) => document.querySelector('iframe').src = link", link)
        element = await self.page.wait_for_selector("iframe")
        frame = await element.content_frame()
        assert frame is not None
        return frame

    def link(self) -> str:
        """An invitation below the path."""
        return self.space.invite(url=f"https://{DOOR}:{self.port}{INGRESS}").url


@pytest_asyncio.fixture(loop_scope="session")
async def dashboard(browser: Browser, tmp_path: Path) -> AsyncIterator[Dashboard]:
    context = await new_profile(browser, service_worker=True, ignore_https_errors=True, permissions=["microphone"])
    with reserved_port() as space_port:
        below = f"    location {INGRESS}/ {{\n        proxy_pass http://127.0.0.1:{space_port}/;"
        below += f"\n        proxy_set_header X-Ingress-Path {INGRESS};"
        whole = f"    location / {{\n        proxy_pass http://127.0.0.1:{space_port};"
        async with nginx(tmp_path / "nginx", space_port, changed={whole: DASHBOARD + below}) as port:
            config = SpaceConfig(
                listen=f"127.0.0.1:{space_port}",
                trusted_proxies=("127.0.0.1",),
                host_names=(DOOR,),
                embed_allowed=(f"https://{DOOR}:{port}", f"https://{HOME}:{port}", f"https://{OTHER_SITE}:{port}"),
            )
            space = Space(config, tmp_path / "state")
            await space.start()
            yield Dashboard(await context.new_page(), space, port)
            await space.stop()
    await context.close()


async def test_a_panel_of_home_assistant_joins_the_house_through_its_ingress_and_has_a_microphone(
    dashboard: Dashboard,
) -> None:
    frame = await dashboard.frame(DOOR, dashboard.link())
    await frame.wait_for_selector("body[data-state=ready]", timeout=PATIENCE_MS)
    assert frame.url == f"https://{DOOR}:{dashboard.port}{INGRESS}/station/"
    assert await frame.evaluate(LISTENS) == 1


async def test_a_page_of_another_named_host_frames_the_house_as_well(dashboard: Dashboard) -> None:
    frame = await dashboard.frame(HOME, dashboard.link())
    await frame.wait_for_selector("body[data-state=ready]", timeout=PATIENCE_MS)
    assert await frame.evaluate(LISTENS) == 1


async def test_a_frame_of_another_site_whose_storage_the_browser_blocks_says_so_and_costs_no_code(
    dashboard: Dashboard,
) -> None:
    link = dashboard.link()
    frame = await dashboard.frame(OTHER_SITE, link)
    await expect(frame.locator("#error")).to_contain_text("lets the page keep nothing here")
    assert still_good(dashboard.space, link)


async def test_a_page_that_nobody_named_frames_nothing(dashboard: Dashboard) -> None:
    async with dashboard.page.expect_console_message(
        lambda message: "frame-ancestors" in message.text, timeout=PATIENCE_MS
    ):
        frame = await dashboard.frame("evil.localhost", dashboard.link())
    await expect(frame.locator("body[data-state]")).to_have_count(0)
