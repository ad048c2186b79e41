"""The Transport header of SETUP (RFC 2326, section 12.39): what a client wants, and what it gets. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

MOST_OFFERED = 8
"""Limit of the transports that one header may offer."""


@dataclass(frozen=True, slots=True)
class Tcp:
    """Packets between the requests, on two channels."""

    rtp: int
    """Channel of RTP."""
    rtcp: int
    """Channel of RTCP."""

    def told(self, source: int) -> str:
        """Return the header of the answer; `source` is the stream's SSRC."""
        return f"RTP/AVP/TCP;unicast;interleaved={self.rtp}-{self.rtcp};ssrc={source:08X}"


@dataclass(frozen=True, slots=True)
class Udp:
    """Packets to two ports of the machine that asks: an address that it names counts for nothing."""

    rtp: int
    """Its port for RTP."""
    rtcp: int
    """Its port for RTCP."""

    def told(self, source: int, ports: tuple[int, int]) -> str:
        """Return the header of the answer, with our two ports."""
        ours = f"server_port={ports[0]}-{ports[1]}"
        return f"RTP/AVP;unicast;client_port={self.rtp}-{self.rtcp};{ours};ssrc={source:08X}"


Transport = Tcp | Udp


def chosen(header: str, used: Collection[int]) -> Transport | None:
    """Return the first transport that the client offers and the door has; `used` are the channels already taken."""
    for offer in header.split(",")[:MOST_OFFERED]:
        profile, *parameters = (part.strip() for part in offer.split(";"))
        said = dict(part.lower().partition("=")[::2] for part in parameters)
        if "multicast" in said or said.get("mode", "play").strip('"') not in ("play", ""):
            continue
        if profile.upper() == "RTP/AVP/TCP":
            return _channels(said.get("interleaved", ""), used)
        if profile.upper() in ("RTP/AVP", "RTP/AVP/UDP") and (ports := _pair(said.get("client_port", ""), 65_535)):
            return Udp(*ports)
    return None


def _channels(wanted: str, used: Collection[int]) -> Tcp | None:
    """Return the channels that the client names; two free ones if it names none, or has them already."""
    pair = _pair(wanted, 255)
    if pair is not None and not set(pair) & set(used):
        return Tcp(*pair)
    free = next((channel for channel in range(0, 256, 2) if not {channel, channel + 1} & set(used)), None)
    return None if free is None else Tcp(free, free + 1)


def _pair(text: str, highest: int) -> tuple[int, int] | None:
    found = re.fullmatch(r"([0-9]{1,5})(?:-([0-9]{1,5}))?", text)
    if found is None:
        return None
    first = int(found[1])
    second = int(found[2]) if found[2] else first + 1
    if first == second or max(first, second) > highest or (highest > 255 and not min(first, second)):
        return None
    return first, second
