"""Listen to what a service answers to apprise, which itself tells only whether it worked.

Reasons are words of ours: what a service, or a library, says may hold the secrets of the URL.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

import requests

from intercom.notify.message import Outcome

LONGEST_PAUSE_S = 600.0
"""Limit of the pause that a service may ask for."""
_REFUSED = {
    401: "it refused us (401): are the user, the password or the token right?",
    403: "it refused us (403): are the user, the password or the token right?",
    404: "there is no such place (404): is its url right?",
    429: "it wants fewer messages (429)",
}
_TRANSIENT = (408, 425, 429)
_NETWORK = (
    (r"MemoryError", "it answered with more than fits into the memory", True),
    (r"certificate", "its certificate is not trusted, or not for this name", False),
    (r"WRONG_VERSION|SSLError|SSL:", "it does not speak TLS there", False),
    (
        r"Name or service not known|NameResolution|Temporary failure in name|No address associated",
        "its name is not known",
        True,
    ),
    (r"refused", "nothing listens there", True),
    (r"timed? ?out", "it did not answer in time", True),
    (r"unreachable|No route", "there is no way to it in this network", True),
    (r"reset|closed|aborted|disconnected|EOF", "it broke the connection", True),
    (r"\b53[045]\b|[Aa]uthenticat", "it refused the user or the password", False),
    (r"\b5\.7\.|\b55[0-4]\b|Recipient|Sender", "it refused the message or its recipient", False),
)
"""Pattern in what a library says, our words for it, and whether another attempt may succeed."""


class WireTap(logging.Handler):
    """Remembers the answers to requests, and what apprise logs, while it is entered. Adds headers to each request."""

    def __init__(self, headers: Mapping[str, str]) -> None:
        super().__init__(logging.DEBUG)
        self._headers = headers
        self._send = requests.Session.send
        self._logger = logging.getLogger("apprise")
        self.begin()

    def begin(self) -> None:
        """Forget what was heard."""
        self._status: int | None = None
        self._pause_s = 0.0
        self._said: list[str] = []

    def __enter__(self) -> Self:
        tap, send = self, self._send

        def tapped(session: requests.Session, request: requests.PreparedRequest, **options: Any) -> requests.Response:
            request.headers.update(tap._headers)
            try:
                response = send(session, request, **options)
            except Exception as error:
                tap._status = None
                tap._said.append(repr(error))
                raise
            tap._status = response.status_code
            tap._pause_s = _pause_s(response.headers.get("Retry-After", ""))
            return response

        requests.Session.send = tapped  # apprise has no other way to hear the answer
        self._logger.addHandler(self)
        self._logger.setLevel(logging.DEBUG)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        requests.Session.send = self._send
        self._logger.removeHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        """Remember what apprise logs of an error; what else it logs is the message itself."""
        if re.search(r"xception|rror", said := record.getMessage()):
            self._said.append(said)

    @property
    def may_dislike_the_picture(self) -> bool:
        """Whether the message alone might have been taken."""
        if self._status is None:
            return not self._network()
        return 400 <= self._status < 500 and self._status not in (401, 403, 404)

    @property
    def outcome(self) -> Outcome:
        """What became of an attempt that failed."""
        status = self._status
        if status is None or 200 <= status < 300:
            why, again = self._network() or ("it did not take the message", True)
            return Outcome(arrived=False, why=why, again=again)
        again = status >= 500 or status in _TRANSIENT
        if status in _REFUSED:
            why = _REFUSED[status]
        elif 300 <= status < 400:
            why = f"it sent us elsewhere ({status}): write that address into its url"
        elif status >= 500:
            why = f"it has trouble of its own ({status})"
        else:
            why = f"it refused the message ({status})"
        return Outcome(arrived=False, why=why, again=again, after_s=self._pause_s if again else 0.0)

    def _network(self) -> tuple[str, bool] | None:
        said = "\n".join(self._said)
        return next(((why, again) for pattern, why, again in _NETWORK if re.search(pattern, said)), None)


def _pause_s(text: str) -> float:
    return min(float(text), LONGEST_PAUSE_S) if re.fullmatch(r"[0-9]{1,6}", text) else 0.0
