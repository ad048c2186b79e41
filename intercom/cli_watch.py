"""The commands that look on: `watch` until Ctrl-C, `wait` until no call is in progress."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any

from intercom import control_text as text
from intercom.cli_control import OK, TROUBLE, add_command, colour, complain, failed, local, say, socket_of
from intercom.control.client import Client
from intercom.control.errors import ControlError, NotAnsweringError, NotRunningError

if TYPE_CHECKING:
    import argparse

WATCH_AGAIN_S = 1.0
"""A restart takes a second or two."""
WAIT_S = 420
"""A ring of one minute and a call of five, and a little more."""


def add_commands(commands: Any) -> None:
    """Add both to the parser of `intercom`."""
    watch = add_command(commands, "watch", "show what it is doing, live, until Ctrl-C", _watch, json=True)
    watch.set_defaults(run=_run_watch)
    wait = add_command(commands, "wait", "wait until no call is in progress, as before a restart", _wait)
    wait.add_argument(
        "--at-most", type=int, default=WAIT_S, metavar="SECONDS", help=f"then it fails (default: {WAIT_S})"
    )


def _run_watch(options: argparse.Namespace) -> int:
    """On a terminal a restart of the service is waited for; in a pipe it ends the watch."""
    from intercom import control_down as down

    while True:
        path = socket_of(options)
        try:
            with Client(path) as client:
                _watch(options, client)
        except ControlError as error:
            if not sys.stdout.isatty() or not isinstance(error, (NotRunningError, NotAnsweringError)):
                return failed(error)
            if isinstance(error, NotAnsweringError):
                _redraw(down.not_answering(path, error))
            else:
                _redraw(down.not_running(path))
        time.sleep(WATCH_AGAIN_S)


def _watch(options: argparse.Namespace, client: Client) -> int:
    last = ""
    for doc in client.watch():
        if options.json:
            import json

            say(json.dumps(doc))
        elif sys.stdout.isatty():
            _redraw(doc)
        elif (line := text.status_line(doc)) != last:
            last = line
            say(f"{local(doc['at'])} {line}")
    return OK


def _wait(options: argparse.Namespace, client: Client) -> int:
    """The service tells its status at least once a second."""
    give_up = time.monotonic() + options.at_most
    told = False
    for doc in client.watch():
        if doc["call"] is None and doc["state"] not in {"ringing", "in_call"}:
            break
        if time.monotonic() > give_up:
            complain(f"the call goes on after {options.at_most} s")
            return TROUBLE
        if not told:
            say("A call is in progress: waiting for its end.")
            told = True
    return OK


def _redraw(doc: dict[str, Any]) -> None:
    say("\x1b[H\x1b[J" + text.status(doc, colour=colour()) + "\n\nCtrl-C ends.")
