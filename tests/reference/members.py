"""The public members of the reference client's classes, and the options of its calls, as its declarations say.

    python -m tests.reference.members                # npm's package, as package-lock.json names it
    python -m tests.reference.members packages/main  # a newer state of github.com/signalwire/signalwire-js, which npm
                                                     # does not have, after `npm install && npm run build:main` in there

Names and kinds only, from `dist/index.d.mts`. What a class inherits counts as its own, unless the list names its parent
too.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
PACKAGE = HERE / "node_modules" / "@signalwire" / "js"
FILE = HERE / "members.json"

Members = dict[str, dict[str, str]]
"""The classes, by our names; in each its members, and the kind of each: "method" or "property", perhaps "internal".

What takes options stands among them; each of its members is an "option".
"""

CLASSES = {
    "SignalWire": "SignalWire",
    "WebRTCCall": "WebRTCCall",
    "Participant": "Participant",
    "SelfParticipant": "SelfParticipant",
    "SelfCapabilities": "SelfCapabilities",
    "Address": "Address",
    "User": "User",
    "ClientPreferences": "ClientPreferences",
    "ClientSession": "ClientSessionWrapper",
}
"""Our name for each, and the class that declares it; the wrapper is what `SignalWire.session` is."""

OPTIONS = {
    "Options": "SignalWireOptions",
    "SignalWire.dial": "DialOptions",
    "SignalWire.preflight": "PreflightOptions",
    "SignalWire.select_audio_input_device": "SelectDeviceOptions",
    "WebRTCCall.answer": "MediaOptions",
    "WebRTCCall.transfer": "TransferOptions",
}
"""What takes the options here, and the interface that declares them."""

HEAD = r"^(?:export )?declare (?:abstract )?class {}\b(?:<.*?>)?(?: extends (\w+).*?)?(?: implements .*?)? \{{$"
INTERNAL = "  @internal\n"
MEMBER = re.compile(
    rf"^({INTERNAL})?  (?:(private|protected|static) )?(?:(?:readonly|abstract|async) )*([gs]et )?([\w$]+)([?<(:;])",
    re.MULTILINE,
)


def public_members(declarations: str, kind: str) -> dict[str, str]:
    """The public members of a class, with those of unlisted parents; LookupError when it is not declared."""
    head = re.search(HEAD.format(kind), declarations, re.MULTILINE)
    if head is None:
        raise LookupError(f"The declarations hold no class {kind}.")
    body = declarations[head.end() : declarations.index("\n}", head.end())]
    inherits = head[1] is not None and head[1] not in CLASSES
    found = public_members(declarations, head[1]) if inherits else {}
    for internal, hidden, accessor, name, follows in MEMBER.findall(body):
        if not hidden and name != "constructor":
            member = "method" if follows in "<(" and not accessor else "property"
            found[name] = f"internal {member}" if internal else member
    return found


def options(declarations: str, interface: str) -> dict[str, str]:
    """The options that an interface declares, with those of its parent; LookupError when it is not declared."""
    head = re.search(rf"^(?:export )?interface {interface}(?: extends (\w+))? \{{$", declarations, re.MULTILINE)
    if head is None:
        raise LookupError(f"The declarations hold no interface {interface}.")
    body = declarations[head.end() : declarations.index("\n}", head.end())]
    found = options(declarations, head[1]) if head[1] else {}
    return found | dict.fromkeys(re.findall(r"^  (?:readonly )?(\w+)\??:", body, re.MULTILINE), "option")


def all_options(declarations: str) -> Members:
    """The options that declarations, or sources, have for whatever takes some."""
    return {name: dict(sorted(options(declarations, interface).items())) for name, interface in OPTIONS.items()}


def declared(package: Path = PACKAGE) -> tuple[str, Members]:
    """The version of a package that is installed or built, and what it declares."""
    text = (package / "dist" / "index.d.mts").read_text(encoding="utf-8")
    comments = re.compile(r"^ *(/\*.*?\*/)\n|/\*.*?\*/", re.DOTALL | re.MULTILINE)
    declarations = comments.sub(lambda comment: INTERNAL if comment[1] and "@internal" in comment[1] else "", text)
    version = json.loads((package / "package.json").read_text(encoding="utf-8"))["version"]
    members = {name: public_members(declarations, kind) for name, kind in CLASSES.items()}
    return version, {name: dict(sorted(found.items())) for name, found in members.items()} | all_options(text)


def written() -> dict[str, Members]:
    """What is written down, by version."""
    versions: dict[str, Members] = json.loads(FILE.read_text(encoding="utf-8"))
    return versions


if __name__ == "__main__":
    version, members = declared(*map(Path, sys.argv[1:2]))
    FILE.write_text(json.dumps({**written(), version: members}, indent=1) + "\n", encoding="utf-8")
