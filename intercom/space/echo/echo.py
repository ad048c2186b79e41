"""Answers calls to /public/echo and sends the sound back, so that an installer can hear themselves.

It is an ordinary subscriber without a socket. aiortc is imported with the first call only: it costs 50 MB.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from typing import Any, Final

from intercom.signalwire.wire.agents import agent_of
from intercom.signalwire.wire.messages import Request, Response, encode, parse, request
from intercom.space.auth.tokens import TokenAuthority
from intercom.space.echo.media import CLOSE_LIMIT_S, EchoMedia, close, load
from intercom.space.echo.member import EchoMember
from intercom.space.http.sockets import Sockets
from intercom.space.store.store import Store
from intercom.tasks import TaskSet

logger = logging.getLogger(__name__)

REFERENCE: Final = "echo"
CALLS_LIMIT: Final = 4
"""Limit of calls at once; each costs 0.1 of a core."""
CALLS_OF_A_MEMBER: Final = 2
"""Limit of one member's calls at once: a new one may begin before the space has noticed the end of the last."""
CALL_LIMIT_S: Final = 300.0
"""Time after which an echo call is ended."""
RETURN_LIMIT_S: Final = 15.0
"""Time for which a call whose media has ended waits for a new offer: a page that is loaded anew is back by then."""
_LINK: Final = "inside:echo"


@dataclass(slots=True)
class _Call:
    caller: str
    task: asyncio.Task[None]
    offers: asyncio.Queue[str]
    "Holds the caller's newest offer until it is answered."

    def offer(self, sdp: str) -> None:
        """Take a new offer of the caller; one that still waits is dropped."""
        if self.offers.full():
            self.offers.get_nowait()
        self.offers.put_nowait(sdp)


class Echo:
    """Answers calls to /public/echo while it is started.

    :param sockets: where it is connected.
    """

    def __init__(self, sockets: Sockets, store: Store, tokens: TokenAuthority) -> None:
        self._sockets = sockets
        self._tokens = tokens
        self._subscriber = store.add_subscriber(REFERENCE, "Echo", kind="app")
        store.add_app(REFERENCE, "Echo", self._subscriber)
        self._tasks = TaskSet()
        self._members: dict[str, EchoMember] = {}
        "the echo as a member of each call, by its id"
        self._calls: dict[str, _Call] = {}
        "each call, by its id"

    def start(self) -> None:
        """Register the address."""
        loop = asyncio.get_running_loop()

        def take(text: str) -> None:
            loop.call_soon(self._take, text)

        self._sockets.connect_endpoint(_LINK, take)
        token, _ = self._tokens.issue(self._subscriber)
        self._send("signalwire.connect", {"authentication": {"jwt_token": token}, "agent": agent_of("intercom-echo")})
        self._send("subscriber.online", {})

    async def stop(self) -> None:
        """End all calls, within a time limit."""
        await self._tasks.stop(2 * CLOSE_LIMIT_S)

    def _take(self, text: str) -> None:
        frame = parse(text)
        if not isinstance(frame, Request) or frame.method != "signalwire.event":
            return
        self._sockets.from_endpoint(_LINK, encode(Response(frame.id, {})))
        message = frame.params.get("params", {})
        params = message.get("params", {})
        for member in self._members.values():
            member.receive(frame.params["event_type"], message)
        call_id = str(params.get("callID", ""))
        match message.get("method"):
            case "verto.invite":
                self._invited(call_id, str(params.get("caller_id_number", "")), str(params["sdp"]))
            case "verto.modify" if call_id in self._calls and params.get("action") == "updateMedia":
                self._calls[call_id].offer(str(params["sdp"]))
            case "verto.bye" if call_id in self._calls:
                self._calls[call_id].task.cancel()

    def _invited(self, call_id: str, caller: str, offer: str) -> None:
        of_caller = sum(call.caller == caller for call in self._calls.values())
        if len(self._calls) >= CALLS_LIMIT or of_caller >= CALLS_OF_A_MEMBER:
            self._verto("verto.bye", call_id, cause="USER_BUSY")
            return
        offers: asyncio.Queue[str] = asyncio.Queue(maxsize=1)
        task = self._tasks.spawn(self._call(call_id, offers))
        task.add_done_callback(lambda _: self._calls.pop(call_id))
        self._calls[call_id] = _Call(caller, task, offers)
        self._calls[call_id].offer(offer)

    async def _call(self, call_id: str, offers: asyncio.Queue[str]) -> None:
        self._members[call_id] = EchoMember(call_id)
        try:
            async with asyncio.timeout(CALL_LIMIT_S):
                await self._talk(call_id, offers)
            self._verto("verto.bye", call_id, cause="MEDIA_TIMEOUT")
        except TimeoutError:
            self._verto("verto.bye", call_id, cause="NORMAL_CLEARING")
        except Exception as problem:  # noqa: BLE001 - aiortc asserts, and worse, on an SDP it cannot read; the caller is told
            logger.warning("The echo cannot answer a call: %s.", type(problem).__name__)
            self._verto("verto.bye", call_id, cause="INCOMPATIBLE_DESTINATION")
        finally:
            del self._members[call_id]

    async def _talk(self, call_id: str, offers: asyncio.Queue[str]) -> None:
        """Answer each offer of a call with a new connection, until the media has ended and no other offer comes."""
        await asyncio.to_thread(load)
        media: EchoMedia | None = None
        try:
            while (offer := await _next_offer(offers, media)) is not None:
                fresh = EchoMedia()
                try:
                    answer = await fresh.answer(offer, self._members[call_id])
                except BaseException as problem:
                    await close(fresh.connection)
                    if media is None or not isinstance(problem, Exception):
                        raise
                    logger.warning("The echo cannot answer a new offer: %s.", type(problem).__name__)
                    continue
                media, before = fresh, media
                self._verto("verto.answer", call_id, sdp=answer)
                if before is not None:
                    await close(before.connection)
        finally:
            if media is not None:
                await close(media.connection)

    def _verto(self, method: str, call_id: str, **params: Any) -> None:
        about = {"dialogParams": {"callID": call_id}, **params}
        message = {"jsonrpc": "2.0", "id": call_id, "method": method, "params": about}
        self._send("webrtc.verto", {"callID": call_id, "message": message})

    def _send(self, method: str, params: dict[str, Any]) -> None:
        self._sockets.from_endpoint(_LINK, encode(request(method, params)))


async def _next_offer(offers: asyncio.Queue[str], media: EchoMedia | None) -> str | None:
    """Return the next offer of a call; None when its media has ended, and the page that it ended with is not back."""
    if media is None:
        return await offers.get()
    coming, ending = asyncio.ensure_future(offers.get()), asyncio.ensure_future(media.ended.wait())
    try:
        await asyncio.wait({coming, ending}, return_when=asyncio.FIRST_COMPLETED)
        if media.connected and not coming.done():
            await asyncio.wait({coming}, timeout=RETURN_LIMIT_S)
        return coming.result() if coming.done() else None
    finally:
        coming.cancel()
        ending.cancel()
