"""The audio engine: one thread owns the microphone and the speaker and moves sound in blocks of 10 ms.

The thread never waits for the event loop, nor the loop for it: what they share is handed over under a lock that is
held for microseconds. Without a call or a tone no PCM runs and the thread sleeps.
"""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from intercom.media.cards.card import Cards
from intercom.media.cards.pcm_line import CaptureLine, PlaybackLine
from intercom.media.cards.pcm_loss import LineLostError
from intercom.media.cards.pcm_port import Port
from intercom.media.errors import EngineStuckError
from intercom.media.events import Direction, EngineEvent, EngineFailed, EngineStarted
from intercom.media.sound.beside import BesideCall
from intercom.media.sound.cleaning import Cleaning
from intercom.media.sound.ends import Call, Canceller, FarEnd, NearEnd
from intercom.media.sound.engine_stats import EngineStats
from intercom.media.sound.format import BLOCK_SAMPLES, RATE_HZ, SILENCE, Samples, level_db
from intercom.media.sound.mixer import Aside, Mixer, Playing, note_first_writes
from intercom.media.sound.stand_in import BLOCK_S, MicrophoneStandIn, Pace
from intercom.media.sound.tones import Tones
from intercom.media.sound.waking import LEAST_WAIT_S, SHORTEST_WAIT_S, Doorbell, FrameTime, ask_for_real_time

log = logging.getLogger(__name__)

LINGER_S = 0.3
"""Time that the speaker runs on in silence: a tone's end is heard, and the next tone needs no start."""
BLOCKS_AT_ONCE = 8
"""Limit of blocks written in one turn: two or three fill a fresh buffer; a device that takes more discards all."""
STOP_DEADLINE_S = 1.5
L = TypeVar("L", bound=CaptureLine | PlaybackLine)


class AudioEngine:
    """The audio engine: plays tones and carries one call's sound.

    `on_event` is called on the engine's thread and must only hand the event over. Every other method may be called
    from any thread and returns at once.
    """

    def __init__(
        self,
        cards: Cards,
        *,
        on_event: Callable[[EngineEvent], None],
        tones: Tones | None = None,
        canceller: Canceller | None = None,
        speaker_gain_db: float = 0.0,
        microphone_gain_db: float = 0.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._cards = cards
        self._on_event = on_event
        self._tones = tones or Tones()
        self._clock = clock
        self._mixer = Mixer(speaker_gain_db)
        self._cleaning = Cleaning(canceller, microphone_gain_db)
        self._lock, self._bell = threading.Lock(), Doorbell()
        self._stopping = self._asked = self._began = False
        self._thread: threading.Thread | None = None
        self._playing: list[Playing] = []
        self._aside = Aside(self._cleaning.rate_hz)
        self._call: Call | None = None
        self.beside = BesideCall(self._bell.ring)
        """Whoever hears the microphone, and speaks, beside the call."""
        self._playback = Port("playback", lambda: PlaybackLine(cards.open("playback")), on_event, wake=self._bell.ring)
        self._capture = Port("capture", lambda: CaptureLine(cards.open("capture")), on_event, wake=self._bell.ring)
        self._unheard = Pace()
        self._stand_in = MicrophoneStandIn(self._tones["no_sound"], self._cleaning.rate_hz)
        self._frames = FrameTime()
        self._linger_until = self._speaker_at = self._microphone_at = 0.0
        self._microphone_leads = self._reference_begins = self._real_time = self.speaker_muted = False
        self._last_played = SILENCE

    def start(self) -> None:
        """Start the thread and open the card; an absent card is reported as `DeviceLost`, not raised."""
        assert self._thread is None
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="audio-engine", daemon=True)
        self._thread.start()

    def restart(self) -> None:
        """Restart the engine's thread after it died; tones that sounded are over, a call's sound goes on.

        EngineStuckError when it has not ended: the driver holds it.
        """
        if self._thread is not None:
            self._thread.join(STOP_DEADLINE_S)
            if self._thread.is_alive():
                raise EngineStuckError("the audio thread died and does not end: the sound device does not let go")
            self._thread = None
        with self._lock:
            self._playing.clear()
        self.start()

    def stop(self) -> None:
        """Silence everything and release the devices, within two seconds."""
        self._stopping = True
        self._bell.ring()
        if self._thread is not None:
            self._thread.join(STOP_DEADLINE_S)
            if self._thread.is_alive():
                log.warning("the sound device does not let go; its thread is left behind")
            self._thread = None

    def prepare(self) -> None:
        """Make the tones and the canceller ready, from any thread: a press or a call then does not wait for them."""
        self._cleaning.prepare()
        self._tones.prepare()

    @property
    def microphone_muted(self) -> bool:
        """Whether the far end gets silence in place of what is captured."""
        return self._cleaning.muted

    @microphone_muted.setter
    def microphone_muted(self, muted: bool) -> None:
        self._cleaning.muted = muted

    # What the rest of the door asks for

    def play(self, name: str, *, repeat: bool = False) -> Playing:
        """Play a tone from its beginning, over everything else; ToneError when there is none of that name."""
        return self._begin(self._tone(name, repeat=repeat))

    def play_sound(self, name: str, sound: Samples) -> Playing:
        """Play a sound that is no tone once, over everything else."""
        return self._begin(Playing(name, sound, repeat=False, asked_at=self._clock()))

    def play_to_far_end(self, name: str) -> None:
        """Let the far end of the call hear a tone, and the visitor not."""
        self._aside.play(self._tone(name, repeat=False))

    def _tone(self, name: str, *, repeat: bool) -> Playing:
        sound, pause = self._tones[name], self._tones.pause(name)
        return Playing(name, sound, repeat=repeat, asked_at=self._clock(), pause=pause)

    def _begin(self, playing: Playing) -> Playing:
        with self._lock:
            self._playing.append(playing)
        self._bell.ring()
        return playing

    def connect(self, far: FarEnd, near: NearEnd) -> None:
        """Carry a call: from now on the engine pulls `far` and pushes `near`, 100 times a second each."""
        with self._lock:
            self._call = (far, near)
            self._stand_in.begin_call()
            self._aside.clear()
        self._bell.ring()

    def disconnect(self, near: NearEnd) -> None:
        """End the call that `near` belongs to; harmless when another one has taken its place."""
        with self._lock:
            if self._call is not None and self._call[1] is near:
                self._call = None
        self._bell.ring()

    def look_again(self) -> None:
        """Check the card at once and reopen it quickly: something was plugged in or out."""
        now = self._clock()
        self._capture.look_again(now)
        self._playback.look_again(now)
        self._bell.ring()

    def reopen(self, direction: Direction, is_stale: Callable[[], bool]) -> None:
        """Close the card of this direction and open the newly chosen one, call or not, if it is stale by then."""
        (self._capture if direction == "capture" else self._playback).let_go(is_stale)
        self._bell.ring()

    def set_speaker_gain_db(self, gain_db: float) -> None:
        """Set the speaker's gain from the next block on."""
        self._mixer.set_gain_db(gain_db)

    def set_microphone_gain_db(self, gain_db: float) -> None:
        """Set the microphone's gain from the next block on."""
        self._cleaning.set_gain_db(gain_db)

    def came_round(self) -> bool:
        """Whether the thread has made a round since the last call; the call wakes the thread for one."""
        came, self._asked = not self._asked, True
        self._bell.ring()
        return came

    def stats(self) -> EngineStats:
        """Return the engine's current figures."""
        return EngineStats(
            card=self._cards.description,
            running=self._capture.is_running or self._playback.is_running,
            capture_xruns=self._capture.xruns,
            playback_xruns=self._playback.xruns,
            microphone_db=level_db(self._cleaning.last),
            speaker_db=level_db(self._last_played),
            real_time=self._real_time,
        )

    # The thread

    def _run(self) -> None:
        try:
            self._began = False
            self._real_time = ask_for_real_time()
            while not self._stopping:
                wait_s = self._serve(self._clock())
                self._asked = False
                self._bell.wait(wait_s)
        except Exception as error:  # noqa: BLE001 - whatever it was, the door must know that it is deaf and dumb
            self._on_event(EngineFailed(f"{type(error).__name__}: {error}", error))
        finally:
            for port in (self._capture, self._playback):
                port.close()
            for port in (self._capture, self._playback):
                port.wait_closed()

    def _serve(self, now: float) -> float | None:
        """Serve each direction that is due, both after a ring, and return the time to sleep; None = until a ring."""
        if self._bell.has_rung:
            self._bell.has_rung = False
            self._speaker_at = self._microphone_at = now
        with self._lock:
            call = self._call
            playing = self._playing.copy()
        speaker = self._playback.line
        if now >= self._speaker_at or speaker is None or not speaker.is_even:  # an uneven one shares others' turns
            far = call[0] if call is not None else self.beside.voice
            self._speaker_at = now + self._guarded(self._playback, self._serve_playback, now, far, playing)
        if now >= self._microphone_at:
            self._microphone_at = now + self._guarded(self._capture, self._serve_capture, now, call)
        next_at = min(self._speaker_at, self._microphone_at)
        return None if next_at == math.inf else max(SHORTEST_WAIT_S, next_at - self._clock())

    def _guarded(self, port: Port[Any], serve: Callable[..., float | None], now: float, *given: object) -> float:
        """Serve one direction and return when it is due; any failure in it is its own fault, and the other goes on."""
        try:
            due_s = serve(now, *given)
        except LineLostError as error:
            self._lost(port, error, now)
            return 0.0
        except Exception as error:
            if not port.is_lost:
                log.exception("the %s failed", port.direction)
            self._lost(port, RuntimeError(f"{type(error).__name__}: {error}"), now)
            return port.retry_in_s(now)
        if port.line is None or port.line.loss.xruns or port.xruns_before:
            port.report_xruns(now)
        return math.inf if due_s is None else due_s

    def _serve_playback(self, now: float, far: FarEnd | None, playing: list[Playing]) -> float | None:
        line = self._ready(self._playback, now)
        return self._go_on_unheard(now, far, playing) if line is None else self._feed(line, now, far, playing)

    def _feed(self, line: PlaybackLine, now: float, far: FarEnd | None, playing: list[Playing]) -> float | None:
        if far is not None or playing:
            self._linger_until = now + LINGER_S
        elif now >= self._linger_until:
            line.stop()
            line.check()
            self._playback.proved(now)
            return None
        if not line.running:
            self._microphone_leads = self._reference_begins = self._capture.is_running
            line.start(now)
        if line.early_s(now) > 0 and (line.is_even or not self._frames.is_due(now)):
            line.learn(now)
            if (wait_s := line.wait_s(now)) > 0:
                return wait_s
        least_s = LEAST_WAIT_S
        for _ in range(BLOCKS_AT_ONCE):
            if not line.is_hungry(now):
                break
            spare_s = 0.0 if playing else line.spare_s(now)
            longest = BLOCK_SAMPLES if playing or self.speaker_muted else line.longest_block
            voice = far.pull(now, line.shortest_block, longest, spare_s) if far is not None else None
            if voice is not None and not len(voice):
                least_s = min(least_s, spare_s)
                break
            tones = self._next_blocks(playing, len(SILENCE if voice is None else voice)) if playing else []
            block = self._mixer.mix(voice, [block for _, block in tones] if tones else ())
            if self.speaker_muted:
                block = SILENCE
            self._cleaning.played(block, now)
            taken = line.write(block, now)
            self._last_played = block
            note_first_writes(tones, self._clock)
            if not taken:
                break
        if line.moves and self._playback.lost_at is not None:
            if self._microphone_leads:
                self._capture.rest()  # as in `_ready`; a speaker that only opens does not interrupt it
                self._microphone_at = now
            self._playback.proved(now)
        return max(least_s, line.wait_s(now))

    def _next_blocks(self, playing: list[Playing], samples: int) -> list[tuple[Playing, Samples]]:
        sounding = []
        for tone in list(playing):
            block = tone.next_block(samples)
            if block is not None:
                sounding.append((tone, block))
                continue
            playing.remove(tone)
            with self._lock:
                self._playing.remove(tone)
        return sounding

    def _serve_capture(self, now: float, call: Call | None) -> float | None:
        line, listeners = self._ready(self._capture, now), self.beside.listeners
        rests, is_wanted = not self._capture.is_running, call is not None or bool(listeners)
        starts = rests and (is_wanted or self._capture.is_starting)
        if line is None or (starts and not self._capture.start(now, is_wanted=is_wanted)):
            retry_s = self._capture.retry_in_s(now)
            return retry_s if call is None or self._capture.is_opening else min(retry_s, self._murmur_on(now, call))
        if not is_wanted:
            line.stop()
            line.check()
            self._capture.proved(now)
            return None
        if rests:
            self._cleaning.begin(0.0 if (speaker := self._playback.line) is None else speaker.early_s(now))
            self._stand_in.is_relieved()
        hearer = call or listeners
        if (early_s := self._frames.early_s(hearer, now)) > 0:
            return early_s
        captured = line.captured(now)
        if not line.moves and call is not None and self._capture.is_on_trial:
            return min(self._murmur_on(now, call), line.due_s())
        at = now + (due_s := line.due_s()) - BLOCK_S - len(captured) / RATE_HZ
        if call is not None and len(captured):
            if self._stand_in.relieved:
                self._push_instead(call, self._stand_in.before(at))
            self._stand_in.follow(now + due_s)
        for cleaned in self._cleaning.cleaned(captured, now):
            self._frames.count(hearer)
            at += BLOCK_S  # its own time: a thread that is late leaves no gap
            if call is not None:
                sent = cleaned if self._playback.line is not None else self._stand_in.over(cleaned)
                call[1].push(self._aside.over(sent) if self._aside.playing else sent, at)
            for listener in listeners:
                listener.push(cleaned, at)
        if self._reference_begins and (speaker := self._playback.line) is not None:
            self._reference_begins = False  # as at the microphone's start: it ran when the speaker started
            self._cleaning.begin(speaker.early_s(now) + BLOCK_S - due_s)
        if line.moves and self._capture.lost_at is not None:
            self._capture.proved(now)
        return self._frames.next_s(due_s, now)

    # A device that is away

    def _ready(self, port: Port[L], now: float) -> L | None:
        before = port.line
        if before is not None and port.is_stale is None:
            return before
        line = port.ready(now)
        if line is not None and line is before:
            return line
        if line is not None:
            self._cleaning.forget_the_room()
            if port is self._playback and not port.is_lost:
                self._capture.rest()  # it starts with the speaker: the reference would be later than the echo
                self._microphone_at = now
            if not port.is_lost and (self._began or (self._playback.is_open and self._capture.is_open)):
                log.info("sound: %s", self._cards.description)
                self._on_event(EngineStarted(self._cards.description))
                self._began = True
        self._began = self._began or port.is_lost
        return line

    def _lost(self, port: Port[Any], error: Exception, now: float) -> None:
        port.lost(error, now)
        self._cleaning.forget_the_room()
        self._stand_in.begin()

    def _go_on_unheard(self, now: float, far: FarEnd | None, playing: list[Playing]) -> float | None:
        """Consume tones and the far end's voice in time while the speaker is away, so that none is late."""
        retry_s = self._playback.retry_in_s(now)
        if (far is None and not playing) or self._playback.is_opening:
            return retry_s
        for _ in range(self._unheard.due(now)):
            self._next_blocks(playing, len(SILENCE))
            if far is not None:
                far.pull(now, BLOCK_SAMPLES, BLOCK_SAMPLES, 0.0)
        return min(retry_s, self._unheard.wait_s(now))

    def _murmur_on(self, now: float, call: Call) -> float:
        """Push a murmur and a notice to the far end while the microphone is away, so that its stream goes on."""
        self._push_instead(call, self._stand_in.due(now))
        return self._stand_in.wait_s(now)

    def _push_instead(self, call: Call, blocks: Iterator[tuple[Samples, float]]) -> None:
        for block, at in blocks:
            self._frames.count(call)
            call[1].push(self._aside.over(block), at)
