"""The file with which a device of the house signs in to the space."""

from __future__ import annotations

from pathlib import Path

import msgspec
from msgspec import Struct

from intercom import durable


class SpaceCredential(Struct, frozen=True):
    """What a device needs to sign in; as JSON with mode 0600 it is the credential file."""

    api_url: str
    """Where the HTTP API is."""
    relay_url: str
    """Where the socket is."""
    subscriber: str
    """The subscriber's reference, such as door."""
    device_secret: str
    """The device's own secret; a Bearer for POST /api/space/token."""
    certificate: str | None = None
    """The space's certificate as PEM, the only one to trust; None without TLS."""

    @property
    def encoded(self) -> bytes:
        """The content of the file."""
        return msgspec.json.format(msgspec.json.encode(self), indent=2)

    def write(self, path: Path, *, mode: int = 0o600) -> None:
        """Write the file with this mode, atomically; not at all when it holds just this already."""
        data = self.encoded
        try:
            if path.read_bytes() == data:
                path.chmod(mode)
                return
        except OSError:
            pass  # it is not there, or not readable: write it
        durable.replace(path, data, mode=mode)


def read_credential(path: Path) -> SpaceCredential | None:
    """The credential in `path`; None when there is none that can be read."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=SpaceCredential)
    except (OSError, msgspec.MsgspecError):
        return None
