"""Serves viewers with a token: WHEP (draft-ietf-wish-whep) under /whep/, and go2rtc's WebSocket at /api/ws.

Both take a whole offer and hand back the door's whole answer; the media goes from the door to the viewer. The token
comes as `Authorization: Bearer`, or as the password of a URL (`https://NAME:TOKEN@…`), never in a query: proxies log.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import re
from collections.abc import Awaitable, Callable
from typing import Final

import msgspec
from aiohttp import WSMsgType, hdrs, web

from intercom.space.errors import BadBodyError, TokenError, ViewRefusedError
from intercom.space.http.bodies import body_within
from intercom.space.http.fabric_api import bearer, unauthorized
from intercom.space.http.request_filter import VIEWERS, asker_of
from intercom.space.store.store import Store
from intercom.space.switch.calls.sdp import plausible
from intercom.space.viewers.watching import CANDIDATES_LIMIT, Watch, Watching

OFFER_LIMIT_BYTES: Final = 16 * 1024
"""Size limit of an offer; a browser's whole one has 6 kB."""
FRAGMENT_LIMIT_BYTES: Final = 8 * 1024
"""Size limit of the candidates in one PATCH."""
MESSAGES_LIMIT: Final = 4 * CANDIDATES_LIMIT
"""Limit of the messages in one WebSocket: an offer, and its candidates of both families."""
HEARTBEAT_S: Final = 6.0
"""Ping interval of a WebSocket: its view ends by itself, the socket is only told."""
FIRST_OFFER_LIMIT_S: Final = 10.0
"""Time limit of a WebSocket for its offer: it has nothing else to say, and go2rtc sends it at once."""
SDP: Final = "application/sdp"
FRAGMENT: Final = "application/trickle-ice-sdpfrag"

REASONS: Final = {
    "absent": (404, "There is no such door, it is away, or it sends no picture."),
    "codec": (406, "The door and the viewer have no video codec in common: it sends H.264."),
    "full": (503, "As many watch already as the door lets."),
    "no-look": (403, "The door lets nobody look: camera.look is off there."),
    "off": (503, "The camera is switched off for privacy."),
    "offer": (400, "The door cannot use this offer."),
    "often": (429, "This viewer asks too often; it may ask every two seconds."),
    "slow": (504, "The door did not answer in time."),
}
"""Status and sentence of each reason for which a door lets nobody look."""
_OTHERWISE: Final = (503, "The view ended while it began.")
_DOOR: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._~-]{0,63}")


class Message(msgspec.Struct):
    """A message of go2rtc's WebSocket."""

    type: str
    """`webrtc/offer`, `webrtc/answer`, `webrtc/candidate` or `error`."""
    value: str = ""
    """What it says."""


class ViewerApi:
    """Routes for viewers with a token.

    :param joined: told of each WebSocket that has shown a token, and of its viewer's name.
    :param sleep: waits for so many seconds.
    """

    def __init__(
        self,
        watching: Watching,
        store: Store,
        *,
        joined: Callable[[web.Request, str], None],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._watching = watching
        self._store = store
        self._joined = joined
        self._sleep = sleep

    def routes(self) -> list[web.RouteDef]:
        """Return the routes, for `Application.add_routes`."""
        return [
            web.post(f"{VIEWERS}{{door}}", self._offer),
            web.patch(f"{VIEWERS}{{door}}/{{view}}", self._more),
            web.delete(f"{VIEWERS}{{door}}/{{view}}", self._leave),
            web.get("/api/ws", self._go2rtc),
            web.get("/api/space/viewers", self._viewers),
        ]

    async def _viewers(self, request: web.Request) -> web.Response:
        """Tell a door, for its doctor, who has a token to look through it."""
        try:
            owner = self._store.owner_of(bearer(request))
        except TokenError:
            return unauthorized()
        if owner.kind != "door":
            return web.json_response({"error": "Only doors are told who may watch them."}, status=403)
        viewers = [
            {"name": viewer.name, "talks": viewer.talks, "seen_on": viewer.seen_on}
            for viewer in self._store.viewers.all()
        ]
        return web.json_response({"viewers": viewers})

    # -- WHEP ------------------------------------------------------------------------------------------------

    async def _offer(self, request: web.Request) -> web.Response:
        token = _token(request)
        if self._watching.owner_of(token) is None:
            return unauthorized()
        if request.content_type != SDP:
            return web.Response(status=415, headers={"Accept-Post": SDP}, text=f"Send an offer as {SDP}.\n")
        offer = await _text(request, OFFER_LIMIT_BYTES)
        door = request.match_info["door"]
        if not plausible(offer) or not _DOOR.fullmatch(door):
            return _refused("offer")
        watch = self._watching.begin(token, door, offer)
        if watch is None:
            return unauthorized()
        try:
            answer = await watch.answer()
        except ViewRefusedError as refusal:
            return _refused(refusal.reason)
        headers = {
            hdrs.LOCATION: f"{asker_of(request).path}{VIEWERS}{door}/{watch.view}",
            hdrs.ETAG: f'"{watch.view}"',
            "Accept-Patch": FRAGMENT,
        }
        return web.Response(status=201, headers=headers, body=answer.encode(), content_type=SDP)

    async def _more(self, request: web.Request) -> web.Response:
        watch = self._own(request)
        if isinstance(watch, web.Response):
            return watch
        if request.content_type != FRAGMENT:
            return web.Response(status=415, headers={"Accept-Patch": FRAGMENT}, text=f"Send {FRAGMENT}.\n")
        match = request.headers.get(hdrs.IF_MATCH, "")
        if match in {"*", '"*"'}:
            return web.Response(status=422, text="The door does not restart ICE; make a new offer.\n")
        if match and match != f'"{watch.view}"':
            return web.Response(status=412)
        fragment = await _text(request, FRAGMENT_LIMIT_BYTES)
        lines = fragment.splitlines()
        watch.found([line.removeprefix("a=") for line in lines if line.startswith("a=candidate:")])
        return web.Response(status=204)

    async def _leave(self, request: web.Request) -> web.Response:
        watch = self._own(request)
        if isinstance(watch, web.Response):
            return watch
        self._watching.end(watch)
        return web.Response()

    def _own(self, request: web.Request) -> Watch | web.Response:
        """Return the view that the request names, which has to be the asking viewer's own, or the refusal."""
        viewer = self._watching.owner_of(_token(request))
        if viewer is None:
            return unauthorized()
        return self._watching.watch(viewer, request.match_info["view"]) or web.Response(status=404)

    # -- go2rtc ----------------------------------------------------------------------------------------------

    async def _go2rtc(self, request: web.Request) -> web.StreamResponse:
        token = _token(request)
        viewer = self._watching.owner_of(token)
        if viewer is None:
            return unauthorized()
        door = request.query.get("src", "door")
        socket = web.WebSocketResponse(heartbeat=HEARTBEAT_S, max_msg_size=OFFER_LIMIT_BYTES, compress=False)
        if not _DOOR.fullmatch(door) or not socket.can_prepare(request):
            return _refused("offer")
        await socket.prepare(request)
        self._joined(request, viewer.name)
        await self._converse(socket, token, door)
        return socket

    async def _converse(self, socket: web.WebSocketResponse, token: str, door: str) -> None:
        watch: Watch | None = None
        at_work = asyncio.create_task(self._close_idle(socket), name="viewer's first offer")
        messages = 0
        try:
            async for frame in socket:
                messages += 1
                if frame.type is not WSMsgType.TEXT or messages > MESSAGES_LIMIT:
                    break
                try:
                    message = msgspec.json.decode(frame.data, type=Message)
                except (msgspec.MsgspecError, UnicodeError, RecursionError):
                    continue
                if message.type == "webrtc/offer" and watch is None:
                    if not plausible(message.value):
                        await _send(socket, "error", f"webrtc/offer: {REASONS['offer'][1]}")
                        break
                    watch = self._watching.begin(token, door, message.value)
                    if watch is None:
                        break
                    at_work.cancel()
                    at_work = asyncio.create_task(_answer(socket, watch), name="viewer's answer")
                elif message.type == "webrtc/candidate" and watch is not None:
                    watch.found([message.value])
        finally:
            at_work.cancel()
            if watch is not None and not watch.is_answered:
                self._watching.end(watch)  # else it goes on: clients close the socket once they see the door
            await socket.close()

    async def _close_idle(self, socket: web.WebSocketResponse) -> None:
        await self._sleep(FIRST_OFFER_LIMIT_S)
        await socket.close()


async def _answer(socket: web.WebSocketResponse, watch: Watch) -> None:
    """Send the door's answer, and close the socket when the view is over."""
    try:
        await _send(socket, "webrtc/answer", await watch.answer())
    except ViewRefusedError as refusal:
        await _send(socket, "error", f"webrtc/offer: {REASONS.get(refusal.reason, _OTHERWISE)[1]}")
    await watch.over.wait()
    await socket.close()


async def _send(socket: web.WebSocketResponse, kind: str, value: str) -> None:
    if not socket.closed:
        await socket.send_str(msgspec.json.encode(Message(kind, value)).decode())


def _refused(reason: str) -> web.Response:
    status, sentence = REASONS.get(reason, _OTHERWISE)
    headers = {hdrs.RETRY_AFTER: "5"} if status in {429, 503} else {}
    return web.Response(status=status, headers=headers, text=f"{sentence}\n")


async def _text(request: web.Request, limit: int) -> str:
    """Return the body as text; empty when it is too long, broken off or no UTF-8."""
    try:
        return (await body_within(request, limit)).decode()
    except (BadBodyError, UnicodeDecodeError):
        return ""


def _token(request: web.Request) -> str:
    """Return the token of a request: a Bearer, or the password of HTTP Basic; empty when there is none."""
    scheme, _, value = request.headers.get(hdrs.AUTHORIZATION, "").partition(" ")
    if scheme.lower() != "basic":
        return bearer(request)
    try:
        return base64.b64decode(value.strip(), validate=True).decode("ascii").partition(":")[2]
    except (binascii.Error, ValueError):
        return ""
