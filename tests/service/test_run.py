"""The long-running commands as processes: what systemd hears of their life."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from intercom.door.health.supervisor import PartFailedError
from intercom.service import run as service_run
from intercom.service.run import run
from tests.systemd_line import SystemdLine

CONFIGURATION = """
state_dir = "{state}"
[audio]
card = "simulated"
[camera]
source = "off"
[panel]
pins = "simulated"
page_listen = "127.0.0.1:0"
[space]
listen = "127.0.0.1:0"
"""
STOP_S = 60.0


@contextmanager
def service(command: str, folder: Path, line: SystemdLine, **environ: str) -> Iterator[subprocess.Popen[str]]:
    """A service as systemd starts it."""
    configuration = folder / "intercom.toml"
    configuration.write_text(CONFIGURATION.format(state=folder))
    process = subprocess.Popen(
        [sys.executable, "-m", "intercom", command, "--config", str(configuration)],
        env={**os.environ, "NOTIFY_SOCKET": line.address, "RUNTIME_DIRECTORY": str(folder), **environ},
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


@pytest.fixture
def line() -> Iterator[SystemdLine]:
    with SystemdLine() as line:
        yield line


def test_the_door_is_ready_before_it_is_registered_tells_its_state_is_alive_and_stops(
    line: SystemdLine, tmp_path: Path
) -> None:
    with service("run", tmp_path, line, WATCHDOG_USEC="400000") as door:
        started = line.until("READY=1")
        assert started[0] == "STATUS=starting"
        assert (tmp_path / "control.sock").is_socket(), "commands reach a door that is ready"
        line.until("STATUS=registering; not registered")
        for _ in range(3):
            line.until("WATCHDOG=1")
        door.send_signal(signal.SIGTERM)
        line.until("STOPPING=1")
        assert door.wait(STOP_S) == 0


def test_the_space_is_ready_when_it_serves(line: SystemdLine, tmp_path: Path) -> None:
    with service("space", tmp_path, line, WATCHDOG_USEC="400000") as space:
        line.until("READY=1")
        assert (tmp_path / "door.json").exists(), "the door, which starts now, finds its credential"
        status = line.next()
        assert status[0].startswith("STATUS=serves at http://localhost:")
        line.until("WATCHDOG=1")
        space.send_signal(signal.SIGTERM)
        line.until("STOPPING=1")
        assert space.wait(STOP_S) == 0


def test_a_watchdogs_bite_leaves_in_the_log_where_each_thread_stood(line: SystemdLine, tmp_path: Path) -> None:
    with service("run", tmp_path, line) as door:
        line.until("READY=1")
        line.until("STATUS=registering; not registered")
        while not _sleeps(door.pid):  # the stack of a thread that enters a function cannot be told (CPython 3.11)
            assert door.poll() is None
        door.send_signal(signal.SIGABRT)
        _, log = door.communicate(timeout=STOP_S)
    assert "Fatal Python error: Aborted" in log
    assert "in run_forever" in log, "the event loop's own stack"


def _sleeps(pid: int) -> bool:
    """Return whether each thread of a process sleeps. Source: proc_pid_stat(5)."""
    threads = Path(f"/proc/{pid}/task").glob("*/stat")
    try:
        return all(thread.read_text().rpartition(")")[2].split()[0] == "S" for thread in threads)
    except (FileNotFoundError, ProcessLookupError):  # one has just ended
        return False


class KeepsFailing:
    """A service whose part keeps failing."""

    summary = "idle"

    def __init__(self) -> None:
        self.stopped = False
        self.on_change = lambda: None

    def stalled(self) -> str | None:
        return None

    async def start(self) -> None:
        pass

    async def stop(self) -> None:
        self.stopped = True

    async def fail(self) -> None:
        raise PartFailedError("The button failed 6 times: the program ends to be started anew")


def test_a_program_that_gives_up_stops_in_order_says_why_in_one_sentence_and_fails(
    capfd: pytest.CaptureFixture[str],
) -> None:
    part = KeepsFailing()
    assert run(lambda: part, started=part.fail, mendable=(PartFailedError,)) == 1
    assert part.stopped
    assert capfd.readouterr().err == "intercom: The button failed 6 times: the program ends to be started anew\n"


class StopsSlowly(KeepsFailing):
    """A service that a signal stops, and whose stop takes its time."""

    def __init__(self, stop: Callable[[], Awaitable[None]]) -> None:
        super().__init__()
        self._stop = stop

    async def start(self) -> None:
        os.kill(os.getpid(), signal.SIGTERM)

    async def stop(self) -> None:
        await self._stop()
        self.stopped = True


@pytest.fixture
def left_over(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """The exit statuses with which a process left its parts and ended, as far as it did."""
    statuses: list[int] = []
    monkeypatch.setattr(service_run.os, "_exit", statuses.append)
    monkeypatch.setattr(service_run, "STOP_S", 0.2)
    yield statuses


def test_a_stop_for_which_the_machine_stood_still_is_waited_for(left_over: list[int]) -> None:
    async def stop() -> None:
        time.sleep(3 * service_run.STOP_S)  # nothing of this process runs meanwhile
        await asyncio.sleep(0.01)

    part = StopsSlowly(stop)
    assert run(lambda: part) == 0
    assert (part.stopped, left_over) == (True, [])


def test_a_part_that_does_not_stop_is_left_and_the_exit_status_says_so(left_over: list[int]) -> None:
    part = StopsSlowly(asyncio.Event().wait)
    run(lambda: part)
    assert (part.stopped, left_over) == (False, [1])


def test_a_door_that_hangs_feeds_no_watchdog(line: SystemdLine, tmp_path: Path) -> None:
    with service("run", tmp_path, line, WATCHDOG_USEC="400000") as door:
        line.until("WATCHDOG=1")
        door.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, door.pid, os.WSTOPPED)
        line.heard()
        assert line.quiet_for(1.0)
        door.send_signal(signal.SIGCONT)
        line.until("WATCHDOG=1")


NAMELESS = """
import logging, sys, types
from intercom.service.run import log_to_stderr
asked = []
class Waiting(types.ModuleType):
    def __getattr__(self, name):
        asked.append(name)
        raise AttributeError(name)
log_to_stderr("info")
sys.modules["multiprocessing"] = Waiting("multiprocessing")
logging.warning("Ring.")
print(asked)
"""


def test_a_line_of_the_log_asks_no_module_that_waits_for_the_name_of_its_process() -> None:
    done = subprocess.run([sys.executable, "-c", NAMELESS], capture_output=True, text=True, timeout=STOP_S, check=True)
    assert done.stdout == "[]\n"
    assert "Ring." in done.stderr
