"""Serves the sockets of the space: a thin shell of aiohttp around the exchange."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any, Final
from weakref import WeakValueDictionary

from aiohttp import WSCloseCode, WSMsgType, web

from intercom.signalwire.wire.messages import new_id
from intercom.space.http.rate_limited_log import Seldom
from intercom.space.http.request_filter import asker_of
from intercom.space.http.waiting import Waiting
from intercom.space.switch.exchange import FRAME_LIMIT_BYTES, Exchange
from intercom.space.switch.outbox import Close, Send
from intercom.space.switch.sessions.undelivered import KeptBytes
from intercom.tasks import TaskSet
from intercom.transports import break_off

logger = logging.getLogger(__name__)

QUEUE_LIMIT_FRAMES: Final = 256
"""Limit of frames that wait for one slow socket; past it the socket is closed, and its session can be resumed."""
GUEST_FRAME_LIMIT_BYTES: Final = 16 * 1024
"""Size limit of a frame from a socket without a session: it may send only `signalwire.connect`, some 6 kB."""
HEARTBEAT_S: Final = 6.0
"""Ping interval of a socket (RFC 6455 §5.5.2); a dead one is noticed after 9 s at most."""
TICK_S: Final = 1.0
"""Interval at which the exchange checks its deadlines, which are 4 s and more."""
CLOSE_LIMIT_S: Final = 0.5
"""Time limit for closing one socket."""


class _Socket:
    def __init__(self, remote: str) -> None:
        self.remote = remote
        self.response = web.WebSocketResponse(
            heartbeat=HEARTBEAT_S,
            max_msg_size=FRAME_LIMIT_BYTES,
            timeout=CLOSE_LIMIT_S,
            compress=False,
            autoping=False,  # aiohttp answers all pings that have come before anybody else has their turn
        )
        self._frames: asyncio.Queue[Send | Close] = asyncio.Queue(QUEUE_LIMIT_FRAMES)
        self.waiting = Waiting()
        self.transport: asyncio.Transport | None = None
        self._aborted = False

    @property
    def was_closed(self) -> bool:
        """Whether the client closed the socket, rather than the network or the space; set once it is closed."""
        error = self.response.exception()
        broken = isinstance(error, OSError | TimeoutError) and not isinstance(error, ConnectionResetError)
        return not self._aborted and not broken

    def abort(self) -> None:
        """Break the connection off; waiting frames are lost, and the session can be resumed."""
        self._aborted = True
        if self.transport is not None:
            break_off(self.transport)

    def put(self, output: Send | Close) -> None:
        """Queue a frame; raises `asyncio.QueueFull` when too many wait already."""
        size = len(output.text) if isinstance(output, Send) else 0
        if not self.waiting.add(size):
            raise asyncio.QueueFull
        self._frames.put_nowait(output)

    async def write(self) -> None:
        """Send the queued frames, in order, until the socket is closed."""
        while True:
            match await self._frames.get():
                case Send(_, text):
                    await self.response.send_str(text)
                    self.waiting.written(len(text))
                case Close(_, code, reason):
                    await self.response.close(code=code, message=reason.encode())
                    return


class Sockets:
    """Serves the WebSocket endpoint and moves frames between sockets and exchange.

    :param now: monotonic seconds.
    :param joined: told of each socket that has got a session, and of its subscriber's id.
    """

    def __init__(
        self, exchange: Exchange, *, now: Callable[[], float], joined: Callable[[web.Request, str], None]
    ) -> None:
        self._exchange = exchange
        self._now = now
        self._joined = joined
        self._log = Seldom(logger)
        self._sockets: dict[str, _Socket] = {}
        self._waiting_for: WeakValueDictionary[str, KeptBytes] = WeakValueDictionary()
        "Bytes that wait for all sockets of each member."
        self._endpoints: dict[str, Callable[[str], None]] = {}
        self.ticking: asyncio.Task[None] | None = None
        "Task that checks the deadlines."

    def start(self) -> None:
        """Start checking deadlines."""
        self.ticking = asyncio.create_task(self._tick(), name="space deadlines")

    async def stop(self) -> None:
        """Close all sockets, within a time limit."""
        if self.ticking is not None:
            self.ticking.cancel()
        closing = TaskSet()
        for socket in self._sockets.values():
            closing.spawn(socket.response.close(code=WSCloseCode.GOING_AWAY, message=b"The space stops."))
        await closing.finish(CLOSE_LIMIT_S)
        closing.cancel()

    def __len__(self) -> int:
        return len(self._sockets)

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Handle one WebSocket from its upgrade to its end."""
        socket, link = _Socket(asker_of(request).address), new_id()
        self._sockets[link] = socket
        writer: asyncio.Task[None] | None = None
        try:
            await socket.response.prepare(request)
            socket.transport = request.transport
            writer = asyncio.create_task(socket.write(), name="space socket writer")
            self._exchange.connected(link, self._now())
            member = None
            async for message in socket.response:
                if message.type in {WSMsgType.TEXT, WSMsgType.BINARY}:
                    if member is None and len(message.data) > GUEST_FRAME_LIMIT_BYTES:
                        socket.abort()
                        break
                    self._exchange.received(link, message.data, self._now())
                    if member is None and (member := self._exchange.subscriber_at(link)) is not None:
                        self._joined(request, member.id)
                        socket.waiting.share(self._waiting_for.setdefault(member.id, KeptBytes()))
                    self.deliver()
                elif not self._exchange.within_rate(link, self._now()):
                    socket.abort()
                    break
                elif message.type is WSMsgType.PING:
                    await socket.response.pong(message.data)
        finally:
            del self._sockets[link]
            socket.waiting.end()
            if writer is not None:
                writer.cancel()
            left = socket.response.close_code == WSCloseCode.GOING_AWAY  # a page (RFC 6455 §7.4.1)
            self._exchange.disconnected(link, self._now(), left=left, closed=socket.was_closed)
            self.deliver()
        return socket.response

    def break_off(self, reference: str) -> int:
        """Break the sockets of a subscriber as a dying network would, without a closing frame; return how many.

        Its sessions can be resumed. This is what tests and benches of recovery cut.
        """
        links = self._exchange.links_of(reference)
        for link in links:
            if link in self._sockets:
                self._sockets[link].abort()
        return len(links)

    def members(self) -> set[str]:
        """Return the ids of all subscribers who have a session."""
        return set(self._exchange.subscriber_ids())

    def doors(self) -> dict[str, set[str]]:
        """Return the addresses from which each door is connected, by its subscriber's id."""
        found: dict[str, set[str]] = {}
        for link, socket in self._sockets.items():
            subscriber = self._exchange.subscriber_at(link)
            if subscriber is not None and subscriber.kind == "door":
                found.setdefault(subscriber.id, set()).add(socket.remote)
        return found

    def expel(self, subscriber_id: str) -> None:
        """End the sessions, calls and alarms of a subscriber that was removed."""
        self._exchange.expel(subscriber_id)
        self._exchange.control.alarms.forget(subscriber_id)
        self.deliver()

    def try_out(self, subscriber_id: str) -> bool:
        """Let the open pages of a subscriber ring as a test; return whether there was one."""
        found = self._exchange.control.bell.try_out(subscriber_id)
        self.deliver()
        return found

    def tell_residents(self, event_type: str, params: dict[str, Any]) -> None:
        """Tell the open pages of residents an event that is worth nothing later."""
        self._exchange.control.bell.tell_residents(event_type, params)
        self.deliver()

    def connect_endpoint(self, link: str, take: Callable[[str], None]) -> None:
        """Connect an endpoint of this process, such as the echo, as if it had a socket."""
        self._endpoints[link] = take
        self._exchange.connected(link, self._now(), inside=True)

    def from_endpoint(self, link: str, text: str) -> None:
        """Take a frame from an endpoint of this process."""
        self._exchange.received(link, text, self._now())
        self.deliver()

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(TICK_S)
            self._exchange.elapsed(self._now())
            self.deliver()

    def deliver(self) -> None:
        """Hand the exchange's frames to their sockets; those that must not wait are written before there are more."""
        self._hand_over(self._exchange.drain_first())
        if self._exchange.is_behind:
            asyncio.get_running_loop().call_soon(self._deliver_rest)

    def _deliver_rest(self) -> None:
        self._hand_over(self._exchange.drain())

    def _hand_over(self, outputs: list[Send | Close]) -> None:
        for output in outputs:
            endpoint = self._endpoints.get(output.link)
            if endpoint is not None and isinstance(output, Send):
                endpoint(output.text)
                continue
            socket = self._sockets.get(output.link)
            if socket is None:
                continue
            try:
                socket.put(output)
            except asyncio.QueueFull:
                self._log.warn("slow", "A socket takes its frames too slowly; it is closed.")
                socket.abort()
