"""Whom the door trusts as a client of the house's systems."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest

from intercom.integrations.tls_trust import client_context
from tests.integrations.mqtt.certificates import Authority


def shake_hands(client: ssl.SSLContext, certificate: Path, key: Path) -> None:
    """Let a client meet a server in memory. Raises SSLCertVerificationError."""
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(certificate, key)
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = [
        client.wrap_bio(back, there, server_hostname="127.0.0.1"),
        server.wrap_bio(there, back, server_side=True),
    ]
    while ends:
        for end in list(ends):
            try:
                end.do_handshake()
            except ssl.SSLWantReadError:
                continue
            ends.remove(end)


def test_a_house_s_own_ca_needs_no_extensions_that_older_commands_leave_out(tmp_path: Path) -> None:
    house = Authority(tmp_path / "house")
    shake_hands(client_context(str(house.file)), *house.signs("broker"))


def test_whom_another_ca_signed_is_not_trusted(tmp_path: Path) -> None:
    house, stranger = Authority(tmp_path / "house"), Authority(tmp_path / "stranger", "Stranger")
    with pytest.raises(ssl.SSLCertVerificationError):
        shake_hands(client_context(str(house.file)), *stranger.signs("broker"))


def test_the_system_s_authorities_are_judged_as_strictly_as_python_does() -> None:
    context, stock = client_context(), ssl.create_default_context()
    assert context.verify_flags == stock.verify_flags
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)
