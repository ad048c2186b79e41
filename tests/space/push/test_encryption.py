"""A push is read by its browser and by nobody else."""

from __future__ import annotations

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from intercom.space.push.encryption import PADDED_BYTES, encrypted
from intercom.space.push.vapid import decoded, encoded
from tests.space.push.browser_keys import BrowserKeys

SERVICE_LIMIT_BYTES = 4096
"""RFC 8030 §7.2: what a service has to take."""


def test_the_example_of_rfc_8291() -> None:
    key = ec.derive_private_key(
        int.from_bytes(decoded("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"), "big"), ec.SECP256R1()
    )
    body = encrypted(
        b"When I grow up, I want to be a watermelon",
        "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
        "BTBZMqHH6r4Tts7J_aSIgg",
        padded_to=0,
        key=key,
        salt=decoded("DGv6ra1nlYgDCS1FRnbzlw"),
    )
    assert encoded(body) == (
        "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A"
        "_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
    )


@given(st.binary(max_size=PADDED_BYTES - 1))
def test_the_browser_reads_what_was_sent_and_its_length_says_nothing(text: bytes) -> None:
    keys = BrowserKeys()
    sent = keys.subscription("https://push.example.net/1")["keys"]
    body = encrypted(text, **sent)
    assert len(body) == len(encrypted(b"", **sent)) <= SERVICE_LIMIT_BYTES
    assert keys.read(body) == text


def test_no_two_pushes_are_the_same() -> None:
    sent = BrowserKeys().subscription("https://push.example.net/1")["keys"]
    assert encrypted(b"ring", **sent) != encrypted(b"ring", **sent)


def test_another_browser_reads_nothing() -> None:
    sent = BrowserKeys().subscription("https://push.example.net/1")["keys"]
    with pytest.raises(InvalidTag):
        BrowserKeys().read(encrypted(b"ring", **sent))
