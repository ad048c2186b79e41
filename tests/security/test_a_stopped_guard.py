"""Somebody stops the relay's guard (SIGSTOP), and then the door's own program while the door is open."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest

from intercom.config import DoorConfig
from intercom.panel.door import Door
from intercom.panel.errors import GuardError
from intercom.panel.relay import relay_watchdog_control
from intercom.panel.relay.kernel_deadline import KernelDeadline, _TimerSpec
from intercom.panel.relay.relay_watchdog_control import Guard
from tests.panel.conftest import WAIT_S

CAP_S = 0.5
"""Cap of a door that is to be ended by it."""
PATIENT = DoorConfig(cap_s=10 * WAIT_S)
"""A door whose cap ends nobody: it would be this process, on a machine on which another guard takes its time."""


class Relay:
    """A relay without a pin."""

    is_on = False

    def on(self) -> None:
        self.is_on = True

    def off(self) -> None:
        self.is_on = False


def stop(process: int) -> None:
    """Stop a process, and wait until it stands."""
    os.kill(process, signal.SIGSTOP)
    os.waitid(os.P_PID, process, os.WSTOPPED | os.WNOWAIT)


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait longer for a guard that starts, on whatever machine this is."""
    monkeypatch.setattr(relay_watchdog_control, "FIRST_ANSWER_S", WAIT_S)


@pytest.fixture
def faults() -> list[Exception]:
    return []


@pytest.fixture
def guard(faults: list[Exception]) -> Iterator[Guard]:
    guard = Guard(PATIENT, simulated=True, on_fault=faults.append)
    guard.look_after()
    yield guard
    guard.close()


def test_a_stopped_guard_is_replaced_before_the_door_opens(guard: Guard, faults: list[Exception]) -> None:
    first = guard.pid
    stop(first)
    guard.door_opens()
    guard.door_closed()
    assert guard.pid != first
    assert "did not answer" in str(faults[0])


def test_a_stopped_guard_is_a_fault_even_while_nobody_opens_the_door(guard: Guard) -> None:
    told: list[Exception] = []
    noticed = threading.Event()

    def fault(error: Exception) -> None:
        told.append(error)
        noticed.set()

    stop(guard.pid)
    door = Door(Relay(), guard, pulse_s=1.0, cap_s=7.0, on_fault=pytest.fail, on_guard_fault=fault, look_s=0.01)
    assert noticed.wait(WAIT_S)
    door.close()
    assert isinstance(told[0], GuardError)


def test_a_guard_that_answers_again_is_no_fault(guard: Guard) -> None:
    stop(guard.pid)
    with pytest.raises(GuardError):
        guard.look_after()
    guard.look_after()


def test_the_guard_that_takes_over_while_the_door_is_open_knows_it() -> None:
    guard = Guard(PATIENT, simulated=True)
    guard.door_opens()
    stop(guard.pid)
    with pytest.raises(GuardError):
        guard.look_after()
    guard.look_after()
    guard.door_closed()
    guard.close()


def test_a_door_without_a_guard_that_answers_stays_closed(guard: Guard, monkeypatch: pytest.MonkeyPatch) -> None:
    stop(guard.pid)
    monkeypatch.setattr(guard, "_command", [sys.executable, "-c", "import time; time.sleep(60)"])
    monkeypatch.setattr(relay_watchdog_control, "FIRST_ANSWER_S", 0.2)
    with pytest.raises(GuardError, match="stays off"):
        guard.door_opens()


def test_a_door_that_is_stopped_together_with_its_guard_is_ended_by_the_kernel() -> None:
    command = [sys.executable, "-m", "tests.panel.relay.doorman", "stopped", str(CAP_S)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as door:
        assert door.stdin is not None and door.stdout is not None
        its_guard = int(door.stdout.readline())
        try:
            door.stdin.write("go\n")
            door.stdin.flush()
            assert door.wait(WAIT_S) == -signal.SIGKILL
        finally:
            os.kill(its_guard, signal.SIGKILL)


def test_a_door_that_closes_in_time_is_left_alone() -> None:
    deadline, left = KernelDeadline(), _TimerSpec()

    def left_s() -> float:
        """Time until the kernel kills this process, as the kernel has it; 0 for never."""
        deadline._call(deadline._libc.timer_gettime, deadline._timer, ctypes.byref(left))
        return float(left.value_s + left.value_ns / 1e9)

    try:
        deadline.arm(10 * WAIT_S)
        assert left_s() > 0
        deadline.disarm()
        assert left_s() == 0
    finally:
        deadline.close()
