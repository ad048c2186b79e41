"""Find the hardware on this machine that a door station could use."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from intercom.devices import Device, Finder
from intercom.media.camera.v4l2_controls import camera_name


@dataclass(frozen=True, slots=True)
class Found:
    """The hardware found on the machine."""

    board: str
    """The board's own name; "" if it has none."""
    is_pi: bool
    """Whether the board has a Raspberry Pi's header."""
    cards: tuple[Device, ...]
    """The sound cards."""
    cameras: tuple[Device, ...]
    """The V4L2 cameras."""
    has_picamera2: bool
    """Whether the Raspberry Pi camera's library is installed."""


def look(root: Path = Path("/")) -> Found:
    """Return the hardware of this machine; open nothing but the cameras' names."""
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
    """Describe a sound card to a person who chooses."""
    can = {(True, True): "microphone and speaker", (True, False): "microphone only", (False, True): "speaker only"}
    does = can.get((card.captures is not None, card.plays is not None), "neither records nor plays")
    return f"{card.label} ({card.kind}): {does}"
