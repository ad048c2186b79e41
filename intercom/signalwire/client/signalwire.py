"""A program's entry point: the reference client's flat API, each member of which names the part that does it."""

from __future__ import annotations

from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

from reactivex import Observable

from intercom.signalwire.account.credentials import CredentialProvider
from intercom.signalwire.account.directory import Address, Directory, User
from intercom.signalwire.call.media_options import AskedMedia
from intercom.signalwire.call.webrtc_call import WebRTCCall
from intercom.signalwire.client.client import Client
from intercom.signalwire.client.devices import Device, DeviceRecoveryEvent, PermissionResult, constraints_of
from intercom.signalwire.client.preflight import DURATION_S, PreflightResult
from intercom.signalwire.client.session import ClientSession
from intercom.signalwire.client.tools import PlatformCapabilities
from intercom.signalwire.errors import SignalWireError
from intercom.signalwire.media import MediaProvider
from intercom.signalwire.options import Options
from intercom.signalwire.preferences import ClientPreferences
from intercom.signalwire.storage import MemoryStorage, Storage
from intercom.signalwire.watched import Shown


class SignalWire:
    """The client of one SignalWire subscriber.

    ``async with SignalWire(credentials, media=media) as client: await client.register()``
    """

    _client: Client
    preferences: ClientPreferences
    """The program's preferences for every call."""

    def __init__(
        self,
        credentials: CredentialProvider,
        *,
        media: MediaProvider,
        storage: Storage | None = None,
        options: Options | None = None,
    ) -> None:
        self._client = Client(credentials, media, storage or MemoryStorage(), options or Options())
        self.preferences = self._client.preferences

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.destroy()

    # -- the connection --------------------------------------------------------------------------------

    async def connect(self) -> None:
        """Connect and authenticate; from then on the client stays connected by itself.

        Raises `AuthenticationError` or `InvalidCredentialsError` when the service refuses the credential, and
        `TimeoutError` after `Options.connect_timeout_s`; the client is then disconnected.
        """
        await self._client.connect()

    async def disconnect(self) -> None:
        """End every call and the connection, and forget the resume state; connect() starts anew."""
        await self._client.disconnect()

    async def destroy(self) -> None:
        """End all calls and the connection for good. A later client may resume the session."""
        await self._client.destroy()

    async def register(self) -> None:
        """Register for inbound calls, which then appear in `session.incoming_calls`.

        Connects if need be, waits until authenticated, registers; if that fails, reauthenticates and tries once
        more; if that fails too, raises `InvalidCredentialsError`, caused by the second failure. After every
        reconnect the client registers again by itself.
        """
        await self._client.register()

    async def unregister(self) -> None:
        """Stop inbound calls; the connection stays."""
        await self._client.registration.unregister()

    def renew(self) -> None:
        """Reconnect even if the connection looks healthy; registration and calls resume."""
        self._client.link.renew()

    async def wait_ended(self) -> None:
        """Wait until the client gives up the connection; raises the error that ended it, unless the program did."""
        await self._client.link.wait_ended()

    async def dial(
        self,
        destination: str | Address,
        *,
        audio: bool | None = None,
        video: bool | None = None,
        receive_audio: bool | None = None,
        receive_video: bool | None = None,
        fallback_to_receive_only: bool = True,
        user_variables: Mapping[str, Any] | None = None,
    ) -> WebRTCCall:
        """Call an address, a number or a SIP URI; returns when the service has the call.

        The call has audio alone, unless the address says `?channel=video` or more is asked for: `audio` and `video`
        are what we send, `receive_audio` and `receive_video` what we receive (else as `preferences` say). When our own
        media cannot be opened, the call goes on and only receives, unless `fallback_to_receive_only` is false.
        `user_variables` reach the far end. Raises `CallError`, whose `cause` says why there is no call,
        `InvalidParamsError` for a call without media, and `NotConnectedError` before connect().
        """
        asked = AskedMedia(audio, video, receive_audio, receive_video, fallback_to_receive_only)
        return await self._client.calls.dial(destination, asked, user_variables=user_variables)

    # -- what can be watched ---------------------------------------------------------------------------

    session: Shown[SignalWire, ClientSession] = Shown(lambda api: api._client.session)
    """The session: its calls, and the service's events."""
    is_connected: Shown[SignalWire, bool] = Shown(lambda api: api._client.link.connected.value)
    """Whether the client has connected and not disconnected since: true also while it reconnects, unlike `ready`."""
    is_connected_stream: Shown[SignalWire, Observable[bool]] = Shown(lambda api: api._client.link.connected.stream)
    """Whether the client has connected and not disconnected since, now and at each change."""
    why_not_connected: Shown[SignalWire, str] = Shown(lambda api: api._client.link.why_down)
    """Reason why the last attempt to connect failed, in a sentence; "" while connected, or without a failure."""
    overdue_s: Shown[SignalWire, float] = Shown(lambda api: api._client.link.overdue_s())
    """Time for which the connection's work has been overdue: 0 while the client is ready, or keeps trying."""
    ready: Shown[SignalWire, bool] = Shown(lambda api: api._client.link.ready.value)
    """Whether calls can be made now: the client is connected and authenticated."""
    ready_stream: Shown[SignalWire, Observable[bool]] = Shown(lambda api: api._client.link.ready.stream)
    """Whether calls can be made, now and at each change."""
    user: Shown[SignalWire, User | None] = Shown(lambda api: api._client.account.user.value)
    """The user; None until the service reports it."""
    user_stream: Shown[SignalWire, Observable[User | None]] = Shown(lambda api: api._client.account.user.stream)
    """The user, now and at each change."""
    directory: Shown[SignalWire, Directory | None] = Shown(lambda api: api._client.directory.value)
    """The addresses that can be called; None before connect()."""
    directory_stream: Shown[SignalWire, Observable[Directory | None]] = Shown(lambda api: api._client.directory.stream)
    """The directory, now and when it is loaded."""
    is_registered: Shown[SignalWire, bool] = Shown(lambda api: api._client.registration.registered.value)
    """Whether the client is registered for inbound calls."""
    is_registered_stream: Shown[SignalWire, Observable[bool]] = Shown(
        lambda api: api._client.registration.registered.stream
    )
    """Whether the client is registered for inbound calls, now and at each change."""
    errors_stream: Shown[SignalWire, Observable[SignalWireError]] = Shown(lambda api: api._client.link.faults.stream)
    """Errors that were not raised to a caller."""
    warnings_stream: Shown[SignalWire, Observable[str]] = Shown(lambda api: api._client.link.warnings.stream)
    """Harmless oddities, one sentence each."""
    destroyed_stream: Shown[SignalWire, Observable[None]] = Shown(lambda api: api._client.destroyed.stream)
    """One item when the client is destroyed, then the end."""

    # -- the devices -----------------------------------------------------------------------------------

    audio_input_devices: Shown[SignalWire, tuple[Device, ...]] = Shown(
        lambda api: api._client.devices.microphone.available.value
    )
    """The microphones."""
    audio_input_devices_stream: Shown[SignalWire, Observable[tuple[Device, ...]]] = Shown(
        lambda api: api._client.devices.microphone.available.stream
    )
    """The microphones, now and at each change."""
    audio_output_devices: Shown[SignalWire, tuple[Device, ...]] = Shown(
        lambda api: api._client.devices.speaker.available.value
    )
    """The speakers."""
    audio_output_devices_stream: Shown[SignalWire, Observable[tuple[Device, ...]]] = Shown(
        lambda api: api._client.devices.speaker.available.stream
    )
    """The speakers, now and at each change."""
    video_input_devices: Shown[SignalWire, tuple[Device, ...]] = Shown(
        lambda api: api._client.devices.camera.available.value
    )
    """The cameras."""
    video_input_devices_stream: Shown[SignalWire, Observable[tuple[Device, ...]]] = Shown(
        lambda api: api._client.devices.camera.available.stream
    )
    """The cameras, now and at each change."""
    selected_audio_input_device: Shown[SignalWire, Device | None] = Shown(
        lambda api: api._client.devices.microphone.selected.value
    )
    """The microphone in use."""
    selected_audio_input_device_stream: Shown[SignalWire, Observable[Device | None]] = Shown(
        lambda api: api._client.devices.microphone.selected.stream
    )
    """The microphone in use, now and at each change."""
    selected_audio_output_device: Shown[SignalWire, Device | None] = Shown(
        lambda api: api._client.devices.speaker.selected.value
    )
    """The speaker in use."""
    selected_audio_output_device_stream: Shown[SignalWire, Observable[Device | None]] = Shown(
        lambda api: api._client.devices.speaker.selected.stream
    )
    """The speaker in use, now and at each change."""
    selected_video_input_device: Shown[SignalWire, Device | None] = Shown(
        lambda api: api._client.devices.camera.selected.value
    )
    """The camera in use."""
    selected_video_input_device_stream: Shown[SignalWire, Observable[Device | None]] = Shown(
        lambda api: api._client.devices.camera.selected.stream
    )
    """The camera in use, now and at each change."""
    selected_audio_input_device_constraints: Shown[SignalWire, dict[str, Any] | bool] = Shown(
        lambda api: api._client.devices.microphone.constraints
    )
    """The microphone in use, as W3C constraints; True: any, False: none."""
    selected_video_input_device_constraints: Shown[SignalWire, dict[str, Any] | bool] = Shown(
        lambda api: api._client.devices.camera.constraints
    )
    """The camera in use, as W3C constraints; True: any, False: none."""
    audio_input_disabled: Shown[SignalWire, bool] = Shown(lambda api: api._client.devices.microphone.disabled.value)
    """Whether our audio is off in every call."""
    audio_input_disabled_stream: Shown[SignalWire, Observable[bool]] = Shown(
        lambda api: api._client.devices.microphone.disabled.stream
    )
    """Whether our audio is off in every call, now and at each change."""
    video_input_disabled: Shown[SignalWire, bool] = Shown(lambda api: api._client.devices.camera.disabled.value)
    """Whether our video is off in every call."""
    video_input_disabled_stream: Shown[SignalWire, Observable[bool]] = Shown(
        lambda api: api._client.devices.camera.disabled.stream
    )
    """Whether our video is off in every call, now and at each change."""
    device_recovered_stream: Shown[SignalWire, Observable[DeviceRecoveryEvent]] = Shown(
        lambda api: api._client.devices.recovered.stream
    )
    """Events of a device that replaced another without the program's choice."""

    async def enumerate_devices(self) -> None:
        """Read the plugged-in devices again, and update the lists and the choices."""
        await self._client.devices.enumerate()

    def enable_device_monitoring(self) -> None:
        """Start following devices that are plugged in and out."""
        self._client.devices.monitor(True)

    def disable_device_monitoring(self) -> None:
        """Stop following devices that are plugged in and out."""
        self._client.devices.monitor(False)

    def select_audio_input_device(self, device: Device | None) -> None:
        """Choose a microphone, in this and later calls and runs; None: the default."""
        self._client.devices.select("audio_input", device)

    def select_audio_output_device(self, device: Device | None) -> None:
        """Choose a speaker, in this and later calls and runs; None: the default."""
        self._client.devices.select("audio_output", device)

    def select_video_input_device(self, device: Device | None) -> None:
        """Choose a camera, in this and later calls and runs; None: the default."""
        self._client.devices.select("video_input", device)

    async def apply_selected_audio_output_device(self) -> bool:
        """Use the chosen speaker now; return false when there is none."""
        return await self._client.devices.apply("audio_output")

    def device_info_to_constraints(self, device: Device | None) -> dict[str, Any]:
        """Return a device as W3C constraints, {"deviceId": {"exact": ...}}; {} for none."""
        return constraints_of(device)

    async def get_device_capabilities(self, device: Device) -> Mapping[str, Any]:
        """Return a device's capabilities; raises `DeviceError` when the device is absent."""
        return await self._client.devices.capabilities(device)

    async def is_valid_device(self, device: Device | None) -> bool:
        """Return whether a device is plugged in."""
        return await self._client.devices.is_valid(device)

    async def clear_device_state(self) -> None:
        """Forget every choice of a device."""
        await self._client.devices.clear()

    def enable_audio_input(self) -> None:
        """Send our audio again."""
        self._client.devices.switch(self._client.devices.microphone, True)

    def disable_audio_input(self) -> None:
        """Send silence, in this and later calls."""
        self._client.devices.switch(self._client.devices.microphone, False)

    def enable_video_input(self) -> None:
        """Send our video again."""
        self._client.devices.switch(self._client.devices.camera, True)

    def disable_video_input(self) -> None:
        """Send no video, in this and later calls."""
        self._client.devices.switch(self._client.devices.camera, False)

    async def request_media_permissions(self, *, audio: bool = True, video: bool = True) -> PermissionResult:
        """Return the kinds of media that may be used: all that have a device, for there is no permission dialogue."""
        return await self._client.devices.permissions(audio=audio, video=video)

    # -- the tools -------------------------------------------------------------------------------------

    platform_capabilities: Shown[SignalWire, PlatformCapabilities] = Shown(lambda api: api._client.tools.capabilities)
    """The client's capabilities on this platform."""

    async def preflight(
        self, destination: str, *, duration_s: float = DURATION_S, audio: bool = True, video: bool = False
    ) -> PreflightResult:
        """Make a test call to an address that answers by itself, for example the space's /public/echo, and judge it.

        Raises nothing of the network's; what failed stands in the result.
        """
        return await self._client.tools.preflight(destination, duration_s=duration_s, audio=audio, video=video)

    def export_diagnostics(self) -> dict[str, Any]:
        """Return recent events in a form for JSON, without tokens, keys and pressed digits."""
        return self._client.tools.export_diagnostics()

    def set_storage_manager(self, storage: Storage) -> None:
        """Replace the storage; call it before connect()."""
        self._client.tools.set_storage(storage)

    async def reset_to_defaults(self) -> None:
        """Delete all stored data and reset every choice.

        Raises `StorageError` when something is still kept, once all else is forgotten.
        """
        await self._client.tools.reset()
