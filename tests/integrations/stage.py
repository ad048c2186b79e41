"""The door as an integration sees it: the real joint over a real journal, with answers that a test has prepared."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from intercom.control.commands import Asker, Commands
from intercom.control.errors import RefusedError
from intercom.control.protocol import REFUSED
from intercom.door.access import DoorAccess
from intercom.door.command_parameters import read
from intercom.door.command_table import COMMANDS
from intercom.door.health.faults import Faults, Part
from intercom.facts import Fact
from intercom.history.journal import Journal
from intercom.media.sound.beside import BesideCall

PICTURE = b"\xff\xd8 a picture"


class Stage:
    """A door whose parts are not there."""

    def __init__(self, part: Part) -> None:
        self.defects: list[BaseException] = []
        self.journal = Journal(self.defects.append)
        self.faults = Faults(self.journal.tell)
        self.answers: dict[str, Any] = {"status": {"state": "idle"}}
        "the answer of each command; any other is refused"
        self.asked: list[tuple[str, Mapping[str, Any], Asker]] = []
        self.picture: bytes | None = PICTURE
        self.commands = Commands({name: partial(self._answer, name) for name in COMMANDS})
        self.access = DoorAccess(
            part,
            journal=self.journal,
            faults=self.faults,
            commands=self.commands,
            status=lambda: self.answers["status"],
            snapshot=self._look,
            press_picture=self._look,
            camera=None,
            sound=BesideCall(lambda: None),
            on_failure=lambda _, error: self.defects.append(error),
        )

    def tell(self, *facts: Fact) -> None:
        for fact in facts:
            self.journal.tell(fact)

    async def _answer(self, name: str, asker: Asker, params: Mapping[str, Any]) -> Any:
        read(params, COMMANDS[name].parameters)  # type: ignore[type-var]
        self.asked.append((name, params, asker))
        if name not in self.answers:
            raise RefusedError(f"{name} is not possible now", REFUSED)
        return self.answers[name]

    async def _look(self) -> bytes:
        if self.picture is None:
            raise OSError("there is no camera")
        return self.picture
