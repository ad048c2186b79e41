"""Holds what the exchange has to send, in order; what nobody waits for comes after what somebody does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Send:
    """A frame to send."""

    link: str
    "The link to send it on."
    text: str
    "The frame."


@dataclass(frozen=True, slots=True)
class Close:
    """A link to close."""

    link: str
    "The link."
    code: int
    "WebSocket close code."
    reason: str
    "One sentence for the far side."


class Outbox:
    """The frames to send and links to close, and work that was put off until the frames before it are on their way."""

    def __init__(self) -> None:
        self._out: list[Send | Close] = []
        self._put_off: list[Callable[[], None]] = []

    def add(self, output: Send | Close) -> None:
        """Add a frame or a link to close."""
        self._out.append(output)

    def put_off(self, work: Callable[[], None]) -> None:
        """Do this work, which sends frames, at the next `catch_up`."""
        self._put_off.append(work)

    @property
    def is_behind(self) -> bool:
        """Whether work was put off."""
        return bool(self._put_off)

    def catch_up(self) -> None:
        """Do the work that was put off; to be called before anything else changes what it speaks of."""
        work, self._put_off = self._put_off, []
        for one in work:
            one()

    def take(self) -> list[Send | Close]:
        """Return what was added since the last call, in order, without the frames of the work that was put off."""
        out, self._out = self._out, []
        return out
