"""A house inside a guest: the embedded space and the door station as their own processes, as in real life.

The door's card is the USB headset, its pins are the GPIO chip's; a test touches only what a person could.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType

from intercom.config import DoorConfig, PanelConfig, load
from intercom.space import Space

from .gpio import GpioChip
from .wait import until

READY_LIMIT_S = 60.0
STOP_LIMIT_S = 10.0
PRESS_S = 0.1
"""As short as people press."""
PINS = PanelConfig()
DOOR = DoorConfig()
CONFIGURATION = """
state_dir = "{state}"
[audio]
card = "plughw:CARD=Headset,DEV=0"
[camera]
source = "off"
[panel]
pins = "gpio"
[log]
level = "info"
"""


class House:
    """The processes of a house; leaving its context ends them."""

    def __init__(self, folder: Path, chip: GpioChip) -> None:
        self._folder = folder
        self._chip = chip
        self._processes: list[subprocess.Popen[bytes]] = []
        self._configuration = folder / "intercom.toml"

    def __enter__(self) -> House:
        self._configuration.write_text(CONFIGURATION.format(state=self._folder / "state"))
        self._chip.release(PINS.button_gpio)
        self._start("space")
        until((self._folder / "state" / "door.json").exists, READY_LIMIT_S, f"the space runs: {self.log('space')}")
        self._start("run")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for process in reversed(self._processes):
            process.send_signal(signal.SIGTERM)
            process.wait(STOP_LIMIT_S)
        print(self.log("space"), self.log("run"), sep="\n")

    def join(self, name: str) -> Path:
        """Make someone a resident and return the file of their credential."""
        config = load(self._configuration)
        space = Space(config.space, config.state_path({}))
        space.store.add_subscriber(name, name.capitalize(), groups=(config.space.group,))
        file = self._folder / f"{name}.json"
        space.write_credential(name, file)
        return file

    def press(self) -> None:
        """Press the button and let go."""
        self._chip.press(PINS.button_gpio)
        time.sleep(PRESS_S)
        self._chip.release(PINS.button_gpio)

    def log(self, part: str) -> str:
        """Return what the "space" or the door ("run") has logged."""
        file = self._folder / f"{part}.log"
        return file.read_text(errors="replace") if file.exists() else ""

    def _start(self, part: str) -> None:
        with (self._folder / f"{part}.log").open("wb") as log:
            environment = {**os.environ, "RUNTIME_DIRECTORY": str(self._folder)}
            self._processes.append(subprocess.Popen(self._command(part), stdout=log, stderr=log, env=environment))

    def _command(self, *arguments: str) -> list[str]:
        command, *others = arguments
        return [sys.executable, "-m", "intercom.cli", command, "--config", str(self._configuration), *others]
