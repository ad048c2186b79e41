"""One client's connection: carries out what its conversation orders, and answers."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable
from typing import Protocol

from intercom.integrations.rtsp.accounts import Account
from intercom.integrations.rtsp.conversation import (
    Conversation,
    Describe,
    Hang,
    Order,
    Pause,
    Play,
    SetUp,
    TearDown,
)
from intercom.integrations.rtsp.rtp import is_report, received
from intercom.integrations.rtsp.sinks import Sink, TcpSink, UdpSink
from intercom.integrations.rtsp.streams import Kind, Offered
from intercom.integrations.rtsp.transports import Tcp, Udp
from intercom.integrations.rtsp.viewer import Viewer
from intercom.integrations.rtsp.wire import Interleaved, Reader, Request, WireError

logger = logging.getLogger(__name__)

PROOF_S = 15.0
"""Limit of the time in which a client proves its account."""
MOST_UNPROVED = 32
"""Limit of requests and packets before the proof; a client sends a few requests and no packet."""
MOST_A_SECOND = 500
"""Limit of requests and packets a second from an account: ten seconds of sound that a bad network held back."""
READ_BYTES = 16_384
"""Limit of bytes read in one turn of the event loop."""
GOODBYE_S = 5.0
"""Time in which a client at whose port nobody listens any more may end its session: it closes its ports first."""
STRANGERS_READ_BYTES = 2048
"""The same before the proof; a request has a few hundred."""


class House(Protocol):
    """What a connection asks of the server."""

    def account(self, name: str) -> Account | None:
        """Return the account of this name."""

    def offer(self, path: str, account: Account) -> Offered | None:
        """Return the stream of this path as the account may have it."""

    def has_room(self, who: str) -> bool:
        """Return whether one more may watch; who may not is noted."""

    def viewer(self, offered: Offered, account: Account, who: str) -> Viewer:
        """Return a new session's sender."""

    async def describe(self, offered: Offered, address: str) -> str | None:
        """Return the description of a stream; None when there is no picture to describe."""

    def proved(self, connection: Connection) -> None:
        """Note that a client has proved its account."""

    def suspect(self, who: str, why: str) -> None:
        """Log somebody who tries to get in."""

    def came(self, connection: Connection) -> None:
        """Note that a client begins to watch."""

    def gone(self, connection: Connection) -> None:
        """Note that a client no longer watches."""


class Connection:
    """One client, until it goes or is let go."""

    def __init__(
        self,
        house: House,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._house = house
        self._reader = reader
        self._writer = writer
        self._clock = clock
        self._began_s = clock()
        self._second_s = self._began_s
        "time in which the count begins"
        self._count = 0
        "requests and packets since then"
        self._ours = str(writer.get_extra_info("sockname")[0])
        self.address = str(writer.get_extra_info("peername")[0])
        """Address of the client."""
        self._talk = Conversation(house.account, house.offer, now_s=clock())
        self._channels: dict[int, tuple[Kind, bool]] = {}
        "track of each interleaved channel, and whether it is that of the reports"
        self.viewer: Viewer | None = None
        """Its session; None before the first SETUP."""
        self._gone_s: float | None = None
        "time since which nobody listens at its port; None while somebody does"

    @property
    def account(self) -> Account | None:
        """Return the account that it has proved to be."""
        return self._talk.account

    @property
    def who(self) -> str:
        """Name the client for the log."""
        return f"{self.account.name if self.account else 'somebody'} ({self.address})"

    async def serve(self) -> None:
        """Answer until one of the two goes."""
        reader = Reader()
        try:
            while not self._writer.is_closing() and (data := await self._read()):
                for item in reader.feed(data):
                    self._admit_one_more()
                    if isinstance(item, Interleaved):
                        self._packet(item)
                    elif not await self._answer(item):
                        return
        except WireError as error:
            end = self._talk.refused(error)
            logger.log(self._level, "%s does not speak RTSP: %s", self.who, end.why)
            self._writer.write(end.answer)
        except OSError as error:
            logger.debug("%s went: %s", self.who, error)
        finally:
            self._end_session()
            self._close()

    async def _read(self) -> bytes:
        """Return the next bytes, empty at the end, and let everybody else have a turn before."""
        await asyncio.sleep(0)  # bytes that are here already are read without waiting
        return await self._reader.read(STRANGERS_READ_BYTES if self.account is None else READ_BYTES)

    def _admit_one_more(self) -> None:
        """Count a request or packet; raises WireError where they are more than a client sends."""
        now_s = self._clock()
        if self.account is not None and now_s - self._second_s >= 1.0:
            self._second_s, self._count = now_s, 0
        self._count += 1
        most, when = (MOST_UNPROVED, "before a proof") if self.account is None else (MOST_A_SECOND, "in a second")
        if self._count > most:
            raise WireError(400, f"more than {most} requests and packets come {when}")

    def _close(self) -> None:
        """Close the connection once it is sent what waits, unless the client lets it wait: that may last for ever."""
        if self._writer.transport.get_write_buffer_size():
            self._writer.transport.abort()
        else:
            self._writer.close()

    def tick(self) -> None:
        """Do what is due each second, and let a client go that is not there any more."""
        now_s = self._clock()
        if self.account is None:
            if now_s - self._began_s >= PROOF_S:
                self.abort("it proves no account")
            return
        if self._house.account(self.account.name) != self.account:
            self.abort("its account is gone, or has another password")
            return
        viewer = self.viewer
        if viewer is not None:
            if not viewer.tick():
                self.abort("it takes nothing any more")
                return
            if self._gone_s is not None and now_s - self._gone_s >= GOODBYE_S:
                self.abort("nobody listens at its port")
                return
            if viewer.plays and not viewer.is_by_udp and viewer.behind == 0:
                self._talk.alive(now_s)  # it takes what it gets, as TCP tells
        if self._talk.is_over(now_s):
            self.abort("it gives no sign of life")

    def abort(self, why: str) -> None:
        """Close the connection at once."""
        if not self._writer.is_closing():
            logger.log(self._level, "Let go of %s: %s", self.who, why)
            self._writer.transport.abort()

    @property
    def _level(self) -> int:
        """Return the level of what the log says about it: strangers would fill it."""
        return logging.DEBUG if self.account is None else logging.INFO

    # Requests

    async def _answer(self, request: Request) -> bool:
        """Answer a request; return False when the connection is to be closed."""
        was_stranger = self.account is None
        order = self._talk.take(request, self._clock())
        if was_stranger and self.account is not None:
            self._house.proved(self)
        if isinstance(order, Hang):
            self._house.suspect(self.who, order.why)
        self._writer.write(order if isinstance(order, bytes) else await self._carry_out(order))
        if isinstance(order, Play) and self.viewer is not None:
            self._gone_s = None
            self.viewer.play()
        await self._writer.drain()
        return not isinstance(order, Hang)

    async def _carry_out(self, order: Order) -> bytes:
        match order:
            case Describe():
                return self._talk.described(order, await self._house.describe(order.offered, self._ours))
            case SetUp():
                return self._set_up(order)
            case Play():
                return self._talk.played(order, self.viewer.sequences() if self.viewer is not None else {})
            case Pause():
                if self.viewer is not None:
                    self.viewer.pause()
            case TearDown():
                self._end_session()
            case Hang():
                pass
        return order.answer

    def _set_up(self, order: SetUp) -> bytes:
        if self.viewer is None:
            assert self.account is not None, "nobody else sets anything up"
            if not self._house.has_room(self.who):
                return self._talk.full(order)
            self.viewer = self._house.viewer(order.offered, self.account, self.who)
            self._house.came(self)
        try:
            sink = self._sink(order)
        except OSError as error:
            logger.warning("%s gets nothing by UDP: %s", self.who, error)
            return self._talk.full(order)
        source = self.viewer.add(order.track, sink).source
        told = order.transport.told(source) if isinstance(order.transport, Tcp) else ""
        if isinstance(order.transport, Udp) and isinstance(sink, UdpSink):
            told = order.transport.told(source, sink.ports)
        return self._talk.set_up(order, told)

    def _sink(self, order: SetUp) -> Sink:
        transport, track = order.transport, order.track
        if isinstance(transport, Tcp):
            self._channels |= {transport.rtp: (track, False), transport.rtcp: (track, True)}
            return TcpSink(self._writer.transport, transport)
        return UdpSink(
            self._ours,
            self.address,
            transport,
            on_packet=lambda packet: self._media(track, packet, is_rtcp=False),
            on_report=lambda packet: self._media(track, packet, is_rtcp=True),
            on_gone=self._nobody_listens,
        )

    def _nobody_listens(self) -> None:
        """Send nothing more; the client may have closed its ports to say goodbye next."""
        if self._gone_s is None:
            self._gone_s = self._clock()
            asyncio.get_running_loop().call_soon(self._stop_sending)  # what has just sent is still under way

    def _stop_sending(self) -> None:
        if self.viewer is not None:
            self.viewer.pause()

    def _end_session(self) -> None:
        viewer, self.viewer, self._gone_s = self.viewer, None, None
        self._channels = {}
        self._talk.ended()
        if viewer is not None:
            with contextlib.suppress(OSError):
                viewer.close()
            self._house.gone(self)

    # Packets

    def _packet(self, item: Interleaved) -> None:
        if (found := self._channels.get(item.channel)) is not None:
            self._media(found[0], item.packet, is_rtcp=found[1])

    def _media(self, track: Kind, packet: bytes, *, is_rtcp: bool) -> None:
        if is_rtcp:
            if is_report(packet):
                self._talk.alive(self._clock())
        elif track == "talk" and self._talk.plays and self.viewer is not None and self.viewer.talker is not None:
            sound = received(packet)
            if sound is not None:
                self._talk.alive(self._clock())
                self.viewer.talker.take(sound)
