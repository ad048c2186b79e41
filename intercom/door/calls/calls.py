"""Carry out the machine's decisions about calls: ring the house, answer, keep the limit of a talk."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Iterable
from pathlib import Path
from typing import Any

from intercom.config import CallConfig
from intercom.door.calls.active_call import CurrentCall, identity_of, quietly
from intercom.door.calls.call_feedback import CallFeedback
from intercom.door.calls.kept_press import PressBook
from intercom.door.calls.lock_talk import LockTalk
from intercom.door.calls.press import Press
from intercom.door.calls.ring_timeout import RingTimeout
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
_AWAY = ("USER_NOT_REGISTERED", "RECOVERY_ON_TIMER_EXPIRE", "NORMAL_TEMPORARY_FAILURE")
"""Causes of an end that nobody chose: the house, or the service, is away and may be back at any moment."""


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
        press_file: Path | None = None,
    ) -> None:
        """Show the calls by `feedback`; `tell` takes what happens to them, as facts for the journal.

        `press_file` keeps the press over a restart.
        """
        self._config = call
        self._machine = machine
        self._client = client
        self._feedback = feedback
        self._lock = LockTalk(opener, send=self._send)
        self._tell = tell
        self._book = PressBook(tell, press_file)
        self._in_space = in_space
        self._current: CurrentCall | None = None
        self._ringing: Press | None = None
        "press that rings the house, or whose call is in progress"
        self._ring_timeout = RingTimeout(
            call.ring_time_s, no_answer=self._nobody_answered, press_lapsed=self._lose_patience
        )
        self._tasks = TaskSet(on_defect)
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
        return self._ring_timeout.press_waits

    def press(self) -> Decision:
        """Ring the house, or answer the call that rings at the door: the visitor pressed the button."""
        return self._press(self._ring_timeout.deadline())

    def ring(self, address: str) -> Decision:
        """Ring this address if the door is free, or answer the call that rings at the door, or refuse."""
        return self._ring(address, self._ring_timeout.deadline())

    def ring_on(self) -> None:
        """Ring on for a press that a restart cut off, as soon as the service is there."""
        until = self._book.resume(asyncio.get_running_loop().time(), self._config.ring_time_s)
        if until is not None:
            self._wait_for_service(until)

    def _press(self, until: float) -> Decision:
        address = self._book.address(self._config.ring)
        decision = self._ring(address, until)
        if decision.verdict is Verdict.REFUSED and not self.press_waits:
            self._book.waits(address, until, decision.reason)
            self._wait_for_service(until)
        elif not decision.allowed:
            self._book.again(decision.reason)
        return decision

    def _wait_for_service(self, until: float) -> None:
        self._ring_timeout.keep_press(until)
        self._show_hope()

    def _ring(self, address: str, until: float) -> Decision:
        decision = self._machine.press()
        if decision.allowed and decision.call is not None:
            if decision.phase is Phase.RINGING_OUT:
                self._ringing = Press(decision.call, address, until, self._book.rings(address, until))
                self._follow_up(decision.call, self._ring_out(self._ringing))
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
        waited = self._forget_press("ORIGINATOR_CANCEL")
        decision = self._machine.hold()
        if decision.allowed:
            self._stop_ringing("ORIGINATOR_CANCEL")
        return waited or decision.allowed

    def take(self, entry: Entry) -> None:
        """Take a fact of the journal: whoever opens the door lets the visitor in, and nobody need be rung any more."""
        if isinstance(entry.fact, DoorOpened):
            self._lock.opened(entry.fact.by, self._current)
            self._forget_press(OPENED)
            if self._machine.opened().allowed:
                self._stop_ringing(OPENED)

    def _stop_ringing(self, cause: str) -> None:
        press, self._ringing = self._ringing, None
        if press is not None:
            press.give_up(cause)
            self._show_hope()
        if self._current is not None:
            self._tasks.spawn(self._give_up(self._current, cause if self._current.outbound else "CALL_REJECTED"))

    def unregistered(self) -> None:
        """Show the visitor that the door looks for the house: nobody knows whether it still rings there."""
        if self._ringing is not None and self._machine.phase is Phase.RINGING_OUT:
            self._ringing.hopes = True
            self._show_hope()

    def registered(self) -> None:
        """Ring the house for a press that waited: the service is back."""
        if (press := self._ringing) is not None:
            press.hurry()
            if self._current is not None:
                self._later(self._current, RINGS_S, lambda: self._rings(press))
        until = self._ring_timeout.take_press()
        if until is not None:
            self._show_hope()
            self._press(until)

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
        self._forget_press("NORMAL_TEMPORARY_FAILURE")
        if self._ringing is not None:
            self._ringing.give_up("NORMAL_TEMPORARY_FAILURE")
        if (current := self._current) is not None:
            await self._give_up(current, "NORMAL_CLEARING" if current.answered else "NORMAL_TEMPORARY_FAILURE")
        await self._followers.finish(NOTED_S)  # they note the call's end, with its cause
        await self._followers.stop()
        await self._tasks.stop()

    async def _ring_out(self, press: Press) -> None:
        """Ring, and redial after failures, until somebody answers, somebody gives up or the press's time is over."""
        try:
            while not press.given_up and await self._ring_once(press):
                press.hopes = True
                self._show_hope()
                if not await press.pause():
                    break
        finally:
            cause = press.given_up or press.cause
            if self._ringing is press:
                self._ringing = None
                self._show_hope()
            if press.call is None:
                self._book.unreached(cause, press.address)
            else:
                self._book.over()
                self._tell(Ended(identity_of(press.call), cause, press.answered))
        logger.info("The call with %s is over: %s", press.address, cause)
        self._over(press.ticket, cause, failed=not press.answered and not press.given_up)

    async def _ring_once(self, press: Press) -> bool:
        """Dial once and follow the call to its end; return whether redialling is worthwhile."""
        video = self._config.video
        try:
            async with press.dialling():
                call = await self._client.dial(press.address, audio=True, video=video, user_variables=press.variables)
        except SignalWireError as error:
            logger.log(logging.DEBUG if press.hopes else logging.WARNING, "%s did not ring: %s", press.address, error)
            press.cause = getattr(error, "cause", "")
            return press.cause in _AWAY
        except TimeoutError:
            return False
        current = CurrentCall(press.ticket, call, outbound=True, rings_until=press.until, in_space=self._in_space)
        if press.given_up:
            await self._give_up(current, press.given_up)
            return False
        if press.call is None:
            self._tell(CallBegan(identity_of(call)))
        else:
            self._tell(RangAgain(press.call.id, identity_of(call)))
        press.call = call
        if press.hopes:
            self._later(current, RINGS_S, lambda: self._rings(press))
        self._follow(current)
        try:
            await self._live(current)
        finally:
            press.answered = current.answered
        press.cause = call.end_cause or "NORMAL_CLEARING"
        return press.cause in _AWAY and not current.answered and not current.given_up

    async def _rings(self, press: Press) -> None:
        press.hopes = False
        self._show_hope()

    def _take_in(self, call: WebRTCCall) -> None:
        decision = self._machine.incoming()
        if not decision.allowed or decision.call is None:
            logger.info("Somebody calls: %s", decision.reason)
            self._tasks.spawn(quietly(call.reject()))
            return
        self._forget_press()
        until = self._ring_timeout.deadline()
        current = CurrentCall(decision.call, call, outbound=False, rings_until=until, in_space=self._in_space)
        self._follow(current)
        self._follow_up(current.ticket, self._ring_in(current))

    async def _ring_in(self, current: CurrentCall) -> None:
        """Ring at the door until somebody answers or gives up."""
        call = current.call
        self._tell(CallBegan(identity_of(call)))
        if answers_by_itself(current.far_end, current.kind, self._config.auto_answer):
            self._later(current, self._config.auto_answer_delay_s, lambda: self._auto_answer(current))
        try:
            await self._live(current)
        finally:
            cause = call.end_cause or "NORMAL_TEMPORARY_FAILURE"
            self._tell(Ended(identity_of(call), cause, current.answered))
        logger.info("The call with %s is over: %s", current.far_end, cause)
        self._over(current.ticket, cause)

    def _over(self, ticket: int, cause: str, *, failed: bool = False) -> None:
        talked = self._machine.phase is Phase.ACTIVE
        decision = self._machine.ended(ticket)
        if decision.allowed and (failed or (talked and cause == "MEDIA_TIMEOUT")):
            self._feedback.failed(cause)

    def _follow(self, current: CurrentCall) -> None:
        self._current = current
        current.subscriptions = [
            current.call.status_stream.subscribe(current.statuses.put_nowait),
            current.call.keys_stream.subscribe(lambda press: self._lock.key(current, press)),
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
        limit, warning = self._config.time_limit_s, self._config.warning_before_end_s
        self._later(current, limit, lambda: self._give_up(current, "NORMAL_CLEARING"))
        if warning:
            current.timers.append(asyncio.get_running_loop().call_later(limit - warning, self._feedback.call_ending))
        if current.outbound:
            self._book.answered()
        self._tell(Answered(identity_of(current.call)))
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

    def _nobody_answered(self, current: CurrentCall) -> None:
        self._tasks.spawn(self._give_up(current, "NO_ANSWER"))

    async def _give_up(self, current: CurrentCall, cause: str) -> None:
        current.given_up = True
        await quietly(current.call.hangup(cause))

    def _send(self, current: CurrentCall, info: dict[str, Any]) -> None:
        if current is self._current:
            self._tasks.spawn(quietly(current.call.send_info(info)))

    def _forget_press(self, cause: str = "") -> bool:
        """Drop the waiting press and return whether there was one; with a cause, log it as not reached."""
        if self._ring_timeout.take_press() is None:
            return False
        self._show_hope()
        if cause:
            self._book.unreached(cause, self._config.ring)
        else:
            self._book.over()
        return True

    def _lose_patience(self) -> None:
        self._forget_press("NORMAL_TEMPORARY_FAILURE")
        self._feedback.failed("NORMAL_TEMPORARY_FAILURE")

    def _show_hope(self) -> None:
        """Show the visitor whether the press is redialled or waits for the service."""
        rings_again = self._ringing is not None and self._ringing.hopes
        self._feedback.trying(rings_again or self.press_waits)

    def _later(self, current: CurrentCall, seconds: float, action: Callable[[], Coroutine[Any, Any, None]]) -> None:
        loop = asyncio.get_running_loop()
        current.timers.append(loop.call_later(seconds, lambda: self._tasks.spawn(action())))

    def _follow_up(self, ticket: int, work: Coroutine[Any, Any, None]) -> None:
        self._followers.spawn(work, name=str(ticket))
