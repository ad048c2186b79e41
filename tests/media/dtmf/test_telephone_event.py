"""Keys in RTP (RFC 4733): each one counts once, whatever is lost or repeated."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intercom.media.dtmf.telephone_event import DIGITS, DigitReader, payloads


def sent(digit: str) -> list[bytes]:
    return list(payloads(digit, duration_ms=160, step_ms=40, clock_hz=8000))


@pytest.mark.parametrize("digit", DIGITS)
def test_every_key_is_read_as_it_was_sent(digit: str) -> None:
    reader = DigitReader()
    assert [reader.read(1000, payload) for payload in sent(digit)] == [digit] + [None] * (len(sent(digit)) - 1)


def test_the_same_key_twice_is_two_keys() -> None:
    reader = DigitReader()
    read = [reader.read(at, payload) for at in (1000, 5000) for payload in sent("9")]
    assert [digit for digit in read if digit] == ["9", "9"]


def test_a_packet_that_is_overtaken_by_the_next_key_is_no_third_key() -> None:
    reader = DigitReader()
    first, second = sent("1"), sent("2")
    arriving = [(1000, first[0]), (5000, second[0]), (1000, first[-1]), (5000, second[-1])]
    assert [digit for at, payload in arriving if (digit := reader.read(at, payload))] == ["1", "2"]


@given(lost=st.sets(st.integers(0, 5), max_size=5))
def test_a_key_counts_once_when_packets_are_lost(lost: set[int]) -> None:
    reader = DigitReader()
    read = [reader.read(1000, payload) for n, payload in enumerate(sent("5")) if n not in lost]
    assert [digit for digit in read if digit] == ["5"]


def test_the_end_is_sent_three_times_with_the_whole_duration() -> None:
    ends = [payload for payload in sent("5") if payload[1] & 0x80]
    assert len(ends) == 3
    assert {int.from_bytes(payload[2:], "big") for payload in ends} == {1280}


def test_other_events_are_no_keys() -> None:
    reader = DigitReader()
    assert reader.read(1, bytes([32, 0, 0, 0])) is None
    assert reader.read(2, b"\x01") is None


@given(packets=st.lists(st.tuples(st.integers(0, 2**32 - 1), st.binary(max_size=8))))
def test_any_bytes_are_read(packets: list[tuple[int, bytes]]) -> None:
    reader = DigitReader()
    for timestamp, payload in packets:
        digit = reader.read(timestamp, payload)
        assert digit is None or digit in DIGITS
