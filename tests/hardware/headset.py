"""A USB headset that a test plugs in, speaks into, listens to and pulls out; for use inside a guest."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import threading
import wave
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import numpy.typing as npt

from tests.alsa import tone_level_db

from .uac1 import Feature, UsbHeadset
from .vhci import cards_of
from .wait import until

CARD_LIMIT_S = 60.0
"""A card appears about 0.65 s after the plug."""
LOUD_DB = -35.0


@dataclass(frozen=True)
class Report:
    """What a headset has played and recorded since it was plugged in or told to forget."""

    plugged: bool
    played_samples: int
    recorded_samples: int
    sound_at_s: float | None
    """When it played the first loud sample (monotonic clock); None while all was silence."""
    opened_at_s: float | None
    """When it was first asked for sound of the one direction where the other one's was asked for already."""
    peak: int
    """The largest sample of the last 100 ms."""
    speaker: Feature
    """What the card's controls of the speaker are set to."""
    microphone: Feature
    """The same of the microphone."""
    stalls: list[tuple[float, float]]
    """When the headset itself stood still, from and to, because the machine was busy (monotonic clock)."""
    now_s: float


class Headset:
    """A USB Audio Class 1 headset in a process of its own; leaving its context pulls it out, card and all."""

    def __init__(self, device: UsbHeadset | None = None) -> None:
        self.device = device or UsbHeadset()
        self._directory: Path | None = None
        self._card = ""
        """The kernel's directory of it; None while it is not plugged in."""
        self._asking = threading.Lock()

    def __enter__(self) -> Headset:
        options = (f"--{key.replace('_', '-')}={value}" for key, value in asdict(self.device).items())
        self._process = subprocess.Popen(
            [sys.executable, "-m", f"{__package__}.vhci", *options],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[2],
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.communicate(timeout=CARD_LIMIT_S)
        # Its card is there for a tenth of a second more. Who opened that one, taking it for the next of the same name,
        # would have a file descriptor in bad state.
        if self._directory is not None:
            directory = self._directory
            until(lambda: not cards_of(directory), CARD_LIMIT_S, "the kernel has let the card go")

    @property
    def card(self) -> str:
        """The id of its card: the last word of its name, unless a card that has it already is not gone yet."""
        return self._card or self.device.name.split()[-1]

    def plug(self, *, wait: bool = True) -> float:
        """Plug it in and, if asked, wait for its card; return when it was plugged in (monotonic clock, seconds)."""
        told = self._ask("plug")
        self._directory, self._card = Path(told["directory"]), ""
        if wait:
            until(lambda: self._finds_card(told["former"]), CARD_LIMIT_S, "the card appears")
        return float(told["now_s"])

    def unplug(self) -> float:
        """Pull it out; return when (monotonic clock, seconds)."""
        self._directory = None
        return self._tell("unplug")

    def tone(self, frequency_hz: int) -> None:
        """Let the microphone hear a sine of a whole number of hertz; 0 is silence."""
        self._tell(f"tone {frequency_hz}")

    def speak(self, recording: Path) -> None:
        """Let the microphone hear a WAV file (16-bit mono at the device's rate), over and over."""
        self._tell(f"speak {recording}")

    def air(self, echo_db: float, delay_ms: float) -> None:
        """Let the microphone hear the speaker, this much louder and later."""
        self._tell(f"air {echo_db} {delay_ms}")

    def freeze(self) -> None:
        """Stop moving audio while staying plugged in, as a device does whose firmware hangs."""
        self._tell("freeze")

    def thaw(self) -> None:
        """Move audio again after `freeze`."""
        self._tell("thaw")

    def forget(self) -> None:
        """Forget what was played and recorded so far."""
        self._tell("forget")

    def report(self) -> Report:
        """Return what was played and recorded so far."""
        told = self._ask("report")
        speaker, microphone = (Feature(**told.pop(name)) for name in ("speaker", "microphone"))
        return Report(**told, speaker=speaker, microphone=microphone)

    def heard(self) -> npt.NDArray[np.int16]:
        """Return what the speaker has played so far (16-bit mono samples at the device's rate)."""
        with tempfile.NamedTemporaryFile(suffix=".wav") as file:
            self._tell(f"save {file.name}")
            with wave.open(file.name) as recording:
                return np.frombuffer(recording.readframes(recording.getnframes()), np.int16)

    def hears(self, frequency_hz: int) -> bool:
        """Return whether the speaker played this tone throughout the last tenth of a second."""
        last = np.array(self._ask("last")["samples"], np.int16)
        return len(last) == self.device.rate_hz // 10 and tone_level_db(last, frequency_hz) > LOUD_DB

    def _finds_card(self, former: list[int]) -> bool:
        """Whether programs can open a card of its own, which is none of these; note its id."""
        assert self._directory is not None
        own = (name for name, card in cards_of(self._directory) if card not in former)
        self._card = next((name for name in own if Path("/proc/asound", name).is_symlink()), "")
        return self._card != ""

    def _tell(self, command: str) -> float:
        return float(self._ask(command)["now_s"])

    def _ask(self, command: str) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with self._asking:
            self._process.stdin.write(f"{command}\n")
            self._process.stdin.flush()
            answer: dict[str, Any] = json.loads(self._process.stdout.readline() or '{"error": "the headset died"}')
        if "error" in answer:
            raise RuntimeError(f"the headset cannot {command}: {answer['error']}")
        return answer
