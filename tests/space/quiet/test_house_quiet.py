"""How each device rings: by its own wish, by the house's, and for whoever always gets through."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from intercom.config import SpaceConfig
from intercom.space.quiet.house_quiet import HouseQuiet, Manner
from intercom.space.quiet.spells import Quiet
from intercom.space.store.records import Subscriber
from intercom.space.store.store import Store

EVENING = datetime(2026, 11, 28, 23, tzinfo=UTC).timestamp()
DOOR = "/private/door"
NIGHT = SpaceConfig(quiet_from="22:00", quiet_to="07:00", quiet_except=("/private/back-door", "button:Doctor"))
Quieting = Callable[[SpaceConfig], HouseQuiet]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    kept = Store(tmp_path / "space.sqlite3", now=lambda: EVENING)
    yield kept
    kept.close()


@pytest.fixture
def phone(store: Store) -> Subscriber:
    return store.add_subscriber("phone", "Phone")


@pytest.fixture
def house(store: Store) -> Quieting:
    """The house at eleven in the evening, with these settings."""
    return lambda config: HouseQuiet(store.quiet, config, wall=lambda: EVENING, zone=UTC)


def test_without_a_wish_every_device_rings_aloud(house: Quieting, phone: Subscriber) -> None:
    assert house(SpaceConfig()).manner(phone.id, DOOR) is Manner.ALOUD


def test_the_hours_of_the_house_silence_its_devices(house: Quieting, phone: Subscriber) -> None:
    assert house(NIGHT).manner(phone.id, DOOR) is Manner.SILENTLY


def test_a_house_that_wants_no_notification_is_left_alone(house: Quieting, phone: Subscriber) -> None:
    config = SpaceConfig(quiet_from="22:00", quiet_notify=False)
    assert house(config).manner(phone.id, DOOR) is Manner.NOT_AT_ALL


def test_a_device_that_is_quiet_leaves_the_others_their_bell(house: Quieting, store: Store, phone: Subscriber) -> None:
    quiet = house(SpaceConfig())
    quiet.order_resident(phone.id, quiet=True)
    assert quiet.manner(phone.id, DOOR) is Manner.SILENTLY
    assert quiet.manner(store.add_subscriber("tablet").id, DOOR) is Manner.ALOUD


def test_of_the_wishes_of_house_and_device_the_quieter_one_holds(house: Quieting, phone: Subscriber) -> None:
    quiet = house(NIGHT)
    quiet.set_resident(phone.id, begins="20:00", ends="08:00", notify=False)
    assert quiet.manner(phone.id, DOOR) is Manner.NOT_AT_ALL


@pytest.mark.parametrize(
    ("caller", "button", "manner"),
    [
        ("/private/back-door", "", Manner.ALOUD),
        (DOOR, "Doctor", Manner.ALOUD),
        (DOOR, "Smith", Manner.SILENTLY),
    ],
)
def test_whoever_always_gets_through_rings_aloud(
    house: Quieting, phone: Subscriber, caller: str, button: str, manner: Manner
) -> None:
    assert house(NIGHT).manner(phone.id, caller, button) is manner


def test_a_door_is_never_quiet(house: Quieting, store: Store) -> None:
    door = store.add_subscriber("door", kind="door")
    assert house(NIGHT).manner(door.id, "/private/phone") is Manner.ALOUD


def test_the_wishes_outlast_a_restart(house: Quieting, phone: Subscriber) -> None:
    quiet = house(SpaceConfig())
    quiet.set_resident(phone.id, begins="21:00", ends="06:00", notify=False)
    quiet.order_resident(phone.id, quiet=False)
    quiet.order_house(quiet=True, until="08:30")
    again = house(SpaceConfig())
    assert (again.of_house(), again.of_resident(phone.id)) == (quiet.of_house(), quiet.of_resident(phone.id))
    spell = again.spell(again.of_house())
    assert spell is not None
    assert spell.until == datetime(2026, 11, 29, 8, 30, tzinfo=UTC).timestamp()


def test_a_wish_is_deleted_with_its_device(house: Quieting, store: Store, phone: Subscriber) -> None:
    house(SpaceConfig()).order_resident(phone.id, quiet=True)
    assert [device.reference for device in store.quiet.devices()] == ["phone"]
    store.remove_subscriber("phone")
    assert store.quiet.devices() == []


def test_a_wish_that_cannot_be_read_is_none(house: Quieting, store: Store, phone: Subscriber) -> None:
    quiet = house(SpaceConfig())
    quiet.order_resident(phone.id, quiet=True)
    store.quiet._db.write(  # the file of another version, or of somebody who edits it
        lambda db: db.execute("UPDATE quiet SET wish = ?", ('{"begins": "99:99"}',))
    )
    assert quiet.of_resident(phone.id) == Quiet()
    assert quiet.manner(phone.id, DOOR) is Manner.ALOUD
