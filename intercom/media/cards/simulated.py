"""A simulated sound card: the interface of `alsaaudio.PCM`, paced in real time.

Its microphone speaks a WAV file again and again, with a pause between; its speaker writes what it plays to a WAV
file, if one is named. A buffer that runs dry or over is an xrun, as on real hardware.
"""

from __future__ import annotations

import time
import wave
from collections.abc import Callable
from pathlib import Path
from typing import Any

import alsaaudio

from intercom.config import AudioConfig
from intercom.media.cards.card import PERIODS, Pcm
from intercom.media.errors import CardError
from intercom.media.events import Direction
from intercom.media.sound.format import BLOCK_SAMPLES, RATE_HZ, SAMPLE_BYTES, Samples
from intercom.media.sound.sound_file import load_sound

BUFFER_FRAMES = PERIODS * BLOCK_SAMPLES
VISITOR = Path(__file__).parents[1] / "visitor.wav"
"""What the microphone says where no file is named."""
PAUSE_S = 2.0
"""Pause between two repetitions of the voice: a visitor waits for an answer before speaking again."""
RECORDING_LIMIT_S = 600.0
"""Limit of a recording, 58 MB: enough for a demonstration, too little to fill a disk."""
XRUN = -32
"""Errno of an xrun."""

Clock = Callable[[], float]


class _Paced:
    """Base of both directions: moves frames with the clock while it runs."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._state: int = alsaaudio.PCM_STATE_PREPARED
        self._began = 0.0

    def _start(self) -> None:
        self._state = alsaaudio.PCM_STATE_RUNNING
        self._began = self._clock()

    def _elapsed_frames(self) -> int:
        return int((self._clock() - self._began) * RATE_HZ)

    def state(self) -> int:
        """Return ALSA's snd_pcm_state_t."""
        return self._state

    def info(self) -> dict[str, Any]:
        """Return the PCM's parameters as ALSA would."""
        return {"rate": RATE_HZ, "channels": 1, "period_size": BLOCK_SAMPLES, "buffer_size": BUFFER_FRAMES}

    def drop(self) -> int:
        """Stop at once."""
        self._state = alsaaudio.PCM_STATE_SETUP
        return 0

    def close(self) -> None:
        """Close the PCM."""


class SimulatedMicrophone(_Paced):
    """A capture PCM that repeats `voice` with a pause in between."""

    def __init__(self, voice: Samples, clock: Clock = time.monotonic) -> None:
        super().__init__(clock)
        self._voice = voice
        self._repeats_after = len(voice) + int(PAUSE_S * RATE_HZ)
        self._read_frames = 0

    def avail(self) -> int:
        """Return the frames that can be read now."""
        if self._state != alsaaudio.PCM_STATE_RUNNING:
            return 0
        waiting = self._elapsed_frames() - self._read_frames
        return XRUN if waiting > BUFFER_FRAMES else waiting

    def read(self) -> tuple[int, bytes]:
        """Return what is there by now, as ALSA does; the first call starts the PCM."""
        if self._state != alsaaudio.PCM_STATE_RUNNING:
            self._start()
            self._read_frames = 0
        frames = self.avail()
        if frames < 0:
            self._state = alsaaudio.PCM_STATE_PREPARED
            return XRUN, b""
        at = self._read_frames % self._repeats_after
        self._read_frames += frames
        sound = self._voice[at : at + frames].tobytes()
        again = at + frames - self._repeats_after
        if again > 0:
            sound = sound.ljust((frames - again) * SAMPLE_BYTES, b"\0") + self._voice[:again].tobytes()
        return frames, sound.ljust(frames * SAMPLE_BYTES, b"\0")

    def write(self, data: bytes, /) -> int:
        """Raise: a microphone does not play."""
        raise alsaaudio.ALSAAudioError("Cannot write to capture PCM [simulated]")


class SimulatedSpeaker(_Paced):
    """A playback PCM that records its sound to `recording` (a new WAV file), or discards it."""

    def __init__(self, recording: Path | None, clock: Clock = time.monotonic) -> None:
        super().__init__(clock)
        self._written_frames = 0
        self._room_bytes = int(RECORDING_LIMIT_S * RATE_HZ) * SAMPLE_BYTES
        self._file = _begin_recording(recording) if recording is not None else None

    def avail(self) -> int:
        """Return the frames that can be written now."""
        if self._state != alsaaudio.PCM_STATE_RUNNING:
            return BUFFER_FRAMES
        queued = self._written_frames - self._elapsed_frames()
        return XRUN if queued < 0 else BUFFER_FRAMES - queued

    def write(self, data: bytes, /) -> int:
        """Queue S16 mono frames and return how many fitted; the first call starts the PCM."""
        room = self.avail()
        if room < 0:
            self._state = alsaaudio.PCM_STATE_PREPARED
            return XRUN
        frames = min(room, len(data) // SAMPLE_BYTES)
        if not frames:
            return 0
        if self._state != alsaaudio.PCM_STATE_RUNNING:
            self._start()
            self._written_frames = 0
        self._written_frames += frames
        self._record(data[: frames * SAMPLE_BYTES])
        return frames

    def _record(self, data: bytes) -> None:
        if self._file is not None and self._room_bytes >= len(data):
            self._room_bytes -= len(data)
            self._file.writeframes(data)

    def read(self) -> tuple[int, bytes]:
        """Raise: a speaker does not record."""
        raise alsaaudio.ALSAAudioError("Cannot read from playback PCM [simulated]")

    def close(self) -> None:
        """Close the PCM and finish the recording."""
        if self._file is not None:
            self._file.close()
            self._file = None


def _begin_recording(path: Path) -> wave.Wave_write:
    try:
        path.open("wb").close()  # `wave` itself stumbles over a file that cannot be opened
        recording = wave.open(str(path), "wb")  # noqa: SIM115  (the speaker closes it when the card is closed)
    except OSError as error:
        raise CardError(f"simulated_recording {path} cannot be written: {error}") from error
    recording.setnchannels(1)
    recording.setsampwidth(SAMPLE_BYTES)
    recording.setframerate(RATE_HZ)
    return recording


class SimulatedCards:
    """Opens the simulated card for the engine."""

    def __init__(self, config: AudioConfig, clock: Clock = time.monotonic) -> None:
        self._clock = clock
        self._voice_file = Path(config.simulated_voice) if config.simulated_voice else None
        self._recording = Path(config.simulated_recording) if config.simulated_recording else None
        self._voice: Samples | None = None

    @property
    def description(self) -> str:
        """Description: that the card is simulated, and where its sound goes."""
        played = f"what it plays goes to {self._recording}" if self._recording else "what it plays goes nowhere"
        return f"simulated card: a spoken prompt is the visitor's voice, {played}"

    def open(self, direction: Direction) -> Pcm:
        """Open a new PCM; CardError when a file cannot be used."""
        if direction == "playback":
            return SimulatedSpeaker(self._recording, self._clock)
        if self._voice is None:
            self._voice = self._load_voice()
        return SimulatedMicrophone(self._voice, self._clock)

    def _load_voice(self) -> Samples:
        try:
            return load_sound(self._voice_file or VISITOR)
        except (OSError, ValueError) as error:
            raise CardError(f"simulated_voice cannot be used: {error}") from error
