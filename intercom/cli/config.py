"""`intercom config`: checks a configuration, or writes an example."""

from __future__ import annotations

import argparse
import difflib
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from intercom.cli.options import BAD_CONFIG, SYSTEM_CONFIG
from intercom.cli.running_door.remote import OK
from intercom.service import run_as_service

if TYPE_CHECKING:
    from intercom.config import Config, Reading


def check(options: argparse.Namespace) -> int:
    """Print what is wrong with a configuration, and where."""
    from intercom.config import check_and_read

    path: Path = options.file or SYSTEM_CONFIG
    environ = dict(os.environ)
    if path == SYSTEM_CONFIG:
        run_as_service.take_its_place(environ)

    def judge(config: Config, reading: Reading) -> None:
        _judge_notify(config, reading)
        _judge_rung(config, reading, environ)

    config, problems = check_and_read(path, also=judge)
    faults = [] if problems else _faults_of_tones(config.audio.tones_dir)
    for problem in [*problems, *(f"audio.tones_dir: {fault}" for fault in faults)]:
        sys.stderr.write(f"{path}: {problem}\n")
    if problems or faults:
        return BAD_CONFIG
    sys.stdout.write(f"{path}: good\n")
    return OK


def _judge_notify(config: Config, reading: Reading) -> None:
    """Report the URLs that apprise does not understand, at their lines."""
    if not config.notify or reading.problems:
        return
    import asyncio

    from intercom.notify.process import faults_of

    for number, fault in enumerate(asyncio.run(faults_of([entry.url for entry in config.notify])), start=1):
        if fault:
            reading.report(("notify", str(number), "url"), fault)


def _judge_rung(config: Config, reading: Reading, environ: dict[str, str]) -> None:
    """Report the addresses that the door rings and nobody in its house has, where this machine knows the house."""
    if config.account.credential != "space" or reading.problems:
        return
    from intercom.config.plan_check import rung
    from intercom.space.store.glance import addresses_beside

    known = addresses_beside(config.credential_path(config.state_path(environ), environ))
    if known is None:
        return
    for key, address in rung(config):
        if (name := address.partition("?")[0]) in known:
            continue
        likely = difflib.get_close_matches(name, known, n=1)
        mend = f"did you mean {likely[0]}?" if likely else "`intercom space devices` lists the phones and tablets"
        reading.report(key, f"nobody in this house has the address {name}: {mend}")


def _faults_of_tones(directory: str) -> list[str]:
    if not directory:
        return []
    from intercom.media.sound.tones import sounds_in

    return sounds_in(Path(directory))[1]


def example(_: argparse.Namespace) -> int:
    """Print a commented example."""
    from intercom import config

    sys.stdout.write(config.example())
    return OK
