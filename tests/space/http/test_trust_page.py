"""The page /trust: what it hands out, and where it is."""

from __future__ import annotations

import asyncio
import plistlib
import socket
import subprocess
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import aiohttp
import pytest
from cryptography import x509

from intercom.config import SpaceConfig
from intercom.languages import catalogue
from intercom.space import NoSpaceError, Space, devices_learn_trust
from intercom.space.names import loopback_names
from intercom.space.tls.authority import Authority
from tests.ports import reserved_port
from tests.space.tls.older_certificate import self_signed

WAIT_S = 60.0
Config = Callable[..., SpaceConfig]


@pytest.fixture
async def space(tmp_path: Path, configure: Config) -> AsyncIterator[Space]:
    """A running space with a certificate of the house's CA."""
    running = Space(configure(tls="on"), tmp_path)
    await running.start()
    yield running
    await running.stop()


async def read(url: str) -> tuple[str, bytes]:
    """The type and the content of an answer."""
    async with aiohttp.ClientSession() as http, http.get(url) as answer:
        assert answer.status == 200
        return answer.content_type, await answer.read()


async def test_android_and_computers_get_the_ca_as_a_file(space: Space, tmp_path: Path) -> None:
    kind, content = await read(f"{space.trust_page.url}/house.crt")
    assert kind == "application/x-x509-ca-cert"
    assert x509.load_pem_x509_certificate(content) == Authority(tmp_path).certificate


async def test_apple_s_devices_get_the_ca_as_a_profile(space: Space, tmp_path: Path) -> None:
    kind, content = await read(f"{space.trust_page.url}/house.mobileconfig")
    assert kind == "application/x-apple-aspen-config"
    profile = plistlib.loads(content)
    (payload,) = profile["PayloadContent"]
    assert (profile["PayloadType"], payload["PayloadType"]) == ("Configuration", "com.apple.security.root")
    assert x509.load_der_x509_certificate(payload["PayloadContent"]) == Authority(tmp_path).certificate
    identities = {profile["PayloadUUID"], payload["PayloadUUID"]}
    assert len(identities) == 2
    again = plistlib.loads((await read(f"{space.trust_page.url}/house.mobileconfig"))[1])
    assert again == profile


async def test_the_page_speaks_the_browser_s_language_and_else_that_of_the_house(
    tmp_path: Path, configure: Config
) -> None:
    space = Space(configure(tls="on"), tmp_path, language="it")
    await space.start()
    try:
        for wants, language, head in (
            ("nl-BE,nl;q=0.9", "nl", "Laat dit apparaat het huis vertrouwen"),
            ("ja", "it", "Fai in modo che questo dispositivo si fidi della casa"),
        ):
            about = {"Accept-Language": wants}
            async with aiohttp.ClientSession(headers=about) as http, http.get(space.trust_page.url) as answer:
                text = await answer.text()
                assert (answer.headers["Content-Language"], answer.headers["Vary"]) == (language, "Accept-Language")
            assert f'<html lang="{language}">' in text
            assert f"<h1>{head}</h1>" in text
            assert Authority(tmp_path).fingerprint in text
            assert "{" not in text
            url = f"{space.trust_page.url}/house.mobileconfig"
            async with aiohttp.ClientSession(headers=about) as http, http.get(url) as answer:
                profile = plistlib.loads(await answer.read())
            assert profile["PayloadDescription"] == catalogue(language).say("trust.profile")
    finally:
        await space.stop()


async def test_openssl_trusts_the_space_with_the_file_alone(space: Space, tmp_path: Path) -> None:
    _, content = await read(f"{space.trust_page.url}/house.crt")
    (tmp_path / "got.crt").write_bytes(content)
    command = ["openssl", "s_client", "-connect", f"127.0.0.1:{space.port}", "-verify_hostname", "localhost"]
    command += ["-verify_return_error", "-CAfile", str(tmp_path / "got.crt")]
    done = await asyncio.to_thread(subprocess.run, command, input=b"", capture_output=True, check=False, timeout=WAIT_S)
    assert b"Verify return code: 0 (ok)" in done.stdout


async def test_the_command_prints_the_page_and_the_fingerprint_that_the_page_shows(
    space: Space, tmp_path: Path, configure: Config
) -> None:
    told = await asyncio.to_thread(devices_learn_trust, tmp_path, configure(tls="on"))
    _, page = await read(told.url)
    assert told.fingerprint in page.decode()
    assert told.name in page.decode()
    assert not told.changed


async def test_the_command_gives_up_the_certificate_of_an_older_version(tmp_path: Path, configure: Config) -> None:
    self_signed(tmp_path, loopback_names())
    space = Space(configure(tls="on"), tmp_path)
    await space.start()
    try:
        assert not space.trust_page.url
        told = await asyncio.to_thread(devices_learn_trust, tmp_path, configure(tls="on"))
        assert told.changed
        assert told.url == space.trust_page.url
    finally:
        await space.stop()


async def test_a_new_ca_is_in_use_when_the_command_says_so(space: Space, tmp_path: Path, configure: Config) -> None:
    before = (await read(f"{space.trust_page.url}/house.crt"))[1]
    told = await asyncio.to_thread(devices_learn_trust, tmp_path, configure(tls="on"), anew=True)
    assert told.changed
    assert (await read(f"{told.url}/house.crt"))[1] != before
    await test_openssl_trusts_the_space_with_the_file_alone(space, tmp_path)


@pytest.mark.parametrize("settings", [{}, {"tls": "on", "trust_port": 0}])
async def test_where_nothing_is_handed_out_nothing_listens_and_the_command_says_so(
    tmp_path: Path, configure: Config, settings: dict[str, object]
) -> None:
    space = Space(configure(**settings), tmp_path)
    await space.start()
    try:
        assert space.trust_page.port == 0
        with pytest.raises(NoSpaceError, match=r"space\.trust_port"):
            devices_learn_trust(tmp_path, configure(**settings), sleep=lambda _: None)
    finally:
        await space.stop()


async def test_the_page_is_gone_with_the_space(space: Space, tmp_path: Path, configure: Config) -> None:
    port = space.trust_page.port
    await space.stop()
    with pytest.raises(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port)):
        pass
    with pytest.raises(NoSpaceError):
        devices_learn_trust(tmp_path, configure(tls="on"), sleep=lambda _: None)


async def test_a_port_that_is_taken_is_told_and_keeps_no_door_from_ringing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other, reserved_port() as port:
        taken = other.getsockname()[1]
        space = Space(SpaceConfig(listen=f"127.0.0.1:{port}", tls="on", trust_port=taken), tmp_path)
        await space.start()
        try:
            assert "space.trust_port" in caplog.text.replace("[space] ", "space.")
            async with asyncio.timeout(WAIT_S):
                other.close()
                while not space.trust_page.url:
                    await asyncio.sleep(0.1)
        finally:
            await space.stop()
