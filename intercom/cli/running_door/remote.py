"""The commands for the running door station. They start at once: they import no event loop and no parts."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from intercom.cli import render as text
from intercom.control.client import Client
from intercom.control.errors import (
    ControlError,
    NotAnsweringError,
    NotPermittedError,
    NotRunningError,
    RefusedError,
)
from intercom.control.place import find

if TYPE_CHECKING:
    import argparse

OK, TROUBLE, USAGE, NOT_RUNNING, NOT_ANSWERING, REFUSED, NOT_PERMITTED = range(7)
"""Exit statuses; docs/commands.md explains them."""

Ask = Callable[["argparse.Namespace", Client], int]


class StatusOptions(Protocol):
    """Options of `status`."""

    json: bool
    socket: Path | None


def say(line: str) -> None:
    """Print a line and flush it."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def complain(sentence: str) -> None:
    """Print a sentence to standard error."""
    sys.stderr.write(f"intercom: {text.printable(sentence)}\n")


def print_json(content: Any) -> None:
    """Print a JSON document."""
    import json

    say(json.dumps(content, indent=1))


def colour() -> bool:
    """Return whether standard output is a terminal that wants colour."""
    return sys.stdout.isatty() and "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"


def marks() -> dict[str, str]:
    """Return the mark of each verdict for the beginning of a line."""
    page = text.Page(colour=colour())
    words = (("good", "good   ", text.GREEN), ("warning", "warning", text.YELLOW), ("bad", "BAD    ", text.RED))
    return {name: page.paint(word, code) for name, word, code in words}


def local(when: str) -> str:
    """Format a time of the service in this machine's time zone."""
    from datetime import datetime

    return datetime.fromisoformat(when).astimezone().strftime("%Y-%m-%d %H:%M:%S")


def socket_of(options: StatusOptions | argparse.Namespace) -> Path:
    """Return the path of the control socket."""
    given: Path | None = options.socket
    return given or find(os.environ)


def asking(ask: Ask) -> Callable[[argparse.Namespace], int]:
    """Return a command that connects to the service and asks it, or prints why that failed."""

    def run(options: argparse.Namespace) -> int:
        try:
            with Client(socket_of(options)) as client:
                return ask(options, client)
        except ControlError as error:
            return failed(error)

    return run


def failed(error: ControlError) -> int:
    """Print why the service refused or failed, and return the exit status."""
    match error:
        case NotRunningError():
            complain(f"the door station is not running: {error}")
            return NOT_RUNNING
        case NotAnsweringError():
            complain(f"{error}; `intercom status` says since when")
            return NOT_ANSWERING
        case NotPermittedError():
            complain(str(error))
            return NOT_PERMITTED
        case RefusedError():
            complain(str(error))
            return REFUSED
        case _:
            complain(str(error))
            return TROUBLE


# -- status ---------------------------------------------------------------------------------------------


def run_status(options: StatusOptions) -> int:
    """Print the service's status, or that it is down or hangs, and return the exit status."""
    from intercom.cli.running_door import service_down as down

    path = socket_of(options)
    try:
        with Client(path, hello_s=down.patience_s(path)) as client:
            return _status(options, client)
    except (NotRunningError, NotAnsweringError) as error:
        doc, code = _document_of_a_service_down(path, error)
    except ControlError as error:
        return failed(error)
    _show(options, doc)
    return code


def _status(options: StatusOptions, client: Client) -> int:
    doc = client.ask("status")
    _show(options, doc)
    return TROUBLE if doc["faults"] or not doc["registered"] else OK


def _show(options: StatusOptions, doc: dict[str, Any]) -> None:
    if options.json:
        print_json(doc)
    else:
        say(text.status(doc, colour=colour()))


# -- doing something -----------------------------------------------------------------------------------


def _simple(method: str, done: str) -> Callable[[argparse.Namespace], int]:
    """Return a command that asks for one thing, without parameters, and prints that it is done."""

    @asking
    def run(options: argparse.Namespace, client: Client) -> int:
        client.ask(method, by=options.by)
        say(done)
        return OK

    return run


answer = _simple("answer", "Answered.")
hang_up = _simple("hangup", "The call ends.")
restart = _simple("restart", "It restarts.")


@asking
def call(options: argparse.Namespace, client: Client) -> int:
    """Ring the house, or an address."""
    answer = client.ask("call", address=options.address, by=options.by)
    say(f"Calling {text.printable(answer['calling'])}.")
    return OK


@asking
def dtmf(options: argparse.Namespace, client: Client) -> int:
    """Press telephone keys at the far end of the call."""
    answer = client.ask("dtmf", digits=options.digits.upper(), by=options.by)
    say(f"Pressed {answer['sent']} {'key' if answer['sent'] == 1 else 'keys'}.")
    return OK


@asking
def speak(options: argparse.Namespace, client: Client) -> int:
    """Speak a sentence to the visitor."""
    answer = client.ask("say", words=options.words, by=options.by)
    say(f"The door says: {text.printable(answer['said'])}")
    return OK


@asking
def mute(options: argparse.Namespace, client: Client) -> int:
    """Silence the microphone or the speaker, or let it be heard again."""
    answer = client.ask("mute", what=options.what, on=options.on, by=options.by)
    say(f"The {answer['what']} is {'muted' if answer['muted'] else 'heard again'}.")
    return OK


@asking
def volume(options: argparse.Namespace, client: Client) -> int:
    """Set or tell the level of the speaker or the microphone."""
    answer = client.ask("volume", what=options.what, gain_db=options.db, by=options.by)
    say(f"The {answer['what']} is at {answer['gain_db']:g} dB.")
    return OK


@asking
def camera(options: argparse.Namespace, client: Client) -> int:
    """Switch the camera off or on, or tell whether it may run."""
    on = None if options.what is None else options.what == "on"
    answer = client.ask("camera", on=on, by=options.by)
    by = answer["forbidden_by"]
    if by:
        say(f"The camera is off, by {' and '.join(by)}.")
    else:
        say(f"The camera may run, and {'runs' if answer['running'] else 'does not run'} now.")
    return REFUSED if on and by else OK


@asking
def auto_reply(options: argparse.Namespace, client: Client) -> int:
    """Let the door reply by itself or not, or tell whether it does."""
    on = None if options.what is None else options.what == "on"
    answer = client.ask("auto_reply", on=on, by=options.by)
    say(f"The door {'replies' if answer['on'] else 'does not reply'} to visitors by itself.")
    return OK


@asking
def snapshot(options: argparse.Namespace, client: Client) -> int:
    """Write a picture to a file or standard output."""
    from base64 import b64decode

    answer = client.ask("snapshot", last=options.last, by=options.by)
    jpeg = b64decode(answer["jpeg"])
    if options.file == Path("-"):
        sys.stdout.buffer.write(jpeg)
        return OK
    if not wrote(options.file, jpeg):
        return TROUBLE
    say(f"{options.file}: the picture of {local(answer['at'])}")
    return OK


@asking
def open_door(options: argparse.Namespace, client: Client) -> int:
    """Open the door for its pulse."""
    answer = client.ask("door.open", by=options.by)
    say(f"The door is open for {answer['open_s']:g} s.")
    return OK


# -- asking --------------------------------------------------------------------------------------------


def _listing(
    ask: Callable[[Client, argparse.Namespace], Any], show: Callable[[Any], str]
) -> Callable[[argparse.Namespace], int]:
    """Return a command that prints what the door lists, as text or with `--json` as it is."""

    @asking
    def run(options: argparse.Namespace, client: Client) -> int:
        listed = ask(client, options)
        if options.json:
            print_json(listed)
        else:
            say(show(listed))
        return OK

    return run


devices = _listing(
    lambda client, options: client.ask("devices"), lambda found: text.devices(found, colour=colour(), local=local)
)
calls = _listing(
    lambda client, options: client.ask("calls", count=options.count), lambda records: text.calls(records, local=local)
)
faults = _listing(
    lambda client, options: client.ask("faults", count=options.count), lambda records: text.faults(records, local=local)
)


@asking
def metrics(options: argparse.Namespace, client: Client) -> int:
    """Print the figures."""
    sys.stdout.write(client.ask("metrics"))
    return OK


def _document_of_a_service_down(path: Path, error: NotRunningError | NotAnsweringError) -> tuple[dict[str, Any], int]:
    """Return the status of a service that does not answer, and the exit status that goes with it."""
    from intercom.cli.running_door import service_down as down

    if isinstance(error, NotRunningError):
        return down.not_running(path), NOT_RUNNING
    return down.not_answering(path, error), NOT_ANSWERING


def diagnostics(options: argparse.Namespace) -> int:
    """Write the diagnostics bundle, also when the service does not answer."""
    path = socket_of(options)
    try:
        with Client(path) as client:
            return _write_bundle(options, client.ask("diagnostics"))
    except (NotRunningError, NotAnsweringError) as error:
        doc, code = _document_of_a_service_down(path, error)
    except ControlError as error:
        return failed(error)
    return _write_bundle(options, {"status": doc}) or code


def _write_bundle(options: argparse.Namespace, documents: dict[str, Any]) -> int:
    from intercom.cli.checks.diagnostics_bundle import bundle, file_name

    now = time.time()
    data = bundle(documents, now=now)
    if options.output is None and not sys.stdout.isatty():
        sys.stdout.buffer.write(data)
        return OK
    file: Path = options.output or Path(file_name(now))
    if not wrote(file, data):
        return TROUBLE
    say(f"{file}: attach it to the report. It holds who called; look before you send it.")
    return OK


def wrote(file: Path, data: bytes) -> bool:
    """Write a file for the user who typed the command, also behind sudo; on failure, say why and return False."""
    from intercom import atomic_file

    typed_by = os.environ.get("SUDO_UID", ""), os.environ.get("SUDO_GID", "")
    owner = (int(typed_by[0]), int(typed_by[1])) if all(number.isdecimal() for number in typed_by) else None
    try:
        atomic_file.hand_out(file, data, owner=owner)
    except OSError as error:
        complain(f"{error.strerror}: {file}")
        return False
    return True


@asking
def log(options: argparse.Namespace, client: Client) -> int:
    """Print the last lines of the log."""
    for line in client.ask("log", count=options.count):
        say("\n  ".join(text.printable(part) for part in line.split("\n")))
    return OK
