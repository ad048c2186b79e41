"""`intercom config check` beside a house's space: it knows whom there is to ring."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from intercom.cli import main
from intercom.cli.options import BAD_CONFIG
from intercom.cli.running_door.remote import OK
from intercom.space.auth.credential import SpaceCredential
from intercom.space.store.store import DATABASE, Store


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Path]:
    """The state directory of a house with a door and Anna's phone."""
    store = Store(tmp_path / DATABASE, now=time.time)
    store.add_group("house")
    door = store.add_subscriber("door", kind="door")
    store.add_subscriber("anna", "Anna", groups=("house",))
    credential(store.add_device(door, "Door"), tmp_path)
    yield tmp_path
    store.close()


def credential(secret: str, directory: Path) -> None:
    SpaceCredential("http://localhost:1", "ws://localhost:1", "door", secret).write(directory / "door.json")


def checked(house: Path, plan: str) -> int:
    file = house / "intercom.toml"
    file.write_text(f'state_dir = "{house}"\n{plan}')
    return main.main(["config", "check", str(file)])


def test_a_device_that_the_house_does_not_have_is_named_with_its_line_and_the_likely_one(
    house: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert checked(house, '[[call.plan]]\nring = ["/private/house", "/private/ana"]\n') == BAD_CONFIG
    said = capsys.readouterr().err
    assert "line 3: call.plan.ring: nobody in this house has the address /private/ana" in said
    assert "did you mean /private/anna?" in said


def test_a_plan_for_devices_and_groups_of_the_house_is_good(house: Path) -> None:
    assert checked(house, '[[call.plan]]\nring = ["/private/anna?channel=audio"]\n[[call.plan]]\n') == OK


def test_the_usual_address_counts_only_where_something_rings_it(
    house: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    usual = '[call]\nring = "/private/upstairs"\n'
    assert checked(house, usual) == BAD_CONFIG
    assert "line 3: call.ring" in capsys.readouterr().err
    assert checked(house, f'{usual}[[call.plan]]\nring = ["/private/anna"]\n') == OK


def test_the_house_of_another_machine_is_not_judged_by_what_lies_here(house: Path) -> None:
    credential("another house's secret", house)
    assert checked(house, '[[call.plan]]\nring = ["/private/ben"]\n') == OK


def test_without_a_space_on_this_machine_nothing_is_claimed(tmp_path: Path) -> None:
    credential("a door's secret", tmp_path)
    assert checked(tmp_path, '[[call.plan]]\nring = ["/private/ben"]\n') == OK


def test_a_check_writes_nothing_into_the_house(house: Path) -> None:
    before = {file.name: file.stat().st_mtime_ns for file in house.iterdir()}
    checked(house, '[[call.plan]]\nring = ["/private/anna"]\n')
    after = {file.name: file.stat().st_mtime_ns for file in house.iterdir() if file.name != "intercom.toml"}
    assert after == before
