"""Redundant audio: what is packed is unpacked, and nonsense from outside costs nothing but itself."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from intercom.media.rtp.redundancy import MOST_BLOCKS, MOST_GENERATIONS, Block, Redundancy, generations, unpack

RED_TYPE, OPUS_TYPE = 63, 111


def test_a_packet_holds_the_one_before_it_with_its_age_and_itself_last() -> None:
    redundancy = Redundancy(RED_TYPE, OPUS_TYPE)
    assert unpack(redundancy.pack(0, b"first")) == [Block(0, b"first")]
    assert unpack(redundancy.pack(960, b"second")) == [Block(960, b"first"), Block(0, b"second")]


def test_the_bytes_are_those_of_the_standard() -> None:
    redundancy = Redundancy(RED_TYPE, OPUS_TYPE)
    redundancy.pack(0, b"abc")
    # F and 111; 14 bits of age, 960; 10 bits of length, 3; then 111 alone (RFC 2198 section 3).
    assert redundancy.pack(960, b"de") == bytes([0x80 | 111, 960 >> 6, (960 & 63) << 2, 3, 111]) + b"abcde"


def test_heavy_bursts_are_answered_with_three_generations_and_a_full_path_with_one() -> None:
    assert [generations(loss) for loss in (0.0, 0.01, 0.02, 0.05, 0.2)] == [1, 1, 3, 3, 1]


def test_more_generations_are_sent_from_the_next_packet_on() -> None:
    redundancy = Redundancy(RED_TYPE, OPUS_TYPE)
    for n in range(4):
        redundancy.pack(n * 960, bytes([n]))
    redundancy.generations = MOST_GENERATIONS
    ages = [block.age for block in unpack(redundancy.pack(4 * 960, b"now"))]
    assert ages == [3 * 960, 2 * 960, 960, 0]


def test_sound_from_before_a_long_silence_and_a_giant_packet_are_not_sent_again() -> None:
    redundancy = Redundancy(RED_TYPE, OPUS_TYPE)
    redundancy.pack(0, b"old")
    assert unpack(redundancy.pack(48_000, bytes(1100))) == [Block(0, bytes(1100))]
    assert unpack(redundancy.pack(48_960, b"now")) == [Block(0, b"now")]


@given(st.binary(max_size=200))
def test_whatever_comes_is_blocks_of_its_own_bytes_or_nothing(data: bytes) -> None:
    blocks = unpack(data)
    assert len(blocks) <= MOST_BLOCKS + 1
    assert sum(len(block.payload) for block in blocks) < max(1, len(data))


@given(st.lists(st.binary(min_size=1, max_size=1200), max_size=6), st.integers(1, MOST_GENERATIONS))
def test_the_newest_sound_survives_whatever_stands_before_it(payloads: list[bytes], depth: int) -> None:
    redundancy = Redundancy(RED_TYPE, OPUS_TYPE)
    redundancy.generations = depth
    for n, payload in enumerate(payloads):
        assert unpack(redundancy.pack(n * 960, payload))[-1] == Block(0, payload)
