"""How a log line is written: whatever was logged, each message stays one line that no terminal obeys."""

from __future__ import annotations

import logging
from typing import Any

from intercom.plain_text import plain


class LogLines(logging.Formatter):
    """Formats records; far ends, services and devices name themselves, and their names get into messages."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - the name that logging gave it
        """The line, its message made plain."""
        record.message = plain(record.message)
        return super().formatMessage(record)

    def formatException(self, ei: Any) -> str:  # noqa: N802 - the same
        """The traceback, each of its lines made plain."""
        return "\n".join(plain(line) for line in super().formatException(ei).split("\n"))
