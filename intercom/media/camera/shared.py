"""The camera: one source for many consumers, running only while at least one subscribes.

A source's troubles end here. Whatever it does (no device, unplugged, hangs, raises), consumers wait and the source
is tried again; what happened is told as events. While the camera is forbidden, consumers get a still card instead.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Callable

from intercom.media.camera.events import CameraEvent, CameraLost, CameraReturned, CameraStarted, CameraStopped
from intercom.media.camera.privacy_card import CARD_INTERVAL_S, CameraCard
from intercom.media.camera.retry import RETRY_S, Retry
from intercom.media.camera.snapshot import still_of
from intercom.media.camera.source import CameraError, CameraSource
from intercom.media.camera.stream import Beginning, FrameSubscription
from intercom.media.camera.vp8 import Vp8Pictures
from intercom.media.codec.h264 import AccessUnit

log = logging.getLogger(__name__)

STALL_S = 2.0
"""Time without a picture after which a running camera counts as hung."""
START_S = 6.0
"""Longest wait for the first picture: a Pi camera needs one to two seconds, a USB one up to four."""
KEYFRAME_INTERVAL_S = 0.5
"""Shortest interval between requested keyframes: each is ten times the size of a normal picture."""
SNAPSHOT_S = 8.0
"""Longest wait for a snapshot: START_S with a margin."""
LINGER_S = 2.0
"""Time that the camera runs on after a snapshot, so that the call after a press or a page's next look finds it warm."""
FORBIDDEN = "The camera is switched off for privacy; `intercom camera` says by whom."
"""Error message while the camera is forbidden."""


class Camera:
    """One camera for calls, snapshots and previews at once.

    It runs from the first `frames()` to the close of the last, and a moment longer after a snapshot; one that is
    `always_on` runs from `begin()` to `stop()`. `on_event` is called on the camera's threads and must return at once.
    """

    def __init__(
        self,
        source: CameraSource,
        *,
        on_event: Callable[[CameraEvent], None] = lambda event: None,
        clock: Callable[[], float] = time.monotonic,
        stall_s: float = STALL_S,
        start_s: float = START_S,
        retry_s: float = RETRY_S,
        linger_s: float = LINGER_S,
        vp8: bool = True,
        always_on: bool = False,
    ) -> None:
        self._source = source
        self.vp8 = Vp8Pictures(self) if vp8 else None
        """The same pictures for a far end without H.264; None where the camera is not to make them."""
        self._on_event = on_event
        self._clock = clock
        self._stall_s, self._start_s, self._linger_s = stall_s, start_s, linger_s
        self._retry = Retry(retry_s)
        self._changed = threading.Condition(threading.RLock())
        self._subscriptions: list[FrameSubscription] = []
        self._beginning = Beginning()
        self._supervisor: threading.Thread | None = None
        self._card: threading.Thread | None = None
        self._lingering: FrameSubscription | None = None
        self._always_on, self._kept_on = always_on, False
        self._forbidden = False
        self._last_unit_s: float | None = None
        self._lost_s: float | None = None
        self._doubted_s: float | None = None
        "time since which somebody waits to be told that the camera is well, though it was not lost"
        self._keyframe_asked_s = float("-inf")
        self._keyframe_due = False
        self._try_now = False
        self._bitrate_bps: int | None = None

    # What it is and whether it runs.

    @property
    def description(self) -> str:
        """Description of the camera, in words, with size, rate and encoder."""
        return self._source.description

    @property
    def source(self) -> str:
        """Value of `camera.source` for the chosen source; "auto" until one is chosen."""
        return self._source.name

    @property
    def bitrate_bps(self) -> int:
        """The highest bit rate that the configuration and the source allow, bits a second."""
        return self._source.bitrate_bps

    @property
    def is_running(self) -> bool:
        """Whether the camera runs or tries to; a privacy light shows this."""
        return self._supervisor is not None

    @property
    def is_forbidden(self) -> bool:
        """Whether `forbid` holds the camera off."""
        return self._forbidden

    @property
    def processor_share(self) -> float | None:
        """Core-seconds a second that encoding costs here; None while the camera is off, or encodes by itself."""
        return self._source.processor_share if self.is_running else None

    def begin(self) -> None:
        """Start a camera that is always on, so that its first picture is there before anybody asks (any thread)."""
        with self._changed:
            self._kept_on = self._always_on
            self._follow_demand()

    def forbid(self, forbidden: bool) -> None:
        """Hold the camera off for every subscriber (a privacy switch); False lets it run again.

        It holds when this returns: no picture that was taken before is handed out after it.
        """
        with self._changed:
            if forbidden == self._forbidden:
                return
            self._forbidden = forbidden
            self._beginning.clear()
            for subscription in self._subscriptions:
                subscription.start_over()
            self._follow_demand()

    # What consumers do.

    def frames(self) -> FrameSubscription:
        """Subscribe to the camera's access units; needs a running event loop."""
        subscription = FrameSubscription(begin=self._begin, on_close=self._unsubscribe)
        with self._changed:
            self._try_now |= not self._subscriptions  # who begins to look does not wait for a retry
            self._subscriptions.append(subscription)
            self._follow_demand()
        return subscription

    def request_keyframe(self) -> None:
        """Ask for an IDR picture (any thread); requests in quick succession are merged, none is lost."""
        with self._changed:
            self._keyframe_due = True
            self._ask_for_keyframe()

    def _begin(self, subscription: FrameSubscription) -> None:
        with self._changed:
            if units := self._beginning.units(self._clock()):
                subscription.begin_with(units)
            else:
                self.request_keyframe()

    def look_again(self) -> bool:
        """Retry at once: a camera was plugged in (any thread).

        Returns whether the camera is well, as far as can be told without running it; if it runs, its pictures tell.
        """
        with self._changed:
            if self._supervisor is None:
                self._lost_s = self._doubted_s = None
                return True
            self._try_now = True
            self._retry.begin_anew()
            self._changed.notify_all()
            if self._lost_s is None and self._is_warm():
                return True
            self._doubted_s = self._clock()
            return False

    def resume(self) -> None:
        """Run the camera again for the remaining subscribers after a defect ended one of its threads (any thread)."""
        with self._changed:
            self._follow_demand()

    def set_bitrate(self, bitrate_bps: int) -> None:
        """Set the target bit rate in bits a second (any thread); it also holds for a camera that is away now."""
        self._bitrate_bps = bitrate_bps
        self._source.set_bitrate(bitrate_bps)

    async def snapshot(self) -> bytes:
        """Return a JPEG of the current picture; starts the camera for the moment if it is off.

        Raises CameraError if no picture comes within SNAPSHOT_S, or if the camera is forbidden.
        """
        if self._forbidden:
            raise CameraError(FORBIDDEN)
        frames = self.frames()
        try:
            try:
                async with asyncio.timeout(SNAPSHOT_S):
                    still = await still_of(
                        self._source, frames, is_new=self._is_warm(), is_forbidden=lambda: self._forbidden
                    )
            except TimeoutError:
                raise CameraError(
                    f"No picture from the camera within {SNAPSHOT_S:.0f} s ({self.description}); is it connected?"
                ) from None
        except BaseException:
            frames.close()
            raise
        self._linger(frames)
        if self._forbidden:  # meanwhile
            raise CameraError(FORBIDDEN)
        return still

    async def peek(self) -> bytes:
        """Return a JPEG of the current picture if the camera runs anyway; CameraError if it does not."""
        if self._forbidden:
            raise CameraError(FORBIDDEN)
        if not self._is_warm():
            raise CameraError("The camera is off: it runs while the door rings or talks.")
        return await asyncio.to_thread(self._source.snapshot)

    def _linger(self, frames: FrameSubscription) -> None:
        """Keep this subscription open for LINGER_S, and close the one kept before."""
        before, self._lingering = self._lingering, frames
        if before is not None:
            before.close()
        asyncio.get_running_loop().call_later(self._linger_s, frames.close)

    def stop(self, timeout_s: float = 2.0) -> None:
        """End every subscription and wait at most `timeout_s` for the camera to stop (blocks)."""
        with self._changed:
            self._always_on = self._kept_on = False
            self._follow_demand()
            subscriptions, threads = list(self._subscriptions), (self._supervisor, self._card)
        for subscription in subscriptions:
            subscription.close()
        for thread in threads:
            if thread is not None:
                thread.join(timeout_s)

    # Demand: the supervisor thread lives while somebody is subscribed or the camera is always on; while it is
    # forbidden, the card's does.

    def _unsubscribe(self, subscription: FrameSubscription) -> None:
        with self._changed:
            self._subscriptions.remove(subscription)
            self._follow_demand()

    def _is_wanted(self) -> bool:
        return (bool(self._subscriptions) or self._kept_on) and not self._forbidden

    def _follow_demand(self) -> None:
        if self._is_wanted() and self._supervisor is None:
            self._try_now = False
            self._supervisor = threading.Thread(target=self._supervise, name="camera", daemon=True)
            self._supervisor.start()
        if self._shows_card() and self._card is None:
            self._card = threading.Thread(target=self._deal_cards, name="camera card", daemon=True)
            self._card.start()
        self._changed.notify_all()

    def _shows_card(self) -> bool:
        return bool(self._subscriptions) and self._forbidden

    def _deal_cards(self) -> None:
        try:
            self._deal_while_shown()
        except BaseException:  # a defect: as in `_supervise`
            with self._changed:
                self._card = None
            raise

    def _deal_while_shown(self) -> None:
        card = CameraCard()
        while True:
            unit = card.picture()
            with self._changed:
                if not self._shows_card():
                    self._card = None
                    return
                for subscription in list(self._subscriptions):
                    subscription.put(unit)
                self._changed.wait_for(lambda: not self._shows_card(), CARD_INTERVAL_S)

    def _supervise(self) -> None:
        try:
            self._serve_demand()
        except BaseException:  # a defect: whoever looks next finds no dead thread in the way
            with self._changed:
                self._supervisor = None
            raise

    def _serve_demand(self) -> None:
        self._on_event(CameraStarted(self.description))
        while True:
            self._run_once()
            with self._changed:
                pause_s = self._retry.pause_s(seen=bool(self._subscriptions), showed=self._last_unit_s is not None)
                self._changed.wait_for(lambda: self._try_now or not self._is_wanted(), pause_s)
                self._try_now = False
                if not self._is_wanted():
                    self._supervisor = None
                    self._last_unit_s = None  # what is lost stays lost until it has shown a picture again
                    break
        self._on_event(CameraStopped())

    def _run_once(self) -> None:
        """Run the source in a thread of its own until it ends; end it if it hangs or is no longer wanted."""
        stopping, ended = threading.Event(), threading.Event()
        failure: list[Exception] = []
        runner = threading.Thread(
            target=self._run_source, args=(stopping, ended, failure), name="camera source", daemon=True
        )
        try:
            self._watch(runner, stopping, ended)
        finally:
            stopping.set()  # whatever ended this: the camera has one user at a time
        if failure:
            self._lose(str(failure[0]))

    def _watch(self, runner: threading.Thread, stopping: threading.Event, ended: threading.Event) -> None:
        with self._changed:
            self._last_unit_s = None
            self._beginning.clear()
            started_s = self._clock()
            runner.start()
            while not ended.is_set():
                if not self._is_wanted():
                    stopping.set()
                    self._try_now = True  # it did not fail: whoever looks again while it stops need not wait
                    self._changed.wait(self._stall_s)
                    continue
                last_s, limit_s = self._last_unit_s, self._stall_s
                if last_s is None:
                    last_s, limit_s = started_s, self._start_s
                left_s = last_s + limit_s - self._clock()
                if left_s <= 0:
                    self._lose(f"No picture from the camera for {limit_s:g} s: check its cable, or replug it.")
                    stopping.set()
                self._changed.wait(left_s if left_s > 0 else limit_s)

    def _run_source(self, stopping: threading.Event, ended: threading.Event, failure: list[Exception]) -> None:
        try:
            self._source.run(self._deliver, stopping)
        except CameraError as error:
            failure.append(error)
        except Exception as error:  # told as CameraLost: a fault in a driver binding must not end the picture for good
            if self._lost_s is None:  # of an outage the first alone
                log.exception("The camera source failed in an unexpected way")
            failure.append(error)
        finally:
            with self._changed:
                ended.set()
                self._changed.notify_all()

    # Pictures.

    def _deliver(self, unit: AccessUnit) -> None:
        with self._changed:
            if self._forbidden:
                return
            now = self._clock()
            returned = self._doubted_s if self._lost_s is None else self._lost_s
            self._lost_s = self._doubted_s = None
            if self._last_unit_s is None:
                self._changed.notify_all()  # from now on the supervisor watches for a stall, not for the start
                if self._bitrate_bps is not None:
                    self._source.set_bitrate(self._bitrate_bps)  # it began with what it was made for
            self._last_unit_s = now
            if unit.keyframe:
                self._keyframe_due = False
            self._ask_for_keyframe()
            self._beginning.put(unit, now)
            for subscription in list(self._subscriptions):
                subscription.put(unit)
        if returned is not None:
            outage_s = now - returned
            log.debug("The camera is back after %.1f s", outage_s)
            self._on_event(CameraReturned(outage_s))

    def _ask_for_keyframe(self) -> None:
        now = self._clock()
        if self._keyframe_due and now - self._keyframe_asked_s >= KEYFRAME_INTERVAL_S:
            self._keyframe_due = False
            self._keyframe_asked_s = now
            self._source.request_keyframe()

    def _is_warm(self) -> bool:
        last_s = self._last_unit_s
        return last_s is not None and self._clock() - last_s < self._stall_s

    def _lose(self, reason: str) -> None:
        with self._changed:
            first = self._lost_s is None
            if first:
                self._lost_s = self._last_unit_s if self._last_unit_s is not None else self._clock()
        if first:
            log.debug("Camera lost: %s", reason)
            self._on_event(CameraLost(reason))
