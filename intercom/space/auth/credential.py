"""The file with which a device of the house signs in to the space."""

from __future__ import annotations

from pathlib import Path

import msgspec
from msgspec import Struct

from intercom import atomic_file


class SpaceCredential(Struct, frozen=True):
    """A device's credential for the space; the credential file holds it as JSON with mode 0600."""

    api_url: str
    """URL of the HTTP API."""
    relay_url: str
    """URL of the socket."""
    subscriber: str
    """The subscriber's reference, such as door."""
    device_secret: str
    """The device's own secret; a Bearer for POST /api/space/token."""
    certificate: str | None = None
    """The space's certificate as PEM, the only one to trust; None without TLS."""

    @property
    def encoded(self) -> bytes:
        """Return the content of the file."""
        return msgspec.json.format(msgspec.json.encode(self), indent=2)

    def write(self, path: Path, *, mode: int = 0o600) -> None:
        """Write the file with this mode, atomically, unless it holds the same already."""
        data = self.encoded
        try:
            if path.read_bytes() == data:
                path.chmod(mode)
                return
        except OSError:
            pass  # it is not there, or not readable: write it
        atomic_file.replace(path, data, mode=mode)


def read_credential(path: Path) -> SpaceCredential | None:
    """Return the credential in `path`; None when the file is absent or unreadable."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=SpaceCredential)
    except (OSError, msgspec.MsgspecError):
        return None
