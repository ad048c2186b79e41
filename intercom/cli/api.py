"""`intercom api token`: makes, lists and removes the tokens of the HTTP API; a running door takes them over at once."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from intercom.cli import render as text
from intercom.cli.options import Run, with_config
from intercom.cli.running_door.remote import OK, TROUBLE, complain, local, print_json, say
from intercom.service import run_as_service

if TYPE_CHECKING:
    from intercom.config import Config
    from intercom.integrations.tokens import Token, Tokens

Act = Callable[[argparse.Namespace, "Config", "Tokens"], int]


def _guarded(act: Act) -> Run:
    """Return a command that acts on the door's tokens and reports a failure in one sentence."""

    def run(options: argparse.Namespace, config: Config) -> int:
        from intercom.integrations.tokens import FILE, TokenError, Tokens

        given: Path | None = options.state_dir
        state_dir = given or config.state_path(os.environ)
        run_as_service.become_owner_of(state_dir)
        try:
            return act(options, config, Tokens(state_dir / FILE))
        except TokenError as error:
            complain(str(error))
        return TROUBLE

    return with_config(run, run_as_service.take_its_place)


def _add(options: argparse.Namespace, config: Config, tokens: Tokens) -> int:
    token = tokens.add(options.name, options.role, days=options.days)
    say(token)
    until = f"for {options.days} days" if options.days else "from now on"
    say(f"This is the only time that it is shown. {options.name} may use it as {options.role} {until}:")
    say("  Authorization: Bearer TOKEN")
    if not config.api.listen:
        say("The API is off: set api.listen, and restart the door.")
    return OK


def _list(options: argparse.Namespace, _config: Config, tokens: Tokens) -> int:
    kept = tokens.all()
    if options.json:
        print_json(
            [
                {
                    "name": token.name,
                    "role": token.role,
                    "made_at": token.made_at,
                    "ends_at": None if token.ends_at is None else token.ends_at.isoformat(),
                }
                for token in kept
            ]
        )
    elif kept:
        rows = [(token.name, token.role, local(token.made_at)[:16], _end_of(token)) for token in kept]
        say(text.table(("NAME", "ROLE", "MADE", "ENDS"), rows))
    else:
        say("There are no tokens; `intercom api token add NAME` makes one.")
    return OK


def _end_of(token: Token) -> str:
    return "never" if token.ends_at is None else local(token.ends_at.isoformat())[:16]


def _remove(options: argparse.Namespace, _config: Config, tokens: Tokens) -> int:
    tokens.remove(options.name)
    say(f"The token of {text.printable(options.name)} is worthless from now on.")
    return OK


add = _guarded(_add)
list_ = _guarded(_list)
remove = _guarded(_remove)
