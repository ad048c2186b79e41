"""Devices that are chosen, lost and found again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from intercom.signalwire import Device, InvalidParamsError, MemoryStorage, SignalWire
from intercom.signalwire.client.devices import match
from intercom.signalwire.errors import DeviceError
from intercom.signalwire.observable import Happenings
from tests.signalwire.media import ScriptedMedia
from tests.signalwire.service import Service, Tokens

BUILT_IN = Device("built-in", "audio_input", "Built-in microphone", "board")
HEADSET = Device("usb-1", "audio_input", "Headset", "usb")
SPEAKER = Device("usb-1-out", "audio_output", "Headset", "usb")
CAMERA = Device("cam", "video_input", "Camera")


class Hardware(ScriptedMedia):
    """A media provider whose devices are plugged in and out by the test."""

    def __init__(self, *devices: Device) -> None:
        super().__init__()
        self.plugged = list(devices)
        self.used: list[tuple[str, str | None]] = []
        self.broken: set[str] = set()
        self._changed: Happenings[None] = Happenings()
        self.devices_changed_stream = self._changed.stream

    async def devices(self) -> Sequence[Device]:
        return list(self.plugged)

    async def use(self, kind: str, device: Device | None) -> None:
        if device is not None and device.id in self.broken:
            raise OSError("Device or resource busy")
        self.used.append((kind, device.id if device else None))

    async def capabilities(self, device: Device) -> Mapping[str, Any]:
        return {"sample_rates": [48000], "of": device.id}

    def plug(self, *devices: Device) -> None:
        self.plugged = list(devices)
        self._changed.emit(None)


@pytest.fixture(autouse=True)
def no_debounce(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("intercom.signalwire.client.devices.DEBOUNCE_S", 0.0)


def new_client(service: Service, hardware: Hardware, storage: MemoryStorage | None = None) -> SignalWire:
    return SignalWire(Tokens(), media=hardware, storage=storage, options=service.options())


async def test_the_first_device_is_used_until_another_is_chosen(service: Service) -> None:
    hardware = Hardware(BUILT_IN, HEADSET, SPEAKER, CAMERA)
    async with new_client(service, hardware) as client:
        await client.enumerate_devices()
        assert client.audio_input_devices == (BUILT_IN, HEADSET)
        assert client.selected_audio_input_device == BUILT_IN
        client.select_audio_input_device(HEADSET)
        await service.until(lambda: ("audio_input", "usb-1") in hardware.used)
        assert client.selected_audio_input_device_constraints == {"deviceId": {"exact": "usb-1"}}
        assert await client.is_valid_device(HEADSET)
        assert await client.get_device_capabilities(HEADSET) == {"sample_rates": [48000], "of": "usb-1"}


async def test_a_headset_that_is_unplugged_and_plugged_in_again_is_used_again(service: Service) -> None:
    hardware = Hardware(BUILT_IN, HEADSET)
    async with new_client(service, hardware) as client:
        reasons: list[str] = []
        client.device_recovered_stream.subscribe(lambda event: reasons.append(event.reason))
        client.enable_device_monitoring()
        await service.until(lambda: client.selected_audio_input_device == BUILT_IN)
        client.select_audio_input_device(HEADSET)
        hardware.plug(BUILT_IN)
        await service.until(lambda: client.selected_audio_input_device == BUILT_IN)
        hardware.plug(BUILT_IN, Device("usb-2", "audio_input", "Headset", "usb"))
        await service.until(lambda: ("audio_input", "usb-2") in hardware.used)
        await service.until(lambda: reasons == ["device_disconnected", "device_reconnected"])
        client.disable_device_monitoring()
        hardware.plug(BUILT_IN)
        assert client.selected_audio_input_device != BUILT_IN


async def test_a_choice_is_kept_for_the_next_run(service: Service) -> None:
    storage = MemoryStorage()
    hardware = Hardware(BUILT_IN, HEADSET)
    async with new_client(service, hardware, storage) as client:
        await client.enumerate_devices()
        client.select_audio_input_device(HEADSET)
        await service.until(lambda: ("audio_input", "usb-1") in hardware.used)
    async with new_client(service, Hardware(BUILT_IN, HEADSET), storage) as client:
        reasons: list[str] = []
        client.device_recovered_stream.subscribe(lambda event: reasons.append(event.reason))
        await client.request_media_permissions()
        assert client.selected_audio_input_device == HEADSET
        assert "session_restored" in reasons
        await client.reset_to_defaults()
        assert client.selected_audio_input_device == BUILT_IN
        assert [key for key in await storage.keys() if "device" in key] == []


async def test_a_device_that_cannot_be_used_is_an_event(service: Service) -> None:
    hardware = Hardware(BUILT_IN, HEADSET)
    hardware.broken.add("usb-1")
    async with new_client(service, hardware) as client:
        faults: list[Exception] = []
        client.errors_stream.subscribe(faults.append)
        client.select_audio_input_device(HEADSET)
        await service.until(lambda: bool(faults))
        assert isinstance(faults[0], DeviceError)
        with pytest.raises(InvalidParamsError, match="no audio input"):
            client.select_audio_input_device(CAMERA)


async def test_a_disabled_microphone_is_silent_in_every_call(service: Service) -> None:
    hardware = Hardware(BUILT_IN)
    async with new_client(service, hardware) as client:
        await client.connect()
        client.disable_audio_input()
        call = await client.dial("/private/house")
        assert hardware.calls[0].switched == [("send", "audio", False)]
        assert client.audio_input_disabled
        assert client.selected_audio_input_device_constraints is False
        client.enable_audio_input()
        assert hardware.calls[0].switched[-1] == ("send", "audio", True)
        assert not call.audio_muted


def test_a_device_is_found_by_id_then_group_and_label_then_a_label_that_is_unique() -> None:
    moved = Device("usb-9", "audio_input", "Headset", "usb")
    twin = Device("usb-8", "audio_input", "Headset", "other")
    assert match(HEADSET, [twin, moved, HEADSET]) == (HEADSET, False)
    assert match(HEADSET, [twin, moved]) == (moved, False)
    assert match(HEADSET, [twin]) == (twin, False)
    assert match(HEADSET, [twin, Device("usb-7", "audio_input", "Headset", "third")]) == (None, True)
    assert match(HEADSET, [BUILT_IN]) == (None, False)


async def test_diagnostics_tell_what_happened_and_no_secret(service: Service) -> None:
    async with new_client(service, Hardware(BUILT_IN)) as client:
        await client.register()
        call = await client.dial("/private/house")
        await call.hangup()
        service.cut()
        await service.until(lambda: service.connects == 2)
        told = client.export_diagnostics()
        kinds = [event["kind"] for event in told["events"]]
        assert {"connected", "registered", "disconnected"} <= set(kinds)
        assert told["calls"][0]["end_cause"] == "NORMAL_CLEARING"
        assert told["capabilities"]["device_selection"]
        assert "token" not in str(told)
