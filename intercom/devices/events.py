"""What the devices part reports."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from intercom.devices.device import Device

Reason = Literal[
    "device_disconnected",
    "device_reconnected",
    "session_restored",
    "fallback_to_default",
    "default_changed",
    "ambiguous_match",
]
"""Why a role went from one device to another; the words of SignalWire's `DeviceRecoveryEvent`."""


@dataclass(frozen=True, slots=True)
class DeviceRecovery:
    """A role was given to another device, or lost its device."""

    role: str
    """`microphone`, `speaker` or `camera`."""
    previous: Device | None
    """What had it; None if nothing did."""
    new: Device | None
    """What has it now; None while nothing can."""
    reason: Reason
    """Why."""

    def __str__(self) -> str:
        before = f'"{self.previous.label}"' if self.previous else "none"
        after = f'"{self.new.label}"' if self.new else "none"
        advice = "; leave each in its own socket: `intercom devices pin`" if self.reason == "ambiguous_match" else ""
        return f"{self.role}: {before} -> {after} ({self.reason}){advice}"
