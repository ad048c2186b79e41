"""Events of a camera and a video sender: one class for each fact, in the past tense."""

from __future__ import annotations

from msgspec import Struct


class CameraChosen(Struct, frozen=True):
    """A picture source was chosen from the configuration."""

    source: str
    """Source chosen: `picamera2`, `v4l2` or `pattern`."""
    description: str
    """Description of the source, in words, with size, rate and encoder."""
    reason: str
    """Reason for the choice; empty if the configuration named the source."""


class CameraStarted(Struct, frozen=True):
    """The camera began to run because somebody subscribed (a light may show it)."""

    description: str
    """Description of the running source, in words."""


class CameraStopped(Struct, frozen=True):
    """The camera stopped because the last subscriber left, or because it was forbidden."""


class CameraLost(Struct, frozen=True):
    """The camera went away or gave no picture; calls go on with sound, and the camera is retried."""

    reason: str
    """Cause of the loss and the remedy."""


class CameraReturned(Struct, frozen=True):
    """Pictures flow again after a CameraLost."""

    outage_s: float
    """Seconds between the last picture before and the first after."""


class VideoRefused(Struct, frozen=True):
    """A call goes on without a picture, because the far end accepts none that we can send."""

    reason: str
    """The far end's offer and the part missing from it."""


class VideoSuspended(Struct, frozen=True):
    """The sender suspended a call's picture because the path carries too little; the sound goes on."""

    estimate_bps: int | None
    """The far end's estimate of the path in bits a second, if it sent one."""
    loss: float
    """Fraction of the picture's packets that were lost, 0 to 1."""


class VideoResumed(Struct, frozen=True):
    """The sender tries a call's picture again."""

    target_bps: int
    """Bit rate at which the picture starts again, bits a second."""


CameraEvent = CameraChosen | CameraStarted | CameraStopped | CameraLost | CameraReturned
VideoEvent = VideoRefused | VideoSuspended | VideoResumed
