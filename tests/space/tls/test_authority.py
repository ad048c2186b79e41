"""The house's CA: what it signs is good for the house, and for nothing else."""

from __future__ import annotations

import base64
import ipaddress
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key
from cryptography.x509.oid import NameOID
from hypothesis import given, settings
from hypothesis import strategies as st

from intercom.space.errors import StoreError
from intercom.space.names import Names, network_names
from intercom.space.tls.authority import Authority, kept_key
from intercom.space.tls.certificate import LIFETIME, RENEW_BEFORE, Certificate, now_utc
from tests.space.tls.trusting import trusting

NAMES = network_names(["door.example.org"], ["192.168.1.10", "fd00::10"])
YEAR = timedelta(days=365)


def forged(authority: Authority, name: x509.GeneralName, *, key: Path | None = None) -> bytes:
    """What a thief of the CA's key signs for a name, with the key in that file or a new one."""
    private = ec.generate_private_key(ec.SECP256R1()) if key is None else kept_key(key)
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Bank")]))
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now_utc() - timedelta(days=1))
        .not_valid_after(now_utc() + timedelta(days=30))
        .add_extension(x509.SubjectAlternativeName([name]), critical=False)
    )
    return authority.sign(builder).public_bytes(Encoding.PEM)


def verified(folder: Path, certificate: Path, *, name: str = "", address: str = "") -> subprocess.CompletedProcess[str]:
    """What openssl says of a certificate, as strictly as it can."""
    who = ["-verify_hostname", name] if name else ["-verify_ip", address]
    command = ["openssl", "verify", "-x509_strict", "-purpose", "sslserver", *who, "-CAfile", str(folder / "ca.crt")]
    return subprocess.run([*command, str(certificate)], check=False, capture_output=True, text=True, timeout=60)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The state directory of a space that has its certificate."""
    Certificate(tmp_path, NAMES).ensure(now_utc())
    return tmp_path


@pytest.mark.parametrize("name", ["localhost", "door.example.org"])
def test_openssl_trusts_the_space_by_each_name_of_the_machine(folder: Path, name: str) -> None:
    assert verified(folder, folder / "tls.crt", name=name).returncode == 0


@pytest.mark.parametrize("address", ["127.0.0.1", "192.168.1.10", "fd00::10"])
def test_openssl_trusts_the_space_by_each_address_of_the_machine(folder: Path, address: str) -> None:
    assert verified(folder, folder / "tls.crt", address=address).returncode == 0


def test_the_ca_is_of_no_use_for_a_bank(folder: Path) -> None:
    bank = folder / "bank.crt"
    bank.write_bytes(forged(Authority(folder), x509.DNSName("bank.example.com")))
    assert "permitted subtree violation" in verified(folder, bank, name="bank.example.com").stderr


def test_a_browser_s_library_takes_a_neighbour_from_the_ca_and_no_bank(folder: Path) -> None:
    database = f"sql:{trusting(folder)}"
    told = {}
    for name in ("printer.local", "bank.example.com"):
        (folder / name).write_bytes(forged(Authority(folder), x509.DNSName(name)))
        command = ["vfychain", "-d", database, "-pp", "-u", "1", "-a", str(folder / name)]
        judged = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)
        told[name] = (judged.stdout + judged.stderr).splitlines()[0]
    assert told == {"printer.local": "Chain is good!", "bank.example.com": "Chain is bad!"}


def test_the_ca_is_of_no_use_for_an_address_outside_of_a_house(folder: Path) -> None:
    server = folder / "server.crt"
    server.write_bytes(forged(Authority(folder), x509.IPAddress(ipaddress.ip_address("203.0.113.5"))))
    assert "permitted subtree violation" in verified(folder, server, address="203.0.113.5").stderr


def test_the_ca_signs_no_further_ca(folder: Path) -> None:
    constraints = Authority(folder).certificate.extensions.get_extension_for_class(x509.BasicConstraints)
    assert (constraints.critical, constraints.value.ca, constraints.value.path_length) == (True, True, 0)


def test_the_ca_outlives_every_certificate_of_ten_years_with_the_same_key_and_file(tmp_path: Path) -> None:
    first = now_utc()
    Certificate(tmp_path, NAMES).ensure(first)
    ca = (tmp_path / "ca.crt").read_bytes(), (tmp_path / "ca.key").read_bytes()
    served = set()
    for years in range(10):
        Certificate(tmp_path, NAMES).ensure(first + years * YEAR)
        served.add((tmp_path / "tls.crt").read_bytes())
    assert len(served) == 4
    assert ((tmp_path / "ca.crt").read_bytes(), (tmp_path / "ca.key").read_bytes()) == ca
    assert Authority(tmp_path).certificate.not_valid_after_utc > first + 9.9 * YEAR


def test_the_ca_s_key_is_readable_by_its_owner_only(folder: Path) -> None:
    assert (folder / "ca.key").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("year", [1970, 2090])
def test_a_ca_made_while_the_clock_was_wrong_is_good_when_it_is_right(tmp_path: Path, year: int) -> None:
    Authority(tmp_path).ensure(NAMES, datetime(year, 1, 1, tzinfo=UTC))
    made = Authority(tmp_path).certificate
    assert made.not_valid_before_utc < datetime(2026, 11, 1, tzinfo=UTC) < made.not_valid_after_utc


def test_apple_s_limit_of_825_days_holds_with_the_first_day_counted(folder: Path) -> None:
    served = x509.load_pem_x509_certificate((folder / "tls.crt").read_bytes())
    assert served.not_valid_after_utc - served.not_valid_before_utc <= timedelta(days=825)


def test_a_ca_without_its_key_is_told_and_never_replaced(tmp_path: Path) -> None:
    certificate = Certificate(tmp_path, NAMES)
    certificate.ensure(now_utc())
    ca = (tmp_path / "ca.crt").read_bytes()
    (tmp_path / "ca.key").unlink()
    with pytest.raises(StoreError, match=r"ca\.key is missing"):
        certificate.ensure(now_utc() + LIFETIME - RENEW_BEFORE)
    assert (tmp_path / "ca.crt").read_bytes() == ca


def test_a_ca_whose_key_is_another_s_is_told(tmp_path: Path) -> None:
    certificate = Certificate(tmp_path, NAMES)
    certificate.ensure(now_utc())
    (tmp_path / "ca.key").write_bytes((tmp_path / "tls.key").read_bytes())
    with pytest.raises(StoreError, match=r"is not the key of .*ca\.crt"):
        certificate.ensure(now_utc() + LIFETIME - RENEW_BEFORE)


def test_a_ca_whose_key_is_of_no_known_kind_is_told(tmp_path: Path) -> None:
    certificate = Certificate(tmp_path, NAMES)
    certificate.ensure(now_utc())
    key = load_pem_private_key((tmp_path / "ca.key").read_bytes(), None)
    kind = bytes.fromhex("2a8648ce3d0201")
    file = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    assert file.count(kind) == 1
    text = base64.encodebytes(file.replace(kind, kind[:-1] + b"\x7f")).decode()
    (tmp_path / "ca.key").write_text(f"-----BEGIN PRIVATE KEY-----\n{text}-----END PRIVATE KEY-----\n")
    with pytest.raises(StoreError, match=r"ca\.key holds a key of no known kind"):
        certificate.ensure(now_utc() + LIFETIME - RENEW_BEFORE)


def test_a_new_address_of_the_house_s_network_gets_into_the_certificate(folder: Path) -> None:
    assert Certificate(folder, network_names([], ["10.1.2.3"])).ensure(now_utc())
    assert verified(folder, folder / "tls.crt", address="10.1.2.3").returncode == 0


def test_a_name_that_the_ca_may_not_sign_is_told_and_spoils_no_other(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert Certificate(folder, network_names(["door.example.net"], ["192.168.1.77"])).ensure(now_utc())
    assert verified(folder, folder / "tls.crt", address="192.168.1.77").returncode == 0
    assert "will not trust the house as door.example.net" in caplog.text
    assert not Certificate(folder, network_names(["door.example.net"], ["192.168.1.77"])).ensure(now_utc())


LABELS = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,8}[a-z0-9])?", fullmatch=True)


@settings(max_examples=40, deadline=None)
@given(hosts=st.lists(st.lists(LABELS, min_size=1, max_size=3).map(".".join), max_size=4), data=st.data())
def test_whatever_the_machine_is_called_the_ca_signs_just_that(
    tmp_path_factory: pytest.TempPathFactory, hosts: list[str], data: st.DataObject
) -> None:
    authority = Authority(tmp_path_factory.mktemp("ca"))
    address = data.draw(st.ip_addresses())
    names = Names(tuple(dict.fromkeys(hosts)), (address,))
    authority.ensure(names, now_utc())
    assert authority.covered(names).hosts == names.hosts
    assert authority.covered(names).addresses == (address,)
    assert authority.covered(Names(("bank.example.of-another-house",), ())).hosts == ()
