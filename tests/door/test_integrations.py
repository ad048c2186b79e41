"""The door builds what the configuration asks for, and nothing that an integration does harms the door."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from intercom.config import Config, DoorConfig
from intercom.control.commands import Asker, Commands
from intercom.control.errors import RefusedError
from intercom.control.protocol import INVALID_PARAMS
from intercom.door import integrations
from intercom.door.access import DoorAccess
from intercom.door.health.faults import Faults, Part
from intercom.door.integrations import Integrations, Row
from intercom.facts import FaultBegan, Pressed
from intercom.history.journal import Journal
from intercom.integrations.access import Program
from intercom.media.sound.beside import BesideCall
from intercom.opening.decision import Way
from intercom.opening.opener import DoorOpener, NotAdmittedError
from tests.door import integrated

PART = Part.NOTIFY
"The integration of these tests borrows the name of another part."
PROGRAM = Program("API (shed)", Way.API)


class Stage:
    """A journal, the faults and one integration, without the rest of the door."""

    def __init__(self, tmp_path: Path, *, on: bool = True) -> None:
        integrated.built.clear()
        integrated.begin = integrated.hear
        self.defects: list[Exception] = []
        self.failures: list[BaseException] = []
        self.failed = asyncio.Event()
        self.asked: list[tuple[str, Mapping[str, Any]]] = []
        self.journal = Journal(self.defects.append)
        self.faults = Faults(self.journal.tell)
        row = Row(PART, lambda config: on, "tests.door.integrated")
        self.integrations = Integrations(Config(), tmp_path, access=self._access, on_failure=self._failure, table=[row])

    def _access(self, part: Part) -> DoorAccess:
        return DoorAccess(
            part,
            journal=self.journal,
            faults=self.faults,
            commands=Commands({"status": self._status}),
            status=dict,
            camera=None,
            sound=BesideCall(lambda: None),
            snapshot=no_picture,
            press_picture=no_picture,
            on_failure=self._failure,
        )

    async def _status(self, asker: Asker, params: Mapping[str, Any]) -> str:
        self.asked.append((asker.name, params))
        return "fine"

    def _failure(self, part: Part, error: BaseException) -> None:
        assert part is PART
        self.failures.append(error)
        self.failed.set()

    async def start(self) -> integrated.Integrated:
        """Start the integration, and return it."""
        await self.integrations.restarts()[PART]()
        return integrated.built[-1]


async def no_picture() -> bytes:
    raise OSError("there is no camera")


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(tmp_path)


async def test_an_integration_that_is_on_is_built_and_hears_facts(stage: Stage) -> None:
    one = await stage.start()
    stage.journal.tell(Pressed("/private/house"))
    assert [entry.fact for entry in one.heard] == [Pressed("/private/house")]
    assert stage.integrations.document() == {PART.value: {"heard": 1}}
    assert [(family.name, family.samples[0].value) for family in stage.integrations.figures()] == [("t_heard_total", 1)]


async def test_an_integration_that_is_off_is_not_built(tmp_path: Path) -> None:
    stage = Stage(tmp_path, on=False)
    stage.integrations.start()
    await stage.integrations.stop()
    assert integrated.built == []
    assert stage.integrations.restarts() == {}
    assert stage.integrations.figures() == []


async def test_one_that_cannot_start_is_stopped_and_is_a_failure_of_its_own_part(stage: Stage) -> None:
    async def refuse(one: integrated.Integrated) -> None:
        raise OSError("the port is taken")

    integrated.begin = refuse
    stage.integrations.start()
    await asyncio.wait_for(stage.failed.wait(), 60)
    assert str(stage.failures[0]) == "the port is taken"
    assert integrated.built[0].stopped
    assert stage.integrations.document() == {}


async def test_one_that_hangs_at_its_start_fails_after_its_limit(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    async def hang(one: integrated.Integrated) -> None:
        await asyncio.Event().wait()

    integrated.begin = hang
    monkeypatch.setattr(integrations, "START_S", 0.0)
    with pytest.raises(TimeoutError, match="it did not start within"):
        await stage.start()
    assert integrated.built[0].stopped


async def test_a_new_start_stops_the_one_before(stage: Stage) -> None:
    before = await stage.start()
    after = await stage.start()
    stage.journal.tell(Pressed("/private/house"))
    assert before.stopped
    assert (len(before.heard), len(after.heard)) == (0, 1)


async def test_a_listener_that_raises_fails_its_integration_and_the_journal_goes_on(stage: Stage) -> None:
    one = await stage.start()

    def raises(_: object) -> None:
        raise ValueError("a defect")

    one.access.subscribe(raises)
    stage.journal.tell(Pressed("/private/house"))
    stage.journal.tell(Pressed("/private/house"))
    assert [str(error) for error in stage.failures] == ["a defect"]
    assert stage.defects == []
    assert len(one.heard) == 2


async def test_trouble_outside_shows_as_a_fault_until_it_is_over(stage: Stage) -> None:
    one = await stage.start()
    one.access.broken("the broker does not answer")
    assert stage.faults.open[PART].why == "the broker does not answer"
    one.access.works()
    assert PART not in stage.faults.open


async def test_it_hears_nothing_more_once_it_is_stopped(stage: Stage) -> None:
    one = await stage.start()
    await stage.integrations.stop()
    stage.journal.tell(Pressed("/private/house"))
    assert one.stopped
    assert one.heard == []


async def test_it_asks_for_commands_in_its_own_name(stage: Stage) -> None:
    one = await stage.start()
    assert await one.access.ask("status", {}, caller=PROGRAM) == "fine"
    assert stage.asked == [("API (shed)", {})]


async def test_it_cannot_ask_in_the_name_of_an_ssh_key(stage: Stage) -> None:
    one = await stage.start()
    with pytest.raises(RefusedError) as refusal:
        await one.access.ask("status", {"by": "ssh root"}, caller=PROGRAM)
    assert refusal.value.code == INVALID_PARAMS
    assert stage.asked == []


@pytest.mark.parametrize("way", [Way.API, Way.MQTT, Way.ONVIF])
def test_no_program_opens_the_door_unless_the_configuration_says_so(way: Way) -> None:
    told: list[object] = []
    shut = DoorOpener(DoorConfig(), lock=Lock(), tell=told.append)
    with pytest.raises(NotAdmittedError):
        shut.ask(way, "somebody")
    assert [type(fact).__name__ for fact in told] == ["DoorRefused"]
    assert DoorOpener(DoorConfig(), lock=Lock(), tell=told.append, programs=[way]).ask(way, "somebody")


class Lock:
    """A relay that opens."""

    def open(self) -> bool:
        return True


def test_a_door_without_integrations_imports_none_of_their_rooms() -> None:
    said = (
        "import sys, intercom.door.appliance;"
        "print([name for name in sys.modules if name.startswith('intercom.integrations.')"
        " and name != 'intercom.integrations.access' or name.split('.')[0] == 'aiohttp'])"
    )
    found = subprocess.run([sys.executable, "-c", said], capture_output=True, text=True, timeout=60, check=True)
    assert found.stdout.strip() == "[]"


async def test_an_integration_is_not_told_of_its_own_faults_and_hears_of_others(stage: Stage) -> None:
    one = await stage.start()
    one.access.broken("the receiver is away")
    one.access.works()
    stage.faults.begin(Part.RELAY, "it does not turn off")
    assert [entry.fact for entry in one.heard] == [FaultBegan(Part.RELAY, "it does not turn off")]
