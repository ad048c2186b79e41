"""The door's guard, with real processes that die, hang and end."""

import contextlib
import os
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from intercom.config import DoorConfig
from intercom.panel.errors import GuardError
from intercom.panel.relay import relay_watchdog_control
from intercom.panel.relay.relay_watchdog_control import GUARD, Guard
from tests.panel.conftest import WAIT_S, Bench, Clock

SHORT_CAP_S = 2.0
"""Cap of a door that the guard is to find open too long: by then it hangs, also on a busy machine."""
LONG_CAP_S = 100.0
"""Cap of every other door: it does not run out, however slow the machine is."""

Doorman = Callable[..., "tuple[subprocess.Popen[str], int]"]


@pytest.fixture
def doorman() -> Iterator[Doorman]:
    """Start a process that opens its door and ends as told; return it and a pidfd of its guard."""
    running: list[subprocess.Popen[str]] = []
    descriptors: list[int] = []

    def start(ending: str, cap_s: float = LONG_CAP_S) -> "tuple[subprocess.Popen[str], int]":
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.panel.relay.doorman", ending, str(cap_s)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        running.append(process)
        assert process.stdout is not None
        descriptors.append(os.pidfd_open(int(process.stdout.readline())))
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
        return process, descriptors[-1]

    yield start
    for process in running:
        process.kill()
        process.communicate()
    for descriptor in descriptors:
        os.close(descriptor)


@pytest.fixture
def relay_stub(tmp_path: Path) -> Path:
    """A module path on which turning the relay off leaves a file behind; return the file."""
    package = tmp_path / "intercom"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "gpio_chip.py").write_text(
        "from pathlib import Path\n"
        "def drive_off(*arguments):\n"
        "    Path(__file__).with_name('off').write_text(repr(arguments))\n"
    )
    return package / "off"


def ends(descriptor: int) -> bool:
    """Whether the process of this pidfd ends in good time."""
    return bool(select.select([descriptor], [], [], WAIT_S)[0])


def errors_of(process: "subprocess.Popen[str]") -> str:
    """What the process and its guard, which shares its standard error, said until both had ended."""
    return process.communicate(timeout=WAIT_S)[1]


def test_a_panel_that_hangs_with_the_door_open_is_killed(doorman: Doorman) -> None:
    process, guard = doorman("hung", SHORT_CAP_S)
    assert process.wait(WAIT_S) == -signal.SIGKILL
    assert "door guard" in errors_of(process)
    assert ends(guard)


def test_the_guard_notices_a_panel_that_dies_with_the_door_open(doorman: Doorman) -> None:
    process, guard = doorman("killed")
    assert ends(guard)
    assert "with the relay on" in errors_of(process)


@pytest.mark.parametrize("ending", ["ends", "raises"])
def test_a_panel_that_ends_with_the_door_open_closes_it_itself(doorman: Doorman, ending: str) -> None:
    process, guard = doorman(ending)
    assert ends(guard)
    assert "guard" not in errors_of(process)


def test_a_panel_that_is_killed_with_the_door_closed_leaves_the_pin_alone(doorman: Doorman) -> None:
    process, guard = doorman("idle")
    process.kill()
    assert ends(guard)
    assert errors_of(process) == ""


def test_the_guard_outlives_the_signal_that_ends_the_panel(doorman: Doorman) -> None:
    process, guard = doorman("idle")
    signal.pidfd_send_signal(guard, signal.SIGTERM)
    assert not select.select([guard], [], [], 0.2)[0]
    process.kill()
    assert ends(guard)


def test_a_guard_that_died_is_replaced_before_the_door_opens(make_bench: Callable[..., Bench], clock: Clock) -> None:
    bench = make_bench(clock=clock)
    first = bench.panel.guard_pid
    os.kill(first, signal.SIGKILL)
    os.waitid(os.P_PID, first, os.WEXITED | os.WNOWAIT)
    bench.panel.door.open(0.05)
    match bench.next():
        case ("guard", GuardError()):
            assert bench.next() == "open"
            clock.passes(0.05)
            assert bench.next() == "closed"
        case other:
            pytest.fail(str(other))
    assert bench.panel.guard_pid != first


def start_guard(relay_stub: Path, *, pins: str, cap_s: float) -> "tuple[subprocess.Popen[bytes], int]":
    """Start a guard whose panel is a process that only sleeps; return that process and the guard's pipe."""
    read, write = os.pipe()
    parent = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import os, subprocess, sys, time\n"
            "subprocess.Popen([sys.executable, '-IS', sys.argv[1], str(os.getpid()), *sys.argv[3:]],"
            " stdin=int(sys.argv[2]), stdout=subprocess.DEVNULL)\n"
            "print(flush=True)\n"
            "time.sleep(60)",
            str(GUARD),
            str(read),
            str(cap_s),
            pins,
            "24",
            "1",
            "door",
            str(relay_stub.parents[1]),
        ],
        pass_fds=[read],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    os.close(read)
    assert parent.stdout is not None
    parent.stdout.readline()
    return parent, write


def test_the_guard_turns_the_relay_off_even_when_the_panel_died_before_the_guard_began(relay_stub: Path) -> None:
    parent, pipe = start_guard(relay_stub, pins="gpio", cap_s=60)
    os.write(pipe, b"o")
    parent.kill()
    os.close(pipe)
    parent.communicate(timeout=WAIT_S)
    assert relay_stub.read_text() == "(24, True, 'door')"


def test_the_guard_turns_the_relay_off_itself_after_it_killed_the_panel(relay_stub: Path) -> None:
    parent, pipe = start_guard(relay_stub, pins="gpio", cap_s=0.1)
    os.write(pipe, b"o")
    said = parent.communicate(timeout=WAIT_S)[1]
    os.close(pipe)
    assert parent.returncode == -signal.SIGKILL
    assert b"the panel hangs" in said
    assert relay_stub.read_text() == "(24, True, 'door')"


def test_extending_does_not_move_the_guards_deadline(relay_stub: Path) -> None:
    parent, pipe = start_guard(relay_stub, pins="gpio", cap_s=0.3)
    give_up = time.monotonic() + WAIT_S
    while parent.poll() is None:
        assert time.monotonic() < give_up
        with contextlib.suppress(BrokenPipeError):  # it ends just now
            os.write(pipe, b"o")
        select.select([], [], [], 0.05)
    parent.communicate(timeout=WAIT_S)
    os.close(pipe)


def test_the_guard_is_small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relay_watchdog_control, "FIRST_ANSWER_S", WAIT_S)
    guard = Guard(DoorConfig(), simulated=False)
    try:
        guard.door_opens()
        guard.door_closed()
        status = Path(f"/proc/{guard.pid}/status").read_text()
        assert int(re.findall(r"RssAnon:\s+(\d+)", status)[0]) < 8_000
    finally:
        guard.close()
