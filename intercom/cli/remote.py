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

OK, TROUBLE, NOT_RUNNING, NOT_ANSWERING, REFUSED, NOT_PERMITTED = 0, 1, 3, 4, 5, 6
"""Exit statuses; argparse's own is 2. docs/commands.md explains them."""

Ask = Callable[["argparse.Namespace", Client], int]


class StatusOptions(Protocol):
    """Options of `status`."""

    json: bool
    socket: Path | None


def add_commands(commands: Any) -> None:
    """Add all but `status`, `watch` and `wait` to the parser of `intercom`."""
    call = add_command(commands, "call", "ring the house, or an address", _call)
    call.add_argument("address", nargs="?", default="", metavar="ADDRESS", help="default: whom the button rings")
    add_command(commands, "answer", "answer the call that rings at the door", _simple("answer", "Answered."))
    add_command(commands, "hangup", "end the call, however far it has come", _simple("hangup", "The call ends."))
    dtmf = add_command(commands, "dtmf", "press telephone keys at the far end of the call", _dtmf)
    dtmf.add_argument("digits", metavar="DIGITS", help="0-9, *, #, A-D; quote the # from the shell")
    for name, on in (("mute", True), ("unmute", False)):
        help_ = "silence the microphone or the speaker" if on else "let the microphone or the speaker be heard again"
        mute = add_command(commands, name, help_, _mute)
        mute.add_argument("what", nargs="?", default="microphone", choices=("microphone", "speaker"))
        mute.set_defaults(on=on)
    volume = add_command(
        commands,
        "volume",
        "make the speaker or the microphone louder or softer; each sound card keeps its own",
        _volume,
    )
    volume.add_argument("what", nargs="?", default="speaker", choices=("speaker", "microphone"))
    volume.add_argument("db", nargs="?", type=float, metavar="DB", help="-60 to 20; without it: tell how loud it is")
    camera = add_command(commands, "camera", "switch the camera off for privacy, or on again; it stays so", _camera)
    camera.add_argument("what", nargs="?", choices=("on", "off"), help="without it: tell whether it may run")
    still = add_command(commands, "snapshot", "take a picture, or fetch the one of the last press", _snapshot)
    still.add_argument("file", type=Path, metavar="FILE", help="a JPEG; - is standard output")
    still.add_argument("--last", action="store_true", help="the picture of the last press")
    door = commands.add_parser("door", help="open the door").add_subparsers(metavar="ACTION", required=True)
    add_command(door, "open", "open the door for its pulse", _open_door)
    add_command(commands, "devices", "list what is plugged in and what is used", _devices, json=True)
    calls = add_command(commands, "calls", "list the last calls", _calls, json=True)
    calls.add_argument("-n", type=int, default=20, metavar="COUNT", dest="count", help="how many (default: 20)")
    faults = add_command(commands, "faults", "list what is broken, and what was", _faults, json=True)
    faults.add_argument("-n", type=int, default=20, metavar="COUNT", dest="count", help="how many (default: 20)")
    add_command(commands, "metrics", "print the figures in Prometheus's text format", _metrics)
    log = add_command(commands, "log", "print the last lines of the log", _log)
    log.add_argument("-n", type=int, default=50, metavar="COUNT", dest="count", help="how many (default: 50)")
    bundle = add_command(commands, "diagnostics", "write a bundle for a bug report, without secrets", _diagnostics)
    bundle.add_argument("-o", "--output", type=Path, metavar="FILE", help="default: a file here; in a pipe, the pipe")
    bundle.set_defaults(run=_run_diagnostics)
    add_command(commands, "restart", "restart the door station (under systemd)", _simple("restart", "It restarts."))


def add_status(commands: Any) -> None:
    """Add `status`, the command that must answer soonest."""
    status = add_command(commands, "status", "tell what the door station is doing", _status, json=True)
    status.set_defaults(run=run_status)


def add_command(commands: Any, name: str, help_: str, ask: Ask, *, json: bool = False) -> argparse.ArgumentParser:
    """Add one command that asks the service, and return its parser for further options."""
    parser: argparse.ArgumentParser = commands.add_parser(name, help=help_, description=help_.capitalize() + ".")
    parser.add_argument("--socket", type=Path, metavar="PATH", help="the control socket (default: where it is found)")
    if json:
        parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(run=_run, ask=ask, by=os.environ.get("INTERCOM_BY", ""))
    return parser


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


def _run(options: argparse.Namespace) -> int:
    try:
        with Client(socket_of(options)) as client:
            ask: Ask = options.ask
            return ask(options, client)
    except ControlError as error:
        return failed(error)


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
    from intercom.cli import service_down as down

    path = socket_of(options)
    try:
        with Client(path, hello_s=down.patience_s(path)) as client:
            return _status(options, client)
    except NotRunningError:
        doc, code = down.not_running(path), NOT_RUNNING
    except NotAnsweringError as error:
        doc, code = down.not_answering(path, error), NOT_ANSWERING
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


def _simple(method: str, done: str) -> Ask:
    def ask(options: argparse.Namespace, client: Client) -> int:
        client.ask(method, by=options.by)
        say(done)
        return OK

    return ask


def _call(options: argparse.Namespace, client: Client) -> int:
    answer = client.ask("call", address=options.address, by=options.by)
    say(f"Calling {text.printable(answer['calling'])}.")
    return OK


def _dtmf(options: argparse.Namespace, client: Client) -> int:
    answer = client.ask("dtmf", digits=options.digits.upper(), by=options.by)
    say(f"Pressed {answer['sent']} {'key' if answer['sent'] == 1 else 'keys'}.")
    return OK


def _mute(options: argparse.Namespace, client: Client) -> int:
    answer = client.ask("mute", what=options.what, on=options.on, by=options.by)
    say(f"The {answer['what']} is {'muted' if answer['muted'] else 'heard again'}.")
    return OK


def _volume(options: argparse.Namespace, client: Client) -> int:
    answer = client.ask("volume", what=options.what, gain_db=options.db, by=options.by)
    say(f"The {answer['what']} is at {answer['gain_db']:g} dB.")
    return OK


def _camera(options: argparse.Namespace, client: Client) -> int:
    on = None if options.what is None else options.what == "on"
    answer = client.ask("camera", on=on, by=options.by)
    by = answer["forbidden_by"]
    if by:
        say(f"The camera is off, by {' and '.join(by)}.")
    else:
        say(f"The camera may run, and {'runs' if answer['running'] else 'does not run'} now.")
    return REFUSED if on and by else OK


def _snapshot(options: argparse.Namespace, client: Client) -> int:
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


def _open_door(options: argparse.Namespace, client: Client) -> int:
    answer = client.ask("door.open", by=options.by)
    say(f"The door is open for {answer['open_s']:g} s.")
    return OK


# -- asking --------------------------------------------------------------------------------------------


def _devices(options: argparse.Namespace, client: Client) -> int:
    found = client.ask("devices")
    if options.json:
        print_json(found)
    else:
        say(text.devices(found, colour=colour(), local=local))
    return OK


def _calls(options: argparse.Namespace, client: Client) -> int:
    records = client.ask("calls", count=options.count)
    if options.json:
        print_json(records)
    else:
        say(text.calls(records, local=local))
    return OK


def _faults(options: argparse.Namespace, client: Client) -> int:
    records = client.ask("faults", count=options.count)
    if options.json:
        print_json(records)
    else:
        say(text.faults(records, local=local))
    return OK


def _metrics(options: argparse.Namespace, client: Client) -> int:
    sys.stdout.write(client.ask("metrics"))
    return OK


def _run_diagnostics(options: argparse.Namespace) -> int:
    """Write the diagnostics bundle, also when the service does not answer."""
    from intercom.cli import service_down as down

    path = socket_of(options)
    try:
        with Client(path) as client:
            return _diagnostics(options, client)
    except NotRunningError:
        doc, code = down.not_running(path), NOT_RUNNING
    except NotAnsweringError as error:
        doc, code = down.not_answering(path, error), NOT_ANSWERING
    except ControlError as error:
        return failed(error)
    return _write_bundle(options, {"status": doc}) or code


def _diagnostics(options: argparse.Namespace, client: Client) -> int:
    return _write_bundle(options, client.ask("diagnostics"))


def _write_bundle(options: argparse.Namespace, documents: dict[str, Any]) -> int:
    from intercom.cli.diagnostics_bundle import bundle, file_name

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


def _log(options: argparse.Namespace, client: Client) -> int:
    for line in client.ask("log", count=options.count):
        say("\n  ".join(text.printable(part) for part in line.split("\n")))
    return OK
