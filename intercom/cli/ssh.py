"""`intercom ssh-key` and `intercom ssh-gate`: let an SSH key run the door's commands and nothing else."""

from __future__ import annotations

import argparse
import os
import pwd
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from intercom.cli.remote import NOT_PERMITTED, OK, TROUBLE, complain, say
from intercom.control.errors import GateError, KeyFileError

USER = "intercom"
SSHD = "/usr/sbin/sshd"
SSHD_S = 5.0
"""Time limit for sshd to print its configuration; sshd needs some hundredths."""
ROLE_NAMES = ("viewer", "operator")


def add_commands(commands: Any) -> None:
    """Add the commands to the parser of `intercom`."""
    keys = commands.add_parser("ssh-key", help="say who may run commands over SSH")
    actions = keys.add_subparsers(metavar="ACTION", required=True)
    add = _action(actions, "add", "let a key run commands: a viewer's to look, an operator's to do", _add)
    add.add_argument("keyfile", type=Path, metavar="KEYFILE", help="a public key: the file that ends in .pub")
    add.add_argument("--role", choices=ROLE_NAMES, default="viewer", help="default: viewer")
    add.add_argument("--socket", type=Path, metavar="PATH", help="the door's control socket, if not the usual one")
    _action(actions, "list", "list the keys", _list)
    remove = _action(actions, "remove", "take a key's rights away", _remove)
    remove.add_argument("which", metavar="NAME|FINGERPRINT", help="as `intercom ssh-key list` shows it")

    gate = commands.add_parser("ssh-gate", help="run what an SSH client asks for, if its role may (for sshd)")
    gate.add_argument("role", nargs="?", choices=ROLE_NAMES, help="default: that of the session's key")
    gate.add_argument("--name", default="", help="whose key it is")
    gate.add_argument("--socket", type=Path, metavar="PATH")
    gate.set_defaults(run=_gate)


def _action(actions: Any, name: str, help_: str, run: Callable[[argparse.Namespace], int]) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = actions.add_parser(name, help=help_, description=help_.capitalize() + ".")
    parser.add_argument(
        "--file",
        type=Path,
        metavar="FILE",
        help="authorized_keys to write (default: that of the installed door, or yours)",
    )

    def guarded(options: argparse.Namespace) -> int:
        try:
            return run(options)
        except KeyFileError as error:
            complain(str(error))
        except OSError as error:
            complain(f"{error.strerror}: {error.filename}")
        return TROUBLE

    parser.set_defaults(run=guarded)
    return parser


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


def _gate(options: argparse.Namespace) -> int:
    """Run a key's forced command; SSH_ORIGINAL_COMMAND holds the client's request."""
    from intercom.control.ssh_gate import admit, shown

    asked = os.environ.pop("SSH_ORIGINAL_COMMAND", "")
    role, name, socket = options.role, options.name, options.socket
    try:
        if role is None:
            role, name, socket = _of_session()
        words = admit(role, asked, terminal=os.isatty(0) or os.isatty(1))
    except GateError as error:
        _log(f"refused {role or 'somebody'} {name or 'unnamed'}: {shown(asked)} ({error})")
        complain(str(error))
        return NOT_PERMITTED
    _log(f"{role} {name or 'unnamed'}: {' '.join(words)}")
    os.environ["INTERCOM_BY"] = f"ssh {name}" if name else "ssh"
    os.environ.pop("INTERCOM_SOCKET", None)
    if socket is not None:
        os.environ["INTERCOM_SOCKET"] = str(socket)
    from intercom.cli.main import main

    return main(words)


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
