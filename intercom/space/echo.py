"""Answers calls to /public/echo and sends the sound back, so that an installer can hear themselves.

It is an ordinary subscriber without a socket. aiortc is imported with the first call only: it costs 50 MB.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any, Final

from intercom.signalwire.wire.agents import agent_of
from intercom.signalwire.wire.messages import Request, Response, encode, parse, request
from intercom.space.auth.tokens import TokenAuthority
from intercom.space.echo_member import EchoMember
from intercom.space.http.sockets import Sockets
from intercom.space.store import Store
from intercom.tasks import TaskSet

if TYPE_CHECKING:
    from aiortc import MediaStreamTrack, RTCPeerConnection

logger = logging.getLogger(__name__)

REFERENCE: Final = "echo"
CALLS_LIMIT: Final = 4
"""Limit of calls at once; each costs 0.1 of a core."""
CALLS_OF_A_MEMBER: Final = 2
"""Limit of one member's calls at once: a new one may begin before the space has noticed the end of the last."""
CONNECT_LIMIT_S: Final = 15.0
"""Time limit for ICE and DTLS."""
CALL_LIMIT_S: Final = 300.0
"""Time after which an echo call is ended."""
CLOSE_LIMIT_S: Final = 0.3
"""Time limit for closing a peer connection, and again for its sockets alone if that hangs."""
SECTIONS: Final = ({"audio"}, {"audio", "video"})
"""Kinds of media in an offer that is answered, each once: without a bundle, each section opens sockets of its own."""
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
        self._tasks = TaskSet()
        self._members: dict[str, EchoMember] = {}
        "the echo as a member of each call, by its id"
        self._calls: dict[str, tuple[str, asyncio.Task[None]]] = {}
        "each call's caller and task, by its id"

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
            case "verto.bye" if call_id in self._calls:
                self._calls[call_id][1].cancel()

    def _invited(self, call_id: str, caller: str, offer: str) -> None:
        of_caller = sum(other == caller for other, _ in self._calls.values())
        if len(self._calls) >= CALLS_LIMIT or of_caller >= CALLS_OF_A_MEMBER:
            self._verto("verto.bye", call_id, cause="USER_BUSY")
            return
        task = self._tasks.spawn(self._call(call_id, offer))
        task.add_done_callback(lambda _: self._calls.pop(call_id))
        self._calls[call_id] = caller, task

    async def _call(self, call_id: str, offer: str) -> None:
        connection = _connection()
        self._members[call_id] = EchoMember(call_id)
        try:
            ended = await _answer(connection, offer, self._members[call_id])
            self._verto("verto.answer", call_id, sdp=connection.localDescription.sdp)
            async with asyncio.timeout(CALL_LIMIT_S):
                await ended.wait()
            self._verto("verto.bye", call_id, cause="MEDIA_TIMEOUT")
        except TimeoutError:
            self._verto("verto.bye", call_id, cause="NORMAL_CLEARING")
        except Exception as problem:  # noqa: BLE001 - aiortc asserts, and worse, on an SDP it cannot read; the caller is told
            logger.warning("The echo cannot answer a call: %s.", type(problem).__name__)
            self._verto("verto.bye", call_id, cause="INCOMPATIBLE_DESTINATION")
        finally:
            del self._members[call_id]
            await _close(connection)

    def _verto(self, method: str, call_id: str, **params: Any) -> None:
        about = {"dialogParams": {"callID": call_id}, **params}
        message = {"jsonrpc": "2.0", "id": call_id, "method": method, "params": about}
        self._send("webrtc.verto", {"callID": call_id, "message": message})

    def _send(self, method: str, params: dict[str, Any]) -> None:
        self._sockets.from_endpoint(_LINK, encode(request(method, params)))


def _connection() -> RTCPeerConnection:
    # Here and not above: only with the first call does it cost its 50 MB.
    from aiortc import RTCConfiguration, RTCPeerConnection

    from intercom.aiortc_hooks import outlast_any_far_end

    outlast_any_far_end()
    return RTCPeerConnection(RTCConfiguration(iceServers=[]))


async def _answer(connection: RTCPeerConnection, offer: str, member: EchoMember) -> asyncio.Event:
    """Answer an offer; return the event that its media has ended or never began. Raises ValueError, and anything."""
    from aiortc import RTCSessionDescription

    from intercom.space.echo_sound import ReturnedSound

    kinds = [line.removeprefix("m=").partition(" ")[0] for line in offer.splitlines() if line.startswith("m=")]
    if set(kinds) not in SECTIONS or len(set(kinds)) != len(kinds):
        raise ValueError("the offer has other sections than one of sound and perhaps one of pictures")
    ended = asyncio.Event()
    give_up = asyncio.get_running_loop().call_later(CONNECT_LIMIT_S, ended.set)

    def send_back(track: MediaStreamTrack) -> None:
        if track.kind == "audio":
            connection.addTrack(ReturnedSound(track, member))

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
    return ended


async def _close(connection: RTCPeerConnection) -> None:
    """Close a connection within a time limit; if aiortc's own way hangs, its transports alone, with their sockets."""
    closing = asyncio.ensure_future(connection.close())
    _, late = await asyncio.wait([closing], timeout=CLOSE_LIMIT_S)
    if not late:
        if closing.exception() is not None:
            logger.warning("Closing a call to the echo failed: %s.", closing.exception())
        return
    logger.warning("A call to the echo does not close by itself; its transports are closed.")
    closing.cancel()
    transports = {transceiver.receiver.transport for transceiver in connection.getTransceivers()}
    stopping = [asyncio.ensure_future(stop()) for dtls in transports for stop in (dtls.stop, dtls.transport.stop)]
    if stopping:
        _, late = await asyncio.wait(stopping, timeout=CLOSE_LIMIT_S)
        for one in late:
            one.cancel()
