"""A compiled module that is missing or old is not used, and somebody is told."""

from __future__ import annotations

import logging
import re
import sys
import tomllib
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from deb.lock import ROOT
from intercom.media.native import module
from intercom.media.sound.resample import Decimator

FOLDER = Path(module.__file__).parent


@pytest.fixture
def asked_anew() -> object:
    module.is_there.cache_clear()
    yield
    module.is_there.cache_clear()


def stands_for_it(patch: pytest.MonkeyPatch, other: ModuleType | None) -> None:
    """Let this be what the program finds as its compiled module."""
    patch.delattr("intercom.media.native._native", raising=False)
    patch.setitem(sys.modules, "intercom.media.native._native", other)


@pytest.mark.usefixtures("asked_anew")
def test_without_it_the_sound_goes_through_numpy_and_the_log_says_so_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    stands_for_it(monkeypatch, None)
    with caplog.at_level(logging.INFO):
        for _ in range(3):
            assert len(Decimator(3).run(np.zeros(480, np.int16))) == 160
    assert len(caplog.messages) == 1
    assert "compiled module is not used" in caplog.messages[0]
    assert "`./setup.sh` compiles it" in caplog.messages[0]


@pytest.mark.usefixtures("asked_anew")
def test_one_that_was_made_from_an_older_source_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    older = ModuleType("intercom.media.native._native")
    older.VERSION = module.VERSION - 1  # type: ignore[attr-defined]  # it is a stand-in
    stands_for_it(monkeypatch, older)
    assert not module.is_there()
    assert module.why_not().endswith(f"(its version is {module.VERSION - 1}, not {module.VERSION})")
    assert len(Decimator(3).run(np.zeros(480, np.int16))) == 160


def test_the_header_and_the_program_have_one_version() -> None:
    (version,) = re.findall(r"#define NATIVE_VERSION (\d+)", (FOLDER / "_native.h").read_text())
    assert int(version) == module.VERSION


def test_every_source_is_compiled() -> None:
    with (ROOT / "pyproject.toml").open("rb") as file:
        (described,) = tomllib.load(file)["tool"]["setuptools"]["ext-modules"]
    assert set(described["sources"]) == {str(file.relative_to(ROOT)) for file in FOLDER.glob("*.c")}
    assert set(described["depends"]) == {str(file.relative_to(ROOT)) for file in FOLDER.glob("*.h")}


@pytest.mark.skipif(
    not (ROOT / ".venv/.compiled").exists() or not [*FOLDER.glob("*.so")], reason="setup.sh compiled nothing here"
)
def test_what_setup_compiled_is_used() -> None:
    assert not module.why_not()
