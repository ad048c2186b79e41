"""What the package keeps survives a power cut at any step of its writing: the old is found, or the new."""

from __future__ import annotations

import asyncio
import os
import shutil
import stat
import tempfile
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from intercom import atomic_file
from intercom.config import HistoryConfig
from intercom.control.ssh_keys import AuthorizedKeys, PublicKey
from intercom.history.call_log import CallLog, CallRecord
from intercom.media.sound.levels import Levels, LevelStore
from intercom.signalwire import FileStorage
from intercom.space.auth.credential import SpaceCredential, read_credential
from intercom.space.names import loopback_names
from intercom.space.store.store import Store
from intercom.space.tls.authority import Authority
from intercom.space.tls.certificate import Certificate
from intercom.space.visitors.book import Book
from intercom.space.visitors.visit import Picture, Visit
from tests.power_cut import Found, Writer, cut_everywhere

NOW = datetime(2030, 1, 1, tzinfo=UTC)
MEMORY = Path("/dev/shm")
"""The cutting counts what was synchronised, and needs no disk that does it: a busy one takes minutes."""
KEY = PublicKey("ssh-ed25519", "AAAAC3NzaC1lZDI1NTE5AAAAIA" + "A" * 42, "anna")
OTHER = PublicKey("ssh-ed25519", "AAAAC3NzaC1lZDI1NTE5AAAAIB" + "B" * 42, "ben")


def _nothing(folder: Path) -> None:
    """Nothing is there before."""


def _file(folder: Path) -> bytes | None:
    file = folder / "file"
    return file.read_bytes() if file.exists() else None


def _credential(secret: str) -> SpaceCredential:
    return SpaceCredential("http://127.0.0.1:1", "ws://127.0.0.1:1", "door", secret)


def _log(folder: Path) -> CallLog:
    return CallLog(folder / "calls.db", keep_calls=2, keep_days=90)


def _call(folder: Path, number: int) -> CallRecord:
    picture = folder / "snapshots" / f"{number}.jpg"
    atomic_file.replace(picture, b"JPEG" * 1000)
    return CallRecord(
        id=str(number),
        began_at=NOW.isoformat(),
        direction="outbound",
        address="/private/x",
        outcome="busy",
        snapshot=str(picture),
    )


def _log_with(*numbers: int) -> Callable[[Path], None]:
    def write(folder: Path) -> None:
        for number in numbers:
            _log(folder).add(_call(folder, number), NOW)

    return write


def _calls(folder: Path) -> list[str]:
    return [record.id for record in _log(folder).calls(10)]


def _store(folder: Path) -> Store:
    return Store(folder / "space.sqlite3", now=lambda: 0.0)


def _with_store(act: Callable[[Store], object]) -> Callable[[Path], None]:
    def run(folder: Path) -> None:
        store = _store(folder)
        act(store)
        store.close()

    return run


def _subscriber(folder: Path) -> bool:
    if not (folder / "space.sqlite3").exists():
        return False
    store = _store(folder)
    found = store.subscriber("anna") is not None
    store.close()
    return found


def _book(folder: Path) -> Book:
    return Book(folder / "visitors.sqlite3", HistoryConfig(keep_calls=2, snapshots=True))


def _visited(*rings: str) -> Callable[[Path], None]:
    def write(folder: Path) -> None:
        visits = [Visit(ring, "Door", "/private/door", "", NOW.timestamp()) for ring in rings]
        pictures = [Picture(ring, b"JPEG" * 1000) for ring in rings]
        _book(folder).write([*visits, *pictures], NOW.timestamp())

    return write


def _visitors(folder: Path) -> list[tuple[str, bytes | None]]:
    book = _book(folder)
    found = book.page(before=None, limit=10, seen=0).visits
    return [(one.visit.ring, book.picture(one.number)) for one in found]


def _ca_files() -> dict[str, bytes]:
    with tempfile.TemporaryDirectory() as folder:
        Authority(Path(folder)).ensure(loopback_names(), NOW)
        return {file.name: file.read_bytes() for file in Path(folder).iterdir()}


CA_FILES = _ca_files()


def _with_ca(folder: Path) -> None:
    for name, content in CA_FILES.items():
        (folder / name).write_bytes(content)


WRITERS = {
    "a file": Writer(
        lambda folder: (folder / "file").write_bytes(b"old" * 5000) and None,
        lambda folder: atomic_file.replace(folder / "file", b"new" * 9000),
        _file,
    ),
    "a new file": Writer(_nothing, lambda folder: atomic_file.replace(folder / "file", b"new" * 9000), _file),
    "credential": Writer(
        lambda folder: _credential("old").write(folder / "door.json"),
        lambda folder: _credential("new").write(folder / "door.json"),
        lambda folder: (found := read_credential(folder / "door.json")) and found.device_secret,
    ),
    "registration": Writer(
        lambda folder: asyncio.run(FileStorage(folder / "signalwire.json").set("sw:resume", "old")),
        lambda folder: asyncio.run(FileStorage(folder / "signalwire.json").set("sw:resume", "new")),
        lambda folder: asyncio.run(FileStorage(folder / "signalwire.json").get("sw:resume")),
    ),
    "levels": Writer(
        lambda folder: LevelStore(folder / "levels.json").save("card", Levels(speaker_db=-1)),
        lambda folder: LevelStore(folder / "levels.json").save("card", Levels(speaker_db=-2)),
        lambda folder: LevelStore(folder / "levels.json").load("card", Levels()).speaker_db,
    ),
    "SSH keys": Writer(
        lambda folder: AuthorizedKeys(folder / "authorized_keys").add(KEY, "viewer", program="/bin/intercom"),
        lambda folder: AuthorizedKeys(folder / "authorized_keys").add(OTHER, "operator", program="/bin/intercom"),
        lambda folder: [entry.key.name for entry in AuthorizedKeys(folder / "authorized_keys").installed()],
    ),
    "the first call": Writer(_nothing, _log_with(1), _calls),
    "a call that pushes out another": Writer(_log_with(1, 2), _log_with(3), _calls),
    "a new space": Writer(_nothing, _with_store(lambda store: store.add_subscriber("anna")), _subscriber),
    "a new subscriber": Writer(
        _with_store(lambda _: None), _with_store(lambda store: store.add_subscriber("anna")), _subscriber
    ),
    "the first visitor": Writer(_nothing, _visited("anna"), _visitors),
    "a visitor who pushes out another": Writer(_visited("anna", "ben"), _visited("cleo"), _visitors),
    "a visitor who is deleted": Writer(_visited("anna"), lambda folder: _book(folder).delete(1) and None, _visitors),
    "the house's CA": Writer(
        _nothing,
        lambda folder: Authority(folder).ensure(loopback_names(), NOW) and None,
        lambda folder: (folder / "ca.crt").exists() and bool(Authority(folder).name),
    ),
    "a certificate": Writer(
        _with_ca,
        lambda folder: Certificate(folder, loopback_names()).ensure(NOW) and None,
        lambda folder: (folder / "tls.crt").exists() and not Certificate(folder, loopback_names()).ensure(NOW),
    ),
}


@pytest.fixture(scope="module")
def cuts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Found]]:
    if shutil.which("gcc") is None:
        pytest.skip("gcc is not installed")
    if not os.access(MEMORY, os.W_OK):
        yield cut_everywhere("tests.test_atomic_file", tmp_path_factory.mktemp("cuts"))
        return
    with tempfile.TemporaryDirectory(prefix="cuts-", dir=MEMORY) as folder:
        yield cut_everywhere("tests.test_atomic_file", Path(folder))


@pytest.mark.timeout(900)  # the first of them waits for all cuts
@pytest.mark.parametrize("writer", WRITERS)
def test_a_power_cut_at_any_step_leaves_the_old_or_the_new(writer: str, cuts: dict[str, Found]) -> None:
    assert cuts[writer].bad == []
    assert cuts[writer].steps >= 5


@pytest.mark.timeout(900)
@pytest.mark.parametrize("writer", WRITERS)
def test_what_is_said_to_be_written_is_on_the_disk(writer: str, cuts: dict[str, Found]) -> None:
    assert cuts[writer].unsettled == 0


def test_a_file_is_its_owner_s_alone_from_the_first_moment(tmp_path: Path) -> None:
    atomic_file.replace(tmp_path / "deep" / "file", b"secret")
    assert stat.S_IMODE((tmp_path / "deep" / "file").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "deep").stat().st_mode) == 0o700


def test_a_link_beside_the_file_leads_nowhere(tmp_path: Path) -> None:
    """Root writes into homes that are others'."""
    other = tmp_path / "other"
    other.write_text("whole")
    (tmp_path / f".file.{os.getpid()}.new").symlink_to(other)
    atomic_file.replace(tmp_path / "file", b"new")
    assert (other.read_text(), (tmp_path / "file").read_bytes()) == ("whole", b"new")


def test_what_a_dead_writer_left_is_cleared_away_and_a_living_one_s_is_not(tmp_path: Path) -> None:
    dead, living = tmp_path / ".file.4194399.new", tmp_path / f".file.{os.getppid()}.new"
    for left in (dead, living):
        left.write_text("half")
    atomic_file.replace(tmp_path / "file", b"new")
    assert (dead.exists(), living.exists()) == (False, True)


def test_a_disk_that_is_full_leaves_the_old_file_and_no_other(tmp_path: Path) -> None:
    atomic_file.replace(tmp_path / "file", b"old")
    with pytest.raises(OSError, match="too large"):
        _with_a_limit_of(1000, lambda: atomic_file.replace(tmp_path / "file", b"x" * 5000))
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
    assert (tmp_path / "file").read_bytes() == b"old"


def _with_a_limit_of(size: int, write: Callable[[], None]) -> None:
    import resource

    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        write()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_two_threads_write_one_after_the_other(tmp_path: Path) -> None:
    contents = [bytes([letter]) * 100_000 for letter in b"ab"]
    threads = [
        threading.Thread(target=lambda data=data: [atomic_file.replace(tmp_path / "file", data) for _ in range(20)])
        for data in contents
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (tmp_path / "file").read_bytes() in contents
