"""Write H.264 and Opus into a fragmented MP4: bytes in, bytes out.

The header says what the tracks are; each fragment then holds a second or less of both and stands by itself, so that a
file that ends anywhere plays as far as its fragments are whole.

Boxes: ISO/IEC 14496-12; `avcC`: ISO/IEC 14496-15, 5.3.3; `dOps`: "Encapsulation of Opus in ISO Base Media File Format",
4.3.2. The layout is that of FFmpeg's `empty_moov` and `default_base_moof`, which browsers know.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import BinaryIO, NamedTuple

from intercom.media.codec.h264 import NAL_PPS, NAL_SPS, VIDEO_CLOCK_HZ, nal_type, split_nals
from intercom.media.recording.sps import HIGH_PROFILES, Picture, picture_of
from intercom.media.sound.format import RATE_HZ

MOVIE_CLOCK_HZ = 1000
"""Clock of the file as a whole."""
PRE_SKIP = 312
"""Samples of Opus before the sound begins: libopus' look-ahead at 48 kHz for speech, 6.5 ms."""
SOUND, PICTURE = 1, 2
"""Ids of the tracks."""
NAL_DELIMITER = 9
"""Access unit delimiter: the file tells where a picture begins."""
_MATRIX = struct.pack(">9i", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
_SYNC, _NO_SYNC = 0x02000000, 0x01010000
"""Flags of a sample that depends on no other, and of one that does and is no place to begin (8.8.3.1)."""
_BASE_IS_MOOF, _ALL_OF_EACH = 0x020000, 0x000701
"""Flags of `tfhd`; and of `trun`: offset of the data, then duration, size and flags of each sample."""


class Sample(NamedTuple):
    """A packet of sound, or a picture."""

    data: bytes
    duration: int
    """Duration in ticks of its track's clock."""
    sync: bool = True
    """Whether a player may begin here."""


class ParameterSets(NamedTuple):
    """What a decoder needs to know before the first picture."""

    sps: bytes
    pps: bytes
    picture: Picture


def parameter_sets(unit: bytes) -> ParameterSets | None:
    """Return the parameter sets of an access unit (Annex B); None if it has none that can be read."""
    found = {nal_type(nal): nal for nal in split_nals(unit)}
    if not {NAL_SPS, NAL_PPS} <= set(found) or len(found[NAL_SPS]) < 4:
        return None
    try:
        return ParameterSets(found[NAL_SPS], found[NAL_PPS], picture_of(found[NAL_SPS]))
    except ValueError:
        return None


def in_file(unit: bytes) -> bytes:
    """Return an access unit (Annex B) as a sample of `avc1`: each NAL unit after its length, and no parameter sets."""
    nals = (nal for nal in split_nals(unit) if nal_type(nal) not in (NAL_SPS, NAL_PPS, NAL_DELIMITER))
    return b"".join(len(nal).to_bytes(4) + nal for nal in nals)


def header(sets: ParameterSets | None) -> bytes:
    """Return the beginning of a file with sound, and with this picture if there is one."""
    tracks = [_sound_track()] if sets is None else [_sound_track(), _picture_track(sets)]
    extends = (_full(b"trex", struct.pack(">5I", track, 1, 0, 0, 0)) for track in range(1, len(tracks) + 1))
    movie = _full(
        b"mvhd",
        struct.pack(">4IIH10x", 0, 0, MOVIE_CLOCK_HZ, 0, 0x10000, 0x100)
        + _MATRIX
        + bytes(24)
        + struct.pack(">I", len(tracks) + 1),
    )
    brands = b"iso5" + (512).to_bytes(4) + b"iso5iso6mp41"
    return _box(b"ftyp", brands) + _box(b"moov", movie, *tracks, _box(b"mvex", *extends))


def fragment(
    number: int, sound_at: int, sounds: Sequence[Sample], picture_at: int, pictures: Sequence[Sample]
) -> bytes:
    """Return the next fragment, numbered from 1; the times are those of its first samples, in each track's clock."""
    runs = [(SOUND, sound_at, sounds), (PICTURE, picture_at, pictures)]
    runs = [run for run in runs if run[2]]
    length = len(_moof(number, runs, 0))
    content = b"".join(sample.data for _, _, samples in runs for sample in samples)
    return _moof(number, runs, length + 8) + _box(b"mdat", content)


class Whole(NamedTuple):
    """The whole fragments at the beginning of a file."""

    seconds: float
    """Length of their sound."""
    bytes: int
    """Where they end: most players refuse a file that goes on with half a fragment."""


def whole(file: BinaryIO) -> Whole:
    """Return what such a file holds of whole fragments: nothing, of a file that was cut off in its header."""
    samples = end = at = 0
    moof = b""
    while len(head := file.read(8)) == 8:
        size, kind = struct.unpack(">I4s", head)
        content = file.read(max(0, size - 8))
        if size < 8 or len(content) < size - 8:
            break
        at += size
        if kind == b"moof":
            moof = content
        elif kind == b"mdat":
            samples, end = max(samples, _sound_end(moof)), at
    return Whole(samples / RATE_HZ, end)


def _sound_end(moof: bytes) -> int:
    """Return the end of the sound in a fragment's `moof`, as `_moof` writes it."""
    at = moof.find(b"tfdt")
    run = moof.find(b"trun", at)
    if at < 0 or run < 0:
        return 0
    try:
        (track,) = struct.unpack_from(">I", moof, moof.find(b"tfhd") + 8)
        (begin,) = struct.unpack_from(">Q", moof, at + 8)
        (count,) = struct.unpack_from(">I", moof, run + 8)
        durations = [struct.unpack_from(">I", moof, run + 16 + 12 * index)[0] for index in range(count)]
    except struct.error:
        return 0
    return int(begin + sum(durations)) if track == SOUND else 0


def _moof(number: int, runs: Sequence[tuple[int, int, Sequence[Sample]]], data_at: int) -> bytes:
    parts = []
    for track, at, samples in runs:
        parts.append(
            _box(
                b"traf",
                _full(b"tfhd", struct.pack(">I", track), flags=_BASE_IS_MOOF),
                _full(b"tfdt", struct.pack(">Q", at), version=1),
                _full(
                    b"trun",
                    struct.pack(">Ii", len(samples), data_at)
                    + b"".join(
                        struct.pack(">3I", sample.duration, len(sample.data), _SYNC if sample.sync else _NO_SYNC)
                        for sample in samples
                    ),
                    flags=_ALL_OF_EACH,
                ),
            )
        )
        data_at += sum(len(sample.data) for sample in samples)
    return _box(b"moof", _full(b"mfhd", struct.pack(">I", number)), *parts)


def _sound_track() -> bytes:
    about = struct.pack(">BBHIhB", 0, 1, PRE_SKIP, RATE_HZ, 0, 0)
    entry = struct.pack(">6xH8xHHHHI", 1, 1, 16, 0, 0, RATE_HZ << 16)
    description = _box(b"Opus", entry, _box(b"dOps", about))
    media = _full(b"smhd", bytes(4))
    return _track(SOUND, description, clock_hz=RATE_HZ, kind=b"soun", media=media, volume=0x100)


def _picture_track(sets: ParameterSets) -> bytes:
    sps, pps, picture = sets
    about = bytes([1, *sps[1:4], 0xFF, 0xE1]) + len(sps).to_bytes(2) + sps + b"\x01" + len(pps).to_bytes(2) + pps
    if sps[1] in HIGH_PROFILES:
        about += bytes([0xFC | picture.chroma, 0xF8 | picture.luma_depth, 0xF8 | picture.chroma_depth, 0])
    size = struct.pack(">HH", picture.width, picture.height)
    resolution = struct.pack(">II", 72 << 16, 72 << 16)
    entry = struct.pack(">6xH16x", 1) + size + resolution + struct.pack(">4xH32xHh", 1, 24, -1)
    description = _box(b"avc1", entry, _box(b"avcC", about))
    media = _full(b"vmhd", bytes(8), flags=1)
    return _track(PICTURE, description, clock_hz=VIDEO_CLOCK_HZ, kind=b"vide", media=media, size=picture[:2])


def _track(
    track: int,
    description: bytes,
    *,
    clock_hz: int,
    kind: bytes,
    media: bytes,
    volume: int = 0,
    size: tuple[int, int] = (0, 0),
) -> bytes:
    about = struct.pack(">5I8xHHHH", 0, 0, track, 0, 0, 0, 0, volume, 0) + _MATRIX
    about += struct.pack(">II", size[0] << 16, size[1] << 16)
    here = _box(b"dinf", _full(b"dref", struct.pack(">I", 1), _full(b"url ", flags=1)))
    none_yet = [_full(name_, bytes(4)) for name_ in (b"stts", b"stsc", b"stco")]
    table = _box(b"stbl", _full(b"stsd", struct.pack(">I", 1), description), *none_yet, _full(b"stsz", bytes(8)))
    return _box(
        b"trak",
        _full(b"tkhd", about, flags=3),
        _box(
            b"mdia",
            _full(b"mdhd", struct.pack(">4IHH", 0, 0, clock_hz, 0, 0x55C4, 0)),  # 0x55C4: no language ("und")
            _full(b"hdlr", bytes(4) + kind + bytes(13)),
            _box(b"minf", media, here, table),
        ),
    )


def _box(kind: bytes, *content: bytes) -> bytes:
    data = b"".join(content)
    return struct.pack(">I4s", len(data) + 8, kind) + data


def _full(kind: bytes, *content: bytes, version: int = 0, flags: int = 0) -> bytes:
    return _box(kind, struct.pack(">I", version << 24 | flags), *content)
