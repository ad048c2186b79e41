"""Looks up by mDNS (RFC 6762) the name that a browser gives in place of its address: `<uuid>.local`.

It stands in for `aioice.mdns`, which loads all of dnspython for this one question: 3 MB that a door at rest kept. The
names that aioice asks it for are aioice's.
"""

from __future__ import annotations

import asyncio
import errno
import ipaddress
import re
import socket
import struct
import sys
from collections.abc import Iterator
from typing import Any, Final

GROUP: Final = "224.0.0.251"
PORT: Final = 5353
RESOLVE_S: Final = 1.0
"""Limit of the wait for an answer."""
NAME_CHARS: Final = 255
"""Limit of a name (RFC 1035 section 2.3.4)."""
DATAGRAM_BYTES: Final = 9000
"""Limit of a datagram (RFC 6762 section 17)."""
ENTRIES: Final = 64
"""Limit of the questions and records of a datagram that are read: a browser's answer has one or two."""
POINTERS: Final = 16
"""Limit of the places that a name is put together from."""
IN: Final = 1
"""The class of internet addresses, without the bit that asks caches to forget."""
LENGTHS: Final = {1: 4, 28: 16}
"""Length of an address by the type of its record: A and AAAA."""

_NAME: Final = re.compile(r"[a-zA-Z0-9-]{1,63}\.local")


def stand_in() -> None:
    """Let aioice look names up here; call this before aioice is imported, later it changes nothing."""
    sys.modules.setdefault("aioice.mdns", sys.modules[__name__])


def is_mdns_hostname(name: str) -> bool:
    """Return whether a candidate's host is a name that mDNS knows.

    Browsers make a UUID, other programs what they like; either is looked up (draft-ietf-mmusic-mdns-ice-candidates
    section 3.2.1).
    """
    return _NAME.fullmatch(name) is not None


def question(name: str) -> bytes:
    """Return the question for the address of a name."""
    labels = b"".join(bytes([len(label)]) + label.encode("ascii") for label in name.split("."))
    return struct.pack("!6H", 0, 0, 1, 0, 0, 0) + labels + struct.pack("!BHH", 0, 1, IN)


def answers(datagram: bytes) -> Iterator[tuple[str, str]]:
    """Yield the names, in lower case, and the addresses that a datagram tells of, as far as it can be read."""
    try:
        _, flags, questions, records, _, _ = struct.unpack_from("!6H", datagram)
        if not flags & 0x8000 or questions + records > ENTRIES or len(datagram) > DATAGRAM_BYTES:
            return  # it asks, or would take longer to read than a call can wait
        at = 12
        for _ in range(questions):
            at = _name(datagram, at)[1] + 4
        for _ in range(records):
            name, at = _name(datagram, at)
            kind, of, _, length = struct.unpack_from("!HHIH", datagram, at)
            data = datagram[at + 10 : at + 10 + length]
            at += 10 + length
            if of & 0x7FFF == IN and len(data) == LENGTHS.get(kind):
                yield name, str(ipaddress.ip_address(data))
    except (IndexError, ValueError, struct.error):
        return  # it is cut, or none of DNS


def _name(datagram: bytes, at: int) -> tuple[str, int]:
    """Return the name that begins there, and where what follows it begins."""
    labels: list[str] = []
    behind: int | None = None
    pointers = chars = 0
    while length := datagram[at]:
        if length >= 0xC0:
            behind = at + 2 if behind is None else behind
            at = (length & 0x3F) << 8 | datagram[at + 1]
            pointers += 1
        else:
            labels.append(datagram[at + 1 : at + 1 + length].decode("latin-1"))  # other names may have any letter
            at += 1 + length
            chars += 1 + length
        if pointers > POINTERS or chars > NAME_CHARS:
            raise ValueError("a name is too long")
    return ".".join(labels).lower(), at + 1 if behind is None else behind


class MDnsProtocol(asyncio.DatagramProtocol):
    """A socket that asks for names."""

    def __init__(self) -> None:
        self._transport: asyncio.DatagramTransport | None = None
        self._closed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._asked: dict[str, set[asyncio.Future[str | None]]] = {}

    def connection_made(self, transport: Any) -> None:
        """Take the socket."""
        self._transport = transport

    def connection_lost(self, _: Exception | None) -> None:
        """Let everybody go who waits."""
        for name in [*self._asked]:
            self._tell(name, None)
        if not self._closed.done():
            self._closed.set_result(None)

    def datagram_received(self, data: bytes, sender: tuple[str, int]) -> None:
        """Tell those who wait for its names; who answers does so from mDNS' own port (RFC 6762 section 6)."""
        if not self._asked or sender[1] != PORT:
            return
        for name, address in answers(data):
            self._tell(name, address)

    def _tell(self, name: str, address: str | None) -> None:
        for waiting in self._asked.pop(name, ()):
            if not waiting.done():
                waiting.set_result(address)

    async def resolve(self, hostname: str, timeout: float = RESOLVE_S) -> str | None:  # noqa: ASYNC109 - aioice's name
        """Return the address of a name, or None when nobody tells it in time."""
        if self._transport is None or self._transport.is_closing() or not self._join(self._transport):
            return None
        name = hostname.lower()
        waiting: asyncio.Future[str | None] = asyncio.get_running_loop().create_future()
        if name not in self._asked:
            self._transport.sendto(question(name), (GROUP, PORT))
        others = self._asked.setdefault(name, set())
        others.add(waiting)
        try:
            return await asyncio.wait_for(waiting, timeout)
        except TimeoutError:
            return None
        finally:
            others.discard(waiting)
            if not others and self._asked.get(name) is others:
                del self._asked[name]

    def _join(self, transport: asyncio.DatagramTransport) -> bool:
        """Join the group, again for each question: another interface may have come; False on a machine without one.

        An interface that went stays a member until the socket is closed, and Linux allows 20 (igmp_max_memberships):
        aioice closes the socket with the last call that looks for names.
        """
        member = socket.inet_aton(GROUP) + bytes(4)  # of whichever network
        try:
            transport.get_extra_info("socket").setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, member)
        except OSError as error:
            return error.errno == errno.EADDRINUSE  # it is a member
        return True

    async def close(self) -> None:
        """Close the socket."""
        if self._transport is not None:
            self._transport.close()
            await self._closed


async def create_mdns_protocol() -> MDnsProtocol:
    """Open a socket that asks for names; OSError when another program holds the port for itself."""
    opened = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        opened.bind(("", PORT))
        _, protocol = await asyncio.get_running_loop().create_datagram_endpoint(MDnsProtocol, sock=opened)
    except BaseException:
        opened.close()
        raise
    return protocol
