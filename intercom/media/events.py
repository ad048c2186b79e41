"""The events of the sound part: one fact per class, past tense."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

Direction = Literal["capture", "playback"]


class EngineStarted(Struct, frozen=True):
    """The card was opened for the first time, or another card in its place."""

    card: str
    """Description of the chosen card."""


class DeviceLost(Struct, frozen=True):
    """A PCM stopped working: unplugged, or its driver or server died; the engine retries until it returns."""

    direction: Direction
    """Direction of the PCM."""
    reason: str
    """Error from ALSA, or the silence that showed the loss."""


class DeviceReturned(Struct, frozen=True):
    """The lost card works again; the tones and the call go on."""

    direction: Direction
    """Direction of the PCM."""
    after_s: float
    """Time that the PCM was away."""


class XrunHappened(Struct, frozen=True):
    """The speaker ran dry or the microphone overflowed, and the engine recovered; reported at most once a second."""

    direction: Direction
    """Direction of the PCM."""
    count: int
    """Xruns since the engine started."""


class EngineFailed(Struct, frozen=True):
    """The engine's thread died of a defect: there is no sound until the engine restarts."""

    reason: str
    """The exception in words."""
    error: Exception
    """The exception itself."""


EngineEvent = EngineStarted | DeviceLost | DeviceReturned | XrunHappened | EngineFailed


class CallConnected(Struct, frozen=True):
    """ICE and DTLS are connected."""

    call_id: str
    """Id of the call."""
    after_s: float
    """Time since both descriptions were known."""


class CallMoved(Struct, frozen=True):
    """The call goes on over a new peer connection: the path or the far end's page changed."""

    call_id: str
    """Id of the call."""
    after_s: float
    """Time since both descriptions of the new connection were known."""


class CallInterrupted(Struct, frozen=True):
    """The far end closed its connection or ICE failed, but the call has not ended: the far end may offer a new one."""

    call_id: str
    """Id of the call."""


class MediaSilent(Struct, frozen=True):
    """The call received nothing for so long that it needs recovery."""

    call_id: str
    """Id of the call."""
    silent_s: float
    """Time since the last packet, or since the call connected."""


class MediaReturned(Struct, frozen=True):
    """Packets arrive again after a `MediaSilent`."""

    call_id: str
    """Id of the call."""
    after_s: float
    """Length of the silence."""


class CallFailed(Struct, frozen=True):
    """The call's connection has failed for good; its state is `failed`."""

    call_id: str
    """Id of the call."""
    reason: str
    """Reason in words."""


class DescriptionRefused(Struct, frozen=True):
    """The far end's offer or answer cannot be used; an established call goes on unchanged."""

    call_id: str
    """Id of the call."""
    reason: str
    """Reason in words."""


class EchoLossFell(Struct, frozen=True):
    """The canceller does not hold the echo, and the far end hears itself; reported once a call."""

    call_id: str
    """Id of the call."""
    echo_loss_db: float
    """Echo loss of the canceller."""
    echo_level_db: float
    """Level of the microphone over the speaker's signal."""


CallEvent = CallConnected | CallMoved | CallInterrupted | MediaSilent | MediaReturned | CallFailed | DescriptionRefused
