"""One open PCM, a microphone's or a speaker's: recovers from xruns, and keeps the speaker's queue short."""

from __future__ import annotations

import alsaaudio
import numpy as np

from intercom.media.cards.card import STATE_DISCONNECTED, Pcm
from intercom.media.cards.pcm_loss import XRUN, LineLostError, LossWatch, asked, check_present
from intercom.media.cards.pointer import AGREES_S, PROBE_S, Pointer
from intercom.media.sound.format import (
    BLOCK_BYTES,
    BLOCK_SAMPLES,
    RATE_HZ,
    SAMPLE_BYTES,
    SHORT_BLOCK_SAMPLES,
    SPARE_S,
    Samples,
)
from intercom.media.sound.waking import LEAST_WAIT_S, SHORTEST_WAIT_S

PROOF_FRAMES = RATE_HZ * 50 // 1000
"""Frames that the device must have played to prove that it works: a USB driver queues 18 ms before it plays any."""
TARGET_FRAMES = RATE_HZ * 25 // 1000
"""Frames queued at the speaker after each write: two and a half blocks forgive a thread that is 15 ms late."""
SLACK_FRAMES = RATE_HZ * 5 // 1000
"""Frames by which a block may be written early, so that the thread wakes once for the speaker and the microphone. Where
the card tells its place as it moves none is: the far end's packets come at even intervals too."""
TELLS_LATE_FRAMES = int(RATE_HZ * AGREES_S)
"""Frames by which such a card may tell its place late when it is asked in time."""
LATE_S = 0.002
"""Limit of the time by which a thread is late that counts as punctual: what the queue can spare stands beside it."""
PUNCTUAL_S = 2.0
"""Time for which the thread has to be punctual, until the queue can spare anything: it is asked 100 times or more."""
TARGET_STEP_FRAMES = RATE_HZ * 10 // 1000
"""Step by which an underrun raises the queue: each is heard, and two steps find the depth of any usable machine."""
CALM_S = 5.0
"""Playing time without an underrun after which the queue is made one step shorter: a machine may stumble once and be
well. Most calls are longer, a press that nobody answers is not."""
LONGEST_CALM_S = 160.0
"""Limit of that time, doubled after each failed try: a try that fails is heard."""
TARGET_LIMIT_FRAMES = RATE_HZ * 60 // 1000
"""Limit of the queue: a machine that needs more is too slow for a call."""


class CaptureLine:
    """A microphone, read in blocks of 10 ms."""

    def __init__(self, pcm: Pcm) -> None:
        self._pcm = pcm
        # A sound server records from the opening on: what was said before a call would be sent with its beginning.
        _drop(pcm)
        self.loss = LossWatch("overrun")
        """Watch over what it moves, which counts its xruns."""
        self._heard = b""
        self.running = False
        self.moves = False
        """Whether sound has come since the start."""

    @property
    def xruns(self) -> int:
        """Count of xruns."""
        return self.loss.xruns

    def start(self, now: float) -> None:
        """Start to capture."""
        self.running = True
        self.moves = False
        self.loss.start(now)
        self._heard = b""
        self._read(now)

    def captured(self, now: float) -> Samples:
        """Return all blocks that are complete by now, as one array; LineLostError when the device is gone."""
        loss = self.loss
        loss.look(now)
        if self._read(now) == XRUN:
            loss.lives(now)
        loss.check(now, "no sound")
        whole = len(self._heard) // BLOCK_BYTES
        sound: Samples = np.frombuffer(self._heard, np.int16, whole * BLOCK_SAMPLES)
        self._heard = self._heard[whole * BLOCK_BYTES :]
        return sound

    def due_s(self) -> float:
        """Return the seconds until the next block can be complete."""
        return (BLOCK_SAMPLES - len(self._heard) // SAMPLE_BYTES) / RATE_HZ

    def _read(self, now: float) -> int:
        try:
            frames, data = self._pcm.read()
        except alsaaudio.ALSAAudioError as error:
            raise LineLostError(str(error)) from error
        self.loss.took(frames, now)
        if frames > 0:
            self.moves = True
            self._heard += data
        return frames

    def stop(self) -> None:
        """Stop the PCM, at no cost, ready to start again."""
        if self.running:
            self.running = False
            _drop(self._pcm)

    def check(self) -> None:
        """Check that the device is still present while stopped; LineLostError when it is gone."""
        check_present(self._pcm)

    def close(self) -> None:
        """Close the device."""
        _close(self._pcm)


class _Depth:
    """The speaker's queue length: one step more after each underrun, one step less after a calm time."""

    def __init__(self, buffer_frames: int) -> None:
        self._buffer_frames = buffer_frames
        self._calm_s = CALM_S
        self._tries_less = False
        self._last = 0.0
        self._set(TARGET_FRAMES, 0.0)

    def begin(self, now: float) -> None:
        """Note that the speaker starts: its rest is no playing time."""
        self._since += now - self._last
        self._last = now

    def ran_dry(self, now: float) -> None:
        """Raise the queue after an underrun."""
        if self._tries_less:
            self._calm_s = min(2 * self._calm_s, LONGEST_CALM_S)
        self._tries_less = False
        self._set(self.frames + TARGET_STEP_FRAMES, now)

    def was_enough(self, now: float) -> None:
        """Note a write in time, and shorten the queue after a calm time."""
        self._last = now
        if now - self._since > self._calm_s:
            if self._tries_less:
                self._calm_s = max(CALM_S, self._calm_s / 2)
            self._tries_less = self.frames > TARGET_FRAMES
            self._set(self.frames - TARGET_STEP_FRAMES, now)

    def _set(self, frames: int, now: float) -> None:
        self._since = self._last = now
        self.frames = min(max(frames, TARGET_FRAMES), TARGET_LIMIT_FRAMES, self._buffer_frames)
        self.left_frames = self.frames - BLOCK_SAMPLES - SLACK_FRAMES
        """Frames that are left when the speaker is to be asked."""


class PlaybackLine:
    """A speaker whose queue the engine keeps filled; an underrun makes the queue longer."""

    def __init__(self, pcm: Pcm) -> None:
        self._pcm = pcm
        self.loss = LossWatch("underrun")
        """Watch over what it moves, which counts its xruns."""
        self._buffer_frames = int(asked(pcm.info)["buffer_size"])
        self._is_roomy = self._buffer_frames >= TARGET_FRAMES
        self._depth = _Depth(self._buffer_frames)
        self._pointer = Pointer()
        self._pending = b""
        self._written_frames = 0
        self._looked_at: float | None = None
        self._queued = 0
        """Frames queued at that time, and written since."""
        self._late_at = 0.0
        self._began_dry = False
        self.running = False
        self.moves = False
        """Whether the device has played sound since the start."""
        self.is_even = False
        """Whether it is asked at even intervals, which it may be where its card tells its place as it moves."""

    @property
    def xruns(self) -> int:
        """Count of xruns."""
        return self.loss.xruns

    def start(self, now: float) -> None:
        """Start to play."""
        self.running = True
        self.moves = self._began_dry = False
        self._written_frames = 0
        self._looked_at = None
        self._pointer.begin()
        self.is_even = False
        self.loss.start(now)
        self._depth.begin(now)

    def queued_frames(self) -> int:
        """Return the frames written and not yet played; LineLostError when the device is gone."""
        try:
            avail = self._pcm.avail()
            if avail == XRUN:
                return 0
            if avail < 0 or self._pcm.state() == STATE_DISCONNECTED:
                raise LineLostError(f"the speaker is gone (ALSA error {avail})")
        except alsaaudio.ALSAAudioError as error:
            raise LineLostError(str(error)) from error
        return max(0, self._buffer_frames - avail) + len(self._pending) // SAMPLE_BYTES

    def spare_s(self, now: float) -> float:
        """Return how much longer than usual it may be left until a block is written; 0 where the thread may be late."""
        if not self.is_even or now - self._late_at < PUNCTUAL_S:
            return 0.0
        spare_s = SPARE_S - (self._depth.left_frames - self._queued) / RATE_HZ
        return spare_s if spare_s > SHORTEST_WAIT_S else 0.0

    @property
    def shortest_block(self) -> int:
        """Length of the blocks by which the next is asked for earlier; a whole one where that may not be."""
        return SHORT_BLOCK_SAMPLES if self.is_even else BLOCK_SAMPLES

    @property
    def longest_block(self) -> int:
        """Length of what may be written at once: two blocks where the queue has room for one more than it needs."""
        return 2 * BLOCK_SAMPLES if self._depth.frames + BLOCK_SAMPLES <= self._buffer_frames else BLOCK_SAMPLES

    def early_s(self, now: float) -> float:
        """Return the seconds until it has to be asked, by the last look; 0 when it is time."""
        if self._looked_at is None:
            return 0.0
        return max(0.0, self._looked_at + (self._queued - self._depth.left_frames) / RATE_HZ - now)

    def wait_s(self, now: float) -> float:
        """Return the seconds until it is to be looked at: until it has to be asked, or its card is learnt."""
        early_s = self.early_s(now)
        return early_s if self.is_even or not self._pointer.is_sought else min(early_s, PROBE_S)

    def learn(self, now: float) -> None:
        """Look how the card tells its place, as long as that is not known; LineLostError when the device is gone."""
        if self._pointer.is_sought and now != self._looked_at:
            self._look(now)

    def is_hungry(self, now: float) -> bool:
        """Whether the queue has room for a block; LineLostError when it has had none for too long.

        The device is asked once for each `now`: an answer costs as much as a block's way through Python.
        """
        if now != self._looked_at:
            self._look(now)
        early_frames = TELLS_LATE_FRAMES if self.is_even else SLACK_FRAMES
        if self._queued - early_frames <= self._depth.left_frames:
            return True
        self.loss.check(now, "its clock stands still")
        return False

    def _look(self, now: float) -> None:
        self.loss.look(now)
        in_time = now - LATE_S
        if self._looked_at is None or (self.early_s(in_time) == 0.0 and in_time > self._looked_at + LEAST_WAIT_S):
            self._late_at = now
        self._queued = queued = self.queued_frames()
        self._looked_at = now
        self.moves = self.moves or self._written_frames - queued > PROOF_FRAMES
        self._pointer.looked(self._written_frames + len(self._pending) // SAMPLE_BYTES - queued, now)
        self.is_even = self._pointer.is_fine and self._is_roomy

    def write(self, block: Samples, now: float) -> bool:
        """Queue one block; False when the device took no frames, of this block or of those that waited."""
        data = self._pending + block.tobytes() if self._pending else block.tobytes()
        frames = self._write(data, now)
        if frames == XRUN:
            # A sound server may take longer to begin than the first block lasts: once, that is not our thread's fault.
            if self.moves or self._began_dry:
                self._depth.ran_dry(now)
            self._began_dry = True
            self._queued = len(self._pending) // SAMPLE_BYTES
            frames = self._write(data, now)
        else:
            self._depth.was_enough(now)
        self._queued += len(block)
        if frames <= 0:
            self._pending = data[-self._buffer_frames * SAMPLE_BYTES :]
            return False
        self._written_frames += frames
        self._pending = data[frames * SAMPLE_BYTES :][-self._buffer_frames * SAMPLE_BYTES :]
        return True

    def _write(self, data: bytes, now: float) -> int:
        try:
            frames = self._pcm.write(data)
        except alsaaudio.ALSAAudioError as error:
            raise LineLostError(str(error)) from error
        self.loss.took(frames, now)
        return frames

    def stop(self) -> None:
        """Stop the PCM but keep it prepared: the next write sounds at once."""
        if self.running:
            self.running = False
            self._pending = b""
            _drop(self._pcm)
            self._write(b"", 0.0)  # prepares it again without starting it: it takes nothing

    def check(self) -> None:
        """Check that the device is still present while stopped; LineLostError when it is gone."""
        check_present(self._pcm)

    def close(self) -> None:
        """Close the device without waiting for the queued sound."""
        _drop(self._pcm)
        _close(self._pcm)


def _drop(pcm: Pcm) -> None:
    try:
        pcm.drop()
    except alsaaudio.ALSAAudioError:
        return  # it is gone already, which is what was wanted; whoever uses it next is told


def _close(pcm: Pcm) -> None:
    try:
        pcm.close()
    except alsaaudio.ALSAAudioError:
        return  # the handle is freed all the same
