"""The wiring that people follow is the one that the configuration means."""

import re
import runpy
import tomllib
from pathlib import Path
from typing import Any

import pytest

from intercom.config import DoorConfig, PanelConfig

HW = Path(__file__).parents[2] / "hw"
ENTRANCE = HW.parent / "docs" / "entrance.md"


@pytest.fixture
def wiring() -> dict[str, Any]:
    """The names of hw/wiring.py."""
    return runpy.run_path(str(HW / "wiring.py"))


def test_the_drawing_shows_the_default_pins(wiring: dict[str, Any]) -> None:
    assert (HW / "wiring.svg").read_text() == wiring["draw"]()


def test_the_pin_table_names_the_default_pins(wiring: dict[str, Any]) -> None:
    rows = re.findall(
        r"^\| (\w+) \| (\d+) \| (\d+) \| `(panel|door)\.(\w+)` \|", (HW / "README.md").read_text(), re.MULTILINE
    )
    assert {name: int(gpio) for name, gpio, *_ in rows} == wiring["assigned"]()
    for _, gpio, pin, table, setting in rows:
        assert getattr(PanelConfig() if table == "panel" else DoorConfig(), setting) == int(gpio)
        assert wiring["header_pin"](int(gpio)) == int(pin)


def test_what_is_around_the_door_is_drawn_at_the_pins_of_its_table_and_its_page(wiring: dict[str, Any]) -> None:
    around = wiring["AROUND"]
    assert set(around.values()).isdisjoint(wiring["assigned"]().values())
    rows = re.findall(r"GPIO (\d+), pin (\d+) \| `(panel|door)\.(\w+)`", (HW / "README.md").read_text())
    assert len(rows) == len(around)
    assert all(wiring["header_pin"](int(gpio)) == int(pin) for gpio, pin, *_ in rows)
    found = re.search(r"```toml\n(.*?)```", ENTRANCE.read_text(), re.DOTALL)
    assert found is not None
    page = tomllib.loads(found[1])
    assert [int(gpio) for gpio, *_ in rows] == [page[table][setting] for *_, table, setting in rows]
    assert {page[table][setting] for *_, table, setting in rows} == set(around.values())


def test_the_boot_configuration_turns_the_default_pins_off() -> None:
    panel, door = PanelConfig(), DoorConfig()
    lines = (HW / "config.txt").read_text().splitlines()
    assert f"gpio={door.relay_gpio}=op,dl" in lines
    lights = ",".join(map(str, sorted([panel.red_gpio, panel.green_gpio, panel.blue_gpio])))
    assert f"gpio={lights}=op,dl" in lines
    assert f"gpio={panel.button_gpio}=ip,pu" in lines


def test_what_the_guide_says_about_time_is_configured() -> None:
    text = (HW / "README.md").read_text()
    assert f"the pulse ({DoorConfig().pulse_s:g} s), at most the cap ({DoorConfig().cap_s:g} s)" in text
