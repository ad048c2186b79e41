"""Manages a space's members from another process than the space's: `intercom space pair`, `devices`, `remove`.

Both work on the same database. A running space notices within a second what was changed here (`Space`).
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final, Self

from intercom.space.auth.pairing import UNNAMED, Invitation, PairingCodes
from intercom.space.errors import AddressError, DoorError, NoSpaceError
from intercom.space.shown_name import shown_name
from intercom.space.store.records import Device
from intercom.space.store.store import DATABASE, Store
from intercom.space.viewers.tokens import ViewerTokens

PATIENCE_S: Final = 5.0
"""Time limit for a command to wait for the running space: a slow card takes a second for one change."""
ANSWER_LIMIT_S: Final = 2.0
"""Time limit for a space on this machine to accept a connection."""


class Membership:
    """The members of a space, read and changed in its database.

    :param state_dir: the space's state directory.
    :param wall: the time of day, seconds since 1970.
    Raises `NoSpaceError` when no space was ever there and `StoreError` when its database cannot be used.
    """

    def __init__(self, state_dir: Path, *, wall: Callable[[], float] = time.time) -> None:
        self._state_dir = state_dir
        if not (state_dir / DATABASE).exists():
            raise NoSpaceError(
                f"There is no space in {state_dir}; start it with `intercom space`, or name its directory "
                "with --state-dir."
            )
        self._store = Store(state_dir / DATABASE, now=wall, patience_s=PATIENCE_S)
        self._codes = PairingCodes(self._store, now=wall)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._store.close()

    def invite(self, *, name: str = UNNAMED) -> Invitation:
        """Return an invitation to the running space; raises `NoSpaceError` when none runs."""
        place = self._store.place()
        if place is None or not answers(place.host, place.port):
            raise NoSpaceError(f"No space runs in {self._state_dir}; start it with `intercom space`, then pair.")
        return self._codes.invite(place.url, name=name)

    @property
    def trust_url(self) -> str:
        """URL at which devices learn to trust the running space; empty while it hands nothing out."""
        return self._store.trust_url()

    def devices(self) -> list[Device]:
        """Return the devices that can sign in, by address."""
        return self._store.devices()

    def remove(self, who: str, *, even_a_door: bool = False) -> Device:
        """Remove a member, named by display name, address or the address's last part; return the removed subscriber.

        Its secrets, tokens and pairing codes are worth nothing at once; its socket and calls end within a second.
        Raises `AddressError` when nobody is called so, or several are, and `DoorError` when it is a door and that was
        not said.
        """
        devices = self._store.devices()
        found = [device for device in devices if who in {device.address, device.reference}]
        found = found or [device for device in devices if device.name == who]
        if not found:
            raise AddressError(f"Nobody in this space is called {who!r}; `intercom space devices` lists who is there.")
        if len(found) > 1:
            several = ", ".join(device.address for device in found)
            raise AddressError(f"Several are called {who!r}; say which: {several}.")
        if found[0].kind == "door" and not even_a_door:
            raise DoorError(
                f"{shown_name(who, '')} is a door ({found[0].address}): without it nobody can ring there. "
                "Nothing was changed; say --force to throw it out all the same."
            )
        self._store.remove_subscriber(found[0].reference)
        return found[0]

    @property
    def viewers(self) -> ViewerTokens:
        """The viewers with a token."""
        return self._store.viewers

    @property
    def url(self) -> str:
        """URL of the space, without a slash at the end; empty when it was never served."""
        place = self._store.place()
        return "" if place is None else place.url

    def invited_by(self, gone: Device) -> list[Device]:
        """Return the devices that a device has invited; they stay when it is removed."""
        return [device for device in self._store.devices() if device.invited_by == gone.reference]


def answers(host: str, port: int) -> bool:
    """Return whether something on this machine accepts connections there."""
    try:
        socket.create_connection((host, port), ANSWER_LIMIT_S).close()
    except OSError:
        return False
    return True
