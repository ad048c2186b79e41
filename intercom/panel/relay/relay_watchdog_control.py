"""The panel's side of the guard process (`relay_watchdog.py`)."""

import logging
import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

from intercom.config import DoorConfig
from intercom.panel.errors import GuardError
from intercom.panel.relay.kernel_deadline import KernelDeadline
from intercom.panel.relay.relay_watchdog import MARGIN_S

log = logging.getLogger(__name__)

GUARD = Path(__file__).with_name("relay_watchdog.py")

ENDING_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
"""Signals that end the whole session: the guard blocks them and ends only when its pipe closes."""

END_WAIT_S = 1.0
"""Limit of the wait for the guard's end once the panel has ended."""

ANSWER_S = 0.5
"""Limit of the wait for a running guard's answer: it needs a millisecond, and a loaded machine is some tens late."""

LOOK_ANSWER_S = 2.0
"""Limit of that wait while nobody waits for the door: the card may first have to load the guard's pages."""

FIRST_ANSWER_S = 3.0
"""Limit of the wait for the first answer: the guard's interpreter starts meanwhile."""

KERNEL_MARGIN_S = MARGIN_S + 0.5
"""Time over the door's cap after which the kernel kills this process: later than the guard, which says why."""


class Guard:
    """Starts the guard process, tells it when the relay is on, and replaces it when it does not answer.

    `name` says what the relay drives, for the log. `on_fault` is told of a guard that did not answer and was replaced.
    Every method may be called from any thread. Raises GuardError.
    """

    def __init__(
        self,
        door: DoorConfig,
        *,
        simulated: bool,
        name: str = "door",
        on_fault: Callable[[Exception], None] = lambda error: None,
    ) -> None:
        self._name = name
        self._command = [
            sys.executable,
            # Isolated and without site: nothing but the standard library's core is loaded until it is needed.
            "-IS",
            str(GUARD),
            str(os.getpid()),
            str(door.cap_s),
            "simulated" if simulated else "gpio",
            str(door.relay_gpio),
            "1" if door.relay_active_high else "0",
            name,
            os.pathsep.join([str(GUARD.parents[3]), *filter(None, sys.path)]),
        ]
        self._on_fault = on_fault
        self._limit_s = door.cap_s + KERNEL_MARGIN_S
        self._one_at_a_time = threading.RLock()
        self._is_open = False
        self._closed = False
        try:
            self._deadline = KernelDeadline()
        except OSError as error:
            raise GuardError(f"The relay of the {name} stays off: {error}.") from error
        self._process = self._start()

    @property
    def pid(self) -> int:
        """The guard's process id."""
        return self._process.pid

    def door_opens(self) -> None:
        """Tell the guard that the relay is about to go on, and return once it has answered.

        A guard that has died, or does not answer, is replaced. Raises GuardError.
        """
        with self._one_at_a_time:
            try:
                self._tell(b"o")
            except OSError as error:
                self._replace(error)
                self._on_fault(
                    GuardError(f"The {self._name}'s guard did not answer ({error}); a new guard replaces it.")
                )
                try:
                    self._tell(b"o")
                except OSError as again:
                    told = f"The relay of the {self._name} stays off: its guard does not answer ({again})."
                    raise GuardError(told) from again
            self._deadline.arm(self._limit_s)
            self._is_open = True

    def door_closed(self) -> None:
        """Tell the guard that the relay went off."""
        # At once: the guard may be waited for, and the door is closed.
        self._is_open = False
        self._deadline.disarm()
        with self._one_at_a_time:
            try:
                self._write(b"c")
            except OSError as error:
                # The relay is off; the next look, or the next opening, starts another guard.
                log.debug("The %s's guard has ended: %s", self._name, error)

    def look_after(self) -> None:
        """Replace a guard that does not answer; raises GuardError when it had to."""
        with self._one_at_a_time:
            if self._closed:
                return
            try:
                self._tell(b"p", LOOK_ANSWER_S)
            except OSError as error:
                self._replace(error)
                if self._is_open:
                    self._write(b"o")
                told = f"The {self._name}'s guard did not answer ({error}); a new guard replaces it."
                raise GuardError(told) from error

    def close(self) -> None:
        """End the guard."""
        with self._one_at_a_time:
            if not self._closed:
                self._closed = True
                self._end()
                self._deadline.close()

    def _replace(self, why: OSError) -> None:
        log.warning("The %s's guard does not answer (%s); starting another.", self._name, why)
        # What is stopped ends by no closed pipe.
        self._process.kill()
        self._end()
        self._process = self._start()

    def _start(self) -> "subprocess.Popen[bytes]":
        self._has_answered = False
        # The guard inherits the mask: what ends this whole session ends the guard only when the pipe closes.
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, ENDING_SIGNALS)
        try:
            return subprocess.Popen(  # noqa: S603  our own script, our own arguments
                self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0, start_new_session=True
            )
        except OSError as error:
            raise GuardError(f"The {self._name}'s guard does not start ({error}).") from error
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)

    def _tell(self, command: bytes, patience_s: float = ANSWER_S) -> None:
        """Write a command and wait until the guard repeats it; raises OSError."""
        if not self._has_answered:
            patience_s = FIRST_ANSWER_S
        self._write(command)
        answers = self._process.stdout
        assert answers is not None
        poll = select.poll()
        poll.register(answers, select.POLLIN)
        give_up_at = time.monotonic() + patience_s
        while True:
            if not poll.poll(max(give_up_at - time.monotonic(), 0) * 1000):
                raise TimeoutError(f"no answer within {patience_s:g} s")
            answer = os.read(answers.fileno(), 4096)
            if not answer:
                raise BrokenPipeError("the guard has ended")
            if command in answer:
                self._has_answered = True
                return

    def _write(self, command: bytes) -> None:
        assert self._process.stdin is not None
        if self._process.poll() is not None:
            raise BrokenPipeError("the guard has ended")
        self._process.stdin.write(command)

    def _end(self) -> None:
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            pipe.close()
        try:
            self._process.wait(END_WAIT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
