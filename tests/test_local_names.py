"""The name that a browser gives in place of its address is looked up, and no datagram of a stranger does harm."""

from __future__ import annotations

import asyncio
import socket
import struct
import subprocess
import sys
from collections.abc import AsyncIterator

import pytest
from aioice import mdns
from hypothesis import given
from hypothesis import strategies as st

from intercom import local_names
from intercom.local_names import answers, create_mdns_protocol, is_mdns_hostname, question

NAME = "3F9C1C2E-8d1b-4a5c-9d6b-0f2d4a7b9c11.local"
LIMIT_S = 60.0

AIOICE_WITHOUT_DNSPYTHON = f"""
import asyncio, sys
from intercom import local_names
local_names.stand_in()
import aioice
async def main():
    connection = aioice.Connection(ice_controlling=True)
    candidate = aioice.Candidate("1", 1, "udp", 1, {NAME!r}, 9, "host")
    while not connection.remote_candidates:
        await connection.add_remote_candidate(candidate)
    print(connection.remote_candidates[0].host, "dns" in sys.modules)
    await connection.close()
asyncio.run(asyncio.wait_for(main(), {LIMIT_S}))
"""


@pytest.fixture
async def browser() -> AsyncIterator[mdns.MDnsProtocol]:
    """Whoever answers for the name; dnspython writes and reads for it."""
    try:
        publisher = await mdns.create_mdns_protocol()
        await publisher.publish(NAME, "192.0.2.7")
    except OSError as error:
        pytest.skip(f"no multicast here: {error}")
    yield publisher
    await publisher.close()


async def test_a_browser_s_name_is_looked_up(browser: mdns.MDnsProtocol) -> None:
    asking = await create_mdns_protocol()
    async with asyncio.timeout(LIMIT_S):
        while (address := await asking.resolve(NAME)) is None:
            pass
    assert address == "192.0.2.7"
    assert await asyncio.gather(*(asking.resolve(NAME, LIMIT_S) for _ in range(3))) == [address] * 3
    await asking.close()
    assert await asking.resolve(NAME) is None


async def test_aioice_looks_names_up_without_dnspython(browser: mdns.MDnsProtocol) -> None:
    told = await asyncio.create_subprocess_exec(sys.executable, "-c", AIOICE_WITHOUT_DNSPYTHON, stdout=subprocess.PIPE)
    assert (await told.communicate())[0].decode() == f"{NAME} False\n"


async def test_who_waits_for_a_name_that_nobody_has_is_let_go() -> None:
    asking = await create_mdns_protocol()
    assert await asking.resolve("nobody.local", 0.01) is None
    waiting = asyncio.ensure_future(asking.resolve("nobody.local", LIMIT_S))
    await asyncio.sleep(0)
    await asking.close()
    assert await asyncio.wait_for(waiting, LIMIT_S) is None


def test_only_names_that_a_browser_or_another_program_makes_are_asked_for() -> None:
    assert is_mdns_hostname(NAME)
    assert is_mdns_hostname("offline-recorder.local")
    for other in ("192.0.2.7", "door.example.com", "a.b.local", ".local", f"{'a' * 64}.local", "a.local\n", "::1"):
        assert not is_mdns_hostname(other)


def told(*records: bytes, flags: int = 0x8400, questions: int = 0) -> bytes:
    return struct.pack("!6H", 0, flags, questions, len(records), 0, 0) + b"".join(records)


def record(kind: int, data: bytes, *, name: bytes = b"\x01a\x05local\x00", of: int = 0x8001) -> bytes:
    return name + struct.pack("!HHIH", kind, of, 120, len(data)) + data


V4 = socket.inet_aton("192.0.2.7")


def test_addresses_are_read_among_other_records() -> None:
    v6 = record(28, socket.inet_pton(socket.AF_INET6, "2001:db8::7"), name=b"\x01B\xc0\x0e")
    mixed = told(record(1, V4), record(16, b"text"), v6, record(1, V4, of=3), record(1, b"short"[:3]))
    assert [*answers(mixed)] == [("a.local", "192.0.2.7"), ("b.local", "2001:db8::7")]
    assert [*answers(told(question("a.local")[12:] + record(1, V4), questions=1))] == [("a.local", "192.0.2.7")]
    assert [*answers(told(record(1, V4), flags=0))] == []
    assert [*answers(question("a.local"))] == []


@pytest.mark.parametrize("name", [b"\xc0\x0c", b"\x01a\xc0\x0c", b"\xc0\xff", b"\x3f", b"\x3fa" * 9])
def test_a_name_that_leads_nowhere_ends_the_reading(name: bytes) -> None:
    assert [*answers(told(record(1, V4, name=name)))] == []


@given(st.one_of(st.binary(max_size=600), st.binary(max_size=600).map(lambda rest: told(*[b""] * 40) + rest)))
def test_no_datagram_does_harm(datagram: bytes) -> None:
    for _, address in local_names.answers(datagram):
        socket.getaddrinfo(address, None, flags=socket.AI_NUMERICHOST)


ADDRESS = struct.pack("!HHIH", 1, 1, 120, 4) + socket.inet_aton("192.0.2.66")
"""What follows the name in an answer."""


def answered(records: int, body: bytes) -> bytes:
    return struct.pack("!6H", 0, 0x8400, 0, records, 0, 0) + body


def test_a_name_whose_pointers_lead_on_and_on_is_not_followed() -> None:
    name = question(NAME)[12:-4]
    start = 12 + len(name) + len(ADDRESS) + 11

    def after(pointers: int) -> int:
        chain = b"".join(struct.pack("!H", 0xC000 | (start + 2 * n - 2 if n else 12)) for n in range(pointers))
        filler = b"\0" + struct.pack("!HHIH", 16, 1, 0, len(chain)) + chain  # in a record of text
        last = struct.pack("!H", 0xC000 | (start + 2 * pointers - 2))
        return len([*answers(answered(3, name + ADDRESS + filler + last + ADDRESS))])

    assert after(5) == 2
    assert after(40) == 1


def test_a_datagram_of_more_records_than_any_browser_s_is_not_read() -> None:
    name = question(NAME)[12:-4]
    assert len([*answers(answered(64, (name + ADDRESS) * 64))]) == 64
    assert not [*answers(answered(65, (name + ADDRESS) * 65))]


def test_a_neighbour_with_other_letters_in_its_name_does_not_hide_a_browser_s() -> None:
    other = "Küche".encode()
    neighbour = bytes([len(other)]) + other + b"\0" + ADDRESS
    assert (NAME.lower(), "192.0.2.66") in [*answers(answered(2, neighbour + question(NAME)[12:-4] + ADDRESS))]


async def test_a_datagram_that_nobody_asked_for_or_from_another_port_is_not_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    read: list[bytes] = []
    monkeypatch.setattr(local_names, "answers", lambda datagram: iter(read.append(datagram) or ()))
    protocol = local_names.MDnsProtocol()
    protocol.datagram_received(b"unasked", ("192.0.2.9", 5353))
    protocol._asked[NAME] = set()
    protocol.datagram_received(b"elsewhere", ("192.0.2.9", 40_000))
    protocol.datagram_received(b"answer", ("192.0.2.9", 5353))
    assert read == [b"answer"]
