"""Looks at the certificate that the door's service shows, whoever signed it, and warns before it ends."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

from intercom.cli.checks.finding import BAD, GOOD, WARNING, Finding
from intercom.net import authority, connect, is_address

WARN_BEFORE = timedelta(days=21)
"""Time before the end of a certificate from which on it is worth a warning: whoever renews it has tried by then."""


def end_of_certificate(url: str, timeout_s: float) -> Finding:
    """Return how long the certificate of an https URL is good; whether it is trusted is another finding."""
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or 443
    try:
        ends = _end(host, port, timeout_s)
    except OSError as error:
        told = f"{authority(host, port)} shows none: {error}"
        return Finding("certificate", WARNING, told, "does the port speak TLS?")
    left = ends - datetime.now(UTC)
    told = f"that of {authority(host, port)} {'ended' if left < timedelta() else 'ends'} on {ends:%Y-%m-%d}"
    if left >= WARN_BEFORE:
        return Finding("certificate", GOOD, told)
    mend = "renew it; the space makes its own in time while it runs: docs/certificates.md"
    return Finding("certificate", BAD if left < timedelta() else WARNING, told, mend)


def _end(host: str, port: int, timeout_s: float) -> datetime:
    from cryptography import x509

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with connect((host, port), timeout_s) as plain:
        name = None if is_address(host) else host
        with context.wrap_socket(plain, server_hostname=name) as encrypted:
            found = encrypted.getpeercert(binary_form=True)
    if found is None:
        raise OSError("the server shows no certificate")
    try:
        return x509.load_der_x509_certificate(found).not_valid_after_utc
    except ValueError as problem:
        raise OSError(f"the server's certificate cannot be read: {problem}") from problem
