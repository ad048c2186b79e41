"""Reports changes of this machine's network, so that nobody waits for the next attempt (rtnetlink(7))."""

from __future__ import annotations

import asyncio
import errno
import logging
import socket
import struct
from collections.abc import Callable, Iterator

logger = logging.getLogger(__name__)

GROUPS = 0x1 | 0x10 | 0x100 | 0x40
"""Netlink groups that report links, IPv4 and IPv6 addresses and IPv4 routes (linux/rtnetlink.h)."""
RTM_NEWLINK, RTM_DELLINK = 16, 17
RTM_NEWADDR, RTM_DELADDR, RTM_NEWROUTE = 20, 21, 24
HEADER = struct.Struct("=IHHII")
LINK = struct.Struct("=BxHiII")
"""Layout of struct ifinfomsg: family, type, index, flags, change (linux/rtnetlink.h)."""
IFF_RUNNING = 0x40
SETTLE_S = 0.2
"""Time to wait after a change: others follow, and an address is usable only after duplicate detection."""
MAX_MESSAGE_BYTES = 65536


class NetworkWatch:
    """Calls `on_change` when a link or an address comes or goes; does nothing without netlink."""

    def __init__(self, on_change: Callable[[], None]) -> None:
        self._on_change = on_change
        self._socket: socket.socket | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._running: dict[int, bool] = {}

    def start(self) -> None:
        """Listen on the running loop."""
        if self._socket is not None:
            return
        try:
            self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_NONBLOCK)
            self._socket.bind((0, GROUPS))
        except (OSError, AttributeError) as error:
            logger.debug("Network changes are not heard of: %s", error)
            self.stop()
            return
        asyncio.get_running_loop().add_reader(self._socket, self._readable)

    def stop(self) -> None:
        """Stop listening."""
        if self._socket is not None:
            asyncio.get_running_loop().remove_reader(self._socket)
            self._socket.close()
            self._socket = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _readable(self) -> None:
        assert self._socket is not None
        try:
            while data := self._socket.recv(MAX_MESSAGE_BYTES):
                if self.tells_of_a_change(data):
                    self._wait()
        except BlockingIOError:
            return
        except OSError as error:
            if error.errno != errno.ENOBUFS:
                raise
            # More changed than the kernel could keep for us (netlink(7)); an address may be among it.
            self._wait()

    def _wait(self) -> None:
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(SETTLE_S, self._settled)

    def _settled(self) -> None:
        self._timer = None
        self._on_change()

    def tells_of_a_change(self, data: bytes) -> bool:
        """Return whether a netlink datagram reports a new or lost address, a new route, or a link that came or went."""
        changes = [self._is_change(kind, body) for kind, body in _messages(data)]  # all: each link is remembered
        return any(changes)

    def _is_change(self, kind: int, body: bytes) -> bool:
        if kind in {RTM_NEWADDR, RTM_DELADDR, RTM_NEWROUTE}:
            return True
        if kind not in {RTM_NEWLINK, RTM_DELLINK} or len(body) < LINK.size:
            return False
        # Wireless drivers tell of a link for many reasons; only its carrier is news.
        _, _, index, flags, _ = LINK.unpack_from(body)
        running = kind == RTM_NEWLINK and bool(flags & IFF_RUNNING)
        before = self._running.get(index)
        self._running[index] = running
        return running is not before


def _messages(data: bytes) -> Iterator[tuple[int, bytes]]:
    while len(data) >= HEADER.size:
        length, kind, *_ = HEADER.unpack_from(data)
        if length < HEADER.size:
            return
        yield kind, data[HEADER.size : length]
        data = data[(length + 3) & ~3 :]
