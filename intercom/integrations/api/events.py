"""The facts of the door as they happen, for programs: server-sent events, and long poll with the same cursor.

Every reader reads the journal from its own cursor on, so that a slow one costs nobody anything: nothing waits for it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec
from aiohttp import hdrs, web

from intercom.history.journal import Entry
from intercom.integrations.access import Access
from intercom.integrations.api.problems import problem
from intercom.integrations.api.who import token_of
from intercom.integrations.fact_documents import cursor, document, number_of
from intercom.integrations.tokens import Token
from intercom.space.http.connection_limits import Pool
from intercom.transports import break_off

READERS_LIMIT: Final = 32
"""Limit of readers at once, of all tokens together: the oldest of the token with the most gives way."""
READERS_OF_A_TOKEN: Final = 8
"""Limit of readers at once with one token: the oldest gives way, for whoever asks anew has often lost it."""
WAIT_LIMIT_S: Final = 60
"""Limit of the wait of one long poll."""
WAIT_S: Final = 25
"""Default wait of one long poll: less than the minute after which proxies cut a silent answer."""
HEARTBEAT_S: Final = 15.0
"""Interval of the lines that keep a stream alive through proxies, at which its token is looked at again as well."""
WRITE_S: Final = 30.0
"""Time after which a stream whose reader takes nothing is cut."""
EVENT_STREAM: Final = "text/event-stream"
LAST_EVENT_ID: Final = "Last-Event-ID"
ALL: Final = "0"
"""Cursor of a reader that wants everything that is kept."""


@dataclass(eq=False)
class Reader:
    """Somebody who reads the facts."""

    streams: bool
    """Whether it reads a stream, and does not poll."""
    news: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when there is something new."""
    over: bool = False
    """Whether another reader has taken its place."""

    def end(self) -> None:
        """Give way to another reader."""
        self.over = True
        self.news.set()


class Events:
    """The readers of the facts. Belongs to the event loop."""

    def __init__(
        self,
        access: Access,
        *,
        lasting: Callable[[web.Request, str], None],
        still_good: Callable[[Token], bool],
        heartbeat_s: float,
    ) -> None:
        """`lasting` lifts the time limit of a request; `still_good` says whether a token has not been removed."""
        self._access = access
        self._lasting = lasting
        self._still_good = still_good
        self._heartbeat_s = heartbeat_s
        self._places = Pool(READERS_LIMIT, READERS_OF_A_TOKEN)
        self._readers: set[Reader] = set()

    @property
    def readers(self) -> dict[str, int]:
        """Return how many read now, by how they do."""
        streams = sum(reader.streams for reader in self._readers)
        return {"stream": streams, "poll": len(self._readers) - streams}

    def stop(self) -> None:
        """End all readers."""
        for reader in self._readers:
            reader.end()

    def take(self, _: Entry) -> None:
        """Wake the readers."""
        for reader in self._readers:
            reader.news.set()

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Answer with the facts after the reader's cursor, as a stream or as JSON."""
        token = token_of(request)
        try:
            number, missed = self._begin(request)
            wait_s = _seconds(request.query.get("wait", str(WAIT_S)))
        except ValueError as error:
            return problem(400, str(error))
        streams = EVENT_STREAM in request.headers.get(hdrs.ACCEPT, "")
        with self._reader(token, streams=streams) as reader:
            self._lasting(request, f"api {token.name}")
            if streams:
                return await self._stream(request, token, reader, number, missed)
            return await self._poll(token, reader, number, missed, wait_s)

    @contextmanager
    def _reader(self, token: Token, *, streams: bool) -> Iterator[Reader]:
        reader = Reader(streams)
        self._places.add(reader, token.name, reader.end)
        self._readers.add(reader)
        try:
            yield reader
        finally:
            self._readers.discard(reader)
            self._places.remove(reader)

    def _begin(self, request: web.Request) -> tuple[int, bool]:
        """Return the number after which the reader wants to read, and whether it has missed facts before that.

        Raises ValueError for what is no cursor.
        """
        said = request.headers.get(LAST_EVENT_ID) or request.query.get("after", "")
        if not said:
            return self._access.cursor, False
        number = None if said == ALL else number_of(said)
        if number is None or number > self._access.cursor:
            kept = self._access.since(0)
            return (kept[0].number - 1 if kept else 0), said != ALL
        return number, False

    def _read(self, number: int) -> tuple[list[Entry], bool]:
        """Return the facts after this one, and whether some of them are gone."""
        entries = self._access.since(number)
        return entries, bool(entries) and entries[0].number > number + 1

    async def _poll(self, token: Token, reader: Reader, number: int, missed: bool, wait_s: float) -> web.Response:
        entries, gap = self._read(number)
        if not entries and not missed:
            try:
                async with asyncio.timeout(wait_s):
                    await reader.news.wait()
            except TimeoutError:
                pass
            if not self._still_good(token):
                return problem(401, "the token was removed while it waited")
            entries, gap = self._read(number)
        last = entries[-1].number if entries else number
        content = {"cursor": cursor(last), "missed": missed or gap, "events": [document(entry) for entry in entries]}
        return web.json_response(content)

    async def _stream(
        self, request: web.Request, token: Token, reader: Reader, number: int, missed: bool
    ) -> web.StreamResponse:
        answer = web.StreamResponse(headers={hdrs.CONTENT_TYPE: EVENT_STREAM, "X-Accel-Buffering": "no"})
        await answer.prepare(request)
        try:
            await _write(answer, b"retry: 2000\n\n")
            while self._still_good(token) and not reader.over:
                reader.news.clear()
                entries, gap = self._read(number)
                if missed or gap:
                    await _write(answer, _event("missed", {"since": cursor(number)}))
                    missed = False
                for entry in entries:
                    await _write(answer, _event(document(entry)["type"], document(entry), cursor(entry.number)))
                    number = entry.number
                try:
                    async with asyncio.timeout(self._heartbeat_s):
                        await reader.news.wait()
                except TimeoutError:
                    await _write(answer, b":\n\n")
        except (ConnectionError, TimeoutError):
            if request.transport is not None:
                break_off(request.transport)
        return answer


async def _write(answer: web.StreamResponse, data: bytes) -> None:
    async with asyncio.timeout(WRITE_S):
        await answer.write(data)


def _event(kind: str, content: Any, id_: str = "") -> bytes:
    head = f"id: {id_}\n" if id_ else ""
    return f"{head}event: {kind}\ndata: ".encode() + msgspec.json.encode(content) + b"\n\n"


def _seconds(said: str) -> float:
    if not said.isdecimal() or not said.isascii() or len(said) > 3 or int(said) > WAIT_LIMIT_S:
        raise ValueError(f"expected a wait from 0 to {WAIT_LIMIT_S} seconds")
    return float(said)
