"""The events of the devices part."""

from __future__ import annotations

from typing import Literal

import msgspec

from intercom.devices.device import Device

Reason = Literal[
    "device_disconnected",
    "device_reconnected",
    "session_restored",
    "fallback_to_default",
    "default_changed",
    "ambiguous_match",
]
"""Reason why a role moved from one device to another; the words of SignalWire's `DeviceRecoveryEvent`."""


class DeviceRecovery(msgspec.Struct, frozen=True):
    """A role moved to another device, or lost its device."""

    role: str
    """Role: `microphone`, `speaker` or `camera`."""
    previous: Device | None
    """Device that had the role; None if none did."""
    new: Device | None
    """Device that has the role now; None while none can."""
    reason: Reason
    """Reason for the change."""

    def __str__(self) -> str:
        before = f'"{self.previous.label}"' if self.previous else "none"
        after = f'"{self.new.label}"' if self.new else "none"
        advice = "; leave each in its own socket: `intercom devices pin`" if self.reason == "ambiguous_match" else ""
        return f"{self.role}: {before} -> {after} ({self.reason}){advice}"
