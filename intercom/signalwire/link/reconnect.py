"""Decides when to reconnect: a policy without I/O; time and randomness are parameters (protocol.md §3)."""

from __future__ import annotations

import enum
from collections.abc import Callable

FIRST_DELAY_S = 0.1
"""First retry interval: a replugged cable or a restarted service is back within it."""
LONGEST_DELAY_S = 3.0
"""Longest retry interval: a house waits no longer once its network is back."""
ATTEMPT_TIMEOUT_S = 10.0
"""Time limit of an attempt: a live host opens a socket and authenticates within it."""
REFUSED_DELAY_S = 30.0
"""Retry interval after a refused credential, which the owner may renew meanwhile."""
STEADY_S = 0.2
"""Time after which a connection counts as lasting; until then the retry intervals go on growing."""


class LinkState(enum.Enum):
    """The state of the connection."""

    STOPPED = "stopped"
    """The client wants no connection."""
    CONNECTING = "connecting"
    """A socket is being opened."""
    AUTHENTICATING = "authenticating"
    """The socket is open, and the session is not authenticated yet."""
    READY = "ready"
    """The session is authenticated and sends requests."""
    WAITING = "waiting"
    """The next attempt comes after a pause."""


class ReconnectPolicy:
    """Retries without end while the client wants a connection.

    Delays double from `FIRST_DELAY_S` to `longest_delay_s`, with equal jitter (half fixed, half random), and
    start anew after every connection that lasts. `random` returns floats in [0, 1).
    """

    def __init__(self, random: Callable[[], float], longest_delay_s: float = LONGEST_DELAY_S) -> None:
        self.state = LinkState.STOPPED
        self.failures = 0
        self.down_since: float | None = None
        self._random = random
        self._longest_delay_s = longest_delay_s
        self._deadline: float | None = None
        self._ready_since = 0.0

    def start(self, now: float) -> None:
        """Start connecting."""
        if self.state is LinkState.STOPPED:
            self.failures = 0
            self.down_since = now
            self._attempt(now)

    def stop(self) -> None:
        """Stop connecting."""
        self.state = LinkState.STOPPED
        self._deadline = None

    def socket_opened(self) -> None:
        """Note that the attempt opened a socket; its deadline stays."""
        if self.state is LinkState.CONNECTING:
            self.state = LinkState.AUTHENTICATING

    def authenticated(self, now: float) -> float:
        """Note that the session is ready; return the length of the outage in seconds."""
        if self.state is LinkState.STOPPED:
            return 0.0
        outage = now - self.down_since if self.down_since is not None else 0.0
        self.state = LinkState.READY
        self._ready_since = now
        self.down_since = None
        self._deadline = None
        return outage

    def failed(self, now: float, *, refused: bool = False) -> None:
        """Schedule a retry: the attempt or connection failed; `refused`: the service rejected the credential."""
        if self.state in {LinkState.STOPPED, LinkState.WAITING}:
            return
        if self.state is LinkState.READY and now - self._ready_since >= STEADY_S:
            self.failures = 0
        if self.down_since is None:
            self.down_since = now
        delay = min(FIRST_DELAY_S * 2 ** min(self.failures, 16), self._longest_delay_s)
        if refused:
            delay = REFUSED_DELAY_S
        self.failures += 1
        self.state = LinkState.WAITING
        self._deadline = now + delay / 2 + delay / 2 * self._random()

    def retry_now(self, now: float) -> None:
        """Retry at once: the network is back, or the service asked for a new connection."""
        if self.state is not LinkState.STOPPED:
            if self.down_since is None:
                self.down_since = now
            self._attempt(now)

    def next_deadline(self) -> float | None:
        """Return the time of the next `tick`."""
        return self._deadline

    def tick(self, now: float) -> None:
        """Start an attempt that is due, or give up one that takes too long."""
        if self._deadline is None or now < self._deadline:
            return
        if self.state is LinkState.WAITING:
            self._attempt(now)
        else:
            self.failed(now)

    def _attempt(self, now: float) -> None:
        self.state = LinkState.CONNECTING
        self._deadline = now + ATTEMPT_TIMEOUT_S
