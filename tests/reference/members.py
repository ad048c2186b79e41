"""The public members of the reference client's classes; `python -m tests.reference.members` writes them down.

Names only, from the declarations that the package ships. What a class inherits counts as its own, unless the list
names its parent too.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
PACKAGE = HERE / "node_modules" / "@signalwire" / "js"
FILE = HERE / "members.json"

CLASSES = {
    "SignalWire": "SignalWire",
    "ClientPreferences": "ClientPreferences",
    "WebRTCCall": "WebRTCCall",
    "Participant": "Participant",
    "SelfParticipant": "SelfParticipant",
    "SelfCapabilities": "SelfCapabilities",
    "Address": "Address",
    "User": "User",
    "ClientSession": "ClientSessionWrapper",
}
"""Our name for each, and the class that declares it; the wrapper is what `SignalWire.session` is."""

HEAD = r"^(?:export )?declare (?:abstract )?class {}\b(?:<.*?>)?(?: extends (\w+).*?)?(?: implements .*?)? \{{$"
MEMBER = re.compile(
    r"^  (?:(private|protected|static) )?(?:(?:readonly|abstract|async) )*(?:[gs]et )?([\w$]+)[?<(:;]", re.MULTILINE
)


def public_members(declarations: str, kind: str) -> set[str]:
    """The public members of a class, with those of unlisted parents; LookupError when it is not declared."""
    head = re.search(HEAD.format(kind), declarations, re.MULTILINE)
    if head is None:
        raise LookupError(f"The declarations hold no class {kind}.")
    body = declarations[head.end() : declarations.index("\n}", head.end())]
    own = {name for hidden, name in MEMBER.findall(body) if not hidden and name != "constructor"}
    inherits = head[1] is not None and head[1] not in CLASSES
    return own | (public_members(declarations, head[1]) if inherits else set())


def declared() -> dict[str, Any]:
    """What the installed package says."""
    text = (PACKAGE / "dist" / "index.d.mts").read_text(encoding="utf-8")
    declarations = re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)
    return {
        "package": "@signalwire/js",
        "version": json.loads((PACKAGE / "package.json").read_text(encoding="utf-8"))["version"],
        "members": {name: sorted(public_members(declarations, kind)) for name, kind in CLASSES.items()},
    }


if __name__ == "__main__":
    FILE.write_text(json.dumps(declared(), indent=1) + "\n", encoding="utf-8")
