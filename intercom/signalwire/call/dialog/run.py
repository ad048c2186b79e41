"""Runs a call's dialog over its line: sends the requests, passes on the events, and keeps the deadline."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from intercom.signalwire.call.dialog.dialog import Dialog
from intercom.signalwire.call.dialog.events import DialogEvent, RequestConcluded, VertoRequest
from intercom.signalwire.call.line import CallLine
from intercom.signalwire.errors import CallError, SignalWireError
from intercom.signalwire.observable import Happenings


class DialogRun:
    """Joins one dialog, which has no I/O, to its line and to the event loop."""

    def __init__(self, line: CallLine, dialog: Dialog, handle: Callable[[DialogEvent], None]) -> None:
        self.dialog = dialog
        self.errors: Happenings[SignalWireError] = Happenings()
        """Errors of the call that were not raised to a caller."""
        self._line = line
        self._handle = handle
        # Kept: to ask for the running loop is a system call each time, until Python 3.12.
        self._loop = asyncio.get_running_loop()
        self._conclusions: dict[int, asyncio.Future[Any]] = {}
        self._request_ids: dict[int, str] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._closed = False
        self.arm()

    async def request(self, make: Callable[[Dialog], int]) -> Any:
        """Make a request through the dialog, and wait for the service's innermost answer."""
        key = make(self.dialog)
        future: asyncio.Future[Any] = self._loop.create_future()
        self._conclusions[key] = future
        self.pump()
        try:
            return await future
        finally:
            self._conclusions.pop(key, None)

    def tell(self, change: Callable[[Dialog], None]) -> None:
        """Change the dialog, and carry out what follows."""
        change(self.dialog)
        self.pump()

    def end(self, cause: str) -> None:
        """End the call, and cancel the requests that still wait for the connection, except for the bye."""
        self.dialog.bye(cause)
        for key, request_id in list(self._request_ids.items()):
            if self._line.cancel(request_id):
                del self._request_ids[key]
                self.dialog.concluded(key, None, CallError("The call ended before this left."))
        self.pump()

    def pump(self) -> None:
        """Pass on the dialog's events and requests until it has no more."""
        while True:
            events = self.dialog.outbox.take_events()
            requests = self.dialog.outbox.take_requests()
            if not events and not requests:
                break
            for request in requests:
                self._submit(request)
            for event in events:
                if isinstance(event, RequestConcluded):
                    self._settle(event)
                else:
                    self._handle(event)
        self.arm()

    def arm(self) -> None:
        """Set the timer to the dialog's deadline."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        deadline = self.dialog.next_deadline()
        if deadline is not None and not self._closed:
            self._timer = self._loop.call_at(deadline, self._tick)

    def close(self) -> None:
        """Stop the timer for good: the call is destroyed."""
        self._closed = True
        self.arm()

    def now(self) -> float:
        """Return the event loop's time, the clock of the dialog."""
        return self._loop.time()

    def at(self, moment: float, call: Callable[[], object]) -> asyncio.TimerHandle:
        """Call at a moment of that clock."""
        return self._loop.call_at(moment, call)

    def _tick(self) -> None:
        self.tell(lambda dialog: dialog.tick(self.now()))

    def _submit(self, request: VertoRequest) -> None:
        try:
            request_id, future = self._line.submit_verto(request)
        except SignalWireError as error:
            self.dialog.concluded(request.key, None, error)
            return
        self._request_ids[request.key] = request_id
        future.add_done_callback(lambda done: self._concluded(request.key, done))

    def _concluded(self, key: int, future: asyncio.Future[Any]) -> None:
        self._request_ids.pop(key, None)
        if not future.cancelled():
            error = future.exception()
            assert error is None or isinstance(error, SignalWireError)
            self.dialog.concluded(key, None if error else future.result(), error)
            self.pump()

    def _settle(self, concluded: RequestConcluded) -> None:
        future, error = self._conclusions.get(concluded.key), concluded.error
        if future is None or future.done():
            if isinstance(error, SignalWireError):
                self.errors.emit(error)
        elif error is not None:
            future.set_exception(error)
        else:
            future.set_result(concluded.result)
