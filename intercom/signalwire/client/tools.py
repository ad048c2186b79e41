"""The client's tools: its preflight, its diagnostics, its storage and its defaults."""

from __future__ import annotations

import asyncio
from typing import Any

from msgspec import Struct

from intercom.signalwire.account.account import Account
from intercom.signalwire.call.media_options import AskedMedia
from intercom.signalwire.client.calls import Calls
from intercom.signalwire.client.devices import DeviceProvider, Devices
from intercom.signalwire.client.diagnostics import Diagnostics
from intercom.signalwire.client.preflight import DURATION_S, PreflightResult, run_preflight
from intercom.signalwire.client.resume_store import ResumeStore
from intercom.signalwire.errors import StorageError
from intercom.signalwire.preferences import ClientPreferences, reset
from intercom.signalwire.storage import KEY_PREFIX, Storage


class PlatformCapabilities(Struct, frozen=True):
    """The client's capabilities on this platform."""

    webrtc: bool
    """Whether calls can have media."""
    device_selection: bool
    """Whether the media provider offers a choice of devices."""
    client_bound: bool
    """Whether tokens can be bound to this device."""
    screen_share: bool = False
    """Whether a screen can be shared; a door has none."""


class Tools:
    """The client's services to a program beside calls."""

    def __init__(
        self,
        storage: Storage,
        *,
        account: Account,
        calls: Calls,
        devices: Devices,
        resume_store: ResumeStore,
        preferences: ClientPreferences,
        diagnostics: Diagnostics,
    ) -> None:
        self._storage = storage
        self._account = account
        self._calls = calls
        self._devices = devices
        self._resume_store = resume_store
        self._preferences = preferences
        self._diagnostics = diagnostics

    async def preflight(
        self, destination: str, *, duration_s: float = DURATION_S, audio: bool = True, video: bool = False
    ) -> PreflightResult:
        """Make a test call, and judge it; see `SignalWire.preflight`."""
        calls = self._calls

        async def dial() -> Any:
            return await calls.dial(destination, AskedMedia(audio, video), user_variables=None)

        return await run_preflight(dial, calls.ice_servers, duration_s, asyncio.get_running_loop().time)

    def export_diagnostics(self) -> dict[str, Any]:
        """Return recent events in a form for JSON, without tokens, keys and pressed digits."""
        kinds = self._devices.selections.items()
        return {
            **self._diagnostics.export(),
            "devices": {kind: [device.label for device in selection.available.value] for kind, selection in kinds},
            "capabilities": {name: getattr(self.capabilities, name) for name in PlatformCapabilities.__struct_fields__},
        }

    @property
    def capabilities(self) -> PlatformCapabilities:
        """The client's capabilities on this platform."""
        return PlatformCapabilities(
            webrtc=True,
            device_selection=isinstance(self._calls.media, DeviceProvider),
            client_bound=True,
        )

    def set_storage(self, storage: Storage) -> None:
        """Replace the storage; call it before connect()."""
        self._storage = self._account.storage = self._resume_store.storage = self._devices.storage = storage

    async def reset(self) -> None:
        """Delete all stored data and reset every choice.

        Raises `StorageError` when something is still kept, once all else is forgotten.
        """
        reset(self._preferences)
        failed: StorageError | None = None
        try:
            keys = await self._storage.keys()
        except StorageError as error:
            keys, failed = [], error
        for key in keys:
            if key.startswith(KEY_PREFIX):
                try:
                    await self._storage.remove(key)
                except StorageError as error:
                    failed = error
        await self._devices.clear()
        if failed is not None:
            raise failed
