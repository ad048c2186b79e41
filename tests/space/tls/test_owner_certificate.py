"""The owner's own certificate: to whom it is shown, how it is renewed, and what happens when it is spoilt."""

from __future__ import annotations

import asyncio
import logging
import ssl
import subprocess
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from intercom.config import SpaceConfig
from intercom.signalwire.account.credentials import SpaceCredentials
from intercom.space import Space
from intercom.space.errors import CertificateError, SpaceConfigError
from intercom.space.location import Location
from intercom.space.names import loopback_names
from intercom.space.tls.authority import Authority, kept_key
from intercom.space.tls.certificate import now_utc
from intercom.space.tls.owner_certificate import read_pair
from intercom.space.tls.tls import Tls
from tests.space.tls.test_authority import forged

NAME = "door.example.com"
DAYS = 30
"""For which the certificates of these tests are good."""


class Files:
    """The owner's files, and whoever renews them."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.certificate, self.key = folder / "fullchain.pem", folder / "privkey.pem"
        self._signer = Authority(folder)
        self._signer.ensure(loopback_names([NAME]), now_utc())
        self.renew()

    def renew(self, name: str = NAME) -> bytes:
        """Write a certificate with the same key; return it."""
        kept_key(self.key)
        made = forged(self._signer, x509.DNSName(name), key=self.key)
        self.certificate.write_bytes(made)
        return ssl.PEM_cert_to_DER_cert(made.decode())


@pytest.fixture
def files(tmp_path: Path) -> Files:
    """A good pair."""
    return Files(tmp_path / "owner")


@pytest.fixture
def config(files: Files) -> SpaceConfig:
    """The settings that name it."""
    return SpaceConfig(listen="127.0.0.1:0", tls="on", certificate=str(files.certificate), key=str(files.key))


@pytest.fixture
async def space(tmp_path: Path, config: SpaceConfig) -> AsyncIterator[Space]:
    """A running space with it."""
    running = Space(config, tmp_path / "state")
    await running.start()
    yield running
    await running.stop()


async def shown(space: Space, host: str | None) -> bytes:
    """The certificate that the space shows to whoever asks for a host by that name; None: by address."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    _, writer = await asyncio.open_connection("127.0.0.1", space.port, ssl=context, server_hostname=host or "127.0.0.1")
    found = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    writer.close()
    return bytes(found)


def by_house(tmp_path: Path, certificate: bytes) -> bool:
    """Whether the house's CA has signed it."""
    return Authority(tmp_path / "state").issued(x509.load_der_x509_certificate(certificate))


@pytest.mark.parametrize("host", [NAME, NAME.upper()])
async def test_whoever_asks_for_its_name_is_shown_the_owner_s(space: Space, files: Files, host: str) -> None:
    assert await shown(space, host) == ssl.PEM_cert_to_DER_cert(files.certificate.read_text())


@pytest.mark.parametrize("host", [None, "localhost", "other.example.com"])
async def test_whoever_asks_otherwise_is_shown_the_house_s(space: Space, tmp_path: Path, host: str | None) -> None:
    assert by_house(tmp_path, await shown(space, host))


async def test_people_are_sent_to_its_name_and_the_space_answers_to_it(space: Space) -> None:
    space.location.loopback = False
    assert space.invite().url.startswith(f"https://{NAME}:{space.port}/station/")
    assert space.location.names.include(NAME)


async def test_a_door_trusts_the_house_s_ca_whatever_the_owner_s_files_are(space: Space, tmp_path: Path) -> None:
    space.location.loopback = False
    space.write_credential("door", tmp_path / "door.json")
    credential = space.credential_of("door", None)
    assert NAME not in credential.api_url
    assert credential.certificate == Authority(tmp_path / "state").pem


async def test_a_door_signs_in_beside_it(space: Space, tmp_path: Path) -> None:
    space.write_credential("door", tmp_path / "door.json")
    assert (await SpaceCredentials(tmp_path / "door.json").authenticate()).token


async def test_a_renewed_one_is_shown_without_a_restart(space: Space, files: Files) -> None:
    renewed = files.renew()
    space.tls.look()
    assert await shown(space, NAME) == renewed


async def test_one_that_is_renewed_just_before_the_machine_gets_another_address_is_shown(
    space: Space, files: Files
) -> None:
    renewed = files.renew()
    space.tls.follow()
    space.tls.look()
    assert await shown(space, NAME) == renewed


async def test_the_space_looks_by_itself(space: Space, files: Files) -> None:
    renewed = files.renew()
    async with asyncio.timeout(60):
        while await shown(space, NAME) != renewed:
            await asyncio.sleep(0.1)


async def test_one_with_another_name_is_shown_to_who_asks_for_that(space: Space, files: Files, tmp_path: Path) -> None:
    renewed = files.renew("localhost")
    space.tls.look()
    assert await shown(space, "localhost") == renewed
    assert by_house(tmp_path, await shown(space, NAME))
    assert not space.location.names.include(NAME)


async def test_a_pair_that_does_not_fit_is_told_in_a_sentence_and_the_old_one_stays(
    space: Space, files: Files, caplog: pytest.LogCaptureFixture
) -> None:
    before = await shown(space, NAME)
    good = files.key.read_bytes()
    files.key.unlink()
    kept_key(files.key)
    space.tls.look()
    assert caplog.text.count("cannot be used") == 0  # it may be half written
    for _ in range(3):
        space.tls.look()
    assert await shown(space, NAME) == before
    told = [record.getMessage() for record in caplog.records if "cannot be used" in record.getMessage()]
    assert told == [
        f"The certificate in {files.certificate} and its key in {files.key} cannot be used: the key is another "
        "certificate's. The space goes on with the one before."
    ]
    assert "another certificate's" in space.summary
    files.key.write_bytes(good)
    space.tls.look()
    assert "cannot be used" not in space.summary


async def test_a_pair_that_is_gone_at_the_start_keeps_no_door_from_ringing(
    tmp_path: Path, config: SpaceConfig, files: Files, caplog: pytest.LogCaptureFixture
) -> None:
    files.certificate.unlink()
    space = Space(config, tmp_path / "state")
    await space.start()
    try:
        assert by_house(tmp_path, await shown(space, NAME))
        assert "cannot be used: No such file or directory" in caplog.text
        renewed = files.renew()
        space.tls.look()
        assert await shown(space, NAME) == renewed
    finally:
        await space.stop()


@pytest.mark.parametrize(("days_left", "warned"), [(22, False), (20, True), (-1, True)])
def test_three_weeks_before_its_end_the_owner_is_warned(
    tmp_path: Path, config: SpaceConfig, caplog: pytest.LogCaptureFixture, days_left: int, *, warned: bool
) -> None:
    caplog.set_level(logging.WARNING)
    now = now_utc() + timedelta(days=DAYS - days_left)
    tls = Tls(config, tmp_path, Location(config), on_change=lambda: None, now=lambda: now)
    tls.begin()
    assert ("renew it" in caplog.text) == warned
    assert ("renew it" in tls.trouble) == warned


def test_a_key_without_a_certificate_is_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(SpaceConfigError, match="key is set without certificate"):
        Space(SpaceConfig(listen="127.0.0.1:0", tls="on", key="/etc/key.pem"), tmp_path)


def test_a_key_with_a_password_is_refused_and_asks_no_terminal(tmp_path: Path, files: Files) -> None:
    locked = tmp_path / "locked.pem"
    command = ["openssl", "pkey", "-in", str(files.key), "-aes256", "-passout", "pass:secret", "-out", str(locked)]
    subprocess.run(command, check=True, timeout=60)
    with pytest.raises(CertificateError, match="has a password"):
        read_pair(files.certificate, locked)


def test_both_may_be_in_one_file(files: Files) -> None:
    files.certificate.write_bytes(files.certificate.read_bytes() + files.key.read_bytes())
    assert read_pair(files.certificate, files.certificate).hosts == (NAME,)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(content=st.binary(max_size=300), cut=st.integers(0, 400))
def test_rubbish_in_a_file_is_one_sentence(tmp_path: Path, files: Files, content: bytes, cut: int) -> None:
    spoilt = tmp_path / "spoilt.pem"
    spoilt.write_bytes(files.certificate.read_bytes()[:cut] + content)
    with pytest.raises(CertificateError) as told:
        read_pair(spoilt, files.key)
    assert "\n" not in str(told.value)
