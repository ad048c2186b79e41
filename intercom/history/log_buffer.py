"""Keep the last lines of the log in memory, so that `intercom log` shows them with or without a journal."""

from __future__ import annotations

import logging
from collections import deque
from datetime import UTC, datetime

from intercom.service.log_lines import LogLines

LINES_KEPT = 2000
"""Limit of lines: a day of a quiet door, an hour of a troubled one; half a megabyte at the most."""
LINE_LIMIT = 2000
"""Limit of one line in characters; a longer traceback is cut."""


class RecentLog(logging.Handler):
    """Keeps the last lines that were logged."""

    def __init__(self) -> None:
        super().__init__()
        self.setFormatter(LogLines())
        self._lines: deque[str] = deque(maxlen=LINES_KEPT)

    def emit(self, record: logging.LogRecord) -> None:
        """Keep one line."""
        when = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        self._lines.append(f"{when} {record.levelname} {record.name}: {self.format(record)}"[:LINE_LIMIT])

    def lines(self, limit: int) -> list[str]:
        """Return the last lines, the oldest first."""
        return list(self._lines)[-limit:] if limit else []
