"""Access units: what we read out of a camera's bytes and what we put before them."""

from aiortc.codecs.h264 import H264PayloadDescriptor
from hypothesis import given
from hypothesis import strategies as st

from intercom.media.codec.h264 import PAYLOAD_BYTES, ParameterSets, nal_type, packetize, split_nals

LONG, SHORT = b"\x00\x00\x00\x01", b"\x00\x00\x01"
SPS, PPS = b"\x67\x42\xe0\x1f\xda", b"\x68\xce\x3c\x80"
IDR, SLICE, SEI = b"\x65\x88\x84\x21", b"\x41\x9a\x24\x6c", b"\x06\x05\x01\x80"

# A NAL unit never ends in a zero byte and never holds three bytes that look like a start code.
nal_units = st.binary(min_size=1, max_size=40).map(lambda body: body.replace(b"\x00", b"\x03"))


@given(st.lists(st.tuples(st.sampled_from([LONG, SHORT]), nal_units)))
def test_nal_units_come_back_as_they_were_joined(parts: list[tuple[bytes, bytes]]) -> None:
    stream = b"".join(start + nal for start, nal in parts)
    assert list(split_nals(stream)) == [nal for _, nal in parts]


@given(st.lists(st.binary(max_size=200)))
def test_whatever_a_camera_sends_is_survived(deliveries: list[bytes]) -> None:
    sets = ParameterSets()
    for delivery in deliveries:
        unit = sets.complete(delivery, 0)
        assert unit is None or unit.data.endswith(delivery)


def test_a_keyframe_with_its_parameter_sets_is_left_as_it_is() -> None:
    data = LONG + SPS + LONG + PPS + LONG + SEI + SHORT + IDR
    unit = ParameterSets().complete(data, 90)
    assert unit is not None
    assert (unit.data, unit.pts, unit.keyframe) == (data, 90, True)


def test_a_bare_keyframe_gets_the_parameter_sets_that_came_before() -> None:
    sets = ParameterSets()
    assert sets.complete(LONG + SPS + LONG + PPS, 0) is None
    unit = sets.complete(LONG + IDR, 1)
    assert unit is not None
    assert [nal_type(nal) for nal in split_nals(unit.data)] == [7, 8, 5]


def test_a_picture_between_keyframes_is_left_as_it_is() -> None:
    sets = ParameterSets()
    sets.complete(LONG + SPS + LONG + PPS, 0)
    unit = sets.complete(LONG + SLICE, 1)
    assert unit is not None
    assert (unit.data, unit.keyframe) == (LONG + SLICE, False)


def test_new_parameter_sets_replace_the_old() -> None:
    sets = ParameterSets()
    sets.complete(LONG + SPS + LONG + PPS + LONG + IDR, 0)
    newer = SPS[:-1] + b"\xdb"
    sets.complete(LONG + newer + LONG + PPS + LONG + IDR, 1)
    unit = sets.complete(LONG + IDR, 2)
    assert unit is not None
    assert newer in unit.data


# As an encoder writes them: a type of 1 to 23 (table 7-1) and a payload.
written_nals = st.tuples(st.integers(1, 23), st.one_of(st.integers(1, 40), st.integers(1200, 9000))).map(
    lambda nal: bytes([0x60 | nal[0]]) + b"\xab" * nal[1]
)


@given(st.lists(written_nals, min_size=1))
def test_packets_hold_every_nal_unit_and_none_is_too_large(nals: list[bytes]) -> None:
    """aiortc, whose far end this is as much as a browser's, puts them together again."""
    payloads = packetize(b"".join(LONG + nal for nal in nals))
    assert all(len(payload) <= PAYLOAD_BYTES for payload in payloads)
    stream = b"".join(H264PayloadDescriptor.parse(payload)[1] for payload in payloads)
    assert list(split_nals(stream)) == nals


def test_parameter_sets_and_a_small_picture_share_one_packet() -> None:
    assert len(packetize(LONG + SPS + LONG + PPS + LONG + IDR)) == 1


def test_a_large_picture_is_cut_evenly_and_its_ends_are_told() -> None:
    payloads = packetize(LONG + b"\x65" + b"\xab" * 3000)
    assert [(payload[0], payload[1]) for payload in payloads] == [(0x7C, 0x85), (0x7C, 0x05), (0x7C, 0x45)]
    assert max(map(len, payloads)) - min(map(len, payloads)) <= 2
