"""The other end of a service's line to systemd: a datagram socket that a test reads."""

from __future__ import annotations

import socket
import tempfile
from pathlib import Path
from types import TracebackType

LIMIT_S = 90.0


class SystemdLine:
    """Hears what a service tells systemd."""

    def __enter__(self) -> SystemdLine:
        self._folder = tempfile.TemporaryDirectory(prefix="systemd-line-")
        self.address = str(Path(self._folder.name) / "notify")
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(self.address)
        self._socket.settimeout(LIMIT_S)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._socket.close()
        self._folder.cleanup()

    def next(self) -> list[str]:
        """Return the assignments of the next message."""
        return self._socket.recv(4096).decode().split("\n")

    def until(self, assignment: str) -> list[str]:
        """Return all that was said up to the message that holds this assignment."""
        said: list[str] = []
        while assignment not in said:
            said += self.next()
        return said

    def quiet_for(self, seconds: float) -> bool:
        """Return whether nothing is said for so long."""
        self._socket.settimeout(seconds)
        try:
            return not self.next()
        except TimeoutError:
            return True
        finally:
            self._socket.settimeout(LIMIT_S)

    def heard(self) -> list[str]:
        """Return what was said and not read yet."""
        said: list[str] = []
        self._socket.setblocking(False)
        try:
            while True:
                said += self.next()
        except BlockingIOError:
            return said
        finally:
            self._socket.settimeout(LIMIT_S)
