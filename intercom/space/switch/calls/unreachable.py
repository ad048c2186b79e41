"""Refuses the invite to an address that no call can reach, so that its caller learns it before a call exists."""

from __future__ import annotations

import re
from typing import Final

from intercom.address import Address, Form
from intercom.signalwire.wire.messages import CAUSE_CODES
from intercom.space.errors import RefusedError

_LINES: Final = (Form.PHONE, Form.SIP)
"""Forms of address that need a line to the outside, which a space does not have."""
_LIKE_A_LINE: Final = re.compile(r"\+|[0-9(]|(?i:sips?|tel):")
"""Beginning of a text that is meant as a telephone number or a SIP address."""


class UnreachableError(RefusedError):
    """An address that no call can reach; `cause` is the name of the reason (ITU-T Q.850)."""

    def __init__(self, message: str, cause: str) -> None:
        super().__init__(message)
        self.cause = cause

    @property
    def code(self) -> int:
        """The number of the cause, by which a client that knows no names tells the reason."""
        return CAUSE_CODES[self.cause]


def unreachable(number: str) -> UnreachableError:
    """Return the error for an address that is nobody's in this space."""
    address = Address.parse(number)
    if address.form in _LINES:
        message = f"This space has no line to {address}; it carries calls between its own addresses only."
        return UnreachableError(message, "NO_ROUTE_DESTINATION")
    if address.form is Form.OTHER and _LIKE_A_LINE.match(number):
        message = f"{address} is no telephone number (+15551234567) and no SIP address (sip:name@host); check it."
        return UnreachableError(message, "INVALID_NUMBER_FORMAT")
    return UnreachableError(f"Nobody in this space has the address {address}; check it.", "UNALLOCATED_NUMBER")
