"""The certificate of a version that had no CA: it is signed by its own key."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from intercom.space.names import Names
from intercom.space.tls.authority import kept_key
from intercom.space.tls.certificate import now_utc


def self_signed(directory: Path, names: Names, *, since: datetime | None = None) -> str:
    """Write tls.crt and tls.key as that version did; return the certificate."""
    since = since or now_utc()
    key = kept_key(directory / "tls.key")
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Intercom")])
    alternatives = [*map(x509.DNSName, names.hosts), *map(x509.IPAddress, names.lasting_addresses)]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(since - timedelta(days=1))
        .not_valid_after(since + timedelta(days=825))
        .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(key, hashes.SHA256())
    )
    (directory / "tls.crt").write_bytes(certificate.public_bytes(Encoding.PEM))
    return (directory / "tls.crt").read_text()
