"""One client's session: sends the tracks that it has set up, each in packets of its own numbers."""

from __future__ import annotations

import functools
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass

from intercom.integrations.rtsp.microphone import Microphone, Sound
from intercom.integrations.rtsp.pace import Pace
from intercom.integrations.rtsp.rtp import Numbered
from intercom.integrations.rtsp.sinks import Sink, UdpSink
from intercom.integrations.rtsp.streams import STREAMS, Kind, Offered
from intercom.integrations.rtsp.talk import Talker
from intercom.media.camera.shared import Camera
from intercom.media.camera.stream import FrameSubscription
from intercom.media.codec.h264 import VIDEO_CLOCK_HZ, AccessUnit, packetize
from intercom.tasks import TaskSet

REPORT_EVERY_S = 5.0
"""Interval of the reports by which clients align sound and picture (RFC 3550, section 6.2)."""

_packets = functools.lru_cache(maxsize=16)(packetize)


@dataclass(slots=True)
class Track:
    """A track that is set up."""

    numbered: Numbered
    sink: Sink
    reported_s: float = float("-inf")
    """Time of the last report."""


class Viewer:
    """Sends while it plays. Belongs to the event loop."""

    def __init__(
        self,
        offered: Offered,
        *,
        camera: Camera | None,
        microphone: Microphone,
        talker: Talker | None,
        on_keyframe: Callable[[AccessUnit], object],
        tasks: TaskSet,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        """`on_keyframe` takes each keyframe that is sent; `tasks` runs what sends the pictures."""
        self._offered = offered
        self._camera = camera
        self._microphone = microphone
        self.talker = talker
        """The way back, for who may talk."""
        self._on_keyframe = on_keyframe
        self._tasks = tasks
        self._clock = clock
        self._ahead_s = wall() - clock()
        "what the wall clock shows beyond ours: fixed, for a step of it would tear sound and picture apart"
        self._began_s = clock()
        self._name = secrets.token_hex(8)
        "CNAME, by which a client knows that its tracks belong together"
        self._tracks: dict[Kind, Track] = {}
        self._pace = Pace(camera.bitrate_bps if camera is not None else 0, clock())
        self._sending: list[Callable[[], object]] = []
        "what ends each track's sending"
        self.pictures = 0
        """Pictures sent."""

    @property
    def plays(self) -> bool:
        """Whether it sends."""
        return bool(self._sending)

    @property
    def left_out(self) -> int:
        """Pictures that it was too slow for."""
        return self._pace.left_out

    @property
    def is_by_udp(self) -> bool:
        """Whether a track goes by UDP, which tells nothing of who takes it."""
        return any(isinstance(track.sink, UdpSink) for track in self._tracks.values())

    @property
    def for_s(self) -> float:
        """Seconds since it began."""
        return self._clock() - self._began_s

    def add(self, track: Kind, sink: Sink) -> Numbered:
        """Set a track up; return its numbers."""
        form = self._offered.format(track)
        numbered = Numbered(form.payload_type, form.clock_hz, self._name)
        self._tracks[track] = Track(numbered, sink)
        return numbered

    def sequences(self) -> dict[Kind, int]:
        """Return the number of the next packet of each track that is sent."""
        return {kind: track.numbered.sequence for kind, track in self._tracks.items() if kind != "talk"}

    def play(self) -> None:
        """Send from now on; harmless while it does."""
        if self._sending:
            return
        if "video" in self._tracks and self._camera is not None:
            frames = self._camera.frames()
            self._sending.append(frames.close)
            self._tasks.spawn(self._send_pictures(frames), name="pictures of a viewer by RTSP")
        codec = STREAMS[self._offered.path]
        if "audio" in self._tracks and codec is not None:
            self._microphone.listen(codec, self._sound)
            self._sending.append(functools.partial(self._microphone.leave, codec, self._sound))

    def pause(self) -> None:
        """Send nothing for now."""
        for end in self._sending:
            end()
        self._sending = []

    def close(self) -> None:
        """End the session."""
        self.pause()
        if self.talker is not None:
            self.talker.rest()
        for kind, track in self._tracks.items():
            if kind != "talk" and track.sink.behind == 0:
                track.sink.report(track.numbered.bye())
            track.sink.close()
        self._tracks = {}

    def tick(self) -> bool:
        """Do what is due each second; return whether the viewer still takes what it gets."""
        now_s = self._clock()
        if self.talker is not None:
            self.talker.tick()
        for kind in self._tracks:
            self._report_if_due(kind, now_s)
        self._pace.takes(self.behind, now_s)
        return not self._pace.is_stuck(now_s)

    @property
    def behind(self) -> int:
        """Bytes that the viewer has still to take."""
        return max((track.sink.behind for track in self._tracks.values()), default=0)

    # The picture

    async def _send_pictures(self, frames: FrameSubscription) -> None:
        async for unit in frames:
            self._picture(unit)

    def _picture(self, unit: AccessUnit) -> None:
        track, now_s = self._tracks["video"], self._clock()
        if self._camera is not None and self._pace.wants_keyframe(now_s):
            self._camera.request_keyframe()
        if not self._pace.passes(keyframe=unit.keyframe, behind=self.behind, now_s=now_s):
            return
        payloads = _packets(unit.data)
        last = len(payloads) - 1
        numbered = track.numbered
        sent = [numbered.packet(payload, unit.pts, marker=at == last) for at, payload in enumerate(payloads)]
        self._report_if_due("video", now_s)
        if not track.sink.send(sent):
            self._pace.cut_off()
        self.pictures += 1
        if unit.keyframe:
            self._on_keyframe(unit)

    # The sound

    def _sound(self, sound: Sound) -> None:
        track = self._tracks["audio"]
        if self._pace.is_behind(self.behind):
            return
        packet = track.numbered.packet(sound.payload, sound.timestamp, marker=sound.begins)
        self._report_if_due("audio", self._clock())
        track.sink.send([packet])

    # The reports

    def _report_if_due(self, kind: Kind, now_s: float) -> None:
        track = self._tracks[kind]
        if not self._sending or kind == "talk" or now_s - track.reported_s < REPORT_EVERY_S or self.behind:
            return
        form = self._offered.format(kind)
        now = int(now_s * VIDEO_CLOCK_HZ) if kind == "video" else self._microphone.now(form.clock_hz, now_s)
        if now is not None:
            track.reported_s = now_s
            track.sink.report(track.numbered.report(now, now_s + self._ahead_s))
