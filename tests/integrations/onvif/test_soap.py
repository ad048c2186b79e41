"""SOAP: operations come out, and nothing that is not one breaks anything."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intercom.integrations.onvif.soap import MOST_BYTES, SoapError, element, envelope, fault, read, text


def message(body: str, head: str = "") -> bytes:
    return envelope(body).replace(b"<s:Body>", f"<s:Header>{head}</s:Header><s:Body>".encode())


def test_an_operation_has_its_service_and_its_words() -> None:
    asked = read(message("<trt:GetStreamUri><trt:ProfileToken> Main </trt:ProfileToken></trt:GetStreamUri>"))
    assert asked.name == "trt:GetStreamUri"
    assert asked.text("ProfileToken") == "Main"
    assert asked.text("Other", "none") == "none"
    assert asked.token is None


@given(st.binary(max_size=400))
def test_no_bytes_break_it(data: bytes) -> None:
    with contextlib.suppress(SoapError):
        read(data)


@pytest.mark.parametrize(
    "said",
    [b"", b"<a/>", envelope(""), b"<s:Envelope/>", b"\xff\xfe<", b'<?xml version="1.0" encoding="nonsense"?><a/>'],
)
def test_what_is_no_message_is_told_so(said: bytes) -> None:
    with pytest.raises(SoapError):
        read(said)


def test_a_message_is_bounded() -> None:
    with pytest.raises(SoapError, match="more than"):
        read(b" " * (MOST_BYTES + 1))


def test_what_is_said_is_escaped() -> None:
    assert text("a", "<&>") == "<a>&lt;&amp;&gt;</a>"
    assert element("a", b='"<') == '<a b="&quot;&lt;"></a>'


def test_a_fault_has_its_code_and_its_sentence() -> None:
    said = fault(SoapError("No <such> thing.", "ter:InvalidArgVal"))
    assert b"<s:Value>ter:InvalidArgVal</s:Value>" in said
    assert b"No &lt;such&gt; thing." in said
    assert said.startswith(b"<?xml")
