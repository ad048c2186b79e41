"""Offers and answers (RFC 3264) between any far end and aiortc, which insists on one shape."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from aiortc.sdp import SessionDescription

from intercom.media.errors import SessionDescriptionError
from intercom.media.rtp.sdp import DIRECTIONS, FINGERPRINT_BYTES, Description, Section, readable
from intercom.media.video.sender import h264_missing

OUR_AUDIO = {"opus", "pcmu", "pcma"}
DECLINED = "the far end declines video"
UNREADABLE = (ValueError, AssertionError, LookupError, TypeError, AttributeError, StopIteration)
"""Exceptions that aiortc raises, besides its own, at a description that it does not understand."""


@dataclass(frozen=True, slots=True)
class AcceptedOffer:
    """A far end's offer, with everything needed to answer all of it."""

    text: str
    """The part of the offer that aiortc can answer."""
    has_video: bool
    """Whether the section of a picture is in `text`."""
    why_no_video: str
    """Reason why no picture can be sent; empty when one can, or none was offered."""
    original: Description
    """The whole offer."""
    kept: list[int]
    """Indices of the sections that are in `text`."""

    def complete(self, answer: str) -> str:
        """Put the rejected sections back into the answer to `text`, in their places (RFC 3264 section 6)."""
        description = Description.parse(answer)
        answered = dict(zip(self.kept, description.sections, strict=True))
        description.sections = [
            answered.get(index) or _rejected(section) for index, section in enumerate(self.original.sections)
        ]
        offered = self.original.bundle()
        description.set_bundle([mid for mid in description.bundle() if mid in offered])
        for section in description.sections:
            if section.port and not any(_has_mid(theirs, section) for theirs in self.original.sections):
                section.drop("mid")
        return str(description)


def _has_mid(theirs: Section, ours: Section) -> bool:
    return theirs.attribute("mid") == ours.attribute("mid")


def accept_offer(text: str, *, video: bool, vp8: bool = False, shown: bool = False) -> AcceptedOffer:
    """Reduce an offer to the first audio and, if `video`, the first picture that takes H.264 or, with `vp8`, VP8.

    A picture that was `shown` before and is hidden now keeps its section, without a direction: a browser takes none
    back that was rejected. SessionDescriptionError when there is no audio for us, or it is not encrypted.
    """
    original = Description.parse(text)
    description = readable(text)
    audio = _first(description, "audio")
    if audio is None:
        raise SessionDescriptionError("the offer has no audio")
    if not OUR_AUDIO & set(description.sections[audio].codecs()):
        raise SessionDescriptionError("the offer has no audio codec that the door speaks: Opus, PCMU or PCMA")
    kept = [audio]
    why_no_video = ""
    picture = _first(description, "video")
    if picture is not None:
        section = description.sections[picture]
        why_no_video = _why_no_video(section, vp8=vp8) if video else "the call has no video"
        hidden = video and shown and not _why_no_video(_without_direction(section), vp8=vp8)
        if why_no_video and hidden:
            description.sections[picture] = _hidden(section, description.sections[audio])
        if hidden or not why_no_video:
            kept = sorted([audio, picture])
    elif shown:
        why_no_video = DECLINED
    original_bundle = description.bundle()
    mids = []
    for index, section in enumerate(description.sections):
        if section.attribute("mid") is None:
            section.lines.append(f"a=mid:{index}")
        if index in kept:
            _must_be_secure(section, description)
            mids.append(section.attribute("mid") or "")
    description.sections = [description.sections[index] for index in kept]
    description.set_bundle([mid for mid in mids if mid in original_bundle])
    has_video = picture is not None and picture in kept
    return AcceptedOffer(str(description), has_video, why_no_video, original, kept)


def accept_view(text: str, *, sound: bool = False) -> AcceptedOffer:
    """Reduce the offer of somebody who watches to its first picture and, with `sound`, what it hears and says.

    Sound takes the picture's way (RFC 9143): where they are not bundled there is none. All else is rejected.
    SessionDescriptionError when it asks for no picture, or is not encrypted.
    """
    original = Description.parse(text)
    description = readable(text)
    index = _first(description, "video")
    if index is None or description.sections[index].direction not in {"recvonly", "sendrecv"}:
        raise SessionDescriptionError("the offer asks for no picture")
    for number, section in enumerate(description.sections):
        if section.attribute("mid") is None:
            section.lines.append(f"a=mid:{number}")
    bundled = description.bundle()
    kept = [index]
    if sound and description.sections[index].attribute("mid") in bundled:
        kept += [
            number
            for number in (_heard(description, {"recvonly", "sendrecv"}), _heard(description, {"sendonly"}))
            if number is not None and description.sections[number].attribute("mid") in bundled
        ]
    for number in kept:
        _must_be_secure(description.sections[number], description)
    _keep_candidates(description, min(kept))
    description.sections = [description.sections[number] for number in sorted(kept)]
    mids = [section.attribute("mid") or "" for section in description.sections]
    description.set_bundle([mid for mid in mids if mid in bundled])
    return AcceptedOffer(str(description), True, "", original, sorted(kept))


def _keep_candidates(description: Description, first: int) -> None:
    """Move the candidates of a bundle to its first kept section: a browser writes them to the first of all alone."""
    bundled = description.bundle()
    into = description.sections[first]
    if into.attribute("mid") not in bundled or into.attribute("candidate") is not None:
        return
    for section in description.sections:
        if section.attribute("mid") in bundled and section.attribute("candidate") is not None:
            into.lines += [line for line in section.lines if line.startswith(("a=candidate:", "a=end-of-candidates"))]
            return


def _heard(description: Description, directions: set[str]) -> int | None:
    """Return the first section of sound in one of these directions, with a codec that the door speaks."""
    return next(
        (
            index
            for index, section in enumerate(description.sections)
            if section.kind == "audio" and section.port and section.direction in directions
            if OUR_AUDIO & set(section.codecs())
        ),
        None,
    )


def refusal(offer: str) -> str:
    """Return the reason why the door cannot answer this offer; empty when it can."""
    try:
        SessionDescription.parse(accept_offer(offer, video=True).text)
    except SessionDescriptionError as error:
        return str(error)
    except UNREADABLE as error:
        return f"the offer cannot be read: {error}"
    return ""


@dataclass(frozen=True, slots=True)
class AcceptedAnswer:
    """A far end's answer in aiortc's shape."""

    text: str
    """The answer, with every section of the offer."""
    why_no_video: str
    """Reason why the offered picture is not sent; empty when it is, or none was offered."""


def accept_answer(text: str, offer: str) -> AcceptedAnswer:
    """Complete an answer to our `offer`: every section of the offer is there, with its mid, and can be read.

    SessionDescriptionError when the far end rejected the audio, or it is not encrypted.
    """
    ours = Description.parse(offer)
    description = readable(text)
    theirs = _in_order(ours, description)
    audio = next((section for section in theirs if section is not None and section.kind == "audio"), None)
    if audio is None or audio.port == 0:
        raise SessionDescriptionError("the far end declined the audio")
    if not OUR_AUDIO & set(audio.codecs()):
        raise SessionDescriptionError("the far end answered with no audio codec that the door speaks")
    _must_be_secure(audio, description)
    bundle = description.bundle()
    audio_mid = ""
    result: list[Section] = []
    shared: list[str] = []
    why_no_video = ""
    for mine, section in zip(ours.sections, theirs, strict=True):
        mid = mine.attribute("mid") or str(len(result))
        if section is audio:
            audio_mid = mid
        declined = ""
        if section is not audio:
            vp8 = "vp8" in mine.codecs()
            declined = "the far end left the video out" if section is None else _why_no_video(section, vp8=vp8)
            why_no_video = declined or why_no_video
        if section is None or declined:
            section = _stand_in(mine, audio)  # noqa: PLW2901  (what was declined is replaced)
            shared.append(mid)
        elif (section.attribute("mid") or mid) in bundle and section is not audio:
            shared.append(mid)
        section.drop("mid")
        section.lines.append(f"a=mid:{mid}")
        if section.attribute("setup") not in {"active", "passive"}:
            section.drop("setup")
            section.lines.append("a=setup:active")
        result.append(section)
    description.sections = result
    description.session = [line for line in description.session if not line.startswith("a=setup:")]
    description.set_bundle([audio_mid, *shared] if shared else [])
    return AcceptedAnswer(str(description), why_no_video)


def is_same_path(text: str, known: str) -> bool:
    """Whether two descriptions of one far end name the same ICE credentials and certificate; if not, it starts anew."""
    return _path(text) == _path(known)


def _path(text: str) -> set[str]:
    """Return the ICE credentials and fingerprints of the first audio section, or of the session."""
    description = Description.parse(text)
    audio = _first(description, "audio")
    lines = description.session + (description.sections[audio].lines if audio is not None else [])
    return {line for line in lines if line.startswith(("a=ice-ufrag:", "a=ice-pwd:"))} | set(_fingerprints(lines))


def lay_out_as(before: Description, offer: str, *, complete: bool) -> str:
    """Return our new offer in the layout of the current description (RFC 3264 section 8): its mids and its bundle.

    `complete` puts the sections that are rejected there into their places; aiortc knows nothing of those.
    """
    description = Description.parse(offer)
    left = list(description.sections)
    result: list[Section] = []
    for theirs in before.sections:
        mine = next((section for section in left if section.kind == theirs.kind), None) if theirs.port else None
        if mine is None:
            if complete:
                result.append(_rejected(theirs))
            continue
        left.remove(mine)
        mid = theirs.attribute("mid")
        if mid is not None:
            mine.drop("mid")
            mine.lines.append(f"a=mid:{mid}")
        result.append(mine)
    description.sections = result
    mids = [mid for section in result if section.port and (mid := section.attribute("mid")) is not None]
    description.set_bundle(mids)
    return str(description)


def _in_order(ours: Description, theirs: Description) -> list[Section | None]:
    """Return their sections in the order of ours: by position, as the RFC says, or by kind where one is missing."""
    if [s.kind for s in ours.sections] == [s.kind for s in theirs.sections]:
        return list(theirs.sections)
    left = list(theirs.sections)
    ordered: list[Section | None] = []
    for mine in ours.sections:
        match = next((section for section in left if section.kind == mine.kind), None)
        if match is not None:
            left.remove(match)
        ordered.append(match)
    return ordered


def _first(description: Description, kind: str) -> int | None:
    found = (i for i, section in enumerate(description.sections) if section.kind == kind and section.port)
    return next(found, None)


def _why_no_video(section: Section, *, vp8: bool) -> str:
    if section.port == 0 or section.direction in {"sendonly", "inactive"}:
        return DECLINED
    try:
        missing = h264_missing(f"v=0\r\n{section}") or ""
    except UNREADABLE as error:
        return f"the far end's video cannot be read: {error}"
    return "" if vp8 and "vp8" in section.codecs() else missing


def _without_direction(section: Section) -> Section:
    return replace(section, lines=[line for line in section.lines if line[2:] not in DIRECTIONS])


def _hidden(section: Section, audio: Section) -> Section:
    """Return the section of a picture that is not wanted now, on the audio's transport."""
    hidden, mid = _stand_in(section, audio), section.attribute("mid")
    if mid is not None:
        hidden.lines.append(f"a=mid:{mid}")
    return hidden


def _must_be_secure(section: Section, description: Description) -> None:
    names = {name for line in (*section.lines, *description.session) if (name := line[2:].split(":", 1)[0])}
    for attribute, what in (("fingerprint", "DTLS"), ("ice-ufrag", "ICE"), ("ice-pwd", "ICE")):
        if attribute not in names:
            raise SessionDescriptionError(f"the far end's {section.kind} has no {what} (a={attribute}): not encrypted")
    if not any(map(_is_strong, _fingerprints([*section.lines, *description.session]))):
        raise SessionDescriptionError(
            f"the far end's {section.kind} has no certificate fingerprint of SHA-256 or better: it cannot be trusted"
        )
    if section.attribute("rtcp-mux") is None:
        raise SessionDescriptionError(f"the far end's {section.kind} does not multiplex RTCP (a=rtcp-mux)")


def _fingerprints(lines: Iterable[str]) -> list[str]:
    """Return hash and value of each fingerprint, in lower case."""
    return [line.removeprefix("a=fingerprint:").casefold() for line in lines if line.startswith("a=fingerprint:")]


def _is_strong(fingerprint: str) -> bool:
    algorithm, _, value = fingerprint.partition(" ")
    return len(value.split(":")) == FINGERPRINT_BYTES.get(algorithm)


def _rejected(section: Section) -> Section:
    mid = section.attribute("mid")
    lines = ["c=IN IP4 0.0.0.0", "a=inactive", *([f"a=mid:{mid}"] if mid is not None else [])]
    return Section(section.kind, 0, section.profile, section.formats, lines)


def _stand_in(mine: Section, audio: Section) -> Section:
    """Return a section that sends and receives nothing, on the audio's transport."""
    unwanted = {*DIRECTIONS, "candidate", "end-of-candidates", "ice-ufrag", "ice-pwd", "ice-options"}
    unwanted |= {"fingerprint", "setup", "mid", "msid", "ssrc", "ssrc-group"}
    lines = [line for line in mine.lines if line[2:].split(":", 1)[0] not in unwanted]
    for name in ("ice-ufrag", "ice-pwd", "fingerprint", "setup"):
        lines += [line for line in audio.lines if line.startswith(f"a={name}:")]
    return Section(mine.kind, 9, mine.profile, mine.formats, ["a=inactive", *lines])
