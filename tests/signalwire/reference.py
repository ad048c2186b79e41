"""The reference client's members beside ours; `python -m tests.signalwire.reference` writes the page's tables."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

from intercom import signalwire
from intercom.signalwire.account.directory import Address, User
from intercom.signalwire.call.members.capabilities import SelfCapabilities
from intercom.signalwire.call.members.participant import Participant, SelfParticipant
from intercom.signalwire.call.webrtc_call import WebRTCCall
from intercom.signalwire.client.session import ClientSession
from intercom.signalwire.client.signalwire import SignalWire
from intercom.signalwire.options import Options
from intercom.signalwire.preferences import ClientPreferences
from tests.reference.members import written
from tests.signalwire.reference_differences import DIFFERENCES, INNER, OURS_ALONE, Differs

PAGE = Path(signalwire.__file__).parents[2] / "docs" / "signalwire.md"
BEGIN, END = "<!-- members: generated, do not edit -->", "<!-- members: end -->"

CLASSES: dict[str, type] = {
    "SignalWire": SignalWire,
    "WebRTCCall": WebRTCCall,
    "Participant": Participant,
    "SelfParticipant": SelfParticipant,
    "SelfCapabilities": SelfCapabilities,
    "Address": Address,
    "User": User,
    "ClientPreferences": ClientPreferences,
    "ClientSession": ClientSession,
}

NEWEST, PUBLISHED = "4.0.0-rc.2", "4.0.0-beta.12"
DECLARED = written()

TAKES_OPTIONS: dict[str, Callable[..., Any]] = {
    "Options": Options,
    "SignalWire.dial": SignalWire.dial,
    "SignalWire.preflight": SignalWire.preflight,
    "SignalWire.select_audio_input_device": SignalWire.select_audio_input_device,
    "WebRTCCall.answer": WebRTCCall.answer,
    "WebRTCCall.transfer": WebRTCCall.transfer,
}
"""What the reference gives an object of options, and we parameters."""

HOMES: dict[str, Callable[..., Any]] = {**CLASSES, **TAKES_OPTIONS}

INHERITS = {"SelfParticipant": "Participant"}
"""What a class leaves to another's table, as the page says above it."""

PYTHON_WORDS = {"from": "from_", "self": "self_"}


def rows(kind: str) -> list[str]:
    """The members that have a row: all that either version declares; `foo$` is also the row for its snapshot `foo`."""
    names = {*DECLARED[NEWEST][kind], *DECLARED[PUBLISHED][kind]}
    return sorted((name for name in names if f"{name}$" not in names), key=str.lower)


def ours(member: str) -> list[str]:
    """Our names for a member: `fooBar$` is `foo_bar_stream`, its snapshot `foo_bar`."""
    plain = re.sub(r"(?<!^)(?=[A-Z])", "_", member.removesuffix("$")).lower()
    snapshot = PYTHON_WORDS.get(plain, plain)
    return [f"{plain}_stream", snapshot] if member.endswith("$") else [snapshot]


def has(home: Callable[..., Any] | ModuleType, name: str) -> bool:
    """Whether a class has a member, as an attribute or a field, a method a parameter, or a module a name."""
    if isinstance(home, ModuleType | type):
        return hasattr(home, name) or (isinstance(home, type) and name in public(home))
    return name in inspect.signature(home).parameters


def public(kind: Callable[..., Any]) -> set[str]:
    """The public members of a class of ours, or the options of a method."""
    if not isinstance(kind, type):
        return {name for name, it in inspect.signature(kind).parameters.items() if it.kind is it.KEYWORD_ONLY}
    names = {name for parent in kind.__mro__[:-1] for name in {*vars(parent), *vars(parent).get("__annotations__", {})}}
    return {name for name in names if not name.startswith("_")}


def difference(kind: str, member: str) -> Differs:
    """How a member of ours differs, and why; empty where it does not."""
    if "internal" in DECLARED[NEWEST][kind].get(member, ""):
        return DIFFERENCES[kind].get(member, INNER)
    return DIFFERENCES.get(kind, {}).get(member, Differs())


def row(kind: str, member: str) -> str:
    """A line of the table."""
    differs = difference(kind, member)
    by_name = ", ".join(f"`{name}`" for name in ours(member) if has(HOMES[kind], name))
    where = [version for version in (NEWEST, PUBLISHED) if member not in DECLARED[version][kind]]
    notes = [*(f"not in {version.removeprefix('4.0.0-')}" for version in where), differs.because]
    return f"| `{member}` | {differs.ours or by_name or 'nothing'} | {'; '.join(filter(None, notes))} |"


def tables() -> str:
    """Every table, as Markdown."""
    parts = []
    for kind in HOMES:
        parent = [f"And everything of {INHERITS[kind]}.", ""] if kind in INHERITS else []
        head = ["| reference rc.2 | ours | differs because |", "|---|---|---|"]
        alone = [
            f"| nothing | {', '.join(f'`{name}`' for name in names)} | {why} |"
            for names, why in OURS_ALONE.get(kind, ())
        ]
        parts.append("\n".join([f"### {kind}", "", *parent, *head, *(row(kind, name) for name in rows(kind)), *alone]))
    return "\n\n".join(parts)


def page_with(tables: str, page: str) -> str:
    """The page, its tables replaced."""
    head, _, rest = page.partition(BEGIN)
    return f"{head}{BEGIN}\n\n{tables}\n\n{END}{rest.partition(END)[2]}"


if __name__ == "__main__":
    PAGE.write_text(page_with(tables(), PAGE.read_text(encoding="utf-8")), encoding="utf-8")
