"""What the door tells the house's space of its alarms."""

from __future__ import annotations

from typing import Any

from intercom.config import Config
from intercom.config.schema import AccountConfig
from intercom.door.alarms import HouseAlarms
from intercom.door.health.faults import TAMPER, Faults
from intercom.facts import RegistrationChanged
from intercom.history.journal import Journal
from intercom.signalwire import SignalWireError
from tests.keypad import Keypad
from tests.virtual_time import VirtualLoop


class Service:
    """A space that can be away, and what it was told."""

    def __init__(self) -> None:
        self.session = self
        self.told: list[list[str]] = []
        self.away = False

    async def execute(self, method: str, params: dict[str, Any]) -> dict[str, Any]:
        """Take a request."""
        assert method == "intercom.alarms"
        if self.away:
            raise SignalWireError("the space is away")
        self.told.append(params["alarms"])
        return {}


class Scene:
    """A door's faults, and its space."""

    def __init__(self, credential: str = "space") -> None:
        self.loop = VirtualLoop()
        self.space = Service()
        self.journal = Journal(_raise)
        self.faults = Faults(self.journal.tell)
        config = Config(account=AccountConfig(credential=credential))
        space: Any = self.space  # what it uses of a client
        alarms = HouseAlarms(config, client=space, opener=Keypad().opener, faults=self.faults)
        self.journal.subscribe(alarms.hear)

    def now(self, *happen: Any) -> None:
        """Call these on the loop."""

        async def on_the_loop() -> None:
            for one in happen:
                one()

        self.loop.run(on_the_loop())

    def registers(self) -> None:
        """The door registers."""
        self.now(lambda: self.journal.tell(RegistrationChanged(registered=True)))


def _raise(error: Exception) -> None:
    raise error


def test_the_space_is_told_when_an_alarm_begins_and_when_it_is_over() -> None:
    scene = Scene()
    scene.now(lambda: scene.faults.begin(TAMPER, ""))
    scene.now(lambda: scene.faults.clear(TAMPER))
    assert scene.space.told == [["tamper"], []]


def test_a_space_that_was_away_is_told_at_the_next_registration() -> None:
    scene = Scene()
    scene.space.away = True
    scene.now(lambda: scene.faults.begin(TAMPER, ""))
    scene.space.away = False
    scene.registers()
    assert scene.space.told == [["tamper"]]


def test_an_end_that_the_space_did_not_hear_is_told_again() -> None:
    scene = Scene()
    scene.now(lambda: scene.faults.begin(TAMPER, ""))
    scene.space.away = True
    scene.now(lambda: scene.faults.clear(TAMPER))
    scene.space.away = False
    scene.registers()
    assert scene.space.told == [["tamper"], []]


def test_a_door_without_alarms_tells_nothing() -> None:
    scene = Scene()
    scene.registers()
    scene.now(lambda: scene.faults.begin("camera", ""))
    assert scene.space.told == []


def test_a_service_that_is_no_space_is_told_nothing() -> None:
    scene = Scene("token-file")
    scene.now(lambda: scene.faults.begin(TAMPER, ""))
    assert scene.space.told == []
