"""Adds the choice of devices to `SignalWire`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reactivex import Observable

from intercom.signalwire.client.calls import ClientSession
from intercom.signalwire.client.devices import Device, DeviceRecoveryEvent, Devices, PermissionResult


class DeviceMembers:
    """Chooses microphones, speakers and cameras."""

    _devices: Devices
    _session: ClientSession

    # -- what there is ---------------------------------------------------------------------------------

    async def enumerate_devices(self) -> None:
        """Read the plugged-in devices again, and update the lists and the choices."""
        await self._devices.enumerate()

    def enable_device_monitoring(self) -> None:
        """Start following devices that are plugged in and out."""
        self._devices.monitor(True)

    def disable_device_monitoring(self) -> None:
        """Stop following devices that are plugged in and out."""
        self._devices.monitor(False)

    @property
    def device_recovered_stream(self) -> Observable[DeviceRecoveryEvent]:
        """Events of a device that replaced another without the program's choice."""
        return self._devices.recovered.stream

    @property
    def audio_input_devices(self) -> tuple[Device, ...]:
        """The microphones."""
        return self._devices.selections["audio_input"].available.value

    @property
    def audio_input_devices_stream(self) -> Observable[tuple[Device, ...]]:
        """The microphones, now and at each change."""
        return self._devices.selections["audio_input"].available.stream

    @property
    def audio_output_devices(self) -> tuple[Device, ...]:
        """The speakers."""
        return self._devices.selections["audio_output"].available.value

    @property
    def audio_output_devices_stream(self) -> Observable[tuple[Device, ...]]:
        """The speakers, now and at each change."""
        return self._devices.selections["audio_output"].available.stream

    @property
    def video_input_devices(self) -> tuple[Device, ...]:
        """The cameras."""
        return self._devices.selections["video_input"].available.value

    @property
    def video_input_devices_stream(self) -> Observable[tuple[Device, ...]]:
        """The cameras, now and at each change."""
        return self._devices.selections["video_input"].available.stream

    # -- what is chosen --------------------------------------------------------------------------------

    @property
    def selected_audio_input_device(self) -> Device | None:
        """The microphone in use."""
        return self._devices.selections["audio_input"].selected.value

    @property
    def selected_audio_input_device_stream(self) -> Observable[Device | None]:
        """The microphone in use, now and at each change."""
        return self._devices.selections["audio_input"].selected.stream

    @property
    def selected_audio_output_device(self) -> Device | None:
        """The speaker in use."""
        return self._devices.selections["audio_output"].selected.value

    @property
    def selected_audio_output_device_stream(self) -> Observable[Device | None]:
        """The speaker in use, now and at each change."""
        return self._devices.selections["audio_output"].selected.stream

    @property
    def selected_video_input_device(self) -> Device | None:
        """The camera in use."""
        return self._devices.selections["video_input"].selected.value

    @property
    def selected_video_input_device_stream(self) -> Observable[Device | None]:
        """The camera in use, now and at each change."""
        return self._devices.selections["video_input"].selected.stream

    @property
    def selected_audio_input_device_constraints(self) -> dict[str, Any] | bool:
        """The microphone in use, as W3C constraints; True: any, False: none."""
        return self._constraints("audio_input")

    @property
    def selected_video_input_device_constraints(self) -> dict[str, Any] | bool:
        """The camera in use, as W3C constraints; True: any, False: none."""
        return self._constraints("video_input")

    def select_audio_input_device(self, device: Device | None) -> None:
        """Choose a microphone, in this and later calls and runs; None: the default."""
        self._devices.select("audio_input", device)

    def select_audio_output_device(self, device: Device | None) -> None:
        """Choose a speaker, in this and later calls and runs; None: the default."""
        self._devices.select("audio_output", device)

    def select_video_input_device(self, device: Device | None) -> None:
        """Choose a camera, in this and later calls and runs; None: the default."""
        self._devices.select("video_input", device)

    async def apply_selected_audio_output_device(self) -> bool:
        """Use the chosen speaker now; return false when there is none."""
        return await self._devices.apply("audio_output")

    def device_info_to_constraints(self, device: Device | None) -> dict[str, Any]:
        """Return a device as W3C constraints, {"deviceId": {"exact": ...}}; {} for none."""
        return {"deviceId": {"exact": device.id}} if device is not None else {}

    async def get_device_capabilities(self, device: Device) -> Mapping[str, Any]:
        """Return a device's capabilities; raises `DeviceError` when the device is absent."""
        return await self._devices.capabilities(device)

    async def is_valid_device(self, device: Device | None) -> bool:
        """Return whether a device is plugged in."""
        return await self._devices.is_valid(device)

    async def clear_device_state(self) -> None:
        """Forget every choice of a device."""
        await self._devices.clear()

    # -- on and off ------------------------------------------------------------------------------------

    @property
    def audio_input_disabled(self) -> bool:
        """Whether our audio is off in every call."""
        return self._devices.selections["audio_input"].disabled.value

    @property
    def audio_input_disabled_stream(self) -> Observable[bool]:
        """Whether our audio is off in every call, now and at each change."""
        return self._devices.selections["audio_input"].disabled.stream

    @property
    def video_input_disabled(self) -> bool:
        """Whether our video is off in every call."""
        return self._devices.selections["video_input"].disabled.value

    @property
    def video_input_disabled_stream(self) -> Observable[bool]:
        """Whether our video is off in every call, now and at each change."""
        return self._devices.selections["video_input"].disabled.stream

    def enable_audio_input(self) -> None:
        """Send our audio again."""
        self._set_disabled("audio_input", False)

    def disable_audio_input(self) -> None:
        """Send silence, in this and later calls."""
        self._set_disabled("audio_input", True)

    def enable_video_input(self) -> None:
        """Send our video again."""
        self._set_disabled("video_input", False)

    def disable_video_input(self) -> None:
        """Send no video, in this and later calls."""
        self._set_disabled("video_input", True)

    async def request_media_permissions(self, *, audio: bool = True, video: bool = True) -> PermissionResult:
        """Return the kinds of media that may be used: all that have a device, for there is no permission dialogue."""
        await self._devices.enumerate()
        microphone = self.selected_audio_input_device if audio else None
        camera = self.selected_video_input_device if video else None
        return PermissionResult(microphone is not None, camera is not None, microphone, camera)

    def _constraints(self, kind: str) -> dict[str, Any] | bool:
        selection = self._devices.selections[kind]
        if selection.disabled.value:
            return False
        return self.device_info_to_constraints(selection.selected.value) or True

    def _set_disabled(self, kind: str, disabled: bool) -> None:
        self._devices.selections[kind].disabled.set(disabled)
        self._session.set_sending(kind.partition("_")[0], not disabled)
