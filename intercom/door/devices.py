"""Join the devices part, which chooses a sound card or camera, to the media part, which opens it."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from intercom.config import AudioConfig, Config
from intercom.devices import Device, DeviceRecovery, Finder, Memory, Role, Roles, Watch, Wishes
from intercom.devices.memory import FILE
from intercom.media.camera.sensor import sensor_name
from intercom.media.camera.v4l2_controls import camera_name
from intercom.media.cards.card import Cards
from intercom.media.cards.chosen_cards import DIRECTIONS, Chosen, ChosenCards
from intercom.media.cards.simulated import SimulatedCards
from intercom.media.events import Direction
from intercom.media.sound.engine import AudioEngine

logger = logging.getLogger(__name__)

AUTO, SIMULATED = "auto", "simulated"
"""Values of `audio.card` that name no card."""
ROLE_OF: dict[Direction, Role] = {"capture": "microphone", "playback": "speaker"}
RECOVERIES_KEPT = 20
"""Limit of recoveries kept: a bad plug makes as many in a minute, and each took half a second of somebody's evening."""
V4L2_SOURCES = ("auto", "v4l2")


class DoorDevices:
    """The door's sound cards and cameras. Its methods belong to the event loop, `cards` to the engine's thread."""

    def __init__(
        self,
        config: Config,
        state_dir: Path,
        *,
        simulated: bool,
        on_event: Callable[[DeviceRecovery], None],
        finder: Finder | None = None,
    ) -> None:
        """Prepare the devices; only `simulated` pins allow a simulated card, a real door waits for a real one.

        Events come after `start()`.
        """
        self._camera_file = config.camera.device if config.camera.source in V4L2_SOURCES else ""
        finder = finder or _finder(config.camera.source)
        self._on_event = on_event
        self._recoveries: deque[dict[str, Any]] = deque(maxlen=RECOVERIES_KEPT)
        self._engine: AudioEngine | None = None
        self._memory = Memory(state_dir / FILE)
        self.roles = Roles(finder, wishes(config), self._memory, on_event=self._recovered)
        self.cards: Cards = ChosenCards(self._chosen)
        self.roles.look()
        if _is_simulated(config.audio, self.cards, simulated_pins=simulated):
            self.cards = SimulatedCards(config.audio)
        self._watch = Watch(self.look, finder.signature)

    def start(self, engine: AudioEngine) -> None:
        """Watch for devices that are plugged in and out, and tell the engine, which opens those of now."""
        self._watch.start()
        self.roles.look()  # of what came since the first look nobody tells
        self._engine = engine

    def stop(self) -> None:
        """Stop watching."""
        self._watch.stop()

    async def works(self, *roles: Role) -> None:
        """Remember the opened devices of these roles."""
        for role in roles:
            if role == "camera" or isinstance(self.cards, ChosenCards):
                self.roles.works(role)
        await asyncio.to_thread(self._memory.save)

    def _recovered(self, event: DeviceRecovery) -> None:
        if event.role == "camera" or isinstance(self.cards, ChosenCards):
            level = logging.WARNING if event.reason == "ambiguous_match" else logging.INFO
            logger.log(level, "%s", event)
            self._recoveries.appendleft(
                {
                    "at": datetime.now(UTC).isoformat(timespec="milliseconds"),
                    "role": event.role,
                    "reason": event.reason,
                    "previous": event.previous and event.previous.label,
                    "new": event.new and event.new.label,
                }
            )
            if self._engine is not None:
                self._on_event(event)

    def camera_file(self) -> str:
        """Return the camera's device file, wherever the camera is plugged in now."""
        choice = self.roles.choices["camera"]
        is_v4l2 = choice.device is None or choice.device.kind != "ribbon"
        return (choice.opens if is_v4l2 else None) or self._camera_file

    def has_ribbon_camera(self) -> bool:
        """Return whether an image sensor is there that picamera2 may open; from any thread."""
        return any(camera.kind == "ribbon" for camera in self.roles.cameras)

    def table(self) -> dict[str, Any]:
        """Return the devices that are plugged in, the role of each, and why."""
        real = isinstance(self.cards, ChosenCards)
        roles = {
            role: {"opens": choice.opens, "device": choice.device.name if choice.device else None, "why": choice.why}
            for role, choice in self.roles.choices.items()
            if real or role == "camera"
        }
        return {
            "told_by": "the kernel" if self._watch.is_told else "a look every second",
            "roles": roles,
            "cards": [self._row(card) for card in self.roles.cards],
            "recoveries": list(self._recoveries),
            "cameras": [self._row(camera) for camera in self.roles.cameras],
        }

    def _row(self, device: Device) -> dict[str, Any]:
        return about(device) | {
            "roles": [
                role
                for role, choice in self.roles.choices.items()
                if choice.device == device and (role == "camera" or isinstance(self.cards, ChosenCards))
            ]
        }

    def look(self, cameras_too: bool = True) -> None:
        """List the devices that are plugged in now, and let the engine follow."""
        if self.roles.look(cameras_too=cameras_too):
            asyncio.get_running_loop().run_in_executor(None, self._memory.save)
        if self._engine is not None and isinstance(self.cards, ChosenCards):
            for direction in filter(self.cards.is_stale, DIRECTIONS):
                self._engine.reopen(direction, partial(self.cards.is_stale, direction))
            self._engine.look_again()

    def has_card(self) -> bool:
        """Return whether a sound card can be opened now, in either direction."""
        return any(self._chosen(direction).name for direction in ROLE_OF)

    def _chosen(self, direction: Direction) -> Chosen:
        choice = self.roles.choices[ROLE_OF[direction]]
        device = choice.device
        label = device.label if device is not None else choice.opens or ""
        return Chosen(choice.opens, label, choice.why, device.plug if device is not None else 0)


def _finder(source: str) -> Finder:
    """Return a finder of the sound cards, and of the cameras that this source may use."""
    ribbon = source == "picamera2" or (source == "auto" and find_spec("picamera2") is not None)
    return Finder(
        camera_name if source in V4L2_SOURCES else lambda file: None, sensor_name if ribbon else lambda file: None
    )


def _is_simulated(audio: AudioConfig, cards: ChosenCards, *, simulated_pins: bool) -> bool:
    """Return whether the sound card is simulated: so configured, or the pins are, and no card can be opened.

    A card that the configuration names is not tried: the door waits for it while a desktop holds it.
    """
    if audio.card != AUTO or not simulated_pins:
        return audio.card == SIMULATED
    named = {"capture": audio.capture, "playback": audio.playback}
    return not all(named[direction] or cards.opens(direction) for direction in DIRECTIONS)


def cards_now(config: Config, state_dir: Path) -> Cards:
    """Return the cards that a door with this configuration would use now, for a trial; simulated if it has none."""
    devices = DoorDevices(config, state_dir, simulated=False, on_event=lambda event: None)
    if config.audio.card == AUTO and not devices.has_card():
        return SimulatedCards(config.audio)
    return devices.cards


def wishes(config: Config) -> Wishes:
    """Return the devices that the configuration names."""
    audio = config.audio
    card = "" if audio.card in (AUTO, SIMULATED) else audio.card
    return Wishes(audio.capture or card, audio.playback or card, config.camera.device)


def about(device: Device) -> dict[str, Any]:
    """Describe a device as a document."""
    usb = {"vendor": device.vendor, "product": device.product, "serial": device.serial}
    return {
        "id": device.name,
        "label": device.label,
        "kind": device.kind,
        "port": device.port,
        **(usb if device.kind == "usb" else {}),
        "captures": device.captures is not None,
        "plays": device.plays is not None,
    }
