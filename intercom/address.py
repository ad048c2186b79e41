"""The address of a far end: parsed once, judged by what was parsed, shown in one way."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from intercom.plain_text import plain

LONGEST = 255
"""Characters of an address; telephone systems take no longer one."""
NAME = r"[A-Za-z0-9][A-Za-z0-9._~-]{0,63}"
"""What a name in the space looks like."""
SHOWN = 128
"""Characters of an address that are shown; the longest that people give is half of it."""


class Form(StrEnum):
    """What kind of address it is."""

    PRIVATE = "private"
    """A member of our own space: `/private/name`."""
    PUBLIC = "public"
    """What anybody on the service may call: `/public/name`."""
    PHONE = "phone"
    """A telephone number: `+15551234567`."""
    SIP = "sip"
    """`sip:name@host`."""
    OTHER = "other"
    """Nothing that can be named in the configuration."""


_SIP = r"(?P<scheme>[Ss][Ii][Pp][Ss]?):(?P<user>[!-;=A-~]+)@(?P<host>[!-.0-;=A-~]+)"
"""Printable ASCII but for what ends a part of it."""
_FORMS = (
    (Form.PRIVATE, re.compile(rf"/private/{NAME}")),
    (Form.PUBLIC, re.compile(rf"/public/{NAME}")),
    (Form.PHONE, re.compile(r"\+[1-9][0-9]{1,14}")),
    (Form.SIP, re.compile(_SIP)),
)


@dataclass(frozen=True, slots=True)
class Address:
    """Who the far end is. `str()` is fit for logs and terminals; `text` is what is compared."""

    form: Form
    text: str
    """Without a query; a SIP address with its scheme and host in lower case."""

    @classmethod
    def parse(cls, raw: str) -> Address:
        """The address that this text holds; one that is none, or is too long, is `OTHER` and on no list."""
        text = raw.partition("?")[0]
        if len(text) <= LONGEST:
            for form, pattern in _FORMS:
                if found := pattern.fullmatch(text):
                    return cls(form, _canonical(found) if form is Form.SIP else text)
        return cls(Form.OTHER, text)

    def __str__(self) -> str:
        return plain(self.text, SHOWN)


def _canonical(sip: re.Match[str]) -> str:
    """RFC 3261, section 19.1.4: the user counts letter by letter, the rest does not mind capitals."""
    return f"{sip['scheme'].lower()}:{sip['user']}@{sip['host'].lower()}"


def is_listed(address: Address, entries: Iterable[str]) -> bool:
    """Whether an address is on a list. `*` in an entry stands for any characters, and no other character does.

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
