"""What the database does for a house of any size: no request looks at everybody."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from intercom.space.auth.pairing import PairingCodes
from intercom.space.store.store import DATABASE, Store
from tests.growth import Database, counted_databases

FEW, MANY = 20, 80
NOON = 1_800_000_000.0
SAME = 1.25
"""Limit of the growth of what does not depend on the size of the house: a tree may be a little deeper."""


class Inhabited:
    """A store with so many residents, each with a device."""

    def __init__(self, directory: Path, size: int, database: Database) -> None:
        directory.mkdir()
        self.database = database
        self.store = Store(directory / DATABASE, now=lambda: NOON)
        self.store.add_group("house")
        self.codes = PairingCodes(self.store, now=lambda: NOON)
        self.secrets = []
        for number in range(size):
            resident = self.store.add_subscriber(f"resident-{number}", groups=("house",))
            self.secrets.append(self.store.add_device(resident, f"Phone {number}"))
        self.anna = self.store.add_subscriber("anna", "Anna", groups=("house",))
        self.secret = self.store.add_device(self.anna, "Anna's phone")


def signs_in(house: Inhabited) -> None:
    house.store.owner_of(house.secret)
    house.store.proofs.seen(house.secret)


def registers(house: Inhabited) -> None:
    house.store.subscriber_by_id(house.anna.id)
    house.store.proofs.registered(house.anna.id)
    house.store.codes.claimants()


def is_called(house: Inhabited) -> None:
    house.store.ringing_at("/private/anna")
    house.store.display_name("/private/anna")
    house.store.quiet.of_resident(house.anna.id)


def looks_at_its_own_addresses(house: Inhabited) -> None:
    house.store.addresses_of(house.anna.id)


def is_renamed(house: Inhabited) -> None:
    house.store.rename(house.anna, "Anna B.")


def joins(house: Inhabited) -> None:
    house.codes.claim(house.codes.invite("http://house").code)
    newcomer = house.store.add_subscriber(house.store.free_reference("Bert"), "Bert", groups=("house",))
    house.store.add_device(newcomer, "Bert's phone")


def is_removed(house: Inhabited) -> None:
    house.store.remove_subscriber("anna")


@pytest.mark.parametrize(
    "deed", [signs_in, registers, is_called, looks_at_its_own_addresses, is_renamed, joins, is_removed]
)
def test_what_one_device_does_costs_a_large_house_what_it_costs_a_small_one(
    deed: Callable[[Inhabited], None], tmp_path: Path
) -> None:
    with counted_databases() as database:
        few, many = (Inhabited(tmp_path / str(size), size, database) for size in (FEW, MANY))
        costs = [database.of(lambda house=house: deed(house)) for house in (few, many)]
    assert costs[1] <= costs[0] * SAME
