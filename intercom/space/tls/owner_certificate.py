"""The owner's own certificate, from files that somebody else renews (certbot, lego, Caddy, tailscale)."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography import x509

from intercom.space.errors import CertificateError


@dataclass(frozen=True, slots=True)
class OwnCertificate:
    """A pair that was read and fits together."""

    context: ssl.SSLContext
    "A server's TLS context with it."
    hosts: tuple[str, ...]
    "The DNS names for which it is good, lower case; *.example.com stands for one label more."
    addresses: frozenset[object]
    "The addresses for which it is good."
    ends: datetime
    "The end of its validity."

    def serves(self, host: str) -> bool:
        """Return whether it is good for a DNS name."""
        host = host.lower().rstrip(".")
        return host in self.hosts or f"*.{host.partition('.')[2]}" in self.hosts


def read_pair(certificate: Path, key: Path) -> OwnCertificate:
    """Return the certificate (with its chain, PEM) and key in these files; raises `CertificateError`, one sentence."""
    where = str(certificate) if certificate == key else f"{certificate} and its key in {key}"
    try:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(certificate, key, password=_refuse_password)
        leaf = x509.load_pem_x509_certificates(certificate.read_bytes())[0]
        names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (OSError, ValueError, x509.ExtensionNotFound) as problem:  # ssl.SSLError is an OSError
        raise CertificateError(f"The certificate in {where} cannot be used: {_reason(problem)}.") from problem
    hosts = tuple(host.lower() for host in names.get_values_for_type(x509.DNSName))
    return OwnCertificate(
        context, hosts, frozenset(names.get_values_for_type(x509.IPAddress)), leaf.not_valid_after_utc
    )


def _refuse_password() -> bytes:
    raise ValueError("the key has a password, which nobody could type at a restart")


def _reason(problem: Exception) -> str:
    if isinstance(problem, ssl.SSLError):
        mismatch = problem.reason == "KEY_VALUES_MISMATCH"
        return "the key is another certificate's" if mismatch else f"one of them is no PEM file ({problem.reason})"
    if isinstance(problem, OSError):
        return f"{problem.strerror} ({problem.filename})" if problem.filename else str(problem.strerror or problem)
    if isinstance(problem, x509.ExtensionNotFound):
        return "it names no host (subjectAltName)"
    return str(problem)
