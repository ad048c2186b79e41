"""The interface through which the switchboard looks up addresses; the store is one."""

from __future__ import annotations

from typing import Protocol


class AddressBook(Protocol):
    """Looks up addresses for the switchboard; the store is one."""

    def ringing_at(self, name: str) -> list[str] | None:
        """Return the ids of the subscribers at `name`; None when there is no such address."""

    def display_name(self, name: str) -> str:
        """Return the display name of the address `name`."""
