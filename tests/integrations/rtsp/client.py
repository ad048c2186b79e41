"""A client of RTSP that says exactly what a test has it say."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from intercom.integrations.rtsp.accounts import Account
from intercom.integrations.rtsp.digest import answer
from tests.integrations.rtsp.watched_door import LIMIT_S


@dataclass(frozen=True)
class Response:
    status: int
    headers: dict[str, str]
    body: str


class RawClient:
    """One connection."""

    def __init__(self, port: int, account: Account | None = None, *, host: str = "127.0.0.1", source: str = "") -> None:
        """`source` is the address that it comes from: each of 127.0.0.0/8 is another machine."""
        self._host = host
        self._port = port
        self._source = (source, 0) if source else None
        self._account = account
        self._sequence = 0
        self._nonce = ""
        self.session = ""
        self.packets: list[tuple[int, bytes]] = []
        self.proof = ""

    async def __aenter__(self) -> Self:
        self.reader, self.writer = await asyncio.open_connection(self._host, self._port, local_addr=self._source)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.writer.transport.abort()

    def url(self, path: str) -> str:
        return f"rtsp://{self._host}:{self._port}/{path}"

    async def ask(self, method: str, path: str = "door", **headers: str) -> Response:
        """Ask once, and once more with the proof if that is what is missing."""
        response = await self.ask_once(method, path, **headers)
        if response.status == 401 and self._account is not None:
            found = re.search(r'nonce="([^"]*)"', response.headers["www-authenticate"])
            assert found
            self._nonce = found[1]
            response = await self.ask_once(method, path, **headers)
        return response

    async def ask_once(self, method: str, path: str = "door", **headers: str) -> Response:
        self._sequence += 1
        lines = [f"{method} {self.url(path)} RTSP/1.0", f"CSeq: {self._sequence}"]
        if self._account is not None and self._nonce:
            said = {"uri": self.url(path)}
            proof = answer(self._account, method, said, self._nonce)
            self.proof = (
                f'Digest username="{self._account.name}", realm="intercom", nonce="{self._nonce}", '
                f'uri="{said["uri"]}", response="{proof}"'
            )
            lines.append(f"Authorization: {self.proof}")
        if self.session:
            lines.append(f"Session: {self.session}")
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        self.writer.write("\r\n".join([*lines, "", ""]).encode())
        return await self.response()

    async def response(self) -> Response:
        async with asyncio.timeout(LIMIT_S):
            while True:
                first = await self.reader.readexactly(1)
                if first != b"$":
                    break
                await self._packet()
            head = (first + await self.reader.readuntil(b"\r\n\r\n")).decode()
            status, *lines = head.strip().split("\r\n")
            headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
            body = await self.reader.readexactly(int(headers.get("content-length", 0)))
        if "session" in headers:
            self.session = headers["session"].partition(";")[0]
        return Response(int(status.split()[1]), headers, body.decode())

    async def _packet(self) -> None:
        head = await self.reader.readexactly(3)
        self.packets.append((head[0], await self.reader.readexactly(int.from_bytes(head[1:], "big"))))

    async def packet(self) -> tuple[int, bytes]:
        """Wait for the next interleaved packet."""
        async with asyncio.timeout(LIMIT_S):
            assert await self.reader.readexactly(1) == b"$"
            await self._packet()
        return self.packets[-1]

    async def ends(self) -> None:
        """Wait until the door closes the connection."""
        async with asyncio.timeout(LIMIT_S):
            try:
                while await self.reader.read(65_536):
                    pass
            except ConnectionError:
                pass

    async def watch(self, path: str = "door", track: str = "video") -> Response:
        """Describe, set one track up between the requests, and play."""
        assert (await self.ask("DESCRIBE", path)).status == 200
        set_up = await self.ask("SETUP", f"{path}/{track}", Transport="RTP/AVP/TCP;unicast;interleaved=0-1")
        assert set_up.status == 200, set_up
        return await self.ask("PLAY", path)
