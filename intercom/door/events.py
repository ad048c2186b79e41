"""Pass the events of the parts on: devices and media that go and come, what moves at the panel, a thread that died."""

from __future__ import annotations

import logging
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

from intercom.devices import Device, DeviceRecovery
from intercom.door.devices import ROLE_OF
from intercom.door.health.faults import Part
from intercom.door.health.restarts import Restarts
from intercom.door.machine import Fault, Phase
from intercom.door.parts import Parts
from intercom.door.urgency import CallUrgency
from intercom.facts import CameraPrivacyChanged, Fact, LockChanged
from intercom.media.camera.events import (
    CameraEvent,
    CameraLost,
    CameraReturned,
    CameraStarted,
    CameraStopped,
    VideoEvent,
)
from intercom.media.events import (
    CallEvent,
    DeviceLost,
    DeviceReturned,
    Direction,
    EngineEvent,
    EngineFailed,
    EngineStarted,
    MediaReturned,
    MediaSilent,
)

logger = logging.getLogger(__name__)

Work = Coroutine[Any, Any, None]
FAULT_OF: dict[Direction, Fault] = {"capture": Fault.MICROPHONE, "playback": Fault.SPEAKER}


def _feeds(device: Device | None, source: str) -> bool:
    """Return whether the camera's pictures come from this device; a camera on a ribbon cable belongs to picamera2."""
    kind = "picamera2" if device is not None and device.kind == "ribbon" else "v4l2"
    return source in ("auto", kind)


class PartEvents:
    """Passes the events of the parts to the machine; each arrives on its part's own thread."""

    def __init__(
        self, door: Parts, restarts: Restarts, *, in_loop: Callable[..., None], spawn: Callable[[Work], object]
    ) -> None:
        """`in_loop` calls a function on the event loop, from any thread; `spawn` runs a coroutine, from the loop."""
        self._door = door
        self._restarts = restarts
        self._in_loop = in_loop
        self._spawn = spawn
        self.urgency = CallUrgency()
        "whether the loop goes first; it takes what the journal tells"

    def engine(self, event: EngineEvent) -> None:
        """Take an event of the audio engine, on the audio thread."""
        door = self._door
        match event:
            case DeviceLost(direction, reason):
                door.feedback.sound_lost()
                self._in_loop(self._sound_lost, FAULT_OF[direction], reason)
            case DeviceReturned(direction):
                self._in_loop(self.urgency.card_returned)
                self._in_loop(door.machine.fault_cleared, FAULT_OF[direction])
                self._in_loop(self._card_came)
            case EngineStarted():
                self._in_loop(self._card_came)
            case EngineFailed(error=error):
                self._restarts.failed_elsewhere(Part.AUDIO_THREAD, error)
            case _:
                logger.debug("%s", event)

    # -- the panel -------------------------------------------------------------------------------------

    def follow_panel(self, tell: Callable[[Fact], object]) -> None:
        """Begin to take what the panel reports, but for a press; `tell` takes what moves there, for the journal."""
        door, panel = self._door, self._door.panel

        def lock_changed(is_open: bool) -> None:
            door.feedback.door_changed(is_open)
            tell(LockChanged(is_open))
            door.calls.door_changed(is_open)

        def privacy_changed() -> None:
            tell(CameraPrivacyChanged(tuple(door.privacy.forbidden_by)))

        panel.on_hold = partial(self._in_loop, door.calls.hold)
        panel.on_fault = lambda part, error: self._restarts.failed_elsewhere(Part(part), error)
        panel.door.on_change = partial(self._in_loop, lock_changed)
        door.privacy.start(partial(self._in_loop, privacy_changed))
        door.entrance.start(self._in_loop, silent=self._is_silent)

    def _is_silent(self) -> bool:
        """Return whether a press now sounds no bell of the house: it is quiet, or the press is part of a talk."""
        door = self._door
        return door.quiet.is_quiet or door.messages.records or door.machine.phase in (Phase.RINGING_IN, Phase.ACTIVE)

    # -- sound and picture -----------------------------------------------------------------------------

    def _sound_lost(self, fault: Fault, reason: str) -> None:
        self.urgency.card_lost()
        self._door.machine.fault(fault, reason)

    def _card_came(self) -> None:
        self._spawn(self._use_card())

    async def _use_card(self) -> None:
        door, faults = self._door, self._door.machine.faults
        await door.devices.works(*(role for direction, role in ROLE_OF.items() if FAULT_OF[direction] not in faults))
        await door.volume.card_came()

    def device(self, event: DeviceRecovery) -> None:
        """Take a device recovery, on the event loop. Sound card faults follow the engine, which opens the cards."""
        door = self._door
        if event.role != "camera" or door.camera is None:
            return
        if not _feeds(event.new or event.previous, door.camera.source):
            return
        if event.new is None:
            door.machine.fault(Fault.CAMERA, "it was unplugged")
        elif door.camera.look_again():
            door.machine.fault_cleared(Fault.CAMERA)

    def media(self, event: CallEvent | VideoEvent) -> None:
        """Take an event of a call's media, on the event loop."""
        door = self._door
        match event:
            case MediaSilent():
                door.machine.fault(Fault.MEDIA, f"nothing was received for {event.silent_s:.1f} s")
            case MediaReturned():
                door.machine.fault_cleared(Fault.MEDIA)
            case _:
                logger.info("%s", event)

    def camera(self, event: CameraEvent) -> None:
        """Take an event of the camera, on the camera's threads."""
        door = self._door
        match event:
            case CameraLost(reason):
                self._in_loop(door.machine.fault, Fault.CAMERA, reason)
            case CameraReturned():
                self._in_loop(door.machine.fault_cleared, Fault.CAMERA)
            case CameraStarted() | CameraStopped():
                self._in_loop(self._camera_turned)
                door.privacy.camera_changed()
            case _:
                logger.debug("%s", event)

    def _camera_turned(self) -> None:
        if self._door.camera is not None and self._door.camera.source == "v4l2":
            self._spawn(self._door.devices.works("camera"))
