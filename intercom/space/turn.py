"""coturn as the space's companion: lets a resident away from home, or a client that insists, reach the door.

It checks the time-limited credentials of `turn_credentials` (coturn README.turnserver, "TURN REST API"). It is off
unless somebody starts it, and on loopback unless told otherwise.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import os
import secrets
import shutil
import socket
import struct
from pathlib import Path
from typing import Final

from intercom import durable
from intercom.space.errors import TurnError

PROGRAM: Final = "turnserver"
START_LIMIT_S: Final = 5.0
"""How long coturn may take until it answers; it needs about 0.1 s."""
STOP_LIMIT_S: Final = 0.8
"""How long it may take to end before it is killed."""
PROBE_INTERVAL_S: Final = 0.05
ALLOCATIONS_PER_USER: Final = 64
"""A call of the reference client allocates a pool of ten for each network interface, and gives it back late: the
next call must not find the quota used up."""
ALLOCATIONS_TOTAL: Final = 240
"""Ten calls at once through the relay."""
BANDWIDTH_BYTES_PER_S: Final = 1_000_000
"""For one allocation: five times what a door's picture and sound need."""
_BINDING_REQUEST: Final = 0x0001
_BINDING_SUCCESS: Final = 0x0101
_MAGIC_COOKIE: Final = 0x2112A442


class TurnServer:
    """One coturn process.

    :param directory: where its configuration (mode 0600) and working files live.
    :param listen: the address to listen and to relay on; loopback unless told otherwise.
    :param port: UDP and TCP port; 0 takes a free one.
    :param relay_ports: first and last UDP port to relay through.
    :param loopback_peers: whether it relays to loopback addresses; for tests on one machine.
    Raises `TurnError` from `start` when coturn is not installed or does not answer.
    """

    def __init__(
        self,
        directory: Path,
        *,
        listen: str = "127.0.0.1",
        port: int = 0,
        relay_ports: tuple[int, int] = (49_152, 49_407),
        loopback_peers: bool = False,
    ) -> None:
        self._directory = directory
        self._address = ipaddress.ip_address(listen)
        self._port = port
        self._relay_ports = relay_ports
        self._loopback_peers = loopback_peers
        self._process: asyncio.subprocess.Process | None = None
        self.secret = secrets.token_urlsafe(32)
        """What the credentials are made with; new for each start of the program."""

    @property
    def url(self) -> str:
        """The server for ICE, such as turn:127.0.0.1:3478?transport=udp (RFC 7065)."""
        host = f"[{self._address}]" if self._address.version == 6 else str(self._address)
        return f"turn:{host}:{self._port}?transport=udp"

    async def start(self) -> None:
        """Start coturn; returns when it answers."""
        program = shutil.which(PROGRAM)
        if program is None:
            raise TurnError("coturn is not installed; install it with: apt install coturn")
        self._port = self._port or _free_port(str(self._address))
        configuration = self._directory / "turn.conf"
        durable.replace(configuration, self._configuration().encode())
        self._process = await asyncio.create_subprocess_exec(
            *_ending_with(os.getpid()),
            program,
            "-c",
            str(configuration),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
            cwd=self._directory,
        )
        try:
            async with asyncio.timeout(START_LIMIT_S):
                while not await self._answers():
                    if self._process.returncode is not None:
                        raise TurnError(f"coturn ended with {self._process.returncode}; is {self.url} in use?")
        except TimeoutError as problem:
            await self.stop()
            raise TurnError(f"coturn did not answer at {self.url} within {START_LIMIT_S:.0f} s.") from problem
        except asyncio.CancelledError:
            await self.stop()
            raise

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
            "realm=intercom",
            "use-auth-secret",
            f"static-auth-secret={self.secret}",
            "fingerprint",
            "no-cli",
            "no-tls",
            "no-dtls",
            "no-multicast-peers",
            "denied-peer-ip=169.254.0.0-169.254.255.255",
            f"user-quota={ALLOCATIONS_PER_USER}",
            f"total-quota={ALLOCATIONS_TOTAL}",
            f"max-bps={BANDWIDTH_BYTES_PER_S}",
            "log-file=stdout",
            "no-stdout-log",
            f"pidfile={self._directory / 'turn.pid'}",
            f"userdb={self._directory / 'turn.sqlite3'}",
        ]
        if self._loopback_peers:
            lines.append("allow-loopback-peers")
        return "\n".join(lines) + "\n"

    async def _answers(self) -> bool:
        """Whether a STUN binding request is answered (RFC 8489 §7)."""
        loop = asyncio.get_running_loop()
        transaction = os.urandom(12)
        family = socket.AF_INET6 if self._address.version == 6 else socket.AF_INET
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.setblocking(False)
            probe.connect((str(self._address), self._port))
            with contextlib.suppress(OSError, TimeoutError):
                await loop.sock_sendall(probe, struct.pack("!HHI", _BINDING_REQUEST, 0, _MAGIC_COOKIE) + transaction)
                async with asyncio.timeout(PROBE_INTERVAL_S):  # wait_for may lose a cancellation (Python 3.11)
                    answer = await loop.sock_recv(probe, 1024)
                return answer[:2] == struct.pack("!H", _BINDING_SUCCESS) and answer[8:20] == transaction
        await asyncio.sleep(PROBE_INTERVAL_S)
        return False


def _ending_with(parent: int) -> list[str]:
    """What to put before a command so that it does not outlive this parent, however that ends.

    PR_SET_PDEATHSIG by util-linux's setpriv; a parent that was gone before that was set sends no signal any more, so
    its child looks for it once. SIGKILL, for coturn has nothing to save and may take long to end.
    """
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        return []
    still_there = '[ "$PPID" = "$1" ] || exit 1; shift; exec "$@"'
    return [setpriv, "--pdeathsig", "KILL", "--", "/bin/sh", "-c", still_there, "sh", str(parent)]


def _free_port(address: str) -> int:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as found:
        found.bind((address, 0))
        return int(found.getsockname()[1])
