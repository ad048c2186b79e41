"""Tells a client that is there from one that hangs: a browser answers its socket's pings for a page that is frozen."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

ASK_AFTER_S: Final = 20.0
"""Silence after which a client is asked for a sign (`signalwire.ping`); the house's pages speak every 5 s anyway."""
SIGN_LIMIT_S: Final = 6.0
"""Time limit of a client for a sign: a phone on a slow network needs two, and a caller waits for no longer."""


@dataclass(slots=True)
class Liveness:
    """When a client was last heard, and whether it owes a sign; any frame of it is one. Monotonic seconds."""

    heard_at: float = 0.0
    "Time of its last frame."
    asked_at: float = math.inf
    "Time of the first message that it has not reacted to; infinite while it owes nothing."
    silent: bool = False
    "Whether it gave no sign in time: it is taken for frozen until it gives one."

    def heard(self, now: float) -> bool:
        """Note a sign; return whether the client was taken for frozen."""
        woke = self.silent
        self.heard_at, self.asked_at, self.silent = now, math.inf, False
        return woke

    def asked(self, now: float) -> None:
        """Note a message that the client has to react to."""
        self.asked_at = min(self.asked_at, now)

    def elapsed(self, now: float) -> bool:
        """Judge the client at `now`; return whether it is to be asked for a sign."""
        self.silent = now - self.asked_at >= SIGN_LIMIT_S
        return math.isinf(self.asked_at) and now - self.heard_at >= ASK_AFTER_S
