"""Format log lines: each message stays one line without control characters."""

from __future__ import annotations

import logging
from typing import Any

from intercom.plain_text import plain


class LogLines(logging.Formatter):
    """Formats records, which may quote the names that far ends, services and devices give themselves."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - the name that logging gave it
        """Return the message with its unprintable characters replaced."""
        record.message = plain(record.message)
        return super().formatMessage(record)

    def formatException(self, ei: Any) -> str:  # noqa: N802 - the same
        """Return the traceback with the unprintable characters of each line replaced."""
        return "\n".join(plain(line) for line in super().formatException(ei).split("\n"))
