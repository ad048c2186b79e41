"""Remembers over restarts which devices were used: a file of some hundred bytes, written when that changes."""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec

from intercom import atomic_file
from intercom.devices.device import Device
from intercom.devices.selection import Known, Preferred, Role

log = logging.getLogger(__name__)

FILE: Final = "devices.json"
_KEPT: Final = 12
"""Limit of devices in the history: no door ever had more."""
_LARGEST_BYTES: Final = 64 * 1024


class Memory:
    """Remembers devices at once and writes them with `save()`; a missing or damaged file counts as empty."""

    def __init__(self, path: Path | None) -> None:
        """`path` None saves nothing."""
        self._path = path
        self.known = self._load()
        """Devices known now."""
        self._is_saved = True
        self._writing = threading.Lock()

    def prefer(self, role: Role, device: Device, wish: str) -> None:
        """Prefer this device for the role from now on."""
        before = self.known.preferred.get(role)
        ports = before.twin_ports if before is not None and device.is_like(before.device) else ()
        preferred = Preferred(device, wish, tuple(port for port in ports if port != device.port))
        if before != preferred:
            history = [known for known in self.known.history if not known.is_exactly(device)]
            self._keep(Known({**self.known.preferred, role: preferred}, (device, *history)[:_KEPT]))

    def tell_apart(self, role: Role, wish: str, among: Sequence[Device]) -> None:
        """Remember the twins of the preferred device as others, if it and they are present at once."""
        preferred = self.known.preferred.get(role)
        if preferred is None or preferred.wish != wish:
            return
        own = preferred.device
        if any(device.is_like(own) and device.port == own.port for device in among):
            ports = (*(twin.port for twin in among if twin.is_twin_of(own)), *preferred.twin_ports)
            ports = tuple(dict.fromkeys(ports))[:_KEPT]
            if set(ports) != set(preferred.twin_ports):
                twins = msgspec.structs.replace(preferred, twin_ports=ports)
                self._keep(Known({**self.known.preferred, role: twins}, self.known.history))

    def note(self, device: Device) -> None:
        """Note that a device was used; a known one costs no write."""
        if not any(known.is_exactly(device) for known in self.known.history):
            self._keep(Known(self.known.preferred, (device, *self.known.history)[:_KEPT]))

    def _keep(self, known: Known) -> None:
        self.known = known
        self._is_saved = False

    def save(self) -> None:
        """Save new facts, if there are any; waits for the disk, so call it on a thread of its own."""
        with self._writing:
            if self._path is None or self._is_saved:
                return
            self._is_saved = True
            try:
                atomic_file.replace(self._path, msgspec.json.format(msgspec.json.encode(self.known), indent=1))
            except OSError as error:
                log.warning("%s cannot be written (%s): after a restart the devices are chosen anew", self._path, error)

    def _load(self) -> Known:
        if self._path is None:
            return Known()
        try:
            with self._path.open("rb") as file:
                return msgspec.json.decode(file.read(_LARGEST_BYTES), type=Known)
        except FileNotFoundError:
            return Known()
        except (OSError, msgspec.MsgspecError, UnicodeError, RecursionError) as error:
            log.warning("%s cannot be read (%s): the devices are chosen anew", self._path, error)
            return Known()
