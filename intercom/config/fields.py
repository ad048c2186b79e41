"""Describe one setting beside its field: its default, its documentation and the values that it accepts."""

import base64
import dataclasses
import ipaddress
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Any, TypeVar, get_args
from urllib.parse import urlsplit

from intercom.address import NAME as _NAME
from intercom.address import Address, Form
from intercom.net import is_host_or_address, is_loopback, is_of_the_house, split_authority, split_listen

T = TypeVar("T", str, int, float, bool, tuple[str, ...])

NOT_SHOWN = "(set, not shown)"
"""Text shown in place of a secret setting's value."""
TEXT_LIMIT = 1024
"""Limit of one text, in characters: more than any path or address needs, and small enough to print."""


@dataclass(frozen=True, slots=True)
class Shape:
    """A required form of a text."""

    expected: str
    """End of the sentence "expected ..."."""
    accepts: Callable[[str], bool]


@dataclass(frozen=True, slots=True)
class Setting:
    """One field of one TOML table, with the description that its author gave it."""

    name: str
    kind: Any
    """Type: str, int, float, bool or tuple[str, ...]."""
    default: Any
    doc: str
    low: float | None
    high: float | None
    choices: tuple[str, ...]
    shape: Shape | None
    may_be_empty: bool
    """For a text: whether "" is allowed and stands for "none" or "the default"."""
    secret: bool
    """Whether the value is confidential: it appears in no status, log, bundle, error or file that others can open."""

    @property
    def expected(self) -> str:
        """Return the end of the sentence "expected ..."."""
        if self.kind is bool:
            return "true or false"
        if self.kind in (int, float):
            noun = "a whole number" if self.kind is int else "a number"
            return f"{noun} from {self.low:g} to {self.high:g}"
        if self.choices:
            form = "one of " + ", ".join(f'"{choice}"' for choice in self.choices)
        else:
            form = self.shape.expected if self.shape else "a text"
        if self.kind is not str:
            return f"a list of texts, each {form}"
        return form + (', or ""' if self.may_be_empty and not self.choices else "")


def setting(
    default: T,
    doc: str,
    *,
    low: float | None = None,
    high: float | None = None,
    choices: tuple[str, ...] = (),
    shape: Shape | None = None,
    may_be_empty: bool = False,
    secret: bool = False,
    needed: bool = False,
) -> T:
    """Return a dataclass field that carries the whole description of one setting.

    `low` and `high` are inclusive and needed for numbers. A text whose default is empty may be empty
    unless it is `needed`.
    """
    if isinstance(default, (int, float)) and not isinstance(default, bool):
        assert low is not None and high is not None and low <= default <= high, doc
    metadata = {
        "doc": doc,
        "low": low,
        "high": high,
        "choices": choices,
        "shape": shape,
        "may_be_empty": may_be_empty or (default == "" and not needed),
        "secret": secret,
    }
    return field(default=default, metadata=metadata)


def settings_of(table: type[Any]) -> Iterator[Setting]:
    """Yield the settings that are fields of this dataclass itself, in their order."""
    for item in dataclasses.fields(table):
        if "doc" in item.metadata:
            yield Setting(name=item.name, kind=item.type, default=item.default, **item.metadata)


def secrets_in(tables: Any) -> list[str]:
    """Return the secret settings that the owner has set, as "table.key", each name once."""
    contents = [(name, table, [getattr(tables, name)]) for name, table in tables_of(type(tables))]
    contents += [(found.name, found.table, list(found.entries(tables))) for found in lists_of(type(tables))]
    return [
        f"{name}.{item.name}"
        for name, table, entries in contents
        for item in settings_of(table)
        if item.secret and any(getattr(entry, item.name) != item.default for entry in entries)
    ]


def tables_of(root: type[Any]) -> Iterator[tuple[str, type[Any]]]:
    """Yield the name and dataclass of each field that is a TOML table, in their order."""
    for item in dataclasses.fields(root):
        if isinstance(item.type, type) and dataclasses.is_dataclass(item.type):
            yield item.name, item.type


@dataclass(frozen=True, slots=True)
class TableList:
    """A list of TOML tables: each entry begins with a line `[[name]]`."""

    key: tuple[str, ...]
    """Place in the document, for example ("call", "plan")."""
    table: type[Any]
    """Dataclass of an entry."""
    limit: int
    """Limit of its entries."""

    @property
    def name(self) -> str:
        """Return the name as the file writes it."""
        return ".".join(self.key)

    def entries(self, tables: Any) -> tuple[Any, ...]:
        """Return the entries in a root dataclass."""
        for name in self.key:
            tables = getattr(tables, name)
        found: tuple[Any, ...] = tables
        return found


def entries(limit: int) -> tuple[Any, ...]:
    """Return a dataclass field that is a list of TOML tables, with at most so many."""
    found: tuple[Any, ...] = field(default=(), metadata={"limit": limit})
    return found


def lists_of(root: type[Any]) -> Iterator[TableList]:
    """Yield each list of TOML tables in a root dataclass: those of its tables, then its own."""
    for name, table in tables_of(root):
        yield from _lists_in(table, (name,))
    yield from _lists_in(root, ())


def _lists_in(table: type[Any], around: tuple[str, ...]) -> Iterator[TableList]:
    for item in dataclasses.fields(table):
        if "limit" in item.metadata:
            yield TableList((*around, item.name), get_args(item.type)[0], item.metadata["limit"])


def shown_settings(tables: Any) -> dict[str, Any]:
    """Return the values of a dataclass of settings for people; a secret is `NOT_SHOWN` once it is set."""
    kinds = {item.name: item for item in settings_of(type(tables))}
    values: dict[str, Any] = {}
    for item in dataclasses.fields(tables):
        value = getattr(tables, item.name)
        if isinstance(value, tuple) and item.name not in kinds:
            values[item.name] = [shown_settings(entry) for entry in value]
        elif item.name not in kinds:
            values[item.name] = shown_settings(value)
        else:
            values[item.name] = NOT_SHOWN if kinds[item.name].secret and value else value
    return values


def _is_address(text: str) -> bool:
    return "?" not in text and Address.parse(text).form is not Form.OTHER


def _is_destination(text: str) -> bool:
    address = text.partition("?")[0]
    return _is_address(address) and text[len(address) :] in ("", "?channel=audio", "?channel=video")


def _is_listen(text: str) -> bool:
    try:
        split_listen(text)
    except ValueError:
        return False
    return True


def _is_authority(text: str) -> bool:
    try:
        split_authority(text)
    except ValueError:
        return False
    return True


def _is_listen_address(text: str) -> bool:
    try:
        ipaddress.ip_address(split_listen(text)[0])
    except ValueError:
        return False
    return True


def _is_network(text: str) -> bool:
    try:
        ipaddress.ip_network(text, strict=False)
    except ValueError:
        return False
    return True


def _is_url(encrypted: str, plain: str) -> Callable[[str], bool]:
    """Return a check for a URL without a password; unencrypted URLs pass only for this machine itself."""

    def accepts(text: str) -> bool:
        try:
            parts = urlsplit(text)
            host = parts.hostname or ""
            usable = is_host_or_address(host) and parts.port != 0 and "@" not in parts.netloc
        except ValueError:
            return False
        return usable and (parts.scheme == encrypted or (parts.scheme == plain and is_loopback(host)))

    return accepts


def _is_hook(text: str) -> bool:
    """Return whether a text is a URL that a webhook may ask: outside of the house only with TLS."""
    try:
        parts = urlsplit(text)
        host = parts.hostname or ""
        usable = is_host_or_address(host) and parts.port != 0 and "@" not in parts.netloc and " " not in text
    except ValueError:
        return False
    return usable and (parts.scheme == "https" or (parts.scheme == "http" and is_of_the_house(host)))


def _is_key(text: str) -> bool:
    """Return whether a text is a key of 24 to 64 bytes in base64."""
    try:
        return 24 <= len(base64.b64decode(text.encode(), validate=True)) <= 64
    except ValueError:
        return False


def _is_date(text: str) -> bool:
    whole = text if len(text) == len("2026-12-24") else f"2024-{text}"  # a year with a 29 February
    try:
        return date.fromisoformat(whole).isoformat() == whole
    except ValueError:
        return False


_ADDRESS_FORMS = '"/private/name", "/public/name", "+15551234567" or "sip:name@host"'

DESTINATION = Shape(
    f'an address ({_ADDRESS_FORMS}, then perhaps "?channel=audio")',
    _is_destination,
)
CALLER = Shape(
    f'"residents", "/private/*" or an address ({_ADDRESS_FORMS})',
    lambda text: text in {"residents", "/private/*"} or _is_address(text),
)
GETS_THROUGH = Shape(
    f'an address ({_ADDRESS_FORMS}) or "button:NAME"',
    lambda text: bool(text.removeprefix("button:")) if text.startswith("button:") else _is_address(text),
)
OPENER = Shape(f'"*", {CALLER.expected}', lambda text: text == "*" or CALLER.accepts(text))
LISTEN = Shape('"host:port", for example "127.0.0.1:8480"', _is_listen)
LISTEN_ADDRESS = Shape('"address:port" with an IP address, for example "192.168.1.10:3478"', _is_listen_address)
NETWORK = Shape('an IP address or network, for example "127.0.0.1" or "10.0.0.0/24"', _is_network)
PUBLIC_URL = Shape(
    'a URL like "https://door.example.com" or "https://example.com/door" ("http:" only to localhost)',
    lambda text: (
        _is_url("https", "http")(text)
        and urlsplit(text)[3:] == ("", "")
        and re.fullmatch(r"(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*){0,4}/?", urlsplit(text).path) is not None
    ),
)
ORIGIN = Shape(
    'the origin of a page, like "https://home.example.com" or "http://homeassistant.local:8123"',
    lambda text: (found := re.fullmatch(r"https?://([a-z0-9.:\[\]-]+)", text)) is not None and _is_authority(found[1]),
)
CONTACT = Shape(
    'an address like "mailto:you@example.org" or "https://example.org"',
    lambda text: re.fullmatch(r"mailto:[^@\s]+@[^@\s]+\.[^@\s]+|https://\S+", text) is not None,
)
HOST_NAME = Shape('a host name or IP address, for example "door.local"', is_host_or_address)
NAME = Shape("a name of up to 64 letters, digits and . _ ~ -", lambda text: re.fullmatch(_NAME, text) is not None)
DIGITS = Shape("1 to 8 telephone keys (0-9 * #)", lambda text: re.fullmatch(r"[0-9*#]{1,8}", text) is not None)
RELAY_URL = Shape(
    'a URL like "wss://relay.example.com", without a password ("ws:" only to localhost)', _is_url("wss", "ws")
)
API_URL = Shape(
    'a URL like "https://api.example.com", without a password ("http:" only to localhost)', _is_url("https", "http")
)
NOTIFY_URL = Shape(
    'a URL of apprise like "ntfy://ntfy.sh/TOPIC"',
    lambda text: re.fullmatch(r"[A-Za-z][A-Za-z0-9+.-]{0,31}://\S+", text) is not None,
)
WEBHOOK_URL = Shape(
    'a URL like "https://example.com/hook", without a password ("http:" only within the house)',
    lambda text: text.isascii() and text.isprintable() and _is_hook(text),
)
WEBHOOK_SECRET = Shape(
    'a key like "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"',
    lambda text: text.startswith("whsec_") and _is_key(text.removeprefix("whsec_")),
)
LINK = Shape(
    'a URL like "https://door.example.com/station/", or "none"',
    lambda text: text == "none" or re.fullmatch(r"https?://[^\s/?#@\"]+([/?#][^\s\"]*)?", text) is not None,
)
TURN_URL = Shape(
    'a URL like "turn:turn.example.com:3478"',
    lambda text: (
        (found := re.fullmatch(r"turns?:([^\s@/?]+)(\?transport=(udp|tcp))?", text)) is not None
        and _is_authority(found[1])
    ),
)
LABEL = Shape("a name of up to 40 characters", lambda text: len(text) <= 40 and text == text.strip())
_TIME = "([01][0-9]|2[0-3]):[0-5][0-9]"
HOURS = Shape('hours like "22:00-06:00"', lambda text: re.fullmatch(f"{_TIME}-{_TIME}", text) is not None)
DATE = Shape('a date like "2026-12-24", or "12-24" for each year', _is_date)
TIME = Shape('a time like "22:00"', lambda text: re.fullmatch(_TIME, text) is not None)
PATH = Shape("a path", lambda text: bool(text.strip()))
