"""What a message on a topic of commands asks of the door, and what is no command."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intercom.config import Config
from intercom.integrations.mqtt.commands import NOTHING, Asked, Unwanted, asked
from intercom.integrations.mqtt.entities import entities

IDLE = {"phase": "none", "press_waits": False, "version": "1.0"}
RINGING = {**IDLE, "phase": "ringing_out"}
IN_CALL = {**IDLE, "phase": "active"}
KEYS = sorted({entity.key for entity in entities(Config(), wireless=True)})


def wish(key: str, payload: bytes, status: dict[str, Any] = IDLE, *, is_newer: bool = False) -> Asked | Unwanted:
    return asked(key, payload, status, is_newer=is_newer)


@pytest.mark.parametrize(
    ("key", "payload", "command", "params"),
    [
        ("lock", b"UNLOCK", "door.open", {}),
        ("lock", b"OPEN", "door.open", {}),
        ("answer", b"PRESS", "answer", {}),
        ("hang_up", b"PRESS", "hangup", {}),
        ("test", b"PRESS", "call", {}),
        ("quiet", b"ON", "quiet", {"quiet": True}),
        ("quiet", b"OFF", "quiet", {"quiet": False}),
        ("auto_reply", b"OFF", "auto_reply", {"on": False}),
        ("camera_privacy", b"ON", "camera", {"on": False}),
        ("camera_privacy", b"OFF", "camera", {"on": True}),
        ("speaker_level", b"-12.0", "volume", {"what": "speaker", "gain_db": -12.0}),
        ("microphone_level", b"3", "volume", {"what": "microphone", "gain_db": 3.0}),
    ],
)
def test_each_entity_asks_for_one_command(key: str, payload: bytes, command: str, params: dict[str, Any]) -> None:
    assert wish(key, payload) == Asked(command, params)


def test_locking_needs_nothing_done() -> None:
    assert wish("lock", b"LOCK") is NOTHING


@pytest.mark.parametrize("status", [RINGING, {**IDLE, "phase": "ringing_in"}, {**IDLE, "press_waits": True}])
def test_what_rings_can_be_declined(status: dict[str, Any]) -> None:
    assert wish("decline", b"PRESS", status) == Asked("hangup")


@pytest.mark.parametrize("status", [IDLE, IN_CALL])
def test_declining_too_late_ends_nobodys_talk(status: dict[str, Any]) -> None:
    assert wish("decline", b"PRESS", status) == Unwanted("nothing rings")


def test_the_program_is_started_again_only_for_another_one() -> None:
    assert wish("update", b"INSTALL", is_newer=True) == Asked("restart")
    assert isinstance(wish("update", b"INSTALL"), Unwanted)


@given(st.sampled_from([*KEYS, "", "shell", "lock/set"]), st.binary(max_size=40))
def test_other_words_do_nothing(key: str, payload: bytes) -> None:
    words = {b"PRESS", b"ON", b"OFF", b"UNLOCK", b"OPEN", b"LOCK", b"INSTALL"}
    if payload not in words and not key.endswith("_level"):
        assert isinstance(wish(key, payload), Unwanted)


@pytest.mark.parametrize("payload", [b"", b"loud", b"nan", b"inf", b"-inf", b"1e999", b"\xff", b"9" * 33])
def test_a_level_is_a_number(payload: bytes) -> None:
    assert isinstance(wish("speaker_level", payload), Unwanted)
