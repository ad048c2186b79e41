"""The space on the network: its certificate and its names."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp
import msgspec
import pytest

from intercom.config import SpaceConfig
from intercom.space import Space, SpaceCredential
from intercom.space.certificate import LIFETIME, Certificate
from intercom.space.names import loopback_names

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
    old, key = certificate.pem, (tmp_path / "tls.key").read_bytes()
    assert certificate.ensure(DAY_ONE + LIFETIME - timedelta(days=29))
    assert certificate.pem != old
    assert (tmp_path / "tls.key").read_bytes() == key


def test_a_certificate_from_a_clock_that_was_wrong_is_replaced(tmp_path: Path) -> None:
    certificate = Certificate(tmp_path, loopback_names())
    certificate.ensure(datetime(2060, 1, 1, tzinfo=UTC))
    assert certificate.ensure(DAY_ONE)


def test_the_private_key_is_readable_by_its_owner_only(tmp_path: Path) -> None:
    Certificate(tmp_path, loopback_names()).ensure(DAY_ONE)
    assert (tmp_path / "tls.key").stat().st_mode & 0o777 == 0o600
