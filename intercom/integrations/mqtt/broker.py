"""A connection to an MQTT broker that costs the door nothing, whatever the broker does: bounded in time and memory."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from intercom.config.mqtt import MqttConfig
from intercom.integrations.mqtt import wire
from intercom.integrations.mqtt.wire import Message, Packet
from intercom.integrations.tls_trust import client_context
from intercom.signalwire.link.dial import dial
from intercom.space.switch.sessions.pace import Pace
from intercom.transports import break_off

logger = logging.getLogger(__name__)

PORTS: Final = {"mqtt": 1883, "mqtts": 8883}
"""Ports of a broker, without and with TLS, where the URL names none."""
OPEN_S: Final = 15.0
"""Time limit for a connection: the name, TCP, TLS and the broker's answer."""
SUBSCRIBE_S: Final = 15.0
"""Time limit for the answer to a subscription."""
CLOSE_S: Final = 0.3
"""Time limit for the last bytes of a connection that is closed in order: less than a part has for its stop."""
PING_S: Final = 30.0
"""Interval of the pings; a broker that has sent nothing since the last one is gone."""
KEEP_ALIVE_S: Final = 45
"""Time without a packet of ours after which the broker may take the door for gone: a ping may be half as late."""
BEHIND_BYTES: Final = 1024 * 1024
"""Limit of what a slow broker has not taken yet; beyond it the connection is given up. A picture has 0.1 MB."""
PACKETS_PER_S: Final = 5.0
"""Limit of packets from the broker, on average; more are no people's commands, and the connection is given up."""
PACKETS_AT_ONCE: Final = 60
"""Limit of packets from the broker at once: a scene of Home Assistant, or somebody who plays with a level."""
HELD_LIMIT: Final = 30
"""Limit of packets that come before the answer to a subscription, and are held until it is there."""
PASSWORD_LIMIT_BYTES: Final = 1024
"""Size limit of a password file: more is another file."""


class BrokerError(OSError):
    """The broker is not reached, does not take the door, or does not keep to the protocol; the message says which."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Broker:
    """A broker, and how the door shows itself to it."""

    host: str
    """Name or address of its machine."""
    port: int
    """Its port."""
    encrypted: bool
    """Whether TLS protects the connection."""
    user: str
    """User, or empty: the broker takes anybody, or goes by the certificate."""
    password_file: str
    """File with the password; empty: none."""
    ca_file: str
    """Certificates that sign the broker's; empty: those that the system trusts."""
    certificate: str
    """Certificate that the door shows; empty: none."""
    key: str
    """Its key; empty: in the same file."""

    @classmethod
    def of(cls, config: MqttConfig) -> Broker:
        """Return the broker of a configuration."""
        parts = urlsplit(config.url)
        return cls(
            host=parts.hostname or "",
            port=parts.port or PORTS[parts.scheme],
            encrypted=parts.scheme == "mqtts",
            user=config.user,
            password_file=config.password_file,
            ca_file=config.ca_file,
            certificate=config.certificate,
            key=config.key,
        )

    def password(self) -> bytes | None:
        """Return the password in its file, which may be replaced at any time; None without one. Raises BrokerError."""
        if not self.password_file:
            return None
        try:
            with Path(self.password_file).open("rb") as file:
                found = file.read(PASSWORD_LIMIT_BYTES + 1)
        except OSError as error:
            raise BrokerError(f"the password file {self.password_file} cannot be read: {error.strerror}") from error
        if len(found) > PASSWORD_LIMIT_BYTES:
            raise BrokerError(f"the password file {self.password_file} is too large for a password")
        return found.strip(b"\r\n") or None

    def context(self) -> ssl.SSLContext | None:
        """Return what TLS goes by, from files that may be replaced at any time; None without. Raises BrokerError."""
        if not self.encrypted:
            return None
        try:
            context = client_context(self.ca_file)
            if self.certificate:
                context.load_cert_chain(self.certificate, self.key or None)
        except OSError as error:  # ssl.SSLError among them
            named = ", ".join(filter(None, (self.ca_file, self.certificate, self.key)))
            raise BrokerError(f"the certificates for the broker ({named}) cannot be used: {error}") from error
        return context


class Connection:
    """One connection, on the event loop. `open` it, read `next` without end, `close` it."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._clock = clock
        self._pace = Pace(PACKETS_PER_S, PACKETS_AT_ONCE, clock())
        self._packets = wire.Packets()
        self._waiting: Iterator[Packet] = iter(())
        "packets that were read and not taken yet"
        self._heard = True
        "whether the broker has sent anything since the last ping"
        self._ping: asyncio.TimerHandle | None = None
        self._why = ""
        "why this end gave the connection up; empty while it has not"

    @classmethod
    async def open(cls, broker: Broker, client_id: str, will: Message | None = None) -> Connection:
        """Return a connection that the broker has accepted; it sends `will` if this ends in any other than order.

        Raises BrokerError.
        """
        password, context = await asyncio.to_thread(lambda: (broker.password(), broker.context()))
        with _in_words():
            async with asyncio.timeout(OPEN_S):
                plain = await dial(broker.host, broker.port)
                name = broker.host if context else None
                reader, writer = await asyncio.open_connection(sock=plain, ssl=context, server_hostname=name)
                connection = cls(reader, writer)
                try:
                    user = broker.user or None
                    asked = wire.connect(client_id, keep_alive_s=KEEP_ALIVE_S, will=will, user=user, password=password)
                    writer.write(asked)
                    await connection._accepted()
                except BaseException:
                    connection.abort()
                    raise
        connection._ping_later()
        return connection

    async def _accepted(self) -> None:
        answer = await self._next()
        if not isinstance(answer, wire.Accepted):
            raise BrokerError("it begins with another packet than the answer to a connection")
        if answer.code:
            raise BrokerError(wire.REFUSALS.get(answer.code, f"it refuses with the code {answer.code}"))

    async def subscribe(self, topics: tuple[str, ...]) -> None:
        """Ask for the messages on these topics, before any `next`; raises BrokerError."""
        with _in_words():
            self._writer.write(wire.subscribe(1, topics))
            held: list[Packet] = []
            async with asyncio.timeout(SUBSCRIBE_S):
                while not isinstance(answer := await self._next(), wire.Subscribed):
                    held.append(answer)
                    if len(held) > HELD_LIMIT:
                        raise BrokerError(f"it sends more than {HELD_LIMIT} packets before it answers the subscription")
        refused = [topic for topic, granted in zip(topics, answer.granted, strict=False) if not granted]
        if refused or len(answer.granted) != len(topics):
            raise BrokerError(f"it does not let this user read {', '.join(refused or topics)}")
        self._waiting = chain(held, self._waiting)

    def publish(self, message: Message) -> bool:
        """Send a message and return whether it is under way; a broker that takes nothing loses its connection."""
        if self._writer.is_closing():
            return False
        if self._writer.transport.get_write_buffer_size() > BEHIND_BYTES:
            self._give_up("it does not take what it is sent")
            return False
        self._writer.write(wire.publish(message))
        return True

    async def next(self) -> Message:
        """Return the next message; raises BrokerError once the connection is over, or when there are too many."""
        with _in_words():
            while not isinstance(packet := await self._next(), Message):
                pass
        return packet

    async def close(self) -> None:
        """End the connection in order, so that the broker forgets the will; whatever it does, at once."""
        self._stop_pings()
        if not self._writer.is_closing():
            self._writer.write(wire.DISCONNECT)
            self._writer.close()
            try:
                async with asyncio.timeout(CLOSE_S):
                    await self._writer.wait_closed()
            except OSError as error:  # TimeoutError among them
                logger.debug("The broker did not take the last packets: %s", error)
        self.abort()

    def abort(self) -> None:
        """Drop the connection."""
        self._stop_pings()
        break_off(self._writer.transport)

    async def _next(self) -> Packet:
        while True:
            packet = next(self._waiting, None)
            if packet is not None:
                return packet
            data = await self._reader.read(wire.PACKET_LIMIT_BYTES)
            if not data:
                raise BrokerError(self._why or "it has ended the connection")
            self._heard = True
            self._waiting = self._counted(self._packets.feed(data))
            await asyncio.sleep(0)  # a read of what is there already lets nothing else of the door run

    def _counted(self, packets: Iterator[Packet]) -> Iterator[Packet]:
        """Yield the packets; raises BrokerError when there are too many of whatever kind."""
        for packet in packets:
            if not self._pace.take(self._clock()):
                raise BrokerError(f"it sends more than {PACKETS_PER_S:g} packets a second")
            yield packet

    def _ping_later(self) -> None:
        self._ping = asyncio.get_running_loop().call_later(PING_S, self._ping_now)

    def _ping_now(self) -> None:
        if not self._heard:
            self._give_up("it does not answer")
            return
        self._heard = False
        self._writer.write(wire.PING)
        self._ping_later()

    def _stop_pings(self) -> None:
        if self._ping is not None:
            self._ping.cancel()

    def _give_up(self, why: str) -> None:
        self._why = self._why or why
        self.abort()


@contextmanager
def _in_words() -> Iterator[None]:
    """Raise whatever ends a connection as a BrokerError with a clause of the door's own."""
    try:
        yield
    except BrokerError:
        raise
    except wire.WireError as error:
        raise BrokerError(f"it does not speak MQTT 3.1.1: {error}") from error
    except TimeoutError as error:
        raise BrokerError("it does not answer in time") from error
    except ssl.SSLCertVerificationError as error:
        raise BrokerError(f"its certificate is not trusted: {error.verify_message}") from error
    except OSError as error:
        raise BrokerError(_reason(error)) from error


def _reason(error: OSError) -> str:
    """Return the system's word for an error; asyncio puts addresses in its place."""
    if isinstance(error, (socket.gaierror, ssl.SSLError)) or not error.errno:
        return error.strerror or str(error)
    return os.strerror(error.errno)
