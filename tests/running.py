"""A command that runs until Ctrl-C, and what it says meanwhile."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

WAIT_S = 120.0
"""Longer than any command takes to start on a loaded machine; nothing waits for it when all is well."""


class Running:
    """The process, in a group of its own, as a terminal does it."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str], folder: Path | None = None) -> None:
        self.process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=environment,
            cwd=folder,
            start_new_session=True,
        )
        self.output = ""
        self._changed = threading.Condition()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            with self._changed:
                self.output += line
                self._changed.notify_all()

    def wait_for(self, text: str) -> None:
        """Wait until it has said this."""
        with self._changed:
            assert self._changed.wait_for(lambda: text in self.output, WAIT_S), self.output

    def interrupt(self) -> None:
        """Press Ctrl-C, and wait until it has stopped."""
        os.killpg(self.process.pid, signal.SIGINT)
        self.process.wait(WAIT_S)
        self._reader.join(WAIT_S)

    def kill(self) -> None:
        """End it and whatever it started."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(WAIT_S)
