"""Run the door station or the embedded space until a signal: `intercom run` and `intercom space`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from intercom import local_names
from intercom.cli.command import INTERRUPTED
from intercom.cli.options import BAD_CONFIG, config_file, loaded
from intercom.config import Config
from intercom.service import memory
from intercom.service.run import log_to_stderr, run

if TYPE_CHECKING:
    import argparse

    from intercom.door.appliance import Appliance
    from intercom.space import Space


def run_service(given: str | None) -> int:
    """Run the door station with this configuration (None = the system's), or report an error in it."""
    try:
        return _run_door(Path(given) if given else None)
    except KeyboardInterrupt:
        return INTERRUPTED


def run_door(options: argparse.Namespace) -> int:
    """Run the door station with options that the parser has read."""
    return _run_door(options.config)


def _run_door(given: Path | None) -> int:
    config = loaded(config_file(given))
    if config is None:
        return BAD_CONFIG
    memory.stay_small()
    local_names.stand_in()
    from intercom.door.appliance import MENDABLE, Appliance

    log_to_stderr(config.log.level)
    door: Appliance | None = None

    def build() -> Appliance:
        nonlocal door
        door = Appliance(config, state_dir=config.state_path(os.environ))
        return door

    async def started() -> None:
        assert door is not None
        await door.wait_failed()

    try:
        return run(build, started=started, mendable=MENDABLE)
    finally:
        memory.end()


def run_space(config: Config, state_dir: Path) -> int:
    """Run the embedded space: `intercom space`; its first start writes the door's credential beside its own state."""
    from intercom.space import Space, SpaceError

    log_to_stderr(config.log.level)
    space: Space | None = None

    def build() -> Space:
        nonlocal space
        space = Space(config.space, state_dir, history=config.history, language=config.language)
        # As a service the space has a user of its own: its group is the door, which may read this file and no other.
        space.credentials.keep("door", state_dir / "door.json", display_name="Front door", for_group=True)
        return space

    async def started() -> None:
        assert space is not None
        await space.wait_failed()

    return run(build, started=started, mendable=(SpaceError,))
