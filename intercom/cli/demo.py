"""`intercom demo`: the embedded space and the door station together on this machine, with no account."""

from __future__ import annotations

import argparse
import asyncio
import os
import socket
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from intercom.cli.options import with_config
from intercom.cli.space import print_invitation
from intercom.config import NO_GPIO, Config
from intercom.door.appliance import MENDABLE, Appliance
from intercom.gpio_chip import is_pi
from intercom.opening.decision import RESIDENTS
from intercom.panel.camera_pins import SPARE_GPIOS
from intercom.panel.front import light_gpios
from intercom.service.run import log_to_stderr, run
from intercom.space import Space, SpaceError

LAN_LISTEN = "0.0.0.0:8443"
DOOR = "door"


class Demo:
    """The space and the door station, started and stopped as one."""

    def __init__(self, config: Config, state_dir: Path) -> None:
        self._state_dir = state_dir
        self._config = config
        self.space = Space(config.space, state_dir / "space", history=config.history, language=config.language)
        self.door: Appliance | None = None
        self.on_change: Callable[[], None] = lambda: None

    @property
    def summary(self) -> str:
        """Describe in one line the door's present activity."""
        return self.space.summary if self.door is None else self.door.summary

    def stalled(self) -> str | None:
        """Name the door's part that has stalled since the last look, or None."""
        return None if self.door is None else self.door.stalled()

    async def start(self) -> None:
        """Start the space, give the door its credential, and start the door."""
        self._state_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        await self.space.start()
        self.space.write_credential(DOOR, self._state_dir / "door.json", display_name="Front door")
        self.door = Appliance(self._config, state_dir=self._state_dir)
        self.door.on_change = self._changed
        await self.door.start()

    def _changed(self) -> None:
        self.on_change()

    async def stop(self) -> None:
        """Stop the door and the space."""
        if self.door is not None:
            await self.door.stop()
        await self.space.stop()

    async def wait_failed(self) -> None:
        """Wait until the door or the space fails in a way that only a restart fixes, and raise that."""
        assert self.door is not None
        await asyncio.gather(self.door.wait_failed(), self.space.wait_failed())

    async def tell(self) -> None:
        """Print where the station and the panel are, and the stand-ins for missing hardware."""
        assert self.door is not None
        print("\nThe house answers on the station page. Open it here, or scan it:\n")
        print_invitation(self.space.invite())
        if self.door.page is not None:
            print(f"\nThe door's front panel (button, lights, lock):  {self.door.page.url}")
        else:
            print("\nThe door's front panel is wired to this machine's GPIO pins.")
        print(f"Sound:    {self.door.devices.cards.description}")
        print(f"Picture:  {self.door.camera.description if self.door.camera else 'none'}")
        print(
            "More devices: press “Add a device” on a page that has joined, or run "
            f".venv/bin/intercom space pair --state-dir {self._state_dir / 'space'}"
        )
        if not self._config.space.listen.startswith("0.0.0.0"):  # noqa: S104 - compared, not listened on
            print("\nOnly this machine can open these pages. For phones on your network: make demo LAN=1")
        print("\nPress Ctrl-C to stop.\n", flush=True)


def _command(options: argparse.Namespace, config: Config) -> int:
    state_dir = options.state_dir or config.state_path(os.environ) / "demo"
    return run_demo(config, state_dir=state_dir, lan=options.lan)


command = with_config(_command)


def run_demo(config: Config, *, state_dir: Path, lan: bool) -> int:
    """Run the demo until Ctrl-C, and return the exit status."""
    log_to_stderr("warning" if config.log.level == "info" else config.log.level)
    config = _demo_config(config, state_dir, lan=lan)
    demo: Demo | None = None

    def build() -> Demo:
        nonlocal demo
        demo = Demo(config, state_dir)
        return demo

    async def started() -> None:
        assert demo is not None
        await demo.tell()
        await demo.wait_failed()

    return run(build, started=started, mendable=(*MENDABLE, SpaceError))


def _demo_config(config: Config, state_dir: Path, *, lan: bool) -> Config:
    """Return the configuration for a demonstration: the house's own people may call in and open."""
    space = (
        replace(config.space, listen=LAN_LISTEN, host_names=(*config.space.host_names, lan_address())) if lan else None
    )
    config = _with_entrance(config)
    return replace(
        config,
        space=space or config.space,
        call=replace(config.call, auto_answer=config.call.auto_answer or (RESIDENTS,)),
        door=replace(config.door, openers=tuple(dict.fromkeys((*config.door.openers, RESIDENTS)))),
        audio=replace(
            config.audio,
            simulated_recording=config.audio.simulated_recording or str(state_dir / "door-speaker.wav"),
        ),
    )


def _with_entrance(config: Config) -> Config:
    """Return the configuration with all that may be wired around the door, where the pins are simulated."""
    if config.panel.pins == "gpio" or (config.panel.pins == "auto" and is_pi()):
        return config
    panel, door, camera = config.panel, config.door, config.camera
    used = {*light_gpios(panel), *(button.gpio for button in panel.buttons), camera.light_gpio, camera.forbid_gpio}
    used |= {panel.bell_light_gpio, panel.chime_gpio}
    used |= {door.relay_gpio, door.contact_gpio, door.exit_gpio, door.tamper_gpio}
    spare = (gpio for gpio in SPARE_GPIOS if gpio not in used)

    def gpio(chosen: int) -> int:
        return next(spare) if chosen == NO_GPIO else chosen

    return replace(
        config,
        panel=replace(panel, bell_light_gpio=gpio(panel.bell_light_gpio), chime_gpio=gpio(panel.chime_gpio)),
        door=replace(
            door,
            contact_gpio=gpio(door.contact_gpio),
            exit_gpio=gpio(door.exit_gpio),
            tamper_gpio=gpio(door.tamper_gpio),
        ),
    )


def lan_address() -> str:
    """Return this machine's address on its network, without sending anything."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return "127.0.0.1"
        return str(probe.getsockname()[0])
