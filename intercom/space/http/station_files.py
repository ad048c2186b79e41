"""Serves the station page's files, unchanged."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Final

from aiohttp import hdrs, web

STATION_DIRECTORY: Final = Path(__file__).resolve().parents[2] / "station"

_TYPES: Final = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".webmanifest": "application/manifest+json",
    ".ogg": "audio/ogg",
    ".wav": "audio/wav",
    ".woff2": "font/woff2",
}


def station_routes(directory: Path = STATION_DIRECTORY) -> list[web.RouteDef]:
    """Return the routes under /station/: the files of known types now in `directory`, and nothing else.

    They are some 100 kB, and held in memory: nothing that is sent names a path, and a slow reader holds no file open.
    """
    files = {
        path.relative_to(directory).as_posix(): _Entry(path)
        for path in directory.rglob("*")
        if path.suffix in _TYPES and path.is_file()
    }

    async def serve(request: web.Request) -> web.StreamResponse:
        found = files.get(request.match_info["path"] or "index.html")
        return web.Response(status=404) if found is None else found.answer(request)

    async def add_slash(_request: web.Request) -> web.StreamResponse:
        raise web.HTTPFound("station/")

    return [web.get("/station", add_slash), web.get("/station/{path:.*}", serve)]


class _Entry:
    """One file in memory."""

    def __init__(self, path: Path) -> None:
        self._content = path.read_bytes()
        self._type = _TYPES[path.suffix]
        self._tag = hashlib.sha256(self._content).hexdigest()[:32]

    def answer(self, request: web.Request) -> web.Response:
        """Return the file, or 304 when the browser has it already."""
        known = any(tag.value == self._tag for tag in request.if_none_match or ())
        answer = web.Response(status=304) if known else web.Response(body=self._content)
        if not known:
            answer.headers[hdrs.CONTENT_TYPE] = self._type
        answer.etag = self._tag
        return answer
