"""The house's own certificate authority (CA): a device that trusts it once trusts every later certificate of the space.

EC P-256, valid for ten years, and constrained to the names and addresses of a house, so that not even its stolen key
signs for a bank. It is made once: a new one is one that every device has to trust anew.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from intercom import atomic_file
from intercom.space.names import IPAddress, Names

LIFETIME: Final = timedelta(days=3652)
"""Lifetime of the CA from the day it is made: longer than the phones that trust it."""
VALID_SINCE: Final = datetime(2026, 1, 1, tzinfo=UTC)
"""Start of every CA's validity: a machine without a battery clock makes its CA in a wrong year."""
HOUSE_DOMAINS: Final = ("localhost", "local", "home.arpa", "internal")
"""Domains that mean something in one house alone (RFC 6761, 6762 and 8375; ICANN's .internal)."""
HOUSE_NETWORKS: Final = tuple(
    map(
        ipaddress.ip_network,
        (
            "10.0.0.0/8",
            "100.64.0.0/10",
            "127.0.0.0/8",
            "169.254.0.0/16",
            "172.16.0.0/12",
            "192.168.0.0/16",
            "::1/128",
            "fc00::/7",
            "fe80::/10",
        ),
    )
)
"""Networks that mean something in one house alone: its router may number it anew, and phones trust it still."""

_SIGNS_ONLY: Final = x509.KeyUsage(
    digital_signature=False,
    content_commitment=False,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    key_cert_sign=True,
    crl_sign=True,
    encipher_only=False,
    decipher_only=False,
)


class Authority:
    """The CA in `directory` (ca.crt, and ca.key with mode 0600).

    Its methods raise OSError and ValueError when the files cannot be read or written, or do not fit each other.
    """

    def __init__(self, directory: Path) -> None:
        self._certificate_path = directory / "ca.crt"
        self._key_path = directory / "ca.key"

    @property
    def files(self) -> tuple[Path, Path]:
        """The CA's certificate and its key."""
        return self._certificate_path, self._key_path

    @property
    def certificate(self) -> x509.Certificate:
        """The CA's certificate."""
        return x509.load_pem_x509_certificate(self._certificate_path.read_bytes())

    @property
    def pem(self) -> str:
        """The CA's certificate as PEM."""
        return self._certificate_path.read_text(encoding="ascii")

    @property
    def name(self) -> str:
        """The CA's name, as a device shows it."""
        return str(self.certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value)

    @property
    def fingerprint(self) -> str:
        """The certificate's SHA-256 fingerprint, in the form in which devices show it."""
        return self.certificate.fingerprint(hashes.SHA256()).hex(":").upper()

    def ensure(self, names: Names, now: datetime) -> bool:
        """Make the CA for these names if there is none; return whether it did."""
        if self._certificate_path.exists():
            return False
        self._make(names, now)
        return True

    def make_anew(self, names: Names, now: datetime) -> None:
        """Replace the CA by another one with another key, which every device has to trust anew."""
        self._key_path.unlink(missing_ok=True)
        self._make(names, now)

    def covered(self, names: Names) -> Names:
        """Return those of the names for which the CA may sign."""
        permitted = self.certificate.extensions.get_extension_for_class(x509.NameConstraints).value.permitted_subtrees
        domains = [each.value for each in permitted or () if isinstance(each, x509.DNSName)]
        networks = [ipaddress.ip_network(each.value) for each in permitted or () if isinstance(each, x509.IPAddress)]
        return Names(
            tuple(host for host in names.hosts if _below(host, domains)),
            tuple(address for address in names.addresses if _within(address, networks)),
        )

    def issued(self, certificate: x509.Certificate) -> bool:
        """Return whether this CA has signed a certificate."""
        try:
            certificate.verify_directly_issued_by(self.certificate)
        except (InvalidSignature, ValueError):
            return False
        return True

    def sign(self, builder: x509.CertificateBuilder) -> x509.Certificate:
        """Sign a certificate, which gets the CA's name as issuer."""
        own = self.certificate
        if not self._key_path.exists():
            raise ValueError(f"{self._key_path} is missing; restore it from a backup")
        key = self._key()
        if own.public_key() != key.public_key():
            raise ValueError(f"{self._key_path} is not the key of {self._certificate_path}; restore both from a backup")
        identifier = own.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
        issuer = x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier)
        return builder.issuer_name(own.subject).add_extension(issuer, critical=False).sign(key, hashes.SHA256())

    def _make(self, names: Names, now: datetime) -> None:
        key = self._key()
        identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
        machine = next((host for host in names.hosts if "localhost" not in host), "this house")
        # Two houses whose machines have the same name are told apart by the key's first digits.
        name = f"Intercom at {machine[:40]} ({identifier.digest.hex()[:6]})"
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        certificate = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(VALID_SINCE)
            .not_valid_after(max(now, VALID_SINCE) + LIFETIME)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_SIGNS_ONLY, critical=True)
            .add_extension(x509.NameConstraints(list(_permitted(names)), None), critical=True)
            .add_extension(identifier, critical=False)
            .sign(key, hashes.SHA256())
        )
        atomic_file.replace(self._certificate_path, certificate.public_bytes(serialization.Encoding.PEM))

    def _key(self) -> ec.EllipticCurvePrivateKey:
        return kept_key(self._key_path)


def kept_key(path: Path) -> ec.EllipticCurvePrivateKey:
    """Return the private key in the file, made (mode 0600) if there is none or it is of another kind."""
    if path.exists():
        try:
            found = serialization.load_pem_private_key(path.read_bytes(), password=None)
        except UnsupportedAlgorithm as error:
            raise ValueError(f"{path} holds a key of no known kind") from error
        if isinstance(found, ec.EllipticCurvePrivateKey):
            return found
    key = ec.generate_private_key(ec.SECP256R1())
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    atomic_file.replace(path, pem)
    return key


def _permitted(names: Names) -> Iterable[x509.GeneralName]:
    """Yield the subtrees of every house, then this house's names and addresses that lie outside of them."""
    yield from (x509.DNSName(domain) for domain in HOUSE_DOMAINS)
    yield from (x509.DNSName(host) for host in names.hosts if not _below(host, HOUSE_DOMAINS))
    yield from (x509.IPAddress(network) for network in HOUSE_NETWORKS)
    yield from (
        x509.IPAddress(ipaddress.ip_network(address))
        for address in names.lasting_addresses
        if not _within(address, HOUSE_NETWORKS)
    )


def _below(host: str, domains: Iterable[str]) -> bool:
    return any(host == domain or host.endswith(f".{domain}") for domain in domains)


def _within(address: IPAddress, networks: Iterable[ipaddress.IPv4Network | ipaddress.IPv6Network]) -> bool:
    return any(address in network for network in networks)
