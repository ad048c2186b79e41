"""A door's calls with a real machine, and everything else scripted: service, calls, feedback, lock and journal."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from intercom.config import ButtonConfig, CallConfig, DoorConfig
from intercom.door.calls.calls import Calls
from intercom.door.calls.ring_plan import RingPlans
from intercom.door.machine import Machine, Phase
from intercom.facts import Answered, CallBegan, DoorOpened, Ended, Fact, PressWaits, RangAgain, Unreached
from intercom.history.journal import Entry
from intercom.opening.opener import DoorOpener
from intercom.signalwire import CallError, KeyPress, SignalWireError
from intercom.signalwire.observable import Happenings, Value
from tests.virtual_time import VirtualLoop

HOUSE = "/private/house"
CLOSING_S = 0.02
"""How long a call's media takes to close."""
DIAL_S, DESCRIBE_S = 0.05, 0.5
"""How long the service takes to have a call, and a call to gather its candidates before it is answered."""
RPC_TIMEOUT_S = 5.0
OVER = ("disconnecting", "disconnected", "failed", "destroyed")


class Call:
    """One call, as its client would show it."""

    numbers = itertools.count(1)

    def __init__(self, direction: str, far_end: str) -> None:
        self.id = f"call-{next(self.numbers)}"
        self.direction = direction
        self.from_, self.to = ("/private/door", far_end) if direction == "outbound" else (far_end, "/private/door")
        self.from_name = self.to_name = ""
        self.user_variables: dict[str, Any] = {}
        self.answered_address = ""
        self.far_end_kind = "resident"
        self.end_cause: str | None = None
        self._status: Value[str] = Value("new" if direction == "outbound" else "ringing")
        self._keys: Happenings[KeyPress] = Happenings()
        self._info: Happenings[dict[str, Any]] = Happenings()
        self.status_stream, self.keys_stream = self._status.stream, self._keys.stream
        self.info_stream = self._info.stream
        self.mutes: Value[frozenset[str]] = Value(frozenset())
        self.muted_stream = self.mutes.stream
        self.answers = 0
        self.closes = True
        "whether its media lets go"
        self.breaks = ""
        "what raises when it is asked for"
        self.told: list[dict[str, Any]] = []

    @property
    def status(self) -> str:
        return self._status.value

    @property
    def over(self) -> bool:
        return self.status in OVER

    # -- what the door does ----------------------------------------------------------------------------

    async def answer(self, audio: bool = True, video: bool = True) -> None:
        if self.over or self.answers:
            raise CallError("there is nothing to answer")
        self.answers += 1
        if self.breaks == "answer":
            raise RuntimeError("the answer broke")
        await asyncio.sleep(DESCRIBE_S)
        if self.over:
            raise CallError("the call ended")
        self._status.set("connecting")

    async def reject(self, cause: str = "USER_BUSY") -> None:
        await self.hangup(cause)

    async def hangup(self, cause: str = "NORMAL_CLEARING") -> None:
        if not self.over:
            self.end_cause = cause
            self._status.set("disconnecting")
            await asyncio.sleep(CLOSING_S)
            if self.closes:
                self._close()

    async def send_digits(self, digits: str) -> None:
        self.told.append({"digits": digits})

    async def send_info(self, info: dict[str, Any]) -> None:
        self.told.append(info)

    # -- what the far end and the service do -----------------------------------------------------------

    def becomes(self, status: str) -> None:
        if not self.over:
            self._status.set(status)

    def ends(self, cause: str = "NORMAL_CLEARING") -> None:
        if not self.over:
            self.end_cause = cause
            self._close()

    def asks(self, info: dict[str, Any]) -> None:
        self._info.emit(info)

    def presses(self, key: KeyPress) -> None:
        self._keys.emit(key)

    def _close(self) -> None:
        self._status.set("disconnected")
        self._status.set("destroyed")
        self._status.complete()
        self._keys.complete()


class Service:
    """The client: takes the door's calls, or does not."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.reachable = True
        self.somebody_home = True
        self.empty: set[str] = set()
        "addresses at which nobody is"
        self.refusal: SignalWireError | None = None
        self.dialled = 0
        self.session = self
        self.executed: list[tuple[str, dict[str, Any]]] = []

    async def execute(self, method: str, params: Mapping[str, Any]) -> None:
        await asyncio.sleep(0)
        if not self.reachable:
            raise CallError("it was not answered in time", cause="RECOVERY_ON_TIMER_EXPIRE")
        self.executed.append((method, dict(params)))

    async def dial(self, address: str, *, user_variables: dict[str, Any] | None = None, **_: Any) -> Call:
        self.dialled += 1
        await asyncio.sleep(DIAL_S)
        if not self.reachable:
            await asyncio.sleep(RPC_TIMEOUT_S)
            raise CallError("it was not answered in time", cause="RECOVERY_ON_TIMER_EXPIRE")
        if self.refusal is not None:
            raise self.refusal
        call = Call("outbound", address)
        call.user_variables = user_variables or {}
        self.calls.append(call)
        call.becomes("trying")
        if not self.somebody_home or address in self.empty:
            asyncio.get_running_loop().call_later(DIAL_S, call.ends, "USER_NOT_REGISTERED")
        return call


class Feedback:
    """What the visitor was told."""

    def __init__(self) -> None:
        self.is_trying = False
        self.failures: list[str] = []
        self.beeps = 0
        self.answered_by_itself = 0
        self.is_muted = False

    def muted(self, on: bool) -> None:
        self.is_muted = on

    def trying(self, on: bool) -> None:
        self.is_trying = on

    def failed(self, cause: str) -> None:
        self.failures.append(cause)

    def call_ending(self) -> None:
        self.beeps += 1

    def auto_answered(self) -> None:
        self.answered_by_itself += 1


class Lock:
    """The relay."""

    def __init__(self) -> None:
        self.opened = 0

    def open(self) -> bool:
        self.opened += 1
        return True


class Journal:
    """The calls that the facts tell of; refuses what would make a ghost."""

    def __init__(self, call_of: Callable[[str], Call]) -> None:
        self._call_of = call_of
        self.open: list[Call] = []
        self.ends: list[tuple[Call, str]] = []
        self.answers: list[Call] = []
        self.unreached_calls: list[tuple[str, str]] = []
        self.waits: list[str] = []
        self.facts: list[Fact] = []

    def tell(self, fact: Fact) -> None:
        """Take what the calls tell; openings are told of elsewhere."""
        self.facts.append(fact)
        match fact:
            case CallBegan(call):
                assert self._call_of(call.id) not in self.open, "it began already"
                self.open.append(self._call_of(call.id))
            case RangAgain(before, call):
                self.open[self.open.index(self._call_of(before))] = self._call_of(call.id)
            case Answered(call):
                assert self._call_of(call.id) in self.open, "it did not begin, or it ended"
                assert self._call_of(call.id) not in self.answers, "it was answered already"
                self.answers.append(self._call_of(call.id))
            case Ended(call, cause, answered):
                assert answered == (self._call_of(call.id) in self.answers)
                self.open.remove(self._call_of(call.id))
                self.ends.append((self._call_of(call.id), cause))
            case Unreached(address, cause):
                self.unreached_calls.append((address, cause))
            case PressWaits(why):
                self.waits.append(why)

    @property
    def causes(self) -> list[str]:
        return [cause for _, cause in self.ends]


class DoorInMemory:
    """The stage: whatever a test does to it has had all its consequences that need no time when it returns."""

    def __init__(
        self,
        *,
        door: DoorConfig | None = None,
        in_space: bool = True,
        press_file: Path | None = None,
        buttons: tuple[ButtonConfig, ...] = (),
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        **call: Any,
    ) -> None:
        self.loop = VirtualLoop()
        self.config = CallConfig(**{"ring": HOUSE, "ring_time_s": 60.0, "time_limit_s": 300.0, **call})
        self.machine = Machine()
        self.service, self.feedback, self.lock, self.journal = Service(), Feedback(), Lock(), Journal(self._call_of)
        self.defects: list[BaseException] = []
        self.callers: list[Call] = []
        self.plan = Calls(
            self.config,
            machine=self.machine,
            client=self.service,  # type: ignore[arg-type] # what the calls use of a client
            feedback=self.feedback,
            opener=DoorOpener(door or DoorConfig(), lock=self.lock, tell=self.journal.tell, clock=self.loop.time),
            tell=self.journal.tell,
            on_defect=self.defects.append,
            in_space=in_space,
            plans=RingPlans(self.config, buttons, at_once=in_space, now=now),
            press_file=press_file,
        )
        self.machine.now_registered()

    def close(self) -> None:
        """End the test's loop."""
        self.loop.run(self.plan.stop())
        self.loop.close()

    @property
    def phase(self) -> Phase:
        return self.machine.phase

    @property
    def newest(self) -> Call:
        """The door's last call."""
        return self.service.calls[-1]

    @property
    def calls(self) -> list[Call]:
        """All calls that there were."""
        return [*self.service.calls, *self.callers]

    def _call_of(self, call_id: str) -> Call:
        return next(call for call in self.calls if call.id == call_id)

    # -- what happens ----------------------------------------------------------------------------------

    def wait(self, seconds: float) -> None:
        self.loop.wait(seconds)

    def press(self, button: str = "") -> None:
        self.now(lambda: self.plan.press(button))

    def hold(self) -> None:
        self.now(self.plan.hold)

    def hang_up(self) -> bool:
        return self.loop.run(self.plan.hang_up())

    def opened_by(self, who: str) -> None:
        """Somebody opens the door, by whatever way."""
        entry = Entry(1, datetime.now(UTC), self.loop.time(), DoorOpened(who))
        self.now(lambda: self.plan.take(entry))

    def ring(self) -> Call:
        """The visitor presses, and the house rings."""
        self.press()
        self.wait(2 * DIAL_S)
        return self.newest

    def talk(self) -> Call:
        """The visitor presses, and the house answers."""
        call = self.ring()
        self.answers(call)
        return call

    def answers(self, call: Call) -> None:
        self.now(lambda: call.becomes("connecting"))
        self.now(lambda: call.becomes("connected"))

    def ends(self, call: Call, cause: str = "NORMAL_CLEARING") -> None:
        self.now(lambda: call.ends(cause))

    def called_by(self, far_end: str) -> Call:
        call = Call("inbound", far_end)
        self.callers.append(call)
        self.now(lambda: self.plan.incoming([c for c in self.callers if not c.over]))
        return call

    def loses_service(self) -> None:
        self.service.reachable = False
        self.machine.now_unregistered()

    def has_service_again(self, *, resumed: bool) -> None:
        """The client is back; in a new session it has ended what rang."""
        self.service.reachable = True
        if not resumed:
            for call in self.calls:
                if call.status in ("new", "trying", "ringing"):
                    self.ends(call, "RECOVERY_ON_TIMER_EXPIRE")
        self.machine.now_registered()
        self.now(self.plan.registered)

    def now(self, happen: Callable[[], object]) -> None:
        """Call this on the loop, as a part does."""

        async def on_the_loop() -> None:
            happen()

        self.loop.run(on_the_loop())
