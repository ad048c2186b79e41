"""The door at a broker: keeps the connection, tells events at once and states as they change, takes commands.

A broker that is away costs a try now and then. Nothing is kept for it: when it is back it is told the states, and no
event of the time between, as a ring that comes late is a phantom.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Awaitable, Callable
from typing import Any, Final

from intercom.config import Config
from intercom.control.errors import RefusedError
from intercom.history.families import Family, one
from intercom.history.journal import Entry
from intercom.integrations.access import Access, Program
from intercom.integrations.mqtt.broker import Broker, BrokerError, Connection
from intercom.integrations.mqtt.commands import NOTHING, TAKE_A_PICTURE, Asked, Unwanted, asked
from intercom.integrations.mqtt.entities import OFFLINE, ONLINE, RING, Topics, document, entities
from intercom.integrations.mqtt.machine import installed_version, is_wireless, wifi_dbm
from intercom.integrations.mqtt.states import Last, Presses, states
from intercom.integrations.mqtt.wire import Message
from intercom.net import authority
from intercom.opening.decision import Way
from intercom.plain_text import plain
from intercom.tasks import TaskSet

logger = logging.getLogger(__name__)

FIRST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 60.0
"""Pauses between two tries to connect: the first, and the longest to which they grow."""
HELD_S: Final = 60.0
"""Time after which a connection was a good one, so that the pauses begin anew."""
SETTLES_S: Final = 0.05
"""Time in which changes are told together: a press changes several states within milliseconds."""
LOOKS_S: Final = 15.0
"""Interval of the look at what changes without a fact, such as a level that a command sets."""
DISK_S: Final = 600.0
"""Interval of the look at the program on the disk."""
WELCOME_S: Final = 0.5
"""Delay after which Home Assistant, which has come back, is told all again; more than one such wish is one."""
PICTURE_AGAIN_S: Final = 5.0
"""Delay after which it is sent the picture again, which the broker does not keep: its entities are there by then."""
PICTURES_S: Final = 3.0
"""Interval of the camera's pictures while it rings and in a call."""
RECALLED: Final = 50
"""Limit of calls of before the start in which the last answer and the last opening are looked for."""
AT_ONCE: Final = 8
"""Limit of commands that are carried out at once; more are dropped."""
CALLER: Final = Program("MQTT", Way.MQTT)
"""Who asks, for the log, the call log and the decision to open: the broker tells nobody's name."""


class MqttStation:
    """The integration. Belongs to the event loop."""

    def __init__(
        self,
        config: Config,
        access: Access,
        broker: Broker,
        *,
        clock: Callable[[], float] = time.monotonic,
        pause: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._config = config
        self._access = access
        self._broker = broker
        self._clock = clock
        self._pause = pause
        self.topics = Topics.of(config)
        self._entities = entities(config, wireless=is_wireless())
        self._offered = {entity.key for entity in self._entities if entity.offered}
        self._sends_pictures = "visitor" in self._offered
        self._presses = Presses(config)
        self._last = Last()
        self._connection: Connection | None = None
        self._told: dict[str, str] = {}
        "states that the broker holds, by their key"
        self._visitor: bytes | None = None
        "picture of who rang last, since the start"
        self._installed, self._looked_at = "", float("-inf")
        "program on the disk, and when it was looked at"
        self._why = "it has not been reached yet"
        self._published = 0
        "messages that were sent"
        self._dropped = 0
        "messages that were not, because the broker was away or did not take them"
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._tasks = TaskSet(access.failed)
        self._commands = TaskSet(access.failed)

    async def start(self) -> None:
        """Begin to look for the broker."""
        for entry in self._access.since(0):
            self._last.take(entry.fact)
            self._presses.take(entry)  # a press of before, such as one that rings on after a restart, is not a new one
        self._access.subscribe(self._hear)
        self._tasks.spawn(self._run(), name="mqtt")

    async def stop(self) -> None:
        """Say that the door is away, and end the connection."""
        for timer in self._timers.values():
            timer.cancel()
        connection, self._connection = self._connection, None
        self._commands.cancel()
        self._tasks.cancel()
        if connection is not None:
            connection.publish(Message(self.topics.availability, OFFLINE.encode(), retained=True))
            await connection.close()

    def document(self) -> dict[str, Any]:
        """Return what the status says of the broker."""
        return {
            "broker": self._place,
            "connected": self._connection is not None,
            "why": self._why,
            "topics": self.topics.base,
        }

    def figures(self) -> list[Family]:
        """Return the figures of the connection to the broker."""
        is_there, published, dropped = self._connection is not None, self._published, self._dropped
        lost = "Events and pictures that the broker never got, because it was away or took nothing."
        return [
            one("intercom_mqtt_connected", "gauge", "Whether the MQTT broker has the door.", is_there),
            one("intercom_mqtt_published_total", "counter", "Messages that went to the MQTT broker.", published),
            one("intercom_mqtt_dropped_total", "counter", lost, dropped),
        ]

    @property
    def _place(self) -> str:
        return authority(self._broker.host, self._broker.port)

    # -- the connection --------------------------------------------------------------------------------

    async def _run(self) -> None:
        await self._recall()
        pause_s = FIRST_PAUSE_S
        while True:
            began = self._clock()
            try:
                await self._serve()
            except BrokerError as error:
                self._why = plain(error)
                self._access.broken(f"the MQTT broker {self._place}: {self._why}")
            held = self._clock() - began >= HELD_S
            pause_s = FIRST_PAUSE_S if held else pause_s
            await self._pause(pause_s)
            pause_s = min(2 * pause_s, LONGEST_PAUSE_S)

    async def _recall(self) -> None:
        """Look into the call log for who answered and who opened last before the start."""
        try:
            self._last.recall(await self._access.ask("calls", {"count": RECALLED}, caller=CALLER))
        except RefusedError as refusal:
            logger.info("MQTT is not told of calls before the start: %s", refusal)

    async def _serve(self) -> None:
        """Connect, and take what comes until the connection is over; raises BrokerError."""
        will = Message(self.topics.availability, OFFLINE.encode(), retained=True)
        connection = await Connection.open(self._broker, f"intercom-{self.topics.id}", will)
        try:
            wanted = (self.topics.command("+"), *((self.topics.home_assistant,) if self.topics.discovery else ()))
            await connection.subscribe(wanted)
        except BaseException:
            connection.abort()
            raise
        self._connection, self._why = connection, ""
        try:
            self._access.works()
            self._introduce()
            logger.info("The MQTT broker %s has the door as %s", self._place, self.topics.base)
            while True:
                self._take(await connection.next())
        finally:
            if self._connection is connection:  # otherwise the door stops, and ends it in order
                self._connection = None
                connection.abort()

    def _introduce(self) -> None:
        """Tell everything: what the door is, that it is there, and how it stands."""
        if self.topics.discovery:
            found = document(self._config, self.topics, self._entities)
            self._publish(Message(self.topics.device, json.dumps(found).encode(), retained=True))
        self._publish(Message(self.topics.availability, ONLINE.encode(), retained=True))
        self._told = {}
        self._tell_states()

    def _publish(self, message: Message) -> None:
        if self._connection is not None and self._connection.publish(message):
            self._published += 1
        else:
            self._dropped += 1

    # -- what the door tells ---------------------------------------------------------------------------

    def _hear(self, entry: Entry) -> None:
        """Take a fact of the journal."""
        self._last.take(entry.fact)
        event = self._presses.take(entry)
        if self._connection is None:
            self._dropped += event is not None
            return
        if event is not None:
            key, told = event
            self._publish(Message(self.topics.state(key), json.dumps(told).encode()))
            if told["event_type"] == RING and self._sends_pictures:
                self._tasks.spawn(self._send_visitor(), name="picture for mqtt")
        self._later("states", SETTLES_S, self._tell_states)

    def _tell_states(self) -> None:
        """Publish what has changed, and look again in a while."""
        if self._connection is None:
            return
        status = self._access.status()
        if self._clock() >= self._looked_at + DISK_S:
            self._installed, self._looked_at = installed_version(), self._clock()
        for key, payload in states(status, self._last, wifi_dbm=wifi_dbm(), installed=self._installed).items():
            if key.partition("/")[0] in self._offered and self._told.get(key) != payload:
                self._told[key] = payload
                self._publish(Message(self.topics.state(key), payload.encode(), retained=True))
        if status["phase"] != "none" and self._sends_pictures:
            self._later("camera", PICTURES_S, self._look_again)
        self._later("states", LOOKS_S, self._tell_states)

    async def _send_visitor(self) -> None:
        try:
            self._visitor = await self._access.press_picture()
        except OSError as error:
            logger.debug("No picture for the broker: %s", error)
            return
        self._show_visitor()
        self._show(self._visitor)

    def _show_visitor(self) -> None:
        if self._visitor is not None:
            self._publish(Message(self.topics.state("visitor"), self._visitor))

    def _show(self, jpeg: bytes) -> None:
        self._publish(Message(self.topics.state("camera"), jpeg))

    def _look_again(self) -> None:
        if self._connection is not None and "camera for mqtt" not in self._tasks:
            self._tasks.spawn(self._send_camera(), name="camera for mqtt")

    async def _send_camera(self) -> None:
        """Send the camera's present picture, and another one in a while as long as it rings or somebody talks."""
        try:
            self._show(await self._access.snapshot())
        except OSError as error:
            logger.debug("No picture for the broker: %s", error)
        if self._connection is not None and self._access.status()["phase"] != "none":
            self._later("camera", PICTURES_S, self._look_again)

    def _later(self, name: str, delay_s: float, work: Callable[[], object]) -> None:
        """Call this after a while, unless it is due before; at most one call of a name is due."""
        loop = asyncio.get_running_loop()
        due = self._timers.get(name)
        if due is not None:
            if due.when() <= loop.time() + delay_s:  # also one that is late, or news without end would put it off
                return
            due.cancel()
        self._timers[name] = loop.call_later(delay_s, self._do, name, work)

    def _do(self, name: str, work: Callable[[], object]) -> None:
        del self._timers[name]
        work()

    # -- what the broker says --------------------------------------------------------------------------

    def _take(self, message: Message) -> None:
        """Take a message: Home Assistant has come back, or a command."""
        if message.retained:
            # Whoever has the broker keep a command would have it carried out at each of the door's starts.
            logger.info("Ignored what the broker had kept on %s", plain(message.topic, 100))
        elif self.topics.discovery and message.topic == self.topics.home_assistant:
            if message.payload == ONLINE.encode():
                self._later("welcome", WELCOME_S, self._introduce)
                self._later("visitor", PICTURE_AGAIN_S, self._show_visitor)
        else:
            self._take_command(self.topics.key(message.topic), message.payload)

    def _take_command(self, key: str, payload: bytes) -> None:
        wish: Asked | Unwanted = Unwanted("there is no such entity")
        if key in self._offered:
            status = self._access.status()
            wish = asked(key, payload, status, is_newer=self._installed not in ("", status["version"]))
        if isinstance(wish, Unwanted):
            if wish is not NOTHING:
                logger.info("Ignored an MQTT command for %s: %s", plain(key, 40) or "nothing", wish.why)
        elif len(self._commands) >= AT_ONCE:
            logger.warning("Ignored an MQTT command for %s: %d others are under way", key, AT_ONCE)
        elif wish is TAKE_A_PICTURE:
            self._look_again()
        else:
            self._commands.spawn(self._carry_out(key, wish), name=f"mqtt {key}")

    async def _carry_out(self, key: str, wish: Asked) -> None:
        try:
            await self._access.ask(wish.command, wish.params, caller=CALLER)
        except (RefusedError, TimeoutError) as error:
            logger.warning("The door does not do what MQTT asks of %s: %s", key, plain(error) or "it takes too long")
        self._told.pop(key, None)  # whoever asked may believe that it was done: they are told how it is
        self._later("states", SETTLES_S, self._tell_states)
