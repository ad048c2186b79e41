"""Parse, compare and show the address of a far end."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from intercom.plain_text import plain

LONGEST = 255
"""Limit of an address in characters; telephone systems take no longer one."""
NAME = r"[A-Za-z0-9][A-Za-z0-9._~-]{0,63}"
"""Pattern of a name in the space."""
SHOWN = 128
"""Limit of a shown address in characters; people's longest addresses are half of it."""


class Form(StrEnum):
    """Kinds of address."""

    PRIVATE = "private"
    """A member of our own space: `/private/name`."""
    PUBLIC = "public"
    """An address that anybody on the service may call: `/public/name`."""
    PHONE = "phone"
    """A telephone number: `+15551234567`."""
    SIP = "sip"
    """A SIP address: `sip:name@host`."""
    OTHER = "other"
    """Any other text; the configuration cannot name it."""


_SIP = r"(?P<scheme>[Ss][Ii][Pp][Ss]?):(?P<user>[!-;=A-~]+)@(?P<host>[!-.0-;=A-~]+)"
"""Pattern of a SIP address: printable ASCII, except for the characters that end one of its parts."""
_FORMS = (
    (Form.PRIVATE, re.compile(rf"/private/{NAME}")),
    (Form.PUBLIC, re.compile(rf"/public/{NAME}")),
    (Form.PHONE, re.compile(r"\+[1-9][0-9]{1,14}")),
    (Form.SIP, re.compile(_SIP)),
)


@dataclass(frozen=True, slots=True)
class Address:
    """The address of a far end. `str()` is fit for logs and terminals; `text` is compared."""

    form: Form
    text: str
    """The address without a query; a SIP address with its scheme and host in lower case."""

    @classmethod
    def parse(cls, raw: str) -> Address:
        """Parse an address; a text that is no address, or is too long, becomes `OTHER` and is on no list."""
        text = raw.partition("?")[0]
        if len(text) <= LONGEST:
            for form, pattern in _FORMS:
                if found := pattern.fullmatch(text):
                    return cls(form, _canonical(found) if form is Form.SIP else text)
        return cls(Form.OTHER, text)

    def __str__(self) -> str:
        return plain(self.text, SHOWN)


def _canonical(sip: re.Match[str]) -> str:
    """Return a SIP address in its canonical form (RFC 3261, section 19.1.4): only the user is case-sensitive."""
    return f"{sip['scheme'].lower()}:{sip['user']}@{sip['host'].lower()}"


def is_listed(address: Address, entries: Iterable[str]) -> bool:
    """Return whether an address is on a list. `*` in an entry stands for any characters, and no other character does.

    The entry `*` alone is everybody; any other names the form that it is of.
    """
    return any(entry == "*" or _fits(address, entry) for entry in entries)


def _fits(address: Address, entry: str) -> bool:
    if address.form is Form.OTHER:
        return False
    wanted = Address.parse(entry)
    if wanted.form is not Form.OTHER and "*" not in wanted.text:
        return wanted == address
    return re.fullmatch(".*".join(map(re.escape, wanted.text.split("*"))), address.text) is not None
