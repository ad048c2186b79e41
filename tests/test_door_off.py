"""`intercom door-off`: what it reads of the configuration, and how little it loads."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from deb.environment import LAUNCHER
from intercom import door_off
from intercom.config import Config
from intercom.config.migrations import HISTORY
from intercom.config.schema import GPIO_HIGHEST

PIPS = "import sys; from intercom.cli.fast_status import main; sys.exit(main())"
"""The command as pip makes it."""
SLOW = ("argparse", "dataclasses", "gpiozero", "intercom.config", "intercom.panel", "lgpio", "logging")


@pytest.fixture
def driven(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, bool]]:
    """The relays that are driven off: GPIO, and whether high turns it on."""
    relays: list[tuple[int, bool]] = []

    def drive_off(gpio: int, active_high: bool, name: str) -> str:
        relays.append((gpio, active_high))
        return "It is off."

    monkeypatch.setattr(door_off, "drive_off", drive_off)
    monkeypatch.setattr(door_off, "is_pi", lambda: True)
    return relays


@pytest.mark.parametrize(
    ("text", "relay"),
    [
        ("", (24, True)),
        ("[door]\nrelay_gpio = 5\nrelay_active_high = false\n", (5, False)),
        ("[door]\nrelay_gpio = 5\ntypo = 1\n", (5, True)),
        ('[door]\nrelay_gpio = 99\nrelay_active_high = "no"\n', (24, True)),
        ("door = 5\npanel = 6\n", (24, True)),
        ("[door\n", (24, True)),
        ("[door]\nrelay_gpio = " + 5000 * "[", (24, True)),
        ("\ufeff[door]\nrelay_gpio = 5\n", (5, True)),
    ],
)
def test_the_relay_is_the_configured_one_as_far_as_the_file_tells(
    tmp_path: Path, driven: list[tuple[int, bool]], text: str, relay: tuple[int, bool]
) -> None:
    file = tmp_path / "intercom.toml"
    file.write_text(text)
    assert door_off.run(str(file)) == 0
    assert driven == [relay]


@pytest.mark.parametrize(
    ("text", "relays"),
    [
        ("[panel]\nchime_gpio = 12\n", [(24, True), (12, True)]),
        ("[panel]\nchime_gpio = 12\nchime_active_high = false\n", [(24, True), (12, False)]),
        ("[panel]\nchime_gpio = -1\n", [(24, True)]),
        ('[panel]\nchime_gpio = "12"\n', [(24, True)]),
    ],
)
def test_the_chime_is_turned_off_after_the_door(
    tmp_path: Path, driven: list[tuple[int, bool]], text: str, relays: list[tuple[int, bool]]
) -> None:
    file = tmp_path / "intercom.toml"
    file.write_text(text)
    assert door_off.run(str(file)) == 0
    assert driven == relays


def test_a_door_that_cannot_be_locked_does_not_keep_the_chime_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, driven: list[tuple[int, bool]]
) -> None:
    def drive_off(gpio: int, active_high: bool, name: str) -> str:
        if name == "door":
            raise PermissionError(13, "Permission denied")
        driven.append((gpio, active_high))
        return "It is off."

    monkeypatch.setattr(door_off, "drive_off", drive_off)
    file = tmp_path / "intercom.toml"
    file.write_text("[panel]\nchime_gpio = 12\n")
    assert door_off.run(str(file)) == 1
    assert driven == [(12, True)]


def test_without_a_configuration_it_is_the_default_relay(tmp_path: Path, driven: list[tuple[int, bool]]) -> None:
    assert door_off.run(str(tmp_path / "none.toml")) == 0
    assert driven == [(24, True)]


def test_simulated_pins_have_nothing_to_turn_off(tmp_path: Path, driven: list[tuple[int, bool]]) -> None:
    file = tmp_path / "intercom.toml"
    file.write_text('[panel]\npins = "simulated"\n')
    assert door_off.run(str(file)) == 0
    assert driven == []


def test_a_relay_that_cannot_be_driven_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], driven: list[tuple[int, bool]]
) -> None:
    def refused(gpio: int, active_high: bool, name: str) -> str:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(door_off, "drive_off", refused)
    assert door_off.run(str(tmp_path / "none.toml")) == 1
    assert capsys.readouterr().err == "intercom: GPIO 24 (the door's relay): [Errno 13] Permission denied\n"


def test_its_defaults_are_those_of_the_configuration() -> None:
    config = Config()
    ours = (door_off.PINS, door_off.RELAY_GPIO, door_off.RELAY_ACTIVE_HIGH, door_off.GPIO_HIGHEST)
    assert ours == (config.panel.pins, config.door.relay_gpio, config.door.relay_active_high, GPIO_HIGHEST)
    assert not {"panel.pins", "door.relay_gpio", "door.relay_active_high"} & set(HISTORY.renamed.values())


@pytest.mark.parametrize("command", [LAUNCHER, PIPS])
def test_it_loads_nothing_that_takes_long(tmp_path: Path, command: str) -> None:
    """Neither as the package starts it, nor as pip's script does."""
    said = f"try:\n    exec({command!r})\nfinally:\n    print([*filter(sys.modules.get, {SLOW!r})])"
    asked = [sys.executable, "-c", f"import sys\n{said}", "door-off", "--config", str(tmp_path / "none.toml")]
    loaded = subprocess.run(asked, capture_output=True, text=True, check=True).stdout
    assert loaded.splitlines()[-1] == "[]"
