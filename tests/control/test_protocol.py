"""The control protocol, without a socket."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intercom.control import protocol
from intercom.control.errors import ForeignSpeechError, RefusedError

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)


@given(st.dictionaries(st.text(), JSON, max_size=5))
def test_a_request_arrives_as_it_was_sent(params: dict[str, Any]) -> None:
    line = protocol.request(7, "status", params)
    assert protocol.parse_request(line[:-1]) == protocol.Request(7, "status", params)


@given(st.lists(st.binary(max_size=30).filter(lambda line: b"\n" not in line), max_size=8), st.data())
def test_lines_come_out_whole_however_they_are_cut(lines: list[bytes], data: st.DataObject) -> None:
    stream, found, reader = b"".join(line + b"\n" for line in lines), [], protocol.Lines(100)
    while stream:
        cut = data.draw(st.integers(1, len(stream)))
        found += reader.feed(stream[:cut])
        stream = stream[cut:]
    assert found == lines


def test_a_line_without_an_end_is_not_collected_for_ever() -> None:
    reader = protocol.Lines(100)
    reader.feed(b"x" * 100)
    with pytest.raises(ForeignSpeechError, match="100 bytes"):
        reader.feed(b"x")


@given(st.binary(max_size=200))
def test_no_bytes_break_the_server_s_reading(line: bytes) -> None:
    try:
        protocol.parse_request(line)
    except protocol.BadRequestError as error:
        assert str(error)


@given(st.binary(max_size=200))
def test_no_bytes_break_the_client_s_reading(line: bytes) -> None:
    with contextlib.suppress(ForeignSpeechError, RefusedError):
        protocol.parse_answer(line)


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (b"{", protocol.PARSE_ERROR),
        (b"[" * 10_000, protocol.PARSE_ERROR),
        (b'{"a": ' + b"9" * 10_000 + b"}", protocol.PARSE_ERROR),
        (b"[]", protocol.INVALID_REQUEST),
        (b'[{"jsonrpc": "2.0", "id": 1, "method": "status"}]', protocol.INVALID_REQUEST),
        (b'{"jsonrpc": "1.0", "id": 1, "method": "status"}', protocol.INVALID_REQUEST),
        (b'{"jsonrpc": "2.0", "id": [], "method": "status"}', protocol.INVALID_REQUEST),
        (b'{"jsonrpc": "2.0", "id": true, "method": "status"}', protocol.INVALID_REQUEST),
        (b'{"jsonrpc": "2.0", "id": 1, "method": 2}', protocol.INVALID_REQUEST),
        (b'{"jsonrpc": "2.0", "id": 1, "method": "status", "params": [1]}', protocol.INVALID_PARAMS),
    ],
)
def test_what_is_no_request_is_told_by_its_json_rpc_code(line: bytes, code: int) -> None:
    with pytest.raises(protocol.BadRequestError) as caught:
        protocol.parse_request(line)
    assert caught.value.code == code


def test_a_refusal_reaches_the_client_with_its_reason() -> None:
    with pytest.raises(RefusedError, match="there is no call") as caught:
        protocol.parse_answer(protocol.refusal(1, protocol.REFUSED, "there is no call"))
    assert caught.value.code == protocol.REFUSED


def test_another_version_is_told_as_such() -> None:
    hello = protocol.parse_answer(protocol.notification("hello", {"protocol": 2}))
    with pytest.raises(ForeignSpeechError, match="protocol 2, this command 1"):
        protocol.check_hello(hello)


def test_something_that_is_no_door_is_noticed() -> None:
    with pytest.raises(ForeignSpeechError, match="not the door's control socket"):
        protocol.check_hello(protocol.Answer(1, "", {}))


def test_odd_letters_survive() -> None:
    line = protocol.result(1, {"name": "Zoë \ud83d", "lines": "a\nb"})
    assert line.count(b"\n") == 1
    assert json.loads(line)["result"]["lines"] == "a\nb"
