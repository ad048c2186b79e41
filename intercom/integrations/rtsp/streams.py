"""What the door offers by RTSP: its streams, the tracks of each, and their description (SDP, RFC 4566). Pure."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from intercom.media.codec.h264 import NAL_PPS, NAL_SPS, VIDEO_CLOCK_HZ, nal_type, split_nals
from intercom.net import is_address

Kind = Literal["video", "audio", "talk"]
"""Kinds of track: the picture, the microphone, and the way back to the loudspeaker."""
Codec = Literal["opus", "pcma"]


@dataclass(frozen=True, slots=True)
class Format:
    """A payload format as the description and the packets have it."""

    payload_type: int
    """RTP payload type; dynamic but for PCMA, whose is fixed (RFC 3551)."""
    rtpmap: str
    """Encoding name, clock and channels."""
    clock_hz: int
    """Clock of its timestamps."""
    attributes: tuple[str, ...] = ()
    """Further lines of the description."""


VIDEO = Format(96, f"H264/{VIDEO_CLOCK_HZ}", VIDEO_CLOCK_HZ)
SOUNDS: dict[Codec, Format] = {
    "opus": Format(97, "opus/48000/2", 48_000, ("fmtp:97 sprop-stereo=0;stereo=0;useinbandfec=1", "ptime:20")),
    "pcma": Format(8, "PCMA/8000", 8000, ("ptime:20",)),
}
"""Formats of the sound: Opus for whatever can, PCMA for recorders (ONVIF knows no Opus)."""
STREAMS: dict[str, Codec | None] = {"door": "opus", "door-pcma": "pcma", "door-video": None}
"""Streams by the path of their URL, and the codec of their sound."""


@dataclass(frozen=True, slots=True)
class Offered:
    """A stream as it is offered to one client."""

    path: str
    """Path of its URL."""
    tracks: tuple[Kind, ...]
    """Tracks that it may set up."""

    def format(self, track: Kind) -> Format:
        """Return the payload format of a track; the way back has that of the microphone."""
        codec = STREAMS[self.path]
        return VIDEO if track == "video" or codec is None else SOUNDS[codec]


def located(url: str) -> tuple[str, str] | None:
    """Return the stream and the track that a URL names, the track empty for the whole stream; None for another URL.

    Clients join the two as they like: "rtsp://host/door/video", "…/door//video", "…/door?x=y/video".
    """
    scheme, _, rest = url.partition("://")
    if scheme.lower() not in ("rtsp", "rtspu") or not rest:
        return None
    parts = [part for part in rest.replace("?", "/").split("/")[1:] if part]
    stream = parts[0] if parts else next(iter(STREAMS))
    track = parts[-1] if len(parts) > 1 and parts[-1] in ("video", "audio", "talk") else ""
    return (stream, track) if stream in STREAMS else None


def sets_of(unit: bytes) -> tuple[bytes, bytes] | None:
    """Return the sequence and picture parameter sets in a keyframe."""
    found = {}
    for nal in split_nals(unit):
        kind = nal_type(nal)
        if kind in (NAL_SPS, NAL_PPS):
            found[kind] = nal
        elif found:
            break
    return (found[NAL_SPS], found[NAL_PPS]) if len(found) == 2 else None


def description(
    offered: Offered, *, address: str, sets: tuple[bytes, bytes] | None, bitrate_bps: int, number: int
) -> str:
    """Return the description of a stream; `sets` are its H.264 parameter sets, `number` tells sessions apart."""
    version = "IP6" if ":" in address and is_address(address) else "IP4"
    origin = address if is_address(address) else "0.0.0.0"  # noqa: S104 - said, not listened on
    lines = [
        "v=0",
        f"o=- {number} 1 IN {version} {origin}",
        "s=Intercom",
        f"c=IN {version} {'::' if version == 'IP6' else '0.0.0.0'}",  # noqa: S104 - idem
        "t=0 0",
        "a=control:*",
        "a=range:npt=now-",
    ]
    for track in offered.tracks:
        lines += _section(offered, track, sets, bitrate_bps)
    return "\r\n".join([*lines, ""])


def _section(offered: Offered, track: Kind, sets: tuple[bytes, bytes] | None, bitrate_bps: int) -> Sequence[str]:
    form = offered.format(track)
    number = form.payload_type
    lines = [f"m={'video' if track == 'video' else 'audio'} 0 RTP/AVP {number}"]
    if track == "video":
        lines.append(f"b=AS:{bitrate_bps // 1000}")
    lines += [f"a=rtpmap:{number} {form.rtpmap}", *(f"a={attribute}" for attribute in form.attributes)]
    if track == "video":
        lines.append(f"a=fmtp:{number} {_picture(sets)}")
    # ONVIF's direction is the client's (Streaming Specification, 5.3): what it only sends is the way back.
    return [*lines, f"a=control:{track}", "a=sendonly" if track == "talk" else "a=recvonly"]


def _picture(sets: tuple[bytes, bytes] | None) -> str:
    """Return the format parameters of H.264 (RFC 6184, section 8.1)."""
    if sets is None:
        return "packetization-mode=1"
    coded = ",".join(base64.b64encode(each).decode() for each in sets)
    return f"packetization-mode=1;profile-level-id={sets[0][1:4].hex()};sprop-parameter-sets={coded}"
