"""The web server of the panel page: static files, the camera's view, and a WebSocket of pin values."""

import asyncio
import contextlib
import json
import logging
import socket
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from urllib.parse import urlsplit

from aiohttp import WSCloseCode, WSMsgType, web

from intercom.net import authority, is_address, split_authority, split_listen
from intercom.panel.errors import PageError
from intercom.panel.front import FrontPanel
from intercom.panel.patterns import PATTERNS

log = logging.getLogger(__name__)

WEB = Path(__file__).with_name("web")

FRAME_S = 1 / 30
"""Interval of reading the pins while a page is open: a fade looks smooth."""

PICTURE_S = 0.2
"""Shortest interval between two pictures of the camera, however many pages are open."""

PICTURE_WAIT_S = 3.0
"""Limit of the wait for a picture: a camera that starts needs a second."""

MESSAGE_BYTES = 256
"""Limit of a page's message: the longest is `{"camera_switch":"closed"}`."""

CONNECTIONS_OF_AN_ADDRESS = 32
"""Limit of one address's connections: a browser has six, and one for each page."""

CONNECTIONS = 128
"""Limit of all addresses' connections together."""

EXHAUSTED_S = 1.0
"""Pause in accepting when the system has no descriptor or memory for a connection."""

STOP_S = 0.5
"""Limit of the wait for open connections when the server stops."""

SECURITY_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; img-src 'self' blob: data:; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; "
        "form-action 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


class PageServer:
    """Serves the page; made by `PanelPage`."""

    def __init__(self, front: FrontPanel, listen: str, snapshot: Callable[[], Awaitable[bytes]]) -> None:
        self._front = front
        self._host, self._port = split_listen(listen)
        self._snapshot = snapshot
        self._pages: set[web.WebSocketResponse] = set()
        self._pressing: list[set[web.WebSocketResponse]] = [set() for _ in front.buttons_down]
        "the pages that hold each button down"
        self._exiting: set[web.WebSocketResponse] = set()
        "the pages that hold the exit button down"
        self._picture = b""
        self._picture_at = float("-inf")
        self._picture_lock = asyncio.Lock()
        self._picture_failed = False
        self._runner: web.AppRunner | None = None
        self._listening: socket.socket | None = None
        self._accepting: asyncio.Task[None] | None = None
        self._stopping = False

    @property
    def url(self) -> str:
        """The page's address."""
        host = "127.0.0.1" if self._host in ("", "0.0.0.0") else self._host  # noqa: S104  compared, not bound
        return f"http://{authority(host, self._port)}/"

    async def start(self) -> None:
        """Serve the page; raises PageError."""
        application = web.Application(middlewares=[self._check], client_max_size=MESSAGE_BYTES)
        application.add_routes(
            [
                web.get("/", self._index),
                web.get("/pins", self._pins),
                web.get("/camera.jpg", self._camera),
                web.static("/", WEB),
            ]
        )
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=STOP_S)
        await self._runner.setup()
        try:
            self._listening = await _listen(self._host, self._port)
        except OSError as error:
            await self._runner.cleanup()
            raise PageError(
                f"The panel page cannot be served at {authority(self._host, self._port)} ({error.strerror or error}): "
                "change panel.page_listen."
            ) from error
        self._port = self._listening.getsockname()[1]
        assert self._runner.server is not None
        self._accepting = asyncio.create_task(_accept(self._listening, self._runner.server), name="panel page")

    async def stop(self) -> None:
        """Close the pages' connections and stop serving."""
        self._stopping = True
        for page in list(self._pages):
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(page.close(code=WSCloseCode.GOING_AWAY), STOP_S)
        if self._accepting is not None:
            self._accepting.cancel()
        if self._listening is not None:
            self._listening.close()
        if self._runner is not None:
            await self._runner.cleanup()

    @web.middleware
    async def _check(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        """Refuse a request that another site's page made a browser send, by its Host (DNS rebinding) or its Origin."""
        origin = request.headers.get("Origin")
        foreign = request.headers.get("Sec-Fetch-Site", "none") not in ("none", "same-origin")
        if not is_own_host(request.host) or foreign or (origin is not None and urlsplit(origin).netloc != request.host):
            raise web.HTTPForbidden(text="This page is for its own address only.\n")
        response = await handler(request)
        if not response.prepared:
            response.headers.update(SECURITY_HEADERS)
        return response

    async def _index(self, _: web.Request) -> web.StreamResponse:
        return web.FileResponse(WEB / "index.html")

    async def _camera(self, _: web.Request) -> web.StreamResponse:
        async with self._picture_lock:
            if time.monotonic() - self._picture_at >= PICTURE_S:
                try:
                    self._picture = await asyncio.wait_for(self._snapshot(), PICTURE_WAIT_S)
                except Exception as error:
                    # Any camera may be behind this: the page shows the reason.
                    expected = isinstance(
                        error, (OSError, asyncio.TimeoutError)
                    )  # a camera that does not run, above all
                    log.log(
                        logging.DEBUG if expected or self._picture_failed else logging.WARNING,
                        "No picture for the panel page: %s",
                        error,
                        exc_info=not expected,
                    )
                    self._picture_failed = True
                    return web.Response(status=503, text=str(error) or "The camera does not answer.")
                self._picture_failed = False
                self._picture_at = time.monotonic()
        return web.Response(body=self._picture, content_type="image/jpeg")

    async def _pins(self, request: web.Request) -> web.StreamResponse:
        page = web.WebSocketResponse(max_msg_size=MESSAGE_BYTES, heartbeat=10)
        if not page.can_prepare(request):
            raise web.HTTPUpgradeRequired(text="This is a WebSocket.\n")
        await page.prepare(request)
        self._pages.add(page)
        sender = asyncio.create_task(self._send_pins(page))
        try:
            async for message in page:
                if message.type is not WSMsgType.TEXT or not self._take(page, message.data):
                    await page.close(code=WSCloseCode.POLICY_VIOLATION, message=b"not a message of this page")
        finally:
            sender.cancel()
            self._pages.discard(page)
            # A page that goes while its button is down has let go of it.
            for number in range(len(self._pressing)):
                self._press(page, False, number)
            self._press_exit(page, False)
        return page

    def _take(self, page: web.WebSocketResponse, text: str) -> bool:
        """Carry out a page's message; False = it is invalid."""
        try:
            message = json.loads(text)
        except ValueError:
            return False
        match message:
            case {"button": "down" | "up" as action}:
                number = message.get("number", 0)
                if not isinstance(number, int) or number not in range(len(self._pressing)):
                    return False
                self._press(page, action == "down", number)
            case {"camera_switch": "closed" | "open" as level}:
                self._front.camera.simulate_switch(level == "closed")
            case {"entrance": "exit", "on": bool(down)}:
                self._press_exit(page, down)
            case {"entrance": "contact" | "tamper" as what, "on": bool(is_open)}:
                return self._front.entrance.simulate(what, is_open)
            case _:
                return False
        return True

    def _press(self, page: web.WebSocketResponse, down: bool, number: int) -> None:
        pressing = self._pressing[number]
        if down:
            pressing.add(page)
        else:
            pressing.discard(page)
        if not self._stopping:
            self._front.simulate_button(bool(pressing), number)

    def _press_exit(self, page: web.WebSocketResponse, down: bool) -> None:
        if down:
            self._exiting.add(page)
        else:
            self._exiting.discard(page)
        if not self._stopping:
            self._front.entrance.simulate("exit", bool(self._exiting))

    async def _send_pins(self, page: web.WebSocketResponse) -> None:
        front = self._front
        shown: dict[str, object] = {}
        await page.send_str(json.dumps({"about": front.about_pins()}))
        with contextlib.suppress(ConnectionError):
            while not page.closed:
                pattern = front.lights.pattern
                now: dict[str, object] = {
                    "light": [round(value, 3) for value in front.light_values],
                    "buttons": front.buttons_down,
                    "relay": front.relay_is_on,
                    "camera": front.camera.light_is_on,
                    "forbidden": front.camera.forbids,
                    "entrance": front.entrance.levels,
                    "state": pattern.value,
                    "says": PATTERNS[pattern].meaning,
                    "look": PATTERNS[pattern].look,
                }
                if now != shown:
                    await page.send_str(json.dumps(now))
                    shown = now
                await asyncio.sleep(FRAME_S)


async def _listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens at this address; raises OSError."""
    loop = asyncio.get_running_loop()
    flags = socket.AI_PASSIVE
    family, kind, number, _, address = (
        await loop.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=flags)
    )[0]
    listening = socket.socket(family, kind, number)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.setblocking(False)
        listening.bind(address)
        listening.listen(CONNECTIONS)
    except OSError:
        listening.close()
        raise
    return listening


async def _accept(listening: socket.socket, server: web.Server) -> None:
    """Hand connections to the server; close those beyond the limits before reading a byte."""
    loop = asyncio.get_running_loop()
    while True:
        try:
            connection, address = await loop.sock_accept(listening)
        except OSError as error:
            log.warning("The panel page cannot take a connection: %s. It tries again.", error.strerror or error)
            await asyncio.sleep(EXHAUSTED_S)
            continue
        peers = [one.transport.get_extra_info("peername") for one in server.connections if one.transport is not None]
        of_it = sum(peer is not None and peer[0] == address[0] for peer in peers)
        if len(peers) >= CONNECTIONS or of_it >= CONNECTIONS_OF_AN_ADDRESS:
            connection.close()
            continue
        try:
            await loop.connect_accepted_socket(server, connection)
        except OSError as error:
            log.debug("a connection to the panel page went at once: %s", error)
            connection.close()


def is_own_host(host: str) -> bool:
    """Whether a Host header names this machine: an address, localhost, or its own name, with or without a port.

    A name that an attacker's DNS points here is none of these.
    """
    try:
        name = split_authority(host)[0].lower()
    except ValueError:
        return False
    own = socket.gethostname().lower()
    return is_address(name) or name in ("localhost", own, f"{own}.local", own.split(".")[0])
