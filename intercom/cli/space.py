"""`intercom space`: serves the embedded space and manages its members. All but serving works beside a running space."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from intercom.cli import render as text
from intercom.cli.remote import OK, TROUBLE, complain, local, print_json, say, wrote
from intercom.service import run_as_service

if TYPE_CHECKING:
    from intercom.config import Config

BAD_CONFIG = 78
"""Exit status for a bad configuration: EX_CONFIG of sysexits.h."""

Load = Callable[[argparse.Namespace], "Config | None"]
Act = Callable[[argparse.Namespace, "Config", Path], int]


def add_commands(commands: Any, *, load: Load, load_as_space: Load, config_help: str) -> None:
    """Add the commands to the parser of `intercom`; `load` reads the configuration or says what is wrong with it.

    `load_as_space` does so for what works on the state of an installed space.
    """
    help_ = "run the embedded space: the house's own service, with no account"
    space = commands.add_parser("space", help=help_)
    space.add_argument("--config", type=Path, metavar="FILE", help=config_help)
    space.add_argument("--state-dir", type=Path, metavar="DIRECTORY", help="default: the state directory")
    space.set_defaults(run=_guarded(_serve, load))
    actions = space.add_subparsers(metavar="ACTION")

    def action(name: str, help_: str, act: Act, *, as_its_user: bool = True) -> argparse.ArgumentParser:
        parser: argparse.ArgumentParser = actions.add_parser(name, help=help_, description=help_.capitalize() + ".")
        # SUPPRESS: what stands before the action counts as well
        parser.add_argument("--config", type=Path, metavar="FILE", help=config_help, default=argparse.SUPPRESS)
        parser.add_argument(
            "--state-dir",
            type=Path,
            metavar="DIRECTORY",
            help="the space's (default: the state directory)",
            default=argparse.SUPPRESS,
        )
        parser.set_defaults(run=_guarded(act, load_as_space, as_its_user=as_its_user))
        return parser

    pair = action("pair", "print a one-time code with which a phone or tablet joins the house", _pair)
    pair.add_argument("--name", default="Station", help="what the house calls it")
    devices = action("devices", "list the doors, phones and tablets that can sign in", _devices)
    devices.add_argument("--json", action="store_true", help="print JSON")
    remove = action("remove", "throw a device out: for a phone that was lost", _remove)
    remove.add_argument("who", metavar="NAME", help="its name or its address, as `intercom space devices` shows them")
    remove.add_argument("--force", action="store_true", help="also when it is a door")
    door = action("enrol", "write a door's credential to a file", _enrol, as_its_user=False)
    door.add_argument("file", type=Path, help="the file to write, mode 0600")
    door.add_argument("--reference", default="door", help="its name in addresses: /private/REFERENCE")
    door.add_argument("--name", default="Door", help="what the house sees when it calls")


def _guarded(act: Act, load: Load, *, as_its_user: bool = False) -> Callable[[argparse.Namespace], int]:
    def run(options: argparse.Namespace) -> int:
        config = load(options)
        if config is None:
            return BAD_CONFIG
        from intercom.space import SpaceError

        given: Path | None = options.state_dir
        state_dir = given or config.state_path(os.environ)
        if as_its_user:
            run_as_service.become_owner_of(state_dir)
        try:
            return act(options, config, state_dir)
        except SpaceError as error:
            complain(str(error))
        except OSError as error:
            complain(f"{error.strerror}: {error.filename}")
        return TROUBLE

    return run


def _serve(_options: argparse.Namespace, config: Config, state_dir: Path) -> int:
    from intercom.cli.run import run_space

    return run_space(config, state_dir)


def _pair(options: argparse.Namespace, _config: Config, state_dir: Path) -> int:
    from intercom.service.run import print_invitation
    from intercom.space import Membership

    with Membership(state_dir) as members:
        print_invitation(members.invite(name=options.name))
    return OK


def _devices(options: argparse.Namespace, _config: Config, state_dir: Path) -> int:
    from dataclasses import asdict

    from intercom.space import Membership

    with Membership(state_dir) as members:
        devices = members.devices()
    if options.json:
        print_json([asdict(device) for device in devices])
    elif devices:
        rows = [
            (d.name, d.kind, d.address, local(d.paired_at)[:16], d.invited_by or "you", d.seen_on or "never")
            for d in devices
        ]
        say(text.table(("NAME", "KIND", "ADDRESS", "PAIRED", "LET IN BY", "LAST SEEN"), rows))
    else:
        say("Nobody can sign in yet; `intercom space pair` invites a phone or tablet.")
    return OK


def _remove(options: argparse.Namespace, _config: Config, state_dir: Path) -> int:
    from intercom.space import Membership

    with Membership(state_dir) as members:
        gone = members.remove(options.who, even_a_door=options.force)
        invited = members.invited_by(gone)
    say(f"{text.printable(gone.name)} ({gone.address}) cannot sign in any more; its calls end within a second.")
    for device in invited:
        say(f"It had let in {text.printable(device.name)} ({device.address}): remove that too if you do not know it.")
    return OK


def _enrol(options: argparse.Namespace, config: Config, state_dir: Path) -> int:
    from intercom.space import Space
    from intercom.space.auth.credential import read_credential

    found = read_credential(options.file)
    with run_as_service.as_owner_of(state_dir):
        space = Space(config.space, state_dir)
        credential = space.credential_of(options.reference, found, display_name=options.name)
        space.store.close()
    if not wrote(options.file, credential.encoded):
        return TROUBLE
    say(f"{options.file}: the credential of /private/{options.reference}")
    return OK
