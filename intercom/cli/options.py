"""Options that many commands share: the configuration and the state directory, at an installed door its service's."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, MutableMapping
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse

    from intercom.config import Config

SYSTEM_CONFIG = Path("/etc/intercom/intercom.toml")
BAD_CONFIG = 78
"""Exit status for a bad configuration: EX_CONFIG of sysexits.h."""

Run = Callable[["argparse.Namespace"], int]
Act = Callable[["argparse.Namespace", "Config"], int]
Place = Callable[[MutableMapping[str, str]], None]


def with_config(act: Act, place: Place | None = None) -> Run:
    """Return a command that loads the configuration and acts on it, or reports an error in it.

    `place` sets the environment of an installed service, unless the command names another state directory.
    """

    def run(options: argparse.Namespace) -> int:
        if place is not None and options.state_dir is None:
            place(os.environ)
        config = loaded(config_file(options.config))
        return BAD_CONFIG if config is None else act(options, config)

    return run


def config_file(given: Path | None) -> Path | None:
    """Return the path of the configuration; None if none is given and the system has none."""
    return given or (SYSTEM_CONFIG if SYSTEM_CONFIG.exists() else None)


def loaded(path: Path | None) -> Config | None:
    """Load the configuration; None after an error in it was reported."""
    from intercom.config import ConfigError, load

    try:
        return load(path)
    except ConfigError as error:
        mark = ""
        if "JOURNAL_STREAM" in os.environ:
            from intercom.service.journald import mark_of_error

            mark = mark_of_error()
        sys.stderr.write(f"{mark}intercom: {error}\n")
        return None
