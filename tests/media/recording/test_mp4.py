"""The file of a recording: a player that knows nothing of us plays it, also where a power cut has ended it."""

from __future__ import annotations

import io
import struct
from fractions import Fraction
from itertools import accumulate

import av
import pytest
from hypothesis import given
from hypothesis import strategies as st

from intercom.media.codec.h264 import NAL_SPS, nal_type, split_nals
from intercom.media.recording.mp4 import header, parameter_sets, whole
from intercom.media.recording.sps import picture_of
from tests.media.recording.film import RATE, film, pictures, played


def test_a_player_shows_every_picture_and_plays_all_sound() -> None:
    shown = played(b"".join(film(4)))
    assert len(shown.pictures) == 4 * RATE
    assert shown.sound_s == pytest.approx(4, abs=0.02)
    assert shown.pictures == pytest.approx([number / RATE for number in range(4 * RATE)], abs=0.001)


def test_the_pictures_are_the_encoder_s_own() -> None:
    with av.open(io.BytesIO(b"".join(film(2)))) as container:
        (stream,) = container.streams.video
        kept = [bytes(packet) for packet in container.demux(stream) if packet.size]
    assert [nal for data in kept for nal in _of_file(data)] == [
        nal for unit in pictures(2 * RATE) for nal in _pictures_of(unit.data)
    ]


def _of_file(data: bytes) -> list[bytes]:
    nals, at = [], 0
    while at < len(data):
        (size,) = struct.unpack_from(">I", data, at)
        nals.append(data[at + 4 : at + 4 + size])
        at += 4 + size
    return nals


def _pictures_of(data: bytes) -> list[bytes]:
    return [nal for nal in split_nals(data) if nal[0] & 0x1F not in (7, 8, 9)]


def test_a_door_without_a_camera_leaves_sound_alone() -> None:
    data = b"".join(film(3, picture=False))
    with av.open(io.BytesIO(data)) as container:
        assert not container.streams.video
    assert played(data).sound_s == pytest.approx(3, abs=0.02)


@given(cut=st.integers(0, 200_000))
def test_a_file_that_a_power_cut_ends_plays_as_far_as_its_fragments_are_whole(cut: int) -> None:
    parts = film(4)
    ends = list(accumulate(map(len, parts)))
    data = b"".join(parts)[:cut]
    seconds = max(0, sum(end <= cut for end in ends) - 1)
    found = whole(io.BytesIO(data))
    assert found == (seconds, ends[seconds] if seconds else 0)
    if seconds:
        shown = played(data[: found.bytes])
        assert len(shown.pictures) == seconds * RATE
        assert shown.sound_s == pytest.approx(seconds, abs=0.02)


@given(st.binary(max_size=400))
def test_no_bytes_that_pass_for_a_file_break_the_reader(data: bytes) -> None:
    assert whole(io.BytesIO(data)).seconds >= 0
    moof = struct.pack(">I4s", len(data) + 8, b"moof") + data + struct.pack(">I4s", 8, b"mdat")
    assert whole(io.BytesIO(moof)).seconds >= 0


def test_the_header_names_profile_level_and_size_as_the_camera_s_stream_does() -> None:
    sets = parameter_sets(pictures(1, 640, 360)[0].data)
    assert sets is not None
    assert sets.picture[:2] == (640, 360)
    head = header(sets)
    at = head.index(b"avcC") + 4
    assert head[at : at + 4] == bytes([1, *sets.sps[1:4]])
    assert sets.sps[1] == 66, "baseline, which every browser plays"
    with av.open(io.BytesIO(head)) as container:
        (stream,) = container.streams.video
        assert (stream.codec_context.width, stream.codec_context.height) == (640, 360)


@pytest.mark.parametrize("profile", ["baseline", "main", "high"])
@pytest.mark.parametrize("size", [(1920, 1080), (1280, 720), (958, 538), (160, 120)])
def test_every_usual_stream_s_size_is_read(profile: str, size: tuple[int, int]) -> None:
    sps = _sps(profile, size)
    picture = picture_of(sps)
    assert (picture.width, picture.height) == size
    assert (picture.chroma, picture.luma_depth, picture.chroma_depth) == (1, 0, 0)
    for length in range(1, len(sps)):
        try:
            picture_of(sps[:length])
        except ValueError:
            continue


def _sps(profile: str, size: tuple[int, int]) -> bytes:
    context = av.CodecContext.create("libx264", "w")
    assert isinstance(context, av.VideoCodecContext)
    context.width, context.height, context.pix_fmt = *size, "yuv420p"
    context.time_base = Fraction(1, 25)
    context.options = {"preset": "ultrafast", "profile": profile, "tune": "zerolatency"}
    if profile == "high":
        context.options |= {"x264-params": "cqm=jvt:8x8dct=1"}
    (packet,) = context.encode(av.VideoFrame(*size, "yuv420p"))
    return next(nal for nal in split_nals(bytes(packet)) if nal_type(nal) == NAL_SPS)


@given(st.binary(min_size=0, max_size=60))
def test_any_bytes_are_a_picture_or_a_value_error(data: bytes) -> None:
    try:
        picture = picture_of(b"\x67" + data)
    except ValueError:
        return
    assert 0 < picture.width <= 16_384
    assert 0 < picture.height <= 16_384
