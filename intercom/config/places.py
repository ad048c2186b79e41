"""Check the files and directories that a configuration names, so that a missing one is reported before a start."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from intercom.config.reader import Reading
from intercom.config.schema import Config


def check_places(config: Config, reading: Reading) -> None:
    """Report every setting that names a missing file or an impossible directory."""
    account, space, audio = config.account, config.space, config.audio
    if account.credential_file:
        _check_file(reading, ("account", "credential_file"), account.credential_file, "put the credential there")
    if space.turn_secret_file:
        _check_file(reading, ("space", "turn_secret_file"), space.turn_secret_file, "put the shared secret there")
    if space.certificate:
        _check_file(reading, ("space", "certificate"), space.certificate, "put the certificate and its chain there")
    if space.key:
        _check_file(reading, ("space", "key"), space.key, "put the certificate's key there")
    if audio.simulated_voice:
        _check_file(reading, ("audio", "simulated_voice"), audio.simulated_voice, "put a WAV file there")
    if config.state_dir and (why := _why_no_directory(Path(config.state_dir))):
        reading.report(("state_dir",), f"{config.state_dir} cannot be a directory: {why}; choose another")


def _check_file(reading: Reading, key: tuple[str, str], name: str, mend: str) -> None:
    if name.startswith("$"):  # a variable of the service's environment, which is not ours
        return
    try:
        found = Path(name).is_file()
    except PermissionError:
        return  # this user may not see it, but the service may
    if not found:
        reading.report(key, f"there is no file {name}: {mend}, or name another")


def _why_no_directory(path: Path) -> str:
    """Return why `path` can never be a directory; an empty text when it is one or could be made."""
    if str(path).startswith("$"):
        return ""
    try:
        around = next(place for place in (path, *path.parents) if place.exists())
    except PermissionError:
        return ""
    if not around.is_dir():
        return f"{around} is a file"
    if not os.access(around, os.W_OK):
        return ""  # this user cannot judge it; `intercom doctor` looks as the service's user
    try:
        Path(tempfile.mkdtemp(dir=around)).rmdir()
    except OSError as error:
        return f"{around} takes no directories ({error.strerror})"
    return ""
