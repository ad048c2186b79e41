"""What `intercom doctor` says of those who watch."""

from __future__ import annotations

from typing import Any

import pytest

from intercom.cli.checks.finding import BAD, GOOD, WARNING
from intercom.cli.checks.recorders import LONG_S, recorders
from intercom.config import Config, RtspConfig

ON = Config(rtsp=RtspConfig(listen="0.0.0.0:8554"))
VIEWER = {"name": "nvr", "address": "192.168.1.9", "for_s": 5, "pictures": 100, "left_out": 0, "talks": False}


def said(**told: Any) -> list[tuple[str, str]]:
    document = {"viewers": [], "accounts": 1, "watched_s": 0, "up_s": 10 * LONG_S, **told}
    return [(each.verdict, each.told) for each in recorders(ON, {"integrations": {"rtsp": document}})]


def test_nothing_is_said_where_it_is_off() -> None:
    assert list(recorders(Config(), {})) == []


def test_who_watches_is_named() -> None:
    assert said(viewers=[VIEWER]) == [(GOOD, "nvr watch now")]


def test_without_an_account_nobody_can_watch() -> None:
    assert said(accounts=0) == [(BAD, "nobody has an account")]


@pytest.mark.parametrize("told", [{"viewers": [{**VIEWER, "for_s": LONG_S}]}, {"watched_s": 6 * LONG_S}])
def test_a_recorder_that_makes_the_camera_run_all_day_is_told(told: dict[str, Any]) -> None:
    verdict, sentence = said(**told)[-1]
    assert verdict == WARNING
    assert "the camera runs all day" in sentence


def test_where_the_door_listens_the_microphone_is_named_too() -> None:
    config = Config(rtsp=RtspConfig(listen="0.0.0.0:8554", sound=True))
    document = {"viewers": [], "accounts": 1, "watched_s": 6 * LONG_S, "up_s": 6 * LONG_S}
    told = [each.told for each in recorders(config, {"integrations": {"rtsp": document}})]
    assert "the camera and the microphone run all day" in told[-1]


def test_a_door_that_does_not_run_is_no_riddle() -> None:
    assert [each.verdict for each in recorders(ON, None)] == [WARNING]
