"""What a push tells a device's worker: the words are the worker's own, as those of the page are the page's."""

from __future__ import annotations

import hashlib
from typing import Final, Literal

import msgspec

from intercom.space.push.vapid import encoded

NAME_LIMIT_CHARS: Final = 60
"""Length limit of a name in a push, as on the page."""

Kind = Literal["ring", "answered", "refused", "opened", "given_up", "missed", "lost", "message", "test", "proof"]
"""What a notice is about: a door rings; the ring ended, in one of the ways a ring ends; its visitor left a message; or
a test; the last one is tapped to prove that a closed page rings."""


class Notice(msgspec.Struct, frozen=True):
    """The content of a push."""

    kind: Kind
    """What it is about."""
    tag: str
    """Id of the ring: a notice replaces the one of the same tag that the device shows."""
    at: float
    """Time of what happened, seconds since 1970."""
    door: str = ""
    """Display name of the door, after that of its button where it has several."""
    by: str = ""
    """Display name of whoever answered, refused or opened; empty for nobody of the house."""
    quiet: bool = False
    """Whether the device shows a ring without a sound."""
    receipt: str = ""
    """What the worker sends back once the device shows the notice; a secret of this push alone."""

    @property
    def text(self) -> bytes:
        """The notice as the worker reads it."""
        names = {"door": self.door[:NAME_LIMIT_CHARS], "by": self.by[:NAME_LIMIT_CHARS]}
        return msgspec.json.encode(msgspec.structs.replace(self, **names))

    @property
    def topic(self) -> str:
        """The topic under which a push service replaces one notice of a ring by the next (RFC 8030 §5.4)."""
        return encoded(hashlib.sha256(self.tag.encode()).digest())[:32]
