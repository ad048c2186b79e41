"""Writes docs/architecture.md: the rooms as the code has them, and two walks through them, recorded at a running door.

`python -m tests.architecture > docs/architecture.md`, as `make docs` does.
"""

from __future__ import annotations

import ast
import itertools
import re
import sys
import tomllib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import grimp

from tests.door_walks import SAID, walks
from tests.walk import Call

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs/architecture.md"
LEAVES = "leaves"
"""Name of the files that lie in no room."""

INTRODUCTION = """\
# The house: where everything is

This page is written from the code by `make docs`. Begin here if the code is new to you.

A door station is a small state machine with good hardware manners. Facts reach the machine in `door/`: a press, a call,
a fault, the registration. It decides without I/O and without waiting; [the table of its decisions](states.md) is short.
Everything else is a part: the panel, the sound and picture, the connection to the service, the devices. A part knows
nothing of any other. `door/appliance.py` builds the parts from the configuration and joins them.

The program is one event loop and a few threads beside it. One thread owns the sound card, moves sound in blocks of
10 ms, and sends and reads a call's packets of it; what else comes to their socket it hands to the loop. The camera's
thread sends the picture; the button has a thread, and the lights have one. What locks the door if all else fails is a
process of its own.
The protocols (JSON-RPC, Verto, dialogs, reconnecting, the jitter buffer) are classes without I/O, which get the time as
a parameter, so that their tests wait for nothing.

`space/` is the other end of the line for a house without an account: it stands in for the SignalWire service and serves
`station/`, the page on which phones answer. It may run on another machine, and shares with the client only the language
of the wire.
"""

PRESS = """\
The walk was recorded at a running door. It begins when the button's thread reports a press, which is an edge that has
settled, and ends when the frame with `verto.invite` is handed to the socket. A module counts if the press goes on from
one of its functions: whoever follows the press has to open it. What such a function asks has returned by then. A file
in no room, such as `tasks.py`, is a tool and does not count.
"""


# -- the rooms -----------------------------------------------------------------------------------------


class Room(NamedTuple):
    """A package of `intercom`, as its docstring describes it."""

    path: str
    holds: str
    begin: tuple[str, ...]
    "the files to read first"


def rooms() -> list[Room]:
    """Return the rooms and their sub-rooms, from top to bottom; each tells what it holds and where to begin."""
    order = re.findall(r"\w+", " ".join(layers()))
    found = [_room(file.parent) for file in (ROOT / "intercom").glob("*/**/__init__.py")]
    return sorted(found, key=lambda room: (order.index(room.path.partition("/")[0]), room.path))


def _room(directory: Path) -> Room:
    path = directory.relative_to(ROOT / "intercom").as_posix()
    told = ast.get_docstring(ast.parse((directory / "__init__.py").read_text(encoding="utf-8"))) or ""
    begin = re.search(r"^Begin with (.*)\.$", told, re.MULTILINE)
    assert begin, f"the docstring of intercom/{path}/__init__.py does not say: Begin with `file.py`."
    files = tuple(re.findall(r"`([^`]+)`", begin[1]))
    for file in files:
        assert (directory / file).exists(), f"intercom/{path}/__init__.py: there is no {file} to begin with"
    return Room(path, " ".join(told.partition("\n\n")[0].split()), files)


def table() -> Iterator[str]:
    """Yield the lines of the table of rooms."""
    yield "| room | holds | begin with |"
    yield "|---|---|---|"
    for room in rooms():
        begin = ", ".join(f"[{Path(file).name}](../intercom/{room.path}/{file})" for file in room.begin)
        yield f"| `{room.path}/` | {room.holds.removesuffix('.')} | {begin} |"


def imports() -> dict[str, set[str]]:
    """Return which room imports which, for types as well; the files in no room count as one."""
    graph = grimp.build_graph("intercom", exclude_type_checking_imports=False, cache_dir=None)
    found: defaultdict[str, set[str]] = defaultdict(set)
    for module in graph.modules - {"intercom", "intercom.__main__"}:
        found[_room_of(module)] |= {
            _room_of(imported) for imported in graph.find_modules_directly_imported_by(module) - {"intercom"}
        } - {_room_of(module)}
    return dict(found)


def _room_of(module: str) -> str:
    name = module.split(".")[1]
    return name if (ROOT / "intercom" / name).is_dir() else LEAVES


def picture() -> Iterator[str]:
    """Yield the lines of the picture. It leaves out an import where a longer way leads to the same room."""
    graph = imports()
    yield "```mermaid"
    yield "flowchart TB"
    for room in sorted(graph):
        yield f'  {room}["{"<br>".join(_leaves()) if room == LEAVES else room + "/"}"]'
    for room, imported in sorted(graph.items()):
        for other in sorted(imported):
            detours = (via for via in imported - {other} if room not in _below(graph, via))
            if not any(other in _below(graph, via) for via in detours):
                yield f"  {room} --> {other}"
    yield "```"


def _below(graph: dict[str, set[str]], room: str) -> set[str]:
    below: set[str] = set()
    new = {room}
    while new:
        new = set().union(*(graph[known] for known in new)) - below
        below |= new
    return below


def _leaves() -> list[str]:
    return sorted(file.name for file in (ROOT / "intercom").glob("[a-z]*.py"))


def layers() -> list[str]:
    """Return the layers that `make check` holds the rooms to, from top to bottom."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = settings["tool"]["importlinter"]["contracts"]
    return [re.sub(r"\w+", r"`\g<0>`", re.sub(r"\s*[:|]\s*", ", ", layer)) for layer in _only(contracts)["layers"]]


def _only(contracts: list[dict[str, Any]]) -> dict[str, Any]:
    (contract,) = (contract for contract in contracts if contract["type"] == "layers")
    return contract


# -- the walks -----------------------------------------------------------------------------------------


def modules(calls: Iterable[Call]) -> list[str]:
    """Return the modules that carry a walk, in order: whoever follows it has to open each of them."""
    return list(dict.fromkeys(call.module for call in calls if not _is_tool(call)))


def _is_tool(call: Call) -> bool:
    """Return whether a function lies in no room: it begins a task or writes a file, whoever asks."""
    return "." not in call.module


def asked_modules(calls: Sequence[Call]) -> list[str]:
    """Return the further modules whose functions those of the walk call on the way."""
    carriers = modules(calls)
    return sorted({module for call in calls for module, _ in _asks(call)} - set(carriers))


def hops(calls: Sequence[Call]) -> int:
    """Return how often a walk is handed to another thread or task, or to the event loop."""
    return sum(before.where != after.where for before, after in itertools.pairwise(calls))


def _asks(call: Call) -> list[tuple[str, str]]:
    """Return what a function asks of other modules, by itself or through its own; a value merely read is none of it."""
    asked: dict[tuple[str, str], None] = {}
    for other in call.asks:
        is_its_own = other.module == call.module or other.name.endswith("<lambda>")
        if is_its_own and other.where == call.where and not other.carries:
            asked |= dict.fromkeys(one for one in _asks(other) if one[0] != call.module)
        elif not (is_its_own or other.is_property or re.search(r"<|\b_", other.name)):
            asked[other.module, other.name] = None
    return list(asked)


def steps(calls: Sequence[Call], first: int = 1) -> Iterator[str]:
    """Yield a walk as a numbered list: a step for each stretch within a module, with the hops between them."""
    where = calls[0].where
    yield f"On {_place(where)}:"
    yield ""
    on_it = {(call.module, call.name) for call in calls}
    tool = ""
    numbers = itertools.count(first)
    for (now, module), stretch in itertools.groupby(calls, lambda call: (call.where, call.module)):
        functions = list(stretch)
        if _is_tool(functions[0]):
            tool = f", by `{functions[0].name}` of {_file(module)}"
            continue
        if now != where:
            yield ""
            yield f"**Hop** to {_place(now)}{tool}:"
            yield ""
            where = now
        names = dict.fromkeys(f"`{call.name}`" for call in functions if "<" not in call.name)
        asks = dict.fromkeys(one for call in functions for one in _asks(call) if one not in on_it)
        yield f"{next(numbers)}. {_file(module)}: {', '.join(names)}" + "".join(_told(asks))


def _told(asks: Iterable[tuple[str, str]]) -> Iterator[str]:
    """Yield what is asked of each module."""
    by_module: defaultdict[str, list[str]] = defaultdict(list)
    for module, name in asks:
        by_module[module].append(f"`{name}`")
    for lead, (module, names) in zip(
        itertools.chain(["; asks "], itertools.repeat(", ")), by_module.items(), strict=False
    ):
        yield f"{lead}{', '.join(names)} of `{_path(module)}`"


def _file(module: str) -> str:
    return f"[{_path(module)}](../intercom/{_path(module)})"


def _path(module: str) -> str:
    path = module.replace(".", "/")
    return path + ("/__init__.py" if (ROOT / "intercom" / path).is_dir() else ".py")


def _place(where: str) -> str:
    kind, _, name = where.partition(" ")
    if kind == "task":
        return "a task of its own"
    return f"the thread “{name}”" if kind == "thread" and not name.startswith("asyncio") else where


def count(calls: Sequence[Call]) -> str:
    """Return the counts of a walk in a sentence."""
    carriers, handed, asked = len(modules(calls)), hops(calls), len(asked_modules(calls))
    hops_ = {0: "no hop", 1: "one hop"}.get(handed, f"{handed} hops")
    return f"{carriers} modules carry it, with {hops_} between threads and tasks; they ask {asked} more on the way."


# -- the page ------------------------------------------------------------------------------------------


def page() -> str:
    """Return the whole page."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    found = walks()
    asked = [call for call in found.asked if call.module != "control.client"]
    yield INTRODUCTION
    yield "## The rooms"
    yield ""
    yield "An arrow means *imports*; where a longer way leads to the same room, the direct arrow is left out."
    yield ""
    yield from picture()
    yield ""
    yield "From top to bottom, `make check` lets each room import only what is further on in this list:"
    yield ""
    yield from (f"{number}. {layer}" for number, layer in enumerate(layers(), 1))
    yield ""
    yield from table()
    yield ""
    yield "The tests lie in the same rooms under `tests/`."
    yield ""
    yield "## From the button to the invite"
    yield ""
    yield PRESS
    yield from steps(found.press)
    yield ""
    yield count(found.press)
    yield ""
    yield "## From an SSH command to its answer"
    yield ""
    yield (
        f"sshd runs `intercom ssh-gate` for a key of the door, and the client asked for `{SAID}`. "
        f"Its words are taken apart {_times(found.readers)}."
    )
    yield ""
    yield "The command, a process of its own:"
    yield ""
    yield from _without_place(steps(asked))
    number = len(_stretches(asked)) + 1
    yield f"{number}. {_file('control.client')}: `Client.ask` sends the question over the control socket"
    yield ""
    yield "In the door:"
    yield ""
    yield from _without_place(steps(found.done, number + 1))
    number += len(_stretches(found.done)) + 1
    yield ""
    yield f"The answer returns the way that the question came, and the command prints it: {_last(found.answered)}."
    yield ""
    yield count(found.done).replace("carry it", "carry it in the door")


def _times(readers: list[tuple[str, str]]) -> str:
    who = " and ".join(f"`{name}` of {_file(module)}" for module, name in readers)
    return f"once, by {who}" if len(readers) == 1 else f"{len(readers)} times, by {who}"


def _without_place(lines: Iterator[str]) -> Iterator[str]:
    return itertools.islice(lines, 2, None)


def _stretches(calls: Sequence[Call]) -> list[Any]:
    steps_ = (call for call in calls if not _is_tool(call))
    return [key for key, _ in itertools.groupby(steps_, lambda call: (call.where, call.module))]


def _last(calls: Sequence[Call]) -> str:
    return f"`{calls[-1].name}` of {_file(calls[-1].module)}"


if __name__ == "__main__":
    sys.stdout.write(page())
