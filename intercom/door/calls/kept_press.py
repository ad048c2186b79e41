"""Keeps the press that rings or talks in a file, so that no restart of the door loses it.

A door that starts again while the visitor still waits rings on at the step that is due, for what is left of its time.
It never rings for an older press, nor for one of before the machine's own restart: nobody waits there any more. Such a
press, and a call that a restart cut off, is only written into the call log.
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

from intercom.door.calls.ring_plan import Walk
from intercom.facts import CutOff, Fact, Pressed, PressedAgain, PressWaits, StepBegan, StepNotifies, Unreached
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
    walk: Walk
    """Its way through the steps of its plan; its times are on the monotonic clock, which all processes share."""
    boot_id: str
    """Id of the machine's run in which it was pressed."""
    began_at: str
    """Time of the press: ISO 8601, UTC."""
    button: str = ""
    """Name of its button."""
    presses: int = 1
    """How often the visitor has pressed."""
    answered: bool = False
    """Whether somebody answered it."""
    visitor: bool = True
    """Whether a visitor pressed; no one stands at the door for a command."""


def press_file(state_dir: Path, environ: Mapping[str, str] = os.environ) -> Path:
    """Return the file's path: in memory where the service manager gives the door a place there."""
    runtime = environ.get("RUNTIME_DIRECTORY")
    return (Path(runtime.split(":")[0]) if runtime else state_dir) / NAME


class PressBook:
    """The one press: tells the journal of it, and keeps it in its file while it waits, rings or talks.

    A file that cannot be written costs nothing but the press of a restart.

    :param tell: takes what happens to the press, as facts for the journal.
    :param path: the file; None keeps nothing.
    :param unheard: takes a press that ended before the service accepted a call for it, and the cause of its end.
    :param now: the time of day.
    :param boot_id: returns the id of the machine's present run.
    """

    def __init__(
        self,
        tell: Callable[[Fact], object],
        path: Path | None = None,
        *,
        unheard: Callable[[KeptPress, str], object] = lambda _press, _cause: None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        boot_id: Callable[[], str] = lambda: BOOT_ID.read_text().strip(),
    ) -> None:
        self._tell = tell
        self._path = path
        self._unheard = unheard
        self._now = now
        self._boot_id = boot_id
        self._stopping = False
        self._press: KeptPress | None = None

    @property
    def press(self) -> KeptPress | None:
        """The press that waits, rings or talks; None when there is none."""
        return self._press

    def waits(self, walk: Walk, button: str, why: str) -> None:
        """Note that the press waits for the service while its steps pass."""
        logger.info("Pressed, but %s; it rings when it can, until its time is over", why)
        before = self._press
        press = self._begin(walk, button)
        self._tell(PressWaits(why, press.ring, button, press.visitor))
        self._tell_of_steps(before, walk)

    def rings(self, walk: Walk, button: str, *, visitor: bool = True) -> str:
        """Note that the press rings the house; return its id, which it keeps if it waited.

        :param visitor: whether a visitor pressed, and no command.
        """
        before = self._press
        press = self._begin(walk, button, visitor=visitor)
        self._tell(Pressed(walk.address, press.presses, button, press.ring, press.visitor))
        self._tell_of_steps(before, walk)
        return press.ring

    def goes_on(self, walk: Walk) -> None:
        """Note where the press stands now."""
        before = self._press
        if before is None or before.walk == walk:
            return
        self._keep(msgspec.structs.replace(before, walk=walk))
        if walk.over or walk.at != before.walk.at:
            what = "the press has no further step" if walk.over else f"step {walk.at + 1} rings {walk.address}"
            logger.info("%s: %s", what[:1].upper() + what[1:], walk.why)
        self._tell_of_steps(before, walk)

    def again(self, why: str, button: str = "") -> None:
        """Note one more press of a button, which changes nothing."""
        logger.info("Pressed again: %s", why)
        if self._press is not None:
            self._keep(msgspec.structs.replace(self._press, presses=self._press.presses + 1))
        self._tell(PressedAgain(why, button))

    def answered(self) -> None:
        """Note that somebody answered."""
        if self._press is not None:
            self._keep(msgspec.structs.replace(self._press, answered=True))

    def unreached(self, press: KeptPress | None, cause: str) -> None:
        """Tell that a press, which is forgotten, reached nobody."""
        if press is not None:
            self._tell(Unreached(press.walk.address, cause, press.presses))
            if not self._stopping:
                self._unheard(press, cause)

    def let_go(self, ring: str = "") -> KeptPress | None:
        """Forget the press, or that of this id, and return it: it is over.

        The file of one that still rings as the door stops is kept for the next start.
        """
        press = self._press
        if press is None or (ring and press.ring != ring):
            return None
        self._press = None
        if self._path is not None and (press.answered or not self._stopping):
            with contextlib.suppress(OSError):  # a file that stays names a deadline, after which it rings no more
                self._path.unlink(missing_ok=True)
        return press

    def stopping(self) -> None:
        """Keep what rings for the next start: the door stops."""
        self._stopping = True

    def resume(self, now: float) -> Walk | None:
        """Return the way of an earlier process's press that rings on, and tell of one that does not.

        :param now: the monotonic clock, seconds; a step that ends further away than it lasts is none of this clock's.
        """
        found = self._take()
        if found is None:
            return None
        fits = found.boot_id == self._boot_id() and now >= found.walk.ends_at - found.walk.step.ring_time_s
        walk = found.walk.elapsed(now) if fits and not found.answered else None
        if walk is None or walk.over:
            logger.info("A restart cut off the press of %s", found.began_at)
            self._tell(CutOff(found.walk.address, found.began_at, found.answered, found.presses))
            return None
        self._press = found
        self.waits(walk, found.button, "the door has started again")
        return walk

    def _begin(self, walk: Walk, button: str, *, visitor: bool = True) -> KeptPress:
        before = self._press
        if before is None:
            began_at = self._now().isoformat(timespec="seconds")
            before = KeptPress(new_id(), walk, self._boot_id(), began_at, button, visitor=visitor)
        return self._keep(msgspec.structs.replace(before, walk=walk))

    def _tell_of_steps(self, before: KeptPress | None, walk: Walk) -> None:
        """Tell of the steps that have begun since; the first one begins with the press."""
        for number, step in walk.begun_since(None if before is None else before.walk):
            if step.ring and before is not None:
                self._tell(StepBegan(number, len(walk.steps), step.name))
            if step.notify:
                self._tell(StepNotifies(step.notify))

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
