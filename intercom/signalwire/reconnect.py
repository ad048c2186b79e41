"""When to try the socket again: a policy without I/O; time and randomness are parameters (protocol.md §3)."""

from __future__ import annotations

import enum
from collections.abc import Callable

# A cut cable that is plugged in again, or a service that restarts, is back within this.
FIRST_DELAY_S = 0.1
# The longest a house waits once its network is back.
LONGEST_DELAY_S = 3.0
# A host that answers at all opens a socket and authenticates within this.
ATTEMPT_TIMEOUT_S = 10.0
# A credential that was refused will not get better by asking at once; the owner may mend it meanwhile.
REFUSED_DELAY_S = 30.0
# A service that takes us and drops us at once is no success; delays go on growing.
STEADY_S = 0.2


class LinkState(enum.Enum):
    """Where the connection stands."""

    STOPPED = "stopped"
    """Nobody wants a connection."""
    CONNECTING = "connecting"
    """A socket is being opened."""
    AUTHENTICATING = "authenticating"
    """The socket is open, the session not yet."""
    READY = "ready"
    """Requests flow."""
    WAITING = "waiting"
    """The next attempt comes after a pause."""


class ReconnectPolicy:
    """Keeps trying as long as somebody wants a connection; there is no upper end of patience.

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
        """Somebody wants a connection."""
        if self.state is LinkState.STOPPED:
            self.failures = 0
            self.down_since = now
            self._attempt(now)

    def stop(self) -> None:
        """Nobody wants it any more."""
        self.state = LinkState.STOPPED
        self._deadline = None

    def socket_opened(self) -> None:
        """The attempt got as far as a socket; its deadline stays."""
        if self.state is LinkState.CONNECTING:
            self.state = LinkState.AUTHENTICATING

    def authenticated(self, now: float) -> float:
        """The session is ready; returns for how long there was none, in seconds."""
        if self.state is LinkState.STOPPED:
            return 0.0
        outage = now - self.down_since if self.down_since is not None else 0.0
        self.state = LinkState.READY
        self._ready_since = now
        self.down_since = None
        self._deadline = None
        return outage

    def failed(self, now: float, *, refused: bool = False) -> None:
        """The attempt failed, or the connection broke. `refused`: by the service, for its credential."""
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
        """The network is back, or the service asked for a fresh start: do not wait."""
        if self.state is not LinkState.STOPPED:
            if self.down_since is None:
                self.down_since = now
            self._attempt(now)

    def next_deadline(self) -> float | None:
        """When `tick` has something to do."""
        return self._deadline

    def tick(self, now: float) -> None:
        """Start the attempt that is due, or give up one that takes too long."""
        if self._deadline is None or now < self._deadline:
            return
        if self.state is LinkState.WAITING:
            self._attempt(now)
        else:
            self.failed(now)

    def _attempt(self, now: float) -> None:
        self.state = LinkState.CONNECTING
        self._deadline = now + ATTEMPT_TIMEOUT_S
