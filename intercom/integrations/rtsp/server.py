"""The RTSP server: admits clients, up to a limit, to one shared camera and one shared microphone."""

from __future__ import annotations

import asyncio
import logging
import secrets
import socket
import time
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from intercom.config import Config
from intercom.history import families
from intercom.history.families import Family
from intercom.integrations.access import Access
from intercom.integrations.rtsp.accounts import Account, Accounts
from intercom.integrations.rtsp.connection import Connection
from intercom.integrations.rtsp.microphone import Microphone
from intercom.integrations.rtsp.streams import STREAMS, Kind, Offered, description, sets_of
from intercom.integrations.rtsp.talk import Loudspeaker, Talker
from intercom.integrations.rtsp.viewer import Viewer
from intercom.media.codec.h264 import AccessUnit
from intercom.net import machine_of, split_listen
from intercom.space.http.allowance import Allowances
from intercom.space.http.connection_limits import Pool
from intercom.tasks import TaskSet

logger = logging.getLogger(__name__)

MOST_STRANGERS = 32
"""Limit of connections that have proved no account yet; the oldest of the machine that has the most makes room."""
MOST_STRANGERS_OF_A_MACHINE = 8
"""Limit of such connections from one machine; its oldest makes room."""
CONNECTIONS_PER_S = 5.0
"""Limit of new connections a second from another machine, on average; a recorder needs one or two for each stream."""
CONNECTIONS_BURST = 40.0
"""Limit of new connections from another machine at once: several programs of it may start together."""
MOST_BESIDE_VIEWERS = 4
"""Limit of an account's connections beyond `rtsp.most_viewers`: those that ask first, and those that end."""
TICK_S = 1.0
PICTURE_S = 8.0
"""Longest wait for a picture to describe: a cold camera takes up to four seconds."""
WARM_S = 5.0
"""Time that the camera runs on for a client that had its stream described, and begins to watch next."""
TOLD_AGAIN_S = 60.0
"""Least time between two attempts to get in that are both logged as a warning."""
FULL, PASSWORD = "full", "password"
"""Reasons for which somebody may not watch: as many as may do already, or they prove no account."""
SEND_BUFFER_BYTES = 192 * 1024
"""Size of the kernel's buffer of a connection: what waits there is late, and a slow viewer would see the past."""


class RtspServer:
    """Serves at `rtsp.listen`. Belongs to the event loop; the camera and the microphone run while somebody watches."""

    def __init__(
        self, config: Config, state_dir: Path, access: Access, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._config = config.rtsp
        self._access = access
        self._clock = clock
        self._camera = access.camera
        self._accounts = Accounts(state_dir)
        self._microphone = Microphone(
            access.sound, is_private=lambda: self._camera is not None and self._camera.is_forbidden
        )
        self._speaker = Loudspeaker(access.sound)
        self._tasks = TaskSet(access.failed)
        self._server: asyncio.Server | None = None
        self._connections: list[Connection] = []
        self._strangers = Pool(MOST_STRANGERS, MOST_STRANGERS_OF_A_MACHINE)
        self._allowances = Allowances(CONNECTIONS_PER_S, CONNECTIONS_BURST, now=clock)
        self._sets: tuple[bytes, bytes] | None = None
        self._looking = asyncio.Lock()
        self._began_s = clock()
        self._told_s = float("-inf")
        "time of the last attempt to get in"
        self._refusals: Counter[str] = Counter()
        "how often somebody was let watch nothing, by the reason"
        self._watched_s = 0.0
        "time in which somebody watched"

    @property
    def port(self) -> int:
        """The port that it listens on; only while it does."""
        assert self._server is not None
        return int(self._server.sockets[0].getsockname()[1])

    async def start(self) -> None:
        """Listen; raises OSError where it cannot."""
        host, port = split_listen(self._config.listen)
        self._server = await asyncio.start_server(self._accept, host, port)
        self._tasks.spawn(self._tick(), name="viewers by RTSP")
        logger.info("Recorders and players are served at rtsp://%s/door", self._config.listen)

    async def stop(self) -> None:
        """Let everybody go."""
        if self._server is not None:
            self._server.close()
        for connection in list(self._connections):
            connection.abort("the door stops")
        await self._tasks.stop()

    def document(self) -> Mapping[str, Any]:
        """Return what the status says: who watches, and for how much of the time somebody has."""
        now = self._clock()
        return {
            "viewers": [
                {
                    "name": each.account.name,
                    "address": each.address,
                    "for_s": round(each.viewer.for_s),
                    "pictures": each.viewer.pictures,
                    "left_out": each.viewer.left_out,
                    "talks": each.viewer.talker is not None and each.viewer.talker.talks,
                }
                for each in self._watching()
                if each.account is not None and each.viewer is not None
            ],
            "accounts": len(self._accounts),
            "watched_s": round(self._watched_s),
            "up_s": round(now - self._began_s),
        }

    def figures(self) -> list[Family]:
        """Return the figures of those who watch."""
        viewers = [each.viewer for each in self._watching() if each.viewer is not None]
        by_udp = sum(viewer.is_by_udp for viewer in viewers)
        talk = sum(viewer.talker is not None and viewer.talker.talks for viewer in viewers)
        by = (("tcp", len(viewers) - by_udp), ("udp", by_udp))
        refusals = ((why, self._refusals[why]) for why in (FULL, PASSWORD))
        watched = "Time in which somebody watched by RTSP."
        return [
            families.each("intercom_rtsp_viewers", "gauge", "Who watches by RTSP now.", "by", by),
            families.one("intercom_rtsp_talkers", "gauge", "Who of them talks at the door.", talk),
            families.each("intercom_rtsp_refusals_total", "counter", "Who may not watch by RTSP.", "why", refusals),
            families.one("intercom_rtsp_watched_seconds_total", "counter", watched, self._watched_s),
        ]

    # Connections

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peer = writer.get_extra_info("peername")
        if peer is None or not self._allowances.take(str(peer[0])):  # it has gone already, or comes too often
            writer.transport.abort()
            return
        opened: socket.socket = writer.get_extra_info("socket")
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
        connection = Connection(self, reader, writer, clock=self._clock)
        self._connections.append(connection)
        self._strangers.add(
            connection, machine_of(connection.address), lambda: connection.abort("too many have proved no account")
        )
        serving = self._tasks.spawn(connection.serve(), name=f"RTSP with {connection.address}")
        serving.add_done_callback(lambda _: self._left(connection))

    def _left(self, connection: Connection) -> None:
        self._connections.remove(connection)
        self._strangers.remove(connection)

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(TICK_S)
            if any(each.viewer is not None and each.viewer.plays for each in self._connections):
                self._watched_s += TICK_S
            self._accounts.follow()
            for connection in list(self._connections):
                connection.tick()

    def _watching(self) -> list[Connection]:
        return [each for each in self._connections if each.viewer is not None]

    # What a connection asks

    def account(self, name: str) -> Account | None:
        """Return the account of this name."""
        return self._accounts.get(name)

    def offer(self, path: str, account: Account) -> Offered | None:
        """Return the stream of this path as the account may have it; None where there is nothing to see or hear."""
        tracks: list[Kind] = [] if self._camera is None else ["video"]
        if STREAMS[path] is not None:
            tracks += ["audio"] if self._config.sound else []
            tracks += ["talk"] if account.talk else []
        return Offered(path, tuple(tracks)) if tracks else None

    def has_room(self, who: str) -> bool:
        """Return whether one more may watch; who may not is noted."""
        if len(self._watching()) < self._config.most_viewers:
            return True
        logger.warning("%s may not watch: as many as rtsp.most_viewers watch already", who)
        self._refusals[FULL] += 1
        return False

    def viewer(self, offered: Offered, account: Account, who: str) -> Viewer:
        """Return a new session's sender."""
        codec = STREAMS[offered.path]
        talker = None
        if account.talk and codec is not None:
            payload_type = offered.format("talk").payload_type
            talker = Talker(self._speaker, codec, payload_type, who, clock=self._clock)
        return Viewer(
            offered,
            camera=self._camera,
            microphone=self._microphone,
            talker=talker,
            on_keyframe=self._learn,
            tasks=self._tasks,
            clock=self._clock,
        )

    async def describe(self, offered: Offered, address: str) -> str | None:
        """Return the description of a stream; None when no picture comes in time."""
        if "video" in offered.tracks and self._sets is None and not await self._look():
            return None
        return description(
            offered,
            address=address,
            sets=self._sets,
            bitrate_bps=0 if self._camera is None else self._camera.bitrate_bps,
            number=secrets.randbits(31),
        )

    def proved(self, connection: Connection) -> None:
        """Note that a client has proved its account; the oldest that do not watch give way where it has too many."""
        self._strangers.remove(connection)
        account = connection.account
        held = [each for each in self._connections if each.account == account]
        idle = [each for each in held if each.viewer is None and each is not connection]
        too_many = max(0, len(held) - self._config.most_viewers - MOST_BESIDE_VIEWERS)
        for each in idle[:too_many]:
            each.abort("its account has too many connections")

    def suspect(self, who: str, why: str) -> None:
        """Log somebody who tries to get in, once in a while: a flood of them must not fill the log."""
        self._refusals[PASSWORD] += 1
        now_s = self._clock()
        told, self._told_s = now_s - self._told_s < TOLD_AGAIN_S, now_s
        logger.log(logging.DEBUG if told else logging.WARNING, "Let go of %s: %s", who, why)

    def came(self, connection: Connection) -> None:
        """Note that a client begins to watch."""
        logger.info("%s watches by RTSP (%d do)", connection.who, len(self._watching()))

    def gone(self, connection: Connection) -> None:
        """Note that a client no longer watches."""
        logger.info("%s no longer watches by RTSP (%d do)", connection.who, len(self._watching()))

    # The picture's parameters

    async def _look(self) -> bool:
        """Start the camera to learn its parameter sets, and keep it warm for whoever asked; return whether it shows."""
        assert self._camera is not None
        async with self._looking:
            if self._sets is not None:
                return True
            frames = self._camera.frames()
            try:
                async with asyncio.timeout(PICTURE_S):
                    while self._sets is None:
                        self._learn(await frames.next())
            except (TimeoutError, EOFError):
                frames.close()
                return False
            asyncio.get_running_loop().call_later(WARM_S, frames.close)
            return True

    def _learn(self, unit: AccessUnit) -> None:
        if unit.keyframe:
            self._sets = sets_of(unit.data) or self._sets
