"""The space's own certificate: a browser gives a page the microphone only in a secure context.

EC P-256, self-signed, with every name and address under which the machine is reached. The key stays when the
certificate is renewed.
"""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from intercom import atomic_file
from intercom.space.errors import StoreError
from intercom.space.names import Names

LIFETIME: Final = timedelta(days=825)
"""Lifetime of a certificate: the longest that Apple's systems accept for one that a user trusts by hand."""
RENEW_BEFORE: Final = timedelta(days=30)
"""Time before expiry at which the certificate is renewed: a station switched on once a month still gets it in time."""
BACKDATED: Final = timedelta(days=1)
"""Time by which a new certificate is backdated: other clocks in the house may be behind."""


class Certificate:
    """The certificate and key in `directory` (tls.crt, tls.key with mode 0600), made or renewed where needed.

    Raises `StoreError` when the files cannot be read or written.
    """

    def __init__(self, directory: Path, names: Names) -> None:
        self._certificate_path = directory / "tls.crt"
        self._key_path = directory / "tls.key"
        self.names = names
        """Names and addresses in the certificate; a change takes effect at the next `ensure`."""

    @property
    def pem(self) -> str:
        """The certificate as PEM, which clients pin."""
        return self._certificate_path.read_text(encoding="ascii")

    def ensure(self, now: datetime) -> bool:
        """Make or renew the certificate if it is absent, expires soon or lacks names; return whether it did."""
        try:
            if self._good(now):
                return False
            self._make(now)
        except (OSError, ValueError) as problem:
            raise StoreError(
                f"The space cannot keep its certificate in {self._certificate_path.parent}: {problem}. "
                "Remove tls.crt and tls.key there if they are damaged."
            ) from problem
        return True

    def load_into(self, context: ssl.SSLContext) -> None:
        """Load this certificate for new connections; open ones keep theirs."""
        context.load_cert_chain(self._certificate_path, self._key_path)

    def context(self) -> ssl.SSLContext:
        """Return a server's TLS context with this certificate, TLS 1.2 or later."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        self.load_into(context)
        return context

    def _good(self, now: datetime) -> bool:
        if not (self._certificate_path.exists() and self._key_path.exists()):
            return False
        found = x509.load_pem_x509_certificate(self._certificate_path.read_bytes())
        alternatives = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        names = set(alternatives.get_values_for_type(x509.DNSName))
        addresses = set(alternatives.get_values_for_type(x509.IPAddress))
        in_time = found.not_valid_before_utc <= now < found.not_valid_after_utc - RENEW_BEFORE
        return in_time and names >= set(self.names.hosts) and addresses >= set(self.names.lasting_addresses)

    def _make(self, now: datetime) -> None:
        key = self._key()
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Intercom")])
        alternatives = [x509.DNSName(host) for host in self.names.hosts]
        alternatives_ip = [x509.IPAddress(address) for address in self.names.lasting_addresses]
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - BACKDATED)
            .not_valid_after(now + LIFETIME)
            .add_extension(x509.SubjectAlternativeName([*alternatives, *alternatives_ip]), critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .sign(key, hashes.SHA256())
        )
        atomic_file.replace(self._certificate_path, certificate.public_bytes(serialization.Encoding.PEM))

    def _key(self) -> ec.EllipticCurvePrivateKey:
        if self._key_path.exists():
            key = serialization.load_pem_private_key(self._key_path.read_bytes(), password=None)
            if isinstance(key, ec.EllipticCurvePrivateKey):
                return key
        key = ec.generate_private_key(ec.SECP256R1())
        pem = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        atomic_file.replace(self._key_path, pem)
        return key


def now_utc() -> datetime:
    """Return the time of day in UTC, for `Certificate.ensure`."""
    return datetime.now(UTC)
