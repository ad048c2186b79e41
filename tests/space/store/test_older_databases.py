"""A database that an older release left, or a newer one: it is brought up to date once, or left alone."""

from __future__ import annotations

import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from importlib.resources import files
from pathlib import Path

import pytest

from intercom.space.auth.pairing import PairingCodes
from intercom.space.errors import StoreError
from intercom.space.shown_name import shown_name
from intercom.space.store.records import Device
from intercom.space.store.store import DATABASE, Store


def noon() -> float:
    """The time of day."""
    return 1_800_000_000.0


def database_of_the_first_release(path: Path, door: str = "Door") -> None:
    """A door and a paired tablet, each with one device, as version 1 wrote them."""
    schema = files("intercom.space.store").joinpath("schema-1.sql").read_text()
    db = sqlite3.connect(path)
    db.executescript(schema)
    db.execute("INSERT INTO groups VALUES ('g1', 'house')")
    for name, shown in (("kitchen", "Kitchen"), ("door", door)):
        db.execute("INSERT INTO subscribers VALUES (?, ?, ?)", (f"s-{name}", name, shown))
        address = (f"a-{name}", f"/private/{name}", shown, "subscriber", f"s-{name}", "2026-01-02T03:04:05+00:00")
        db.execute("INSERT INTO addresses VALUES (?, ?, ?, ?, ?, ?)", address)
        secret = sha256(f"secret of {name}".encode()).hexdigest()
        db.execute("INSERT INTO devices VALUES (?, ?, ?)", (secret, f"s-{name}", shown))
    db.execute("INSERT INTO members VALUES ('g1', 's-kitchen')")
    db.execute("PRAGMA user_version=1")
    db.commit()
    db.close()


def test_a_database_of_the_first_release_keeps_its_devices(tmp_path: Path) -> None:
    database_of_the_first_release(tmp_path / DATABASE)
    store = Store(tmp_path / DATABASE, now=noon)
    assert store.owner_of("secret of kitchen").reference == "kitchen"
    _, device = store.devices()
    assert (device.paired_at, device.seen_on) == ("2026-01-02T03:04:05+00:00", "")
    codes = PairingCodes(store, now=noon)
    codes.claim(codes.invite("http://house").code)


def test_an_older_database_knows_its_doors_by_that_they_were_never_paired(tmp_path: Path) -> None:
    database_of_the_first_release(tmp_path / DATABASE, door="Front\u202e door\n")
    store = Store(tmp_path / DATABASE, now=noon)
    assert [(device.name, device.kind) for device in store.devices()] == [
        ("Front door", "door"),
        ("Kitchen", "resident"),
    ]
    door = store.address("/private/door")
    assert door is not None
    assert (door.display_name, door.member_kind) == ("Front door", "door")


def test_processes_that_meet_an_old_database_bring_it_up_to_date_once(tmp_path: Path) -> None:
    database_of_the_first_release(tmp_path / DATABASE)
    together = threading.Barrier(4)

    def look(_: int) -> list[Device]:
        together.wait()
        store = Store(tmp_path / DATABASE, now=noon)
        try:
            return store.devices()
        finally:
            store.close()

    with ThreadPoolExecutor(4) as pool:
        first, *others = pool.map(look, range(4))
    assert others == [first] * 3


def test_a_device_and_a_code_of_before_the_proofs_stay_good(tmp_path: Path) -> None:
    database_of_the_first_release(tmp_path / DATABASE)
    with sqlite3.connect(tmp_path / DATABASE) as db:
        db.create_function("shown", 2, shown_name, deterministic=True)
        for version in (2, 3, 4):
            db.executescript(files("intercom.space.store").joinpath(f"schema-{version}.sql").read_text())
        code = sha256(b"ABCDE12345").hexdigest()
        db.execute("INSERT INTO pairing_codes VALUES (?, ?, NULL)", (code, noon() + 300))
        db.execute("PRAGMA user_version=4")
    store = Store(tmp_path / DATABASE, now=noon)
    _, device = store.devices()
    assert (device.registered_on, device.rang_at, device.woken_at) == ("", 0.0, 0.0)
    assert PairingCodes(store, now=noon).claim("abcde-12345").invited_by == ""
    store.proofs.rang("secret of kitchen", "closed")
    assert [found.woken_at for found in store.devices()] == [0.0, noon()]


def test_a_database_of_a_newer_release_is_left_alone(tmp_path: Path) -> None:
    Store(tmp_path / DATABASE, now=noon).close()
    with sqlite3.connect(tmp_path / DATABASE) as db:
        db.execute("PRAGMA user_version=99")
    with pytest.raises(StoreError, match="newer version"):
        Store(tmp_path / DATABASE, now=noon)
