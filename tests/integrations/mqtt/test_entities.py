"""What Home Assistant is told of a door: each entity where the door has it, and none that it has not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from intercom.config import ButtonConfig, Config, MqttConfig, PromptsConfig
from intercom.door.state_table import State
from intercom.integrations.mqtt.entities import CALL_STATES, Topics, document, entities, made_id
from intercom.integrations.mqtt.machine import is_wireless, wifi_dbm
from intercom.integrations.mqtt.states import Last, states
from tests.integrations.mqtt.test_states import STATUS

CONFIG = replace(Config(), mqtt=MqttConfig(url="mqtt://127.0.0.1", id="gate"))


def components(config: Config = CONFIG, *, wireless: bool = True) -> dict[str, dict[str, Any]]:
    found = document(config, Topics.of(config), entities(config, wireless=wireless))["components"]
    return {key: component for key, component in found.items() if set(component) != {"platform"}}


def with_tables(**tables: Any) -> Config:
    return replace(CONFIG, **tables)


def test_a_door_offers_what_a_good_doorbell_has() -> None:
    config = with_tables(
        mqtt=replace(CONFIG.mqtt, may_open=True),
        camera=replace(CONFIG.camera, look=True),
        prompts=PromptsConfig(languages=("en",), auto_reply_s=20.0),
    )
    assert {key: component["platform"] for key, component in components(config).items()} == {
        "ring": "event",
        "lock": "lock",
        "call": "sensor",
        "in_call": "binary_sensor",
        "answered_by": "sensor",
        "opened_by": "sensor",
        "wifi": "sensor",
        "problem": "binary_sensor",
        "visitor": "image",
        "camera": "camera",
        "quiet": "switch",
        "auto_reply": "switch",
        "camera_privacy": "switch",
        "speaker_level": "number",
        "microphone_level": "number",
        "answer": "button",
        "decline": "button",
        "hang_up": "button",
        "test": "button",
        "picture": "button",
        "update": "update",
    }


def test_the_bell_is_a_doorbell_that_rings() -> None:
    ring = components()["ring"]
    assert (ring["device_class"], "ring" in ring["event_types"]) == ("doorbell", True)
    assert ring["state_topic"] == "intercom/gate/ring"


def test_each_button_is_a_bell_of_its_own() -> None:
    buttons = ButtonConfig(gpio=5, name="House"), ButtonConfig(gpio=6, name="Office")
    found = components(with_tables(panel=replace(CONFIG.panel, button=buttons)))
    assert {key: found[key]["name"] for key in found if found[key]["platform"] == "event"} == {
        "ring_1": "House",
        "ring_2": "Office",
    }


def test_a_door_that_mqtt_may_not_open_has_no_lock_to_command() -> None:
    found = components()
    assert "lock" not in found
    assert found["opener"]["device_class"] == "lock"
    assert "command_topic" not in found["opener"]


@pytest.mark.parametrize(
    ("tables", "gone"),
    [
        ({"camera": replace(CONFIG.camera, source="off")}, {"visitor", "camera", "camera_privacy"}),
        ({"mqtt": replace(CONFIG.mqtt, pictures=False)}, {"visitor", "camera"}),
        ({"account": replace(CONFIG.account, credential="token-file")}, {"quiet"}),
    ],
)
def test_what_a_door_has_not_is_not_offered(tables: dict[str, Any], gone: set[str]) -> None:
    assert set(components()) - set(components(with_tables(**tables))) == gone


def test_a_door_with_a_contact_and_a_tamper_switch_offers_both() -> None:
    found = components(with_tables(door=replace(CONFIG.door, contact_gpio=5, tamper_gpio=6)))
    assert {key: found[key]["device_class"] for key in set(found) - set(components())} == {
        "contact": "door",
        "door_state": "enum",
        "tamper": "tamper",
    }


def test_who_may_not_look_at_any_time_may_take_no_picture_either() -> None:
    assert "picture" not in components()


def test_what_an_earlier_start_offered_is_taken_away() -> None:
    told = document(CONFIG, Topics.of(CONFIG), entities(CONFIG, wireless=False))["components"]
    assert (told["wifi"], told["lock"], told["ring_16"]) == (
        {"platform": "sensor"},
        {"platform": "lock"},
        {"platform": "event"},
    )


def test_every_entity_is_of_this_door_alone() -> None:
    ids = [component["unique_id"] for component in components().values()]
    assert len(set(ids)) == len(ids)
    assert all(name.startswith("gate_") for name in ids)


def test_every_state_that_is_offered_is_told() -> None:
    told = states(STATUS, Last(), wifi_dbm=None, installed="1")
    stateful = {key for key, component in components().items() if "state_topic" in component}
    assert stateful - set(told) == {"ring"}


def test_the_states_of_the_call_are_those_of_the_machine() -> None:
    assert tuple(State) == CALL_STATES


def test_the_house_s_page_is_linked_where_phones_reach_it() -> None:
    config = with_tables(space=replace(CONFIG.space, public_url="https://door.example.org/"))
    told = document(config, Topics.of(config), [])["device"]
    assert told["configuration_url"] == "https://door.example.org/station/"
    assert "configuration_url" not in document(CONFIG, Topics.of(CONFIG), [])["device"]


def test_the_id_that_is_made_is_the_machine_s_own_and_does_not_show_it(tmp_path: Path) -> None:
    (tmp_path / "one").write_text("0123456789abcdef0123456789abcdef\n")
    (tmp_path / "two").write_text("0123456789abcdef0123456789abcdee\n")
    one, two = made_id(tmp_path / "one"), made_id(tmp_path / "two")
    assert one == made_id(tmp_path / "one") != two
    assert "0123" not in one
    assert made_id(tmp_path / "none")


def test_a_topic_of_commands_names_its_entity() -> None:
    topics = Topics("intercom/gate", "homeassistant", "gate")
    assert topics.key(topics.command("lock")) == "lock"
    for topic in ("intercom/gate/lock", "intercom/other/lock/set", "homeassistant/status"):
        assert topics.key(topic) == ""


@pytest.mark.parametrize(
    ("line", "level"),
    [
        (" wlan0: 0000   54.  -56.  -256        0      0      0      0      0        0\n", -56),
        (" wlan0: 0000   54.   60.    0         0      0      0      0      0        0\n", None),
        (" wlan0: 0000   0.  -256.  -256        0      0      0      0      0        0\n", None),
        ("nonsense\n", None),
        ("", None),
    ],
)
def test_the_wireless_level_is_read_where_the_driver_tells_it(tmp_path: Path, line: str, level: int | None) -> None:
    table = tmp_path / "wireless"
    table.write_text("Inter-| sta-|   Quality\n face | tus | link level noise\n" + line)
    assert wifi_dbm(table) == level
    assert wifi_dbm(tmp_path / "none") is None


def test_a_machine_without_a_radio_has_no_level(tmp_path: Path) -> None:
    assert not is_wireless(tmp_path)
    (tmp_path / "wlan0/phy80211").mkdir(parents=True)
    assert is_wireless(tmp_path)
