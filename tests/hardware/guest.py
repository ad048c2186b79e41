"""A guest: the bench kernel running as a process, with the host's files as its root or a disk image of its own.

`with Guest() as guest: guest.run("aplay -l")` boots in about a second. The checkout and its virtual environment
are there under their own paths, read-only; `guest.shared` is a directory that both sides write.
"""

from __future__ import annotations

import itertools
import os
import select
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

from .kernel import ensure

HERE = Path(__file__).parent
CHECKOUT = HERE.parents[1]
SHARED = Path("/run/shared")
"""Where the guest sees `Guest.shared`."""
BOOT_LIMIT_S = 180.0
"""A guest is ready after 1 to 2 s; the rest is for a machine that builds something else meanwhile."""
OFF_LIMIT_S = 60.0
"""Time limit for it to write what it still holds in memory; one that has died costs none of it."""
RUN_LIMIT_S = 180.0
"""Time limit of a script that is given none; what it does takes seconds."""
MEMORY_MB = 1024
PRIORITY, PRIORITY_BESIDE = 2, 1
"""The real-time priorities of a guest, and of one that is made ready beside it."""
HOST_ROOT = ("root=none", "rootfstype=hostfs", "rootflags=/", "ro")


class GuestError(RuntimeError):
    """The guest did not boot, died or did not answer in time; the text ends with the last lines of its console."""


@dataclass(frozen=True)
class Result:
    """How a script ended in the guest."""

    status: int
    """Its exit status; 124 when its time was up."""
    output: str
    """What it wrote to its standard output and error."""

    def check(self) -> str:
        """Return the output; raise `GuestError` when the status is not 0."""
        if self.status:
            raise GuestError(f"exit status {self.status}:\n{self.output}")
        return self.output


@dataclass
class Guest:
    """One running bench kernel; a context manager that boots it and powers it off."""

    root: Sequence[str] = HOST_ROOT
    """Kernel arguments that name the root file system."""
    init: Path = HERE / "guest-init"
    """What the guest runs as PID 1 when its root is the host's; it has to start the agent."""
    arguments: Sequence[str] = ()
    """More kernel arguments."""
    namespace: str | None = None
    """The host's network namespace to run in (see network.py)."""
    memory_mb: int = MEMORY_MB
    priority: int = PRIORITY
    """Its real-time priority."""
    boot_limit_s: float = BOOT_LIMIT_S
    shared: Path = field(init=False)
    boot_s: float = field(init=False, default=0.0)
    """How long the boot took."""
    _process: subprocess.Popen[bytes] | None = field(init=False, default=None)
    _names: itertools.count[int] = field(init=False, default_factory=itertools.count)
    _ended: dict[str, int] = field(init=False, default_factory=dict)
    _unread: bytes = field(init=False, default=b"")

    def __enter__(self) -> Guest:
        kernel = self._kernel()
        # Kernel arguments hold no spaces, and the path of the checkout may: everything is named from here.
        self.shared = Path(tempfile.mkdtemp(prefix="intercom-guest-", dir="/tmp"))
        for script in (self.init, HERE / "agent"):
            shutil.copy(script, self.shared)
        self._line, theirs = socket.socketpair()
        started = time.monotonic()
        with theirs, (self.shared / "console").open("wb") as console:
            self._process = subprocess.Popen(
                [*self._placed(), *self._command(kernel, theirs.fileno())],
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=subprocess.STDOUT,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )
        try:
            self._wait("ready", self.boot_limit_s)
        except BaseException:
            self.__exit__(None, None, None)
            raise
        self.boot_s = time.monotonic() - started
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process is not None
        try:
            with suppress(OSError, subprocess.TimeoutExpired):
                self._line.sendall(b"off 0\n")
                self._process.wait(OFF_LIMIT_S)
        finally:
            # Its own session: this ends every process that the kernel made for the guest's, also after a crash.
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._line.close()
            shutil.rmtree(self.shared, ignore_errors=True)

    def cut_power(self) -> None:
        """End it at once: nothing that its kernel still held in memory reaches a disk."""
        assert self._process is not None
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def run(self, script: str, *, limit_s: float = RUN_LIMIT_S) -> Result:
        """Run a shell script in the guest and return how it ended; raise `GuestError` when the guest itself fails."""
        return self.result(self.start(script, limit_s=limit_s), limit_s=limit_s + 10)

    def start(self, script: str, *, limit_s: float = RUN_LIMIT_S) -> str:
        """Start a shell script in the guest and return its name, for `result` and `output`."""
        name = f"run{next(self._names)}"
        (self.shared / f"{name}.sh").write_text(f"cd {_quoted(CHECKOUT)} 2>/dev/null\n{script}\n")
        self._line.sendall(f"{name} {limit_s:.0f}\n".encode())
        return name

    def result(self, name: str, *, limit_s: float) -> Result:
        """Wait for a started script and return how it ended."""
        self._wait(name, limit_s)
        return Result(self._ended.pop(name), self.output(name))

    def running(self, name: str) -> bool:
        """Return whether a started script still runs."""
        self._read(0.0)
        return name not in self._ended

    def output(self, name: str) -> str:
        """Return what a started script has written so far."""
        path = self.shared / f"{name}.out"
        return path.read_text(errors="replace") if path.exists() else ""

    def console(self) -> str:
        """Return what the kernel and PID 1 printed."""
        return (self.shared / "console").read_text(errors="replace")

    def _kernel(self) -> Path:
        return ensure()

    def _placed(self) -> list[str]:
        """Return the prefix that ties the guest to this process's life, to one CPU and to its network."""
        # On two CPUs a system call in the guest costs 75 µs instead of 15, and sound breaks up.
        one_cpu = ["taskset", "-c", str(max(os.sched_getaffinity(0)))]
        # Each of its system calls is a switch between two processes: on a busy CPU a turn in the queue, a thousandfold.
        ahead = ["chrt", "--rr", str(self.priority)]
        if subprocess.run([*ahead, "true"], capture_output=True, check=False).returncode != 0:  # not root, or not here
            ahead = []
        placed = ["setpriv", "--pdeathsig", "KILL", *ahead, *one_cpu]
        return ["ip", "netns", "exec", self.namespace, *placed] if self.namespace else placed

    def _command(self, kernel: Path, line: int) -> list[str]:
        return [
            str(kernel),
            *self.root,
            f"mem={self.memory_mb}M",
            "con0=fd:0,fd:1",
            "con=null",
            f"ssl0=fd:{line}",
            "quiet",
            f"shared={self.shared}",
            *([f"init={self.shared / self.init.name}"] if "rootfstype=hostfs" in self.root else []),
            *self.arguments,
        ]

    def _wait(self, name: str, limit_s: float) -> None:
        until = time.monotonic() + limit_s
        while name not in self._ended:
            left = until - time.monotonic()
            if left <= 0:
                raise GuestError(f'"{name}" did not end within {limit_s:.0f} s:\n{self._tail(name)}')
            self._read(min(left, 0.5))
            assert self._process is not None
            if self._process.poll() is not None and name not in self._ended:
                raise GuestError(f'the guest died before "{name}" ended:\n{self._tail(name)}')

    def _read(self, timeout_s: float) -> None:
        """Take in what the agent says, waiting at most `timeout_s` seconds for it."""
        while select.select([self._line], [], [], timeout_s)[0]:
            try:
                said = self._line.recv(4096)
            except ConnectionResetError:
                said = b""
            if not said:
                time.sleep(timeout_s)  # The line is closed: the process is about to end.
                return
            *lines, self._unread = (self._unread + said).split(b"\n")
            for line in lines:
                self._heard(line.decode(errors="replace").strip())
            timeout_s = 0.0

    def _heard(self, line: str) -> None:
        """Take in a line that the agent said."""
        name, _, status = line.partition(" ")
        if status.isdigit():
            self._ended[name] = int(status)

    def _tail(self, name: str) -> str:
        return f"{self.output(name)[-2000:]}\n--- console ---\n{self.console()[-3000:]}"


def _quoted(path: Path) -> str:
    return "'" + str(path).replace("'", "'\\''") + "'"
