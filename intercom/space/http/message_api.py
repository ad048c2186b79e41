"""Serves /api/space/messages: doors bring what visitors said, residents' devices fetch it and delete it.

Who asks is judged before anything of the disk is touched, and nothing that they say becomes part of a path but an id of
letters, digits and dashes.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Annotated, Final

import msgspec
from aiohttp import hdrs, web

from intercom.message_files import ID, MOST_BYTES, PIECE_BYTES, KeptMessage
from intercom.space.errors import BadBodyError, TokenError
from intercom.space.http.bodies import body_within
from intercom.space.http.fabric_api import bearer, unauthorized
from intercom.space.messages.messages import Messages, described
from intercom.space.store.records import Subscriber
from intercom.space.store.store import Store

logger = logging.getLogger(__name__)

LONGEST_S: Final = 600
"""Limit of the length that is believed of a message."""


class Piece(msgspec.Struct, frozen=True):
    """What a door says of a message and of the piece that it sends, in the path and the query."""

    id: Annotated[str, msgspec.Meta(pattern=rf"\A{ID.pattern}\Z")]
    """Id of the message: letters, digits and dashes."""
    began_at: Annotated[int, msgspec.Meta(ge=0, le=10**11)]
    """Time of the message's beginning, seconds since 1970."""
    seconds: Annotated[int, msgspec.Meta(ge=1, le=LONGEST_S)]
    """Length of the message."""
    bytes: Annotated[int, msgspec.Meta(ge=1, le=MOST_BYTES)]
    """Size of the whole message."""
    at: Annotated[int, msgspec.Meta(ge=0, le=MOST_BYTES)]
    """Where in it the piece begins."""


class MessageApi:
    """Routes under /api/space/messages."""

    def __init__(self, store: Store, messages: Messages) -> None:
        self._store = store
        self._messages = messages
        self._files = messages.files
        self._one_at_a_time = asyncio.Lock()

    def routes(self) -> list[web.RouteDef]:
        """Return the routes, for `Application.add_routes`."""
        return [
            web.get("/api/space/messages", self._list),
            web.post("/api/space/messages/{id}", self._bring),
            web.get("/api/space/messages/{door}/{id}", self._fetch, allow_head=False),
            web.delete("/api/space/messages/{door}/{id}", self._delete),
        ]

    # -- for doors ---------------------------------------------------------------------------------------------

    async def _bring(self, request: web.Request) -> web.Response:
        """Take a piece of a message, and say how much of it is here."""
        owner = self._owner(request)
        if owner is None:
            return unauthorized()
        if owner.kind != "door":
            return _refused(403, "Only doors bring messages.")
        if not self._messages.wanted:
            return _refused(403, "This house keeps no messages: history.messages is off where its space runs.")
        try:
            piece = msgspec.convert({**request.query, "id": request.match_info["id"]}, Piece, strict=False)
            data = await body_within(request, PIECE_BYTES)
        except (msgspec.ValidationError, BadBodyError) as problem:
            return _refused(422, str(problem))
        return await self._keep(owner, piece, data)

    async def _keep(self, owner: Subscriber, piece: Piece, data: bytes) -> web.Response:
        async with self._one_at_a_time:
            try:
                have, whole = await asyncio.to_thread(self._add, owner.reference, piece, data)
            except OSError as problem:
                logger.warning("A visitor's message cannot be kept: %s", problem)
                return _refused(507, "There is no room for the message.")
        if whole is not None:
            logger.info("A visitor left a message of %d s at %s.", whole.seconds, owner.display_name)
            self._messages.arrived(whole, owner)
        return web.json_response({"have": have})

    def _add(self, door: str, piece: Piece, data: bytes) -> tuple[int, KeptMessage | None]:
        """Add a piece that begins where the message ends; return its size, and the message if that made it whole."""
        if (known := self._files.get(piece.id, door)) is not None:
            return known.bytes, None
        message = self._files.get(piece.id, door, whole=False)
        if message is None:
            for other in self._files.all(whole=False):
                if other.door == door:  # a door sends one after another: it has given this one up
                    self._files.remove(other)
            message = self._files.begin(piece.id, door, began_at=piece.began_at, seconds=piece.seconds)
        if not data or piece.at != message.bytes or message.bytes + len(data) > piece.bytes:
            return message.bytes, None
        message = self._files.append(message, data)
        return message.bytes, self._files.finish(message) if message.bytes == piece.bytes else None

    # -- for residents -----------------------------------------------------------------------------------------

    async def _list(self, request: web.Request) -> web.Response:
        """List the messages, the newest first."""
        refusal = self._no_resident(request)
        if refusal is not None:
            return refusal
        messages = await asyncio.to_thread(self._files.all)
        return web.json_response({"messages": [described(message) for message in reversed(messages)]})

    async def _fetch(self, request: web.Request) -> web.StreamResponse:
        """Serve a message, or a range of it."""
        refusal = self._no_resident(request)
        if refusal is not None:
            return refusal
        message = await self._asked(request)
        if message is None:
            return web.Response(status=404)
        return web.FileResponse(message.path, headers={hdrs.CONTENT_TYPE: "video/mp4"})

    async def _delete(self, request: web.Request) -> web.Response:
        """Delete a message; one that is gone is gone."""
        refusal = self._no_resident(request)
        if refusal is not None:
            return refusal
        message = await self._asked(request)
        if message is not None:
            await self._messages.delete(message)
            logger.info("A visitor's message was deleted on a device of the house.")
        return web.json_response({})

    async def _asked(self, request: web.Request) -> KeptMessage | None:
        return await asyncio.to_thread(self._files.get, request.match_info["id"], request.match_info["door"])

    def _no_resident(self, request: web.Request) -> web.Response | None:
        owner = self._owner(request)
        if owner is None:
            return unauthorized()
        return None if owner.kind == "resident" else _refused(403, "Only residents' devices hear messages.")

    def _owner(self, request: web.Request) -> Subscriber | None:
        """Return whose device asks; None for a stranger."""
        try:
            return self._store.owner_of(bearer(request))
        except TokenError:
            return None


def _refused(status: int, why: str) -> web.Response:
    return web.json_response({"error": why}, status=status)
