"""The station page's files, served as they are."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from aiohttp import web

STATION_DIRECTORY: Final = Path(__file__).resolve().parent.parent / "station"

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
    """The routes under /station/; only files of the known types are served, and only from `directory`."""

    async def serve(request: web.Request) -> web.StreamResponse:
        wanted = (directory / (request.match_info["path"] or "index.html")).resolve()
        content_type = _TYPES.get(wanted.suffix)
        if content_type is None or not wanted.is_relative_to(directory) or not wanted.is_file():
            return web.Response(status=404)
        return web.FileResponse(wanted, headers={"Content-Type": content_type})

    async def add_slash(_request: web.Request) -> web.StreamResponse:
        raise web.HTTPFound("/station/")

    return [web.get("/station", add_slash), web.get("/station/{path:.*}", serve)]
