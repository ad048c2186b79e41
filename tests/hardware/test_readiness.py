"""A machine on which the bench kernel does not boot says so once, in a sentence, and its tests follow one decision."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.tally import Tally

from .guest import CHECKOUT

BROKEN = """
from tests.hardware import readiness
from tests.hardware.guest import GuestError

CONSOLE = "Checking PROT_EXEC mmap in /dev/shm...OK\\n" * 60 + "ptrace set fp regs failed, errno = 14\\n"

def boot():
    raise GuestError(f'the guest died before "ready" ended:\\n\\n--- console ---\\n{CONSOLE}')

readiness.NEEDS["bench_kernel"] = boot
"""
"""A plugin that stands for a processor on which the kernel dies."""
LIMIT_S = 300.0
"""pytest takes seconds to start on an idle machine."""
TESTS = ("tests/hardware/inside/test_usb_sound.py", "tests/hardware/test_boot.py", "tests/hardware/test_network.py")
SENTENCE = (
    'the bench kernel cannot run here: the guest died before "ready" ended; '
    "its console ends with: ptrace set fp regs failed, errno = 14"
)


def outcome(folder: Path, wish: str) -> Tally:
    """Run some tests that need a guest where there can be none; return what became of them."""
    (folder / "broken_bench.py").write_text(BROKEN)
    environment = {**os.environ, "INTERCOM_HARDWARE": wish, "PYTHONPATH": str(folder)}
    plugins = ["-p", "broken_bench", "-p", "tests.tally", "-p", "no:cacheprovider"]
    command = [sys.executable, "-m", "pytest", *plugins, "--tally", str(folder / "tally"), *TESTS]
    done = subprocess.run(
        command, cwd=CHECKOUT, env=environment, capture_output=True, text=True, check=False, timeout=LIMIT_S
    )
    tally = Tally()
    assert tally.read(folder / "tally") is (done.returncode == 1), done
    return tally


@pytest.mark.parametrize(("wish", "failures"), [("auto", 0), ("on", 1)])
def test_a_kernel_that_does_not_boot_is_one_sentence_and_at_most_one_failure(
    tmp_path: Path, wish: str, failures: int
) -> None:
    tally = outcome(tmp_path, wish)
    assert len(tally.named("failed")) == failures
    assert len(tally.named("skipped")) > 5
    assert set((tally.named("failed") | tally.named("skipped")).values()) == {SENTENCE}
    assert not tally.named("passed")
