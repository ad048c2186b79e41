"""The sound cards and cameras: finds those plugged in, gives each role one, and follows each as it goes and comes.

Begin with `selection.py`.

This part opens no PCM and no camera: it reads what the kernel says of them, and decides.
"""

from intercom.devices.device import Device, Kind
from intercom.devices.events import DeviceRecovery, Reason
from intercom.devices.found import Finder
from intercom.devices.memory import Memory
from intercom.devices.roles import Roles
from intercom.devices.selection import Choice, Role, Wishes
from intercom.devices.watch import Watch

__all__ = [
    "Choice",
    "Device",
    "DeviceRecovery",
    "Finder",
    "Kind",
    "Memory",
    "Reason",
    "Role",
    "Roles",
    "Watch",
    "Wishes",
]
