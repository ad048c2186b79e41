"""Listens to the kernel on netlink sockets, above all to changes of this machine's network (rtnetlink(7))."""

from __future__ import annotations

import asyncio
import logging
import socket
import struct
from collections.abc import Callable, Iterator, Sequence
from typing import Final

logger = logging.getLogger(__name__)

ROUTE: Final = 0
"""Netlink protocol of links, addresses and routes (linux/netlink.h)."""
GROUPS: Final = 0x1 | 0x10 | 0x100 | 0x40
"""Groups that report links, IPv4 and IPv6 addresses and IPv4 routes (linux/rtnetlink.h)."""
RTM_NEWLINK, RTM_DELLINK = 16, 17
RTM_NEWADDR, RTM_DELADDR, RTM_NEWROUTE = 20, 21, 24
HEADER: Final = struct.Struct("=IHHII")
LINK: Final = struct.Struct("=BxHiII")
"""Layout of struct ifinfomsg: family, type, index, flags, change (linux/rtnetlink.h)."""
IFF_RUNNING: Final = 0x40
SETTLE_S: Final = 0.2
"""Time to wait after a change: others follow, and an address is usable only after duplicate detection."""
MESSAGE_LIMIT_BYTES: Final = 65_536

Opener = Callable[[], socket.socket]


def open_netlink(protocol: int, groups: int) -> socket.socket:
    """Return a non-blocking socket that receives the messages of these groups; raises OSError where there is none."""
    if not hasattr(socket, "AF_NETLINK"):
        raise OSError("this system has no netlink")
    kind = socket.SOCK_RAW | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK
    opened = socket.socket(socket.AF_NETLINK, kind, protocol)
    try:
        opened.bind((0, groups))
    except OSError:
        opened.close()
        raise
    return opened


def open_route_netlink() -> socket.socket:
    """Return a socket that receives the changes of links, addresses and routes; raises OSError where there is none."""
    return open_netlink(ROUTE, GROUPS)


class Netlink:
    """Passes on the messages of one netlink socket while it is started. Belongs to the event loop."""

    def __init__(self, on_messages: Callable[[Sequence[bytes | None]], object], opener: Opener) -> None:
        """`on_messages` gets all that came at once; None stands for messages that the kernel could not keep for us."""
        self._on_messages = on_messages
        self._opener = opener
        self._socket: socket.socket | None = None

    @property
    def started(self) -> bool:
        """Whether messages are received."""
        return self._socket is not None

    def start(self) -> None:
        """Listen on the running loop; raises OSError where the kernel tells nobody."""
        if self._socket is None:
            self._socket = self._opener()
            asyncio.get_running_loop().add_reader(self._socket, self._readable)

    def stop(self) -> None:
        """Stop listening; harmless before the start."""
        if self._socket is not None:
            asyncio.get_running_loop().remove_reader(self._socket)
            self._socket.close()
            self._socket = None

    def _readable(self) -> None:
        assert self._socket is not None
        messages: list[bytes | None] = []
        while True:
            try:
                messages.append(self._socket.recv(MESSAGE_LIMIT_BYTES))
            except BlockingIOError:
                break
            except OSError as error:  # ENOBUFS: there was more than the socket holds (netlink(7))
                logger.debug("Messages of the kernel were lost: %s", error)
                messages.append(None)
                break
        self._on_messages(messages)


class NetworkWatch:
    """Calls `on_change` when a link or an address of this machine comes or goes.

    Without netlink, as in some containers, it calls every `poll_s` seconds instead; None: never.
    """

    def __init__(
        self,
        on_change: Callable[[], object],
        *,
        poll_s: float | None = None,
        settle_s: float = SETTLE_S,
        opener: Opener = open_route_netlink,
    ) -> None:
        self._on_change = on_change
        self._poll_s = poll_s
        self._settle_s = settle_s
        self._netlink = Netlink(self._told, opener)
        self._timer: asyncio.TimerHandle | None = None
        self._running: dict[int, bool] = {}

    def start(self) -> None:
        """Listen on the running loop."""
        try:
            self._netlink.start()
        except OSError as error:
            logger.debug("Network changes are not heard of: %s", error)
            self._wait(self._poll_s)

    def stop(self) -> None:
        """Stop listening."""
        self._netlink.stop()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _told(self, messages: Sequence[bytes | None]) -> None:
        # All of them are read: each link is remembered. Among those that were lost may be an address.
        changes = [message is None or self.tells_of_a_change(message) for message in messages]
        if any(changes):
            self._wait(self._settle_s)

    def _wait(self, delay_s: float | None) -> None:
        if self._timer is None and delay_s is not None:
            self._timer = asyncio.get_running_loop().call_later(delay_s, self._due)

    def _due(self) -> None:
        self._timer = None
        if not self._netlink.started:
            self._wait(self._poll_s)
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
        if kind == RTM_DELLINK:  # its number does not come again: each container has a new one
            return self._running.pop(index, None) is not False
        running = bool(flags & IFF_RUNNING)
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
