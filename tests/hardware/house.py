"""A house inside a guest: the embedded space and the door station as their own processes, as in real life.

The door's card is the USB headset, its pins are the GPIO chip's; a test touches only what a person could.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from intercom.config import DoorConfig, PanelConfig, load
from intercom.control.client import Client
from intercom.control.place import NAME
from intercom.space import Space

from .gpio import GpioChip
from .wait import until

READY_LIMIT_S = 120.0
STOP_LIMIT_S = 60.0
PRESS_S = 0.1
"""As short as people press."""
PINS = PanelConfig()
DOOR = DoorConfig()
CONFIGURATION = """
state_dir = "{state}"
[audio]
card = "auto"
[camera]
source = "off"
[panel]
pins = "gpio"
[log]
level = "info"
"""


class House:
    """The processes of a house; leaving its context ends them."""

    def __init__(
        self,
        folder: Path,
        chip: GpioChip,
        *,
        configuration: str = CONFIGURATION,
        door: Sequence[str] = (),
        tells: bool = True,
    ) -> None:
        """`door` stands before the door's command, for example to start it in another network namespace; `tells`:
        print the logs in the end.
        """
        self._folder = folder
        self._chip = chip
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._text = configuration
        self._door = door
        self._tells = tells
        self._configuration = folder / "intercom.toml"

    def __enter__(self) -> House:
        self._configuration.write_text(self._text.format(state=self.state_dir))
        self._chip.release(PINS.button_gpio)
        self.start("space")
        until((self.state_dir / "door.json").exists, READY_LIMIT_S, f"the space runs: {self.log('space')}")
        self.start("run")
        until((self._folder / NAME).exists, READY_LIMIT_S, f"the door runs: {self.log('run')}")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for part in reversed(self._processes):
            self.end(part)
        if self._tells:
            print(self.log("space"), self.log("run"), sep="\n")

    def join(self, name: str) -> Path:
        """Make someone a resident and return the file of their credential."""
        space = self.space()
        space.store.add_subscriber(name, name.capitalize(), groups=(load(self._configuration).space.group,))
        file = self._folder / f"{name}.json"
        space.write_credential(name, file)
        return file

    @property
    def state_dir(self) -> Path:
        """Where door and space keep their state."""
        return self._folder / "state"

    def space(self) -> Space:
        """Return the space as a command has it that changes who belongs to the house."""
        config = load(self._configuration)
        return Space(config.space, config.state_path({}))

    def press(self) -> None:
        """Press the button and let go."""
        self._chip.press(PINS.button_gpio)
        time.sleep(PRESS_S)
        self._chip.release(PINS.button_gpio)

    def status(self) -> dict[str, Any]:
        """Return what the door says of itself."""
        with Client(self._folder / NAME, hello_s=READY_LIMIT_S) as client:
            answer: dict[str, Any] = client.ask("status")
            return answer

    def log(self, part: str) -> str:
        """Return what the "space" or the door ("run") has logged."""
        file = self.log_file(part)
        return file.read_text(errors="replace") if file.exists() else ""

    def log_file(self, part: str) -> Path:
        """Return where it logs to."""
        return self._folder / f"{part}.log"

    def start(self, part: str) -> None:
        """Start the "space" or the door ("run")."""
        with self.log_file(part).open("ab") as log:
            environment = {**os.environ, "RUNTIME_DIRECTORY": str(self._folder)}
            command = [*(self._door if part == "run" else ()), *self._command(part)]
            self._processes[part] = subprocess.Popen(command, stdout=log, stderr=log, env=environment)

    def end(self, part: str) -> int:
        """Ask it to end, and return its exit status; one that has ended already is let be."""
        process = self._processes[part]
        process.send_signal(signal.SIGTERM)
        return process.wait(STOP_LIMIT_S)

    def send(self, part: str, number: signal.Signals) -> None:
        """Send it a signal; after SIGKILL it is gone when this returns."""
        self._processes[part].send_signal(number)
        if number is signal.SIGKILL:
            self._processes[part].wait(STOP_LIMIT_S)

    def ended(self, part: str) -> int | None:
        """Return its exit status, None while it runs."""
        return self._processes[part].poll()

    def pid(self, part: str) -> int:
        """Return its process id."""
        return self._processes[part].pid

    def _command(self, *arguments: str) -> list[str]:
        command, *others = arguments
        return [sys.executable, "-m", "intercom", command, "--config", str(self._configuration), *others]
