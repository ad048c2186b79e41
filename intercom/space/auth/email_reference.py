"""Names a subscriber after an e-mail address, as SignalWire's documentation does: anna@example.com is anna~example.com.

Two e-mail addresses never have one name: the last `~` stands for the `@`, and in the part before it every character
that a name cannot hold, `~` too, is written as `~` and two hexadecimal digits.
"""

from __future__ import annotations

import re
from typing import Final

from intercom.space.errors import AddressError

_EMAIL: Final = re.compile(r"(?P<local>[!-?A-~]{1,64})@(?P<domain>[a-z0-9.-]{1,253})")
_PLAIN: Final = re.compile(r"[a-z0-9._-]")
_ESCAPED: Final = re.compile(r"~([0-9a-f]{2})")


def reference_of(wanted: str) -> str:
    """Return the name of the subscriber whom a request names by a reference or an e-mail address.

    Raises `AddressError` for a reference that could be read as an e-mail address's name.
    """
    found = _EMAIL.fullmatch(wanted.lower())
    if found is not None:
        local = "".join(c if _PLAIN.fullmatch(c) else f"~{ord(c):02x}" for c in found["local"])
        return f"{local}~{found['domain']}"
    if "~" in wanted:
        raise AddressError("A reference holds no ~, which stands for the @ of an e-mail address; name another one.")
    return wanted


def email_of(reference: str) -> str:
    """Return the e-mail address that a subscriber is named after; empty when it is named otherwise."""
    local, sign, domain = reference.rpartition("~")
    return f"{_ESCAPED.sub(lambda code: chr(int(code[1], 16)), local)}@{domain}" if sign else ""
