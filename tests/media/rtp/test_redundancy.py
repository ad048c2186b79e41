"""Redundant audio: what is packed is unpacked, and nonsense from outside costs nothing but itself."""

from __future__ import annotations

from itertools import pairwise

from aiortc.rtp import RtpPacket
from hypothesis import given, settings
from hypothesis import strategies as st

from intercom.media.codec.opus import OpusDecoder, OpusEncoder
from intercom.media.rtp.far_end import FarEndSound
from intercom.media.rtp.payload_types import PayloadTypes
from intercom.media.rtp.playout import Playout
from intercom.media.rtp.redundancy import (
    LONGEST_PAYLOAD,
    MOST_BLOCKS,
    MOST_GENERATIONS,
    Block,
    Redundancy,
    unpack,
)
from intercom.media.sound.format import BLOCK_SAMPLES
from tests.alsa import tone

RED_TYPE, OPUS_TYPE, EVENT_TYPE = 63, 111, 110
FRAME = 960
DESCRIPTION = (
    "v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 63 111 110\r\na=rtpmap:111 opus/48000/2\r\na=rtpmap:63 red/48000/2\r\n"
    "a=fmtp:63 111/111\r\na=rtpmap:110 telephone-event/48000\r\n"
)


def redundancy(loss: float = 0.0) -> Redundancy:
    made = Redundancy(RED_TYPE, OPUS_TYPE)
    made.reported(loss, loss)
    return made


def ages(data: bytes) -> list[int]:
    return [block.age for block in unpack(data)]


def test_a_packet_holds_the_one_before_it_with_its_age_and_itself_last() -> None:
    packing = redundancy()
    assert unpack(packing.pack(0, b"first")) == [Block(0, b"first", OPUS_TYPE)]
    assert unpack(packing.pack(FRAME, b"second")) == [Block(FRAME, b"first", OPUS_TYPE), Block(0, b"second", OPUS_TYPE)]


def test_the_bytes_are_those_of_the_standard() -> None:
    packing = redundancy()
    packing.pack(0, b"abc")
    # F and 111; 14 bits of age, 960; 10 bits of length, 3; then 111 alone (RFC 2198 section 3).
    assert packing.pack(960, b"de") == bytes([0x80 | 111, 960 >> 6, (960 & 63) << 2, 3, 111]) + b"abcde"


def test_from_the_next_packet_after_a_report_of_loss_three_earlier_ones_go_along() -> None:
    packing = redundancy()
    for n in range(4):
        packing.pack(n * FRAME, bytes([n]))
    packing.reported(0.05, 0.02)
    assert ages(packing.pack(4 * FRAME, b"now")) == [3 * FRAME, 2 * FRAME, FRAME, 0]


def test_reports_without_loss_bring_it_back_to_one_but_not_the_first_of_them() -> None:
    packing = redundancy(0.05)
    for n in range(4):
        packing.pack(n * FRAME, b"x")
    depths = []
    for n in range(4, 14):
        packing.reported(0.0, 0.01)
        depths.append(len(ages(packing.pack(n * FRAME, b"x"))) - 1)
    assert depths[0] == MOST_GENERATIONS
    assert depths[-1] == 1
    assert all(before >= after for before, after in pairwise(depths))


def test_a_path_that_loses_a_tenth_is_full_and_gets_no_more_bits() -> None:
    packing = redundancy(0.2)
    for n in range(4):
        packing.pack(n * FRAME, b"x")
    assert ages(packing.pack(4 * FRAME, b"x")) == [FRAME, 0]


def test_sound_from_before_a_long_silence_is_not_sent_again() -> None:
    packing = redundancy()
    packing.pack(0, b"old")
    assert ages(packing.pack(48_000, b"new")) == [0]


@given(st.lists(st.binary(min_size=1, max_size=1200), max_size=6), st.sampled_from([0.0, 0.05]))
def test_the_newest_sound_survives_whatever_stands_before_it_and_the_packet_stays_small(
    payloads: list[bytes], loss: float
) -> None:
    packing = redundancy(loss)
    for n, payload in enumerate(payloads):
        packed = packing.pack(n * FRAME, payload)
        assert unpack(packed)[-1] == Block(0, payload, OPUS_TYPE)
        assert len(packed) <= max(LONGEST_PAYLOAD, len(payload)) + 1


HEADERS = st.lists(
    st.tuples(
        st.sampled_from([OPUS_TYPE, RED_TYPE, EVENT_TYPE, 0, 127]), st.integers(0, 2**14 - 1), st.integers(0, 1023)
    ),
    max_size=MOST_BLOCKS + 2,
)


@st.composite
def nearly_redundant(draw: st.DrawFn) -> bytes:
    """Payloads whose headers can be read, with lengths, ages and numbers of all kinds, cut off anywhere."""
    data = b"".join(
        ((0x80 | number) << 24 | age << 10 | size).to_bytes(4, "big") for number, age, size in draw(HEADERS)
    )
    data += bytes([draw(st.sampled_from([OPUS_TYPE, RED_TYPE, EVENT_TYPE]))]) + draw(st.binary(max_size=200))
    return data[: draw(st.integers(0, len(data)))]


ANYTHING = st.one_of(st.binary(max_size=200), nearly_redundant())


@given(ANYTHING)
def test_whatever_comes_is_blocks_of_its_own_bytes_or_nothing(data: bytes) -> None:
    blocks = unpack(data)
    assert len(blocks) <= MOST_BLOCKS + 1
    assert sum(len(block.payload) for block in blocks) < max(1, len(data))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(ANYTHING, st.sampled_from([RED_TYPE, OPUS_TYPE, 5])), max_size=20))
def test_a_call_goes_on_whatever_stands_in_redundant_packets(packets: list[tuple[bytes, int]]) -> None:
    """Between packets of a far end in order come some that hold anything; a second later all is heard again."""
    now = 100.0
    types = PayloadTypes()
    types.learn(DESCRIPTION, DESCRIPTION)
    packing, encoder = redundancy(), OpusEncoder()
    sound = FarEndSound(lambda digit: None, lambda key, at: None, lambda: now)
    block = tone(440, 0.02)
    strange = iter(packets)
    for n in range(100):
        payload, number = packing.pack(n * FRAME, encoder.encode(block)), RED_TYPE
        if 10 <= n < 50:
            payload, number = next(strange, (payload, number))
        packet = RtpPacket(payload_type=number, sequence_number=n, ssrc=1)
        packet.timestamp, packet.payload = n * FRAME, payload
        sound.receive(packet, *types.unwrap(packet))
        for half in (0.0, 0.010):
            assert len(sound.pull(now + half)) == BLOCK_SAMPLES
        now += 0.020
        if n == 79:
            before = sound.stats()
    after = sound.stats()
    assert before is not None
    assert after is not None
    assert after.played_s - before.played_s >= 0.36, "of the last 0.4 s"


def lossy(lost: set[int], depth_loss: float, fast: list[float] | None = None) -> Playout:
    """What a playout did with 200 packets, some of which were lost; `fast` gets the times at which it ran faster."""
    packing, encoder, playout, now = redundancy(depth_loss), OpusEncoder(), Playout(OpusDecoder()), 50.0
    encoder.adapt(bitrate_bps=32_000, loss_percent=0)
    block = tone(440, 0.02)
    for n in range(200):
        data = packing.pack(n * FRAME, encoder.encode(block))
        if n not in lost:
            *earlier, own = unpack(data)
            playout.put(n, n * FRAME, own.payload, now, earlier)
        playout.pull(now)
        playout.pull(now + 0.010)
        if fast is not None and playout.stats().speed > 1:
            fast.append(n * 0.020)
        now += 0.020
    return playout


def test_every_single_loss_is_heard_all_the_same() -> None:
    stats = lossy({30, 60, 90, 120}, 0.0).stats()
    assert (stats.lost, stats.recovered, stats.lost_s) == (4, 4, 0.0)


def test_of_three_losses_in_a_row_nothing_is_missed_and_the_sound_is_soon_on_time_again() -> None:
    fast: list[float] = []
    stats = lossy({30, 31, 32, 120, 121, 122}, 0.05, fast).stats()
    assert (stats.lost, stats.recovered) == (6, 6)
    assert stats.lost_s <= 0.02
    assert len(fast) * 0.020 < 1.0, "2 % faster, two bursts would take 5 s"


def test_a_packet_that_another_one_overtook_is_played_once() -> None:
    packing, playout, encoder = redundancy(), Playout(OpusDecoder()), OpusEncoder()
    packets = [packing.pack(n * FRAME, encoder.encode(tone(440, 0.02))) for n in range(100)]
    for turn in range(100):
        overtaken = turn % 10 == 5
        for number in [] if overtaken else [turn, turn - 1] if turn % 10 == 6 else [turn]:
            *earlier, own = unpack(packets[number])
            playout.put(number, number * FRAME, own.payload, 50.0 + turn * 0.02, earlier)
        for half in (0.0, 0.010):
            playout.pull(50.0 + turn * 0.02 + half)
    stats = playout.stats()
    assert stats.lost_s == 0.0
    assert 1.9 < stats.played_s <= 2.0 + 1e-9


def test_a_section_of_sound_that_is_rejected_before_ours_does_not_hide_it() -> None:
    types = PayloadTypes()
    rejected = DESCRIPTION.replace("v=0\r\n", "v=0\r\nm=audio 0 UDP/TLS/RTP/SAVPF 0\r\n")
    types.learn(rejected, rejected)
    assert types.redundant == RED_TYPE
    assert types.redundancy is not None


def test_of_a_packet_with_more_sound_before_it_than_is_read_its_own_is_heard() -> None:
    head = b"".join(bytes([0x80 | OPUS_TYPE, 0, n << 2, 1]) for n in range(1, 13))
    blocks = unpack(head + bytes([OPUS_TYPE]) + bytes(range(12)) + b"own")
    assert blocks[-1] == Block(0, b"own", OPUS_TYPE)
    assert len(blocks) == MOST_BLOCKS + 1
