"""Report the service's state to systemd: ready, its status in words, alive, stopping (sd_notify(3), `Type=notify`).

Our own: the protocol is one datagram of text, and the libraries for it are either bindings that need a compiler or have
not been touched for years.
"""

from __future__ import annotations

import os
import socket
from collections.abc import MutableMapping

STATUS_CHARS = 200
"""Limit of the status in characters: one line in `systemctl status`."""
SLOW_START_S = 60
"""Time limit of a start, from its beginning, beyond the unit's own timeout: a Zero on a worn card reads slowly."""


class Notifier:
    """Sends one service's reports to systemd; without systemd it sends nothing.

    Takes what names the line out of `environ`, so that no child process (the relay's guard, the TURN server) can speak
    for us. Never blocks and never raises: a message that systemd has no room for is dropped, the next one counts.
    """

    def __init__(self, environ: MutableMapping[str, str], *, pid: int | None = None) -> None:
        self.watchdog_s = _watchdog_s(environ, os.getpid() if pid is None else pid)
        "longest interval between two signs of life that systemd allows; None: it asks for none"
        self._address = environ.pop("NOTIFY_SOCKET", "")
        self._said = ""
        self._socket: socket.socket | None = None
        if self._address.startswith("@"):
            self._address = "\0" + self._address[1:]

    def starting(self) -> None:
        """Report that the program runs and builds its parts."""
        self._tell("STATUS=starting", f"EXTEND_TIMEOUT_USEC={SLOW_START_S * 1_000_000}")

    def ready(self) -> None:
        """Report that the service works, or retries by itself until it can."""
        self._tell("READY=1")

    def status(self, text: str) -> None:
        """Report the service's present activity in one line."""
        line = " ".join(text.split())[:STATUS_CHARS]
        if line != self._said:
            self._said = line
            self._tell(f"STATUS={line}")

    def alive(self) -> None:
        """Report that everything makes progress."""
        self._tell("WATCHDOG=1")

    def stopping(self) -> None:
        """Report that the service ends in order."""
        self._tell("STOPPING=1", "STATUS=stopping")

    def close(self) -> None:
        """Close the socket to systemd."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None
        self._address = ""

    def _tell(self, *assignments: str) -> None:
        if not self._address:
            return
        try:
            if self._socket is None:
                self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
                self._socket.setblocking(False)
            self._socket.sendto("\n".join(assignments).encode(), self._address)
        except OSError:
            # Nobody would read a report of this; systemd acts by itself when the watchdog is not fed.
            self._said = ""


def _watchdog_s(environ: MutableMapping[str, str], pid: int) -> float | None:
    usec, for_pid = environ.pop("WATCHDOG_USEC", ""), environ.pop("WATCHDOG_PID", "")
    if not usec.isdecimal() or int(usec) == 0 or (for_pid and for_pid != str(pid)):
        return None
    return int(usec) / 1_000_000
