"""Interfaces of the media provider: structural types, nothing to inherit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

from reactivex import Observable


class CallMedia(Protocol):
    """One call's peer connection.

    Every method may raise; the call then ends with cause INCOMPATIBLE_DESTINATION.
    """

    @property
    def state_stream(self) -> Observable[str]:
        """The peer connection's state: "new", "connecting", "connected", "disconnected", "failed", "closed"."""

    async def create_offer(self) -> str:
        """Return a complete offer: candidates are gathered within 600 ms even when no STUN or TURN server answers."""

    async def create_answer(self, offer: str) -> str:
        """Return a complete answer to the far end's offer."""

    async def accept_answer(self, answer: str) -> None:
        """Take the far end's answer."""

    async def close(self) -> None:
        """Release all resources; called exactly once for each `open`, however the call ended."""


@runtime_checkable
class RestartableMedia(Protocol):
    """A `CallMedia` that can restart its connection while the call goes on."""

    async def create_restart_offer(self) -> str:
        """Return a complete offer with new ICE credentials; its answer comes by `accept_answer`."""

    async def create_restart_answer(self, offer: str) -> str:
        """Return a complete answer to the far end's new offer."""


@runtime_checkable
class PathMedia(Protocol):
    """A `CallMedia` whose connections can be limited to certain paths."""

    def use_paths(self, ice_servers: Sequence[Mapping[str, Any]], *, relay_only: bool) -> None:
        """Use these ICE servers from the next connection on, the first one included.

        `relay_only`: only relayed candidates are offered and used (W3C iceTransportPolicy "relay").
        """


@runtime_checkable
class KeyframeMedia(Protocol):
    """A `CallMedia` that can ask the far end for a keyframe."""

    def request_keyframe(self) -> None:
        """Send a picture loss indication (RFC 4585, section 6.3.1)."""


@runtime_checkable
class MutableMedia(Protocol):
    """A `CallMedia` whose directions can be silenced without negotiation."""

    def set_sending(self, kind: str, on: bool) -> None:
        """Send `kind` ("audio" or "video"), or silence or black in its place."""

    def set_receiving(self, kind: str, on: bool) -> None:
        """Play `kind`, or drop it."""


@runtime_checkable
class PatientMedia(Protocol):
    """A `CallMedia` that measures for how long the far end sends nothing although it should."""

    def expect_sound(self, expected: bool) -> None:
        """Set whether the far end must send audio: one that holds us may be silent."""


@runtime_checkable
class VolumeMedia(Protocol):
    """A `CallMedia` that can amplify its outgoing audio."""

    def set_microphone_gain(self, percent: int) -> None:
        """Amplify our sound, 0 to 200 percent."""


@runtime_checkable
class HearingMedia(Protocol):
    """A `CallMedia` that can play the far end louder and softer."""

    def set_far_gain(self, gain: float) -> None:
        """Play the far end's sound at this factor; 0: not at all."""


@runtime_checkable
class ConstrainableMedia(Protocol):
    """A `CallMedia` that can be told how to process its outgoing media."""

    def apply_constraints(self, kind: str, constraints: Mapping[str, Any]) -> None:
        """Apply W3C MediaTrackConstraints for "audio" or "video", as far as the media supports them."""


@runtime_checkable
class MeasuredMedia(Protocol):
    """A `CallMedia` that counts packets and measures quality."""

    async def call_counters(self) -> Mapping[str, Any]:
        """Return totals since the start, under the names of `intercom.signalwire.call.quality.MediaCounters`.

        `silent_s` is the one measure of silence: without it no silence is noticed.
        """


@runtime_checkable
class DigitMedia(Protocol):
    """A `CallMedia` that receives telephone events (RFC 4733)."""

    @property
    def digits_stream(self) -> Observable[str]:
        """Digits, as they are pressed."""


@runtime_checkable
class ToneMedia(Protocol):
    """A `CallMedia` that detects keys in the audio, and knows which tones it sent."""

    @property
    def tones_stream(self) -> Observable[tuple[str, float | None]]:
        """Keys as they are detected, each with the seconds since we sent it ourselves, or None."""

    def sent_key_s(self, key: str) -> float | None:
        """Return the seconds since our own audio held this key's tones; None if it did not in the last two seconds."""


@runtime_checkable
class KeyMedia(Protocol):
    """A `CallMedia` that can send telephone events (RFC 4733)."""

    @property
    def takes_keys(self) -> bool:
        """Whether the far end negotiated telephone events and is connected."""

    async def send_digits(self, digits: str) -> bool:
        """Press 0-9, *, #, A-D, one after another; returns when they are sent, False when not all could be."""


@runtime_checkable
class JudgingMedia(Protocol):
    """A `MediaProvider` that tells in advance which calls it cannot answer."""

    def refusal(self, offer: str) -> str:
        """Return the reason why this offer cannot be answered, in a sentence; empty when it can."""


@runtime_checkable
class ObedientMedia(Protocol):
    """A `MediaProvider` all of whose calls are `MutableMedia` and `HearingMedia`: the service may rely on it."""

    carries_out: bool
    """Whether they are."""


class MediaProvider(Protocol):
    """The owner of the devices, which opens the media of each call."""

    def open(
        self,
        call_id: str,
        ice_servers: Sequence[Mapping[str, Any]],
        *,
        audio: bool,
        video: bool,
        receive_audio: bool,
        receive_video: bool,
    ) -> CallMedia:
        """Open a call's peer connection; cheap, nothing is gathered or sent yet.

        `ice_servers` are W3C RTCIceServer dictionaries: {"urls": [...], "username", "credential"}. `audio` and `video`
        are whether to send each. Raises `MediaAccessError` when our audio or video cannot be opened: the call is then
        opened once more, only to receive.
        """
