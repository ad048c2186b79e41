"""Watch what is wired around the door, tell the journal of it, and raise the alarms that follow from it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from intercom import atomic_file
from intercom.config import DoorConfig
from intercom.door.entrance.bell_light import BellLight
from intercom.door.entrance.door_contact import DoorContact
from intercom.door.entrance.tamper_block import BLOCK_S, TamperBlock
from intercom.door.health.faults import FORCED_DOOR, HELD_OPEN_DOOR, TAMPER, Faults
from intercom.facts import FORCED, HELD_OPEN, ChimeRang, DoorMoved, ExitPressed, Fact, LockChanged, Tampered
from intercom.history.journal import Entry
from intercom.opening.decision import Way
from intercom.panel import PanelError, Pattern

logger = logging.getLogger(__name__)

BLOCK_FILE = "tampered"
"""Name of a file in the state directory; while it exists, the box was open a short while ago."""
EXIT_BUTTON = "exit button"
"""Name by which the exit button opens the door."""
LOOK_S = 1.0
"""Interval of the readings between the edges: they show the change whose edge was lost."""
_ALARM_OF = {FORCED: FORCED_DOOR, HELD_OPEN: HELD_OPEN_DOOR}
_WHY = {
    FORCED_DOOR: "it opened, and neither this station nor the exit button had opened it",
    HELD_OPEN_DOOR: "it stands open for longer than door.held_open_s",
    TAMPER: f"no keys open the door until the box has been closed for {BLOCK_S / 60:g} min",
}


class Switch(Protocol):
    """A switch of the panel."""

    on_move: Callable[[], None] | None


class Relay(Protocol):
    """The chime's relay."""

    on_change: Callable[[bool], None] | None


class Light(Protocol):
    """The second bell light."""

    def show(self, pattern: Pattern) -> None:
        """Show a pattern."""


class Pins(Protocol):
    """The pins around the door."""

    on_exit: Callable[[], None] | None

    @property
    def contact(self) -> Switch | None:
        """Return the door's contact."""

    @property
    def tamper(self) -> Switch | None:
        """Return the tamper switch."""

    @property
    def chime(self) -> Relay | None:
        """Return the chime's relay."""

    @property
    def bell_light(self) -> Light | None:
        """Return the second bell light."""

    @property
    def door_is_open(self) -> bool | None:
        """Return whether the contact says that the door stands open."""

    @property
    def box_is_open(self) -> bool | None:
        """Return whether the tamper switch says that the box is open."""

    def ring(self) -> None:
        """Ring the chime for its pulse."""


class Opens(Protocol):
    """The opener of the door."""

    def ask(self, way: Way, who: str) -> bool:
        """Open the door; return False if the relay must rest. Raises PanelError."""


class Entrance:
    """What is wired around the door. Belongs to the event loop, but for `chime_of_a_press`; subscribe `hear`."""

    def __init__(
        self,
        config: DoorConfig,
        state_dir: Path,
        pins: Pins,
        opener: Opens,
        faults: Faults,
        *,
        tell: Callable[[Fact], object],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Read the pins; `tell` takes what they say, as facts for the journal."""
        self._pins = pins
        self._opener = opener
        self._faults = faults
        self._tell = tell
        self._silent: Callable[[], bool] = lambda: False
        self._clock = clock
        self._moved = asyncio.Event()
        now, is_open = clock(), pins.door_is_open
        self._contact: DoorContact | None = None
        if is_open is not None:
            limits = {"forced_after_s": config.forced_after_s, "held_open_s": config.held_open_s}
            self._contact = DoorContact(is_open=is_open, now=now, **limits)
        self._since = datetime.now(UTC)
        self._block_file = state_dir / BLOCK_FILE
        self._is_kept = pins.box_is_open is not None and _is_there(self._block_file)
        "whether the block outlives a restart"
        self._tamper = None if pins.box_is_open is None else TamperBlock(blocks=self._is_kept, now=now)
        self._light = BellLight()

    def start(self, in_loop: Callable[..., None], *, silent: Callable[[], bool]) -> None:
        """Begin to take what the pins tell; `in_loop` calls a function on the event loop, from any thread.

        `silent`, called on any thread, says whether a press now is to sound no bell of the house.
        """
        self._silent = silent
        for switch in (self._pins.contact, self._pins.tamper):
            if switch is not None:
                switch.on_move = partial(in_loop, self._moved.set)
        self._pins.on_exit = partial(in_loop, self._exit)
        if self._pins.chime is not None:
            self._pins.chime.on_change = partial(in_loop, self._chimed)
        if self._contact is not None:
            self._tell(DoorMoved(self._contact.state))
        if self.blocks_keys:
            self._tampered()

    @property
    def blocks_keys(self) -> bool:
        """Whether no keys open the door, because its box is open or was a short while ago."""
        return self._tamper is not None and self._tamper.blocks

    # -- a press ---------------------------------------------------------------------------------------

    def chime_of_a_press(self) -> Callable[[], None]:
        """Return what rings the chime for a press now, or does nothing; it may take a moment. From any thread."""
        return _nothing if self._pins.chime is None or self._silent() else self._pins.ring

    def pressed(self) -> None:
        """Let the second bell light flash: somebody has pressed."""
        if self._pins.bell_light is not None and not self._silent():
            self._light.pressed(self._clock())
            self._moved.set()

    def _chimed(self, is_on: bool) -> None:
        if is_on:
            self._tell(ChimeRang())

    # -- what the journal and the pins tell ------------------------------------------------------------

    def hear(self, entry: Entry) -> None:
        """Take a fact of the journal."""
        now = self._clock()
        if self._contact is not None and isinstance(entry.fact, LockChanged):
            self._contact.relay(entry.fact.is_open, now)
        if self._pins.bell_light is not None:
            self._light.hear(entry.fact, now)
            self._show_light(now)

    def _exit(self) -> None:
        opens = False
        try:
            opens = self._opener.ask(Way.EXIT, EXIT_BUTTON)
        except PanelError as error:
            logger.warning("The exit button does not open the door: %s", error)
        self._tell(ExitPressed(opens))

    async def run(self) -> None:
        """Watch for ever; return at once where there is nothing to watch."""
        if (self._pins.contact, self._pins.tamper, self._pins.bell_light) == (None, None, None):
            return
        while True:
            self._moved.clear()
            self.look()
            if self.blocks_keys != self._is_kept:
                await self._keep_block(self.blocks_keys)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self.pause_s):
                    await self._moved.wait()

    @property
    def pause_s(self) -> float:
        """Return the longest time until the next look: at whatever is due, or to see a change whose edge was lost."""
        now = self._clock()
        due = [self._light.due_at(now)]
        due += [judge.due_at for judge in (self._contact, self._tamper) if judge is not None]
        return max(0.0, min(*due, now + LOOK_S) - now)

    def look(self) -> None:
        """Read the pins, and tell what has changed by now."""
        now = self._clock()
        is_open, box_is_open = self._pins.door_is_open, self._pins.box_is_open
        if self._contact is not None and is_open is not None and self._contact.reads(is_open, now):
            self._door_moved(self._contact.state)
        if self._tamper is not None and box_is_open is not None and self._tamper.reads(box_is_open, now):
            self._tampered()
        self._show_light(now)

    def _show_light(self, now: float) -> None:
        if self._pins.bell_light is not None:
            self._pins.bell_light.show(Pattern.RINGING if self._light.is_on(now) else Pattern.OFF)

    # -- what follows ----------------------------------------------------------------------------------

    def _door_moved(self, state: str) -> None:
        self._since = datetime.now(UTC)
        logger.info("The door is %s", state.replace("_", " "))
        self._tell(DoorMoved(state))
        for of_state, alarm in _ALARM_OF.items():
            if state == of_state:
                self._faults.begin(alarm, _WHY[alarm])
            else:
                self._faults.clear(alarm)

    def _tampered(self) -> None:
        assert self._tamper is not None
        self._tell(Tampered(is_open=self._tamper.is_open, blocks=self._tamper.blocks))
        if self._tamper.blocks:
            self._faults.begin(TAMPER, _WHY[TAMPER])
        else:
            self._faults.clear(TAMPER)

    async def _keep_block(self, blocks: bool) -> None:
        """Let the block outlive a restart, or end it for good."""
        self._is_kept = blocks
        try:
            if blocks:
                await asyncio.to_thread(atomic_file.replace, self._block_file, b"")
            else:
                await asyncio.to_thread(self._block_file.unlink, missing_ok=True)
        except OSError as error:
            logger.warning("That keys are blocked cannot be kept for a restart (%s): %s", self._block_file, error)

    # -- the status ------------------------------------------------------------------------------------

    @property
    def contact(self) -> dict[str, Any] | None:
        """The door by its contact, as part of the status; None without one."""
        if self._contact is None:
            return None
        return {"state": self._contact.state, "since": self._since.isoformat(timespec="milliseconds")}

    @property
    def tamper(self) -> dict[str, Any] | None:
        """The box, as part of the status; None without a tamper switch."""
        if self._tamper is None:
            return None
        return {"open": self._tamper.is_open, "blocks_s": math.ceil(self._tamper.left_s(self._clock()))}


def _nothing() -> None:
    """Ring no chime."""


def _is_there(file: Path) -> bool:
    try:
        file.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        logger.warning("Keys stay blocked: %s cannot be looked at (%s)", file, error)
    return True
