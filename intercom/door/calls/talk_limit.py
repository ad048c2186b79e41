"""The limit of a talk: a forgotten call does not keep the door busy, and nobody who still talks is cut off.

Before the end both hear a beep, and the page that talks shows the time that is left. From then on the far end may take
the same time again: by a tap on its page, or by a telephone key.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

from intercom.config import CallConfig
from intercom.door.calls.active_call import CurrentCall
from intercom.signalwire import KeyPress

logger = logging.getLogger(__name__)


class TalkLimit:
    """Ends the door's call in time. Belongs to the event loop.

    :param key: telephone key that prolongs; it opens no door.
    :param other_key: takes every other key of the far end.
    :param warn: beeps at the door, and so in the call.
    :param send: sends a message to the far end of a call.
    """

    def __init__(
        self,
        call: CallConfig,
        *,
        key: str,
        other_key: Callable[[CurrentCall, KeyPress], object],
        warn: Callable[[], object],
        send: Callable[[CurrentCall, dict[str, Any]], object],
        end: Callable[[CurrentCall], object],
    ) -> None:
        self._limit_s, self._warning_s = call.time_limit_s, call.warning_before_end_s
        self._key = key
        self._other_key = other_key
        self._warn = warn
        self._send = send
        self._end = end
        self._current: CurrentCall | None = None
        self._ends_at = 0.0
        "end of the call, on the event loop's clock"
        self._is_near = False
        "the far end was warned, and may prolong"
        self._timers: list[asyncio.TimerHandle] = []

    @property
    def left_s(self) -> float:
        """The time until the end of the call that talks, or talked last."""
        return max(0.0, self._ends_at - asyncio.get_running_loop().time())

    def begin(self, current: CurrentCall) -> None:
        """Let a call that was answered last for its time from now on."""
        loop = asyncio.get_running_loop()
        self._current, self._is_near = current, False
        self._ends_at = loop.time() + self._limit_s
        self._timers = [loop.call_at(self._ends_at, self._end, current)]
        if self._warning_s:
            self._timers.append(loop.call_at(self._ends_at - self._warning_s, self._warn_of_end, current))
        current.timers += self._timers

    def key(self, current: CurrentCall, press: KeyPress) -> None:
        """Take a key of the far end: the one that prolongs, which is no part of a code, or another.

        The door's own echo prolongs nothing.
        """
        if press.digit != self._key:
            self._other_key(current, press)
        elif press.echo_s is None:
            self._prolong(current)

    def asked(self, current: CurrentCall, info: dict[str, Any]) -> None:
        """Take a message of the far end's page."""
        if info.get("talk") == "on":
            self._prolong(current)

    def _warn_of_end(self, current: CurrentCall) -> None:
        self._is_near = True
        self._warn()
        if current.in_space:
            self._send(current, {"talk": "ending", "for_s": self._warning_s})

    def _prolong(self, current: CurrentCall) -> None:
        if not self._is_near or current is not self._current:
            return
        for timer in self._timers:
            timer.cancel()
            current.timers.remove(timer)
        self.begin(current)
        logger.info("%s talks on for another %g s", current.far_end, self._limit_s)
        if current.in_space:
            self._send(current, {"talk": "on", "for_s": self._limit_s})
