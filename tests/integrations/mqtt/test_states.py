"""The states of the entities, and which facts are a press: each press is one event."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from intercom.config import ButtonConfig, Config, StepConfig
from intercom.facts import Answered, CallIdentity, DoorOpened, Fact, Pressed, PressedAgain, PressWaits
from intercom.history.journal import Entry
from intercom.integrations.mqtt.states import Last, Presses, states

AT = datetime(2026, 11, 29, 8, 0, tzinfo=UTC)
STATUS: dict[str, Any] = {
    "version": "1.0",
    "state": "idle",
    "phase": "none",
    "faults": [],
    "quiet": None,
    "auto_reply": None,
    "picture": {"forbidden_by": []},
    "door": {"open": False, "contact": None},
    "tamper": None,
    "sound": {"speaker_gain_db": -3.0, "microphone_gain_db": 0.0},
}
TWO = replace(
    Config(),
    panel=replace(Config().panel, button=(ButtonConfig(gpio=5, name="House"), ButtonConfig(gpio=6, name="Office"))),
)


def entry(fact: Fact) -> Entry:
    return Entry(1, AT, 0.0, fact)


def events(config: Config, *facts: Fact) -> list[tuple[str, str]]:
    presses = Presses(config)
    found = [presses.take(entry(fact)) for fact in facts]
    return [(key, told["event_type"]) for key, told in filter(None, found)]


def shown(last: Last | None = None, *, wifi_dbm: int | None = None, **status: Any) -> dict[str, str]:
    return states({**STATUS, **status}, last or Last(), wifi_dbm=wifi_dbm, installed="1.1")


def test_a_press_that_waits_and_then_rings_is_one_event() -> None:
    facts = PressWaits("no service", "ring-1", ""), Pressed("/private/house", 1, "", "ring-1")
    assert events(Config(), *facts) == [("ring", "ring")]


def test_the_next_press_is_another_event() -> None:
    facts = Pressed("/private/house", 1, "", "ring-1"), Pressed("/private/house", 1, "", "ring-2")
    assert events(Config(), *facts) == [("ring", "ring"), ("ring", "ring")]


def test_a_visitor_who_presses_again_rings_nobody_anew() -> None:
    facts = Pressed("/private/house", 1, "", "ring-1"), PressedAgain("the house rings already", "")
    assert events(Config(), *facts) == [("ring", "ring"), ("ring", "again")]


def test_each_button_has_its_event() -> None:
    facts = Pressed("/private/house", 1, "Office", "ring-1"), PressedAgain("it rings", "Office")
    assert events(TWO, *facts) == [("ring_2", "ring"), ("ring_2", "again")]


def test_a_press_says_its_button_and_its_time() -> None:
    key, told = Presses(TWO).take(entry(Pressed("/private/house", 1, "House", "ring-1"))) or ("", {})
    assert (key, told["button"], told["press"]) == ("ring_1", "House", "ring-1")
    assert told["at"] == AT.isoformat(timespec="milliseconds")


@pytest.mark.parametrize("config", [Config(), TWO])
def test_a_command_that_calls_somebody_else_is_no_press(config: Config) -> None:
    assert events(config, Pressed("/public/echo", 1, "", "ring-1")) == []


def test_a_step_with_several_addresses_is_a_press() -> None:
    steps = (StepConfig(ring=("/private/anna", "/private/ben")),)
    config = replace(Config(), call=replace(Config().call, plan=steps))
    assert events(config, Pressed("/private/anna, /private/ben", 1, "", "ring-1")) == [("ring", "ring")]


def test_who_answered_and_who_opened_last_are_told_and_outlive_a_restart_by_the_call_log() -> None:
    last = Last()
    assert (shown(last)["answered_by"], shown(last)["opened_by"]) == ("None", "None")
    log = [
        {"direction": "none", "outcome": "opened", "address": "", "name": "", "door_opened_by": "ssh ben"},
        {"direction": "outbound", "outcome": "answered", "address": "/private/a", "name": "Anna", "door_opened_by": ""},
    ]
    last.recall(log)
    assert (shown(last)["answered_by"], shown(last)["opened_by"]) == ("Anna", "ssh ben")
    last.take(Answered(CallIdentity("1", "outbound", "/private/kitchen")))
    last.take(Answered(CallIdentity("2", "inbound", "/private/caller")))
    last.take(DoorOpened("MQTT"))
    assert (shown(last)["answered_by"], shown(last)["opened_by"]) == ("/private/kitchen", "MQTT")


def test_the_call_log_overrules_nothing_that_has_happened_since() -> None:
    last = Last()
    last.take(DoorOpened("Anna"))
    last.recall([{"direction": "none", "outcome": "opened", "address": "", "name": "", "door_opened_by": "Ben"}])
    assert shown(last)["opened_by"] == "Anna"


def test_a_name_cannot_break_a_line_or_grow_beyond_what_home_assistant_takes() -> None:
    last = Last()
    last.take(DoorOpened("Eve\x1b[2J" + "x" * 1000))
    told = shown(last)["opened_by"]
    assert told.isprintable() and len(told) <= 255


@pytest.mark.parametrize(
    ("key", "status", "state"),
    [
        ("lock", {"door": {"open": True, "contact": None}}, "UNLOCKED"),
        ("lock", {}, "LOCKED"),
        ("opener", {"door": {"open": True, "contact": None}}, "ON"),
        ("contact", {}, "None"),
        ("contact", {"door": {"open": False, "contact": {"state": "closed"}}}, "OFF"),
        ("contact", {"door": {"open": False, "contact": {"state": "forced"}}}, "ON"),
        ("door_state", {"door": {"open": False, "contact": {"state": "forced"}}}, "forced"),
        ("tamper", {}, "None"),
        ("tamper", {"tamper": {"open": True, "blocks_s": 1800}}, "ON"),
        ("tamper", {"tamper": {"open": False, "blocks_s": 900}}, "OFF"),
        ("call", {"state": "ringing"}, "ringing"),
        ("in_call", {"phase": "active"}, "ON"),
        ("in_call", {"phase": "ringing_out"}, "OFF"),
        ("quiet", {}, "None"),
        ("quiet", {"quiet": {"house": True}}, "ON"),
        ("auto_reply", {"auto_reply": True}, "ON"),
        ("auto_reply", {"auto_reply": False}, "OFF"),
        ("camera_privacy", {"picture": {"forbidden_by": ["switch"]}}, "ON"),
        ("camera_privacy", {"picture": None}, "None"),
        ("speaker_level", {}, "-3"),
        ("problem", {"faults": [{"kind": "camera", "why": "gone", "since": ""}]}, "ON"),
        ("problem", {}, "OFF"),
    ],
)
def test_each_state_follows_the_status(key: str, status: dict[str, Any], state: str) -> None:
    assert shown(**status)[key] == state


def test_the_wireless_level_is_told_where_there_is_one() -> None:
    assert (shown(wifi_dbm=-61)["wifi"], shown()["wifi"]) == ("-61", "None")


def test_the_problem_says_what_is_wrong() -> None:
    why = shown(faults=[{"kind": "camera", "why": "gone", "since": "now", "open": True}])["problem/why"]
    assert json.loads(why) == {"faults": [{"kind": "camera", "why": "gone", "since": "now"}]}


def test_a_program_on_the_disk_that_does_not_run_yet_is_an_update() -> None:
    assert json.loads(shown()["update"]) == {"installed_version": "1.0", "latest_version": "1.1"}
