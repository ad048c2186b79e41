"""What C seals is what pylibsrtp seals, whatever it is given, and goes to the address that Python's sockets would take.

`test_sanitized.py` runs these once more in a build that notices each byte beside the buffers.
"""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Callable, Sequence
from typing import Any

import pylibsrtp
import pytest
from aiortc.rtcdtlstransport import SRTP_PROFILES, SRTPProtectionProfile
from hypothesis import example, given
from hypothesis import strategies as st

from intercom.media.native import module
from intercom.media.rtp import native_srtp

if module.why_not():
    pytest.skip(module.why_not(), allow_module_level=True)

from intercom.media.native import _native

PACKETS = st.builds(
    lambda head, rest: head + rest,
    st.builds(struct.Struct("!BBHLL").pack, st.integers(0x80, 0xBF), *[st.integers(0, 255)] * 4),
    st.binary(max_size=60) | st.sampled_from([bytes(1343), bytes(1344), bytes(1345), bytes(1500)]),
)


def sessions(profile: SRTPProtectionProfile, count: int) -> list[pylibsrtp.Session]:
    """Return sessions with one key: they seal alike."""
    key = os.urandom(profile.key_length + profile.salt_length)
    policy = pylibsrtp.Policy(
        key=key, ssrc_type=pylibsrtp.Policy.SSRC_ANY_OUTBOUND, srtp_profile=profile.libsrtp_profile
    )
    return [pylibsrtp.Session(policy) for _ in range(count)]


def sealed_by_pylibsrtp(session: pylibsrtp.Session, packet: bytes) -> bytes | None:
    try:
        return session.protect(packet)
    except (pylibsrtp.Error, ValueError):
        return None


@pytest.mark.parametrize("profile", SRTP_PROFILES)
@given(packets=st.lists(PACKETS | st.binary(max_size=40), max_size=6))
@example(
    packets=[struct.pack("!BBHLL", 0x90, 111, number, 960, 7) + b"\xbe\xde\x00\x01" + bytes(9) for number in (1, 2)]
)
def test_any_packet_is_sealed_as_pylibsrtp_seals_it_or_is_refused_as_well(
    profile: SRTPProtectionProfile, packets: list[bytes]
) -> None:
    ours, theirs = sessions(profile, 2)
    near, far = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    with near, far:
        protect = native_srtp._address("srtp_protect")
        writer = _native.PacketWriter(protect, native_srtp._number(ours._srtp[0]), near.fileno(), b"")
        for packet in packets:
            sealed = sealed_by_pylibsrtp(theirs, packet)
            if sealed is None or len(packet) < 12:
                with pytest.raises(ValueError, match="not seal"):
                    writer.send(packet)
            else:
                assert writer.send(packet) is None
                assert far.recv(2048) == sealed


@pytest.mark.parametrize("profile", SRTP_PROFILES)
@given(packets=st.lists(PACKETS, max_size=6), as_it_comes=st.sampled_from([list, tuple]))
def test_a_picture_is_sealed_as_pylibsrtp_seals_each_of_its_packets(
    profile: SRTPProtectionProfile, packets: list[bytes], as_it_comes: Callable[[list[bytes]], Sequence[bytes]]
) -> None:
    ours, theirs = sessions(profile, 2)
    writer = _native.PacketWriter(native_srtp._address("srtp_protect"), native_srtp._number(ours._srtp[0]), 0, b"")
    sealed = [sealed_by_pylibsrtp(theirs, packet) for packet in packets]
    if None in sealed:
        with pytest.raises(ValueError, match="not seal"):
            writer.seal(as_it_comes(packets))
    else:
        assert writer.seal(as_it_comes(packets)) == sealed


def test_it_goes_to_an_address_of_either_kind(host: str) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    ours, theirs = sessions(SRTP_PROFILES[0], 2)
    packet = struct.pack("!BBHLL", 0x80, 111, 1, 960, 7) + b"sound"
    with socket.socket(family, socket.SOCK_DGRAM) as near, socket.socket(family, socket.SOCK_DGRAM) as far:
        far.bind((host, 0))
        far.settimeout(10)
        writer = native_srtp.packet_writer(ours, near, far.getsockname()[:2])
        assert writer is not None
        assert writer.send(packet) is None
        assert far.recv(2048) == theirs.protect(packet)


def test_what_finds_no_room_comes_back_sealed_and_what_is_refused_is_an_error() -> None:
    ours, theirs = sessions(SRTP_PROFILES[0], 2)
    near, far = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    protect, session = native_srtp._address("srtp_protect"), native_srtp._number(ours._srtp[0])
    with near:
        writer = _native.PacketWriter(protect, session, near.fileno(), b"")
        for number in range(10_000):
            packet = struct.pack("!BBHLL", 0x80, 111, number, 960 * number, 7) + bytes(100)
            waits, sealed = writer.send(packet), theirs.protect(packet)
            if waits is not None:
                break
        assert waits == sealed
        far.close()
        with pytest.raises(OSError, match="refused"):
            writer.send(struct.pack("!BBHLL", 0x80, 111, number + 1, 0, 7))


@pytest.mark.parametrize(
    ("family", "address"),
    [
        (socket.AF_INET, ("house.local", 9)),
        (socket.AF_INET6, ("fe80::1%lo", 9)),
        (socket.AF_INET6, ("fe80::1", 9, 0, 1)),
        (socket.AF_UNIX, ("127.0.0.1", 9)),
    ],
)
def test_what_the_kernel_has_no_address_for_is_left_to_python(family: int, address: tuple[Any, ...]) -> None:
    assert native_srtp.kernels_address(family, address) == b""


ANYTHING = st.none() | st.integers() | st.floats() | st.text() | st.binary(max_size=200)


@given(st.lists(ANYTHING, max_size=3), ANYTHING)
def test_a_writer_is_made_and_writes_or_says_why_not(given: list[Any], packet: Any) -> None:
    (session,) = sessions(SRTP_PROFILES[0], 1)
    addresses = native_srtp._address("srtp_protect"), native_srtp._number(session._srtp[0])
    try:
        _native.PacketWriter(*addresses, *given)
    except (TypeError, ValueError) as refused:
        assert str(refused)
    writer = _native.PacketWriter(*addresses, 1 << 20, b"")
    for write in (writer.send, writer.seal):
        try:
            write(packet)
        except (TypeError, ValueError, OSError) as refused:
            assert str(refused)


@pytest.mark.parametrize("given", [(0, 1), (1, 0), (1 << 65, 1), (1.0, 1), ("1", 1)])
def test_an_address_of_libsrtps_is_a_number_that_is_not_0(given: Any) -> None:
    with pytest.raises((TypeError, ValueError, OverflowError)):
        _native.PacketWriter(*given, 0, b"")
    with pytest.raises((TypeError, ValueError, OverflowError)):
        _native.PacketReader(*given, 0)


def test_libsrtps_functions_are_what_is_called(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another pylibsrtp may have libsrtp 3, whose functions take other arguments."""
    assert native_srtp._address("srtp_protect")
    assert native_srtp._address("srtp_unprotect")
    assert not native_srtp._address("srtp_of_another_name")
    monkeypatch.setattr(native_srtp, "FUNCTION", "int(*)(void *, unsigned char *, size_t, unsigned char *, size_t *)")
    session = pylibsrtp.Session()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as through:
        assert native_srtp.packet_writer(session, through, ("127.0.0.1", 9)) is None
        assert native_srtp.packet_reader(session, through) is None
