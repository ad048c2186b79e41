"""The language of MQTT 3.1.1 as a door speaks it: packets to bytes and bytes to packets, without I/O.

The door publishes and subscribes with QoS 0 alone. A state is told again when the connection is new, and a ring that
was late would be a phantom, so that nothing is ever sent twice. The numbers of sections are those of the OASIS
standard.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Final

from msgspec import Struct

PACKET_LIMIT_BYTES: Final = 65_536
"""Size limit of a packet from the broker: a command is a few bytes, and the door subscribes to nothing larger."""
TEXT_LIMIT_BYTES: Final = 65_535
"""Size limit of a text, whose length takes two bytes (section 1.5.3)."""
_LENGTH_BYTES: Final = 4
"""Limit of the bytes that tell a packet's length (section 2.2.3)."""

_CONNECT, _CONNACK, _PUBLISH, _SUBSCRIBE, _SUBACK, _PINGRESP = 1, 2, 3, 8, 9, 13
"""Types of packets (section 2.2.1)."""
_FAILED: Final = 0x80
"""Return code of a subscription that the broker refuses (section 3.9.3)."""
_FROM_A_BROKER: Final = (_CONNACK, _PUBLISH, _SUBACK, _PINGRESP)
"""Types of packets that a broker sends to a client that publishes with QoS 0."""
REFUSALS: Final = {
    1: "it does not speak MQTT 3.1.1",
    2: "it does not take this client's id",
    3: "it is not ready",
    4: "the user or the password is wrong",
    5: "this user may not connect",
}
"""Why a broker takes no connection, by the code of its answer (section 3.2.2.3)."""

PING: Final = b"\xc0\x00"
"""Packet that asks the broker for a sign of life."""
DISCONNECT: Final = b"\xe0\x00"
"""Packet that ends the connection in good order: the broker then forgets the will."""


class WireError(ValueError):
    """The bytes are no packet of MQTT 3.1.1 that a broker sends to this client."""


class Message(Struct, frozen=True):
    """A message on a topic."""

    topic: str
    """Its topic."""
    payload: bytes
    """What it holds."""
    retained: bool = False
    """Sent: the broker keeps it for whoever comes later. Received: the broker had kept it."""


class Accepted(Struct, frozen=True):
    """The broker's answer to a connection."""

    code: int
    """0, or a key of `REFUSALS`."""


class Subscribed(Struct, frozen=True):
    """The broker's answer to a subscription."""

    granted: tuple[bool, ...]
    """For each topic in its order, whether its messages will come."""


class Alive(Struct, frozen=True):
    """The broker's answer to a ping."""


Packet = Accepted | Message | Subscribed | Alive
"""What a broker sends to this client."""


def connect(
    client_id: str, *, keep_alive_s: int, will: Message | None, user: str | None = None, password: bytes | None = None
) -> bytes:
    """Return the packet with which a connection begins; the broker sends `will` if it ends in any other than order."""
    flags, payload = 0x02, _text(client_id)  # a clean session
    if will is not None:
        flags |= 0x24 if will.retained else 0x04
        payload += _text(will.topic) + _bytes(will.payload)
    if user is not None:
        flags |= 0x80
        payload += _text(user)
        if password is not None:
            flags |= 0x40
            payload += _bytes(password)
    return _packet(_CONNECT << 4, _text("MQTT") + bytes([4, flags]) + struct.pack("!H", keep_alive_s) + payload)


def publish(message: Message) -> bytes:
    """Return the packet with a message."""
    return _packet(_PUBLISH << 4 | int(message.retained), _text(message.topic) + message.payload)


def subscribe(number: int, topics: tuple[str, ...]) -> bytes:
    """Return the packet that asks for the messages on these topics; its number is not 0."""
    return _packet(
        _SUBSCRIBE << 4 | 0x02, struct.pack("!H", number) + b"".join(_text(topic) + b"\0" for topic in topics)
    )


class Packets:
    """Splits what a broker sends into packets."""

    def __init__(self) -> None:
        self._rest = bytearray()

    def feed(self, data: bytes) -> Iterator[Packet]:
        """Yield the packets that are complete now; raises WireError."""
        self._rest += data
        while (whole := self._whole()) is not None:
            begins, ends = whole
            head, body = self._rest[0], bytes(self._rest[begins:ends])
            del self._rest[:ends]
            yield _parse(head, body)

    def _whole(self) -> tuple[int, int] | None:
        """Return where the first packet's body begins and ends; None while it is not complete."""
        if self._rest and self._rest[0] >> 4 not in _FROM_A_BROKER:
            raise WireError(f"a packet of type {self._rest[0] >> 4} is none that a broker sends to this client")
        length = 0
        for place, byte in enumerate(self._rest[1 : 1 + _LENGTH_BYTES]):
            length |= (byte & 0x7F) << 7 * place
            if not byte & 0x80:
                if length > PACKET_LIMIT_BYTES:
                    raise WireError(f"a packet of {length} bytes is more than the {PACKET_LIMIT_BYTES} that are taken")
                begins = place + 2
                return (begins, begins + length) if len(self._rest) >= begins + length else None
        if len(self._rest) > _LENGTH_BYTES:
            raise WireError("the length of a packet takes more than four bytes")
        return None


def _parse(head: int, body: bytes) -> Packet:
    kind, flags = head >> 4, head & 0x0F
    if kind == _PUBLISH:
        return _message(flags, body)
    if flags:
        raise WireError(f"a packet of type {kind} has the flags {flags}")
    if kind == _CONNACK and len(body) == 2:
        return Accepted(body[1])
    if kind == _SUBACK and len(body) > 2:
        return Subscribed(tuple(code != _FAILED for code in body[2:]))
    if kind == _PINGRESP and not body:
        return Alive()
    raise WireError(f"a packet of type {kind} with {len(body)} bytes is none that a broker sends to this client")


def _message(flags: int, body: bytes) -> Message:
    if flags & 0x0E:
        raise WireError("a message has another quality of service than the one that was asked for")
    if len(body) < 2:
        raise WireError("a message has no topic")
    ends = 2 + int(struct.unpack("!H", body[:2])[0])
    try:
        topic = body[2:ends].decode()
    except UnicodeDecodeError as error:
        raise WireError("a topic is not UTF-8") from error
    if len(body) < ends or not topic:
        raise WireError("a message has no topic")
    return Message(topic, body[ends:], bool(flags & 0x01))


def _packet(head: int, body: bytes) -> bytes:
    length, rest = bytearray(), len(body)
    while True:
        rest, digit = rest >> 7, rest & 0x7F
        length.append(digit | (0x80 if rest else 0))
        if not rest:
            return bytes([head]) + bytes(length) + body


def _text(text: str) -> bytes:
    return _bytes(text.encode())


def _bytes(data: bytes) -> bytes:
    if len(data) > TEXT_LIMIT_BYTES:
        raise WireError(f"a text of {len(data)} bytes is longer than the {TEXT_LIMIT_BYTES} that MQTT knows")
    return struct.pack("!H", len(data)) + data
