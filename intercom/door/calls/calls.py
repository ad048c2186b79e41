"""Carry out the machine's decisions about calls: ring the house, answer, keep the limit of a talk."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from intercom.config import CallConfig
from intercom.door.calls.active_call import CurrentCall, identity_of, quietly
from intercom.door.calls.another_visitor import another_visitor
from intercom.door.calls.call_feedback import CallFeedback
from intercom.door.calls.kept_press import KeptPress, PressBook
from intercom.door.calls.lock_talk import LockTalk
from intercom.door.calls.press import Press
from intercom.door.calls.ring_plan import RingPlans, Walk
from intercom.door.calls.ring_timeout import RingTimeout
from intercom.door.calls.talk_limit import TalkLimit
from intercom.door.calls.unheard import UnheardPresses
from intercom.door.calls.waiting_press import WaitingPress
from intercom.door.machine import Decision, Machine, Phase, Verdict
from intercom.facts import OPENED, Answered, CallBegan, DoorOpened, Ended, Fact, RangAgain
from intercom.history.journal import Entry
from intercom.opening.auto_answer import answers_by_itself
from intercom.opening.opener import DoorOpener
from intercom.signalwire import SignalWire, SignalWireError, WebRTCCall
from intercom.tasks import TaskSet

logger = logging.getLogger(__name__)

NOTED_S = 0.2
"""Time limit for noting the end of a call at a stop; noting it takes no time."""
RINGS_S = 0.5
"""Time after which a new call counts as ringing; a call to nobody ends sooner."""


class Calls:
    """Carries out the machine's decisions about calls. Belongs to the event loop."""

    def __init__(
        self,
        call: CallConfig,
        *,
        machine: Machine,
        client: SignalWire,
        feedback: CallFeedback,
        opener: DoorOpener,
        tell: Callable[[Fact], object],
        on_defect: Callable[[BaseException], None],
        in_space: bool = True,
        plans: RingPlans | None = None,
        press_file: Path | None = None,
    ) -> None:
        """Show the calls by `feedback`; `tell` takes what happens to them, as facts for the journal.

        `plans` says whom each button rings; `press_file` keeps the press over a restart.
        """
        self._config = call
        self._machine = machine
        self._client = client
        self._feedback = feedback
        self._lock = LockTalk(opener, send=self._send)
        self.talk_limit = TalkLimit(
            call,
            key=opener.free_key,
            other_key=self._lock.key,
            warn=feedback.call_ending,
            send=self._send,
            end=lambda current: self._tasks.spawn(self._give_up(current, "NORMAL_CLEARING")),
        )
        self._tell = tell
        self._tasks = TaskSet(on_defect)
        self._unheard = UnheardPresses(client, in_space=in_space, tasks=self._tasks)
        self._book = PressBook(tell, press_file, unheard=self._unheard.add)
        self._in_space = in_space
        self._plans = plans or RingPlans(call, at_once=in_space)
        self._current: CurrentCall | None = None
        self.ringing: Press | None = None
        "press that rings the house, or whose call is in progress"
        self._waiting = WaitingPress(self._book, show=self._show_hope, lapsed=feedback.failed)
        self._instead: list[str] = []
        "buttons that were pressed while the ringing of another one still ends"
        self._ring_timeout = RingTimeout(
            call.ring_time_s, no_answer=lambda current: self._tasks.spawn(self._give_up(current, "NO_ANSWER"))
        )
        self._followers = TaskSet(on_defect)
        "tasks that follow a call from beginning to end, named by its ticket"
        self._known: set[str] = set()

    @property
    def call(self) -> WebRTCCall | None:
        """The call, or None."""
        return self._current.call if self._current else None

    @property
    def press_waits(self) -> bool:
        """Whether a visitor pressed and waits for the service."""
        return bool(self._waiting)

    @property
    def kept(self) -> KeptPress | None:
        """The press that waits, rings or talks, as it stands; None when there is none."""
        return self._book.press

    def press(self, button: str = "") -> None:
        """Ring whom the button's plan names, or answer the call that rings at the door: the visitor pressed it.

        Another button than the one that rings ends that ringing: the visitor has found the right one.
        """
        kept = self._book.press
        if self._instead:
            self._instead.append(button)
        elif kept is not None and kept.button != button and self._rings_or_waits:
            self.hold()
            self._instead.append(button)
            self._tasks.spawn(self._press_instead())
        else:
            walk = None if kept is None or kept.button != button else kept.walk
            self._press(walk or self._plans.begun(button, self._time), button)

    def ring(self, address: str = "") -> Decision:
        """Ring this address, or whom the first button rings, or answer the call that rings at the door, or refuse."""
        button = "" if address else self._plans.first
        return self._ring(self._plans.begun(button, self._time, only=address), button, visitor=False)

    def ring_on(self) -> None:
        """Ring on for a press that a restart cut off, as soon as the service is there."""
        if (walk := self._book.resume(self._time)) is not None:
            self._waiting.begin(walk)

    @property
    def _time(self) -> float:
        return asyncio.get_running_loop().time()

    @property
    def _rings_or_waits(self) -> bool:
        return self.press_waits or self._machine.phase is Phase.RINGING_OUT

    async def _press_instead(self) -> None:
        await self._followers.finish(NOTED_S)
        buttons, self._instead = self._instead, []
        for button in buttons:
            self.press(button)

    def _press(self, walk: Walk, button: str) -> None:
        decision = self._ring(walk, button)
        if decision.verdict is Verdict.REFUSED and not self.press_waits:
            self._book.waits(walk, button, decision.reason)
            self._waiting.begin(walk)
        elif not decision.allowed:
            self._book.again(decision.reason, button)
            if (current := self._current) is not None and current.answered and current.in_space:
                self._send(current, another_visitor(walk, button, self._book.press))

    def _ring(self, walk: Walk, button: str, *, visitor: bool = True) -> Decision:
        decision = self._machine.press()
        if decision.allowed and decision.call is not None:
            if decision.phase is Phase.RINGING_OUT:
                self.ringing = Press(decision.call, walk, self._book.rings(walk, button, visitor=visitor), button)
                self._followers.spawn(self._ring_out(self.ringing), name=str(decision.call))
            elif self._current is not None:
                self._tasks.spawn(self._answer(self._current))
        return decision

    async def hang_up(self) -> bool:
        """End the call in any phase; return False if there is none."""
        if self.hold():
            return True
        if self._current is None:
            return False
        await self._give_up(self._current, "NORMAL_CLEARING")
        return True

    async def send_digits(self, digits: str) -> bool:
        """Send telephone keys to the far end; return False unless a call is talked in. Raises SignalWireError."""
        if self._current is None or not self._current.answered:
            return False
        await self._current.call.send_digits(digits)
        return True

    def hold(self) -> bool:
        """Stop the ringing: the visitor held the button; return False if nothing rang."""
        waited = self._waiting.forget("ORIGINATOR_CANCEL") or bool(self._instead)
        self._instead.clear()
        decision = self._machine.hold()
        if decision.allowed:
            self._stop_ringing("ORIGINATOR_CANCEL")
        return waited or decision.allowed

    def take(self, entry: Entry) -> None:
        """Take a fact of the journal: whoever opens the door lets the visitor in, and nobody need be rung any more."""
        if isinstance(entry.fact, DoorOpened):
            self._lock.opened(entry.fact.by, self._current)
            self._waiting.forget(OPENED)
            self._instead.clear()
            if self._machine.opened().allowed:
                self._stop_ringing(OPENED)

    def _stop_ringing(self, cause: str) -> None:
        press, self.ringing = self.ringing, None
        if press is not None:
            press.kept = self._book.let_go(press.ring)
            press.give_up(cause)
            self._show_hope()
        if self._current is not None:
            self._tasks.spawn(self._give_up(self._current, cause if self._current.outbound else "CALL_REJECTED"))

    def unregistered(self) -> None:
        """Show the visitor that the door looks for the house: nobody knows whether it still rings there."""
        if self.ringing is not None and self._machine.phase is Phase.RINGING_OUT:
            self.ringing.hopes = True
            self._show_hope()

    def registered(self) -> None:
        """Ring the house for a press that waited: the service is back."""
        self._unheard.tell()
        if (press := self.ringing) is not None:
            press.hurry()
            if self._current is not None:
                self._current.later(RINGS_S, lambda: self._rings(press))
        if (kept := self._waiting.take()) is not None:
            self._press(kept.walk, kept.button)

    def incoming(self, calls: Iterable[WebRTCCall]) -> None:
        """Take in the incoming calls, each once however often it is listed."""
        listed = {call.id: call for call in calls}
        for call_id, call in listed.items():
            if call_id not in self._known:
                self._take_in(call)
        self._known = set(listed)

    def end_what_nobody_follows(self) -> None:
        """End the machine's call if a defect ended the task that followed it."""
        if self._machine.call is not None and str(self._machine.call) not in self._followers:
            self._machine.ended(self._machine.call)

    def door_changed(self, is_open: bool) -> None:
        """Tell the far end that the door opened or closed."""
        self._lock.changed(is_open, self._current)

    async def stop(self) -> None:
        """End the call and every task; a press that still rings is kept for the next start."""
        self._book.stopping()
        self._waiting.forget("NORMAL_TEMPORARY_FAILURE")
        if self.ringing is not None:
            self.ringing.give_up("NORMAL_TEMPORARY_FAILURE")
        if (current := self._current) is not None:
            await self._give_up(current, "NORMAL_CLEARING" if current.answered else "NORMAL_TEMPORARY_FAILURE")
        await self._followers.finish(NOTED_S)  # they note the call's end, with its cause
        await self._followers.stop()
        await self._tasks.stop()

    async def _ring_out(self, press: Press) -> None:
        """Ring one step after the other until somebody answers, somebody gives up or the last one is over."""
        try:
            while await press.is_to_dial(self._book, self._show_hope):
                await self._ring_once(press)
        finally:
            cause = press.final_cause
            if self.ringing is press:
                self.ringing = None
                self._show_hope()
            kept = press.kept or self._book.let_go(press.ring)
            if press.call is None:
                self._book.unreached(kept, cause)
            else:
                self._tell(Ended(identity_of(press.call), cause, press.answered))
        logger.info("The call with %s is over: %s", press.walk.address or "nobody", cause)
        self._over(press.ticket, cause, failed=not press.answered and not press.given_up)

    async def _ring_once(self, press: Press) -> None:
        """Dial once for the present step and follow the call to its end; the press notes the cause."""
        step, video = press.walk.step, self._config.video
        try:
            async with press.dialling():
                call = await self._client.dial(step.ring[0], audio=True, video=video, user_variables=press.variables)
        except SignalWireError as error:
            logger.log(logging.DEBUG if press.hopes else logging.WARNING, "%s did not ring: %s", step.address, error)
            press.cause = getattr(error, "cause", "")
            return
        except TimeoutError:
            press.cause = "NORMAL_TEMPORARY_FAILURE"
            return
        ends_at = press.walk.ends_at
        current = CurrentCall(press.ticket, call, outbound=True, rings_until=ends_at, in_space=self._in_space)
        current.rung, current.rung_before = step.ring, press.walk.rung_before
        if press.given_up:
            await self._give_up(current, press.given_up)
            return
        self._tell(CallBegan(identity_of(call)) if press.call is None else RangAgain(press.call.id, identity_of(call)))
        press.call = call
        if press.hopes:
            current.later(RINGS_S, lambda: self._rings(press))
        self._follow(current)
        try:
            await self._live(current)
        finally:
            press.answered = current.answered
        press.cause = call.end_cause or "NORMAL_CLEARING"

    def _rings(self, press: Press) -> None:
        press.hopes = False
        self._show_hope()

    def _take_in(self, call: WebRTCCall) -> None:
        decision = self._machine.incoming()
        if not decision.allowed or decision.call is None:
            logger.info("Somebody calls: %s", decision.reason)
            self._tasks.spawn(quietly(call.reject()))
            return
        self._waiting.forget()
        until = self._ring_timeout.deadline()
        current = CurrentCall(decision.call, call, outbound=False, rings_until=until, in_space=self._in_space)
        self._follow(current)
        self._followers.spawn(self._ring_in(current), name=str(current.ticket))

    async def _ring_in(self, current: CurrentCall) -> None:
        """Ring at the door until somebody answers or gives up."""
        call = current.call
        self._tell(CallBegan(identity_of(call)))
        if answers_by_itself(current.far_end, current.kind, self._config.auto_answer):
            delay_s = self._config.auto_answer_delay_s
            current.later(delay_s, lambda: self._tasks.spawn(self._auto_answer(current)))
        try:
            await self._live(current)
        finally:
            cause = call.end_cause or "NORMAL_TEMPORARY_FAILURE"
            self._tell(Ended(identity_of(call), cause, current.answered))
        logger.info("The call with %s is over: %s", current.far_end, cause)
        self._over(current.ticket, cause)

    def _over(self, ticket: int, cause: str, *, failed: bool = False) -> None:
        talked = self._machine.phase is Phase.ACTIVE
        if self._machine.ended(ticket).allowed and (failed or (talked and cause == "MEDIA_TIMEOUT")):
            self._feedback.failed(cause)

    def _follow(self, current: CurrentCall) -> None:
        self._current = current
        current.subscriptions = [
            current.call.status_stream.subscribe(current.statuses.put_nowait),
            current.call.keys_stream.subscribe(lambda press: self.talk_limit.key(current, press)),
            current.call.info_stream.subscribe(lambda info: self.talk_limit.asked(current, info)),
            current.call.info_stream.subscribe(lambda info: self._lock.asked(current, info)),
            current.call.muted_stream.subscribe(lambda kinds: self._feedback.muted("audio" in kinds)),
        ]
        self._ring_timeout.watch(current)

    async def _live(self, current: CurrentCall) -> None:
        """Follow a call to its end."""
        try:
            await current.over(answered=lambda: self._was_answered(current))
        except Exception:
            self._tasks.spawn(self._give_up(current, "NORMAL_TEMPORARY_FAILURE"))
            raise
        finally:
            current.close()
            if self._current is current:
                self._feedback.muted(False)
                self._current = None

    def _was_answered(self, current: CurrentCall) -> None:
        self.talk_limit.begin(current)
        if current.outbound:
            self._book.answered()
        self._tell(Answered(identity_of(current.call, current.far_end)))
        self._machine.answered(current.ticket)

    async def _auto_answer(self, current: CurrentCall) -> None:
        if not current.answering and self._current is current:
            self._feedback.auto_answered()
            await self._answer(current)

    async def _answer(self, current: CurrentCall) -> None:
        if current.answering:
            return
        current.answering = True
        try:
            await current.call.answer(audio=True, video=self._config.video)
        except SignalWireError as error:
            if not current.given_up:
                logger.warning("The call of %s could not be answered: %s", current.far_end, error)
        except Exception:
            self._tasks.spawn(self._give_up(current, "NORMAL_TEMPORARY_FAILURE"))
            raise

    async def _give_up(self, current: CurrentCall, cause: str) -> None:
        if cause == "NO_ANSWER" and current.is_answered:
            return
        current.given_up = True
        await quietly(current.call.hangup(cause))

    def _send(self, current: CurrentCall, info: dict[str, Any]) -> None:
        if current is self._current:
            self._tasks.spawn(quietly(current.call.send_info(info)))

    def _show_hope(self) -> None:
        """Show the visitor whether the press is redialled or waits for the service."""
        self._feedback.trying(self.press_waits or (self.ringing is not None and self.ringing.hopes))
