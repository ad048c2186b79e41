"""What a camera and a video sender tell: one class for each fact, in the past tense."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CameraChosen:
    """A picture source was chosen from the configuration."""

    source: str
    """`picamera2`, `v4l2` or `pattern`."""
    description: str
    """What the source is, in words, with size, rate and encoder."""
    reason: str
    """Why this one; empty if the configuration named it."""


@dataclass(frozen=True, slots=True)
class CameraStarted:
    """The camera began to run because somebody subscribed (a light may show it)."""

    description: str
    """What runs, in words."""


@dataclass(frozen=True, slots=True)
class CameraStopped:
    """The camera ended because nobody is subscribed any more, or because it was forbidden."""


@dataclass(frozen=True, slots=True)
class CameraLost:
    """The camera went away or gave no picture; calls go on with sound, and it is tried again."""

    reason: str
    """What happened and what to do."""


@dataclass(frozen=True, slots=True)
class CameraReturned:
    """Pictures flow again after a CameraLost."""

    outage_s: float
    """Seconds between the last picture before and the first after."""


@dataclass(frozen=True, slots=True)
class VideoRefused:
    """A call goes on without picture, because the far end takes none that we can send."""

    reason: str
    """What the far end offered and what is missing."""


@dataclass(frozen=True, slots=True)
class VideoSuspended:
    """The picture was taken off a call because the path carries too little; the sound goes on."""

    estimate_bps: int | None
    """The far end's estimate of the path in bits a second, if it sent one."""
    loss: float
    """Fraction of the picture's packets that were lost, 0 to 1."""


@dataclass(frozen=True, slots=True)
class VideoResumed:
    """The picture of a call is tried again."""

    target_bps: int
    """Bits a second that it starts with."""


CameraEvent = CameraChosen | CameraStarted | CameraStopped | CameraLost | CameraReturned
VideoEvent = VideoRefused | VideoSuspended | VideoResumed
