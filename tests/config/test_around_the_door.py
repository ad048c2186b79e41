"""The settings of what is wired around the door."""

from __future__ import annotations

import logging

import pytest

from intercom.config import NO_GPIO, Config, loads
from tests.config.problems import only_problem


def test_none_of_it_is_there_until_it_is_configured() -> None:
    config = Config()
    pins = (
        *(config.panel.chime_gpio, config.panel.bell_light_gpio),
        *(config.door.contact_gpio, config.door.exit_gpio, config.door.tamper_gpio),
    )
    assert set(pins) == {NO_GPIO}


@pytest.mark.parametrize("name", ["contact_gpio", "exit_gpio", "tamper_gpio"])
def test_a_pin_of_the_door_is_taken_once(name: str) -> None:
    problem = only_problem(f"[door]\nforced_after_s = 5\n{name} = 24")
    assert problem.message == "GPIO 24 is taken by door.relay_gpio: choose another"


@pytest.mark.parametrize("name", ["chime_gpio", "bell_light_gpio"])
def test_a_pin_of_the_panel_is_taken_once(name: str) -> None:
    assert "GPIO 22 is taken by panel.red_gpio" in only_problem(f"[panel]\n{name} = 22").message


def test_the_pulse_of_the_chime_is_bounded() -> None:
    assert only_problem("[panel]\nchime_s = 6").message == "expected a number from 0.1 to 5, not 6"


@pytest.mark.parametrize(("more", "notes"), [("", 1), ("forced_after_s = 0", 0), ("forced_after_s = 10", 0)])
def test_who_wires_a_contact_is_asked_whether_the_door_has_a_key(
    more: str, notes: int, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        loads(f"[door]\ncontact_gpio = 5\n{more}")
    assert sum("counts as forcing it" in record.getMessage() for record in caplog.records) == notes
