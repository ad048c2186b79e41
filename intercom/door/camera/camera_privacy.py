"""Decide whether the camera may run, by the switch at the door and `intercom camera off`, and drive its light."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from intercom import atomic_file
from intercom.media.camera.shared import Camera

logger = logging.getLogger(__name__)

OFF_FILE = "camera-off"
"""Name of a file in the state directory; while it exists, the camera is off."""
SWITCH, COMMAND = "switch", "command"


class Pins(Protocol):
    """The camera's light and switch."""

    on_switch: Callable[[], None] | None
    """Called on the pins' thread when the switch may have moved."""

    @property
    def forbids(self) -> bool:
        """Return whether the switch is closed."""

    def show(self, running: bool) -> None:
        """Turn the light on or off."""


class CameraPrivacy:
    """Keeps the camera off while the switch or the command says so. Any thread may use it."""

    def __init__(self, camera: Camera | None, pins: Pins, state_dir: Path) -> None:
        self._camera = camera
        self._pins = pins
        self._file = state_dir / OFF_FILE
        self._off = self._was_off()
        self._lock = threading.Lock()

    @property
    def forbidden_by(self) -> list[str]:
        """Return who holds the camera off: SWITCH, COMMAND, both or none."""
        return [who for who, forbids in ((SWITCH, self._pins.forbids), (COMMAND, self._off)) if forbids]

    def start(self, on_change: Callable[[], None]) -> None:
        """Begin to enforce both; `on_change` is called, on any thread, when the camera is forbidden or allowed."""

        def moved() -> None:
            self.follow()
            on_change()

        self._pins.on_switch = moved
        self.follow()

    def follow(self) -> None:
        """Read the switch and the command again, and apply them to the camera."""
        if self._camera is None:
            return
        with self._lock:
            by = self.forbidden_by
            if bool(by) != self._camera.is_forbidden:
                logger.info("The camera is %s", f"off: by {' and '.join(by)}" if by else "allowed again")
            self._camera.forbid(bool(by))

    def set_off(self, off: bool) -> None:
        """Turn the camera off or on, also after a restart; it holds even if storing it fails, which raises OSError."""
        self._off = off
        self.follow()
        if off:
            atomic_file.replace(self._file, b"")
        else:
            self._file.unlink(missing_ok=True)

    def camera_changed(self) -> None:
        """Set the light by whether the camera runs. Called on the camera's threads, in any order."""
        with self._lock:
            self._pins.show(self._camera is not None and self._camera.is_running)

    def _was_off(self) -> bool:
        try:
            self._file.stat()
        except (FileNotFoundError, NotADirectoryError):
            return False
        except OSError as error:
            logger.warning("The camera stays off: %s cannot be looked at (%s)", self._file, error)
        return True
