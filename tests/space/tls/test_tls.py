"""The space on the network: its certificate and its names."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp
import msgspec
import pytest

from intercom.config import SpaceConfig
from intercom.signalwire.account.credentials import SpaceCredentials
from intercom.space import Space, SpaceCredential
from intercom.space.names import loopback_names
from intercom.space.tls.certificate import LIFETIME, Certificate
from tests.space.tls.older_certificate import self_signed

WAIT_S = 60.0
DAY_ONE = datetime(2030, 1, 1, tzinfo=UTC)


async def test_a_device_trusts_only_the_certificate_in_its_credential(
    tmp_path: Path, configure: Callable[..., SpaceConfig]
) -> None:
    space = Space(configure(tls="on"), tmp_path / "state")
    await space.start()
    try:
        space.write_credential("door", tmp_path / "door.json")
        credential = msgspec.json.decode((tmp_path / "door.json").read_bytes(), type=SpaceCredential)
        assert credential.certificate is not None
        context = ssl.create_default_context(cadata=credential.certificate)
        async with aiohttp.ClientSession() as http:
            async with http.get(f"{credential.api_url}/api/space/hello", ssl=context) as answer:
                assert await answer.json() == {"relay_url": credential.relay_url}
            with pytest.raises(aiohttp.ClientConnectorCertificateError):
                await http.get(f"{credential.api_url}/api/space/hello")
    finally:
        await space.stop()


def test_a_certificate_that_is_good_is_kept(tmp_path: Path) -> None:
    certificate = Certificate(tmp_path, loopback_names())
    assert certificate.ensure(DAY_ONE)
    assert not certificate.ensure(DAY_ONE + timedelta(days=700))


def test_a_certificate_is_renewed_before_it_ends_and_keeps_its_key(tmp_path: Path) -> None:
    certificate = Certificate(tmp_path, loopback_names())
    certificate.ensure(DAY_ONE)
    old, key = (tmp_path / "tls.crt").read_bytes(), (tmp_path / "tls.key").read_bytes()
    assert certificate.ensure(DAY_ONE + LIFETIME - timedelta(days=29))
    assert (tmp_path / "tls.crt").read_bytes() != old
    assert (tmp_path / "tls.key").read_bytes() == key


def test_a_certificate_from_a_clock_that_was_wrong_is_replaced(tmp_path: Path) -> None:
    certificate = Certificate(tmp_path, loopback_names())
    certificate.ensure(datetime(2060, 1, 1, tzinfo=UTC))
    assert certificate.ensure(DAY_ONE)


def test_the_private_key_is_readable_by_its_owner_only(tmp_path: Path) -> None:
    Certificate(tmp_path, loopback_names()).ensure(DAY_ONE)
    assert (tmp_path / "tls.key").stat().st_mode & 0o777 == 0o600


# A state directory of an older version, whose certificate had signed itself


async def token(credential: Path) -> str:
    """What a door gets with its credential, in whose file it keeps what the space says."""
    return (await SpaceCredentials(credential).authenticate()).token


def only_trusting(file: Path, certificate: str) -> Path:
    """A credential as an older version wrote it, taken to a door on another machine."""
    known = msgspec.json.decode(file.read_bytes())
    taken = file.with_name("another-machines-door.json")
    taken.write_bytes(msgspec.json.encode({**known, "certificate": certificate}))
    return taken


@pytest.fixture
async def upgraded(tmp_path: Path, configure: Callable[..., SpaceConfig]) -> AsyncIterator[Space]:
    """A running space in that directory."""
    self_signed(tmp_path, loopback_names())
    space = Space(configure(tls="on"), tmp_path)
    await space.start()
    space.write_credential("door", tmp_path / "door.json")
    yield space
    await space.stop()


def ca(directory: Path) -> str:
    """The house's CA."""
    return (directory / "ca.crt").read_text()


def let_phones_trust(directory: Path) -> bool:
    """What the owner does with `intercom space trust`."""
    return Certificate(directory, loopback_names()).give_up_self_signed()


async def changed_from(space: Space, older: str) -> None:
    """Wait until the space shows another certificate."""
    async with asyncio.timeout(WAIT_S):
        while ssl.PEM_cert_to_DER_cert(await served(space)) == ssl.PEM_cert_to_DER_cert(older):
            await asyncio.sleep(0.1)


async def served(space: Space) -> str:
    """The certificate that the space shows."""
    return await asyncio.to_thread(ssl.get_server_certificate, ("localhost", space.port), timeout=WAIT_S)


@pytest.fixture
def older(tmp_path: Path, upgraded: Space) -> str:
    """The certificate that devices of the older version know."""
    return (tmp_path / "tls.crt").read_text()


async def test_what_devices_trusted_before_an_upgrade_is_still_shown(upgraded: Space, older: str) -> None:
    assert ssl.PEM_cert_to_DER_cert(await served(upgraded)) == ssl.PEM_cert_to_DER_cert(older)


async def test_a_door_on_another_machine_learns_the_ca_before_it_needs_it(
    upgraded: Space, older: str, tmp_path: Path
) -> None:
    door = only_trusting(tmp_path / "door.json", older)
    assert await token(door)
    assert ca(tmp_path) in json.loads(door.read_bytes())["certificate"]
    assert let_phones_trust(tmp_path)
    await changed_from(upgraded, older)
    assert await token(door)
    assert json.loads(door.read_bytes())["certificate"] == ca(tmp_path)


async def test_the_door_of_the_same_machine_is_told_by_the_space(upgraded: Space, older: str, tmp_path: Path) -> None:
    assert let_phones_trust(tmp_path)
    await changed_from(upgraded, older)
    assert json.loads((tmp_path / "door.json").read_bytes())["certificate"] == ca(tmp_path)
    assert await token(tmp_path / "door.json")


async def test_a_certificate_that_is_made_because_a_door_asks_what_to_trust_is_shown(
    upgraded: Space, older: str, tmp_path: Path
) -> None:
    assert let_phones_trust(tmp_path)
    assert upgraded.tls.pinned == ca(tmp_path)
    await changed_from(upgraded, older)
    assert upgraded.tls.by_ca


def test_a_certificate_of_an_older_version_is_not_renewed_by_itself(tmp_path: Path) -> None:
    older = self_signed(tmp_path, loopback_names(), since=DAY_ONE)
    certificate = Certificate(tmp_path, loopback_names())
    assert not certificate.ensure(DAY_ONE + timedelta(days=700))
    assert certificate.ensure(DAY_ONE + timedelta(days=800))
    assert older not in certificate.pinned


def test_a_certificate_of_an_older_version_that_lacks_a_name_gives_way_to_one_of_the_ca(tmp_path: Path) -> None:
    self_signed(tmp_path, loopback_names(), since=DAY_ONE)
    certificate = Certificate(tmp_path, loopback_names(["door.local"]))
    assert certificate.ensure(DAY_ONE)
    assert not certificate.self_signed


@pytest.mark.parametrize("said", ["no certificate", "é", 7, None, "-----BEGIN CERTIFICATE-----\n" * 9999])
async def test_a_door_keeps_what_it_trusts_when_the_space_says_nonsense(
    tmp_path: Path, said: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def answer(*_: object, **__: object) -> object:
        return {"token": "t", "expires_at": 5, "certificate": said}

    monkeypatch.setattr("intercom.signalwire.account.credentials.request_json", answer)
    door = tmp_path / "door.json"
    file = {"api_url": "https://a", "relay_url": "wss://a", "device_secret": "s", "certificate": "pinned"}
    door.write_text(json.dumps(file))
    assert await token(door) == "t"
    assert json.loads(door.read_text()) == file
