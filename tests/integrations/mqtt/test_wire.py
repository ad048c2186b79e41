"""The packets of MQTT 3.1.1: what the door sends, and what it makes of a broker's bytes, however they come."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intercom.integrations.mqtt import wire
from intercom.integrations.mqtt.wire import Accepted, Alive, Message, Packets, Subscribed, WireError


def fed(*pieces: bytes) -> list[wire.Packet]:
    packets = Packets()
    return [packet for piece in pieces for packet in packets.feed(piece)]


def test_a_connection_begins_as_the_standard_has_it() -> None:
    will = Message("door/availability", b"offline", retained=True)
    packet = wire.connect("intercom-door", keep_alive_s=45, will=will, user="door", password=b"secret")
    flags = 0b1110_0110  # user, password, a will that is kept, a clean session
    begins = b"\x00\x04MQTT\x04" + bytes([flags]) + b"\x00\x2d\x00\x0dintercom-door"
    rest = b"\x00\x11door/availability\x00\x07offline\x00\x04door\x00\x06secret"
    assert packet == b"\x10" + bytes([len(begins + rest)]) + begins + rest


def test_a_connection_without_a_will_or_a_user_says_so() -> None:
    assert wire.connect("x", keep_alive_s=1, will=None) == b"\x10\x0d\x00\x04MQTT\x04\x02\x00\x01\x00\x01x"


@given(st.text(min_size=1, max_size=50), st.binary(max_size=300), st.booleans())
def test_a_message_comes_out_as_it_went_in(topic: str, payload: bytes, retained: bool) -> None:
    message = Message(topic, payload, retained)
    assert fed(wire.publish(message)) == [message]


@given(st.lists(st.integers(1, 20), max_size=40))
def test_packets_are_whole_however_the_bytes_are_cut(cuts: list[int]) -> None:
    stream = b"\x20\x02\x00\x00" + wire.publish(Message("a/b", b"x" * 200)) + b"\x90\x04\x00\x01\x00\x80\xd0\x00"
    pieces, at = [], 0
    for cut in cuts:
        pieces.append(stream[at : at + cut])
        at += cut
    assert fed(*pieces, stream[at:]) == [Accepted(0), Message("a/b", b"x" * 200), Subscribed((True, False)), Alive()]


@given(st.binary(max_size=400))
def test_any_bytes_are_packets_or_are_refused_in_words(data: bytes) -> None:
    try:
        fed(data)
    except WireError as error:
        assert str(error)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"\x30\xff\xff\xff\x7f", "more than the 65536"),
        (b"\x30\xff\xff\xff\xff\x01", "more than four bytes"),
        (b"\x32\x05\x00\x01a\x00\x01", "quality of service"),
        (b"\x30\x01\x00", "no topic"),
        (b"\x30\x03\x00\x05a", "no topic"),
        (b"\x30\x03\x00\x01\xff", "not UTF-8"),
        (b"\x20\x01\x00", "none that a broker sends"),
        (b"\x10\x00", "none that a broker sends"),
        (b"\xd1\x00", "has the flags"),
        (b"HTTP/1.1 400 Bad Request", "none that a broker sends"),
    ],
)
def test_what_no_broker_sends_is_refused_in_words(data: bytes, said: str) -> None:
    with pytest.raises(WireError, match=said):
        fed(data)


def test_a_text_that_is_too_long_for_its_length_is_refused() -> None:
    with pytest.raises(WireError, match="longer than"):
        wire.publish(Message("t" * 70_000, b""))
