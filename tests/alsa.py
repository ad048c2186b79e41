"""Real ALSA PCMs on any machine: a private sound server behind ALSA's `pulse` plug-in.

Two null sinks stand for the air around the door. What a test speaks into `mouth` arrives at the ALSA capture PCM
`door_microphone`; what is written to the ALSA playback PCM `door_speaker` is heard at `ear`. Both run in real time.
Needs the system packages pulseaudio, pulseaudio-utils and libasound2-plugins.
"""

from __future__ import annotations

import contextlib
import math
import os
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from intercom.media.cards.chosen_cards import Chosen, ChosenCards
from intercom.media.events import Direction

RATE_HZ = 48_000
# What the clients of the test itself ask the server for; the door's own PCMs ask for theirs.
LATENCY_MS = 10
PATIENCE_S = 60.0
"""Limit of every wait for what must come, however busy the machine is."""
MICROPHONE = "door_microphone"
SPEAKER = "door_speaker"

Samples = npt.NDArray[np.int16]

ASOUND_CONF = """\
</usr/share/alsa/alsa.conf>
pcm.{microphone} {{ type pulse server "{server}" device "mouth.monitor" }}
pcm.{speaker} {{ type pulse server "{server}" device "ear" }}
"""


def tone(hz: float, seconds: float, level_db: float = -12.0) -> Samples:
    """A sine of `hz` for `seconds`: mono S16 at 48 kHz, `level_db` below full scale."""
    at = np.arange(int(seconds * RATE_HZ)) / RATE_HZ
    wave: npt.NDArray[np.float64] = np.sin(2 * np.pi * hz * at) * 32767 * 10 ** (level_db / 20)
    return wave.astype(np.int16)


def tone_level_db(samples: Samples, hz: float) -> float:
    """How loud the tone `hz` is in `samples`, in dB below a full-scale sine."""
    if not len(samples):
        return -120.0
    at = np.arange(len(samples)) / RATE_HZ
    window = np.hanning(len(samples))
    wave = samples / 32768 * window
    amplitude = 2 * abs(np.sum(wave * np.exp(-2j * np.pi * hz * at))) / window.sum()
    return float(20 * np.log10(max(amplitude, 1e-6)))


class Heard:
    """Sound that another thread hears, all of it since it began."""

    def __init__(self) -> None:
        self._data = bytearray()
        self._arrived = threading.Condition()
        self._ended = False

    def add(self, data: bytes) -> None:
        """Take mono S16 at 48 kHz, cut anywhere."""
        with self._arrived:
            self._data += data
            self._arrived.notify_all()

    def end(self) -> None:
        """No more will come."""
        with self._arrived:
            self._ended = True
            self._arrived.notify_all()

    @property
    def samples(self) -> Samples:
        """Everything heard so far, mono S16 at 48 kHz."""
        return self._between(0, len(self._data) // 2)

    def wait_for_tone(
        self, hz: float, *, since: int | None = None, for_s: float = 0.2, above_db: float = -40.0
    ) -> None:
        """Wait until the tone `hz` has sounded for `for_s`, or AssertionError.

        Everything counts that was heard from now on, or `since` this sample: whoever looks late misses nothing.
        """
        length = int(for_s * RATE_HZ)
        end = length + (len(self._data) // 2 if since is None else since)
        give_up = time.monotonic() + PATIENCE_S
        while self._wait_until(end, give_up):
            if tone_level_db(self._between(end - length, end), hz) > above_db:
                return
            end += length // 4
        raise AssertionError(f"no tone of {hz} Hz above {above_db} dB within {PATIENCE_S} s: {self._described()}")

    def _described(self) -> str:
        """What was heard in place of what was waited for: how much, how loud, and which tone at its end."""
        whole, end = self.samples, self.samples[-RATE_HZ:]
        if not len(end):
            return "nothing was recorded"
        strongest = np.argmax(np.abs(np.fft.rfft(end * np.hanning(len(end))))) * RATE_HZ / len(end)
        return (
            f"{len(whole) / RATE_HZ:.1f} s were recorded, at the loudest {self._loudest()} of 32767, "
            f"in the last second {np.abs(end.astype(np.int32)).max()}, most of it at {strongest:.0f} Hz"
        )

    def wait_for_sound(self, *, louder_than: int = 1000) -> None:
        """Wait until a sample louder than this was heard since the beginning, or AssertionError."""
        with self._arrived:
            self._arrived.wait_for(lambda: self._loudest() > louder_than or self._ended, PATIENCE_S)
            assert self._loudest() > louder_than, f"nothing was louder than {self._loudest()}"

    def _loudest(self) -> int:
        return int(np.abs(self.samples.astype(np.int32)).max(initial=0))

    def wait_for_seconds(self, seconds: float) -> Samples:
        """Wait until `seconds` more were heard, and return just those."""
        begin = len(self._data) // 2
        end = begin + int(seconds * RATE_HZ)
        assert self._wait_until(end, time.monotonic() + PATIENCE_S), f"no {seconds} s of sound in {PATIENCE_S} s"
        return self._between(begin, end)

    def _wait_until(self, end: int, give_up: float) -> bool:
        """Wait until all is there before the sample `end`; False when it does not come, or not in time."""
        with self._arrived:
            self._arrived.wait_for(lambda: len(self._data) // 2 >= end or self._ended, give_up - time.monotonic())
            return len(self._data) // 2 >= end and time.monotonic() < give_up

    def _between(self, begin: int, end: int) -> Samples:
        with self._arrived:
            return np.frombuffer(bytes(self._data[2 * begin : 2 * end]), np.int16)


class Recording(Heard):
    """What the door's speaker plays, as a process records it."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        super().__init__()
        self._process = process
        self.began_at = math.inf
        """Time of the first sample, in s since 1970: of all that came, the soonest tells it best."""
        self._reader = threading.Thread(target=self._read, name="recording", daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        descriptor = self._process.stdout.fileno()
        while chunk := os.read(descriptor, 65536):
            self.add(chunk)
            self.began_at = min(self.began_at, time.time() - len(self._data) / 2 / RATE_HZ)
        self.end()

    def stop(self) -> Samples:
        """End it and return everything heard."""
        self._process.terminate()
        self._process.wait(PATIENCE_S)
        self._reader.join(PATIENCE_S)
        return self.samples

    def __enter__(self) -> Recording:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


class Speech:
    """Sound on its way into the mouth; it ends by itself, or when stopped."""

    def __init__(self, process: subprocess.Popen[bytes], samples: Samples) -> None:
        self._process = process
        self._feeder = threading.Thread(target=self._feed, args=(samples.tobytes(),), daemon=True)
        self._feeder.start()

    def _feed(self, data: bytes) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(data)
            self._process.stdin.close()
        except (BrokenPipeError, ValueError):
            return  # stopped before all was said

    def stop(self) -> None:
        """Fall silent at once."""
        self._process.kill()
        self._process.wait(PATIENCE_S)
        self._feeder.join(PATIENCE_S)

    def __enter__(self) -> Speech:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


class AlsaCards:
    """A private sound server with the PCMs `door_microphone` and `door_speaker`.

    `environment` is what a process needs to see them; `start()` also puts it into this one.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._server: subprocess.Popen[bytes] | None = None
        self._address = f"unix:{directory}/native"
        config = directory / "asound.conf"
        config.write_text(
            ASOUND_CONF.format(server=self._address, microphone=MICROPHONE, speaker=SPEAKER), encoding="ascii"
        )
        self.microphone = MICROPHONE
        self.speaker = SPEAKER
        self.environment = {"ALSA_CONFIG_PATH": str(config)}
        self._client_environment = {
            **os.environ,
            **self.environment,
            "HOME": str(directory),
            "XDG_RUNTIME_DIR": str(directory),
            "PULSE_RUNTIME_PATH": str(directory / "pulse"),
            "PULSE_STATE_PATH": str(directory / "state"),
            "PULSE_SERVER": self._address,
        }

    def start(self) -> None:
        """Start the server and wait until it answers; RuntimeError names what is missing."""
        for program in ("pulseaudio", "pacat", "pactl"):
            if shutil.which(program) is None:
                raise RuntimeError(f"{program} is missing: install pulseaudio, pulseaudio-utils and libasound2-plugins")
        os.environ.update(self.environment)
        sink = f"rate={RATE_HZ} channels=1 format=s16le norewinds=1"
        command = ["pulseaudio", "-n", "--daemonize=no", "--use-pid-file=no", "--exit-idle-time=-1"]
        command += [
            "--disallow-exit=yes",
            "--realtime=no",
            "--high-priority=no",
            "--log-level=error",
            "--log-target=stderr",
            # Its clients hand it their sound by the socket: by shared memory a busy server of version 16 now and then
            # loses a block's file (PulseAudio issue 824) and ends itself by an assertion (memblock.c, memblock_free).
            "--disable-shm=yes",
        ]
        command += [f"--load=module-native-protocol-unix socket={self._directory}/native auth-anonymous=1"]
        command += [f"--load=module-null-sink sink_name={name} {sink}" for name in ("mouth", "ear")]
        log = (self._directory / "server.log").open("ab")
        with log:
            self._server = subprocess.Popen(command, env=self._client_environment, stderr=log)
        give_up = time.monotonic() + PATIENCE_S
        while subprocess.run(
            ["pactl", "info"], env=self._client_environment, capture_output=True, check=False
        ).returncode:
            if self._server.poll() is not None or time.monotonic() > give_up:
                raise RuntimeError(f"the sound server does not start: {(self._directory / 'server.log').read_text()}")
            time.sleep(0.05)

    def stop(self) -> None:
        """Kill the server: the door's PCMs are unplugged."""
        if self._server is not None:
            self._server.kill()
            self._server.wait(PATIENCE_S)
            self._server = None

    def death(self) -> str | None:
        """How the server ended, by its status and its last words; None while it runs."""
        status = None if self._server is None else self._server.poll()
        return None if status is None else f"status {status}, {(self._directory / 'server.log').read_text()[-500:]!r}"

    def speak(self, samples: Samples) -> Speech:
        """Begin to play mono S16 48 kHz `samples` in front of the door's microphone."""
        process = subprocess.Popen(
            [*self._pacat("--playback", "mouth"), "--stream-name=speech"],
            env=self._client_environment,
            stdin=subprocess.PIPE,
        )
        return Speech(process, samples)

    @contextlib.contextmanager
    def air(self) -> Iterator[None]:
        """Meanwhile the microphone hears the speaker, as loud as it plays."""
        load = ["pactl", "load-module", "module-loopback", "source=ear.monitor", "sink=mouth", "latency_msec=40"]
        done = subprocess.run(load, env=self._client_environment, capture_output=True, text=True, check=True)
        try:
            yield
        finally:
            subprocess.run(["pactl", "unload-module", done.stdout.strip()], env=self._client_environment, check=True)

    def listen(self) -> Recording:
        """Begin to record what the door's speaker plays; returns when the recorder runs."""
        process = subprocess.Popen(
            self._pacat("--record", "ear.monitor"), env=self._client_environment, stdout=subprocess.PIPE
        )
        recording = Recording(process)
        recording.wait_for_seconds(0.02)
        return recording

    def _pacat(self, mode: str, device: str) -> list[str]:
        return [
            *("pacat", mode, "--raw", "--format=s16le", "--channels=1", f"--rate={RATE_HZ}"),
            *(f"--device={device}", f"--latency-msec={LATENCY_MS}", f"--process-time-msec={LATENCY_MS}"),
        ]


def cards_named(capture: str | None, playback: str | None, label: str = "the test bench") -> ChosenCards:
    """The cards of an engine, by their ALSA names; None: there is none in this direction."""
    names: dict[Direction, str | None] = {"capture": capture, "playback": playback}
    return ChosenCards(lambda direction: Chosen(names[direction], label, f"there is no {direction} here"))


@pytest.fixture(scope="session")
def alsa_session() -> Iterator[AlsaCards]:
    """The sound server of the whole run."""
    with tempfile.TemporaryDirectory(prefix="intercom-alsa-") as directory:
        cards = AlsaCards(Path(directory))
        try:
            cards.start()
            yield cards
        finally:
            cards.stop()


@pytest.fixture
def alsa_cards(alsa_session: AlsaCards) -> Iterator[AlsaCards]:
    """Real ALSA PCMs `door_microphone` and `door_speaker`, and what a test needs to speak and listen at them.

    A server that died costs the test in which it did, whose output says so, and none that follows: neither where it
    died only as that test's last client left.
    """
    _revive(alsa_session)
    yield alsa_session
    _revive(alsa_session)


def _revive(cards: AlsaCards) -> None:
    if (died := cards.death()) is not None:
        cards.stop()
        cards.start()
        print(f"the sound server died: {died}")


@pytest.fixture
def fragile_alsa_cards(tmp_path: Path) -> Iterator[AlsaCards]:
    """The same with a server of its own, for tests that unplug it (`stop()`) and plug it in again (`start()`)."""
    before = os.environ.get("ALSA_CONFIG_PATH")
    cards = AlsaCards(tmp_path)
    try:
        cards.start()
        yield cards
    finally:
        cards.stop()
        if before is None:
            os.environ.pop("ALSA_CONFIG_PATH", None)
        else:
            os.environ["ALSA_CONFIG_PATH"] = before
