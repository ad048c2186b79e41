"""Which names a space goes by and which addresses it hands out, while those of the machine come and go."""

from __future__ import annotations

import asyncio
import errno
import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from intercom import atomic_file
from intercom.config import SpaceConfig
from intercom.space import Membership, Space
from intercom.space.auth.credential import read_credential
from intercom.space.errors import SpaceConfigError
from intercom.space.location import Location, turn_address
from intercom.space.names import network_names


class Machine:
    """A machine's addresses, which a test changes."""

    def __init__(self, *addresses: str) -> None:
        self.addresses = list(addresses)

    def __call__(self) -> list[str]:
        return self.addresses


def location(*addresses: str, **settings: Any) -> Location:
    return Location(SpaceConfig(**{"listen": "0.0.0.0:8443", **settings}), own_addresses=Machine(*addresses))


def test_a_machine_that_had_no_address_yet_is_known_by_the_one_that_it_gets() -> None:
    machine = Machine()
    place = Location(SpaceConfig(listen="0.0.0.0:8443"), own_addresses=machine)
    assert place.url == "https://localhost:8443"
    machine.addresses = ["192.168.1.5"]
    assert place.follow()
    assert place.url == "https://192.168.1.5:8443"
    assert place.names.include("192.168.1.5")


def test_nothing_has_changed_when_the_addresses_are_the_same() -> None:
    assert not location("192.168.1.5").follow()


@pytest.mark.parametrize(
    ("settings", "url"),
    [
        ({}, "https://192.168.1.5:8443"),
        ({"host_names": ("door.local",)}, "https://door.local:8443"),
        ({"listen": "door.local:8443"}, "https://door.local:8443"),
        ({"listen": "[fd00::5]:8443"}, "https://[fd00::5]:8443"),
        ({"listen": "127.0.0.1:8480"}, "http://localhost:8480"),
        ({"listen": "127.0.0.1:8480", "host_names": ("door.example",)}, "http://localhost:8480"),
        (
            {"listen": "127.0.0.1:8480", "host_names": ("door.example",), "trusted_proxies": ("127.0.0.1",)},
            "https://door.example",
        ),
        ({"listen": "127.0.0.1:8480", "public_url": "https://door.example:444/"}, "https://door.example:444"),
    ],
)
def test_people_are_told_the_address_that_reaches_it(settings: dict[str, Any], url: str) -> None:
    assert location("fd00::5", "192.168.1.5", **settings).public_url == url


@pytest.mark.parametrize(
    ("settings", "api"),
    [
        ({}, "https://192.168.1.5:8443"),
        ({"tls": "off"}, "http://localhost:8443"),
        ({"tls": "off", "listen": "192.168.1.5:8443", "public_url": "https://door.example"}, "https://door.example"),
    ],
)
def test_a_device_never_sends_its_secret_in_clear_over_a_network(settings: dict[str, Any], api: str) -> None:
    place = location("192.168.1.5", trusted_proxies=("10.0.0.1",), **settings)
    assert place.device_urls == (api, f"ws{api.removeprefix('http')}/")


def test_a_certificate_is_not_made_anew_with_each_prefix_of_the_provider() -> None:
    names = network_names((), ["192.168.1.5", "2003:1:2:3::5", "fd00::5"])
    lasting = [str(address) for address in names.lasting_addresses]
    assert lasting == ["127.0.0.1", "::1", "192.168.1.5", "fd00::5"]
    assert names.include("2003:1:2:3::5")


@pytest.mark.parametrize(
    ("listen", "address"),
    [
        ("192.168.1.5:3478", ("192.168.1.5", 3478)),
        ("0.0.0.0:3478", ("192.168.1.5", 3478)),
        ("[::]:3478", ("fd00::5", 3478)),
    ],
)
def test_a_turn_server_is_named_by_an_address_that_clients_reach(listen: str, address: tuple[str, int]) -> None:
    assert turn_address(listen, ["127.0.0.1", "fd00::5", "192.168.1.5"]) == address


def test_a_turn_server_waits_for_an_address() -> None:
    assert turn_address("0.0.0.0:3478", ["127.0.0.1"]) == (None, 3478)


def test_a_turn_server_on_a_name_is_refused_in_words() -> None:
    with pytest.raises(SpaceConfigError, match="write an IP address and a port"):
        turn_address("door.local:3478", [])


def test_a_space_without_tls_on_the_network_is_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(SpaceConfigError, match="in clear"):
        Space(SpaceConfig(listen="0.0.0.0:0", tls="off"), tmp_path)


@pytest.fixture
def machine() -> Machine:
    return Machine()


@pytest.fixture
async def space(tmp_path: Path, machine: Machine) -> AsyncIterator[Space]:
    """A space on all addresses of a machine that has none yet."""
    running = Space(SpaceConfig(listen="0.0.0.0:0"), tmp_path, own_addresses=machine)
    await running.start()
    running.write_credential("door", tmp_path / "door.json")
    yield running
    await running.stop()


async def test_a_running_space_takes_a_new_address_for_everything(
    space: Space, machine: Machine, tmp_path: Path
) -> None:
    door = tmp_path / "door.json"
    machine.addresses = ["10.0.0.7"]
    space._follow_addresses()
    url = f"https://10.0.0.7:{space.port}"
    with Membership(tmp_path) as house:
        assert house.invite().url.startswith(f"{url}/station/")
    credential = read_credential(door)
    assert credential is not None
    assert (credential.api_url, credential.relay_url) == (url, f"wss://10.0.0.7:{space.port}/")
    assert credential.certificate is not None
    trust = ssl.create_default_context(cadata=credential.certificate)
    connector = aiohttp.TCPConnector(ssl=trust, resolver=ToLoopback())
    async with aiohttp.ClientSession(connector=connector) as http:
        hello = f"https://localhost:{space.port}/api/space/hello"
        async with http.get(hello, headers={"Host": f"10.0.0.7:{space.port}"}, server_hostname="10.0.0.7") as answer:
            assert await answer.json() == {"relay_url": f"wss://10.0.0.7:{space.port}/"}


async def test_addresses_that_a_full_disk_did_not_take_are_written_when_it_does(
    space: Space, machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    machine.addresses = ["10.0.0.7"]
    with monkeypatch.context() as while_full:
        while_full.setattr(atomic_file, "replace", full)
        space._follow_addresses()
    async with asyncio.timeout(60):
        while "10.0.0.7" not in (tmp_path / "door.json").read_text():
            await asyncio.sleep(0.05)


async def test_an_address_that_the_machine_lost_is_refused(space: Space, machine: Machine) -> None:
    machine.addresses = ["10.0.0.7"]
    space._follow_addresses()
    machine.addresses = ["192.0.2.8"]
    space._follow_addresses()
    async with aiohttp.ClientSession() as http:
        hello = f"https://localhost:{space.port}/api/space/hello"
        async with http.get(hello, headers={"Host": "10.0.0.7"}, ssl=False) as answer:
            assert answer.status == 421


class ToLoopback(aiohttp.abc.AbstractResolver):
    """Leads every name to this machine."""

    async def resolve(self, host: str, port: int = 0, family: Any = 0) -> list[Any]:
        found = await asyncio.get_running_loop().getaddrinfo("127.0.0.1", port)
        return [
            {"hostname": host, "host": address[0], "port": port, "family": kind, "proto": proto, "flags": 0}
            for kind, _, proto, _, address in found[:1]
        ]

    async def close(self) -> None:
        """Nothing is open."""
