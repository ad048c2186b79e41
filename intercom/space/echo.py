"""Answers calls to /public/echo and sends the sound back, so that an installer can hear themselves.

It is an ordinary subscriber without a socket. aiortc is imported with the first call only: it costs 50 MB.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any, Final

from intercom.signalwire.messages import Request, Response, encode, parse, request
from intercom.space.sockets import Sockets
from intercom.space.store import Store
from intercom.space.tokens import TokenAuthority

if TYPE_CHECKING:
    from aiortc import MediaStreamTrack, RTCPeerConnection

logger = logging.getLogger(__name__)

REFERENCE: Final = "echo"
CALLS_LIMIT: Final = 4
"""Limit of calls at once; each costs 0.1 of a core."""
CONNECT_LIMIT_S: Final = 15.0
"""Time limit for ICE and DTLS."""
CALL_LIMIT_S: Final = 300.0
"""Time after which an echo call is ended."""
CLOSE_LIMIT_S: Final = 0.3
"""Time limit for closing a peer connection; aiortc's close() can hang."""
_LINK: Final = "inside:echo"


class Echo:
    """Answers calls to /public/echo while it is started.

    :param sockets: where it is connected.
    """

    def __init__(self, sockets: Sockets, store: Store, tokens: TokenAuthority) -> None:
        self._sockets = sockets
        self._tokens = tokens
        self._subscriber = store.add_subscriber(REFERENCE, "Echo", kind="app")
        store.add_app(REFERENCE, "Echo", self._subscriber)
        self._calls: dict[str, asyncio.Task[None]] = {}

    def start(self) -> None:
        """Register the address."""
        loop = asyncio.get_running_loop()

        def take(text: str) -> None:
            loop.call_soon(self._take, text)

        self._sockets.connect_endpoint(_LINK, take)
        token, _ = self._tokens.issue(self._subscriber)
        self._send("signalwire.connect", {"authentication": {"jwt_token": token}, "agent": "intercom-echo"})
        self._send("subscriber.online", {})

    async def stop(self) -> None:
        """End all calls, within a time limit."""
        calls = list(self._calls.values())
        for call in calls:
            call.cancel()
        if calls:
            await asyncio.wait(calls, timeout=CLOSE_LIMIT_S)

    def _take(self, text: str) -> None:
        frame = parse(text)
        if not isinstance(frame, Request) or frame.method != "signalwire.event":
            return
        self._sockets.from_endpoint(_LINK, encode(Response(frame.id, {})))
        message = frame.params.get("params", {})
        params = message.get("params", {})
        call_id = str(params.get("callID", ""))
        match message.get("method"):
            case "verto.invite" if len(self._calls) >= CALLS_LIMIT:
                self._verto("verto.bye", call_id, cause="USER_BUSY")
            case "verto.invite":
                task = asyncio.create_task(self._call(call_id, str(params["sdp"])), name="echo call")
                self._calls[call_id] = task
                task.add_done_callback(lambda _done: self._calls.pop(call_id, None))
            case "verto.bye" if call_id in self._calls:
                self._calls[call_id].cancel()

    async def _call(self, call_id: str, offer: str) -> None:
        try:
            connection, ended = await _answer(offer)
        except Exception as problem:  # noqa: BLE001 - aiortc asserts, and worse, on an SDP it cannot read; the caller is told
            logger.warning("The echo cannot answer a call: %s.", type(problem).__name__)
            self._verto("verto.bye", call_id, cause="INCOMPATIBLE_DESTINATION")
            return
        try:
            self._verto("verto.answer", call_id, sdp=connection.localDescription.sdp)
            await asyncio.wait_for(ended.wait(), CALL_LIMIT_S)
            self._verto("verto.bye", call_id, cause="MEDIA_TIMEOUT")
        except TimeoutError:
            self._verto("verto.bye", call_id, cause="NORMAL_CLEARING")
        finally:
            await asyncio.wait([asyncio.ensure_future(connection.close())], timeout=CLOSE_LIMIT_S)

    def _verto(self, method: str, call_id: str, **params: Any) -> None:
        about = {"dialogParams": {"callID": call_id}, **params}
        message = {"jsonrpc": "2.0", "id": call_id, "method": method, "params": about}
        self._send("webrtc.verto", {"callID": call_id, "message": message})

    def _send(self, method: str, params: dict[str, Any]) -> None:
        self._sockets.from_endpoint(_LINK, encode(request(method, params)))


async def _answer(offer: str) -> tuple[RTCPeerConnection, asyncio.Event]:
    """Answer an offer; return the peer connection, and the event that its media has ended or never began."""
    # Here and not above: only with the first call does it cost its 50 MB.
    from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription

    connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    ended = asyncio.Event()
    give_up = asyncio.get_running_loop().call_later(CONNECT_LIMIT_S, ended.set)

    def send_back(track: MediaStreamTrack) -> None:
        if track.kind == "audio":
            connection.addTrack(track)

    def watch() -> None:
        if connection.connectionState == "connected":
            give_up.cancel()
        elif connection.connectionState in {"failed", "closed"}:
            ended.set()

    connection.on("track", send_back)
    connection.on("connectionstatechange", watch)
    await connection.setRemoteDescription(RTCSessionDescription(offer, "offer"))
    for transceiver in connection.getTransceivers():
        if transceiver.kind == "video":
            transceiver.direction = "inactive"
    await connection.setLocalDescription(await connection.createAnswer())
    return connection, ended
