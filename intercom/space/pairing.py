"""One-time codes with which a phone or tablet joins the house."""

from __future__ import annotations

import secrets
from typing import Final

from intercom.space.errors import PairingError

CODE_LIFETIME_S: Final = 600.0
"""Ten minutes: enough to fetch the phone and scan; little for a code that was photographed."""
CODE_BYTES: Final = 16
"""128 bits: it cannot be guessed, and still makes a small QR code."""
CODES_LIMIT: Final = 32
"""Codes open at once; the oldest gives way."""


class PairingCodes:
    """The codes that are open; they live in memory only, so a restart closes them all."""

    def __init__(self) -> None:
        self._open: dict[str, float] = {}

    def issue(self, now: float) -> str:
        """A new code, valid once and for ten minutes. `now` in seconds, monotonic."""
        self._forget_old(now)
        while len(self._open) >= CODES_LIMIT:
            del self._open[next(iter(self._open))]
        code = secrets.token_urlsafe(CODE_BYTES)
        self._open[code] = now + CODE_LIFETIME_S
        return code

    def redeem(self, code: str, now: float) -> None:
        """Use a code up; raises `PairingError` when it is not open."""
        self._forget_old(now)
        if self._open.pop(code, None) is None:
            raise PairingError("This pairing code is used or too old; ask the house for a new one.")

    def _forget_old(self, now: float) -> None:
        for code in [code for code, until in self._open.items() if until <= now]:
            del self._open[code]
