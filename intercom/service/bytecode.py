"""Compile a folder of Python without its docstrings, of which an idle door would keep some megabytes.

`python -m intercom.service.bytecode FOLDER` does it in an installation. Python's own `-OO` leaves out the assertions as
well; here they stay.
"""

from __future__ import annotations

import ast
import marshal
import os
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from functools import partial
from importlib.util import MAGIC_NUMBER, cache_from_source, source_hash
from pathlib import Path
from types import CodeType
from typing import Final

READ: Final = (
    *("/intercom/config/", "/intercom/door/command_", "/intercom/facts.py", "/intercom/history/call_log.py"),
    *("/numpy/_core/", "/pip/", "/setuptools/"),
)
"""Places whose docstrings are read: `intercom config example` prints the tables', the API's document tells those of
what the door takes, answers and reports, pip and setuptools print theirs, and NumPy 2 looks for words in those of its
core when it makes its masked arrays' (NumPy 1 looks for none)."""
BY_TIME, UNCHECKED = 0, 1
"""Flags of a compiled file (PEP 552): Python compares the source's time and size, or does not look at the source."""
MARK: Final = b"without docstrings, 2"
"""Last bytes of a compiled file of ours, which Python passes over: the number changes with what is made here."""
HOLDING: Final = (ast.stmt, ast.excepthandler, ast.match_case)
"""What holds a class or a function: the many nodes of expressions are passed over."""
AT_ONCE: Final = 16
"""Number of files that a process is given at once."""


def compile_tree(tree: Path, *, place: Path | None = None, unchecked: bool = False) -> None:
    """Compile every .py file of a folder that will lie at `place`, with as many processes as there are processors.

    What was compiled otherwise is replaced. A source that this Python does not understand is left to its import.
    """
    compiling = partial(_compile_file, tree=tree, place=place or tree, unchecked=unchecked)
    with ProcessPoolExecutor() as processes:
        for _ in processes.map(compiling, _sources(tree), chunksize=AT_ONCE):
            pass


def code(source: bytes, file: str) -> CodeType:
    """Compile the source of a file as an installation has it: without docstrings, unless somebody reads those."""
    if any(folder in file for folder in READ):
        return compile(source, file, "exec", dont_inherit=True, optimize=0)
    return without_docstrings(source, file)


def without_docstrings(source: bytes, file: str) -> CodeType:
    """Compile a source; the docstrings of its module and its functions are empty, that of a class is its name.

    None at all would have a price: `dataclass` makes one from the signature, and NumPy refuses a function without.
    Raises what `compile` raises.
    """
    tree = ast.parse(source, file)
    within: list[ast.AST] = [tree]
    while within:
        node = within.pop()
        within += [each for each in ast.iter_child_nodes(node) if isinstance(each, HOLDING)]
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            match node.body:
                case [ast.Expr(ast.Constant(str()) as docstring), *_]:
                    docstring.value = node.name if isinstance(node, ast.ClassDef) else ""
    return compile(tree, file, "exec", dont_inherit=True, optimize=0)


def _sources(tree: Path) -> Iterator[Path]:
    for folder, _, names in os.walk(tree):
        paths = (Path(folder, name) for name in names if name.endswith(".py"))
        yield from (path for path in paths if path.is_file())  # and no link to nowhere


def _compile_file(path: Path, *, tree: Path, place: Path, unchecked: bool) -> None:
    source = path.read_bytes()
    if unchecked:
        head = MAGIC_NUMBER + UNCHECKED.to_bytes(4, "little") + source_hash(source)
    else:
        fields = (BY_TIME, int(path.stat().st_mtime), len(source))
        head = MAGIC_NUMBER + b"".join((field & 0xFFFFFFFF).to_bytes(4, "little") for field in fields)
    compiled = Path(cache_from_source(path, optimization=""))
    with suppress(FileNotFoundError):
        known = compiled.read_bytes()
        if known.startswith(head) and known.endswith(MARK):
            return
    try:
        compiled_source = marshal.dumps(code(source, str(place / path.relative_to(tree))))
    except (SyntaxError, ValueError, RecursionError, MemoryError):  # the parser says the last of too deep a source
        return
    compiled.parent.mkdir(parents=True, exist_ok=True)
    new = compiled.with_suffix(".new")
    new.write_bytes(head + compiled_source + MARK)
    new.replace(compiled)


if __name__ == "__main__":
    compile_tree(Path(sys.argv[1]).resolve())
