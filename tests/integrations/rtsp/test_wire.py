"""Bytes of RTSP: requests and packets come out whole, however they were cut, and nothing else gets through."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intercom.integrations.rtsp.wire import (
    MOST_BLANK_LINES,
    MOST_BODY_BYTES,
    MOST_HEAD_BYTES,
    Interleaved,
    Reader,
    Request,
    WireError,
    interleaved,
    response,
)

OPTIONS = b"OPTIONS rtsp://door/door RTSP/1.0\r\nCSeq: 1\r\n\r\n"
KEEP_ALIVE = b"GET_PARAMETER rtsp://door/door RTSP/1.0\r\nCSeq: 2\r\nContent-Length: 5\r\n\r\nhello"
STREAM = OPTIONS + interleaved(2, b"sound") + KEEP_ALIVE + b"\r\n" + OPTIONS


def shown(item: Request | Interleaved) -> str:
    return item.method if isinstance(item, Request) else f"{item.channel}:{item.packet.decode()}"


@given(st.lists(st.integers(1, 40), min_size=1, max_size=40))
def test_requests_and_packets_come_out_whole_however_they_were_cut(cuts: list[int]) -> None:
    reader, found, rest = Reader(), [], STREAM
    for cut in [*cuts, len(STREAM)]:
        found += [shown(item) for item in reader.feed(rest[:cut])]
        rest = rest[cut:]
    assert found == ["OPTIONS", "2:sound", "GET_PARAMETER", "OPTIONS"]


@given(st.binary(max_size=600))
def test_no_bytes_break_the_reader(data: bytes) -> None:
    with contextlib.suppress(WireError):
        list(Reader().feed(data))


@pytest.mark.parametrize(
    ("said", "status"),
    [
        (b"GET / HTTP/1.1\r\nHost: door\r\n\r\n", 400),
        (b"OPTIONS * RTSP/2.0\r\nCSeq: 1\r\n\r\n", 505),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 TLS \r\n\r\n", 400),
        (b"OPTIONS * RTSP/1.0\r\nno header\r\n\r\n", 400),
        (b"OPTIONS * RTSP/1.0\r\nContent-Length: -1\r\n\r\n", 400),
        (b"OPTIONS * RTSP/1.0\r\nContent-Length: %d\r\n\r\n" % (MOST_BODY_BYTES + 1), 413),
        (b"OPTIONS * RTSP/1.0\r\nX: " + b"x" * MOST_HEAD_BYTES, 413),
        (b"\r\n" * (MOST_BLANK_LINES + 1), 400),
    ],
)
def test_what_is_no_request_ends_the_conversation_with_the_reason(said: bytes, status: int) -> None:
    with pytest.raises(WireError) as caught:
        list(Reader().feed(said))
    assert caught.value.status == status


@pytest.mark.parametrize("before", [b"A:", b"A", b"A: x"])
def test_a_header_full_of_blanks_is_refused_before_it_costs_anything(before: bytes) -> None:
    with pytest.raises(WireError) as caught:
        list(Reader().feed(b"OPTIONS * RTSP/1.0\r\n" + before + b" " * 8000 + b"\nx\r\n\r\n"))
    assert caught.value.status == 400


@pytest.mark.parametrize("line", [b"CSeq:1", b"CSeq: 1", b"CSeq \t:\t 1 \t"])
def test_blanks_around_a_headers_value_are_not_part_of_it(line: bytes) -> None:
    (request,) = Reader().feed(b"OPTIONS * RTSP/1.0\r\n" + line + b"\r\n\r\n")
    assert isinstance(request, Request)
    assert request.headers == {"cseq": "1"}


def test_a_response_repeats_the_number_of_its_request() -> None:
    assert response(404, "7") == b"RTSP/1.0 404 Not Found\r\nCSeq: 7\r\n\r\n"
