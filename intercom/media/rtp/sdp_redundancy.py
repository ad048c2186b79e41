"""Redundant audio (RFC 2198) in session descriptions: offered and answered for one connection, and for Opus alone.

aiortc neither knows it nor is told: another connection of it in this process would agree on what it cannot decode.
"""

from __future__ import annotations

import re

from intercom.media.rtp.sdp import Description, Section

RED_PAYLOAD_TYPE = 63
"""Payload type under which it is offered, the browsers' own; aiortc gives none below 96."""
_RTPMAP = "red/48000/2"
_OPUS = ("opus", 48_000)
_NUMBER = re.compile("[0-9]{1,3}")


def redundant_opus(section: Section) -> tuple[int, int] | None:
    """Return the payload types of redundant Opus and of the Opus in it; None where the section has none.

    Its parameters name the codec of each block (RFC 2198 section 5): they are to be the same Opus, as browsers have it.
    """
    codecs = section.rtpmaps()
    for number in codecs:
        if f"a=rtpmap:{number} {_RTPMAP}" not in map(str.casefold, section.lines):
            continue
        kinds = next((line.split(" ", 1)[1] for line in section.lines if line.startswith(f"a=fmtp:{number} ")), "")
        first, *others = kinds.split("/")
        if others and set(others) == {first} and _NUMBER.fullmatch(first) and codecs.get(int(first)) == _OPUS:
            return number, int(first)
    return None


def offer_redundancy(text: str) -> str:
    """Return our offer with redundant audio after its Opus, as browsers offer it."""
    description = Description.parse(text)
    for section in description.sections:
        opus = next((number for number, codec in section.rtpmaps().items() if codec == _OPUS), None)
        if opus is not None and str(RED_PAYLOAD_TYPE) not in section.formats:
            _add(section, section.formats.index(str(opus)) + 1, RED_PAYLOAD_TYPE, opus)
    return str(description)


def answer_redundancy(text: str, offer: str) -> str:
    """Return our answer with the redundant audio of the far end's offer, if it has any for the Opus that we took.

    It stands first: a browser sends it only where it is preferred to what it holds.
    """
    offered = [pair for section in Description.parse(offer).sections if (pair := redundant_opus(section)) is not None]
    if not offered:
        return text
    red, opus = offered[0]
    description = Description.parse(text)
    for section in description.sections:
        if section.rtpmaps().get(opus) == _OPUS and str(red) not in section.formats:
            _add(section, 0, red, opus)
    return str(description)


def _add(section: Section, place: int, red: int, opus: int) -> None:
    section.formats.insert(place, str(red))
    section.lines += [f"a=rtpmap:{red} {_RTPMAP}", f"a=fmtp:{red} {opus}/{opus}"]
