"""What is there on this machine that a door station could use."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from intercom.devices import Device, Finder
from intercom.media.camera_v4l2_controls import camera_name


@dataclass(frozen=True, slots=True)
class Found:
    """One look at the machine."""

    board: str
    """What it calls itself, "" when it does not."""
    is_pi: bool
    """Whether it has a Raspberry Pi's header."""
    cards: tuple[Device, ...]
    """The sound cards."""
    cameras: tuple[Device, ...]
    """The V4L2 cameras."""
    has_picamera2: bool
    """Whether the Raspberry Pi camera's library is there."""


def look(root: Path = Path("/")) -> Found:
    """Look at this machine; nothing is opened but the cameras' names."""
    try:
        board = (root / "proc/device-tree/model").read_text(errors="replace").strip("\0\n ")
    except OSError:
        board = ""
    finder = Finder(camera_name, root=root)
    return Found(
        board=board,
        is_pi="Raspberry Pi" in board,
        cards=tuple(finder.sound_cards()),
        cameras=tuple(finder.cameras()),
        has_picamera2=find_spec("picamera2") is not None,
    )


def card_in_words(card: Device) -> str:
    """A sound card for a person who chooses."""
    can = {(True, True): "microphone and speaker", (True, False): "microphone only", (False, True): "speaker only"}
    does = can.get((card.captures is not None, card.plays is not None), "neither records nor plays")
    return f"{card.label} ({card.kind}): {does}"
