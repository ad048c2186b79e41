"""The commands that observe: `watch` until Ctrl-C, `wait` until no call is in progress."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any

from intercom.cli import render as text
from intercom.cli.running_door.remote import OK, TROUBLE, asking, colour, complain, failed, local, say, socket_of
from intercom.control.client import Client
from intercom.control.errors import ControlError, NotAnsweringError, NotRunningError

if TYPE_CHECKING:
    import argparse

WATCH_AGAIN_S = 1.0
"""Retry interval while the service is away; a restart takes a second or two."""
WAIT_S = 420
"""Limit for a service that does not say when its call ends: a ring of one minute, a call of five, a little more."""
LATE_S = 10
"""Allowance for a call that is still closing or recovering when its time is over."""


def watch(options: argparse.Namespace) -> int:
    """Print each change of status; a restart of the service ends the watch in a pipe, not on a terminal."""
    from intercom.cli.running_door import service_down as down

    while True:
        path = socket_of(options)
        try:
            with Client(path) as client:
                _print(options, client)
        except ControlError as error:
            if not sys.stdout.isatty() or not isinstance(error, (NotRunningError, NotAnsweringError)):
                return failed(error)
            if isinstance(error, NotAnsweringError):
                _redraw(down.not_answering(path, error))
            else:
                _redraw(down.not_running(path))
        time.sleep(WATCH_AGAIN_S)


def _print(options: argparse.Namespace, client: Client) -> None:
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


def _wait(options: argparse.Namespace, client: Client) -> int:
    """Wait for the end of the call; the service reports its status at least once a second."""
    began = time.monotonic()
    give_up = began + (WAIT_S if options.at_most is None else options.at_most)
    told, known = False, ""
    for doc in client.watch():
        call, now = doc["call"], time.monotonic()
        if call is None and doc.get("phase", "none") == "none" and not doc.get("press_waits"):
            break
        if options.at_most is None and call is not None and call["id"] != known:
            known = call["id"]
            give_up = now + call.get("ends_within_s", WAIT_S) + LATE_S
        if now > give_up:
            complain(f"the call goes on after {now - began:.0f} s")
            return TROUBLE
        if not told:
            say("A call is in progress: waiting for its end.")
            told = True
    return OK


wait = asking(_wait)


def _redraw(doc: dict[str, Any]) -> None:
    say("\x1b[H\x1b[J" + text.status(doc, colour=colour()) + "\n\nCtrl-C ends.")
