"""Reads the bodies of requests and refuses malformed ones."""

from __future__ import annotations

from typing import TypeVar

import msgspec
from aiohttp import web

from intercom.space.errors import BadBodyError

T = TypeVar("T")


async def body_of(request: web.Request, kind: type[T]) -> T:
    """Return the JSON body of a request as a `kind`; raises `BadBodyError` when it is malformed or incomplete."""
    try:
        return msgspec.json.decode(await _read(request), type=kind)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as problem:
        raise BadBodyError(str(problem)) from problem


async def body_within(request: web.Request, limit: int) -> bytes:
    """Return the bytes of a body; raises `BadBodyError` when it does not arrive whole, or is longer than `limit`."""
    data = bytearray()
    try:
        if (request.content_length or 0) <= limit:
            async for chunk in request.content.iter_any():
                data += chunk
                if len(data) > limit:
                    break
    except (web.RequestPayloadError, ConnectionError) as problem:
        raise BadBodyError("The body did not arrive whole.") from problem
    if max(len(data), request.content_length or 0) > limit:
        raise BadBodyError(f"The body is longer than {limit} bytes.")
    return bytes(data)


async def _read(request: web.Request) -> bytes:
    try:
        return await request.read()
    except (web.RequestPayloadError, ConnectionError) as problem:
        raise BadBodyError("The body did not arrive whole.") from problem
    except RuntimeError as problem:  # so aiohttp says that the connection was closed before it began to read
        if request.transport is not None:
            raise
        raise BadBodyError("The body did not arrive whole.") from problem
