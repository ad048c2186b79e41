"""One call: its sound, its picture and the peer connections that carry them."""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from reactivex import Observable
from reactivex.subject import BehaviorSubject

from intercom.media.camera.events import VideoEvent
from intercom.media.camera.shared import Camera
from intercom.media.codec.interface import BITRATE_BPS
from intercom.media.dtmf.heard_keys import HeardKeys
from intercom.media.errors import CallEndedError, SessionDescriptionError
from intercom.media.events import (
    CallConnected,
    CallEvent,
    CallFailed,
    CallInterrupted,
    CallMoved,
    DescriptionRefused,
    MediaReturned,
    MediaSilent,
)
from intercom.media.provider import USUAL, DoorMedia, Sending
from intercom.media.rtp.call_stats import CallStats, counters, mean_loss
from intercom.media.rtp.connection import Connection
from intercom.media.rtp.hooks import TrackNames
from intercom.media.rtp.packet import Packet
from intercom.media.rtp.path_migration import Moves
from intercom.media.rtp.silence import SilenceWatch
from intercom.media.sound.engine import AudioEngine

__all__ = ["CallStats", "DoorCall", "DoorMedia"]
log = logging.getLogger(__name__)

CONNECT_DEADLINE_S = 15.0
"""Limit of the time from both descriptions to ICE and DTLS: nobody waits longer at a door."""
REPORTS_S = 3.0
"""Time beyond `SILENT_S` that a far end without sound has: browsers send reports only every five seconds."""
WATCH_S, ADAPT_S = 0.25, 1.0
"""Intervals between two looks at a call, the shortest and the longest; the far end's reports are read at the latter."""


class DoorCall(HeardKeys):
    """One call: sound both ways, a picture out, digits in and out; use it on one event loop."""

    def __init__(
        self,
        call_id: str,
        ice_servers: Sequence[Mapping[str, Any]],
        engine: AudioEngine,
        camera: Camera | None,
        *,
        audio: bool,
        sending: Sending = USUAL,
        hears_tones: bool = False,
        on_event: Callable[[CallEvent | VideoEvent], None],
        clock: Callable[[], float],
    ) -> None:
        super().__init__(clock)
        self._call_id = call_id
        self._ice_servers = ice_servers
        self._relay_only = False
        self._engine = engine
        self._camera = camera
        self._audio = audio
        self._sending = sending
        self._hears_tones = hears_tones
        self._on_event = on_event
        self._names: TrackNames = {}
        self._state = BehaviorSubject("new")
        self._connection = self._open_connection(early_camera=True)
        self._heard = self._connection
        self._moves = Moves()
        self._watch: asyncio.Task[None] | None = None
        self._sending_digits = asyncio.Lock()
        self._silence = SilenceWatch()
        self._closed = False
        self._connect_s: float | None = None
        self._round_trip_s: float | None = None
        self._sent_before, self._far_loss, self._far_reports = 0, 0.0, 0
        self._far_reported_at: object = None
        self._far_seen_at = -math.inf
        self._bitrate_bps = BITRATE_BPS
        self._unsent: frozenset[str] = frozenset()

    @property
    def state(self) -> str:
        """State of the call: `new`, `connecting`, `connected`, `failed` or `closed`."""
        return str(self._state.value)

    @property
    def state_stream(self) -> Observable[str]:
        """Stream of the current state and every change of it."""
        return self._state

    # Negotiation

    def _open_connection(self, *, early_camera: bool) -> Connection:
        return Connection(
            self._ice_servers,
            relay_only=self._relay_only,
            audio=self._audio,
            camera=self._camera,
            names=self._names,
            early_camera=early_camera,
            on_packet=self._receive,
            on_state=self._connection_changed,
            on_video_event=self._on_event,
            sending=self._sending,
            clock=self._clock,
        )

    def use_paths(self, ice_servers: Sequence[Mapping[str, Any]], *, relay_only: bool) -> None:
        """Use these STUN and TURN servers from the next connection on; `relay_only`: relayed candidates only."""
        self._ice_servers, self._relay_only = ice_servers, relay_only
        if self._connection.negotiated_at is None:
            self._connection.use_paths(ice_servers, relay_only=relay_only)

    async def create_offer(self) -> str:
        """Create our complete offer, within about 600 ms even if the STUN and TURN servers do not answer."""
        self._must_be_open()
        self._moves.we_began = True
        return await self._connection.create_offer()

    async def accept_answer(self, answer: str) -> None:
        """Connect with the far end's answer to our first or a later offer.

        SessionDescriptionError says why the answer cannot be used; a call that talks goes on then. The answer to a new
        offer that was given up meanwhile changes nothing.
        """
        self._must_be_open()
        with self._telling_refusals():
            if self._connection.negotiated_at is None:
                await self._connection.accept_answer(answer)
                self._begin()
            else:
                await self._moves.accept_answer(answer)

    async def create_answer(self, offer: str) -> str:
        """Create our complete answer to the far end's offer and connect; SessionDescriptionError says why not."""
        self._must_be_open()
        with self._telling_refusals():
            answer = await self._connection.create_answer(offer)
        self._begin()
        return answer

    @contextmanager
    def _telling_refusals(self) -> Iterator[None]:
        try:
            yield
        except SessionDescriptionError as error:
            self._on_event(DescriptionRefused(self._call_id, str(error)))
            raise

    def _begin(self) -> None:
        """Start the card while ICE and DTLS connect, so that the first packet has sound: both descriptions are known.

        A call that was closed while they were made takes neither microphone nor camera.
        """
        self._must_be_open()
        self._carry(self._connection)
        self._watch = asyncio.create_task(self._watch_over(), name=f"call {self._call_id}")

    def _carry(self, connection: Connection) -> None:
        """Carry the call's sound over this connection from now on."""
        self._far_end.listen_for_keys(self._hears_tones and connection.payload_types.telephone_event is None)
        connection.track.memory = self._memory
        self._far_end.read = connection.read
        self._switch(connection)
        self._engine.connect(self._far_end, connection.track)

    # Moving to a new connection

    async def create_restart_offer(self) -> str:
        """Create our complete offer of a new connection; the old one works until the new one is connected."""
        self._must_be_open()
        return await self._moves.create_offer(self._open_connection(early_camera=False), self._connection)

    async def create_restart_answer(self, offer: str) -> str:
        """Create our complete answer to the far end's new offer.

        New ICE credentials or a new certificate mean a new connection, to which the call moves when it is connected;
        else the connection stays, and what is sent over it changes. SessionDescriptionError says why it cannot be; the
        call goes on as it was.
        """
        self._must_be_open()
        with self._telling_refusals():
            if not self._connection.is_on(offer):
                return await self._moves.create_answer(self._open_connection(early_camera=False), offer)
            answer = await self._connection.create_answer(offer)
        self._must_be_open()
        self._connection.show()
        self._switch(self._connection)
        return answer

    def _move_to(self, connection: Connection) -> None:
        old, self._connection = self._connection, connection
        self._heard = connection
        self._sent_before += old.track.sent
        self._carry(connection)
        old.leave()
        connection.show()
        self._switch(connection)
        self._moves.arrived(connection, old)
        assert connection.negotiated_at is not None
        after_s = self._clock() - connection.negotiated_at
        log.info("call %s: moved to a new connection in %.2f s", self._call_id, after_s)
        self._on_event(CallMoved(self._call_id, after_s))
        self._state.on_next("connected")

    # Sound in

    def _receive(self, connection: Connection, packet: Packet, age_s: float) -> None:
        """Take a packet that came `age_s` ago from the connection that the far end used last; others are ignored."""
        if connection is not self._heard:
            if connection is self._connection or connection not in self._moves:
                return
            self._heard = connection
        self._far_end.receive(packet, *connection.payload_types.unwrap(packet), age_s)

    # What may go wrong

    def _connection_changed(self, connection: Connection) -> None:
        if self._closed:
            return
        if connection in self._moves:
            if connection.state == "connected":
                self._move_to(connection)
            elif connection.state in {"failed", "closed"}:
                self._give_up(connection)
        elif connection is self._connection:
            self._current_changed(connection)

    def _current_changed(self, connection: Connection) -> None:
        state = connection.state
        if state == "connected" and self._connect_s is None and connection.negotiated_at is not None:
            self._connect_s = self._clock() - connection.negotiated_at
            self._on_event(CallConnected(self._call_id, self._connect_s))
        if state in {"failed", "closed"} and connection.connected_at is not None:
            self._interrupted()
        elif state == "failed":
            self._fail("the connection to the far end broke")
        elif self.state not in {"failed", "closed", state}:
            self._state.on_next(state)

    def _interrupted(self) -> None:
        """Report an interruption: the far end's page may be reloading; the call's owner sets a time limit."""
        if self.state not in {"disconnected", "failed", "closed"}:
            log.warning("call %s: the far end's connection is gone", self._call_id)
            self._on_event(CallInterrupted(self._call_id))
            self._state.on_next("disconnected")

    def _give_up(self, connection: Connection) -> None:
        log.warning("call %s: the new connection did not come about", self._call_id)
        if self._heard is connection:
            self._heard = self._connection
        self._moves.give_up(connection)

    def _fail(self, reason: str) -> None:
        if self.state not in {"failed", "closed"}:
            log.warning("call %s: %s", self._call_id, reason)
            self._state.on_next("failed")
            self._on_event(CallFailed(self._call_id, reason))

    async def _watch_over(self) -> None:
        pause_s, adapt_at = WATCH_S, 0.0
        while not self._closed:
            await asyncio.sleep(pause_s)
            now = self._clock()
            for late in self._moves.opened_before(now - CONNECT_DEADLINE_S):
                self._give_up(late)
            connected_at, negotiated_at = self._connection.connected_at, self._connection.negotiated_at
            if connected_at is None:
                if negotiated_at is not None and now - negotiated_at > CONNECT_DEADLINE_S:
                    self._fail(f"no connection within {CONNECT_DEADLINE_S:.0f} s")
                    return
                continue
            pause_s = min(max(WATCH_S, self._watch_silence(now, connected_at)), ADAPT_S)
            if now >= adapt_at:
                adapt_at = now + ADAPT_S
                await self._adapt()

    def _watch_silence(self, now: float, connected_at: float) -> float:
        # A far end without a microphone never sends; that it is there is told by its reports.
        seen_at = max(connected_at, self._far_end.last_packet_at or self._far_seen_at + REPORTS_S)
        change = self._silence.look(now, seen_at)
        if change == "began":
            silent_s = self._silence.silent_s(now, seen_at)
            log.debug("call %s: nothing received for %.1f s", self._call_id, silent_s)
            self._on_event(MediaSilent(self._call_id, silent_s))
        elif change == "ended":
            log.debug("call %s: media is back", self._call_id)
            self._on_event(MediaReturned(self._call_id, self._far_end.last_gap_s))
        return self._silence.steady_s(now, seen_at)

    async def _adapt(self) -> None:
        """Adapt our sound to the far end's reports: redundancy and bit rate by loss."""
        connection, lost = self._connection, None
        report = await connection.sender.getStats()
        for entry in report.values():
            if entry.type == "remote-inbound-rtp" and entry.timestamp != self._far_reported_at:
                self._far_reports, self._far_reported_at = self._far_reports + 1, entry.timestamp
                self._far_seen_at = self._clock()
                self._round_trip_s = entry.roundTripTime
                lost = entry.fractionLost / 256
                self._far_loss = mean_loss(self._far_loss, lost)
        self._bitrate_bps = connection.track.adapt(self._far_loss, lost)

    # Digits out

    @property
    def takes_keys(self) -> bool:
        """Whether the far end is connected and accepts RFC 4733 events."""
        return self._connection.takes_keys

    async def send_digits(self, digits: str) -> bool:
        """Send keys as RFC 4733 events, one after another; False when the far end does not accept them."""
        async with self._sending_digits:
            for digit in digits:
                if not await self._connection.send_digit(digit):
                    return False
        return True

    # State

    def request_keyframe(self) -> None:
        """Ask the camera for a keyframe: somebody has begun to watch."""
        if self._connection.video is not None:
            self._connection.video.request_keyframe()

    def set_sending(self, kind: str, on: bool) -> None:
        """Send "audio" or "video", or else silence and no picture; also works before the call has begun."""
        self._unsent = self._unsent - {kind} if on else self._unsent | {kind}
        self._switch(self._connection)

    def set_receiving(self, kind: str, on: bool) -> None:
        """Play the far end's "audio", or drop it; a door never shows "video"."""
        if kind == "audio":
            self._far_end.muted = not on

    def set_far_gain(self, gain: float) -> None:
        """Play the far end's sound at this factor."""
        self._far_end.gain = gain

    def expect_sound(self, expected: bool) -> None:
        """Set whether the far end is expected to send: one that holds the call may be silent."""
        self._silence.expected = expected

    def _switch(self, connection: Connection) -> None:
        connection.track.muted = "audio" in self._unsent
        if connection.video is not None:
            connection.video.set_sending("video" not in self._unsent)

    async def call_counters(self) -> dict[str, float]:
        """Return the call's counters and quality so far: see `call_stats.counters`."""
        last_packet_at = self._far_end.last_packet_at
        silent_s = self._silence.silent_s(self._clock(), last_packet_at) if last_packet_at else 0.0
        return counters(self.stats(), self._engine.stats(), silent_s)

    def stats(self) -> CallStats:
        """Return the call's current figures."""
        connection = self._connection
        return CallStats(
            state=self.state,
            codec=connection.payload_types.sent_codec,
            connect_ms=None if self._connect_s is None else self._connect_s * 1000,
            far_end=self._far_end.stats(),
            sent_packets=self._sent_before + connection.track.sent,
            round_trip_ms=None if self._round_trip_s is None else self._round_trip_s * 1000,
            far_loss_percent=self._far_loss * 100,
            far_reports=self._far_reports,
            bitrate_bps=self._bitrate_bps,
            video=connection.video.stats() if connection.video is not None else None,
            why_no_video=connection.why_no_video if connection.video is None else "",
        )

    def _must_be_open(self) -> None:
        if self._closed:
            raise CallEndedError(f"call {self._call_id} is closed")

    async def close(self) -> None:
        """Release everything within two seconds; harmless when the call is closed."""
        if self._closed:
            return
        self._closed = True
        self._engine.disconnect(self._connection.track)
        if self._watch is not None:
            self._watch.cancel()
        await asyncio.gather(self._connection.close(), self._moves.close())
        self._state.on_next("closed")
        self._state.on_completed()
        self._no_more_keys()
