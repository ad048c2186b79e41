"""The door's devices on a real kernel, joined to its engine: unplugged, rattled, taken for a twin, found again."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from intercom.config import AudioConfig, CameraConfig, Config
from intercom.devices import DeviceRecovery, Finder
from intercom.door.devices import ROLE_OF, DoorDevices
from intercom.media.camera.v4l2_controls import camera_name
from intercom.media.cards import pcm_loss
from intercom.media.events import DeviceLost, DeviceReturned, EngineEvent, EngineStarted
from intercom.media.sound.engine import AudioEngine
from tests.hardware.ends import FarEnd, NearEnd
from tests.hardware.guest import CHECKOUT
from tests.hardware.headset import Headset
from tests.hardware.uac1 import UsbHeadset
from tests.hardware.wait import eventually
from tests.media.events import Reported

FAR_HZ, DOOR_HZ, TWIN_HZ, NOTICE_HZ = 1000, 700, 1500, 620
LIMIT_S = 60.0
RATTLES = 10
PULLS, PULL_STEP_S = 12, 0.01


class Door:
    """What the appliance joins, without the rest of it."""

    def __init__(self, folder: Path, config: Config) -> None:
        self.far, self.near = FarEnd(FAR_HZ), NearEnd()
        self.told: list[DeviceRecovery] = []
        self.events: Reported[EngineEvent] = Reported()
        self._loop = asyncio.get_running_loop()
        self.devices = DoorDevices(config, folder, simulated=False, on_event=self.told.append)
        self.engine = AudioEngine(self.devices.cards, on_event=self._event)
        self.devices.start(self.engine)
        self.engine.start()

    def call(self) -> None:
        self.engine.connect(self.far, self.near)

    def reasons(self, role: str) -> list[str]:
        return [event.reason for event in self.told if event.role == role]

    def uses_sound(self) -> bool:
        return any(isinstance(event, EngineStarted) for event in self.events.all)

    def missing(self) -> set[str]:
        """The directions that were lost and have not returned."""
        missing: set[str] = set()
        for event in self.events.all:
            if isinstance(event, DeviceLost):
                missing.add(event.direction)
            elif isinstance(event, DeviceReturned):
                missing.discard(event.direction)
        return missing

    def lost(self) -> set[str]:
        return {event.direction for event in self.events.all if isinstance(event, DeviceLost)}

    async def talks_through(self, headset: Headset, hz: int = DOOR_HZ) -> None:
        """Wait until the call is heard in this headset, and this headset in the call."""
        self.near.forget()
        headset.forget()
        await eventually(lambda: headset.hears(FAR_HZ), LIMIT_S, "the headset plays the far end")
        await eventually(lambda: self.near.hears(hz), LIMIT_S, f"the far end hears {hz} Hz")

    async def stop(self) -> None:
        self.devices.stop()
        await asyncio.to_thread(self.engine.stop)

    def _event(self, event: EngineEvent) -> None:
        self.events(event)
        if isinstance(event, DeviceReturned):
            asyncio.run_coroutine_threadsafe(self.devices.works(ROLE_OF[event.direction]), self._loop)
        elif isinstance(event, EngineStarted):
            asyncio.run_coroutine_threadsafe(self.devices.works(*ROLE_OF.values()), self._loop)


Opens = Callable[..., Awaitable[Door]]


@pytest.fixture
async def open_door(tmp_path: Path) -> AsyncIterator[Opens]:
    doors: list[Door] = []

    async def open_one(**audio: str) -> Door:
        door = Door(tmp_path, Config(audio=AudioConfig(**audio), camera=CameraConfig(source="off")))
        doors.append(door)
        return door

    yield open_one
    for door in doors:
        await door.stop()
    assert not [thread for thread in threading.enumerate() if thread.name == "audio-engine"]


def usb_cards() -> list[str]:
    return [card.name for card in Finder().sound_cards() if card.kind == "usb"]


async def plugged(headset: Headset, count: int = 1) -> None:
    headset.plug(wait=False)
    await eventually(lambda: len(usb_cards()) == count, LIMIT_S, "the card is there")


async def unplugged(headset: Headset, count: int = 0) -> None:
    headset.unplug()
    await eventually(lambda: len(usb_cards()) == count, LIMIT_S, "the card is gone")


def open_pcms() -> list[str]:
    """The kinds of all open PCMs, without a thought for what opens and closes meanwhile."""
    listed = subprocess.run(["ls", "-l", f"/proc/{os.getpid()}/fd"], capture_output=True, text=True, check=False)
    return sorted(line[-1] for line in listed.stdout.splitlines() if "/dev/snd/pcm" in line)


async def test_a_bad_plug_that_rattles_does_not_wear_the_door_out(
    headset: Headset, open_door: Opens, capfd: pytest.CaptureFixture[str]
) -> None:
    headset.tone(DOOR_HZ)
    await plugged(headset)
    door = await open_door()
    door.call()
    await door.talks_through(headset)

    for number in range(RATTLES):
        headset.unplug()
        headset.plug(wait=False)
        if number % 2:
            await eventually(usb_cards, LIMIT_S, "the card is there")

    await door.talks_through(headset)
    assert open_pcms() == ["c", "p"]
    assert capfd.readouterr().err == ""


async def test_a_headset_that_goes_while_nobody_calls_is_missed_and_taken_back(
    headset: Headset, open_door: Opens
) -> None:
    await plugged(headset)
    door = await open_door()
    await eventually(door.uses_sound, LIMIT_S, "both directions are open")
    headset.unplug()
    await eventually(lambda: door.lost() == {"capture", "playback"}, LIMIT_S, "both directions are missed")
    headset.plug(wait=False)
    await eventually(lambda: not door.missing(), LIMIT_S, "both return")
    assert door.reasons("speaker") == ["device_disconnected", "device_reconnected"]


async def test_a_headset_that_is_pulled_while_it_is_opened_is_used_when_it_is_back(
    headset: Headset, open_door: Opens
) -> None:
    headset.tone(DOOR_HZ)
    for number in range(PULLS):
        await plugged(headset)
        door = await open_door()
        door.call()
        await asyncio.sleep(number * PULL_STEP_S)
        headset.unplug()
        headset.plug(wait=False)
        await door.talks_through(headset)
        await door.stop()
        await unplugged(headset)


async def test_sound_that_is_late_at_boot_is_waited_for_without_a_word_to_the_journal(
    headset: Headset, open_door: Opens, capfd: pytest.CaptureFixture[str]
) -> None:
    headset.tone(DOOR_HZ)
    door = await open_door(card="plughw:CARD=Headset,DEV=0")
    door.call()
    await eventually(lambda: door.near.hears(NOTICE_HZ), LIMIT_S, "the far end hears that sound is missing")
    await plugged(headset)
    await door.talks_through(headset)
    assert capfd.readouterr().err == ""


async def test_the_door_goes_back_to_its_own_headset_though_a_twin_has_taken_its_name(open_door: Opens) -> None:
    with Headset(UsbHeadset(serial="A")) as own, Headset(UsbHeadset(serial="B")) as twin:
        own.tone(DOOR_HZ)
        twin.tone(TWIN_HZ)
        await plugged(own)
        door = await open_door(card="plughw:CARD=Headset,DEV=0")
        door.call()
        await door.talks_through(own)
        await unplugged(own)
        await plugged(twin)
        assert usb_cards() == ["Headset"]
        await door.talks_through(twin, TWIN_HZ)
        await plugged(own, 2)
        await door.talks_through(own)


async def test_a_microphone_and_a_speaker_on_two_cards_go_and_come_back_separately(
    open_door: Opens, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("SILENT_S", "START_SILENT_S"):  # a headset that a busy machine gives no time is not pulled out
        monkeypatch.setattr(pcm_loss, name, LIMIT_S)
    ear, mouth = Headset(UsbHeadset(name="Bench Ear", serial="A")), Headset(UsbHeadset(name="Bench Mouth", serial="B"))
    with ear, mouth:
        ear.tone(DOOR_HZ)
        await plugged(ear)
        await plugged(mouth, 2)
        door = await open_door(capture="plughw:CARD=Ear,DEV=0", playback="plughw:CARD=Mouth,DEV=0")
        door.call()
        await eventually(lambda: mouth.hears(FAR_HZ), LIMIT_S, "the speaker plays the far end")
        await eventually(lambda: door.near.hears(DOOR_HZ), LIMIT_S, "the far end hears the door")

        await unplugged(ear, 1)
        await eventually(lambda: door.near.hears(NOTICE_HZ), LIMIT_S, "the far end hears that sound is missing")
        mouth.forget()
        await eventually(lambda: mouth.hears(FAR_HZ), LIMIT_S, "the speaker plays on")
        await plugged(ear, 2)
        await eventually(lambda: door.near.hears(DOOR_HZ), LIMIT_S, "the far end hears the door again")
        assert door.lost() == {"capture"}

        await unplugged(mouth, 1)
        await eventually(lambda: door.near.hears(NOTICE_HZ), LIMIT_S, "the far end hears that nobody hears it")
        await eventually(lambda: door.near.hears(DOOR_HZ), LIMIT_S, "the far end still hears the door")
        await plugged(mouth, 2)
        await eventually(lambda: mouth.hears(FAR_HZ), LIMIT_S, "the speaker plays the far end again")
        assert [event.direction for event in door.events.all if isinstance(event, DeviceLost)] == [
            "capture",
            "playback",
        ]


async def swapped(first: Headset, second: Headset) -> list[str]:
    """Plug the second in before the first, each in its socket; the names of their cards."""
    with Headset(UsbHeadset(name="Bench Filler")) as filler:  # for the first free socket is taken
        await plugged(filler)
        await plugged(second, 2)
        await unplugged(filler, 1)
    await plugged(first, 2)
    subprocess.run(["udevadm", "settle"], check=True)
    cards = {card.port.rpartition("-")[2]: card.name for card in Finder().sound_cards() if card.kind == "usb"}
    return [cards["1"], cards["2"]]


async def test_twins_keep_their_roles_when_they_are_found_in_another_order(open_door: Opens) -> None:
    with Headset(UsbHeadset(serial="")) as own, Headset(UsbHeadset(serial="")) as twin:
        own.tone(DOOR_HZ)
        twin.tone(TWIN_HZ)
        await plugged(own)
        door = await open_door()
        door.call()
        await door.talks_through(own)
        await plugged(twin, 2)
        await eventually(
            lambda: {"Headset", "Headset_1"} <= {card.name for card in door.devices.roles.cards},
            LIMIT_S,
            "the door sees both",
        )
        await unplugged(own, 1)
        await door.talks_through(twin, TWIN_HZ)
        await unplugged(twin)
        assert await swapped(own, twin) == ["Headset_1", "Headset"]
        await door.talks_through(own)


async def test_pinned_twins_keep_their_names_when_they_are_found_in_another_order() -> None:
    rules = Path("/run/udev/rules.d/85-intercom-sound.rules")
    rules.parent.mkdir(exist_ok=True)
    command = [sys.executable, "-m", "intercom", "devices", "pin", "--write", str(rules)]
    with Headset(UsbHeadset(serial="")) as own, Headset(UsbHeadset(serial="")) as twin:
        await plugged(own)
        await plugged(twin, 2)
        subprocess.run(["udevadm", "settle"], check=True)
        try:
            subprocess.run(command, check=True, cwd=CHECKOUT)
            subprocess.run(["udevadm", "control", "--reload"], check=True)
            await unplugged(own, 1)
            await unplugged(twin)
            assert await swapped(own, twin) == ["Door", "Door2"]
        finally:
            rules.unlink(missing_ok=True)
            subprocess.run(["udevadm", "control", "--reload"], check=True)


async def test_a_camera_that_goes_and_comes_back_is_told_while_nobody_looks(tmp_path: Path) -> None:
    driver = Path("/sys/bus/platform/drivers/vivid")
    camera = next(camera for camera in Finder(camera_name).cameras() if camera.label == "vivid")
    door = Door(tmp_path, Config(camera=CameraConfig(source="v4l2", device=camera.name)))
    try:
        await asyncio.to_thread((driver / "unbind").write_text, "vivid.0")
        await eventually(lambda: door.reasons("camera") == ["device_disconnected"], LIMIT_S, "it is missed")
    finally:
        await asyncio.to_thread((driver / "bind").write_text, "vivid.0")
    await eventually(
        lambda: door.reasons("camera") == ["device_disconnected", "device_reconnected"], LIMIT_S, "it is back"
    )
    assert camera_name(door.devices.camera_file()) == camera.label
    await door.stop()


async def test_a_camera_on_a_ribbon_cable_is_missed_and_taken_back_while_nobody_looks(tmp_path: Path) -> None:
    driver = Path("/sys/bus/platform/drivers/vimc")
    door = Door(tmp_path, Config(camera=CameraConfig(source="picamera2")))
    sensor = door.devices.roles.choices["camera"].device
    assert sensor is not None
    assert (sensor.kind, sensor.label) == ("ribbon", "Sensor A")
    assert door.devices.has_ribbon_camera()
    try:
        await asyncio.to_thread((driver / "unbind").write_text, "vimc.0")
        await eventually(lambda: door.reasons("camera") == ["device_disconnected"], LIMIT_S, "it is missed")
        assert not door.devices.has_ribbon_camera()
    finally:
        await asyncio.to_thread((driver / "bind").write_text, "vimc.0")
    await eventually(
        lambda: door.reasons("camera") == ["device_disconnected", "device_reconnected"], LIMIT_S, "it is back"
    )
    await door.stop()


def test_the_kernel_is_heard_in_a_user_namespace_as_systemd_makes_one(headset: Headset) -> None:
    listen = (
        "from intercom.devices.watch import uevent_socket\n"
        "hears = uevent_socket(); hears.settimeout(60); print('listens', flush=True)\n"
        "while b'SUBSYSTEM=sound' not in (said := hears.recv(16384)) or not said.startswith(b'libudev'): pass\n"
    )
    command = ["unshare", "--user", sys.executable, "-c", listen]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=CHECKOUT) as listener:
        assert listener.stdout is not None
        assert listener.stdout.readline() == "listens\n"
        headset.plug()
        assert listener.wait(LIMIT_S) == 0
