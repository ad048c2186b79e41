"""libsrtp for the compiled module, which calls its functions by their addresses: see `native/libsrtp.h`.

The addresses are those that pylibsrtp's binding has, which is not for others; a test fails when that changes. Where a
function takes something else than we know there is nothing to call, and each packet goes through Python.
"""

from __future__ import annotations

import socket
import struct
from typing import TYPE_CHECKING, Any

from pylibsrtp import Session

from intercom.media.native import module

try:
    from pylibsrtp._binding import ffi, lib
except ImportError:  # another pylibsrtp
    ffi = lib = None

if TYPE_CHECKING:
    from intercom.media.native._native import PacketReader, PacketWriter

FUNCTION = "srtp_err_status_t(*)(struct srtp_ctx_t_ *, void *, int *)"
"""Type of libsrtp 2's functions that seal and open a packet where it lies."""


def packet_reader(session: Session, through: socket.socket) -> PacketReader | None:
    """Return a reader of a socket that opens packets with `session`; both have to outlive it.

    None where that cannot be.
    """
    unprotect = _address("srtp_unprotect")
    if not unprotect:
        return None
    from intercom.media.native._native import PacketReader

    return PacketReader(unprotect, _number(session._srtp[0]), through.fileno())


def packet_writer(session: Session, through: socket.socket, to: tuple[Any, ...]) -> PacketWriter | None:
    """Return a writer that seals packets with `session` and sends them `through` a socket; both have to outlive it.

    None where that cannot be.
    """
    protect, address = _address("srtp_protect"), kernels_address(through.family, to)
    if not protect or not address:
        return None
    from intercom.media.native._native import PacketWriter

    return PacketWriter(protect, _number(session._srtp[0]), through.fileno(), address)


def kernels_address(family: int, address: tuple[Any, ...]) -> bytes:
    """Return an Internet address as the kernel has it (`struct sockaddr_in`, `sockaddr_in6`); nothing of another."""
    host, port = address[:2]
    begin = struct.pack("=H", family) + struct.pack("!H", port)
    try:
        if family == socket.AF_INET:
            return begin + socket.inet_pton(family, host) + bytes(8)
        if family == socket.AF_INET6 and len(address) == 2:
            return begin + bytes(4) + socket.inet_pton(family, host) + bytes(4)
    except OSError:
        return b""  # a name, or with an interface
    return b""


def _address(name: str) -> int:
    """Return the address of one of libsrtp's functions; 0 where it is not to be called from C."""
    if not module.is_there() or not hasattr(lib, name):
        return 0
    function = ffi.addressof(lib, name)
    return _number(function) if ffi.typeof(function).cname == FUNCTION else 0


def _number(pointer: object) -> int:
    return int(ffi.cast("uintptr_t", pointer))
