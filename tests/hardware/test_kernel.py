"""The bench kernel serves on every CPU, whichever it was built on."""

from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from .guest import Guest
from .kernel import install, missing, wish

COMPILER = ("gcc", "libc6-dev")
SUMS = """
import numpy
values = numpy.arange(4096, dtype=numpy.float64) / 7
first = [values @ values, numpy.exp(-values).sum()]
assert all([values @ values, numpy.exp(-values).sum()] == first for _ in range(3000))
"""
"""Fills the widest registers that numpy finds, over and over, and holds each result against the first."""


@pytest.fixture
def larger_registers(bench_kernel: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The guest sees a host with AMX, which this machine need not have."""
    if absent := missing(COMPILER):
        if wish() != "on":
            pytest.skip(f"the test needs packages: apt-get install {' '.join(absent)}")
        install(tuple(absent))
    library = tmp_path / "large-registers.so"
    source = Path(__file__).with_name("large-registers.c")
    subprocess.run(["gcc", "-Wall", "-Werror", "-shared", "-fPIC", "-o", library, source, "-ldl"], check=True)
    monkeypatch.setenv("LD_PRELOAD", str(library))


def test_it_boots_on_a_cpu_whose_registers_are_larger_than_those_of_the_cpu_that_built_it(
    larger_registers: None,
) -> None:
    with Guest() as guest:
        guest.run("true").check()


def test_every_process_keeps_its_registers_while_others_use_theirs(bench_kernel: None) -> None:
    sums = f"{sys.executable} -c {shlex.quote(SUMS)}"
    with Guest() as guest:
        guest.run(f"{sums} & first=$!; {sums} & second=$!; {sums}; wait $first && wait $second").check()
