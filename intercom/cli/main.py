"""The `intercom` command. It imports a command's modules only when that command runs, so that it starts at once."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from intercom import __version__
from intercom.cli import audio, devices, preflight, remote, space, ssh, watch
from intercom.setup import apply

if TYPE_CHECKING:
    from intercom.config import Config

SYSTEM_CONFIG = Path("/etc/intercom/intercom.toml")
CONFIG_HELP = f"default: {SYSTEM_CONFIG}, if it exists"
OK, FAILED, USAGE, BAD_CONFIG = 0, 1, 2, 78
"""Exit statuses; 78 is EX_CONFIG of sysexits.h."""


class _Parser(argparse.ArgumentParser):
    """A parser that lists the commands or actions when one is missing."""

    def error(self, message: str) -> NoReturn:
        if message.endswith((": COMMAND", ": ACTION")):
            self.print_help(sys.stderr)
            self.exit(USAGE)
        super().error(message)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status."""
    words = sys.argv[1:] if arguments is None else arguments
    options = parser(status_alone=words[:1] == ["status"]).parse_args(words)
    try:
        status: int = options.run(options)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        return FAILED
    return status


def parser(*, status_alone: bool = False) -> argparse.ArgumentParser:
    """Build the parser of every command; or of `status` alone, which must answer before the rest is built."""
    parser = _Parser(
        prog="intercom",
        description="A door station that registers as a SignalWire subscriber.",
        epilog="`intercom COMMAND --help` tells what a command takes, `man intercom` tells it all.",
    )
    parser.add_argument("--version", action="version", version=f"intercom {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    if status_alone:
        remote.add_status(commands)
        return parser

    run = commands.add_parser("run", help="run the door station")
    _takes_config(run)
    run.set_defaults(run=_run)

    demo = commands.add_parser("demo", help="try it: the door, the house and all that lies between, on this machine")
    demo.add_argument("--lan", action="store_true", help="let phones and tablets on this network answer the door")
    demo.add_argument("--state-dir", type=Path, help="keep pairings here (default: the state directory, demo/)")
    _takes_config(demo)
    demo.set_defaults(run=_demo)

    space.add_commands(commands, load=_load, load_as_space=_load_as_space, config_help=CONFIG_HELP)

    config = commands.add_parser("config", help="check a configuration, or write an example")
    what = config.add_subparsers(metavar="ACTION", required=True)
    check = what.add_parser("check", help="say what is wrong with a configuration, and where")
    check.add_argument("file", nargs="?", type=Path, help=f"default: {SYSTEM_CONFIG}")
    check.set_defaults(run=_config_check)
    what.add_parser("example", help="write a commented example").set_defaults(run=_config_example)

    doctor = commands.add_parser("doctor", help="look at everything a door needs; say what is wrong and how to mend it")
    doctor.add_argument("--socket", type=Path, metavar="PATH", help="the control socket (default: where it is found)")
    doctor.add_argument("--json", action="store_true", help="print JSON")
    _takes_config(doctor)
    doctor.set_defaults(run=_doctor)

    audio.add_commands(commands, load=_load_as_service, config_help=CONFIG_HELP)
    apply.add_commands(commands)
    preflight.add_commands(commands, load=_load_as_service, config_help=CONFIG_HELP)
    remote.add_status(commands)
    watch.add_commands(commands)
    remote.add_commands(commands)
    devices.add_pin(commands.choices["devices"], load=_load, config_help=CONFIG_HELP)
    ssh.add_commands(commands)

    close = commands.add_parser("door-off", help="drive the door relay off, whatever happened (for systemd)")
    _takes_config(close)
    close.set_defaults(run=_door_off)
    return parser


def _takes_config(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--config", type=Path, metavar="FILE", help=CONFIG_HELP)


def _load(options: argparse.Namespace) -> Config | None:
    """Load the configuration; after reporting an error in it on standard error, return None."""
    from intercom.config import ConfigError, load

    path: Path | None = options.config
    if path is None and SYSTEM_CONFIG.exists():
        path = SYSTEM_CONFIG
    try:
        return load(path)
    except ConfigError as error:
        _complain(str(error))
        return None


def _load_as_service(options: argparse.Namespace) -> Config | None:
    """Load the configuration for a command on the service's own state, unless the command names another place."""
    if options.state_dir is None:
        from intercom.service import run_as_service

        run_as_service.take_its_place(os.environ)
    return _load(options)


def _load_as_space(options: argparse.Namespace) -> Config | None:
    """Load the configuration for a command on the state of an installed space."""
    if options.state_dir is None:
        from intercom.service import run_as_service

        run_as_service.take_the_space_s_place(os.environ)
    return _load(options)


def _complain(sentence: str) -> None:
    mark = ""
    if "JOURNAL_STREAM" in os.environ:
        from intercom.service.journald import mark_of_error

        mark = mark_of_error()
    print(f"{mark}intercom: {sentence}", file=sys.stderr)


def _run(options: argparse.Namespace) -> int:
    config = _load(options)
    if config is None:
        return BAD_CONFIG
    from intercom.cli.run import run_door

    return run_door(config)


def _demo(options: argparse.Namespace) -> int:
    config = _load(options)
    if config is None:
        return BAD_CONFIG
    from intercom.cli.demo import run_demo

    state_dir = options.state_dir or config.state_path(os.environ) / "demo"
    return run_demo(config, state_dir=state_dir, lan=options.lan)


def _config_check(options: argparse.Namespace) -> int:
    from intercom.config import check_and_read

    path: Path = options.file or SYSTEM_CONFIG
    config, problems = check_and_read(path)
    for problem in problems:
        print(f"{path}: {problem}", file=sys.stderr)
    faults = [] if problems else _faults_of_tones(config.audio.tones_dir)
    for fault in faults:
        print(f"{path}: audio.tones_dir: {fault}", file=sys.stderr)
    if problems or faults:
        return BAD_CONFIG
    print(f"{path}: good")
    return OK


def _faults_of_tones(directory: str) -> list[str]:
    if not directory:
        return []
    from intercom.media.sound.tones import sounds_in

    return sounds_in(Path(directory))[1]


def _config_example(options: argparse.Namespace) -> int:
    from intercom.config import example

    print(example(), end="")
    return OK


def _doctor(options: argparse.Namespace) -> int:
    from intercom.cli.doctor import BAD, examine, report
    from intercom.service import run_as_service

    run_as_service.take_its_place(os.environ)
    file: Path | None = options.config or (SYSTEM_CONFIG if SYSTEM_CONFIG.exists() else None)
    run_as_service.become_its_user()
    findings = examine(file, remote.socket_of(options))
    if options.json:
        found = [finding._asdict() for finding in findings]
        remote.print_json(found)
        return FAILED if any(finding["verdict"] == BAD for finding in found) else OK
    return report(findings, remote.say, remote.marks())


def _door_off(options: argparse.Namespace) -> int:
    from intercom.door_off import run

    return run(options.config and str(options.config))
