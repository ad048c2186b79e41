"""Measures a call's media: its quality, its levels, and whether audio arrives (protocol.md §6)."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec

from intercom.signalwire.call.dialog.events import CallStatus
from intercom.signalwire.call.dialog.run import DialogRun
from intercom.signalwire.call.hold import Holds
from intercom.signalwire.call.media_recovery import MediaRecovery
from intercom.signalwire.call.media_slot import MediaSlot
from intercom.signalwire.call.quality import MediaCounters, NetworkIssue, NetworkMetrics, QualityMonitor, level
from intercom.signalwire.errors import MediaError
from intercom.signalwire.media import MeasuredMedia
from intercom.signalwire.observable import Happenings, Value, task_failed
from intercom.tasks import TaskSet

LOOK_S = 1.0
"""Interval of the measurements: one second, as the reference client."""
CLOSE_LOOK_S = 0.1
"""Interval of the measurements while the path is in doubt: each tenth of a second without one is a tenth of silence."""
DOUBT_S = 5.0
"""Time for which the path is in doubt after the network changed or the service returned."""
SPEAKING_LEVEL = 0.03
"""Level from which audio counts as speech, of full scale (reference client)."""


class MediaMonitor:
    """The measurements of one call's media, from its connection to its end."""

    def __init__(self, run: DialogRun, slot: MediaSlot, holds: Holds, recovery: MediaRecovery) -> None:
        self.issues: Value[tuple[NetworkIssue, ...]] = Value(())
        self.healthy: Value[bool] = Value(True)
        """Whether the network has no critical issue."""
        self.metrics: Value[tuple[NetworkMetrics, ...]] = Value(())
        """The metrics of the last half minute, one a second."""
        self.score: Value[float | None] = Value(None)
        """The mean opinion score, 1 to 4.5; None before the first measurement."""
        self.level: Value[str | None] = Value(None)
        """The score in a word."""
        self.local_level: Value[float] = Value(0.0)
        """Level of our audio, 0 to 1."""
        self.remote_level: Value[float] = Value(0.0)
        """Level of the far end's audio, 0 to 1."""
        self._run = run
        self._slot = slot
        self._holds = holds
        self._recovery = recovery
        self._quality = QualityMonitor()
        self._doubt_until = 0.0
        self._doubted = asyncio.Event()
        self._tasks = TaskSet(task_failed)
        self._watching: asyncio.Task[None] | None = None

    @property
    def speaking(self) -> bool:
        """Whether we spoke at the last measurement."""
        return self.local_level.value >= SPEAKING_LEVEL

    def follow(self, status: CallStatus) -> None:
        """Begin with the call's connection, and stop with its end."""
        media = self._slot.media
        if status is CallStatus.CONNECTED and self._watching is None and isinstance(media, MeasuredMedia):
            self._begin(media)
        if self._run.dialog.is_over and self._watching is not None:
            self._watching.cancel()

    def doubt(self) -> None:
        """Measure at short intervals for a while: the path may have changed."""
        self._doubt_until = self._run.now() + DOUBT_S
        self._doubted.set()

    def streams(self) -> list[Happenings[Any]]:
        """Return the streams, which end with the call."""
        quality: list[Happenings[Any]] = [self.issues, self.healthy, self.metrics, self.score, self.level]
        return [*quality, self.local_level, self.remote_level]

    def _begin(self, media: MeasuredMedia) -> None:
        """Start watching the media after a pause, so that a watch which fails again and again does no harm."""
        if not self._run.dialog.is_over:

            def watch_again(error: Exception) -> None:
                task_failed(error)
                self._begin(media)

            self._watching = self._tasks.spawn(self._watch(media), on_failure=watch_again)

    async def _watch(self, media: MeasuredMedia) -> None:
        now = self._run.now
        next_look = now() + LOOK_S
        while True:
            await self._pause(next_look)
            try:
                counters = msgspec.convert(await media.call_counters(), MediaCounters, strict=False)
            except msgspec.MsgspecError as error:
                self._run.errors.emit(MediaError(f"What the media counts cannot be read: {error}"))
                return
            if now() >= next_look:
                next_look = now() + LOOK_S
                self._look(counters)
            in_doubt = now() < self._doubt_until
            self._recovery.listen(counters, may_be_silent=self._holds.either, in_doubt=in_doubt)

    async def _pause(self, next_look: float) -> None:
        """Wait until the next measurement: a short interval while the path is in doubt."""
        now = self._run.now()
        if now < self._doubt_until:
            await asyncio.sleep(min(CLOSE_LOOK_S, next_look - now))
            return
        self._doubted.clear()
        alarm = self._run.at(next_look, self._doubted.set)  # a timeout costs three system calls more until Python 3.12
        try:
            await self._doubted.wait()
        finally:
            alarm.cancel()

    def _look(self, counters: MediaCounters) -> None:
        metrics = self._quality.look(counters, self._run.now())
        self.metrics.set(tuple(self._quality.history))
        self.score.set(round(metrics.mos, 2))
        self.level.set(level(metrics.mos))
        self.local_level.set(counters.local_level)
        self.remote_level.set(counters.remote_level)
        self.issues.set(self._quality.issues)
        self.healthy.set(not any(issue.severity == "critical" for issue in self._quality.issues))
        if metrics.outgoing_bitrate_bps is not None:
            self._recovery.bandwidth(metrics.outgoing_bitrate_bps)
