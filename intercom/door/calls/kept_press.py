"""Keeps the press that rings or talks in a file, so that no restart of the door loses it.

A door that starts again while the visitor still waits rings on for what is left of the press's time. It never rings for
an older press, nor for one of before the machine's own restart: nobody waits there any more. Such a press, and a call
that a restart cut off, is only written into the call log.
"""

from __future__ import annotations

import contextlib
import logging
import os
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from intercom.address import Address
from intercom.facts import CutOff, Fact, Pressed, PressedAgain, PressWaits, Unreached
from intercom.signalwire.wire.messages import new_id

logger = logging.getLogger(__name__)

NAME: Final = "press.json"
"""Name of the file."""
BOOT_ID: Final = Path("/proc/sys/kernel/random/boot_id")
"""File with the id of the machine's present run: the monotonic clock begins anew with each (proc(5))."""


class KeptPress(Struct, frozen=True):
    """A press, as a later process of the door finds it."""

    ring: str
    """Id of the press for the house."""
    address: str
    """Address that it rings."""
    until: float
    """Deadline of its ringing on the monotonic clock, which all processes share, seconds."""
    boot_id: str
    """Id of the machine's run in which it was pressed."""
    began_at: str
    """Time of the press: ISO 8601, UTC."""
    presses: int = 1
    """How often the visitor has pressed."""
    answered: bool = False
    """Whether somebody answered it."""


def press_file(state_dir: Path, environ: Mapping[str, str] = os.environ) -> Path:
    """Return the file's path: in memory where the service manager gives the door a place there."""
    runtime = environ.get("RUNTIME_DIRECTORY")
    return (Path(runtime.split(":")[0]) if runtime else state_dir) / NAME


class PressBook:
    """The one press: tells the journal of it, and keeps it in its file while it waits, rings or talks.

    A file that cannot be written costs nothing but the press of a restart.

    :param tell: takes what happens to the press, as facts for the journal.
    :param path: the file; None keeps nothing.
    :param now: the time of day.
    :param boot_id: returns the id of the machine's present run.
    """

    def __init__(
        self,
        tell: Callable[[Fact], object],
        path: Path | None = None,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        boot_id: Callable[[], str] = lambda: BOOT_ID.read_text().strip(),
    ) -> None:
        self._tell = tell
        self._path = path
        self._now = now
        self._boot_id = boot_id
        self._stopping = False
        self._press: KeptPress | None = None

    def address(self, usual: str) -> str:
        """Return the address that the press rings, or would ring: the usual one, unless it was given another."""
        return usual if self._press is None else self._press.address

    def waits(self, address: str, until: float, why: str) -> None:
        """Note that the press waits for the service until its deadline."""
        logger.info("Pressed, but %s; it rings when it can, until its time is over", why)
        self._begin(address, until)
        self._tell(PressWaits(why))

    def rings(self, address: str, until: float) -> str:
        """Note that the press rings the house; return its id, which it keeps if it waited."""
        press = self._begin(address, until)
        self._tell(Pressed(str(Address.parse(address)), press.presses))
        return press.ring

    def again(self, why: str) -> None:
        """Note one more press, which changes nothing."""
        logger.info("Pressed again: %s", why)
        if self._press is not None:
            self._keep(msgspec.structs.replace(self._press, presses=self._press.presses + 1))
        self._tell(PressedAgain(why))

    def answered(self) -> None:
        """Note that somebody answered."""
        if self._press is not None:
            self._keep(msgspec.structs.replace(self._press, answered=True))

    def unreached(self, cause: str, usual: str) -> None:
        """Forget the press and tell that it reached nobody."""
        press = self._press
        self.over()
        address, presses = (usual, 1) if press is None else (press.address, press.presses)
        self._tell(Unreached(str(Address.parse(address)), cause, presses))

    def over(self) -> None:
        """Forget the press: it is over; but one that still rings as the door stops is kept for the next start."""
        press, self._press = self._press, None
        if press is None or self._path is None or (self._stopping and not press.answered):
            return
        with contextlib.suppress(OSError):  # a file that stays names a deadline, after which it rings no more
            self._path.unlink(missing_ok=True)

    def stopping(self) -> None:
        """Keep what rings for the next start: the door stops."""
        self._stopping = True

    def resume(self, now: float, longest_s: float) -> float | None:
        """Return the deadline of an earlier process's press that rings on, and tell of one that does not.

        :param now: the monotonic clock, seconds.
        :param longest_s: the ring time; a deadline further away is none of this door's.
        """
        found = self._take()
        if found is None:
            return None
        if found.answered or found.boot_id != self._boot_id() or not now < found.until <= now + longest_s:
            logger.info("A restart cut off the press of %s", found.began_at)
            self._tell(CutOff(str(Address.parse(found.address)), found.began_at, found.answered, found.presses))
            return None
        self._press = found
        self.waits(found.address, found.until, "the door has started again")
        return found.until

    def _begin(self, address: str, until: float) -> KeptPress:
        before = self._press
        if before is None:
            before = KeptPress(new_id(), address, until, self._boot_id(), self._now().isoformat(timespec="seconds"))
        return self._keep(msgspec.structs.replace(before, address=address, until=until))

    def _keep(self, press: KeptPress) -> KeptPress:
        self._press = press
        if self._path is not None:
            new = self._path.with_suffix(".new")
            try:  # without fsync(2): it need not outlive a power cut, and nobody waits for a disk
                new.write_bytes(msgspec.json.encode(press))
                new.replace(self._path)
            except OSError as error:
                logger.warning("A restart would lose the press: it cannot be written down: %s", error)
        return press

    def _take(self) -> KeptPress | None:
        if self._path is None:
            return None
        try:
            found = msgspec.json.decode(self._path.read_bytes(), type=KeptPress)
            self._path.unlink()
        except FileNotFoundError:
            return None
        except (OSError, msgspec.MsgspecError) as error:
            logger.warning("The press of before the restart cannot be read: %s", error)
            return None
        return found
