"""What the journal is sent: entries with fields, over a real datagram socket."""

from __future__ import annotations

import logging
import os
import socket
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest

from intercom.service.journald import JournalHandler, is_journal


class Journal:
    """The journal's end of the socket."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(path))
        self._socket.settimeout(30)

    def entry(self) -> dict[str, str]:
        """The next entry, as journald reads it."""
        rest, fields = self._socket.recv(1 << 20), {}
        while rest:
            line, rest = rest.split(b"\n", 1)
            name, equals, value = line.partition(b"=")
            if not equals:
                (size,) = struct.unpack("<Q", rest[:8])
                value, rest = rest[8 : 8 + size], rest[9 + size :]
            fields[name.decode()] = value.decode()
        return fields

    def close(self) -> None:
        self._socket.close()
        self.path.unlink()


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    journal = Journal(tmp_path / "socket")
    yield journal
    journal._socket.close()


@pytest.fixture
def log(journal: Journal) -> Iterator[logging.Logger]:
    log = logging.getLogger("intercom.tested")
    handler = JournalHandler(journal.path)
    log.addHandler(handler)
    yield log
    log.removeHandler(handler)
    handler.close()


@pytest.mark.parametrize(("level", "priority"), [("warning", "4"), ("error", "3"), ("critical", "2")])
def test_each_entry_has_its_priority(log: logging.Logger, journal: Journal, level: str, priority: str) -> None:
    getattr(log, level)("The %s works", "microphone")
    entry = journal.entry()
    assert (entry["MESSAGE"], entry["PRIORITY"]) == ("The microphone works", priority)
    assert (entry["LOGGER"], entry["SYSLOG_IDENTIFIER"]) == ("intercom.tested", "intercom")


def test_a_traceback_is_one_entry(log: logging.Logger, journal: Journal) -> None:
    log.error("It failed", exc_info=ValueError("a=b\nc"))
    entry = journal.entry()
    assert entry["MESSAGE"].startswith("It failed\n")
    assert entry["MESSAGE"].endswith("ValueError: a=b\nc")
    assert entry["EXCEPTION"] == "ValueError"


def test_without_a_journal_every_line_says_its_priority(
    log: logging.Logger, journal: Journal, capsys: pytest.CaptureFixture[str]
) -> None:
    journal.close()
    log.warning("one\ntwo")
    assert capsys.readouterr().err == "<4>one\n<4>two\n"


def test_an_inherited_variable_is_no_journal(tmp_path: Path) -> None:
    with (tmp_path / "file").open("w") as file:
        about = os.fstat(file.fileno())
        assert is_journal(file.fileno(), {"JOURNAL_STREAM": f"{about.st_dev}:{about.st_ino}"})
        assert not is_journal(file.fileno(), {"JOURNAL_STREAM": "8:12345"})
        assert not is_journal(file.fileno(), {})
