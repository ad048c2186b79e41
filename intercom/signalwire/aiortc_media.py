"""Provides media for scripts: aiortc's peer connection with the script's own tracks.

The door does not use it: aiortc's own receive path is too slow for an intercom. aiortc is imported when a call is
made, so that a program without calls does not pay for it. A STUN or TURN server that does not answer delays a call
by aiortc's 5 s; prefer none (`client.preferences.ice_servers = []`) on a network without one.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from reactivex import Observable

from intercom.signalwire.call.media_options import Direction, direction
from intercom.signalwire.errors import MediaAccessError, MediaError
from intercom.signalwire.observable import Happenings, Value

if TYPE_CHECKING:
    from aiortc import MediaStreamTrack, RTCConfiguration, RTCIceServer

MakeTrack = Callable[[], "MediaStreamTrack | None"]


class AiortcMedia:
    """Opens calls that send `audio()` and `video()`, a new track for each call, and hand out the received tracks.

    Without `audio` silence is sent, without `video` none. ``AiortcMedia(audio=lambda: MediaPlayer("x.wav").audio)``
    """

    def __init__(self, *, audio: MakeTrack | None = None, video: MakeTrack | None = None) -> None:
        self._audio = audio
        self._video = video
        self._tracks: Happenings[tuple[str, Any]] = Happenings()

    @property
    def tracks_stream(self) -> Observable[tuple[str, Any]]:
        """(call id, track) for each track from a far end; of one that nobody consumes, the newest second is kept."""
        return self._tracks.stream

    def open(
        self,
        call_id: str,
        ice_servers: Sequence[Mapping[str, Any]],
        *,
        audio: bool,
        video: bool,
        receive_audio: bool = True,
        receive_video: bool = False,
    ) -> AiortcCall:
        """Open a call's peer connection.

        Raises `MediaAccessError` when the script has no track to give, `MediaError` when aiortc is not installed.
        """
        try:
            from aiortc import RTCConfiguration
        except ImportError as error:
            raise MediaError("Calls need aiortc: pip install aiortc.") from error
        from intercom.aiortc_hooks import outlast_any_far_end

        outlast_any_far_end()
        configuration = RTCConfiguration(iceServers=_servers(ice_servers))
        tracks = self._make_tracks(audio=audio, video=video)
        received = {"audio": receive_audio, "video": receive_video}
        return AiortcCall(configuration, received, tracks, lambda track: self._tracks.emit((call_id, track)))

    def _make_tracks(self, *, audio: bool, video: bool) -> dict[str, MediaStreamTrack]:
        from aiortc.mediastreams import AudioStreamTrack

        makers = {
            "audio": (self._audio or AudioStreamTrack) if audio else None,
            "video": self._video if video else None,
        }
        tracks: dict[str, MediaStreamTrack] = {}
        for kind, make in makers.items():
            try:
                track = make() if make is not None else None
            except Exception as error:
                for made in tracks.values():
                    made.stop()
                raise MediaAccessError(f"Our {kind} cannot be opened for a call: {error}.") from error
            if track is not None:
                tracks[kind] = track
        return tracks


class AiortcCall:
    """One call's peer connection; a `CallMedia`."""

    def __init__(
        self,
        configuration: RTCConfiguration,
        received: Mapping[str, bool],
        tracks: Mapping[str, MediaStreamTrack],
        on_track: Callable[[MediaStreamTrack], None],
    ) -> None:
        from aiortc import RTCPeerConnection

        connection = self._connection = RTCPeerConnection(configuration)
        self._configuration = configuration
        self._received = received
        self._tracks = tracks
        self._sound_expected = True
        self._packets = 0
        self._packet_at = math.inf
        "time of the last look that found a new audio packet, or at which none was expected"
        self._state: Value[str] = Value("new")
        connection.on("connectionstatechange", self._state_changed)
        connection.on("track", on_track)

    @property
    def state_stream(self) -> Observable[str]:
        """The peer connection's state."""
        return self._state.stream

    def use_paths(self, ice_servers: Sequence[Mapping[str, Any]], *, relay_only: bool) -> None:
        """Use these ICE servers; `relay_only`: relayed candidates only. Call it before the first description."""
        from aiortc.rtcconfiguration import RTCIceTransportPolicy

        self._configuration.iceServers = _servers(ice_servers)
        self._configuration.iceTransportPolicy = (
            RTCIceTransportPolicy.RELAY if relay_only else RTCIceTransportPolicy.ALL
        )

    async def create_offer(self) -> str:
        """Return a complete offer."""
        for kind in self._received:
            if (way := self._direction(kind)) != "inactive":
                self._connection.addTransceiver(self._tracks.get(kind, kind), way)
        return await self._describe(await self._connection.createOffer())

    async def create_answer(self, offer: str) -> str:
        """Return a complete answer."""
        from aiortc import RTCSessionDescription

        await self._connection.setRemoteDescription(RTCSessionDescription(offer, "offer"))
        for transceiver in self._connection.getTransceivers():
            transceiver.direction = self._direction(transceiver.kind)
            if (track := self._tracks.get(transceiver.kind)) is not None:
                transceiver.sender.replaceTrack(track)
        return await self._describe(await self._connection.createAnswer())

    async def accept_answer(self, answer: str) -> None:
        """Take the far end's answer."""
        from aiortc import RTCSessionDescription

        await self._connection.setRemoteDescription(RTCSessionDescription(answer, "answer"))

    async def close(self) -> None:
        """Close the peer connection and release its tracks."""
        await self._connection.close()
        for track in self._tracks.values():
            track.stop()

    async def call_counters(self) -> Mapping[str, Any]:
        """Return the receive counters and the present silence, under the names of `MediaCounters`."""
        counters: dict[str, Any] = {}
        for entry in (await self._connection.getStats()).values():
            if entry.type == "inbound-rtp":
                counters[f"{entry.kind}_packets_received"] = entry.packetsReceived
                counters[f"{entry.kind}_packets_lost"] = max(entry.packetsLost, 0)
                if entry.kind == "audio":
                    # RFC 3550 counts jitter in the codec's clock; Opus has 48 kHz (RFC 7587).
                    counters["jitter_ms"] = entry.jitter / 48.0
            elif entry.type == "remote-inbound-rtp" and entry.roundTripTime is not None:
                counters["round_trip_ms"] = entry.roundTripTime * 1000
        counters["silent_s"] = self._silent_s(counters.get("audio_packets_received", 0))
        return counters

    def expect_sound(self, expected: bool) -> None:
        """Set whether the far end must send audio: one that holds us may be silent."""
        self._sound_expected = expected

    def _silent_s(self, packets: int) -> float:
        now = time.monotonic()
        if packets != self._packets or (self._packets and not self._sound_expected):
            self._packets, self._packet_at = packets, now
        return max(0.0, now - self._packet_at)

    def _direction(self, kind: str) -> Direction:
        return direction(kind in self._tracks, self._received[kind])

    async def _describe(self, description: Any) -> str:
        await self._connection.setLocalDescription(description)
        return self._connection.localDescription.sdp

    def _state_changed(self) -> None:
        self._state.set(self._connection.connectionState)


def _servers(ice_servers: Sequence[Mapping[str, Any]]) -> list[RTCIceServer]:
    from aiortc import RTCIceServer

    return [
        RTCIceServer(
            urls=server["urls"],
            username=server.get("username") or None,
            credential=server.get("credential") or None,
        )
        for server in ice_servers
    ]
