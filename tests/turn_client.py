"""A TURN client that does what an attacker would: asks for any relay and any peer (RFC 8656, RFC 6062)."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import os
import socket
import struct
from typing import Final, Self

ANSWER_LIMIT_S: Final = 60.0
NOTHING_COMES_S: Final = 1.0
"""How long one waits for what is not to come."""
ALLOCATE: Final = 0x003
REFRESH: Final = 0x004
CHANNEL_BIND: Final = 0x009
CONNECT: Final = 0x00A
UDP: Final = 17
TCP: Final = 6
_COOKIE: Final = 0x2112A442
_USERNAME, _INTEGRITY, _ERROR, _CHANNEL, _LIFETIME = 0x0006, 0x0008, 0x0009, 0x000C, 0x000D
_XOR_PEER, _REALM, _NONCE, _TRANSPORT = 0x0012, 0x0014, 0x0015, 0x0019
_SUCCESS: Final = 0x0100

Asked = tuple[int, bytes | tuple[str, int]]
"""An attribute of a request: its kind, and its value or a peer's address."""


class TurnClient:
    """One connection to a TURN server at `address`; over TCP when `kind` says so."""

    def __init__(
        self,
        address: tuple[str, int],
        username: str,
        password: str,
        kind: socket.SocketKind = socket.SOCK_DGRAM,
    ) -> None:
        self._socket = socket.socket(socket.AF_INET, kind)
        self._socket.settimeout(ANSWER_LIMIT_S)
        self._socket.connect(address)
        self._stream = kind == socket.SOCK_STREAM
        self._username, self._password = username, password
        self._realm = self._nonce = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def allocate(self, transport: int = UDP) -> int:
        """Ask for a relay; the error, or 0."""
        return self._ask(ALLOCATE, (_TRANSPORT, bytes([transport, 0, 0, 0])))

    def refresh(self, lifetime_s: int = 600) -> int:
        """Ask for the relay to stay, or with 0 to end; the error, or 0."""
        return self._ask(REFRESH, (_LIFETIME, struct.pack("!I", lifetime_s)))

    def reach(self, peer: str, port: int, channel: int = 0x4000) -> int:
        """Ask for a channel to a peer; the error, or 0."""
        return self._ask(CHANNEL_BIND, (_CHANNEL, struct.pack("!HH", channel, 0)), (_XOR_PEER, (peer, port)))

    def connect(self, peer: str, port: int) -> int:
        """Ask for a TCP connection to a peer; the error, or 0."""
        return self._ask(CONNECT, (_XOR_PEER, (peer, port)))

    def echo(self, data: bytes, channel: int = 0x4000, *, within_s: float = ANSWER_LIMIT_S) -> bytes:
        """Send through a channel and return what comes back; empty when nothing does."""
        self._socket.send(struct.pack("!HH", channel, len(data)) + data)
        self._socket.settimeout(within_s)
        try:
            return self._socket.recv(2048)[4:]
        except TimeoutError:
            return b""
        finally:
            self._socket.settimeout(ANSWER_LIMIT_S)

    def _ask(self, method: int, *attributes: Asked) -> int:
        error = self._once(method, attributes)
        return self._once(method, attributes) if error in {401, 438} and self._nonce else error

    def _once(self, method: int, attributes: tuple[Asked, ...]) -> int:
        transaction = os.urandom(12)
        body = b"".join(
            _attribute((kind, value if isinstance(value, bytes) else _hidden(value, transaction)))
            for kind, value in attributes
        )
        if self._nonce:
            who = ((_USERNAME, self._username.encode()), (_REALM, self._realm), (_NONCE, self._nonce))
            body += b"".join(map(_attribute, who))
            head = struct.pack("!HHI", method, len(body) + 24, _COOKIE) + transaction
            named = b":".join((self._username.encode(), self._realm, self._password.encode()))
            key = hashlib.md5(named).digest()
            message = head + body + _attribute((_INTEGRITY, hmac.new(key, head + body, hashlib.sha1).digest()))
        else:
            message = struct.pack("!HHI", method, len(body), _COOKIE) + transaction + body
        self._socket.send(message)
        return self._answer(method, transaction)

    def _answer(self, method: int, transaction: bytes) -> int:
        while True:
            answer = self._receive()
            kind, _ = struct.unpack("!HH", answer[:4])
            if answer[8:20] != transaction:
                continue
            found = dict(_attributes(answer[20:]))
            self._realm, self._nonce = found.get(_REALM, self._realm), found.get(_NONCE, self._nonce)
            if kind == method | _SUCCESS:
                return 0
            code = found[_ERROR]
            return 100 * code[2] + code[3]

    def _receive(self) -> bytes:
        if not self._stream:
            return self._socket.recv(4096)
        head = self._exactly(20)
        return head + self._exactly(struct.unpack("!H", head[2:4])[0])

    def _exactly(self, count: int) -> bytes:
        data = b""
        while len(data) < count:
            more = self._socket.recv(count - len(data))
            if not more:
                raise ConnectionError("The server closed the connection.")
            data += more
        return data


def _attribute(attribute: tuple[int, bytes]) -> bytes:
    kind, value = attribute
    return struct.pack("!HH", kind, len(value)) + value + b"\0" * (-len(value) % 4)


def _attributes(body: bytes) -> list[tuple[int, bytes]]:
    found = []
    while len(body) >= 4:
        kind, length = struct.unpack("!HH", body[:4])
        found.append((kind, body[4 : 4 + length]))
        body = body[4 + length + -length % 4 :]
    return found


def _hidden(peer: tuple[str, int], transaction: bytes) -> bytes:
    """The value of XOR-PEER-ADDRESS (RFC 8489 §14.2)."""
    host, port = peer
    packed = ipaddress.ip_address(host).packed
    mask = (struct.pack("!I", _COOKIE) + transaction)[: len(packed)]
    hidden = bytes(one ^ other for one, other in zip(packed, mask, strict=True))
    return struct.pack("!BBH", 0, 1 if len(packed) == 4 else 2, port ^ (_COOKIE >> 16)) + hidden
