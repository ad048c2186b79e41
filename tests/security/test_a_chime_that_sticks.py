"""The attack: the program is killed, stopped or hangs with the chime's relay on, whose coil would burn."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.panel.conftest import WAIT_S

PULSE_S = 0.5


@pytest.fixture(params=["killed", "hung", "stopped"])
def ringer(request: pytest.FixtureRequest) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """A process that rings its chime and then goes wrong, and a pidfd of the chime's guard."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.panel.relay.doorman", request.param, str(PULSE_S), "chime"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdin is not None
    pid = int(process.stdout.readline())
    descriptor = os.pidfd_open(pid)
    process.stdin.write("go\n")
    process.stdin.flush()
    yield process, descriptor
    goes_on(descriptor)
    process.kill()
    process.communicate()
    os.close(descriptor)


def goes_on(guard: int) -> None:
    """Let a stopped guard go on."""
    with contextlib.suppress(ProcessLookupError):
        signal.pidfd_send_signal(guard, signal.SIGCONT)


def test_the_program_is_ended_and_its_pin_given_back(ringer: tuple[subprocess.Popen[str], int]) -> None:
    process, guard = ringer
    assert process.wait(WAIT_S) == -signal.SIGKILL
    goes_on(guard)
    assert select.select([guard], [], [], WAIT_S)[0], "the guard has done its work and ends"
    assert process.stderr is not None
    assert "intercom chime guard: the " in process.stderr.read()
