"""`intercom ssh-key` and `intercom ssh-gate`: let an SSH key run the door's commands and nothing else."""

from __future__ import annotations

import argparse
import os
import pwd
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from intercom.cli.command import Argument, Command
from intercom.cli.command_table import TABLE
from intercom.cli.options import Run
from intercom.cli.running_door.remote import NOT_PERMITTED, OK, TROUBLE, complain, say
from intercom.control.errors import GateError, KeyFileError
from intercom.control.roles import ROLES
from intercom.control.ssh_gate import Request, Rule, Value, admit, shown

USER = "intercom"
SSHD = "/usr/sbin/sshd"
SSHD_S = 5.0
"""Time limit for sshd to print its configuration; sshd needs some hundredths."""


def _guarded(act: Run) -> Run:
    """Return a command that reports a failure in one sentence."""

    def run(options: argparse.Namespace) -> int:
        try:
            return act(options)
        except KeyFileError as error:
            complain(str(error))
        except OSError as error:
            complain(f"{error.strerror}: {error.filename}")
        return TROUBLE

    return run


def _file(options: argparse.Namespace) -> Path:
    from intercom.control.ssh_keys import INSTALLED

    given: Path | None = options.file
    return given or (INSTALLED if INSTALLED.parent.is_dir() else Path.home() / ".ssh" / "authorized_keys")


def _add(options: argparse.Namespace) -> int:
    import shutil

    from intercom.control.ssh_keys import AuthorizedKeys, read_key_file

    key = read_key_file(options.keyfile)
    program = Path(sys.argv[0]).resolve()
    command = str(program) if os.access(program, os.X_OK) else shutil.which("intercom") or "intercom"
    file = _file(options)
    AuthorizedKeys(file).add(key, options.role, program=command, socket=options.socket)
    say(f"{key.name} ({key.fingerprint}) is a {options.role} now, in {file}.")
    if (shell := _shell_that_refuses()) and options.file is None:
        complain(f"the user {USER} has the shell {shell}, so sshd runs nothing: `usermod --shell /bin/sh {USER}`")
    if not _sshd_reads(file):
        complain(
            "sshd does not look there: put `Include /etc/ssh/sshd_config.d/*.conf` at the top of /etc/ssh/sshd_config, "
            "then `systemctl reload ssh`"
        )
    return OK


def _shell_that_refuses() -> str:
    try:
        shell = pwd.getpwnam(USER).pw_shell
    except KeyError:
        return ""
    return shell if Path(shell).name in ("nologin", "false") else ""


def _sshd_reads(file: Path) -> bool:
    """Return whether sshd reads the keys of an installed door from this file; True if sshd cannot be asked."""
    import subprocess

    from intercom.control.ssh_keys import INSTALLED

    if file != INSTALLED or os.geteuid() != 0:
        return True
    asked = [SSHD, "-T", "-C", f"user={USER},host=localhost,addr=127.0.0.1"]
    try:
        told = subprocess.run(asked, capture_output=True, text=True, timeout=SSHD_S, check=False)  # noqa: S603 - words of ours
    except (OSError, subprocess.TimeoutExpired):
        return True
    return told.returncode != 0 or f"authorizedkeysfile {file}" in told.stdout.splitlines()


def _list(options: argparse.Namespace) -> int:
    from intercom.cli.render import table
    from intercom.control.ssh_keys import AuthorizedKeys

    rows = [
        (entry.key.name, entry.role, entry.key.type, entry.key.fingerprint)
        for entry in AuthorizedKeys(_file(options)).installed()
    ]
    say(table(("NAME", "ROLE", "TYPE", "FINGERPRINT"), rows) if rows else "No key may run commands over SSH.")
    return OK


def _remove(options: argparse.Namespace) -> int:
    from intercom.control.ssh_keys import AuthorizedKeys

    for entry in AuthorizedKeys(_file(options)).remove(options.which):
        say(f"{entry.key.name} ({entry.key.fingerprint}) may do nothing any more.")
    return OK


add, list_, remove = _guarded(_add), _guarded(_list), _guarded(_remove)


def rules(role: str, table: Sequence[Command] = TABLE) -> dict[str, Rule]:
    """Return what the gate lets this role say: the commands of the table that name it, or a role below it."""
    return {
        command.words: Rule(
            {
                name: _value(argument)
                for argument in _over_ssh(command)
                if argument.is_option
                for name in argument.names
            },
            tuple(_value(argument) for argument in _over_ssh(command) if not argument.is_option),
            command.terminal,
        )
        for command in table
        if command.role in ROLES[: ROLES.index(role) + 1]
    }


def _over_ssh(command: Command) -> list[Argument]:
    return [argument for argument in command.takes if argument.ssh is not None]


def _value(argument: Argument) -> Value:
    return Value(argument.dest, argument.ssh or "", argument.is_required)


def options_of(command: Command, request: Request, **others: Any) -> argparse.Namespace:
    """Return a command's options as its parser would, from what the gate has parsed.

    The parser of `messages get` also sets the options of `messages`.
    """
    above = [one for one in TABLE if one.run and command.words.startswith(f"{one.words} ")]
    given = {
        argument.dest: argument.read(request.values[argument.dest])
        if argument.dest in request.values
        else argument.default
        for one in (*above, command)
        for argument in one.takes
    }
    return argparse.Namespace(**{**given, **command.sets, **others})


def gate(options: argparse.Namespace) -> int:
    """Run a key's forced command; SSH_ORIGINAL_COMMAND holds the client's request."""
    asked = os.environ.pop("SSH_ORIGINAL_COMMAND", "")
    role, name, socket = options.role, options.name, options.socket
    try:
        if role is None:
            role, name, socket = _of_session()
        request = admit(rules(role), asked, role=role, terminal=os.isatty(0) or os.isatty(1))
    except GateError as error:
        _log(f"refused {role or 'somebody'} {name or 'unnamed'}: {shown(asked)} ({error})")
        complain(str(error))
        return NOT_PERMITTED
    _log(f"{role} {name or 'unnamed'}: {asked}")
    os.environ.pop("INTERCOM_SOCKET", None)
    command = next(command for command in TABLE if command.words == request.command)
    return command(options_of(command, request, socket=socket, by=f"ssh {name}" if name else "ssh"))


def _of_session() -> tuple[str, str, Path | None]:
    """Return the role, name and socket of this session's key, for a gate that sshd itself forces."""
    from intercom.control.ssh_keys import INSTALLED, AuthorizedKeys

    try:
        signed_in = Path(os.environ["SSH_USER_AUTH"]).read_text(errors="replace")
        entry = AuthorizedKeys(INSTALLED).of_session(signed_in)
    except (KeyError, OSError):
        entry = None
    if entry is None:
        raise GateError(f"this key is not in {INSTALLED}: `sudo intercom ssh-key add` on the door puts it there")
    return entry.role, entry.key.name, entry.socket


def _log(line: str) -> None:
    import syslog

    syslog.openlog("intercom-ssh", syslog.LOG_PID, syslog.LOG_AUTHPRIV)
    syslog.syslog(syslog.LOG_NOTICE, line)
