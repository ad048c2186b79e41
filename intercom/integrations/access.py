"""The joint between the door and the integrations: all that an integration sees of the door, and what the door asks.

An integration's package has a function `build` (`Build` below). The door imports the package once it is configured,
builds, starts and stops it, and starts it again after a failure (`intercom/door/integrations.py`).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from msgspec import Struct

from intercom.config import Config
from intercom.control.commands import Handler
from intercom.history.families import Family
from intercom.history.journal import Entry, Listener
from intercom.media.camera.shared import Camera
from intercom.media.sound.beside import BesideCall
from intercom.opening.decision import Way


class Command(NamedTuple):
    """A command of the running door, as other systems of the house may ask for it."""

    parameters: type[Struct]
    """What it takes."""
    answer: Any
    """Type of its answer, which is JSON."""
    about: str
    """What it does, in one sentence."""
    role: str
    """Least of `PROGRAM_ROLES` that may ask for it; empty: no other system may."""
    looks: bool = False
    """Whether it only looks, and changes nothing."""


class Program(NamedTuple):
    """Somebody who asks through an integration."""

    name: str
    """Name for the log and the call log, safe to show: for example "API (shed)"."""
    way: Way
    """Way by which they ask for the door."""


class Access(Protocol):
    """The door, as one integration sees it. Belongs to the event loop."""

    @property
    def commands(self) -> Mapping[str, Command]:
        """Return the commands, by their names at the control socket."""

    @property
    def cursor(self) -> int:
        """Return the number of the last fact; 0 before the first."""

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Call `listener` with each fact from now on; return the function that ends this.

        The listener must not block. One that raises is a failure of the integration. It is not told of the faults of
        its own integration: to tell them where things fail would make more of them, for ever.
        """

    def since(self, cursor: int) -> list[Entry]:
        """Return the kept facts after this cursor, the oldest first; a gap in the numbers means that some are gone."""

    @property
    def status(self) -> Callable[[], dict[str, Any]]:
        """Returns the status document."""

    async def ask(self, command: str, params: Mapping[str, Any], *, caller: Program) -> Any:
        """Carry out a command of the control socket and return its answer.

        Raises RefusedError, with the same sentence and code as over the control socket.
        """

    @property
    def snapshot(self) -> Callable[[], Awaitable[bytes]]:
        """Returns the camera's present picture as JPEG; raises OSError when there is none."""

    @property
    def camera(self) -> Camera | None:
        """The camera that everybody shares, for its live pictures; None if it is configured off."""

    @property
    def sound(self) -> BesideCall:
        """The microphone and the loudspeaker, beside the call."""

    @property
    def press_picture(self) -> Callable[[], Awaitable[bytes]]:
        """Returns the picture of who rings, as JPEG, once it is taken; raises OSError when there is none."""

    def offer(self, command: str, handler: Handler) -> None:
        """Carry out one more command of the control socket, until the integration is stopped."""

    def broken(self, why: str) -> None:
        """Report as a fault that something outside does not work; the integration itself goes on."""

    def works(self) -> None:
        """Report that it works again."""

    def failed(self, error: BaseException) -> None:
        """Report a defect: the door stops the integration, and builds and starts a new one after a pause."""

    def close(self) -> None:
        """End all subscriptions and offers; the door does this before it stops the integration."""


class Integration(Protocol):
    """One integration that was built. It does nothing before `start`."""

    async def start(self) -> None:
        """Start, within seconds; what it raises shows as a fault, and the door tries again.

        What may take longer, such as reaching another machine, is a task of its own.
        """

    async def stop(self) -> None:
        """Stop, however far `start` came."""

    def document(self) -> Mapping[str, Any]:
        """Return what the status says of it, as JSON without a secret."""

    def figures(self) -> Iterable[Family]:
        """Return its figures for Prometheus; their labels have few values, and none that somebody outside chooses."""


Build = Callable[[Config, Path, Access], Integration]
"""Builds an integration from the configuration and the door's state directory."""
