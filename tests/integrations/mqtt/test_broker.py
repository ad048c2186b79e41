"""A connection to a real broker, and to what only pretends to be one: it ends in words, and costs nothing."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from intercom.config import MqttConfig
from intercom.integrations.mqtt import broker as broker_module
from intercom.integrations.mqtt import wire
from intercom.integrations.mqtt.broker import BEHIND_BYTES, HELD_LIMIT, Broker, BrokerError, Connection
from intercom.integrations.mqtt.wire import Message
from tests.integrations.mqtt.certificates import Authority
from tests.integrations.mqtt.mosquitto import WAIT_S, mosquitto, needs_mosquitto
from tests.ports import reserved_port

WILL = Message("door/availability", b"offline", retained=True)
ACCEPTED = b"\x20\x02\x00\x00"
UNLOCK = wire.publish(Message("door/lock/set", b"UNLOCK"))
ALIVE = b"\xd0\x00"
GRANTED = b"\x90\x03\x00\x01\x00"
FLOOD = 10**6
Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


async def opened(url: str, **settings: str) -> Connection:
    return await Connection.open(Broker.of(MqttConfig(url=url, **settings)), "door", WILL)


async def refused(url: str, **settings: str) -> str:
    with pytest.raises(BrokerError) as caught:
        await opened(url, **settings)
    return str(caught.value)


@asynccontextmanager
async def pretender(serve: Serve) -> AsyncIterator[str]:
    """What pretends to be a broker."""
    writers: list[asyncio.StreamWriter] = []

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        await serve(reader, writer)

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    try:
        yield f"mqtt://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        for writer in writers:
            writer.transport.abort()


@needs_mosquitto
async def test_a_message_passes_the_broker_both_ways(tmp_path: Path) -> None:
    async with mosquitto(tmp_path) as broker, broker.listener("door/#") as house:
        connection = await opened(broker.url)
        await connection.subscribe(("door/+/set",))
        connection.publish(Message("door/ring", b"pressed"))
        assert not (await house.hears("door/ring")).retained
        await broker.publish("door/lock/set", "UNLOCK")
        async with asyncio.timeout(WAIT_S):
            assert await connection.next() == Message("door/lock/set", b"UNLOCK")
        await connection.close()


@needs_mosquitto
async def test_a_door_that_dies_is_said_to_be_away_and_one_that_stops_in_order_is_not(tmp_path: Path) -> None:
    async with mosquitto(tmp_path) as broker, broker.listener("door/#") as house:
        orderly = await opened(broker.url)
        await orderly.close()
        dying = await opened(broker.url)
        dying.publish(Message("door/ring", b"still here"))
        await house.hears("door/ring")
        assert house.payloads("door/availability") == []
        dying.abort()
        await house.hears("door/availability", lambda payload: payload == b"offline")


@needs_mosquitto
async def test_a_broker_with_users_takes_the_right_password_alone(tmp_path: Path) -> None:
    users, password = tmp_path / "users", tmp_path / "password"
    users.touch(mode=0o600)
    program = shutil.which("mosquitto_passwd") or "mosquitto_passwd"
    subprocess.run([program, "-b", str(users), "door", "right"], check=True, capture_output=True)
    async with mosquitto(tmp_path / "broker", "allow_anonymous false", f"password_file {users}") as broker:
        password.write_text("right\n")
        await (await opened(broker.url, user="door", password_file=str(password))).close()
        password.write_text("wrong\n")
        assert "may not connect" in await refused(broker.url, user="door", password_file=str(password))
        assert "may not connect" in await refused(broker.url)


@needs_mosquitto
async def test_the_house_s_own_ca_is_trusted_and_no_other(tmp_path: Path) -> None:
    house, stranger = Authority(tmp_path / "house"), Authority(tmp_path / "stranger", "Stranger")
    certificate, key = house.signs("broker")
    settings = ("allow_anonymous true", f"certfile {certificate}", f"keyfile {key}")
    async with mosquitto(tmp_path / "broker", *settings) as broker:
        url = broker.url.replace("mqtt:", "mqtts:")
        await (await opened(url, ca_file=str(house.file))).close()
        assert "not trusted" in await refused(url, ca_file=str(stranger.file))
        assert "not trusted" in await refused(url)


@needs_mosquitto
async def test_a_door_may_show_a_certificate_instead_of_a_password(tmp_path: Path) -> None:
    house = Authority(tmp_path / "house")
    (certificate, key), (shown, shown_key) = house.signs("broker"), house.signs("door")
    settings = (
        *("allow_anonymous true", f"certfile {certificate}", f"keyfile {key}", f"cafile {house.file}"),
        *("require_certificate true", "use_identity_as_username true"),
    )
    async with mosquitto(tmp_path / "broker", *settings) as broker:
        url = broker.url.replace("mqtt:", "mqtts:")
        trusts = {"ca_file": str(house.file)}
        await (await opened(url, **trusts, certificate=str(shown), key=str(shown_key))).close()
        assert await refused(url, **trusts)


async def test_a_broker_that_is_away_is_told_in_words() -> None:
    with reserved_port() as port:
        assert "refused" in (await refused(f"mqtt://127.0.0.1:{port}")).lower()


async def test_a_name_that_nobody_has_is_told_in_words() -> None:
    assert await refused("mqtt://nobody.invalid")


async def test_a_password_file_that_is_gone_is_named(tmp_path: Path) -> None:
    said = await refused("mqtt://127.0.0.1", user="door", password_file=str(tmp_path / "gone"))
    assert str(tmp_path / "gone") in said


async def test_a_ca_file_that_is_none_is_named(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("nonsense")
    assert "ca.pem" in await refused("mqtts://127.0.0.1", ca_file=str(tmp_path / "ca.pem"))


async def test_a_broker_that_never_answers_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(broker_module, "OPEN_S", 0.2)

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async with pretender(silent) as url:
        assert await refused(url) == "it does not answer in time"


async def test_a_broker_that_falls_silent_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(broker_module, "PING_S", 0.1)

    async def deaf(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(ACCEPTED)
        await reader.read()

    async with pretender(deaf) as url:
        connection = await opened(url)
        with pytest.raises(BrokerError, match="it does not answer"):
            async with asyncio.timeout(WAIT_S):
                await connection.next()


async def test_a_broker_that_takes_nothing_costs_no_memory() -> None:
    async def stuck(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        reader._transport.pause_reading()  # type: ignore[attr-defined] # nobody reads: the system's buffers fill
        writer.write(ACCEPTED)
        await asyncio.Event().wait()

    async with pretender(stuck) as url:
        connection = await opened(url)
        picture = Message("door/visitor", b"x" * 100_000)
        for _ in range(1000):
            connection.publish(picture)
        buffered = connection._writer.transport.get_write_buffer_size()
        assert buffered <= BEHIND_BYTES + 2 * len(picture.payload)
        with pytest.raises(BrokerError, match="does not take what it is sent"):
            async with asyncio.timeout(WAIT_S):
                await connection.next()


def floods_with(flood: bytes) -> Serve:
    """What accepts the connection, and sends all this with its answer."""

    async def floods(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(ACCEPTED + flood)
        await reader.read()

    return floods


@pytest.mark.parametrize("packet", [UNLOCK, ALIVE, ACCEPTED, GRANTED])
async def test_a_broker_that_floods_is_given_up(packet: bytes) -> None:
    async with pretender(floods_with(packet * FLOOD)) as url:
        connection, taken = await opened(url), 0
        with pytest.raises(BrokerError, match="packets a second"):
            async with asyncio.timeout(WAIT_S):
                while True:
                    await connection.next()
                    taken += 1
        assert taken < FLOOD
        connection.abort()


async def test_a_broker_that_pesters_is_given_up_and_one_that_talks_much_at_times_is_not() -> None:
    now, taken = 0.0, 0
    async with pretender(floods_with(b"")) as url:
        opened_there = await opened(url)
        bytes_of = asyncio.StreamReader()
        connection = Connection(bytes_of, opened_there._writer, clock=lambda: now)
        for _ in range(3):  # a scene now and then: many at once, and then nothing
            bytes_of.feed_data(UNLOCK * 50)
            for _ in range(50):
                await connection.next()
            now += 60.0
        with pytest.raises(BrokerError, match="packets a second"):
            while taken < 1000:  # ten a second, for ever
                bytes_of.feed_data(UNLOCK)
                await connection.next()
                now, taken = now + 0.1, taken + 1
        opened_there.abort()
    assert taken > 60


@pytest.mark.parametrize("packet", [UNLOCK, ALIVE, ACCEPTED])
async def test_a_broker_that_sends_much_and_answers_no_subscription_is_given_up_at_once(packet: bytes) -> None:
    async with pretender(floods_with(packet * (HELD_LIMIT + 1))) as url:
        connection = await opened(url)
        with pytest.raises(BrokerError, match="before it answers the subscription"):
            await connection.subscribe(("door/+/set",))
        connection.abort()


async def test_what_comes_before_the_answer_to_a_subscription_is_taken_in_its_order() -> None:
    early = [Message("door/lock/set", f"{number}".encode()) for number in range(HELD_LIMIT)]
    late = Message("door/lock/set", b"late")
    async with pretender(floods_with(b"".join(map(wire.publish, early)) + GRANTED + wire.publish(late))) as url:
        connection = await opened(url)
        await connection.subscribe(("door/+/set",))
        async with asyncio.timeout(WAIT_S):
            assert [await connection.next() for _ in (*early, late)] == [*early, late]
        connection.abort()


async def test_rubbish_that_comes_with_the_answer_to_a_subscription_is_told_in_words() -> None:
    async with pretender(floods_with(GRANTED + b"\xf0\x00")) as url:
        connection = await opened(url)
        await connection.subscribe(("door/+/set",))
        with pytest.raises(BrokerError, match="does not speak MQTT"):
            async with asyncio.timeout(WAIT_S):
                await connection.next()
        connection.abort()


async def test_the_rest_of_the_door_has_its_turn_after_each_read() -> None:
    turns = 0

    async def rest_of_the_door() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    async with pretender(floods_with(b"")) as url:
        connection = await opened(url)
        connection._reader = asyncio.StreamReader()  # one that has all already, and never waits
        connection._reader.feed_data(wire.publish(Message("door/lock/set", b"x" * 60_000)) * 10)
        other = asyncio.create_task(rest_of_the_door())
        for _ in range(10):
            await connection.next()
        other.cancel()
        connection.abort()
    assert turns >= 9


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (b"\x20\x02\x00\x04", "password is wrong"),
        (b"\x20\x02\x00\x63", "code 99"),
        (b"HTTP/1.1 400 Bad Request\r\n", "does not speak MQTT"),
        (ALIVE, "another packet"),
        (b"", "ended the connection"),
    ],
)
async def test_what_is_no_broker_is_told_in_words(answer: bytes, said: str) -> None:
    async def answers(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(answer)
        writer.write_eof()

    async with pretender(answers) as url:
        assert said in await refused(url)


async def test_a_broker_that_lets_nobody_read_the_commands_is_told_in_words() -> None:
    async def closed(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(ACCEPTED)
        while data := await reader.read(1024):
            if b"set" in data:
                writer.write(b"\x90\x03\x00\x01\x80")

    async with pretender(closed) as url:
        connection = await opened(url)
        with pytest.raises(BrokerError, match="does not let this user read door/"):
            await connection.subscribe(("door/+/set",))
        connection.abort()
