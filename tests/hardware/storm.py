"""Writes everything that a door station and its space keep, without end, until the power goes; inside a guest.

`python -m tests.hardware.storm STATE SAID` first looks at what the last power cut left in STATE: every file has to
load, and to hold what was said to be written, or what was being written. Then it goes on. SAID is on the host's side:
what stands there was said before the power went.
"""

from __future__ import annotations

import asyncio
import itertools
import sqlite3
import sys
import time
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from intercom import atomic_file, config
from intercom.control.ssh_keys import AuthorizedKeys, PublicKey
from intercom.history.call_log import CallLog, CallRecord
from intercom.signalwire.storage import FileStorage
from intercom.space.auth.credential import SpaceCredential, read_credential
from intercom.space.store.store import Store

PICTURE = b"\xff\xd8JPEG" * 5000


class Keeper:
    """All that is kept, in one directory."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._session = FileStorage(directory / "signalwire.json")
        self._keys = AuthorizedKeys(directory / ".ssh" / "authorized_keys")
        self._calls = CallLog(directory / "calls.db", keep_calls=20, keep_days=90)
        self._space = Store(directory / "space.sqlite3", now=time.time)

    def found(self) -> dict[str, int]:
        """The number that each file was last written with; 0 where there is none yet. Raises on a damaged one."""
        found = {
            "session": int(asyncio.run(self._session.get("sw:resume")) or 0),
            "credential": self._credential(),
            "configuration": self._configuration(),
            "keys": max((int(entry.key.name) for entry in self._keys.installed()), default=0),
            "calls": int(next((call.id for call in self._calls.calls(1)), "0")),
            "space": self._subscribers(),
        }
        for file in ("calls.db", "space.sqlite3"):
            if (self._directory / file).exists():
                with closing(sqlite3.connect(self._directory / file)) as database:
                    assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        for call in self._calls.calls(100):
            assert Path(call.snapshot).read_bytes() == PICTURE, call
        return found

    def write(self, number: int) -> None:
        """Write everything with a number, in the order of `found`."""
        asyncio.run(self._session.set("sw:resume", str(number)))
        SpaceCredential("http://127.0.0.1:1", "ws://127.0.0.1:1", str(number), "secret").write(self._door)
        atomic_file.replace(self._file, f"[call]\nring_time_s = {number / 1000 + 1}\n".encode())
        blob = "AAAAC3NzaC1lZDI1NTE5AAAAI" + f"{number:043}"
        self._keys.add(PublicKey("ssh-ed25519", blob, str(number)), "viewer", program="/opt/intercom/bin/intercom")
        for old in self._keys.installed()[:-5]:
            self._keys.remove(old.key.name)
        self._call(number)
        self._space.add_subscriber(f"guest-{number}")

    @property
    def _door(self) -> Path:
        return self._directory / "door.json"

    @property
    def _file(self) -> Path:
        return self._directory / "intercom.toml"

    def _credential(self) -> int:
        if not self._door.exists():
            return 0
        credential = read_credential(self._door)
        assert credential is not None
        return int(credential.subscriber)

    def _configuration(self) -> int:
        if not self._file.exists():
            return 0
        return round((config.load(self._file).call.ring_time_s - 1) * 1000)

    def _subscribers(self) -> int:
        numbers = itertools.takewhile(lambda number: self._space.subscriber(f"guest-{number}"), itertools.count(1))
        return max(numbers, default=0)

    def _call(self, number: int) -> None:
        now = datetime.now(UTC)
        picture = self._calls.pictures / f"{time.time_ns()}.jpg"
        atomic_file.replace(picture, PICTURE)
        self._calls.add(
            CallRecord(
                id=str(number),
                began_at=now.isoformat(),
                direction="outbound",
                address="/private/house",
                outcome="answered",
                snapshot=str(picture),
            ),
            now,
        )


def check(found: dict[str, int], said: int) -> None:
    """What was said to be written is there; at most the writing that the power broke off is there besides."""
    for name, number in found.items():
        assert number in (said, said + 1), f"{name}: found {number}, but {said} was said to be written"
    done = [number - said for number in found.values()]
    assert done == sorted(done, reverse=True), f"out of order: {found}"


def main(state: Path, said_file: Path) -> None:
    """Look, then write until the end."""
    said = last_said(said_file)
    keeper = Keeper(state)
    check(keeper.found(), said)
    for number in itertools.count(said + 1):
        keeper.write(number)
        with said_file.open("a") as file:
            file.write(f"{number}\n")


def last_said(file: Path) -> int:
    """The last number that stands there whole; 0 where none does."""
    *whole, _ = file.read_text().split("\n") if file.exists() else ["0", ""]
    return int(whole[-1]) if whole else 0


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
