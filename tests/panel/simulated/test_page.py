"""The panel page: what its server lets in, and the page itself in a real browser."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import aiohttp
import pytest
import pytest_asyncio
from aiohttp import web

from intercom.config import ButtonConfig
from intercom.panel import PageError, PanelPage, Pattern
from intercom.panel.simulated import page_server
from intercom.panel.simulated.page_server import is_own_host
from tests.panel.conftest import WAIT_S, Bench, Clock
from tests.ports import reserved_port
from tests.station.waiting import patient

if TYPE_CHECKING:
    from playwright.async_api import Browser, Page

browsers = pytest.importorskip("playwright.async_api", reason="Playwright is not installed: ./setup.sh --test")

# One browser for all: starting one takes longer than any of these tests.
pytestmark = pytest.mark.asyncio(loop_scope="module")

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync"]

# The smallest JPEG that browsers decode: one grey pixel.
JPEG = bytes.fromhex(
    "ffd8ffdb004300" + "01" * 64 + "ffc0000b080001000101011100ffc4001400010000000000000000000000000000"
    "0009ffc40014100100000000000000000000000000000000ffda0008010100003f0054dfffd9"
)


class Camera:
    """A camera that counts the pictures taken, and can fail."""

    def __init__(self) -> None:
        self.count = 0
        self.fault: Exception | None = None

    async def snapshot(self) -> bytes:
        self.count += 1
        if self.fault is not None:
            raise self.fault
        return JPEG


@pytest.fixture
def bench(make_bench: Callable[..., Bench], clock: Clock) -> Bench:
    """A panel whose door closes when a test lets time pass: a browser may look late."""
    return make_bench(clock=clock)


@pytest.fixture
def camera() -> Camera:
    return Camera()


@pytest_asyncio.fixture(loop_scope="module")
async def page(bench: Bench, camera: Camera) -> AsyncIterator[PanelPage]:
    page = PanelPage(bench.panel, "127.0.0.1:0", camera.snapshot)
    await page.start()
    yield page
    await page.stop()


@pytest_asyncio.fixture(loop_scope="module")
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(WAIT_S)) as session:
        yield session


async def reported(bench: Bench) -> object:
    """What the panel reports next, without blocking the loop that serves the page."""
    return await asyncio.to_thread(bench.next)


# The server


@pytest.mark.parametrize("host", ["127.0.0.1:8481", "localhost:9000", "[::1]:8481", "192.168.1.9:8481"])
async def test_the_page_answers_to_an_address_and_to_localhost(host: str) -> None:
    assert is_own_host(host)


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example:8481", "", "localhost.evil.example"])
async def test_a_foreign_name_that_points_here_is_refused(host: str) -> None:
    assert not is_own_host(host)


async def test_a_request_with_a_foreign_host_is_forbidden(page: PanelPage, http: aiohttp.ClientSession) -> None:
    async with http.get(page.url, headers={"Host": "evil.example"}) as response:
        assert response.status == 403


@pytest.mark.parametrize("headers", [{"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}])
async def test_another_sites_page_cannot_connect(
    page: PanelPage, http: aiohttp.ClientSession, headers: dict[str, str]
) -> None:
    with pytest.raises(aiohttp.WSServerHandshakeError, match="403"):
        await http.ws_connect(page.url + "pins", headers=headers)


async def test_a_page_that_goes_while_it_presses_lets_go(
    page: PanelPage, http: aiohttp.ClientSession, bench: Bench
) -> None:
    socket = await http.ws_connect(page.url + "pins")
    await socket.send_str('{"button":"down"}')
    assert await reported(bench) == "pressed"
    await socket.close()
    assert await reported(bench) == "released"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        '{"button":"sideways"}',
        '{"button":"down","number":1}',
        '{"button":"down","number":-1}',
        '{"button":"down","number":"0"}',
        '{"relay":"on"}',
        '{"camera_switch":1}',
        '{"entrance":"chime","on":true}',
        '{"entrance":"exit","on":1}',
        '{"entrance":"tamper","on":true}',
        "x" * 1000,
        "[" * page_server.MESSAGE_BYTES,
        "[" * (page_server.MESSAGE_BYTES // 2) + "]" * (page_server.MESSAGE_BYTES // 2),
        '{"button":' * 25,
    ],
)
async def test_what_is_no_message_of_the_page_ends_its_connection(
    page: PanelPage, http: aiohttp.ClientSession, text: str
) -> None:
    async with http.ws_connect(page.url + "pins") as socket:
        await socket.send_str(text)
        async for message in socket:
            assert message.type is aiohttp.WSMsgType.TEXT
        assert socket.close_code in (1008, 1009)


async def test_many_pages_share_one_picture(
    page: PanelPage, http: aiohttp.ClientSession, camera: Camera, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page_server, "PICTURE_S", WAIT_S)  # a busy machine takes longer to ask than a picture lasts

    async def fetch() -> bytes:
        async with http.get(page.url + "camera.jpg") as response:
            return await response.read()

    assert set(await asyncio.gather(*[fetch() for _ in range(5)])) == {JPEG}
    assert camera.count == 1


async def test_a_camera_that_fails_says_why(page: PanelPage, http: aiohttp.ClientSession, camera: Camera) -> None:
    camera.fault = OSError("The camera is unplugged.")
    async with http.get(page.url + "camera.jpg") as response:
        assert (response.status, await response.text()) == (503, "The camera is unplugged.")


async def test_an_address_that_is_taken_is_one_clear_error(page: PanelPage, bench: Bench, camera: Camera) -> None:
    taken = page.url.removeprefix("http://").rstrip("/")
    with pytest.raises(PageError, match=r"change panel\.page_listen"):
        await PanelPage(bench.panel, taken, camera.snapshot).start()


async def test_stopping_does_not_wait_for_a_page_that_never_answers_the_close(
    page: PanelPage, http: aiohttp.ClientSession, bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    # An answer would be waited for longer than this test lasts.
    monkeypatch.setattr(page_server.web, "WebSocketResponse", partial(web.WebSocketResponse, timeout=3600.0))
    socket = await http.ws_connect(page.url + "pins")
    async with asyncio.timeout(WAIT_S):
        await page.stop()
    await socket.close()
    assert bench.reported.empty()


# The page, in Chromium


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def browser() -> AsyncIterator[Browser]:
    if not CHROMIUM.exists():
        pytest.skip("needs Debian's chromium: sudo apt install chromium")
    browsers.expect.set_options(timeout=WAIT_S * 1000)
    async with browsers.async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS, timeout=WAIT_S * 1000)
        yield browser
        await browser.close()


@pytest_asyncio.fixture(loop_scope="module")
async def tab(browser: Browser, page: PanelPage) -> AsyncIterator[Page]:
    """The page, open and connected; anything it says on its console is an error."""
    said: list[str] = []
    tab = patient(await browser.new_page())
    tab.on("console", lambda message: said.append(message.text))
    tab.on("pageerror", lambda error: said.append(str(error)))
    await tab.goto(page.url)
    await tab.wait_for_selector("body[data-link=ready]")
    yield tab
    await tab.close()
    assert said == []


async def test_the_mouse_presses_the_button(tab: Page, bench: Bench) -> None:
    await tab.hover("#bell")
    await tab.mouse.down()
    assert await reported(bench) == "pressed"
    assert bench.panel.buttons_down == [True]
    await browsers.expect(tab.locator("#bell")).to_have_attribute("aria-pressed", "true")
    await tab.mouse.up()
    assert await reported(bench) == "released"
    await browsers.expect(tab.locator("#bell")).to_have_attribute("aria-pressed", "false")


async def test_each_of_several_buttons_has_its_name_and_is_pressed_by_itself(
    browser: Browser, make_bench: Callable[..., Bench]
) -> None:
    buttons = ButtonConfig(gpio=5, name="House"), ButtonConfig(gpio=6, name="Office")
    several = make_bench(button=buttons)
    page = PanelPage(several.panel, "127.0.0.1:0", Camera().snapshot)
    await page.start()
    tab = patient(await browser.new_page())
    await tab.goto(page.url)
    await tab.hover("button[aria-label='Ring Office']")
    await tab.mouse.down()
    assert await reported(several) == "pressed"
    assert several.panel.buttons_down == [False, True]
    await browsers.expect(tab.locator(".bell-name").nth(1)).to_have_text("Office")
    await tab.mouse.up()
    assert await reported(several) == "released"
    await tab.close()
    await page.stop()


async def test_the_space_key_presses_the_button_for_as_long_as_it_is_down(tab: Page, bench: Bench) -> None:
    await tab.keyboard.down("Space")
    await tab.keyboard.down("Space")
    assert await reported(bench) == "pressed"
    await tab.keyboard.up("Space")
    assert await reported(bench) == "released"


async def test_letting_go_beside_the_button_lets_go(tab: Page, bench: Bench) -> None:
    await tab.hover("#bell")
    await tab.mouse.down()
    assert await reported(bench) == "pressed"
    await tab.mouse.move(2, 2)
    await tab.mouse.up()
    assert await reported(bench) == "released"


async def test_a_finger_presses_the_button(browser: Browser, page: PanelPage, bench: Bench) -> None:
    phone = await browser.new_context(has_touch=True, is_mobile=True, viewport={"width": 390, "height": 844})
    context = patient(phone)
    tab = await context.new_page()
    await tab.goto(page.url)
    await tab.wait_for_selector("body[data-link=ready]")
    # A tap is shorter than the contact's settling time; a finger is not.
    touch = await context.new_cdp_session(tab)
    box = await tab.locator("#bell").bounding_box()
    assert box is not None
    point = {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2}
    await touch.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [point]})
    assert await reported(bench) == "pressed"
    await touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    assert await reported(bench) == "released"
    await context.close()


@pytest.mark.parametrize(
    ("pattern", "lamp", "state"),
    [(Pattern.IDLE, "255 236 205", "idle"), (Pattern.PRESSED, "48 120 255", "pressed"), (Pattern.OFF, "0 0 0", "off")],
)
async def test_the_page_glows_as_the_pins_do(tab: Page, bench: Bench, pattern: Pattern, lamp: str, state: str) -> None:
    bench.panel.show(Pattern.FAULT)
    bench.panel.show(pattern)
    await tab.wait_for_function(
        "lamp => document.body.style.getPropertyValue('--lamp') === lamp", arg=lamp, timeout=WAIT_S * 1000
    )
    await browsers.expect(tab.locator("#state")).to_have_text(state)


async def test_the_page_shows_the_lock(tab: Page, bench: Bench, clock: Clock) -> None:
    await browsers.expect(tab.locator("#lock-says")).to_have_text("Locked")
    bench.panel.door.open(1.0)
    await browsers.expect(tab.locator("#lock-says")).to_have_text("Open: push")
    clock.passes(1.0)
    await browsers.expect(tab.locator("#lock-says")).to_have_text("Locked")


async def test_the_page_shows_the_camera(tab: Page) -> None:
    await browsers.expect(tab.locator("#picture")).to_be_visible()
    await browsers.expect(tab.locator("#picture")).to_have_js_property("naturalWidth", 1)


async def test_the_page_shows_whether_the_camera_runs(tab: Page, bench: Bench) -> None:
    await browsers.expect(tab.locator("#camera-lamp")).to_have_attribute("data-on", "false")
    bench.panel.camera.show(True)
    await browsers.expect(tab.locator("#camera-lamp")).to_have_attribute("data-on", "true")


async def test_the_privacy_switch_is_moved_by_a_click_or_by_the_space_key(tab: Page, bench: Bench) -> None:
    switch = tab.locator("#camera-switch")
    await switch.click()
    await browsers.expect(switch).to_have_attribute("aria-checked", "true")
    assert bench.panel.camera.forbids
    await switch.press("Space")
    await browsers.expect(switch).to_have_attribute("aria-checked", "false")
    assert not bench.panel.camera.forbids
    assert bench.reported.empty()


async def test_what_is_wired_around_the_door_is_shown_and_moved(
    browser: Browser, make_bench: Callable[..., Bench], clock: Clock
) -> None:
    wired = {"contact_gpio": 12, "exit_gpio": 13, "tamper_gpio": 16}
    around = make_bench(door=wired, clock=clock, chime_gpio=5, bell_light_gpio=6)
    entrance = around.panel.entrance
    entrance.on_exit = lambda: around.reported.put("exit")
    page = PanelPage(around.panel, "127.0.0.1:0", Camera().snapshot)
    await page.start()
    tab = patient(await browser.new_page())
    await tab.goto(page.url)
    for switch, is_open in (("contact", lambda: entrance.door_is_open), ("tamper", lambda: entrance.box_is_open)):
        await tab.click(f"#{switch}")
        await browsers.expect(tab.locator(f"#{switch}")).to_have_attribute("aria-checked", "true")
        assert is_open()
        await tab.press(f"#{switch}", "Space")
        await browsers.expect(tab.locator(f"#{switch}")).to_have_attribute("aria-checked", "false")
    assert around.reported.empty(), "no bell rings by the space key on a switch"
    await tab.hover("#exit")
    await tab.mouse.down()
    assert await reported(around) == "exit"
    await browsers.expect(tab.locator("#exit")).to_have_attribute("aria-pressed", "true")
    await tab.mouse.up()
    await browsers.expect(tab.locator("#exit")).to_have_attribute("aria-pressed", "false")
    entrance.ring()
    await browsers.expect(tab.locator("#chime")).to_have_text("Chime rings")
    clock.passes(1.0)
    await browsers.expect(tab.locator("#chime")).to_have_text("Chime silent")
    await tab.close()
    await page.stop()


async def test_a_panel_with_nothing_around_the_door_shows_nothing_of_it(tab: Page) -> None:
    await browsers.expect(tab.locator("#state")).not_to_have_text("Connecting…")
    await browsers.expect(tab.locator("#entrance")).to_be_hidden()


async def test_a_page_that_goes_while_the_exit_button_is_down_lets_go(
    http: aiohttp.ClientSession, make_bench: Callable[..., Bench]
) -> None:
    around = make_bench(door={"exit_gpio": 13})
    page = PanelPage(around.panel, "127.0.0.1:0", Camera().snapshot)
    await page.start()
    around.panel.entrance.on_exit = lambda: around.reported.put("exit")
    socket = await http.ws_connect(page.url + "pins")
    await socket.send_str('{"entrance":"exit","on":true}')
    assert await reported(around) == "exit"
    await socket.close()
    async with asyncio.timeout(WAIT_S):
        while around.panel.entrance.levels["exit"]:
            await asyncio.sleep(0.01)
    await page.stop()


async def test_the_page_says_that_the_door_is_gone_and_comes_back(
    browser: Browser, bench: Bench, camera: Camera
) -> None:
    tab = patient(await browser.new_page())
    with reserved_port() as port:
        page, again = (PanelPage(bench.panel, f"127.0.0.1:{port}", camera.snapshot) for _ in range(2))
        await page.start()
        await tab.goto(page.url)
        await tab.wait_for_selector("body[data-link=ready]")
        await page.stop()
        await browsers.expect(tab.locator("#state")).to_have_text("Not connected")
        await again.start()
        await tab.wait_for_selector("body[data-link=ready]")
        await tab.close()
        await again.stop()
