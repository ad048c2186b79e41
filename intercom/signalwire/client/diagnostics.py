"""Collects a client's recent events and calls for the diagnosis of a fault: bounded, and without secrets."""

from __future__ import annotations

import platform
import time
from collections import deque
from collections.abc import Callable
from typing import Any

from intercom.signalwire.call.webrtc_call import WebRTCCall
from intercom.signalwire.client.devices import DeviceRecoveryEvent

MAX_EVENTS = 500
"""Limit of events kept: a day of a door's life; the log has the older ones."""
MAX_CALLS = 50


class Diagnostics:
    """Collects events, calls and devices; `export` returns them in a form for JSON."""

    def __init__(self, agent: str, wall_clock: Callable[[], float] = time.time) -> None:
        self._agent = agent
        self._wall_clock = wall_clock
        self._events: deque[dict[str, Any]] = deque(maxlen=MAX_EVENTS)
        self._calls: deque[dict[str, Any]] = deque(maxlen=MAX_CALLS)
        self._devices: deque[dict[str, Any]] = deque(maxlen=MAX_EVENTS)

    def note(self, kind: str, **detail: Any) -> None:
        """Note an event."""
        self._events.append({"at": self._wall_clock(), "kind": kind, **detail})

    def follow(self, call: WebRTCCall) -> None:
        """Keep a summary of a call."""
        summary: dict[str, Any] = {
            "id": call.id,
            "direction": call.direction,
            "to": call.to,
            "from": call.from_,
            "started": self._wall_clock(),
            "statuses": [],
        }
        self._calls.append(summary)

        def changed(status: str) -> None:
            summary["statuses"].append({"at": self._wall_clock(), "status": str(status)})
            summary.update(end_cause=call.end_cause, quality_score=call.quality_score)

        call.status_stream.subscribe(changed)
        call.recovery_event_stream.subscribe(
            lambda event: self.note("recovery", call=call.id, action=event.action, reason=event.reason)
        )

    def device(self, event: DeviceRecoveryEvent) -> None:
        """Note that a device replaced another."""
        self._devices.append(
            {
                "at": self._wall_clock(),
                "kind": event.kind,
                "reason": event.reason,
                "previous": event.previous_device.label if event.previous_device else None,
                "new": event.new_device.label if event.new_device else None,
            }
        )

    def export(self) -> dict[str, Any]:
        """Return everything collected, in a form for JSON."""
        return {
            "agent": self._agent,
            "platform": f"{platform.system()} {platform.release()} {platform.machine()}",
            "python": platform.python_version(),
            "events": list(self._events),
            "calls": [dict(call, statuses=list(call["statuses"])) for call in self._calls],
            "device_changes": list(self._devices),
        }
