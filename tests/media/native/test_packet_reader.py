"""Datagrams from strangers: what is opened in C is what Python opens, and all else comes out as it came in.

`test_sanitized.py` runs these once more in a build that notices each byte beside the buffers.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import socket
import struct
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pylibsrtp
import pytest
from aiortc.rtcdtlstransport import SRTP_PROFILES
from hypothesis import example, given
from hypothesis import strategies as st

from intercom.media.native import module
from intercom.media.rtp import native_srtp
from intercom.media.rtp.datagrams import LONGEST_BYTES, SO_TIMESTAMPNS, PythonReader
from intercom.media.rtp.hooks import is_rtp
from intercom.media.rtp.packet import HEADER_BYTES, parse

if module.why_not():
    pytest.skip(module.why_not(), allow_module_level=True)

from intercom.media.native import _native

SOURCE, KIND = 0x01020304, 111
AT_ONCE = 2
"""Limit of the datagrams that are read by one call."""
STREAM = KIND, SOURCE.to_bytes(4, "big")
SALT_AND_KEY = {profile.libsrtp_profile: profile.key_length + profile.salt_length for profile in SRTP_PROFILES}
LIBSRTPS = ctypes.PYFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p, ctypes.POINTER(ctypes.c_int))
HEADERS = st.builds(
    lambda first, kind, rest, source: bytes([first, kind]) + rest + source,
    st.integers(0x80, 0xBF),
    st.sampled_from([KIND, KIND | 0x80]) | st.integers(0, 255),
    st.binary(min_size=6, max_size=6),
    st.just(SOURCE.to_bytes(4, "big")) | st.binary(min_size=4, max_size=4),
)
PACKETS = st.builds(
    lambda head, extension, payload, padding: head + extension + payload + padding,
    HEADERS,
    st.sampled_from([b"", b"\xbe\xde\x00\x01\x10\x7f\x00\x00", b"\xbe\xde\x00\x00", b"\xbe\xde\xff\xff", b"\xbe"]),
    st.binary(max_size=40) | st.sampled_from([bytes(1400), bytes(1487), bytes(1488), bytes(1489), bytes(2100)]),
    st.sampled_from([b"", b"\x00", b"\x01", b"\x00\x00\x03", b"\xff"]),
)


class Street:
    """A socket with what came to it."""

    def __init__(self, datagrams: Sequence[bytes], host: str = "127.0.0.1") -> None:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.house, self.door = (socket.socket(family, socket.SOCK_DGRAM) for _ in range(2))
        for end in (self.house, self.door):
            end.bind((host, 0))
        with contextlib.suppress(OSError):  # an emulator does not tell when a datagram came
            self.door.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        for datagram in datagrams:
            self.house.sendto(datagram, self.door.getsockname())

    def __enter__(self) -> Street:
        return self

    def __exit__(self, *why: object) -> None:
        self.house.close()
        self.door.close()

    def read(self, reader: _native.PacketReader) -> tuple[list[Any], list[Any]]:
        """Return all that has come, the opened packets of the stream without their ages, and other datagrams."""
        opened, others, is_all = [], [], False
        while not is_all:
            came = reader.receive()
            some, rest, is_all = reader.tell(SOURCE, KIND)
            assert len(some) + len(rest) == came
            opened += [(number, at, payload, length) for number, at, payload, _, length in some]
            others += [data for data, _, _ in rest]
        assert reader.tell(SOURCE, KIND) == ([], [], True)
        return opened, others


def as_it_is(session: int, packet: int, length: Any) -> int:
    """Open a packet that is not sealed."""
    return 0


@contextlib.contextmanager
def reading(street: Street, unprotect: Callable[[int, int, Any], int] = as_it_is) -> Iterator[_native.PacketReader]:
    """Read the street with a function of Python's that opens packets."""
    function = LIBSRTPS(unprotect)
    address = ctypes.cast(function, ctypes.c_void_p).value
    assert address
    yield _native.PacketReader(address, 1, street.door.fileno())
    del function


def in_python(datagrams: Sequence[bytes], unprotect: Callable[[bytes], bytes]) -> tuple[list[Any], list[Any]]:
    """Return what `Street.read` has to return."""
    opened, others, told = [], [], 0
    for at, whole in enumerate(datagrams):
        data = whole[:LONGEST_BYTES]
        packet = None
        if at % AT_ONCE == 0:
            told = len(others)
        is_of = HEADER_BYTES <= len(data) <= 1500 and is_rtp(data) and (data[1] & 0x7F, data[8:12]) == STREAM
        if is_of and len(others) == told:
            with contextlib.suppress(ValueError, pylibsrtp.Error):
                packet = parse(unprotect(data))
        if packet is None:
            others.append(data)
        else:
            opened.append((packet.sequence_number, packet.timestamp, packet.payload, len(data)))
    return opened, others


@given(st.lists(st.binary(max_size=120) | PACKETS, max_size=7))
@example([b"", b"\x80"])
@example([b"\xa0\x6f" + bytes(6) + SOURCE.to_bytes(4, "big")])
@example(
    [b"\xbf\x6f" + bytes(6) + SOURCE.to_bytes(4, "big") + bytes(63), b"\x90\x6f" + bytes(6) + b"\1\2\3\4\xbe\xde\0"]
)
def test_any_datagram_is_read_as_python_reads_it(datagrams: list[bytes]) -> None:
    with Street(datagrams) as street, reading(street) as reader:
        assert street.read(reader) == in_python(datagrams, lambda data: data)


@given(datagram=PACKETS, length=st.integers(-(2**31), 2**31 - 1), refuses=st.booleans())
def test_whatever_length_libsrtp_tells_no_byte_beside_the_packet_is_read(
    datagram: bytes, length: int, refuses: bool
) -> None:
    def unprotect(session: int, packet: int, told: Any) -> int:
        told[0] = length
        return int(refuses)

    def opened(data: bytes) -> bytes:
        if refuses or not 0 <= length <= len(data):
            raise ValueError("no packet of this call")
        return data[:length]

    with Street([datagram]) as street, reading(street, unprotect) as reader:
        assert street.read(reader) == in_python([datagram], opened)


@pytest.fixture(params=list(SALT_AND_KEY))
def policies(request: pytest.FixtureRequest) -> Callable[[int], pylibsrtp.Policy]:
    """Policies of one key: AES-GCM's two, and AES-CM with SHA-1."""
    key = os.urandom(SALT_AND_KEY[request.param])
    return lambda kind: pylibsrtp.Policy(key=key, ssrc_type=kind, srtp_profile=request.param)


def test_what_is_sealed_is_opened_once_and_what_is_damaged_comes_out_as_it_came(
    policies: Callable[[int], pylibsrtp.Policy],
) -> None:
    outbound, inbound = pylibsrtp.Policy.SSRC_ANY_OUTBOUND, pylibsrtp.Policy.SSRC_ANY_INBOUND
    sealing, opening, theirs = (pylibsrtp.Session(policies(kind)) for kind in (outbound, inbound, inbound))
    sealed = [
        sealing.protect(struct.pack("!BBHLL", 0x80, KIND, number, 960 * number, SOURCE) + os.urandom(30 * number))
        for number in range(1, 45)
    ]
    damaged = bytes([*sealed[7][:20], sealed[7][20] ^ 1, *sealed[7][21:]])
    datagrams = [*sealed[:7], damaged, *sealed[7:10], sealed[3], *sealed[10:], b"\x00\x01" + bytes(18), sealed[20][:-1]]
    with Street(datagrams) as street:
        reader = native_srtp.packet_reader(opening, street.door)
        assert reader is not None
        opened, others = street.read(reader)
    assert (opened, others) == in_python(datagrams, theirs.unprotect)
    assert len(opened) == 44
    assert others == [damaged, sealed[3], *datagrams[-2:]]


def test_what_comes_after_a_key_is_not_told_before_it() -> None:
    sound = b"\x80\x6f" + bytes(6) + SOURCE.to_bytes(4, "big")
    key = b"\x80\x6e" + sound[2:]
    with Street([key, sound, sound, key]) as street, reading(street) as reader:
        assert reader.receive() == AT_ONCE
        opened, others, _ = reader.tell(SOURCE, KIND)
        assert (opened, [data for data, _, _ in others]) == ([], [key, sound])
        assert reader.receive() == AT_ONCE
        opened, others, _ = reader.tell(SOURCE, KIND)
        assert (len(opened), [data for data, _, _ in others]) == (1, [key])


def test_it_tells_whose_a_datagram_is_and_how_long_ago_it_came(host: str) -> None:
    sealed = b"\x80\x6f" + bytes(6) + SOURCE.to_bytes(4, "big")
    with Street([], host) as street, reading(street) as reader:
        other, begun = PythonReader(street.door), time.monotonic()
        for _ in range(2):
            for datagram in (sealed, b"one"):
                street.house.sendto(datagram, street.door.getsockname())
        assert (reader.receive(), other.receive(), other.receive()) == (2, 1, 1)
        ((*_, opened_age_s, _),), ((data, address, age_s),), is_all = reader.tell(SOURCE, KIND)
        assert (data, address, is_all) == (b"one", street.house.getsockname(), False)
        assert other.tell(SOURCE, KIND)[1][0][:2] == (b"one", address)
        assert 0 < age_s <= opened_age_s <= time.monotonic() - begun


def test_no_datagram_is_older_than_the_last_look_at_an_empty_socket() -> None:
    with Street([]) as street, reading(street) as ours:
        for reader in (ours, PythonReader(street.door)):
            street.house.sendto(b"one", street.door.getsockname())
            assert (reader.receive(), reader.receive()) == (1, 0)
            begun = time.monotonic()
            assert reader.receive() == 0
            street.house.sendto(b"two", street.door.getsockname())
            assert reader.receive() == 1
            _, ((data, _, age_s),), _ = reader.tell(SOURCE, KIND)
            assert data == b"two"
            assert age_s <= time.monotonic() - begun


def test_a_socket_that_is_closed_has_an_error_and_nothing_that_came() -> None:
    with Street([b"one"]) as street, reading(street) as reader:
        street.door.close()
        with pytest.raises(OSError, match="Bad file descriptor"):
            reader.receive()
        assert reader.tell(SOURCE, KIND) == ([], [], True)


ANYTHING = st.none() | st.integers() | st.floats() | st.text() | st.binary()


@given(st.lists(ANYTHING, max_size=3))
def test_a_call_tells_or_says_why_not(given: list[Any]) -> None:
    with Street([b"one"]) as street, reading(street) as reader:
        assert reader.receive() == 1
        try:
            assert reader.tell(*given)[1][0][0] == b"one"
        except (TypeError, ValueError) as refused:
            assert str(refused)
