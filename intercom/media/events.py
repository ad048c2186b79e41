"""What the sound part reports: one fact per class, past tense."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Direction = Literal["capture", "playback"]


@dataclass(frozen=True, slots=True)
class EngineStarted:
    """The card was opened for the first time, or another one in its place."""

    card: str
    """What was chosen, in words."""


@dataclass(frozen=True, slots=True)
class DeviceLost:
    """A PCM stopped working: unplugged, or its driver or server died. Retried until it returns."""

    direction: Direction
    """Which PCM."""
    reason: str
    """What ALSA said, or did not say."""


@dataclass(frozen=True, slots=True)
class DeviceReturned:
    """The lost card works again; whatever played or spoke goes on."""

    direction: Direction
    """Which PCM."""
    after_s: float
    """How long it was away."""


@dataclass(frozen=True, slots=True)
class XrunHappened:
    """The speaker ran dry or the microphone's buffer overflowed; healed already. At most one a second is told."""

    direction: Direction
    """Which PCM."""
    count: int
    """How many since the engine started."""


@dataclass(frozen=True, slots=True)
class EngineFailed:
    """The engine's thread died of a defect: there is no sound until the engine is restarted."""

    reason: str
    """The exception in words."""
    error: Exception
    """It itself."""


EngineEvent = EngineStarted | DeviceLost | DeviceReturned | XrunHappened | EngineFailed


@dataclass(frozen=True, slots=True)
class CallConnected:
    """ICE and DTLS are up."""

    call_id: str
    """The call."""
    after_s: float
    """Since both descriptions were known."""


@dataclass(frozen=True, slots=True)
class CallMoved:
    """The call goes on over a new peer connection: the path or the far end's page changed."""

    call_id: str
    """The call."""
    after_s: float
    """Since both descriptions of the new connection were known."""


@dataclass(frozen=True, slots=True)
class CallInterrupted:
    """The far end closed its connection, or ICE gave up, without an end of the call: it may offer a new one."""

    call_id: str
    """The call."""


@dataclass(frozen=True, slots=True)
class MediaSilent:
    """Nothing was received for so long that the call needs recovery."""

    call_id: str
    """The call."""
    silent_s: float
    """Since the last packet, or since it connected."""


@dataclass(frozen=True, slots=True)
class MediaReturned:
    """Packets arrive again after a `MediaSilent`."""

    call_id: str
    """The call."""
    after_s: float
    """How long there were none."""


@dataclass(frozen=True, slots=True)
class CallFailed:
    """The call's connection cannot be used any more; its state is `failed`."""

    call_id: str
    """The call."""
    reason: str
    """Why, in words."""


@dataclass(frozen=True, slots=True)
class DescriptionRefused:
    """The far end's offer or answer cannot be used; a call that talks goes on as it was."""

    call_id: str
    """The call."""
    reason: str
    """Why, in words."""


@dataclass(frozen=True, slots=True)
class EchoLossFell:
    """The canceller does not hold the echo: the far end hears itself. Told once a call."""

    call_id: str
    """The call."""
    echo_loss_db: float
    """What the canceller takes away."""
    echo_level_db: float
    """The microphone against the speaker."""


CallEvent = CallConnected | CallMoved | CallInterrupted | MediaSilent | MediaReturned | CallFailed | DescriptionRefused
