"""The panel's end of the guard process (`guard.py`)."""

import logging
import os
import signal
import subprocess
import sys
from pathlib import Path

from intercom.config import DoorConfig
from intercom.panel.errors import GuardError

log = logging.getLogger(__name__)

GUARD = Path(__file__).with_name("guard.py")

ENDING_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)

END_WAIT_S = 1.0
"""How long the guard may take to end once the panel has."""


class Guard:
    """Starts the guard process and tells it when the door is open."""

    def __init__(self, door: DoorConfig, *, simulated: bool) -> None:
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
            os.pathsep.join([str(GUARD.parents[2]), *filter(None, sys.path)]),
        ]
        self._process = self._start()

    @property
    def pid(self) -> int:
        """The guard's process id."""
        return self._process.pid

    def door_opens(self) -> None:
        """Tell the guard, before the relay goes on; a guard that has died is started again.

        Raises GuardError.
        """
        try:
            self._write(b"o")
        except OSError:
            log.warning("The door's guard had ended (%s); starting another.", self._process.poll())
            self._end()
            self._process = self._start()
            try:
                self._write(b"o")
            except OSError as error:
                raise GuardError(f"The door stays closed: its guard does not run ({error}).") from error

    def door_closed(self) -> None:
        """Tell the guard, after the relay went off."""
        try:
            self._write(b"c")
        except OSError as error:
            # The relay is off; the next opening starts another guard.
            log.debug("The door's guard has ended: %s", error)

    def close(self) -> None:
        """End the guard."""
        self._end()

    def _start(self) -> "subprocess.Popen[bytes]":
        # The guard inherits the mask: what ends this whole session ends the guard only when the pipe closes.
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, ENDING_SIGNALS)
        try:
            return subprocess.Popen(  # noqa: S603  our own script, our own arguments
                self._command, stdin=subprocess.PIPE, bufsize=0, start_new_session=True
            )
        except OSError as error:
            raise GuardError(f"The door's guard does not start ({error}).") from error
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)

    def _write(self, command: bytes) -> None:
        assert self._process.stdin is not None
        if self._process.poll() is not None:
            raise BrokenPipeError("the guard has ended")
        self._process.stdin.write(command)

    def _end(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            self._process.wait(END_WAIT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
