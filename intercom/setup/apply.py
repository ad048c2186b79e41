"""`intercom setup`: asks about the door, writes its configuration, starts it and makes a test call."""

from __future__ import annotations

import argparse
import grp
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from intercom.cli.options import BAD_CONFIG, SYSTEM_CONFIG
from intercom.cli.running_door.remote import OK, TROUBLE, complain, say

if TYPE_CHECKING:
    from intercom.setup.answers import Answers
    from intercom.setup.config_edit import Draft
    from intercom.setup.dialogue import Told

UNITS = {"space": "intercom-space.service", "door": "intercom.service"}
SETTINGS_GROUP = "intercom-space"
"""Name of the group that both services belong to; see systemd/intercom.sysusers.conf."""
REGISTERED_S = 20.0
"""Time limit for the door to register: a Pi starts it within some seconds; a service far away takes one more."""
LOOK_AGAIN_S = 0.5


class _Terminal:
    """A dialogue with the person at this terminal."""

    def say(self, text: str = "") -> None:
        say(text)

    def ask(self, prompt: str) -> str:
        return input(prompt)

    def ask_secret(self, prompt: str) -> str:
        import getpass

        return getpass.getpass(prompt)


def setup(options: argparse.Namespace) -> int:
    """Ask about the door, or read the answers from a file, and put them into effect."""
    if options.answers is None and not sys.stdin.isatty():
        complain("setup asks questions at a terminal; `--answers FILE` answers them from a file")
        return TROUBLE
    file: Path = options.config
    folder = file.parent
    if not os.access(folder if folder.exists() else folder.parent, os.W_OK):
        complain(f"{folder} is not yours to write: run `sudo intercom setup`")
        return TROUBLE
    from intercom.setup.config_edit import Draft, DraftError

    try:
        draft = Draft(_text_of(file), folder)
    except DraftError as error:
        complain(f"{file}: {error}; mend that first, `intercom config check {file}` lists it all")
        return BAD_CONFIG
    try:
        return _work(options, draft, file)
    except DraftError as error:
        complain(f"{error}; nothing was written")
    except (EOFError, KeyboardInterrupt):
        say("")
        complain("stopped; nothing was written")
    except OSError as error:
        complain(f"{error.strerror}: {error.filename}")
    return TROUBLE


def _text_of(file: Path) -> str:
    from intercom.config import FILE_LIMIT_BYTES
    from intercom.setup.config_edit import DraftError

    try:
        with file.open("rb") as opened:
            return opened.read(FILE_LIMIT_BYTES).decode("utf-8-sig")
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeDecodeError) as error:
        raise DraftError(f"it cannot be read: {error}") from error


def _work(options: argparse.Namespace, draft: Draft, file: Path) -> int:
    from intercom.setup.answers import CREDENTIAL, apply, judged_notify_url, read_password, read_token
    from intercom.setup.dialogue import Told

    token_file = file.parent / "token"
    has_token = token_file.exists()
    if options.answers is not None:
        answers = _answers_in(options.answers)
        token = read_token(Path(answers.token_file)) if answers.token_file is not None else None
        named_password = answers.mqtt_password_file
        told = Told(answers, token, None if named_password is None else read_password(Path(named_password)))
        if answers.notify:
            judged_notify_url(answers.notify)
    else:
        told = _ask(draft, has_token=has_token, starts=_is_service(file))
    named = CREDENTIAL if file == SYSTEM_CONFIG else token_file.name
    has_token, has_password = has_token or told.token is not None, told.password is not None
    apply(told.answers, draft, has_token=has_token, has_password=has_password, credential_file=named)
    for change in draft.changes:
        say(f"  {change}")
    if not draft.changes and told.token is None and not has_password:
        say(f"{file} stays as it is.")
    elif options.answers is None and not _agreed(file):
        complain("nothing was written")
        return TROUBLE
    _write(draft, file, told, token_file)
    return _serve(draft, told.answers, file)


def _answers_in(name: str) -> Answers:
    from intercom.setup.answers import ANSWERS_LIMIT_BYTES, read
    from intercom.setup.config_edit import DraftError

    try:
        if name == "-":
            data = sys.stdin.buffer.read(ANSWERS_LIMIT_BYTES + 1)
        else:
            with Path(name).open("rb") as opened:
                data = opened.read(ANSWERS_LIMIT_BYTES + 1)
        if len(data) > ANSWERS_LIMIT_BYTES:
            raise DraftError(f"the answers are larger than {ANSWERS_LIMIT_BYTES // 1024} KiB: is it the right file?")
        return read(data.decode("utf-8-sig"))
    except OSError as error:
        raise DraftError(f"the answers in {name} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise DraftError("the answers are not UTF-8 text") from error


def _ask(draft: Draft, *, has_token: bool, starts: bool) -> Told:
    from intercom.setup.dialogue import talk
    from intercom.setup.hardware import look

    told = talk(_Terminal(), look(), draft.before, has_token=has_token, starts=starts)
    say("\nWhat changes:")
    return told


def _agreed(file: Path) -> bool:
    return input(f"\nWrite it to {file}?\n  [yes] > ").strip().lower() in {"", "y", "yes"}


def _write(draft: Draft, file: Path, told: Told, token_file: Path) -> None:
    """Write the configuration and its secrets in an order that never leaves a configuration without them."""
    from intercom import atomic_file
    from intercom.setup.answers import BROKER_FILE, CREDENTIAL

    file.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    for secret, place in ((told.token, token_file), (told.password, file.parent / BROKER_FILE)):
        if secret is not None:
            atomic_file.replace(place, f"{secret}\n".encode())
            say(f"{place}: written, mode 0600")
    if draft.changes:
        _write_settings(file, draft.text.encode())
        say(f"{file}: written")
    was = draft.before.account
    ours = was.credential == "token-file" and was.credential_file in {CREDENTIAL, token_file.name, str(token_file)}
    if ours and draft.now.account.credential == "space" and token_file.exists():
        token_file.unlink()
        say(f"{token_file}: removed; the embedded space needs no token")


def _write_settings(file: Path, data: bytes) -> None:
    """Write the settings so that only the services' group reads them: they may hold the keys that open the door."""
    from intercom import atomic_file

    try:
        services = grp.getgrnam(SETTINGS_GROUP).gr_gid if file == SYSTEM_CONFIG else None
    except KeyError:
        services = None
    if services is None:
        atomic_file.replace(file, data)
    else:
        atomic_file.hand_out(file, data, mode=0o640, owner=(0, services))


# -- the services --------------------------------------------------------------------------------------


def _serve(draft: Draft, answers: Answers, file: Path) -> int:
    """Restart the services where they are installed, and make the test call."""
    config = draft.now
    space = config.account.credential == "space"
    if not _is_service(file):
        _say_how_to_start(file, space=space, asked_for_test_call=bool(answers.test_call))
        return OK
    subprocess.run([*_intercom(), "wait"], stderr=subprocess.DEVNULL, check=False)  # noqa: S603 - ourselves
    say("Starting the door.")
    _systemctl("enable" if space else "disable", "--now", UNITS["space"])
    # Restart the space, too: it may run with other settings.
    names = [UNITS["space"], UNITS["door"]] if space else [UNITS["door"]]
    if not _systemctl("restart", *names):
        complain("the settings are written, but the door does not start: `journalctl -u intercom` says why")
        return TROUBLE
    if not _registers():
        complain("the settings are written, but the door is not registered yet: `intercom doctor` says what is missing")
        return TROUBLE
    say("The door is registered.")
    if space and config.space.listen.startswith(("0.0.0.0:", "[::]:")):
        say("Let a phone or tablet in: `sudo intercom space pair --name Kitchen`")
    if answers.api:
        say("Make a token for each program: `sudo intercom api token add NAME`")
    if answers.webhook:
        say("Try the webhook: `sudo intercom webhook test`")
    if answers.notify:
        say("Try what people elsewhere are told: `sudo intercom notify test`")
    if answers.test_call is False:
        return OK
    address = [] if answers.test_call is True else [str(answers.test_call)]
    say("Making the test call.")
    return subprocess.run([*_intercom(), "preflight", *address], check=False).returncode  # noqa: S603 - ourselves, an address that was checked


def _is_service(file: Path) -> bool:
    """Return whether a service installed here reads this file."""
    return file == SYSTEM_CONFIG and Path("/run/systemd/system").is_dir() and _systemctl("cat", UNITS["door"])


def _say_how_to_start(file: Path, *, space: bool, asked_for_test_call: bool) -> None:
    say(f"No service is installed here that reads {file}. To start the door by hand:")
    if space:
        say(f"  intercom space --config {file}   the house's own service; leave it running")
    say(f"  intercom run --config {file}     the door, {'in another terminal' if space else 'until Ctrl-C'}")
    if asked_for_test_call:
        say("No test call was made: the door does not run yet. `intercom preflight` makes one when it does.")


def _registers() -> bool:
    until = time.monotonic() + REGISTERED_S
    asked = [*_intercom(), "status", "--json"]  # ourselves
    while time.monotonic() < until:
        told = subprocess.run(asked, capture_output=True, text=True, check=False).stdout  # noqa: S603 - see above
        if '"registered": true' in told:
            return True
        time.sleep(LOOK_AGAIN_S)
    return False


def _intercom() -> list[str]:
    return [sys.executable, "-m", "intercom"]


def _systemctl(*words: str) -> bool:
    """Run the administrator's own systemctl; every word is a constant of ours. Return whether it succeeded."""
    command = ["systemctl", "--quiet", *words]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0  # noqa: S603 - see above
