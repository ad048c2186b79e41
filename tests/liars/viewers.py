"""Viewers that lie, by RTSP and by WHEP: each has a right to look, and none behaves."""

from __future__ import annotations

import asyncio
import contextlib
import enum
import random
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from urllib.parse import urljoin, urlsplit

import aiohttp
from aiortc import InvalidStateError

from intercom.integrations.rtsp.accounts import Account
from tests.integrations.rtsp.client import RawClient
from tests.liars.server import read_nothing
from tests.media.viewers.far_end import FarEnd

AGAIN_S = 0.2
STAYS_S = 20.0
"""Time for which a viewer stays that says and takes nothing: longer than the door bears it."""
HURRIES = 8
"""So often it comes and goes in one breath."""
PACKETS = 40
SMALL_BUFFER_BYTES = 2048
SDP = {"Content-Type": "application/sdp"}
RUBBISH_SDP = (
    b"",
    b"v=0",
    b"\xff\xfe\x00" * 100,
    b"v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n",
    b"v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n" + b"m=video 9 UDP/TLS/RTP/SAVPF 96\r\n" * 200,
    b"v=0\r\n" + b"a=" + b"x" * 100_000,
)


class ViewerLie(enum.StrEnum):
    """How they lie."""

    RTSP_VANISHES = "comes by RTSP and vanishes"
    RTSP_DEAF = "stops reading RTSP"
    RTSP_RUBBISH = "sends rubbish by RTSP"
    RTSP_HURRIES = "comes and goes by RTSP"
    WHEP_ABSENT = "asks by WHEP and never comes"
    WHEP_VANISHES = "comes by WHEP and vanishes"
    WHEP_DEAF = "asks by WHEP and never reads"
    WHEP_SDP = "sends rubbish SDP by WHEP"
    WHEP_RTCP = "sends rubbish RTCP by WHEP"
    WHEP_HURRIES = "comes and goes by WHEP"


class RefusedError(OSError):
    """The door does not let it look, now: it comes too often, or watches already."""


class LyingViewers:
    """The viewers of one door; `lied` is set once one has come so far that it could lie."""

    def __init__(self, *, rtsp: Callable[[], tuple[str, int]], account: Account, whep: str, token: str) -> None:
        """`rtsp` says where the door serves RTSP now, `whep` is the URL of its WHEP."""
        self.lied = asyncio.Event()
        self._rtsp = rtsp
        self._account = account
        self._whep = whep
        self._headers = {"Authorization": f"Bearer {token}", **SDP}

    async def lie(self, lie: ViewerLie, draw: random.Random) -> None:
        """Lie so again and again, until this is cancelled. Whatever the door says to it is borne."""
        ways = {
            ViewerLie.RTSP_VANISHES: self._rtsp_vanishes,
            ViewerLie.RTSP_DEAF: self._rtsp_deaf,
            ViewerLie.RTSP_RUBBISH: self._rtsp_rubbish,
            ViewerLie.RTSP_HURRIES: self._rtsp_hurries,
            ViewerLie.WHEP_ABSENT: self._whep_absent,
            ViewerLie.WHEP_VANISHES: self._whep_vanishes,
            ViewerLie.WHEP_DEAF: self._whep_deaf,
            ViewerLie.WHEP_SDP: self._whep_sdp,
            ViewerLie.WHEP_RTCP: self._whep_rtcp,
            ViewerLie.WHEP_HURRIES: self._whep_hurries,
        }
        try:
            while True:
                with contextlib.suppress(OSError, EOFError, aiohttp.ClientError, InvalidStateError):  # it is let go
                    await ways[lie](draw)
                await asyncio.sleep(AGAIN_S)
        finally:
            self.lied.clear()

    # -- RTSP ----------------------------------------------------------------------------------------------

    def _client(self) -> RawClient:
        host, port = self._rtsp()
        return RawClient(port, self._account, host=host)

    async def _watch(self, client: RawClient, transport: str) -> None:
        for method, path, more in (
            ("DESCRIBE", "door", {}),
            ("SETUP", "door/video", {"Transport": transport}),
            ("PLAY", "door", {}),
        ):
            if (await client.ask(method, path, **more)).status != 200:
                raise RefusedError(method)

    async def _rtsp_vanishes(self, draw: random.Random) -> None:
        """Its machine is there, and nobody listens at its ports; or its connection breaks in the middle."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as port:
            port.bind(("", 0))
            number = port.getsockname()[1]
            by_udp = f"RTP/AVP;unicast;client_port={number}-{number ^ 1}"
            async with self._client() as client:
                await self._watch(client, by_udp if draw.random() < 0.5 else "RTP/AVP/TCP;unicast")
                self.lied.set()
                port.close()
                async with asyncio.timeout(draw.uniform(0.0, 3.0)):
                    await client.ends()

    async def _rtsp_deaf(self, draw: random.Random) -> None:
        del draw
        async with self._client() as client:
            client.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL_BUFFER_BYTES)
            await self._watch(client, "RTP/AVP/TCP;unicast")
            self.lied.set()
            async with asyncio.timeout(STAYS_S):
                await read_nothing(client.writer)

    async def _rtsp_rubbish(self, draw: random.Random) -> None:
        """Reports that are none, packets on channels that nobody set up, and in the end not even packets."""
        async with self._client() as client:
            await self._watch(client, "RTP/AVP/TCP;unicast;interleaved=0-1")
            for _ in range(PACKETS):
                rubbish = draw.randbytes(draw.randrange(200))
                channel = draw.choice((0, 1, 1, 1, 9))
                client.writer.write(b"$" + bytes([channel]) + len(rubbish).to_bytes(2, "big") + rubbish)
                await client.writer.drain()
            self.lied.set()
            client.writer.write(draw.randbytes(2000))
            async with asyncio.timeout(STAYS_S):
                await client.ends()

    async def _rtsp_hurries(self, draw: random.Random) -> None:
        for _ in range(HURRIES):
            async with self._client() as client:
                if draw.random() < 0.5:
                    await client.ask("DESCRIBE", "door")
            self.lied.set()

    # -- WHEP ----------------------------------------------------------------------------------------------

    @contextlib.asynccontextmanager
    async def _asking(self) -> AsyncIterator[tuple[aiohttp.ClientSession, FarEnd, str]]:
        """Yield what asks, a peer, and its offer."""
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=False)) as http, FarEnd() as peer:
            yield http, peer, await peer.offer()

    async def _post(self, http: aiohttp.ClientSession, offer: str | bytes) -> tuple[str, str]:
        """Return the door's answer, and the URL of the view."""
        async with http.post(self._whep, data=offer, headers=self._headers) as answer:
            if answer.status != 201:
                raise RefusedError(answer.status)
            return await answer.text(), urljoin(str(answer.url), answer.headers["Location"])

    async def _whep_absent(self, draw: random.Random) -> None:
        del draw
        async with self._asking() as (http, _, offer):
            await self._post(http, offer)
            self.lied.set()

    async def _whep_vanishes(self, draw: random.Random) -> None:
        async with self._asking() as (http, peer, offer):
            await peer.accept((await self._post(http, offer))[0])
            await asyncio.sleep(draw.uniform(0.0, 1.0))
            # Its sockets are gone, and it has said nothing: not even the end of its encryption.
            await peer.track.transport.transport._connection.close()
            self.lied.set()

    async def _whep_deaf(self, draw: random.Random) -> None:
        """It asks, and takes nothing of what it is told."""
        del draw
        place = urlsplit(self._whep)
        port = place.port or {"http": 80, "https": 443}[place.scheme]
        async with self._asking() as (_, _, offer):
            tls = ssl._create_unverified_context() if place.scheme == "https" else None
            _, writer = await asyncio.open_connection(place.hostname, port, ssl=tls)
            try:
                said = {"Host": place.netloc, **self._headers, "Content-Length": str(len(offer))}
                head = "\r\n".join(f"{name}: {value}" for name, value in said.items())
                writer.write(f"POST {place.path} HTTP/1.1\r\n{head}\r\n\r\n{offer}".encode())
                await writer.drain()
                self.lied.set()
                async with asyncio.timeout(STAYS_S):
                    await read_nothing(writer)
            finally:
                writer.transport.abort()

    async def _whep_sdp(self, draw: random.Random) -> None:
        async with self._asking() as (http, _, offer):
            for rubbish in (*RUBBISH_SDP, _spoilt(offer, draw), _spoilt(offer, draw)):
                async with http.post(self._whep, data=rubbish, headers=self._headers):
                    self.lied.set()

    async def _whep_rtcp(self, draw: random.Random) -> None:
        async with self._asking() as (http, peer, offer):
            await peer.accept((await self._post(http, offer))[0])
            for _ in range(PACKETS):
                # The first byte and the type are those of a report, or it would not even be encrypted as one.
                report = bytes([0x80 | draw.randrange(32), draw.randrange(200, 208)]) + draw.randbytes(6)
                await peer.track.transport._send_rtp(report + draw.randbytes(4 * draw.randrange(40)))
            self.lied.set()

    async def _whep_hurries(self, draw: random.Random) -> None:
        async with self._asking() as (http, _, offer):
            for _ in range(HURRIES):
                try:
                    async with asyncio.timeout(draw.choice((0.01, 5.0))):
                        _, view = await self._post(http, offer)
                        async with http.delete(view, headers=self._headers):
                            self.lied.set()
                except TimeoutError:
                    continue


def _spoilt(offer: str, draw: random.Random) -> bytes:
    """Return an offer of which some bytes are others, and some lines are missing or there twice."""
    lines = [line for line in offer.split("\r\n") for _ in range(draw.choice((0, 1, 1, 1, 1, 1, 2)))]
    spoilt = bytearray("\r\n".join(lines).encode())
    for _ in range(10):
        spoilt[draw.randrange(len(spoilt))] = draw.randrange(256)
    return bytes(spoilt)
