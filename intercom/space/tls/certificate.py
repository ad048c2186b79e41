"""The space's own certificate: a browser gives a page the microphone only in a secure context.

The house's CA signs it. EC P-256, with every name and address under which the machine is reached; the key stays when
the certificate is renewed.
"""

from __future__ import annotations

import logging
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from intercom import atomic_file
from intercom.space.errors import StoreError
from intercom.space.names import Names
from intercom.space.tls.authority import Authority, kept_key

logger = logging.getLogger(__name__)

LIFETIME: Final = timedelta(days=825)
"""Lifetime of a certificate: the longest that Apple's systems accept from a CA that a user trusts by hand."""
RENEW_BEFORE: Final = timedelta(days=30)
"""Time before expiry at which the certificate is renewed: a station switched on once a month still gets it in time."""
BACKDATED: Final = timedelta(days=1)
"""Time by which a new certificate is backdated: other clocks in the house may be behind."""


class Certificate:
    """The certificate and key in `directory` (tls.crt, tls.key with mode 0600), made or renewed where needed.

    An older version signed tls.crt by its own key, and devices trust that very file: it stays in use while it is good,
    or until `give_up_self_signed`. Raises `StoreError` when the files cannot be read or written.
    """

    def __init__(self, directory: Path, names: Names) -> None:
        self._certificate_path = directory / "tls.crt"
        self._key_path = directory / "tls.key"
        self.authority = Authority(directory)
        """The house's CA."""
        self.names = names
        """Names and addresses in the certificate; a change takes effect at the next `ensure`."""

    @property
    def files(self) -> tuple[Path, ...]:
        """The files that hold the certificate and the CA."""
        return self._certificate_path, *self.authority.files

    @property
    def pinned(self) -> str:
        """PEM of what the doors trust: the CA, and a self-signed certificate as long as that is in use."""
        served = self._certificate_path.read_text(encoding="ascii")
        return self.authority.pem + (served if self.self_signed else "")

    @property
    def self_signed(self) -> bool:
        """Whether the certificate in use is one that an older version made and signed by its own key."""
        found = self._served()
        return found.issuer == found.subject

    @property
    def by_ca(self) -> bool:
        """Whether there is a certificate that the house's CA has signed."""
        return self._certificate_path.exists() and self.authority.issued(self._served())

    @property
    def uncovered(self) -> tuple[str, ...]:
        """The names of the machine for which the CA may not sign: it was made before the machine had them."""
        covered = self.authority.covered(self.names)
        lasting = (str(each) for each in self.names.lasting_addresses if each not in covered.addresses)
        return (*(host for host in self.names.hosts if host not in covered.hosts), *lasting)

    def ensure(self, now: datetime) -> bool:
        """Make or renew the certificate if it is absent, expires soon or lacks names; return whether it did."""
        try:
            self.authority.ensure(self.names, now)
            if self._good(now):
                return False
            self._make(now)
        except (OSError, ValueError) as problem:
            raise StoreError(
                f"The space cannot keep its certificate in {self._certificate_path.parent}: {problem}. "
                "Remove tls.crt and tls.key there if they are damaged; without ca.crt and ca.key every device has to "
                "trust the house anew."
            ) from problem
        if self.uncovered:
            logger.warning(
                "Devices will not trust the house as %s: its CA was made without that name. `intercom space trust "
                "--new` makes another one, which every device has to trust anew.",
                ", ".join(self.uncovered),
            )
        return True

    def give_up_self_signed(self) -> bool:
        """Remove the certificate that an older version made, so that the CA signs the next; return whether it did."""
        if not self._certificate_path.exists() or not self.self_signed:
            return False
        self._certificate_path.unlink()
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
        found = self._served()
        alternatives = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        names = set(alternatives.get_values_for_type(x509.DNSName))
        addresses = set(alternatives.get_values_for_type(x509.IPAddress))
        in_time = found.not_valid_before_utc <= now < found.not_valid_after_utc - RENEW_BEFORE
        wanted = self.names if self.self_signed else self.authority.covered(self.names)
        ours = self.self_signed or self.authority.issued(found)
        return ours and in_time and names >= set(wanted.hosts) and addresses >= set(wanted.lasting_addresses)

    def _make(self, now: datetime) -> None:
        key = kept_key(self._key_path)
        wanted = self.authority.covered(self.names)
        alternatives = [x509.DNSName(host) for host in wanted.hosts]
        alternatives_ip = [x509.IPAddress(address) for address in wanted.lasting_addresses]
        certificate = self.authority.sign(
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Intercom")]))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - BACKDATED)
            .not_valid_after(now - BACKDATED + LIFETIME)
            .add_extension(x509.SubjectAlternativeName([*alternatives, *alternatives_ip]), critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        )
        atomic_file.replace(self._certificate_path, certificate.public_bytes(serialization.Encoding.PEM))

    def _served(self) -> x509.Certificate:
        return x509.load_pem_x509_certificate(self._certificate_path.read_bytes())


def now_utc() -> datetime:
    """Return the time of day in UTC, for `Certificate.ensure`."""
    return datetime.now(UTC)
