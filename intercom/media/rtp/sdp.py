"""Session descriptions (RFC 8866): repairs the far end's for aiortc, and completes aiortc's as ours.

aiortc reads what browsers write. Telephony servers leave out `a=mid`, reject with port 0, put blanks into `a=fmtp`,
omit the direction; any of it makes aiortc raise. What has a meaning is repaired here, what aiortc cannot carry
(a data channel, a second picture) is taken out of an offer and stands rejected in the answer.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from aiortc.sdp import FMTP_INT_PARAMETERS

from intercom.media.errors import SessionDescriptionError

LONGEST = 65_536
"""Limit of a description's length: a browser's longest is a tenth of it."""
MOST_SECTIONS = 16
"""Limit of a description's m-lines."""
DIRECTIONS = ("sendrecv", "sendonly", "recvonly", "inactive")
STATIC_RTPMAPS = {"0": "PCMU/8000", "8": "PCMA/8000", "9": "G722/8000"}
"""Payload types that need no rtpmap (RFC 3551 table 4)."""
RTCP_TYPES = range(64, 96)
"""Payload types indistinguishable from RTCP on the same port (RFC 5761 section 4)."""
FINGERPRINT_BYTES = {"sha-256": 32, "sha-384": 48, "sha-512": 64}
"""Length of each hash accepted in a certificate's fingerprint; older ones (SHA-1) prove nothing any more."""
OPUS_FMTP = "minptime=10;useinbandfec=1;maxaveragebitrate=40000;stereo=0;sprop-stereo=0"
"""Parameters that we ask of the far end's Opus encoder (RFC 7587 section 6.1): redundancy, and one channel."""

_NUMBER = "[0-9]{1,10}"
"""Pattern of a number of about 32 bits; Unicode has other digits, and Python refuses thousands of them."""
_FORMAT = "[0-9]{1,3}"
_CLOCK = "[1-9][0-9]{1,5}"
_EXTENSION = "(?:[1-9][0-9]?|1[0-9]{2}|2[0-4][0-9]|25[0-5])"
"""Pattern of a header extension's identifier (RFC 8285 section 4.3)."""
_HOST = r"(?:[0-9A-Fa-f:.]{2,45}|[0-9A-Za-z-]{1,63}\.local)"
"""Pattern of an address, or of a browser's mDNS name for one; like browsers, we look no other names up."""
_M_LINE = re.compile(r"m=(\w+) ([0-9]{1,5}) ([A-Za-z/]+) (.+)")
_READABLE = {
    "candidate": re.compile(
        rf"\S+ {_NUMBER} \S+ {_NUMBER} {_HOST} {_NUMBER} typ \S+( rport {_NUMBER}| (?!rport )\S+ \S+)*"
    ),
    "extmap": re.compile(rf"{_EXTENSION}(/\w+)? \S+"),
    "ssrc": re.compile(rf"{_NUMBER} [^:]+:.*"),
    "ssrc-group": re.compile(rf"\S+( {_NUMBER})+"),
    "rtpmap": re.compile(rf"{_FORMAT} [\w.-]+/{_CLOCK}(/[0-9])?"),
    "fmtp": re.compile(rf"{_FORMAT} .+"),
    "rtcp": re.compile(rf"{_NUMBER}( .*)?"),
    "rtcp-fb": re.compile(rf"({_FORMAT}|\*) .+"),
    "fingerprint": re.compile(r"\S+ [0-9A-Fa-f:]+"),
    "setup": re.compile(r"actpass|active|passive"),
    "max-message-size": re.compile(_NUMBER),
}
_DIRECTED = tuple(f"a={direction}" for direction in DIRECTIONS)
_OF_A_FORMAT = ("a=rtpmap:", "a=fmtp:", "a=rtcp-fb:")


@dataclass(slots=True)
class Section:
    """One m-line with its attributes."""

    kind: str
    """Media type: `audio`, `video`, `application`, …"""
    port: int
    """Port; 0 = rejected."""
    profile: str
    """Transport profile, as UDP/TLS/RTP/SAVPF."""
    formats: list[str]
    """Payload types, in order of preference."""
    lines: list[str]
    """Lines below the m-line."""

    def attribute(self, name: str) -> str | None:
        """Return the value of the first `a=name:value`; "" for a bare `a=name`; None without it."""
        bare, valued = f"a={name}", f"a={name}:"
        return next((line[len(valued) :] for line in self.lines if line == bare or line.startswith(valued)), None)

    def drop(self, *names: str) -> None:
        """Remove every attribute of these names."""
        self.lines = [line for line in self.lines if _name(line) not in names]

    @property
    def direction(self) -> str | None:
        """Return `sendrecv`, `sendonly`, `recvonly`, `inactive`, or None where none is written."""
        return _direction(self.lines)

    def rtpmaps(self) -> dict[int, tuple[str, int]]:
        """Return codec name in lower case and clock in Hz by payload type, in order of preference."""
        maps = {}
        for line in self.lines:
            if line.startswith("a=rtpmap:"):
                number, codec = line.split(":", 1)[1].split(" ", 1)
                name, clock = codec.split("/")[:2]
                maps[number] = (name.lower(), int(clock))
        return {int(number): maps[number] for number in self.formats if number in maps}

    def codecs(self) -> list[str]:
        """Return the codec names in lower case, in order of preference."""
        return [name for name, _ in self.rtpmaps().values()]

    def __str__(self) -> str:
        head = f"m={self.kind} {self.port} {self.profile} {' '.join(self.formats)}"
        return "\r\n".join([head, *self.lines]) + "\r\n"


@dataclass(slots=True)
class Description:
    """A whole session description, as lines."""

    session: list[str]
    """Lines above the first m-line."""
    sections: list[Section]
    """Sections, one for each m-line."""

    @classmethod
    def parse(cls, text: str) -> Description:
        """Parse a description; SessionDescriptionError names the fault."""
        if len(text) > LONGEST:
            raise SessionDescriptionError(f"a session description of {len(text)} characters")
        lines = [line.strip() for line in text.splitlines() if line.strip()]
        if not lines or not lines[0].startswith("v="):
            raise SessionDescriptionError("not a session description: it does not begin with v=")
        description = cls([], [])
        for line in lines:
            if line.startswith("m="):
                description.sections.append(_section(line))
            elif description.sections:
                description.sections[-1].lines.append(line)
            else:
                description.session.append(line)
        if not 0 < len(description.sections) <= MOST_SECTIONS:
            raise SessionDescriptionError(f"a session description with {len(description.sections)} media sections")
        return description

    def bundle(self) -> list[str]:
        """Return the mids that share one transport (RFC 9143); empty without a group."""
        for line in self.session:
            if line.startswith("a=group:BUNDLE"):
                return line.split()[1:]
        return []

    def set_bundle(self, mids: list[str]) -> None:
        """Set the mids that share one transport; without any the group is removed."""
        self.session = [line for line in self.session if not line.startswith("a=group:BUNDLE")]
        if mids:
            self.session.append(f"a=group:BUNDLE {' '.join(mids)}")

    def __str__(self) -> str:
        return "\r\n".join(self.session) + "\r\n" + "".join(map(str, self.sections))


def _section(line: str) -> Section:
    match = _M_LINE.fullmatch(line)
    if match is None:
        raise SessionDescriptionError(f"a media section that cannot be read: {line[:80]}")
    kind, port, profile, formats = match.groups()
    return Section(kind, int(port), profile.upper(), formats.split(), [])


def _name(line: str) -> str:
    return line[2:].split(":", 1)[0] if line.startswith("a=") else ""


def _direction(lines: list[str]) -> str | None:
    return next((name for line in lines if line.startswith(_DIRECTED) and (name := _name(line)) in DIRECTIONS), None)


def readable(text: str) -> Description:
    """Return a far end's description with every unambiguous fault repaired."""
    description = Description.parse(text)
    description.session = [line for line in description.session if not line.startswith("c=") and _is_readable(line)]
    default = _direction(description.session) or "sendrecv"
    for section in description.sections:
        _repair(section, default)
    return description


def _is_readable(line: str) -> bool:
    pattern = _READABLE.get(_name(line))
    return pattern is None or pattern.fullmatch(line.split(":", 1)[-1]) is not None


def is_candidate(line: str) -> bool:
    """Return whether this is a candidate's attribute without its `a=` that aiortc can read."""
    return _READABLE["candidate"].fullmatch(line.removeprefix("candidate:")) is not None


def _repair(section: Section, default_direction: str) -> None:
    section.lines = [_tidy(line) for line in section.lines if not line.startswith("c=")]
    section.lines = [line for line in section.lines if _is_readable(line)]
    if section.kind not in {"audio", "video"}:
        return
    section.formats = [number for number in section.formats if _is_payload_type(number)]
    known = {line[9:].split(" ", 1)[0] for line in section.lines if line.startswith("a=rtpmap:")}
    for number, codec in STATIC_RTPMAPS.items():
        if number in section.formats and number not in known:
            section.lines.append(f"a=rtpmap:{number} {codec}")
            known.add(number)
    section.formats = [number for number in section.formats if number in known]
    kept = set(section.formats)
    section.lines = [line for line in section.lines if _concerns(line, kept)]
    if section.direction is None:
        section.lines.append(f"a={default_direction}")


def _tidy(line: str) -> str:
    if line.startswith("a=fmtp:") and " " in line:
        head, parameters = line.split(" ", 1)
        return f"{head} {';'.join(part.strip() for part in parameters.split(';') if _is_parameter(part))}"
    if line.startswith("a=extmap:"):
        return " ".join(line.split(" ")[:2])
    return line


def _is_parameter(part: str) -> bool:
    """Whether the part is a parameter, with a number where aiortc insists on one."""
    name, _, value = part.strip().partition("=")
    return bool(name) and (name not in FMTP_INT_PARAMETERS or re.fullmatch(_NUMBER, value) is not None)


def _is_payload_type(number: str) -> bool:
    return re.fullmatch(_FORMAT, number) is not None and int(number) < 128 and int(number) not in RTCP_TYPES


def _concerns(line: str, formats: set[str]) -> bool:
    if not line.startswith(_OF_A_FORMAT):
        return True
    return line.split(":", 1)[1].split(" ", 1)[0] in formats | {"*"}


def polish(text: str) -> str:
    """Return our own description as it is sent: one fingerprint, and our wishes for the far end's Opus encoder."""
    description = Description.parse(text)
    for section in description.sections:
        section.lines = [
            line for line in section.lines if _name(line) != "fingerprint" or line.startswith("a=fingerprint:sha-256 ")
        ]
        opus = next((line for line in section.lines if line.lower().startswith("a=rtpmap:") and "opus/" in line), None)
        if section.kind == "audio" and opus is not None:
            number = opus.split(":", 1)[1].split(" ", 1)[0]
            section.lines = [line for line in section.lines if not line.startswith(f"a=fmtp:{number} ")]
            section.lines.insert(section.lines.index(opus) + 1, f"a=fmtp:{number} {OPUS_FMTP}")
            section.lines.append("a=ptime:20")
    return str(description)
