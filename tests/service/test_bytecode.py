"""What is compiled without docstrings does what its source says, and Python takes it as its own."""

from __future__ import annotations

import dis
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import cache_from_source
from pathlib import Path
from types import CodeType

import pytest

import intercom
from intercom.config import example
from intercom.service.bytecode import AT_ONCE, MARK, compile_tree, without_docstrings

PROGRAM = Path(intercom.__file__).parent
SOURCE = '''"""Of the module."""
from __future__ import annotations
from dataclasses import dataclass

"""Of no name."""

@dataclass
class Pair:
    """Two numbers."""

    one: int
    two: int = 2

def sure(so):
    """Fail unless it is so."""
    assert so, "not so"

async def later(): """Nothing."""

def said(): return "Of the module."
'''
LOOK = """
import inspect, module
try: module.sure(False)
except AssertionError as error: print(error)
print([each.__doc__ for each in (module, module.Pair, module.sure, module.later)])
print(module.Pair(1), module.said(), inspect.iscoroutinefunction(module.later))
"""
BARE = """
import sys
from importlib.machinery import EXTENSION_SUFFIXES, ExtensionFileLoader, FileFinder, SourceFileLoader
from intercom.service.bytecode import code

class Loader(SourceFileLoader):
    def get_code(self, name):
        return code(self.get_data(self.path), self.path)

sys.path_hooks.insert(0, FileFinder.path_hook((ExtensionFileLoader, EXTENSION_SUFFIXES), (Loader, [".py"])))
sys.path_importer_cache.clear()
for name in [name for name in sys.modules if name.partition(".")[0] == "intercom"]:
    del sys.modules[name]
"""
LIBRARIES = """
import aiortc, apprise, av, cryptography.x509, gpiozero, numpy, OpenSSL, reactivex, segno, soundfile, soxr, tomlkit
import transitions, intercom.door.appliance, intercom.space.space
import numpy.linalg, numpy.ma, numpy.polynomial, numpy.random
print([each.__doc__ for each in (aiortc.RTCPeerConnection, numpy, numpy.linalg.norm, numpy.ma, intercom)])
"""
DOCUMENT = """
import json
from types import SimpleNamespace
from intercom.door.command_table import COMMANDS
from intercom.integrations.api.openapi import openapi
print(json.dumps(openapi(SimpleNamespace(commands=COMMANDS)), indent=1))
"""
EXAMPLE = "import intercom.config; print(repr(intercom.__doc__)); print(intercom.config.example())"


def python(code: str, *path: Path, cwd: Path | None = None) -> str:
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(map(str, path)), "PYTHONDONTWRITEBYTECODE": "1"}
    words = [sys.executable, "-c", code]
    done = subprocess.run(words, capture_output=True, text=True, env=environment, cwd=cwd, timeout=150, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def module(tmp_path: Path) -> Path:
    """A module of docstrings, compiled without them."""
    file = tmp_path / "module.py"
    file.write_text(SOURCE)
    compile_tree(tmp_path)
    return file


def steps(code: CodeType) -> Iterator[tuple[object, ...]]:
    """What a code object does, line by line, but for the docstring that it gives to its module or class."""
    told = list(dis.get_instructions(code))
    for number, step in enumerate(told):
        if not any(each.argval == "__doc__" for each in told[number : number + 2]):
            inner = list(steps(step.argval)) if isinstance(step.argval, CodeType) else step.argval
            yield step.opname, inner, step.positions and step.positions.lineno


@pytest.mark.parametrize("room", [path.name for path in PROGRAM.iterdir() if path.is_dir() and path.name[0] != "_"])
def test_every_module_of_the_program_does_the_same_on_the_same_lines(room: str) -> None:
    for file in (PROGRAM / room).rglob("*.py"):
        source = file.read_bytes()
        whole = compile(source, str(file), "exec", dont_inherit=True, optimize=0)
        assert list(steps(without_docstrings(source, str(file)))) == list(steps(whole)), file


def test_python_takes_it_and_assertions_and_the_names_of_classes_are_there(module: Path) -> None:
    assert python(LOOK, module.parent).splitlines() == [
        "not so",
        "['', 'Pair', '', '']",
        "Pair(one=1, two=2) Of the module. True",
    ]


def test_a_source_that_changes_is_taken_in_its_place(module: Path) -> None:
    module.write_text('"""Anew."""\n')
    assert python("import module; print(module.__doc__)", module.parent) == "Anew.\n"


def test_what_is_compiled_for_another_machine_is_taken_whatever_the_source_s_time(tmp_path: Path) -> None:
    (tmp_path / "module.py").write_text(SOURCE)
    compile_tree(tmp_path, unchecked=True)
    os.utime(tmp_path / "module.py", (1, 1))
    assert python("import module; print(repr(module.__doc__))", tmp_path) == "''\n"


def test_what_python_compiled_before_is_replaced_and_what_is_ours_stays(module: Path) -> None:
    compiled = Path(cache_from_source(module))
    ours = compiled.stat().st_ino
    compile_tree(module.parent)
    assert compiled.stat().st_ino == ours
    compiled.write_bytes(compiled.read_bytes().removesuffix(MARK))
    compile_tree(module.parent)
    assert compiled.read_bytes().endswith(MARK)


def test_a_source_that_this_python_does_not_understand_is_left_to_its_import(module: Path) -> None:
    (module.parent / "other.py").write_text("print 'of another Python'")
    compile_tree(module.parent)
    assert not Path(cache_from_source(module.parent / "other.py")).exists()


def test_a_source_too_deep_and_a_link_to_nowhere_keep_no_other_from_being_compiled(tmp_path: Path) -> None:
    others = [tmp_path / f"other_{number}.py" for number in range(3 * AT_ONCE)]
    for other in others:
        other.write_text("")
    for number in range(AT_ONCE):
        (tmp_path / f"deep_{number}.py").write_text(f"x = {'-' * 100_000}1")
        (tmp_path / f"nowhere_{number}.py").symlink_to(tmp_path / "gone.py")
    compile_tree(tmp_path)
    assert all(Path(cache_from_source(other)).exists() for other in others)


def test_the_libraries_and_the_program_load_without_docstrings() -> None:
    assert python(BARE + LIBRARIES, PROGRAM.parent) == "['RTCPeerConnection', '', '', '', '']\n"


def test_the_document_of_the_api_keeps_its_words() -> None:
    assert python(BARE + DOCUMENT, PROGRAM.parent) == python(DOCUMENT, PROGRAM.parent)


def test_the_example_of_the_configuration_keeps_its_words(tmp_path: Path) -> None:
    shutil.copytree(PROGRAM, tmp_path / "intercom", ignore=shutil.ignore_patterns("__pycache__", "media"))
    compile_tree(tmp_path)
    assert python(EXAMPLE, tmp_path, cwd=tmp_path) == f"''\n{example()}\n"
