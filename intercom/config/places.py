"""Check the files and directories that a configuration names, so that a missing one is reported before a start."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from intercom.config.reader import Reading
from intercom.config.schema import Config

_MQTT_FILES = {
    "password_file": "put the password there",
    "ca_file": "put the CA's certificate there",
    "certificate": "put the certificate and its chain there",
    "key": "put the certificate's key there",
}
"""Files that the settings of the broker name, and what to do where one is missing."""


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
    for name, mend in _MQTT_FILES.items():
        if file := getattr(config.mqtt, name):
            _check_file(reading, ("mqtt", name), file, mend)
    if config.api.certificate:
        _check_file(reading, ("api", "certificate"), config.api.certificate, "put the certificate and its chain there")
    if config.api.key:
        _check_file(reading, ("api", "key"), config.api.key, "put the certificate's key there")
    for number, hook in enumerate(config.webhook, start=1):
        if hook.certificate:
            key = ("webhook", str(number), "certificate")
            _check_file(reading, key, hook.certificate, "put the receiver's CA there")
    if audio.simulated_voice:
        _check_file(reading, ("audio", "simulated_voice"), audio.simulated_voice, "put a WAV file there")
    if config.state_dir and (why := _why_no_directory(Path(config.state_dir))):
        reading.report(("state_dir",), f"{config.state_dir} cannot be a directory: {why}; choose another")


def _check_file(reading: Reading, key: tuple[str, ...], name: str, mend: str) -> None:
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
