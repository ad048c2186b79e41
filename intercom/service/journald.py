"""Write the log to systemd's journal: one entry a message, with its priority and its fields.

`journalctl -u intercom -p warning` shows what was bad, `journalctl LOGGER=intercom.media.sound.engine` one part's
messages. Protocol: https://systemd.io/JOURNAL_NATIVE_PROTOCOL/; fields: systemd.journal-fields(7).
"""

from __future__ import annotations

import logging
import os
import socket
import struct
import sys
from collections.abc import Mapping
from pathlib import Path

SOCKET = Path("/run/systemd/journal/socket")
STDERR = 2
"""Descriptor of standard error."""
MESSAGE_CHARS = 16_000
"""Limit of a message in characters: a traceback fits, and a datagram of this size always does."""
_PRIORITIES = ((logging.CRITICAL, 2), (logging.ERROR, 3), (logging.WARNING, 4), (logging.INFO, 6))
"""Priorities of syslog(3): critical, error, warning, informational; anything below is 7, debug."""


def is_journal(descriptor: int, environ: Mapping[str, str]) -> bool:
    """Return whether this descriptor leads to the journal: a terminal's programs inherit only the variable."""
    try:
        about = os.fstat(descriptor)
    except OSError:
        return False
    return environ.get("JOURNAL_STREAM") == f"{about.st_dev}:{about.st_ino}"


def mark_of_error() -> str:
    """Return the prefix that marks a line on standard error as an error for the journal; empty anywhere else."""
    return f"<{priority(logging.ERROR)}>" if is_journal(STDERR, os.environ) else ""


def priority(level: int) -> int:
    """Return the syslog priority of a level of `logging`."""
    return next((number for least, number in _PRIORITIES if level >= least), 7)


class JournalHandler(logging.Handler):
    """Sends each record to the journal, or to standard error with its priority while the journal is unreachable."""

    def __init__(self, path: Path = SOCKET) -> None:
        super().__init__()
        self._path = path
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
        # A journal that is behind must not stop the event loop.
        self._socket.setblocking(False)

    def emit(self, record: logging.LogRecord) -> None:
        """Send one record."""
        text = self.format(record)[:MESSAGE_CHARS]
        try:
            self._socket.sendto(entry(record, text), str(self._path))
        except OSError:
            mark = f"<{priority(record.levelno)}>"
            sys.stderr.write("".join(f"{mark}{line}\n" for line in text.splitlines()))

    def close(self) -> None:
        """Close the socket to the journal."""
        self._socket.close()
        super().close()


def entry(record: logging.LogRecord, text: str) -> bytes:
    """Encode a record as one entry of the journal."""
    fields = {
        "MESSAGE": text,
        "PRIORITY": str(priority(record.levelno)),
        "SYSLOG_IDENTIFIER": "intercom",
        "LOGGER": record.name,
        "THREAD_NAME": record.threadName or "",
        "CODE_FILE": record.pathname,
        "CODE_LINE": str(record.lineno),
        "CODE_FUNC": record.funcName or "",
    }
    if record.exc_info and record.exc_info[0] is not None:
        fields["EXCEPTION"] = record.exc_info[0].__name__
    return b"".join(_field(name, value) for name, value in fields.items())


def _field(name: str, value: str) -> bytes:
    data = value.encode("utf-8", "replace")
    if b"\n" not in data:
        return name.encode() + b"=" + data + b"\n"
    return name.encode() + b"\n" + struct.pack("<Q", len(data)) + data + b"\n"
