"""Session descriptions on their way to a client that makes demands on them (protocol §7)."""

from __future__ import annotations

from typing import Final, TypeGuard

SDP_LIMIT_CHARS: Final = 65_536
"""A browser's offer with every codec and candidate has about 12,000 characters."""

REFERENCE_AGENT: Final = "signalwire-js/"
"""How the agent of the reference client begins."""

_NOT_FOR_REFERENCE: Final = ("a=group:BUNDLE", "a=candidate:", "a=end-of-candidates")


def for_agent(sdp: str, agent: str) -> str:
    """The offer as `agent` needs it.

    The reference client sends an answer only when each media section holds a relay candidate. A bundled answer
    has candidates in its first section only, and candidates in the offer let ICE connect before TURN has
    answered; so its offers carry neither (protocol §7 b, c). All others get the offer as it was made.
    """
    if not agent.startswith(REFERENCE_AGENT):
        return sdp
    lines = sdp.replace("\r\n", "\n").split("\n")
    return "\r\n".join(line for line in lines if not line.startswith(_NOT_FOR_REFERENCE))


def plausible(sdp: object) -> TypeGuard[str]:
    """Whether this could be a session description: text, bounded, beginning as RFC 8866 §5 demands."""
    return isinstance(sdp, str) and len(sdp) <= SDP_LIMIT_CHARS and sdp.startswith("v=0")
