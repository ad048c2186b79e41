"""Keeps the list of devices and the choice among them, and replaces a device that is unplugged (protocol.md §6).

The media provider owns the hardware (`DeviceProvider`); this owns the choice: its history, its keeping, and its
recovery. A device is found again by exact id, else by group and label, else by label if that is unique.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

import msgspec
from msgspec import Struct
from reactivex import Observable

from intercom.signalwire.errors import DeviceError, InvalidParamsError, StorageError
from intercom.signalwire.observable import Happenings, Value, task_failed
from intercom.signalwire.storage import Storage
from intercom.tasks import TaskSet

logger = logging.getLogger(__name__)

KINDS = ("audio_input", "audio_output", "video_input")
KEY = "sw:device:"
DEBOUNCE_S = 1.5
"""Debounce time after a change: a hub announces its devices one after another (reference client)."""
HISTORY_DEVICES = 10


class Device(Struct, frozen=True):
    """A microphone, speaker or camera."""

    id: str
    """Identifier, the same as long as the device stays plugged in, better for ever."""
    kind: str
    """Kind: "audio_input", "audio_output" or "video_input"."""
    label: str = ""
    """Name for people."""
    group: str = ""
    """Group, the same for the devices of one product, for example a headset."""


class DeviceRecoveryEvent(Struct, frozen=True):
    """A device replaced another without the program's choice."""

    kind: str
    previous_device: Device | None
    new_device: Device | None
    reason: str
    """Reason: device_disconnected, device_reconnected, session_restored, fallback_to_default, default_changed or
    ambiguous_match."""


class PermissionResult(Struct, frozen=True):
    """The kinds of media that may be used."""

    audio: bool
    video: bool
    audio_device: Device | None = None
    video_device: Device | None = None


@runtime_checkable
class DeviceProvider(Protocol):
    """A `MediaProvider` that offers a choice of devices. The first device of a kind is the default."""

    async def devices(self) -> Sequence[Device]:
        """Return the plugged-in devices."""

    @property
    def devices_changed_stream(self) -> Observable[Any]:
        """An item whenever the plugged-in devices may have changed."""

    async def use(self, kind: str, device: Device | None) -> None:
        """Use a device in this and later calls; None: the default. Raises on failure."""

    async def capabilities(self, device: Device) -> Mapping[str, Any]:
        """Return a device's capabilities: {"sample_rates", "channels"} or {"width", "height", "frame_rate"}."""


class DeviceSelection:
    """The choice of one kind of device."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.available: Value[tuple[Device, ...]] = Value(())
        self.selected: Value[Device | None] = Value(None)
        self.disabled: Value[bool] = Value(False)
        self.wanted: Device | None = None
        """Device that the program chose; it is used again as soon as it is plugged in."""
        self.history: list[Device] = []

    def choose(self, device: Device | None) -> None:
        """Set the program's choice; None: the default device."""
        if device is not None and device.kind != self.kind:
            raise InvalidParamsError(f"{device.label or device.id} is no {self.kind.replace('_', ' ')}.")
        self.wanted = device
        if device is not None:
            self.history = [device, *(known for known in self.history if known.id != device.id)][:HISTORY_DEVICES]

    def settle(self, available: Sequence[Device], *, first: bool = False) -> DeviceRecoveryEvent | None:
        """Update the choice for the plugged-in devices; return an event if another device is to be used."""
        before = self.selected.value
        self.available.set(tuple(device for device in available if device.kind == self.kind))
        found, ambiguous = self._find()
        self.selected.set(found)
        if found == before or (before is None and self.wanted is None):
            return None
        return DeviceRecoveryEvent(self.kind, before, found, self._reason(before, found, ambiguous, first=first))

    @property
    def constraints(self) -> dict[str, Any] | bool:
        """The device in use, as W3C constraints; True: any, False: none."""
        return False if self.disabled.value else constraints_of(self.selected.value) or True

    def _find(self) -> tuple[Device | None, bool]:
        ambiguous = False
        for wanted in [self.wanted, *self.history] if self.wanted else []:
            assert wanted is not None
            found, several = match(wanted, self.available.value)
            if found is not None:
                return found, False
            ambiguous |= several
        default = self.available.value[0] if self.available.value else None
        return default, ambiguous

    def _reason(self, before: Device | None, found: Device | None, ambiguous: bool, *, first: bool) -> str:
        if ambiguous:
            return "ambiguous_match"
        if found is None:
            return "device_disconnected"
        if self.wanted is None:
            return "default_changed"
        if match(self.wanted, [found])[0] is not None:
            return "session_restored" if first else "device_reconnected"
        still_there = before is not None and before in self.available.value
        return "fallback_to_default" if first or still_there or before is None else "device_disconnected"


def constraints_of(device: Device | None) -> dict[str, Any]:
    """Return a device as W3C constraints, {"deviceId": {"exact": ...}}; {} for none."""
    return {"deviceId": {"exact": device.id}} if device is not None else {}


def match(wanted: Device, available: Sequence[Device]) -> tuple[Device | None, bool]:
    """Find a device again; return (the device or None, whether several match equally)."""
    for device in available:
        if device.id == wanted.id:
            return device, False
    same_label = [device for device in available if device.label and device.label == wanted.label]
    for device in same_label:
        if device.group and device.group == wanted.group:
            return device, False
    return (same_label[0], False) if len(same_label) == 1 else (None, len(same_label) > 1)


class Devices:
    """Keeps and applies the choices of every kind."""

    def __init__(self, provider: object, storage: Storage, set_sending: Callable[[str, bool], None]) -> None:
        self.microphone, self.speaker, self.camera = (DeviceSelection(kind) for kind in KINDS)
        self.selections = {selection.kind: selection for selection in (self.microphone, self.speaker, self.camera)}
        self.recovered: Happenings[DeviceRecoveryEvent] = Happenings()
        self.faults: Happenings[DeviceError] = Happenings()
        self.storage = storage
        self._set_sending = set_sending
        self._provider = provider if isinstance(provider, DeviceProvider) else None
        self._monitoring: Any = None
        self._pause: asyncio.TimerHandle | None = None
        self._loaded = False
        self._lock = asyncio.Lock()
        self._background = TaskSet(task_failed)

    async def enumerate(self) -> None:
        """Read the plugged-in devices, and switch to the chosen ones."""
        if self._provider is None:
            return
        async with self._lock:
            first = not self._loaded
            await self._load()
            available = list(await self._provider.devices())
            for selection in self.selections.values():
                event = selection.settle(available, first=first)
                if event is not None:
                    await self._use(selection)
                    self.recovered.emit(event)

    def monitor(self, on: bool) -> None:
        """Start or stop following devices that are plugged in and out."""
        if on and self._monitoring is None and self._provider is not None:
            self._monitoring = self._provider.devices_changed_stream.subscribe(lambda _: self._changed())
            self._background.spawn(self.enumerate())
        elif not on and self._monitoring is not None:
            self._monitoring.dispose()
            self._monitoring = None

    def select(self, kind: str, device: Device | None) -> None:
        """Choose a device; None: the default."""
        selection = self.selections[kind]
        selection.choose(device)
        selection.settle(selection.available.value)
        if device is not None and device not in selection.available.value:
            selection.selected.set(device)
        self._background.spawn(self._keep_and_use(selection))

    def switch(self, selection: DeviceSelection, on: bool) -> None:
        """Send audio or video, or none of it, in this and later calls."""
        selection.disabled.set(not on)
        self._set_sending(selection.kind.partition("_")[0], on)

    async def permissions(self, *, audio: bool, video: bool) -> PermissionResult:
        """Return the kinds of media that may be used: all that have a device, for there is no permission dialogue."""
        await self.enumerate()
        microphone = self.microphone.selected.value if audio else None
        camera = self.camera.selected.value if video else None
        return PermissionResult(microphone is not None, camera is not None, microphone, camera)

    async def apply(self, kind: str) -> bool:
        """Use the chosen device of a kind now; return false when there is none."""
        if self._provider is None or self.selections[kind].selected.value is None:
            return False
        await self._use(self.selections[kind])
        return True

    async def capabilities(self, device: Device) -> Mapping[str, Any]:
        """Return a device's capabilities; raises `DeviceError` when the device is absent."""
        if self._provider is None or not await self.is_valid(device):
            raise DeviceError(f"{device.label or device.id} is not plugged in.")
        return await self._provider.capabilities(device)

    async def is_valid(self, device: Device | None) -> bool:
        """Return whether a device is plugged in."""
        if device is None or self._provider is None:
            return False
        return any(device.id == other.id for other in await self._provider.devices())

    async def clear(self) -> None:
        """Clear every choice."""
        for selection in self.selections.values():
            selection.wanted, selection.history = None, []
            selection.selected.set(None)
            try:
                await self.storage.remove(KEY + selection.kind)
            except StorageError as error:
                logger.warning("A device's choice cannot be forgotten: %s", error)
        await self.enumerate()

    async def close(self) -> None:
        """Stop following devices."""
        self.monitor(False)
        if self._pause is not None:
            self._pause.cancel()
        await self._background.finish()

    def _changed(self) -> None:
        if self._pause is not None:
            self._pause.cancel()
        loop = asyncio.get_running_loop()
        self._pause = loop.call_later(DEBOUNCE_S, lambda: self._background.spawn(self.enumerate()))

    async def _keep_and_use(self, selection: DeviceSelection) -> None:
        await self._use(selection)
        wanted = selection.wanted
        try:
            if wanted is None:
                await self.storage.remove(KEY + selection.kind)
            else:
                await self.storage.set(KEY + selection.kind, msgspec.json.encode(wanted).decode())
        except StorageError as error:
            logger.warning("The choice of a device will not survive a restart: %s", error)

    async def _use(self, selection: DeviceSelection) -> None:
        if self._provider is None:
            return
        device = selection.selected.value
        try:
            await self._provider.use(selection.kind, device)
        except Exception as error:  # noqa: BLE001 - a provider's fault becomes an event
            failure = DeviceError(f"{device.label if device else 'The default'} cannot be used: {error}")
            failure.__cause__ = error
            self.faults.emit(failure)

    async def _load(self) -> None:
        if self._loaded:
            return
        self._loaded = True
        for selection in self.selections.values():
            try:
                text = await self.storage.get(KEY + selection.kind)
                if text and selection.wanted is None:
                    selection.choose(msgspec.json.decode(text, type=Device))
            except (StorageError, msgspec.MsgspecError, InvalidParamsError) as error:
                logger.warning("The choice of a device is lost: %s", error)
