"""The ways to a viewer: its RTSP connection, or UDP ports of its machine."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable, Sequence
from typing import Protocol

from intercom.integrations.rtsp.rtp import MOST_PACKET_BYTES
from intercom.integrations.rtsp.transports import Tcp, Udp
from intercom.integrations.rtsp.wire import interleaved

TRIES = 20
"""Limit of tries to find two neighbouring ports that are free."""
READ_AT_ONCE = 32
"""Limit of datagrams read in one turn of the event loop."""


class Sink(Protocol):
    """The way of one track."""

    @property
    def behind(self) -> int:
        """Bytes that the viewer has still to take."""

    def send(self, packets: Sequence[bytes]) -> bool:
        """Send RTP packets; return False if some of them are lost already."""

    def report(self, packet: bytes) -> None:
        """Send an RTCP packet."""

    def close(self) -> None:
        """Release what it holds; the connection itself stays."""


class TcpSink:
    """Packets between the responses of the connection."""

    def __init__(self, transport: asyncio.WriteTransport, channels: Tcp) -> None:
        self._transport = transport
        self._channels = channels

    @property
    def behind(self) -> int:
        """Bytes that wait for the client's machine, all tracks together."""
        return self._transport.get_write_buffer_size()

    def send(self, packets: Sequence[bytes]) -> bool:
        """Queue RTP packets, in one piece."""
        channel = self._channels.rtp
        self._transport.write(b"".join(interleaved(channel, packet) for packet in packets))
        return True

    def report(self, packet: bytes) -> None:
        """Queue an RTCP packet."""
        self._transport.write(interleaved(self._channels.rtcp, packet))

    def close(self) -> None:
        """Do nothing: the connection is not ours."""


class UdpSink:
    """Datagrams between two ports here and two of the client's machine; the kernel drops what others send."""

    behind = 0

    def __init__(
        self,
        ours: str,
        theirs: str,
        ports: Udp,
        *,
        on_packet: Callable[[bytes], object],
        on_report: Callable[[bytes], object],
        on_gone: Callable[[], object],
    ) -> None:
        """Open the ports at the address `ours`; raises OSError. `on_gone`: nobody listens at the client's port."""
        self._on_gone = on_gone
        self._loop = asyncio.get_running_loop()
        self._rtp, self._rtcp = _pair(ours)
        self.ports = (int(self._rtp.getsockname()[1]), int(self._rtcp.getsockname()[1]))
        """Our ports."""
        try:
            self._rtp.connect((theirs, ports.rtp))
            self._rtcp.connect((theirs, ports.rtcp))
        except OSError:
            self._rtp.close()
            self._rtcp.close()
            raise
        self._loop.add_reader(self._rtp, self._read, self._rtp, on_packet)
        self._loop.add_reader(self._rtcp, self._read, self._rtcp, on_report)

    def send(self, packets: Sequence[bytes]) -> bool:
        """Send RTP packets; the rest of them is lost where the kernel has no room."""
        try:
            for packet in packets:
                self._rtp.send(packet)
        except BlockingIOError:
            return False
        except ConnectionRefusedError:
            self._on_gone()
        except OSError:  # no route, for a moment or for ever: the session's time tells
            return False
        return True

    def report(self, packet: bytes) -> None:
        """Send an RTCP packet; one that is lost is followed by the next."""
        with contextlib.suppress(OSError):
            self._rtcp.send(packet)

    def close(self) -> None:
        """Close the ports."""
        for each in (self._rtp, self._rtcp):
            self._loop.remove_reader(each)
            each.close()

    def _read(self, port: socket.socket, take: Callable[[bytes], object]) -> None:
        for _ in range(READ_AT_ONCE):
            try:
                packet = port.recv(MOST_PACKET_BYTES)
            except BlockingIOError:
                return
            except OSError:  # told of a packet that did not arrive; `send` sees it
                return
            take(packet)
            if port.fileno() < 0:  # it ended the session
                return


def _pair(address: str) -> tuple[socket.socket, socket.socket]:
    """Open two neighbouring ports, the first one even (RFC 3550, section 11); raises OSError."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    error = OSError("there are no two free ports side by side")
    for _ in range(TRIES):
        first = _bound(family, address, 0)
        number = int(first.getsockname()[1])
        try:
            second = _bound(family, address, number ^ 1)
        except OSError as taken:
            first.close()
            error = taken
            continue
        return (second, first) if number % 2 else (first, second)
    raise error


def _bound(family: int, address: str, port: int) -> socket.socket:
    opened = socket.socket(family, socket.SOCK_DGRAM)
    try:
        opened.setblocking(False)
        opened.bind((address, port))
    except OSError:
        opened.close()
        raise
    return opened
