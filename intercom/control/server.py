"""The server's side of the control socket, on the appliance's event loop; a bad or slow client harms nobody else."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import pwd
import socket
import struct
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from intercom.control import protocol
from intercom.control.admission import Admission
from intercom.control.commands import Commands, Handler
from intercom.control.errors import ForeignSpeechError, RefusedError, SocketInUseError
from intercom.control.place import reachable
from intercom.tasks import TaskSet

logger = logging.getLogger(__name__)

IDLE_S = 60.0
"""Time without a request after which a client that does not watch is disconnected."""
DRAIN_S = 5.0
"""Time after which a client that does not read its answer is disconnected."""
WRITE_LIMIT_BYTES = 65_536
"""Limit of unsent bytes to a watcher: one that is further behind misses states, never the latest."""
COALESCE_S = 0.05
"""Time in which changes are merged into one report: a press changes several things within milliseconds."""
TICK_S = 1.0
"""Interval of reports without an event: levels and durations change by themselves."""
HEARTBEAT_S = 1.0
"""Interval of the heartbeat, by which the socket's file shows when the event loop last ran; only on a memory file
system."""
SOCKET_MODE = 0o660
"""Mode of the socket: read and write for the owner and the socket's group."""
_CREDENTIALS = struct.Struct("3i")


class Caller(NamedTuple):
    """The client of a connection, as the kernel identifies it."""

    pid: int
    """Process id."""
    uid: int
    """User id."""

    @property
    def name(self) -> str:
        """The user's name."""
        try:
            return pwd.getpwuid(self.uid).pw_name
        except KeyError:
            return f"uid {self.uid}"


class ControlServer:
    """Listens at `path`, mode 0660, and answers with `handlers`; watchers get `status`."""

    def __init__(
        self,
        path: Path,
        handlers: Mapping[str, Handler],
        *,
        status: Callable[[], Mapping[str, Any]],
        version: str,
        heartbeat: bool = False,
        on_fault: Callable[[OSError], None],
    ) -> None:
        """`on_fault` is called on the event loop when nobody can find the socket any more: stop and start again."""
        self.path = path
        self.commands = Commands(handlers)
        self._status = status
        self._hello = protocol.notification(
            "hello", {"protocol": protocol.PROTOCOL, "version": version, "pid": os.getpid()}
        )
        self._heartbeat = heartbeat
        self._on_fault = on_fault
        self._server: asyncio.Server | None = None
        self._admission = Admission()
        self._connections = TaskSet()
        self._watchers: set[asyncio.StreamWriter] = set()
        self._push_due: asyncio.TimerHandle | None = None
        self._status_failed = False
        self._beat_due: asyncio.TimerHandle | None = None

    async def start(self) -> None:
        """Listen; raises SocketInUseError when another service does, OSError when the path cannot be used."""
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with reachable(self.path) as address:
            _clear(self.path, address)
            listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            try:
                listening.bind(address)
                self.path.chmod(SOCKET_MODE)
                # What is left behind tells a later `status` when the service was last alive.
                keep: dict[str, Any] = {"cleanup_socket": False} if sys.version_info >= (3, 13) else {}
                self._server = await asyncio.start_unix_server(self._accept, sock=listening, **keep)
            except OSError:
                listening.close()
                raise
        self._beat()

    async def stop(self) -> None:
        """Close every connection and stop listening; the socket's file stays, with the time of the end."""
        for timer in (self._push_due, self._beat_due):
            if timer is not None:
                timer.cancel()
        if self._server is None:
            return
        self._server.close()
        await self._connections.stop()
        self._server = None
        with contextlib.suppress(OSError):
            os.utime(self.path)

    def changed(self) -> None:
        """Report to the watchers that the status has changed."""
        if self._watchers:
            self._push_in(COALESCE_S)

    # -- one connection --------------------------------------------------------------------------------

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._connections.spawn(self._serve(reader, writer))

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.transport.set_write_buffer_limits(high=WRITE_LIMIT_BYTES)
        caller = _caller(writer)
        try:
            async with self._admission.place(caller.uid) as admitted:
                if not admitted:
                    message = f"too many clients of {caller.name} are connected already; end one"
                    await _send(writer, protocol.refusal(None, protocol.BUSY, message))
                    return
                await _send(writer, self._hello)
                await self._converse(caller, reader, writer)
        except (OSError, TimeoutError) as error:
            logger.debug("A control client went: %s", error)
        except ForeignSpeechError as error:
            logger.info("A control client was dropped: %s", error)
            with contextlib.suppress(OSError, TimeoutError):
                await _send(writer, protocol.refusal(None, protocol.INVALID_REQUEST, str(error)))
        finally:
            self._watchers.discard(writer)
            writer.transport.abort() if writer.transport.get_write_buffer_size() else writer.close()

    async def _converse(self, caller: Caller, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        lines = protocol.Lines(protocol.REQUEST_LIMIT_BYTES)
        while True:
            patience_s = None if writer in self._watchers else IDLE_S
            data = await asyncio.wait_for(reader.read(protocol.REQUEST_LIMIT_BYTES), patience_s)
            if not data:
                return
            for line in lines.feed(data):
                await _send(writer, await self._answer(caller, line, writer))

    async def _answer(self, caller: Caller, line: bytes, writer: asyncio.StreamWriter) -> bytes:
        try:
            request = protocol.parse_request(line)
        except protocol.BadRequestError as error:
            return protocol.refusal(error.id, error.code, str(error))
        try:
            if request.method == "watch":
                self._watchers.add(writer)
                self._push_in(TICK_S)
                return protocol.result(request.id, self._status())
            return protocol.result(request.id, await self.commands.ask(caller, request.method, request.params))
        except RefusedError as error:
            return protocol.refusal(request.id, error.code, str(error))
        except Exception as error:  # the caller must hear of it, and the door goes on
            logger.exception("The control command %s failed", request.method)
            message = f"{request.method} failed ({type(error).__name__}); the log says more"
            return protocol.refusal(request.id, protocol.INTERNAL_ERROR, message)

    # -- those who watch -------------------------------------------------------------------------------

    def _push_in(self, seconds: float) -> None:
        loop = asyncio.get_running_loop()
        if self._push_due is not None:
            if self._push_due.when() <= loop.time() + seconds:
                return
            self._push_due.cancel()
        self._push_due = loop.call_later(seconds, self._push)

    def _push(self) -> None:
        self._push_due = None
        if not self._watchers:
            return
        self._push_in(TICK_S)  # first, for what fails once may work the next time
        try:
            line = protocol.notification("status", self._status())
        except Exception as error:  # the door goes on, and whoever watches sees the next one
            level = logging.DEBUG if self._status_failed else logging.ERROR
            logger.log(level, "The status cannot be told to those who watch", exc_info=error)
            self._status_failed = True
            return
        self._status_failed = False
        for writer in self._watchers:
            if writer.transport.get_write_buffer_size() < WRITE_LIMIT_BYTES:
                writer.write(line)

    def _beat(self) -> None:
        if not self._heartbeat:
            return
        try:
            # Of its two times the kernel itself sets the one of the change, by the clock that people read.
            os.utime(self.path, (0, time.monotonic()))
        except OSError as error:
            self._on_fault(error)
            return
        self._beat_due = asyncio.get_running_loop().call_later(HEARTBEAT_S, self._beat)


async def _send(writer: asyncio.StreamWriter, data: bytes) -> None:
    writer.write(data)
    await asyncio.wait_for(writer.drain(), DRAIN_S)


def _caller(writer: asyncio.StreamWriter) -> Caller:
    raw = writer.get_extra_info("socket").getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    pid, uid, _ = _CREDENTIALS.unpack(raw)
    return Caller(pid, uid)


def _clear(path: Path, address: str) -> None:
    """Remove the socket of a service that has ended."""
    if not path.is_socket():
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(1.0)
        try:
            probe.connect(address)
        except ConnectionRefusedError:
            path.unlink()
        except TimeoutError:
            raise SocketInUseError(f"a service that hangs listens at {path}: end it first") from None
        else:
            raise SocketInUseError(f"another door station answers at {path}: only one can run")
