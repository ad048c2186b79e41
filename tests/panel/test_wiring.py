"""The wiring that people follow is the one that the configuration means."""

import re
import runpy
from pathlib import Path
from typing import Any

import pytest

from intercom.config import DoorConfig, PanelConfig

HW = Path(__file__).parents[2] / "hw"


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
