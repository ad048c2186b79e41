"""What is installed is what requirements*.lock pins: all of it, for each Python and processor, and by its hashes."""

from __future__ import annotations

import ast
import itertools
import re
import sys
import tomllib
from collections.abc import Iterable
from importlib import metadata

import pytest
from pip._vendor.packaging.requirements import Requirement
from pip._vendor.packaging.utils import canonicalize_name

from deb.lock import environment, requirements
from deb.target import PROCESSORS, SUITES, Target, target
from tests.readme import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS = PROJECT["optional-dependencies"]
BUILD, PROGRAM, TEST, BENCH = (f"requirements{kind}.lock" for kind in ("-build", "", "-test", "-bench"))
TEXTS = {name: (ROOT / name).read_text() for name in (BUILD, PROGRAM, TEST, BENCH)}
DECLARED = {
    BUILD: ["setuptools"],
    PROGRAM: [*PROJECT["dependencies"], *EXTRAS["notify"]],
    TEST: [*PROJECT["dependencies"], *EXTRAS["notify"], *EXTRAS["test"]],
    BENCH: [*PROJECT["dependencies"], *EXTRAS["notify"], *EXTRAS["test"], *EXTRAS["bench"]],
}
FOLDERS = {"intercom": PROGRAM, "deb": PROGRAM, "tests": TEST, "bench": BENCH}
"""Each folder, and what it may import."""
NOT_INSTALLED = {
    "intercom": {"lgpio", "livekit", "libcamera", "picamera2"},
    "tests": {"gi", "lgpio", "libcamera", "picamera2", "pip"},
    "deb": {"pip"},
    "bench": {"pyroomacoustics", "pystoi", "visqol", "webrtc"},
}
"""Extras and the system's packages, of which each import says what to do where they are missing. Python brings pip."""
TARGETS = [target(suite, arch) for suite, arch in itertools.product(SUITES, PROCESSORS)]


def imported(folder: str) -> set[str]:
    """The top names of the modules that a folder's files import, but for Python's own and ours."""
    names = set()
    for file in (ROOT / folder).rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                names |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and not node.level:
                names.add(str(node.module))
    return {name.partition(".")[0] for name in names} - sys.stdlib_module_names - FOLDERS.keys()


def pinned(lock: str, to: Target) -> dict[str, str]:
    """The versions that a lock names for a target."""
    judged_by = environment(to)
    return {
        canonicalize_name(wanted.name): str(wanted.specifier).removeprefix("==")
        for wanted, _ in requirements(TEXTS[lock])
        if wanted.marker is None or wanted.marker.evaluate(judged_by)
    }


def unmet(wanted: Iterable[str], there: dict[str, str], judged_by: dict[str, str]) -> list[str]:
    """Those of some requirements that count, and that what is there does not fulfil."""
    return [
        text
        for text in wanted
        if (one := Requirement(text)).marker is None or one.marker.evaluate(judged_by)
        if not one.specifier.contains(there.get(canonicalize_name(one.name), "0.dev0"), prereleases=True)
    ]


@pytest.mark.parametrize("folder", FOLDERS)
def test_what_is_imported_is_declared(folder: str) -> None:
    declared = {canonicalize_name(Requirement(text).name) for text in DECLARED[FOLDERS[folder]]}
    brings = metadata.packages_distributions()
    undeclared = {
        name
        for name in imported(folder) - NOT_INSTALLED[folder]
        if not {canonicalize_name(one) for one in brings.get(name, [])} & declared
    }
    assert not undeclared, "declare them in pyproject.toml, then `make lock`"


def modules(nodes: Iterable[ast.AST]) -> set[str]:
    """The dotted names of the modules, and of what may be one, that these statements import."""
    names = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names |= {str(node.module), *(f"{node.module}.{alias.name}" for alias in node.names)}
    return names


def test_what_tests_take_of_the_benches_imports_nothing_that_only_benches_install() -> None:
    parsed = {f"bench.{file.stem}": ast.parse(file.read_text(encoding="utf-8")) for file in ROOT.glob("bench/*.py")}
    tests = [ast.parse(file.read_text(encoding="utf-8")) for file in ROOT.glob("tests/**/*.py")]
    found: set[str] = set()
    more = set().union(*(modules(ast.walk(test)) for test in tests))
    while more - found:
        found |= more
        more = set().union(*(modules(parsed[name].body) for name in found & parsed.keys()))
    assert found & parsed.keys()
    assert {name.partition(".")[0] for name in found} & NOT_INSTALLED["bench"] == set()


@pytest.mark.parametrize("name", ["aioice", "aiortc"])
def test_what_we_hook_into_is_pinned(name: str) -> None:
    (wanted,) = (text for text in PROJECT["dependencies"] if text.startswith(name))
    assert re.fullmatch(rf"{name}==[\d.]+", wanted)


@pytest.mark.parametrize("lock", TEXTS)
def test_every_line_of_a_lock_is_one_version_with_its_hashes_and_names_no_index(lock: str) -> None:
    assert "://" not in TEXTS[lock]
    for wanted, hashes in requirements(TEXTS[lock]):
        assert re.fullmatch(r"==[^,*]+", str(wanted.specifier)), wanted
        assert hashes, wanted
        assert all(re.fullmatch(r"sha256:[0-9a-f]{64}", known) for known in hashes), wanted


@pytest.mark.parametrize("script", ["setup.sh", "systemd/install.sh"])
def test_pip_installs_what_a_lock_names_by_its_hashes_alone(script: str) -> None:
    installing = [
        line for line in (ROOT / script).read_text().splitlines() if re.search(r"-r (requirements|\$lock)", line)
    ]
    assert len(installing) == 2
    assert all("--require-hashes" in line for line in installing)


@pytest.mark.parametrize("to", TARGETS, ids=lambda to: f"{to.suite.name}-{to.processor.name}")
@pytest.mark.parametrize("lock", TEXTS)
def test_a_lock_fulfils_what_is_declared_on_each_target(lock: str, to: Target) -> None:
    assert not unmet(DECLARED[lock], pinned(lock, to), environment(to)), "`make lock`"


@pytest.mark.parametrize("to", TARGETS, ids=lambda to: f"{to.suite.name}-{to.processor.name}")
def test_what_serves_for_more_serves_for_less(to: Target) -> None:
    build, program, test, bench = (pinned(lock, to) for lock in (BUILD, PROGRAM, TEST, BENCH))
    assert build.items() <= program.items() <= test.items() <= bench.items()


def test_what_a_locked_library_needs_is_locked_too() -> None:
    here = dict(pinned(TEST, target("bookworm" if sys.version_info < (3, 12) else "trixie", "amd64")))
    judged_by = {"extra": ""}
    for name in here:
        assert not unmet(metadata.requires(name) or [], here, judged_by), name
