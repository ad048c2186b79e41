"""Adapts session descriptions for clients that make demands on them (protocol §7)."""

from __future__ import annotations

from typing import Final, TypeGuard

SDP_LIMIT_CHARS: Final = 65_536
"""Length limit of a session description: a browser's full offer has about 12,000 characters."""

REFERENCE_AGENT: Final = "signalwire-js/"
"""Prefix of the reference client's agent."""

_BUNDLE: Final = "a=group:BUNDLE"
_FINGERPRINT: Final = "a=fingerprint:"
_STRONG: Final = ("a=fingerprint:sha-256 ", "a=fingerprint:sha-384 ", "a=fingerprint:sha-512 ")
"""Accepted hashes of a certificate's fingerprint; no client connects with an older one alone."""
_CANDIDATES: Final = ("a=candidate:", "a=end-of-candidates")


def offer_between(sdp: str, *, by: str, to: str) -> str:
    """Return the offer of agent `by` in the form that agent `to` needs.

    The reference client sends a description only when each media section holds a relay candidate. Bundled, only the
    first section has any; so its calls are not bundled, whoever makes them: with its own offer bundled, its first
    offer would go out and its ICE restart never. Candidates in an offer let ICE connect before TURN has answered;
    so offers to it carry none (protocol §7 b, c). All others get the offer as it was made.
    """
    if not is_reference(by) and not is_reference(to):
        return sdp
    return _without(sdp, (_BUNDLE, *_CANDIDATES) if is_reference(to) else (_BUNDLE,))


def answer_between(sdp: str, *, by: str, to: str) -> str:
    """Return the answer in the form that fits the offer from `offer_between`.

    Where the offer was not bundled the answer must not be either (RFC 9143 §7.3.2); aiortc writes the group into every
    answer.
    """
    return _without(sdp, (_BUNDLE,)) if is_reference(by) or is_reference(to) else sdp


def _without(sdp: str, unwanted: tuple[str, ...]) -> str:
    lines = sdp.replace("\r\n", "\n").split("\n")
    return "\r\n".join(line for line in lines if not line.startswith(unwanted))


def is_reference(agent: str) -> bool:
    """Return whether this agent is the reference client."""
    return agent.startswith(REFERENCE_AGENT)


def plausible(sdp: object) -> TypeGuard[str]:
    """Return whether this can be a session description: bounded text with the start of RFC 8866 §5, and provable."""
    return isinstance(sdp, str) and len(sdp) <= SDP_LIMIT_CHARS and sdp.startswith("v=0") and _is_provable(sdp)


def _is_provable(sdp: str) -> bool:
    """Return whether a far end can check the named certificate: by SHA-256 or better, if there is one."""
    named = [line.casefold() for line in sdp.splitlines() if line.startswith(_FINGERPRINT)]
    return not named or any(line.startswith(_STRONG) for line in named)
