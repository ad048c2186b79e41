"""Speaker and microphone levels of each card, kept over restarts: levels differ from card to card."""

from __future__ import annotations

import json
import logging
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from intercom import atomic_file
from intercom.config import AudioConfig
from intercom.media.sound.engine import AudioEngine

log = logging.getLogger(__name__)

LEVELS_FILE = "levels.json"
"""Name of the levels' file in the state directory."""
LOWEST_DB, HIGHEST_DB = -60.0, 20.0
"""Limits of a gain."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Levels:
    """Levels of both directions of one card."""

    speaker_db: float = 0.0
    """Gain before the speaker; -60 to 20."""
    microphone_db: float = 0.0
    """Gain behind the microphone; -60 to 20."""
    speaker_muted: bool = False
    """Whether nothing is heard at the door, neither the far end nor a chime; the light still answers a press."""
    microphone_muted: bool = False
    """Whether the speaker is silent, for the far end and for chimes; the light still answers a press."""

    def apply(self, engine: AudioEngine) -> None:
        """Set these levels on the engine from the next block on."""
        engine.set_speaker_gain_db(self.speaker_db)
        engine.set_microphone_gain_db(self.microphone_db)
        engine.speaker_muted = self.speaker_muted
        engine.microphone_muted = self.microphone_muted


def configured(audio: AudioConfig) -> Levels:
    """Return the configured levels, for a card without saved ones."""
    return Levels(speaker_db=audio.speaker_gain_db, microphone_db=audio.microphone_gain_db)


class LevelStore:
    """Stores the levels of every card that was ever set, in one small file."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def load(self, card: str, default: Levels) -> Levels:
        """Return the card's saved levels, else `default`; an unreadable file is logged and counts as empty."""
        saved = self._read().get(card)
        levels = _levels(saved) if saved is not None else default
        if levels is None:
            log.warning("%s: the levels of %s are damaged; the configured ones are used", self._path, card)
            return default
        return levels

    def save(self, card: str, levels: Levels) -> None:
        """Save the card's levels; the file is whole at every moment. OSError when it cannot be written."""
        everything = self._read() | {card: asdict(levels)}
        atomic_file.replace(self._path, json.dumps(everything, indent=1, sort_keys=True).encode())

    def _read(self) -> dict[str, Any]:
        try:
            everything = json.loads(self._path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as error:
            log.warning("%s cannot be read (%s); the configured levels are used", self._path, error)
            return {}
        return everything if isinstance(everything, dict) else {}


def _levels(saved: object) -> Levels | None:
    if not isinstance(saved, dict):
        return None
    try:
        levels = Levels(**saved)
    except TypeError:
        return None
    gains = (levels.speaker_db, levels.microphone_db)
    mutes = (levels.speaker_muted, levels.microphone_muted)
    fits = all(isinstance(gain, int | float) and LOWEST_DB <= gain <= HIGHEST_DB for gain in gains)
    return levels if fits and all(isinstance(mute, bool) for mute in mutes) else None
