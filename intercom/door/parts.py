"""The parts that a door is built of, together: what the status and the figures read and the commands act on."""

from __future__ import annotations

import msgspec

from intercom.config import Config
from intercom.door.calls.calls import Calls
from intercom.door.camera.camera_privacy import CameraPrivacy
from intercom.door.camera.press_snapshot import PressPictures
from intercom.door.camera.views import Views
from intercom.door.devices import DoorDevices
from intercom.door.entrance.entrance import Entrance
from intercom.door.feedback import Feedback
from intercom.door.health.faults import Faults
from intercom.door.integrations import Integrations
from intercom.door.machine import Machine
from intercom.door.messages.messages import Messages
from intercom.door.notifications import Notifications
from intercom.door.quiet import HouseQuiet
from intercom.door.replies import Replies
from intercom.door.volume import Volume
from intercom.history.call_recorder import CallRecorder
from intercom.history.figures import Figures
from intercom.media.camera.choice import Camera
from intercom.media.echo.canceller import EchoCanceller, HalfDuplex
from intercom.media.provider import DoorMedia
from intercom.media.sound.engine import AudioEngine
from intercom.opening.opener import DoorOpener
from intercom.panel import FrontPanel
from intercom.signalwire import SignalWire


class Parts(msgspec.Struct, frozen=True):
    """The parts of one door. None of them knows this record, nor what joins them."""

    config: Config
    """Settings of the door."""
    machine: Machine
    """Phase of the call, registration and faults, and the decisions from them."""
    faults: Faults
    """Open faults, each with its reason and its time."""
    panel: FrontPanel
    """Button, lights and relay."""
    devices: DoorDevices
    """Choice of the sound cards and the camera."""
    engine: AudioEngine
    """The sound's thread."""
    canceller: EchoCanceller | HalfDuplex | None
    """Echo canceller, if one is used."""
    volume: Volume
    """Levels of the loudspeaker and the microphone."""
    camera: Camera | None
    """The camera; None if it is configured off."""
    privacy: CameraPrivacy
    """Permission of the camera to run."""
    pictures: PressPictures
    """Pictures of the presses."""
    views: Views
    """Those who see through the camera without a call."""
    media: DoorMedia
    """Sound and picture of the calls."""
    recorder: CallRecorder
    """Call in progress, and the call log."""
    figures: Figures
    """Counts of the calls and of the openings."""
    opener: DoorOpener
    """The one way to open the door."""
    client: SignalWire
    """The registered client."""
    entrance: Entrance
    """Chime, door contact, exit button and tamper switch."""
    feedback: Feedback
    """The visitor's lights and sounds."""
    calls: Calls
    """The calls."""
    replies: Replies
    """Sentences that the house has the door speak."""
    messages: Messages
    """The visitors' messages."""
    notifications: Notifications
    """What people are told through services that the owner has named."""
    quiet: HouseQuiet
    """What the space says of its quiet hours."""
    integrations: Integrations
    """The other systems of the house that the door speaks with."""

    async def snapshot(self) -> bytes:
        """Return the camera's present picture as JPEG; raises OSError when there is none."""
        return await present_picture(self.camera)

    async def peek(self) -> bytes:
        """Return the picture of a camera that runs anyway, as JPEG; raises OSError when there is none."""
        if self.camera is None:
            raise OSError("there is no camera: camera.source is off")
        return await self.camera.peek()


async def present_picture(camera: Camera | None) -> bytes:
    """Return this camera's present picture as JPEG; raises OSError when there is none."""
    if camera is None:
        raise OSError("there is no camera: camera.source is off")
    return await camera.snapshot()
