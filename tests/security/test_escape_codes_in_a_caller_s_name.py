"""The attack: a caller, a service or a program gives a name that a terminal obeys, that hides, or that is no text."""

from __future__ import annotations

import json
import logging
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intercom.cli import render
from intercom.control import protocol
from intercom.door.calls.active_call import identity_of
from intercom.door.health.faults import Faults
from intercom.facts import CallIdentity
from intercom.history.call_log import CallLog, CallRecord
from intercom.history.log_buffer import RecentLog
from intercom.plain_text import plain
from intercom.service.log_lines import LogLines

NOW = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)
ATTACK = "\x1b[2J\x1b]0;owned\x07\u202egnp.exe\n2026-05-01 INFO root opens the door\ud800"
CALL = CallRecord(id="a", began_at=NOW.isoformat(), direction="inbound", address="/private/anna", outcome="answered")


class Call:
    """An incoming call that names itself."""

    id = "c1"
    direction = "inbound"
    to = to_name = ""

    def __init__(self, address: str, name: str) -> None:
        self.from_, self.from_name = address, name


def identity(address: str, name: str) -> CallIdentity:
    call: object = Call(address, name)
    return identity_of(call)  # type: ignore[arg-type]  # all that is read of a call here


def record(message: str, *arguments: object) -> logging.LogRecord:
    return logging.LogRecord("intercom", logging.INFO, __file__, 1, message, arguments, None)


def test_a_message_stays_one_line_that_no_terminal_obeys() -> None:
    line = LogLines("%(levelname)s %(message)s").format(record("%s calls", f"sip:{ATTACK}@b"))
    assert line.isprintable()
    assert line.startswith("INFO sip:?[2J?]0;owned??gnp.exe?2026")


def test_a_traceback_keeps_its_lines_and_nothing_else_of_what_was_said() -> None:
    try:
        int(ATTACK)
    except ValueError:
        told = record("it failed")
        told.exc_info = sys.exc_info()
    lines = LogLines("%(message)s").format(told).split("\n")
    assert len(lines) > 3
    assert all(line.isprintable() for line in lines)


def test_the_last_lines_of_the_log_are_plain_too() -> None:
    recent = RecentLog()
    recent.handle(record("%s", ATTACK))
    assert recent.lines(1)[0].isprintable()


@pytest.mark.parametrize("name", ["address", "name", "end_cause", "door_opened_by", "id"])
def test_a_call_by_any_name_is_written_down_and_so_are_those_after_it(tmp_path: Path, name: str) -> None:
    log = CallLog(tmp_path / "calls.db", keep_calls=10, keep_days=10)
    named: dict[str, Any] = {name: ATTACK}
    log.add(replace(CALL, **named), NOW)
    log.add(CALL, NOW)
    assert len(CallLog(log.path, keep_calls=10, keep_days=10).calls(10)) == 2


def test_the_status_and_the_journal_say_who_calls_in_plain_words() -> None:
    caller = identity(f"sip:{ATTACK}@b", "A" * 10_000 + ATTACK)
    assert caller.address.isprintable() and caller.name.isprintable()
    assert len(caller.name) == 64


def test_a_fault_that_quotes_a_caller_is_told_in_plain_words() -> None:
    faults = Faults()
    faults.begin("calls", ATTACK * 100)
    assert faults.open["calls"].why.isprintable()
    assert len(faults.open["calls"].why) == 500


def test_half_a_character_is_no_request() -> None:
    line = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "call", "params": {"address": "sip:\ud800@b"}}).encode()
    with pytest.raises(protocol.BadRequestError, match="not JSON"):
        protocol.parse_request(line)


def test_a_whole_character_that_is_written_in_two_halves_is_one() -> None:
    line = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "call", "params": {"by": "\U0001f6aa"}}).encode()
    assert protocol.parse_request(line).params == {"by": "\U0001f6aa"}


def test_a_long_address_does_not_break_the_table_of_calls() -> None:
    long = replace(CALL, address="sip:" + "a" * 1000 + "@b", door_opened_by="b" * 1000)
    table = render.calls([vars_of(long), vars_of(CALL)], local=lambda at: at[:16])
    assert max(map(len, table.splitlines())) < 200


def vars_of(call: CallRecord) -> dict[str, object]:
    return {name: getattr(call, name) for name in CallRecord.__dataclass_fields__}


@given(st.text(), st.integers(1, 100))
def test_plain_words_are_printable_and_no_longer_than_they_may_be(text: str, most: int) -> None:
    words = plain(text, most)
    assert (words == "" or words.isprintable()) and len(words) <= most
    assert plain(words, most) == words
