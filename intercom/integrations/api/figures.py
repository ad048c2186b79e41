"""Counts the requests to the API by what became of them, whoever refused them."""

from __future__ import annotations

from collections import Counter
from typing import Final

from aiohttp import web

from intercom.history.families import Family, each

DONE, REFUSED, FORBIDDEN, LIMITED, WRONG, FAILED = "done", "refused", "forbidden", "limited", "wrong", "failed"
RESULTS: Final = (DONE, REFUSED, FORBIDDEN, LIMITED, WRONG, FAILED)
"""What becomes of a request: it is done; the door cannot do it now; the token is missing or its role is not enough; it
is one too many; it makes no sense; something of the door does not work."""
_OF_STATUS: Final = {401: FORBIDDEN, 403: FORBIDDEN, 409: REFUSED, 429: LIMITED}


def result_of(status: int) -> str:
    """Return what became of a request that was answered with this HTTP status."""
    if status < 400:
        return DONE
    return FAILED if status >= 500 else _OF_STATUS.get(status, WRONG)


class Requests:
    """The requests since the start. Belongs to the event loop."""

    def __init__(self) -> None:
        self._results: Counter[str] = Counter()

    async def count(self, _: web.Request, answer: web.StreamResponse) -> None:
        """Count an answer, as its head goes out: a stream may go on for days."""
        self._results[result_of(answer.status)] += 1

    def family(self) -> Family:
        """Return their figure."""
        results = ((result, self._results[result]) for result in RESULTS)
        about = "Requests to the HTTP API, by what became of them."
        return each("intercom_api_requests_total", "counter", about, "result", results)
