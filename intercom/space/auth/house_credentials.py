"""The credentials of the house's own doors, each in a file that follows the space's addresses and certificate."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from intercom.space.auth.credential import SpaceCredential, read_credential
from intercom.space.errors import TokenError
from intercom.space.store.records import Subscriber
from intercom.space.store.store import Store


class HouseCredentials:
    """Makes the credentials, and keeps the files that hold them valid.

    :param urls: returns the URLs of the API and of the socket now.
    :param pinned: returns the certificate that a device has to trust, as PEM; None without TLS.
    """

    def __init__(self, store: Store, *, urls: Callable[[], tuple[str, str]], pinned: Callable[[], str | None]) -> None:
        self._store = store
        self._urls = urls
        self._pinned = pinned
        self._files: dict[str, tuple[Path, str, bool]] = {}

    def enrol(self, reference: str, display_name: str) -> SpaceCredential:
        """Return a new credential for one device of the subscriber `reference`, made as a door if new."""
        subscriber = self._store.add_subscriber(reference, display_name, kind="door")
        return self._credential(subscriber, self._store.add_device(subscriber, display_name))

    def keep(self, reference: str, path: Path, *, display_name: str, for_group: bool = False) -> None:
        """Have a valid credential of `reference` in the file `path` from the space's start on; see `write`."""
        self._files[reference] = (path, display_name, for_group)

    def write(self, reference: str, path: Path, *, display_name: str, for_group: bool) -> None:
        """Write a valid credential of `reference` to the file `path` (mode 0600, or 0640 `for_group`).

        A secret in it that still holds is kept, and a file that says all of it already is not written.
        """
        credential = self.of(reference, read_credential(path), display_name=display_name)
        credential.write(path, mode=0o640 if for_group else 0o600)
        self.keep(reference, path, display_name=display_name, for_group=for_group)

    def write_again(self) -> None:
        """Write each file whose credential has changed."""
        for reference, (path, display_name, for_group) in self._files.items():
            self.write(reference, path, display_name=display_name, for_group=for_group)

    def of(self, reference: str, found: SpaceCredential | None, *, display_name: str) -> SpaceCredential:
        """Return a valid credential of `reference`: with the secret of the found one, if still valid."""
        credential = None
        if found is not None and found.subscriber == reference:
            try:
                credential = self._credential(self._store.owner_of(found.device_secret), found.device_secret)
            except TokenError:
                credential = None
        if credential is None or credential.subscriber != reference:
            credential = self.enrol(reference, display_name or reference.capitalize())
        return credential

    def _credential(self, subscriber: Subscriber, secret: str) -> SpaceCredential:
        return SpaceCredential(*self._urls(), subscriber.reference, secret, self._pinned())
