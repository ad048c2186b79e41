"""Runs coturn as the space's TURN server, for residents away from home and clients that demand a relay.

It checks the time-limited credentials of `credentials` (coturn README.turnserver, "TURN REST API") with a secret
of each subscriber's own, and relays UDP to the addresses that it is told (`allow_peers`), to nothing else. It is off
unless somebody starts it, and on loopback unless told otherwise.
"""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import os
import secrets
import shutil
import socket
import sqlite3
import struct
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from intercom import atomic_file
from intercom.net import authority
from intercom.signalwire.wire.messages import IceServer
from intercom.space.errors import TurnError
from intercom.space.names import IPAddress, interface_addresses
from intercom.space.turn.console import TurnConsole
from intercom.space.turn.coturn_database import REALM, TurnBook
from intercom.space.turn.credentials import LIFETIME_S, ice_server
from intercom.space.turn.ports import free_port, is_free

logger = logging.getLogger(__name__)

PROGRAM: Final = "turnserver"
START_LIMIT_S: Final = 30.0
"""Time limit for coturn to start answering; it needs about 0.1 s, and many times that on a Pi that boots."""
START_TRIES: Final = 5
"""Tries with new ports of our own choosing: another program may take a port before coturn does."""
STOP_LIMIT_S: Final = 0.8
"""Time after which a coturn that does not end is killed."""
PROBE_INTERVAL_S: Final = 0.05
"""Interval of the questions to a coturn that starts."""
ALLOCATIONS_PER_USER: Final = 64
"""Limit of allocations for one user: the reference client allocates ten for each interface and returns them late: the
next call must not find the quota used up."""
ALLOCATIONS_TOTAL: Final = 240
"""Limit of allocations in all: ten calls at once through the relay."""
BANDWIDTH_BYTES_PER_S: Final = 1_000_000
"""Bandwidth limit of one allocation: five times the need of a door's picture and sound."""
DATABASE: Final = "turn.sqlite3"
EVERYTHING: Final = ("0.0.0.0-255.255.255.255", "::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff")
"""Address ranges that coturn denies: all; peers are allowed one by one, which takes precedence (`good_peer_addr`)."""
_BINDING_REQUEST: Final = 0x0001
_BINDING_SUCCESS: Final = 0x0101
_MAGIC_COOKIE: Final = 0x2112A442
_TAKEN: Final = b"Address already in use"
"""Complaint of a coturn that does not get a port: it then waits for that port, or does without its console."""
_NOT_HERE: Final = b"Cannot assign requested address"
"""Complaint of a coturn whose address this machine does not have: it then waits for that address."""


class TurnServer:
    """One coturn process.

    :param directory: where its configuration (mode 0600) and working files live.
    :param listen: the address to listen and to relay on; loopback unless told otherwise.
    :param port: UDP and TCP port; 0 takes a free one, at each start.
    :param relay_ports: first and last UDP port to relay through.
    :param loopback_peers: whether it relays to every address of this machine, loopback too; for tests on one machine.
    :param book: who has passwords, and where relays may lead; one that outlives this process of coturn, or its own.
    Raises `TurnError` from `start` when coturn is not installed, does not answer or does not get its port.
    """

    def __init__(
        self,
        directory: Path,
        *,
        listen: str = "127.0.0.1",
        port: int = 0,
        relay_ports: tuple[int, int] = (49_152, 49_407),
        loopback_peers: bool = False,
        book: TurnBook | None = None,
    ) -> None:
        self._directory = directory
        self._address = ipaddress.ip_address(listen)
        self._named_port = self._port = port
        self._relay_ports = relay_ports
        self._loopback_peers = loopback_peers
        self._process: asyncio.subprocess.Process | None = None
        self._complaints: asyncio.Task[None] | None = None
        self._relaying: set[str] = set()
        "The subscribers who are gone, and whose relays are still to be ended."
        self._book = book or TurnBook()
        self._console = TurnConsole(0, secrets.token_hex(16))

    @property
    def subscribers(self) -> set[str]:
        """Return the ids of the subscribers with a password that may still be valid."""
        return self._book.subscribers

    def ice_server(self, subscriber_id: str, now: float, lifetime_s: int = LIFETIME_S) -> IceServer:
        """Return the ICE server for a subscriber's client, with a new password; `now` in seconds since 1970."""
        return ice_server(self.url, self._book.secret_of(subscriber_id), subscriber_id, now, lifetime_s)

    def allow_peers(self, peers: Iterable[IPAddress]) -> None:
        """Relay to these addresses and to no other, within five seconds."""
        self._book.allow({*peers, *self._always})

    async def forget(self, *subscriber_ids: str) -> None:
        """Revoke these subscribers' passwords and end their relays; nobody else notices.

        Relays that could not be ended are ended by a later call.
        """
        for subscriber_id in subscriber_ids:
            self._book.forget(subscriber_id)
        late = self._relaying
        self._relaying = late | set(subscriber_ids)
        try:
            for subscriber_id in sorted(self._relaying):
                await self._console.end_relays(subscriber_id)
                self._relaying = self._relaying - {subscriber_id}
        except OSError as problem:
            if self._relaying - late:
                logger.warning("A subscriber that is gone still has the relays that it opened: %s.", problem)

    @property
    def _always(self) -> set[IPAddress]:
        """Return the peers that are always allowed: two clients that both relay meet at the relay itself."""
        if self._loopback_peers:
            return {ipaddress.ip_address(text) for text in ("127.0.0.1", "::1", *interface_addresses())}
        return {self._address}

    @property
    def url(self) -> str:
        """The server for ICE, such as turn:127.0.0.1:3478?transport=udp (RFC 7065)."""
        return f"turn:{authority(str(self._address), self._port)}?transport=udp"

    async def start(self) -> None:
        """Start coturn; returns when it answers."""
        program = shutil.which(PROGRAM)
        if program is None:
            raise TurnError("coturn is not installed; install it with: apt install coturn")
        for _ in range(START_TRIES):
            self._port = self._named_port or free_port(str(self._address))
            self._console.port = free_port("127.0.0.1")
            try:
                await self._start(program, self._write_files())
            except _PortTakenError:
                if self._named_port and not is_free(str(self._address), self._named_port):
                    raise TurnError(
                        f"another program has port {self._named_port} of {self._address}: stop it, or choose another "
                        "port in [space] turn_listen."
                    ) from None
            else:
                return
        raise TurnError(f"other programs took coturn's ports, {START_TRIES} times in a row.")

    def _write_files(self) -> Path:
        """Write what coturn reads, and return the path of its configuration."""
        configuration = self._directory / "turn.conf"
        try:
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._book.open(self._directory / DATABASE, self._always)
            atomic_file.replace(configuration, self._configuration().encode())
        except (OSError, sqlite3.Error) as problem:
            raise TurnError(f"coturn's files cannot be written in {self._directory}: {problem}.") from problem
        return configuration

    async def _start(self, program: str, configuration: Path) -> None:
        process = self._process = await asyncio.create_subprocess_exec(
            *_ending_with(os.getpid()),
            program,
            "-c",
            str(configuration),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
            cwd=self._directory,
        )
        assert process.stderr is not None
        complaint: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._complaints = asyncio.create_task(_read_complaints(process.stderr, complaint))
        try:
            await self._until_started(process, complaint)
        except BaseException:
            await self.stop()
            raise

    async def _until_started(self, process: asyncio.subprocess.Process, complaint: asyncio.Future[bytes]) -> None:
        answering, ended = asyncio.create_task(self._until_it_answers()), asyncio.create_task(process.wait())
        watched: set[asyncio.Future[Any]] = {answering, ended, complaint}
        try:
            await asyncio.wait(watched, timeout=START_LIMIT_S, return_when=asyncio.FIRST_COMPLETED)
        finally:
            answering.cancel()  # which leaves one that has answered as it is
            ended.cancel()
        if complaint.done() and complaint.result() == _TAKEN:
            raise _PortTakenError
        if complaint.done():
            raise TurnError(f"this machine does not have the address {self._address}.")
        if process.returncode is not None:
            raise TurnError(f"coturn ended with {process.returncode} at its start.")
        if not answering.done():
            raise TurnError(f"coturn did not answer at {self.url} within {START_LIMIT_S:g} s.")
        answering.result()

    async def wait_failed(self) -> None:
        """Wait until coturn ends by itself, and raise TurnError."""
        process = self._process
        if process is not None:
            status = await process.wait()
            if self._process is process:
                raise TurnError(f"coturn ended by itself, with status {status}.")

    async def stop(self) -> None:
        """End coturn within a second; does nothing when it does not run."""
        process, self._process = self._process, None
        self._book.close()
        self._relaying = set()
        if process is None or process.returncode is not None:
            return
        process.terminate()
        try:
            await asyncio.wait_for(process.wait(), STOP_LIMIT_S)
        except TimeoutError:
            process.kill()
            await process.wait()

    def _configuration(self) -> str:
        first, last = self._relay_ports
        lines = [
            f"listening-ip={self._address}",
            f"relay-ip={self._address}",
            f"listening-port={self._port}",
            f"min-port={first}",
            f"max-port={last}",
            f"realm={REALM}",
            "use-auth-secret",
            "fingerprint",
            "cli",
            "cli-ip=127.0.0.1",
            f"cli-port={self._console.port}",
            f"cli-password={self._console.password}",
            "no-tls",
            "no-dtls",
            "no-tcp-relay",
            "no-multicast-peers",
            *(f"denied-peer-ip={everything}" for everything in EVERYTHING),
            f"user-quota={ALLOCATIONS_PER_USER}",
            f"total-quota={ALLOCATIONS_TOTAL}",
            f"max-bps={BANDWIDTH_BYTES_PER_S}",
            "log-file=stdout",
            "no-stdout-log",
            f"pidfile={self._directory / 'turn.pid'}",
            f"userdb={self._directory / DATABASE}",
        ]
        if self._loopback_peers:
            lines.append("allow-loopback-peers")
        return "\n".join(lines) + "\n"

    async def _until_it_answers(self) -> None:
        """Wait until coturn answers a STUN binding request (RFC 8489 §7), and its console lets us in."""
        loop = asyncio.get_running_loop()
        transaction = os.urandom(12)
        request = struct.pack("!HHI", _BINDING_REQUEST, 0, _MAGIC_COOKIE) + transaction
        family = socket.AF_INET6 if self._address.version == 6 else socket.AF_INET
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.setblocking(False)
            probe.connect((str(self._address), self._port))
            answer = b""
            while answer[:2] != struct.pack("!H", _BINDING_SUCCESS) or answer[8:20] != transaction:
                try:
                    await loop.sock_sendall(probe, request)
                    async with asyncio.timeout(PROBE_INTERVAL_S):  # wait_for may lose a cancellation (Python 3.11)
                        answer = await loop.sock_recv(probe, 1024)
                except TimeoutError:
                    continue
                except OSError:  # nobody has the port yet
                    await asyncio.sleep(PROBE_INTERVAL_S)
        while not await self._console.answers():  # noqa: ASYNC110 (it is another program's)
            await asyncio.sleep(PROBE_INTERVAL_S)


class _PortTakenError(Exception):
    """Another program has one of coturn's ports."""


async def _read_complaints(complaints: asyncio.StreamReader, first: asyncio.Future[bytes]) -> None:
    """Read what coturn complains of, to its end, for a full pipe would halt it; tell what keeps it from listening."""
    told = b""
    while chunk := await complaints.read(1024):
        told = (told + chunk)[-2048:]
        for known in (_TAKEN, _NOT_HERE):
            if known in told and not first.done():
                first.set_result(known)


def _ending_with(parent: int) -> list[str]:
    """Return the prefix of a command that must not outlive this process, however this process ends.

    PR_SET_PDEATHSIG by util-linux's setpriv; a parent that was gone before that was set sends no signal any more, so
    its child looks for it once. SIGKILL, for coturn has nothing to save and may take long to end.
    """
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        return []
    still_there = '[ "$PPID" = "$1" ] || exit 1; shift; exec "$@"'
    return [setpriv, "--pdeathsig", "KILL", "--", "/bin/sh", "-c", still_there, "sh", str(parent)]
