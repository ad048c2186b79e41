"""The rules that keep a card's name with its socket."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from intercom.cli import main
from intercom.devices.device import Device
from intercom.devices.pin import pins, rules

LEFT = Device("Device", "USB Phone", "usb", "usb-1.2", "0d8c", "0014", captures=0, plays=0, id_path="usb-0:1.2:1.0")
RIGHT = replace(LEFT, name="Device_1", port="usb-1.3", id_path="usb-0:1.3:1.0")


def test_the_doors_own_card_has_the_first_name_and_the_others_follow_by_their_sockets() -> None:
    assert [(pin.name, pin.card.name) for pin in pins([LEFT, RIGHT], RIGHT)] == [
        ("Door", "Device_1"),
        ("Door2", "Device"),
    ]


def test_each_socket_has_one_rule() -> None:
    text = rules(pins([LEFT, RIGHT], LEFT))
    assert 'ENV{ID_PATH}=="usb-0:1.2:1.0", ATTR{id}="Door"\n' in text
    assert 'ENV{ID_PATH}=="usb-0:1.3:1.0", ATTR{id}="Door2"\n' in text


def test_cards_that_udev_does_not_know_or_that_are_no_usb_are_left_alone() -> None:
    assert pins([replace(LEFT, id_path=""), replace(LEFT, kind="hdmi")], None) == []


@pytest.mark.parametrize("path", ['x", RUN+="sh', "a\nb", "a b", ""])
def test_a_path_that_could_end_its_quotes_is_refused(path: str) -> None:
    assert pins([replace(LEFT, id_path=path)], None) == []


def test_a_product_cannot_write_a_rule_by_its_name() -> None:
    text = rules(pins([replace(LEFT, label='Phone\nRUN+="rm"')], None))
    assert not any(line.startswith("RUN") for line in text.splitlines())


def test_without_a_card_the_command_says_what_to_do(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    configuration = tmp_path / "intercom.toml"
    configuration.write_text(f'state_dir = "{tmp_path}"\n')
    assert main.main(["devices", "pin", "--config", str(configuration)]) == 1
    assert "plug it in" in capsys.readouterr().err
