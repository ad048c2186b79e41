"""The ARM machine: QEMU's board `virt` with a Cortex-A53, as slow as emulation is.

`with Board(bare.system()) as board: board.run("uname -m")`. The checkout is /checkout there, its libraries /opt/bench
with a Python of their own; all three disks may be written, and what is written is thrown away. With `counted=True` one
instruction takes one nanosecond of the machine's clock: real time holds by definition, however slow the host is, and
the run time of a thread is the number of its instructions.
"""

from __future__ import annotations

import subprocess
import tempfile
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from tests.hardware.guest import Guest, GuestError, Result

from .bare import System
from .libraries import checkout, libraries

BOOT_LIMIT_S = 900.0
"""8 to 16 s on an idle machine; counted up to four times as long."""
SLOWER = 60
"""How much slower than its own clock a counted machine may be on a busy host."""
MARGIN_S = 60.0
PYTHON = "/opt/bench/bin/python3"


class Board(Guest):
    """One running machine; a context manager that boots it and powers it off."""

    def __init__(self, system: System, *, counted: bool = False, cpu: str = "cortex-a53") -> None:
        super().__init__(boot_limit_s=BOOT_LIMIT_S)
        self._system = system
        self.counted = counted
        self.cpu = cpu
        self._folder = tempfile.TemporaryDirectory(prefix="intercom-arm-")

    def __enter__(self) -> Board:
        super().__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        super().__exit__(kind, error, trace)
        self._folder.cleanup()

    def _kernel(self) -> Path:
        return self._system.kernel

    def _placed(self) -> list[str]:
        return ["setpriv", "--pdeathsig", "KILL"]

    def _command(self, kernel: Path, line: int) -> list[str]:
        disks = [self._system.disk, libraries(), checkout(Path(self._folder.name))]
        initrd = ["-initrd", str(self._system.initrd)] if self._system.initrd else []
        root = "root=/dev/vda rw rootfstype=ext4"
        # Nobody logs in: systemd would take the agent's line for a terminal.
        arguments = f"{root} console=ttyAMA0 quiet panic=-1 systemd.show_status=0 systemd.getty_auto=no"
        return [
            *("qemu-system-aarch64", "-M", "virt", "-cpu", self.cpu, "-m", str(self.memory_mb)),
            *("-no-reboot", "-nic", "none"),
            *(("-icount", "shift=0,sleep=on", "-smp", "1") if self.counted else ("-smp", "2")),
            *(*initrd, "-kernel", str(kernel), "-append", " ".join([arguments, *self.arguments])),
            # The kernel finds the last of them first, and calls it vda.
            *(word for number, disk in enumerate(reversed(disks)) for word in self._drive(number, disk)),
            *("-device", "virtio-serial-device", "-chardev", f"socket,id=line,fd={line}"),
            *("-device", "virtconsole,chardev=line"),
            *("-fsdev", f"local,id=shared,path={self.shared},security_model=none"),
            *("-device", "virtio-9p-device,fsdev=shared,mount_tag=shared"),
            *("-device", "virtio-rng-device", "-display", "none", "-serial", "stdio", "-monitor", "none"),
        ]

    def _drive(self, number: int, disk: Path) -> list[str]:
        """Return the options for a disk whose changes are kept in a file of their own, and thrown away with it."""
        overlay = Path(self._folder.name, f"overlay{number}")
        make = ["qemu-img", "create", "-q", "-f", "qcow2", "-b", str(disk), "-F", "raw", str(overlay)]
        subprocess.run(make, check=True)
        drive = f"file={overlay},if=none,id=disk{number},format=qcow2,cache=unsafe"
        return ["-drive", drive, "-device", f"virtio-blk-device,drive=disk{number}"]

    def result(self, name: str, *, limit_s: float) -> Result:
        """Wait for a started script and return how it ended; `limit_s` is of the machine's own time."""
        return super().result(name, limit_s=limit_s * (SLOWER if self.counted else 1) + MARGIN_S)

    def waits_for(self, name: str, patience_s: float) -> bool:
        """Return whether a started script still runs after at most so long; raise `GuestError` if the machine died."""
        with suppress(GuestError):
            self._wait(name, patience_s)
        assert self._process is not None
        if self._process.poll() is not None and name not in self._ended:
            raise GuestError(f'the machine died before "{name}" ended:\n{self.console()[-3000:]}')
        return name not in self._ended
