"""A scripted house: serves the station page and speaks the service's frames exactly as a test tells it to.

The embedded space is the real one (see test_with_the_space.py); this one can also misbehave on purpose.
"""

import asyncio
import json
import time
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import WSMsgType, web
from playwright.async_api import Page, expect

from intercom import languages, station
from tests.station.door import Door

Json = dict[str, Any]
PATIENCE_S = 60.0
CONTENT_TYPES = {
    ".js": "text/javascript",
    ".json": "application/json",
    ".css": "text/css",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".html": "text/html",
    ".webmanifest": "application/manifest+json",
}
STRICT_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; media-src 'self' blob:; "
    "connect-src 'self'; manifest-src 'self'; worker-src 'self'; base-uri 'none'; frame-ancestors 'none'"
)
QR = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 2 2"><path d="M0 0h1v2h1v-1h-2z"/></svg>"""


@dataclass
class Faults:
    """What the house does wrong, on purpose."""

    silent: bool = False
    "accepts sockets and says nothing"
    away: bool = False
    "answers every HTTP call with 503, as behind a proxy, and refuses sockets"
    unknown_name: bool = False
    "answers the call for a token as a space does that does not go by the page's address"
    refuse_first_online: bool = False
    "refuses the next subscriber.online once"
    refuse_resume: bool = False
    "does not know any earlier session"


@dataclass
class House:
    """The server, what it knows of its one station, and every frame that the station sent."""

    port: int = 0
    codes: set[str] = field(default_factory=lambda: {"ABCD2345"})
    secrets: set[str] = field(default_factory=set)
    faults: Faults = field(default_factory=Faults)
    addresses: list[Json] = field(default_factory=list)
    addresses_on_a_page: int = 50
    ice_servers: list[Json] = field(default_factory=list)
    received: list[Json] = field(default_factory=list)
    refuses_invites: Json | None = None
    """The error with which each invite of the page is refused."""
    shows: Callable[[str], Awaitable[str]] | None = None
    """Answers the offer of a page that asks to see who rings."""
    refuses_views: list[str] = field(default_factory=list)
    """Why the next pages that ask to see do not, one word for each."""
    may_look: bool = False
    """Whether a page may look at its door at any time."""
    says: Callable[[str], Json] | None = None
    """Answers for the door to the words that a page has it say; none: a house that knows nothing of it."""
    paired_names: list[str] = field(default_factory=list)
    token_lifetime_s: float = 3600.0
    code_lifetime_s: float = 600.0
    invites_to: str = ""
    code_made: asyncio.Event = field(default_factory=asyncio.Event)
    device: Json = field(
        default_factory=lambda: {"name": "", "rang_at": 0, "woken_at": 0, "shown_at": 0, "push": False, "trouble": ""}
    )
    """What it knows of its station."""
    devices: list[Json] = field(default_factory=list)
    """What it says of each device of the house."""
    visitors: list[Json] = field(default_factory=list)
    """Whom it lists as visitors, the newest first."""
    protocol: str = "signalwire_stub"
    directory: Path = station.DIRECTORY
    """Directory of the page's files."""
    _changed: asyncio.Condition = field(default_factory=asyncio.Condition)
    _sockets: set[web.WebSocketResponse] = field(default_factory=set)
    _runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        """Where the page is."""
        return f"http://localhost:{self.port}/station/"

    async def start(self) -> None:
        """Serve; a second start takes the same port again."""
        self.code_made.set()
        application = web.Application()
        application.router.add_get("/", self._socket)
        application.router.add_get("/station/{name:[a-z0-9./-]*}", self._file)
        application.router.add_get("/api/space/hello", self._hello)
        application.router.add_post("/api/space/pair", self._pair)
        application.router.add_post("/api/space/pairing", self._pairing)
        application.router.add_post("/api/space/token", self._token)
        application.router.add_get("/api/fabric/addresses", self._addresses)
        application.router.add_get("/api/space/device", self._device)
        application.router.add_post("/api/space/device", self._device)
        application.router.add_post("/api/space/device/ring", self._ring_device)
        application.router.add_post("/api/space/device/rang", self._device)
        application.router.add_get("/api/space/push/devices", self._devices)
        application.router.add_get("/api/space/visitors", self._visitors)
        self._runner = web.AppRunner(application, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port, reuse_address=True)
        await site.start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """Go away, as in a power cut of the house."""
        for socket in list(self._sockets):
            await socket.close()
        if self._runner:
            await self._runner.cleanup()
            self._runner = None

    async def cut(self) -> None:
        """Cut every socket; the server stays."""
        for socket in list(self._sockets):
            await socket.close(code=1001)

    # ------------------------------------------------------------ frames

    async def push(self, message: Json) -> None:
        """Send a Verto message to the station as the service does: a webrtc.message event."""
        await self.push_event("webrtc.message", {"jsonrpc": "2.0", "id": str(uuid.uuid4()), **message})

    async def push_event(self, event_type: str, params: Json) -> str:
        """Send an event to the station; returns the id under which it must be acknowledged."""
        event = {
            "event_type": event_type,
            "event_channel": self.protocol,
            "timestamp": 0,
            "project_id": "p",
            "node_id": "node-1",
            "params": params,
        }
        frame_id = str(uuid.uuid4())
        frame = {"jsonrpc": "2.0", "id": frame_id, "method": "signalwire.event", "params": event}
        await self.push_raw(json.dumps(frame))
        return frame_id

    async def push_raw(self, text: str) -> None:
        """Send any text to the station."""
        for socket in list(self._sockets):
            await socket.send_str(text)

    async def tell_ring(self, ring: str, state: str, by: str = "", **more: Any) -> None:
        """Tell the station how a ring stands."""
        door = {"name": "Front door", "address": "/private/door"}
        ended_at = None if state == "ringing" else time.time()
        about = {"ring": ring, "door": door, "state": state, "by": by, "ended_at": ended_at, "opened_by": "", **more}
        await self.push_event("intercom.ring", about)

    async def invite(
        self,
        call_id: str,
        sdp: str,
        *,
        name: str = "Front door",
        number: str = "/private/door",
        kind: str = "door",
        ring: str = "",
    ) -> None:
        """Ring the station; the variables are what the caller says, the kind and the ring are what the space says."""
        params = {
            "callID": call_id,
            "ring": ring,
            "sdp": sdp,
            "caller_id_name": name,
            "caller_id_number": number,
            "callee_id_name": "house",
            "callee_id_number": "/private/house",
            "display_direction": "inbound",
            "caller_kind": kind,
            "userVariables": {"intercom": {"role": "door"}},
        }
        await self.push({"method": "verto.invite", "params": params})

    async def connect_call(self, page: Page, door: Door, call_id: str) -> None:
        """Ring the station, let it answer by a click, and wait until both ends say that the media are connected."""
        await self.invite(call_id, await door.offer())
        await page.click("#answer")
        await door.accept((await self.wait_for_verto("verto.answer"))["sdp"])
        async with asyncio.timeout(PATIENCE_S):
            await door.connected.wait()
        await page.wait_for_selector("body[data-state=in-call]", timeout=PATIENCE_S * 1000)
        await expect(page.locator("#elapsed")).to_contain_text(":", timeout=PATIENCE_S * 1000)  # not "Connecting"

    def verto_frames(self) -> list[Json]:
        """Every frame with a Verto message, as received."""
        return [frame for frame in self.received if verto(frame)]

    async def bye(self, call_id: str, cause: str = "NORMAL_CLEARING") -> None:
        """End the call from the far side."""
        await self.push({"method": "verto.bye", "params": {"callID": call_id, "cause": cause, "causeCode": 16}})

    async def door_says(self, call_id: str, state: str, **more: Any) -> None:
        """The door's confirmation, or why it stays shut."""
        await self.push({"method": "verto.info", "params": {"callID": call_id, "intercom": {"door": state, **more}}})

    async def call_ends(self, call_id: str, talk: str, seconds: float) -> None:
        """The door says that the call's time is nearly over ("ending"), or begins again ("on")."""
        told = {"talk": talk, "for_s": seconds}
        await self.push({"method": "verto.info", "params": {"callID": call_id, "intercom": told}})

    async def wait_for(self, matches: Callable[[Json], bool], *, after: int = 0) -> Json:
        """The first frame of the station that matches, now or within the time-out."""

        def found() -> Json | None:
            return next((frame for frame in self.received[after:] if matches(frame)), None)

        async with asyncio.timeout(PATIENCE_S), self._changed:
            await self._changed.wait_for(lambda: found() is not None)
        frame = found()
        assert frame is not None
        return frame

    async def wait_for_method(self, method: str, *, after: int = 0) -> Json:
        """The first request with this JSON-RPC method."""
        return await self.wait_for(lambda frame: frame.get("method") == method, after=after)

    async def wait_for_verto(self, method: str, *, after: int = 0) -> Json:
        """The parameters of the first Verto message with this method."""
        frame = await self.wait_for(lambda frame: verto(frame).get("method") == method, after=after)
        params: Json = verto(frame)["params"]
        return params

    # ------------------------------------------------------------ the server's side

    async def _file(self, request: web.Request) -> web.StreamResponse:
        name = request.match_info["name"] or "index.html"
        path = languages.DIRECTORY / Path(name).name if name.startswith("languages/") else self.directory / name
        if self.faults.away or path.suffix not in CONTENT_TYPES or not path.is_file():
            raise web.HTTPNotFound
        headers = {
            "Content-Type": CONTENT_TYPES[path.suffix],
            "Content-Security-Policy": STRICT_POLICY,
            "Cache-Control": "no-cache",
        }
        return web.Response(body=path.read_bytes(), headers=headers)

    async def _hello(self, request: web.Request) -> web.Response:
        self._maybe_away()
        return web.json_response({"relay_url": f"ws://{request.host}/"})

    async def _pair(self, request: web.Request) -> web.Response:
        self._maybe_away()
        body = await request.json()
        if body["code"] not in self.codes:
            raise web.HTTPUnauthorized
        self.codes.remove(body["code"])
        self.paired_names.append(body["name"])
        secret = uuid.uuid4().hex
        self.secrets.add(secret)
        return web.json_response({"device_secret": secret, "subscriber": "s1", "address": "/private/s1"})

    async def _pairing(self, request: web.Request) -> web.Response:
        self._maybe_away()
        if request.headers.get("Authorization", "").removeprefix("Bearer ") not in self.secrets:
            raise web.HTTPUnauthorized
        await self.code_made.wait()
        code = f"N0000-0000{len(self.codes)}"
        self.codes.add(code)
        url = f"{self.invites_to or self.url}#pair={code}"
        expires_at = int(time.time() + self.code_lifetime_s)
        return web.json_response({"url": url, "code": code, "expires_at": expires_at, "qr": QR}, status=201)

    async def _device(self, request: web.Request) -> web.Response:
        self._maybe_away()
        told = await request.json() if request.can_read_body else {}
        self.device["name"] = told.get("name", self.device["name"] or self.paired_names[-1])
        if "page" in told:
            self.device["rang_at" if told["page"] == "open" else "woken_at"] = time.time()
        return web.json_response(self.device)

    async def _ring_device(self, request: web.Request) -> web.Response:
        if (await request.json())["page"] == "open":
            await self.push_event("intercom.test", {})
        return web.json_response({}, status=202)

    async def _devices(self, _request: web.Request) -> web.Response:
        return web.json_response({"devices": self.devices})

    async def _visitors(self, request: web.Request) -> web.Response:
        shown = self.visitors[: int(request.query["limit"])]
        about = {"keeps": True, "total": len(self.visitors), "version": len(self.visitors), "missed": 0}
        return web.json_response({**about, "visitors": shown})

    async def _token(self, request: web.Request) -> web.Response:
        self._maybe_away()
        if self.faults.unknown_name:
            return web.Response(status=421)
        if request.headers.get("Authorization", "").removeprefix("Bearer ") not in self.secrets:
            raise web.HTTPUnauthorized
        return web.json_response({"token": "sat", "expires_at": int(time.time() + self.token_lifetime_s)})

    async def _addresses(self, request: web.Request) -> web.Response:
        page = int(request.query.get("page_number", "0"))
        size = self.addresses_on_a_page
        links = {"next": f"{request.path}?page_number={page + 1}"} if len(self.addresses) > size * (page + 1) else {}
        return web.json_response({"data": self.addresses[size * page : size * (page + 1)], "links": links})

    def _maybe_away(self) -> None:
        if self.faults.away:
            raise web.HTTPServiceUnavailable

    async def _socket(self, request: web.Request) -> web.StreamResponse:
        self._maybe_away()
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self._sockets.add(socket)
        try:
            async for message in socket:
                if message.type == WSMsgType.TEXT:
                    await self._frame(socket, json.loads(message.data))
        finally:
            self._sockets.discard(socket)
        return socket

    async def _frame(self, socket: web.WebSocketResponse, frame: Json) -> None:
        self.received.append(frame)
        async with self._changed:
            self._changed.notify_all()
        if "method" not in frame or self.faults.silent:
            return
        if frame["method"] == "subscriber.online" and self.faults.refuse_first_online:
            self.faults.refuse_first_online = False
            error = {"code": -32002, "message": "not yet"}
            await socket.send_json({"jsonrpc": "2.0", "id": frame["id"], "error": error})
            return
        if "authorization_state" in frame.get("params", {}) and self.faults.refuse_resume:
            error = {"code": -32002, "message": "no such session"}
            await socket.send_json({"jsonrpc": "2.0", "id": frame["id"], "error": error})
            return
        if frame["method"] == "intercom.say" and self.says is not None:
            result = self.says(frame["params"]["words"])
        else:
            result = await self._view(frame) if frame["method"] == "intercom.view" else self._result(frame)
        await socket.send_json({"jsonrpc": "2.0", "id": frame["id"], "result": result})

    async def _view(self, frame: Json) -> Json:
        offer = frame["params"]["sdp"]
        if self.may_look and not offer:
            return {"refused": "may"}
        if self.shows is None or not offer:
            return {}  # as of a house that knows no views
        if self.refuses_views:
            return {"refused": self.refuses_views.pop(0)}
        return {"view": frame["id"], "sdp": await self.shows(offer)}

    def _result(self, frame: Json) -> Json:
        if frame["method"] == "signalwire.connect":
            return {
                "identity": "i",
                "protocol": self.protocol,
                "authorization": {"jti": "j", "project_id": "p", "fabric_subscriber": {}},
                "ice_servers": self.ice_servers,
            }
        if frame["method"] == "webrtc.verto":
            inner: Json = {}
            if verto(frame)["method"] == "verto.invite":
                inner = {"message": "CALL CREATED", "callID": frame["params"]["callID"], "memberID": "m"}
            message = {"jsonrpc": "2.0", "id": verto(frame)["id"], "result": inner}
            if verto(frame)["method"] == "verto.invite" and self.refuses_invites:
                message = {"jsonrpc": "2.0", "id": verto(frame)["id"], "error": self.refuses_invites}
            return {"node_id": "node-1", "code": "200", "result": message}
        return {}


def verto(frame: Json) -> Json:
    """The Verto message inside a frame; {} when it holds none."""
    if frame.get("method") != "webrtc.verto":
        return {}
    message: Json = frame["params"]["message"]
    return message
