"""What stands in files: the configuration that people write, and our own state after a power cut or a bad card."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Callable
from pathlib import Path

from intercom.config import ConfigError, example, loads
from intercom.devices.memory import Memory
from intercom.media.sound.levels import Levels, LevelStore
from intercom.setup.answers import read as read_answers
from intercom.setup.config_edit import DraftError
from intercom.signalwire.account.credentials import SpaceCredentials
from intercom.signalwire.errors import InvalidCredentialsError, StorageError
from intercom.signalwire.storage import FileStorage

Read = Callable[[bytes], None]
CONFIGURATIONS = (
    example().replace("\n#", "\n").encode(),
    b'[call]\nring = "/private/anna"\nauto_answer = ["residents", "/private/*"]\n\n[door]\nopen_digits = "9"\n',
    b'state_dir = "x"\n[space]\nlisten = "0.0.0.0:8443"\nhost_names = ["door.local"]\nturn_listen = "192.0.2.1:3478"\n',
    b'service = "space"\nnetwork = true\nbutton = 5\nlight = "rgb"\n',
)


def configuration() -> Read:
    """A configuration: every problem is a sentence with its place, and none shows a secret."""

    def read(data: bytes) -> None:
        text = data.decode("utf-8", "replace")
        try:
            loads(text, Path("/etc/intercom"), {})
        except ConfigError as error:
            assert error.problems
            assert all(str(problem).isprintable() and len(str(problem)) < 600 for problem in error.problems)
        try:
            read_answers(text)
        except DraftError as problem:
            assert str(problem)

    return read


STATE = (
    b'{"resume": "{}", "dpop": "x"}',
    b'{"preferred":{},"history":[]}',
    b'{"Device": {"speaker_db": -3.0, "microphone_db": 0.0, "speaker_muted": false, "microphone_muted": false}}',
    b'{"api_url":"https://a","relay_url":"wss://a","device_secret":"s","certificate":null}',
)


def state() -> Read:
    """Our own state files, however damaged: they are replaced or refused in a sentence, and nothing stops."""
    folder = tempfile.TemporaryDirectory(prefix="fuzz-")
    path = Path(folder.name, "state.json")

    def read(data: bytes, _kept: object = folder) -> None:
        path.write_bytes(data)
        Memory(path)
        LevelStore(path).load("Device", Levels())
        with contextlib.suppress(StorageError):
            FileStorage(path)._load()
        with contextlib.suppress(InvalidCredentialsError):
            assert SpaceCredentials(path).hosts is not None

    return read
