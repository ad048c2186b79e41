"""The commands' side of the control socket: plain sockets and no event loop, so that a command starts fast."""

from __future__ import annotations

import socket
import struct
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from intercom.control import protocol
from intercom.control.errors import NotAnsweringError, NotPermittedError, NotRunningError
from intercom.control.place import reachable

HELLO_S = 5.0
"""Limit of the wait for the server's hello, which takes milliseconds, and seconds on a machine that is busy."""
ANSWER_S = 12.0
"""Limit of the wait for an answer: the server itself gives up after 10 s and says so."""
CHUNK_BYTES = 65_536
"""Limit of bytes read at once."""
_CREDENTIALS = struct.Struct("3i")


class Client:
    """A connection to the service; a context manager.

    Raises NotRunningError, NotPermittedError, NotAnsweringError, ForeignSpeechError.
    """

    def __init__(self, path: Path, *, hello_s: float = HELLO_S) -> None:
        self.path = path
        self._lines = protocol.Lines(protocol.ANSWER_LIMIT_BYTES)
        self._waiting: list[bytes] = []
        self._asked = 0
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._deadline = time.monotonic() + hello_s
        try:
            self._connect(hello_s)
            self.hello = protocol.check_hello(protocol.parse_answer(self._line()))
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the connection."""
        self._socket.close()

    def ask(self, method: str, **params: Any) -> Any:
        """Ask the service and return its answer; RefusedError with its reason if it refuses."""
        self._asked += 1
        self._deadline = time.monotonic() + ANSWER_S
        self._send(protocol.request(self._asked, method, params))
        while True:
            answer = protocol.parse_answer(self._line())
            if not answer.method and answer.id == self._asked:
                return answer.content

    def watch(self) -> Iterator[dict[str, Any]]:
        """Return the current status, and again whenever it changes; never ends by itself."""
        yield self.ask("watch")
        while True:
            self._deadline = time.monotonic() + ANSWER_S
            answer = protocol.parse_answer(self._line())
            if answer.method == "status":
                yield answer.content

    # -- the wire --------------------------------------------------------------------------------------

    def _connect(self, timeout_s: float) -> None:
        self._socket.settimeout(timeout_s)
        try:
            with reachable(self.path) as address:
                self._socket.connect(address)
        except (FileNotFoundError, ConnectionRefusedError, NotADirectoryError) as error:
            raise NotRunningError(f"nothing listens at {self.path}") from error
        except PermissionError as error:
            message = f"you may not use {self.path}: join the group intercom, or use sudo"
            raise NotPermittedError(message) from error
        except (TimeoutError, BlockingIOError) as error:
            raise NotAnsweringError("the service does not take the connection") from error

    def _send(self, data: bytes) -> None:
        try:
            self._socket.sendall(data)
        except TimeoutError as error:
            raise self._hangs() from error
        except ConnectionError as error:
            raise NotRunningError("the service ended the connection") from error

    def _line(self) -> bytes:
        while not self._waiting:
            left_s = self._deadline - time.monotonic()
            if left_s <= 0:
                raise self._hangs()
            self._socket.settimeout(left_s)
            try:
                data = self._socket.recv(CHUNK_BYTES)
            except TimeoutError as error:
                raise self._hangs() from error
            except ConnectionError as error:
                raise NotRunningError("the service ended the connection") from error
            if not data:
                raise NotRunningError("the service ended the connection")
            self._waiting = self._lines.feed(data)
        return self._waiting.pop(0)

    def _hangs(self) -> NotAnsweringError:
        raw = self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
        pid = _CREDENTIALS.unpack(raw)[0]
        return NotAnsweringError(f"the service (process {pid}) does not answer", pid=pid or None)
