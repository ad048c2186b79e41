"""Serves the station page's files, unchanged but for the manifest, which says in the browser's language what it is."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Final

from aiohttp import hdrs, web

from intercom import languages
from intercom.languages import LANGUAGES, catalogue, preferred

STATION_DIRECTORY: Final = Path(__file__).resolve().parents[2] / "station"

_TYPES: Final = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".webmanifest": "application/manifest+json",
    ".ogg": "audio/ogg",
    ".wav": "audio/wav",
    ".woff2": "font/woff2",
}


MANIFEST: Final = "station.webmanifest"
"""Name of the file that tells a system how to install the page."""


def station_routes(directory: Path = STATION_DIRECTORY, *, language: str = "en") -> list[web.RouteDef]:
    """Return the routes under /station/: the files of known types in `directory`, the languages, and nothing else.

    They are some 300 kB, and held in memory: nothing that is sent names a path, and a slow reader holds no file open.

    :param language: the house's, for a browser that asks for none that the page speaks.
    """
    files = {
        path.relative_to(directory).as_posix(): _Entry(path.read_bytes(), path.suffix)
        for path in directory.rglob("*")
        if path.suffix in _TYPES and path.is_file()
    }
    for path in languages.DIRECTORY.glob("*.json"):
        files[f"languages/{path.name}"] = _Entry(path.read_bytes(), path.suffix)
    manifests = {spoken: _manifest(directory / MANIFEST, spoken) for spoken in LANGUAGES}

    async def serve(request: web.Request) -> web.StreamResponse:
        found = files.get(request.match_info["path"] or "index.html")
        return web.Response(status=404) if found is None else found.answer(request)

    async def serve_manifest(request: web.Request) -> web.StreamResponse:
        answer = manifests[preferred(request.headers.get(hdrs.ACCEPT_LANGUAGE, ""), language)].answer(request)
        answer.headers[hdrs.VARY] = hdrs.ACCEPT_LANGUAGE
        return answer

    async def add_slash(_request: web.Request) -> web.StreamResponse:
        raise web.HTTPFound("station/")

    return [
        web.get("/station", add_slash),
        web.get(f"/station/{MANIFEST}", serve_manifest),
        web.get("/station/{path:.*}", serve),
    ]


def _manifest(path: Path, language: str) -> _Entry:
    """Return the manifest with its name and its purpose in a language."""
    words = catalogue(language)
    said = {"name": words.say("manifest.name"), "description": words.say("manifest.what"), "lang": language}
    return _Entry(json.dumps({**json.loads(path.read_text()), **said}).encode(), path.suffix)


class _Entry:
    """One file in memory."""

    def __init__(self, content: bytes, suffix: str) -> None:
        self._content = content
        self._type = _TYPES[suffix]
        self._tag = hashlib.sha256(self._content).hexdigest()[:32]

    def answer(self, request: web.Request) -> web.Response:
        """Return the file, or 304 when the browser has it already."""
        known = any(tag.value == self._tag for tag in request.if_none_match or ())
        answer = web.Response(status=304) if known else web.Response(body=self._content)
        if not known:
            answer.headers[hdrs.CONTENT_TYPE] = self._type
        answer.etag = self._tag
        return answer
