"""Whom the door trusts as a client of the house's systems: the system's authorities, or the house's own."""

from __future__ import annotations

import ssl


def client_context(ca_file: str = "") -> ssl.SSLContext:
    """Return a context that trusts the CA in this file alone, or the system's where none is named. Raises OSError.

    From Python 3.13 on a certificate needs extensions (RFC 5280 section 4.2.1.1) that a house's own CA often leaves
    out, as OpenSSL's command did before 3.2: what such a CA has signed is judged as by every Python before.
    """
    context = ssl.create_default_context(cafile=ca_file or None)
    if ca_file:
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    return context
