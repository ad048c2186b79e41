"""Options that many commands share: the configuration and the state directory, at an installed door its service's."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, MutableMapping
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from intercom.config import Config

SYSTEM_CONFIG = Path("/etc/intercom/intercom.toml")
BAD_CONFIG = 78
"""Exit status for a bad configuration: EX_CONFIG of sysexits.h."""

Run = Callable[[argparse.Namespace], int]
Act = Callable[[argparse.Namespace, "Config"], int]
Place = Callable[[MutableMapping[str, str]], None]


def with_config(act: Act, place: Place | None = None) -> Run:
    """Return a command that loads the configuration and acts on it, or reports an error in it.

    `place` sets the environment of an installed service, unless the command names another state directory.
    """

    def run(options: argparse.Namespace) -> int:
        if place is not None and options.state_dir is None:
            place(os.environ)
        config = _load(config_file(options))
        return BAD_CONFIG if config is None else act(options, config)

    return run


def config_file(options: argparse.Namespace) -> Path | None:
    """Return the path of the configuration; None if none is named and the system has none."""
    given: Path | None = options.config
    return given or (SYSTEM_CONFIG if SYSTEM_CONFIG.exists() else None)


def _load(path: Path | None) -> Config | None:
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
