"""Logs requests that failed inside the server: one line each, and seldom, for strangers cause them at will."""

from __future__ import annotations

import logging
import traceback
from typing import Final

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from intercom.space.http.rate_limited_log import Seldom

logger = logging.getLogger(__name__)

_STRANGERS: Final = (HttpProcessingError, web.RequestPayloadError, ConnectionError)
"""Exceptions that clients cause by malformed or broken-off requests: they are no failure of ours."""
REASON_LIMIT_CHARS: Final = 200
"""Limit of the exception's text in a log line."""


def request_log(seldom: Seldom | None = None) -> logging.Logger:
    """Return a logger for `aiohttp.web.AppRunner`, which logs a traceback of some thirty lines for each failure."""
    log = logging.Logger("aiohttp.requests")
    log.addFilter(_OneLine(seldom or Seldom(logger)))
    return log


class _OneLine(logging.Filter):
    """Replaces each record by one line, seldom; the traceback is logged at level debug."""

    def __init__(self, seldom: Seldom) -> None:
        super().__init__()
        self._seldom = seldom

    def filter(self, record: logging.LogRecord) -> bool:
        problem = record.exc_info[1] if record.exc_info else None
        if problem is None or isinstance(problem, _STRANGERS):
            logger.debug(
                "A request that cannot be read, or an answer that nobody takes: %s",
                ascii(record.getMessage())[:REASON_LIMIT_CHARS],
            )
            return False
        where = traceback.extract_tb(problem.__traceback__)[-1]
        place = f"{where.filename.rpartition('/')[2]}:{where.lineno}"
        reason = ascii(str(problem))[:REASON_LIMIT_CHARS]
        self._seldom.warn(place, "A request failed in %s: %s %s", place, type(problem).__name__, reason)
        logger.debug("How it failed", exc_info=problem)
        return False
