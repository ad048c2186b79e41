"""What the door does about calls: rings the house, answers, watches the clock."""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Callable, Coroutine, Iterable
from typing import Any, Protocol

from intercom.auto_answer import answers_by_itself
from intercom.config import CallConfig
from intercom.current_call import CurrentCall
from intercom.door_opener import DoorOpener
from intercom.machine import Decision, Machine, Phase, Verdict
from intercom.may_open import Kind
from intercom.signalwire import KeyPress, SignalWire, SignalWireError, WebRTCCall

logger = logging.getLogger(__name__)

PATIENCE_S = 10.0
"""A press while the house cannot be reached is kept this long: a reconnect takes less, a visitor waits no longer."""
NOTED_S = 0.2
"""That a call is over is noted in no time; a program that stops waits no longer."""
AGAIN_S = 0.5
"""After an outage the door is often back before the house's phones and pages: it asks for them this often."""
NOBODY_THERE = "USER_NOT_REGISTERED"
_OVER = ("disconnected", "failed", "destroyed")
_ANSWERED = ("connecting", "connected")


class CallSigns(Protocol):
    """What the plan tells the visitor beyond the machine's states."""

    def trying(self, on: bool) -> None:
        """A press waits for the house to be reachable, or no longer."""

    def failed(self, cause: str) -> None:
        """The house could not be reached."""

    def call_ending(self) -> None:
        """The time limit is near."""

    def auto_answered(self) -> None:
        """The door answered by itself."""


class Journal(Protocol):
    """Who is told what becomes of each call, for the call log and the figures."""

    def began(self, call: WebRTCCall) -> None:
        """The service has our call, or somebody calls us."""

    def answered(self, call: WebRTCCall) -> None:
        """One of the two ends answered."""

    def ended(self, call: WebRTCCall, cause: str) -> None:
        """It is over; not told of a call that was turned away."""

    def unreached(self, address: str, cause: str) -> None:
        """The service did not take our call."""


class CallPlan:
    """Carries out what the machine decides about calls. Belongs to the event loop."""

    def __init__(
        self,
        call: CallConfig,
        *,
        machine: Machine,
        client: SignalWire,
        signs: CallSigns,
        opener: DoorOpener,
        journal: Journal,
        on_defect: Callable[[BaseException], None],
    ) -> None:
        self._config = call
        self._machine = machine
        self._client = client
        self._signs = signs
        self._opener = opener
        self._journal = journal
        self._on_defect = on_defect
        self._current: CurrentCall | None = None
        self._waiting_press: asyncio.TimerHandle | None = None
        self._registered_at = -math.inf
        self._tasks: set[asyncio.Task[None]] = set()
        self._followers: set[asyncio.Task[None]] = set()
        "those of them that follow a call from its beginning to its end"
        self._known: set[str] = set()

    @property
    def call(self) -> WebRTCCall | None:
        """The call, if there is one."""
        return self._current.call if self._current else None

    async def press(self) -> Decision:
        """The visitor pressed the button."""
        decision = await self.ring(self._config.ring)
        if decision.verdict is Verdict.REFUSED and self._waiting_press is None:
            logger.info("Pressed, but %s; trying for %.0f s", decision.reason, PATIENCE_S)
            self._waiting_press = asyncio.get_running_loop().call_later(PATIENCE_S, self._lose_patience)
            self._signs.trying(True)
        return decision

    async def ring(self, address: str) -> Decision:
        """Ring this address if the door is free, answer the call that rings at the door, or neither."""
        decision = await self._machine.press()
        if decision.allowed and decision.call is not None:
            if decision.phase is Phase.RINGING_OUT:
                self._follow_up(self._dial(decision.call, address, self._patience_until()))
            elif self._current is not None:
                self._spawn(self._answer(self._current))
        return decision

    async def hang_up(self) -> bool:
        """End the call, however far it has come; False without one."""
        current = self._current
        if current is None and self._machine.phase is Phase.NONE:
            return False
        if current is None or not current.answered:
            await self.hold()
        else:
            await self._give_up(current, "NORMAL_CLEARING")
        return True

    async def send_digits(self, digits: str) -> bool:
        """Press telephone keys at the far end; False without a call that is talked in. Raises SignalWireError."""
        if self._current is None or not self._current.answered:
            return False
        await self._current.call.send_digits(digits)
        return True

    async def hold(self) -> None:
        """The visitor held the button: what rings, stops."""
        self._forget_press()
        decision = await self._machine.hold()
        if decision.allowed and self._current is not None and self._current.ticket == decision.call:
            current = self._current
            self._spawn(self._give_up(current, "ORIGINATOR_CANCEL" if current.outbound else "USER_BUSY"))

    async def registered(self) -> None:
        """The service knows us again: a press that waited for it rings the house now."""
        self._registered_at = asyncio.get_running_loop().time()
        if self._waiting_press is not None:
            self._forget_press()
            if self._machine.phase is Phase.NONE:
                await self.press()

    def _patience_until(self) -> float:
        """How long a press of this moment waits for the house to come back: only where we have just come back."""
        now = asyncio.get_running_loop().time()
        return now + PATIENCE_S if now - self._registered_at < PATIENCE_S else now

    def incoming(self, calls: Iterable[WebRTCCall]) -> None:
        """The calls that come in, each told once however often it is listed."""
        listed = {call.id: call for call in calls}
        for call_id, call in listed.items():
            if call_id not in self._known:
                self._follow_up(self._take_in(call))
        self._known = set(listed)

    def key(self, current: CurrentCall, press: KeyPress) -> None:
        """The far end pressed a key."""
        if current is self._current and (told := self._opener.key(current, press)):
            self._spawn(self._tell(current, told))

    async def media_lost(self, ticket: int) -> None:
        """The media of this call was away for too long: end it, and free everything."""
        current = self._current
        decision = await self._machine.given_up(ticket)
        if not decision.allowed:
            return
        self._signs.failed("MEDIA_TIMEOUT")
        if current is not None and current.ticket == ticket:
            logger.warning("The call with %s is given up: its sound did not come back", current.far_end)
            await self._give_up(current, "MEDIA_TIMEOUT")

    async def end_what_nobody_follows(self) -> None:
        """After a defect: a call that the machine has, and whose following died, is over."""
        if self._machine.call is not None and not self._followers:
            await self._machine.ended(self._machine.call)

    async def door_changed(self, is_open: bool) -> None:
        """Tell the far end what the door did."""
        if self._current is not None and self._current.answered:
            await self._tell(self._current, {"door": "open" if is_open else "closed"})

    async def stop(self) -> None:
        """End the call and everything that is under way."""
        self._forget_press()
        if self._current is not None:
            await self._give_up(self._current, "NORMAL_CLEARING")
            if self._followers:  # who note its end; a machine that is cancelled in its decision logs an error
                await asyncio.wait(self._followers, timeout=NOTED_S)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _dial(self, ticket: int, address: str, patience_until: float) -> None:
        variables = {"intercom": {"role": "door", "open_digits": self._opener.digits_for(address)}}
        try:
            call = await self._client.dial(address, audio=True, video=self._config.video, user_variables=variables)
        except SignalWireError as error:
            cause = getattr(error, "cause", "") or "NORMAL_TEMPORARY_FAILURE"
            logger.warning("%s did not ring: %s", address, error)
            if self._may_ring_again(cause, patience_until):
                await self._dial_again(ticket, address, patience_until)
                return
            self._journal.unreached(address, cause)
            if (await self._machine.ended(ticket)).allowed:
                self._signs.failed(cause)
            return
        current = CurrentCall(ticket, call, outbound=True, address=address, patience_until=patience_until)
        if self._machine.call != ticket:
            await self._give_up(current, "ORIGINATOR_CANCEL")
            return
        self._follow(current)

    def _may_ring_again(self, cause: str, patience_until: float) -> bool:
        return cause == NOBODY_THERE and asyncio.get_running_loop().time() < patience_until

    async def _dial_again(self, ticket: int, address: str, patience_until: float) -> None:
        """The house is not back yet; the visitor sees and hears it ring all the while."""
        await asyncio.sleep(AGAIN_S)
        if self._machine.call == ticket:
            await self._dial(ticket, address, patience_until)

    async def _take_in(self, call: WebRTCCall) -> None:
        decision = await self._machine.incoming()
        self._forget_press()
        if not decision.allowed or decision.call is None:
            logger.info("Somebody calls: %s", decision.reason)
            await self._quietly(call.reject())
            return
        current = CurrentCall(decision.call, call, outbound=False, kind=Kind(call.caller_kind))
        self._follow(current)
        if answers_by_itself(current.far_end, current.kind, self._config.auto_answer):
            self._later(current, self._config.auto_answer_delay_s, lambda: self._auto_answer(current))

    def _follow(self, current: CurrentCall) -> None:
        self._current = current
        current.subscriptions = [
            current.call.status_stream.subscribe(current.statuses.put_nowait),
            current.call.keys_stream.subscribe(lambda press: self.key(current, press)),
        ]
        self._later(current, self._config.ring_time_s, lambda: self._ring_time_out(current))
        self._journal.began(current.call)
        self._follow_up(self._live(current))

    async def _live(self, current: CurrentCall) -> None:
        try:
            while (status := await current.statuses.get()) not in _OVER:
                if status in _ANSWERED and not current.answered:
                    await self._was_answered(current)
        except Exception:
            await self._give_up(current, "NORMAL_TEMPORARY_FAILURE")
            raise
        finally:
            current.close()
            if self._current is current:
                self._current = None
        cause = current.call.end_cause or "NORMAL_CLEARING"
        unanswered = current.outbound and not current.answered and not current.given_up
        if unanswered and self._may_ring_again(cause, current.patience_until):
            await self._dial_again(current.ticket, current.address, current.patience_until)
            return
        logger.info("The call with %s is over: %s", current.far_end, cause)
        self._journal.ended(current.call, cause)
        decision = await self._machine.ended(current.ticket)
        if decision.allowed and (unanswered or (current.answered and cause == "MEDIA_TIMEOUT")):
            self._signs.failed(cause)

    async def _was_answered(self, current: CurrentCall) -> None:
        current.answered = True
        limit, warning = self._config.time_limit_s, self._config.warning_before_end_s
        self._later(current, limit, lambda: self._give_up(current, "NORMAL_CLEARING"))
        if warning:
            current.timers.append(asyncio.get_running_loop().call_later(limit - warning, self._signs.call_ending))
        self._journal.answered(current.call)
        await self._machine.answered(current.ticket)

    async def _auto_answer(self, current: CurrentCall) -> None:
        if current.answered or self._current is not current:
            return
        self._signs.auto_answered()
        await self._answer(current)

    async def _answer(self, current: CurrentCall) -> None:
        try:
            await current.call.answer(audio=True, video=self._config.video)
        except SignalWireError as error:
            logger.warning("The call of %s could not be answered: %s", current.far_end, error)

    async def _ring_time_out(self, current: CurrentCall) -> None:
        if current.answered:
            return
        await self._give_up(current, "NO_ANSWER")
        if current.outbound:
            self._signs.failed("NO_ANSWER")

    async def _give_up(self, current: CurrentCall, cause: str) -> None:
        current.given_up = True
        await self._quietly(current.call.hangup(cause))

    async def _tell(self, current: CurrentCall, info: dict[str, Any]) -> None:
        await self._quietly(current.call.send_info(info))

    async def _quietly(self, sending: Coroutine[Any, Any, None]) -> None:
        """Send what nobody can do anything about when it does not arrive."""
        try:
            await sending
        except SignalWireError as error:
            logger.info("Not delivered: %s", error)

    def _forget_press(self) -> None:
        if self._waiting_press is not None:
            self._waiting_press.cancel()
            self._waiting_press = None
            self._signs.trying(False)

    def _lose_patience(self) -> None:
        self._forget_press()
        self._signs.failed("NORMAL_TEMPORARY_FAILURE")

    def _later(self, current: CurrentCall, seconds: float, action: Callable[[], Coroutine[Any, Any, None]]) -> None:
        loop = asyncio.get_running_loop()
        current.timers.append(loop.call_later(seconds, lambda: self._spawn(action())))

    def _follow_up(self, work: Coroutine[Any, Any, None]) -> None:
        task = self._spawn(work)
        self._followers.add(task)
        task.add_done_callback(self._followers.discard)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._on_defect(error)
