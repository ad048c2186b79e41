"""Hears when this machine gets a network address, so that nobody waits for the next attempt (rtnetlink(7))."""

from __future__ import annotations

import asyncio
import errno
import logging
import socket
import struct
from collections.abc import Callable

logger = logging.getLogger(__name__)

# linux/rtnetlink.h: the groups that tell of IPv4 and IPv6 addresses, and the message of a new one.
GROUPS = 0x10 | 0x100
RTM_NEWADDR = 20
HEADER = struct.Struct("=IHHII")
# An address is usable a moment after it is told: duplicate detection, routes.
SETTLE_S = 0.2
MAX_MESSAGE_BYTES = 65536


class NetworkWatch:
    """Calls `on_address` whenever an address came, on the running loop; does nothing where there is no netlink."""

    def __init__(self, on_address: Callable[[], None]) -> None:
        self._on_address = on_address
        self._socket: socket.socket | None = None
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Listen."""
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
        """Listen no more."""
        if self._socket is not None:
            asyncio.get_running_loop().remove_reader(self._socket)
            self._socket.close()
            self._socket = None
        if self._timer is not None:
            self._timer.cancel()

    def _readable(self) -> None:
        assert self._socket is not None
        try:
            while data := self._socket.recv(MAX_MESSAGE_BYTES):
                if tells_of_an_address(data):
                    self._wait()
        except BlockingIOError:
            return
        except OSError as error:
            if error.errno != errno.ENOBUFS:
                raise
            # More changed than the kernel could keep for us (netlink(7)); an address may be among it.
            self._wait()

    def _wait(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(SETTLE_S, self._on_address)


def tells_of_an_address(data: bytes) -> bool:
    """Whether a netlink datagram holds a new address."""
    while len(data) >= HEADER.size:
        length, kind, *_ = HEADER.unpack_from(data)
        if kind == RTM_NEWADDR:
            return True
        if length < HEADER.size:
            return False
        data = data[(length + 3) & ~3 :]
    return False
