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
    """The routes under /station/: the files of the known types that `directory` holds now, and nothing else."""
    files = {
        path.relative_to(directory).as_posix(): path
        for path in directory.rglob("*")
        if path.suffix in _TYPES and path.is_file()
    }

    async def serve(request: web.Request) -> web.StreamResponse:
        found = files.get(request.match_info["path"] or "index.html")
        if found is None:
            return web.Response(status=404)
        return web.FileResponse(found, headers={"Content-Type": _TYPES[found.suffix]})

    async def add_slash(_request: web.Request) -> web.StreamResponse:
        raise web.HTTPFound("/station/")

    return [web.get("/station", add_slash), web.get("/station/{path:.*}", serve)]
