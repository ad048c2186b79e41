"""Serves /api/space/visitors to residents' devices: the visitors' list, its pictures, and how to delete from it.

Nothing of it is kept by a browser (`no-store`): what a resident deletes is gone from the house's devices as well.
"""

from __future__ import annotations

import logging
from typing import Final

from aiohttp import web

from intercom.space.errors import TokenError
from intercom.space.http.fabric_api import bearer, unauthorized
from intercom.space.store.records import Subscriber
from intercom.space.store.store import Store
from intercom.space.visitors.visit import described
from intercom.space.visitors.visitors import Visitors

logger = logging.getLogger(__name__)

PAGE_LIMIT: Final = 200
"""Limit of visits in one answer: some 50 kB."""
NUMBER_LIMIT: Final = 2**53
"""Limit of numbers: a page's script holds no larger one exactly."""


class VisitorsApi:
    """Routes under /api/space/visitors, each for a resident's device that says its secret."""

    def __init__(self, store: Store, visitors: Visitors) -> None:
        self._store = store
        self._visitors = visitors

    def routes(self) -> list[web.RouteDef]:
        """Return the routes, for `Application.add_routes`."""
        return [
            web.get("/api/space/visitors", self._list),
            web.delete("/api/space/visitors", self._delete_all),
            web.delete(r"/api/space/visitors/{number:\d{1,15}}", self._delete),
            web.get(r"/api/space/visitors/{number:\d{1,15}}/picture", self._picture),
        ]

    async def _list(self, request: web.Request) -> web.Response:
        """Answer with the visits of lower numbers than `before`, up to `limit`, and what is missed since `seen`."""
        asker = self._resident(request)
        if isinstance(asker, web.Response):
            return asker
        before = _number(request, "before")
        limit = min(_number(request, "limit") or 0, PAGE_LIMIT)
        page = await self._visitors.page(before=before, limit=limit, seen=_number(request, "seen") or 0)
        body = {
            "keeps": self._visitors.keeps,
            "visitors": [described(kept) for kept in page.visits],
            "total": page.total,
            "version": page.version,
            "missed": page.missed,
        }
        return web.json_response(body)

    async def _picture(self, request: web.Request) -> web.Response:
        asker = self._resident(request)
        if isinstance(asker, web.Response):
            return asker
        picture = await self._visitors.picture(int(request.match_info["number"]))
        if picture is None:
            return web.json_response({"error": "No picture of that visitor is kept."}, status=404)
        return web.Response(body=picture, content_type="image/jpeg")

    async def _delete(self, request: web.Request) -> web.Response:
        asker = self._resident(request)
        if isinstance(asker, web.Response):
            return asker
        if await self._visitors.delete(int(request.match_info["number"])):
            logger.info("%s deleted a visitor from the list.", asker.reference)
        return web.json_response({})

    async def _delete_all(self, request: web.Request) -> web.Response:
        """Delete the visits up to `until`: one that came since the page showed the list stays."""
        asker = self._resident(request)
        if isinstance(asker, web.Response):
            return asker
        until = _number(request, "until")
        if until is None:
            return web.json_response({"error": "Name the newest visit to delete as `until`."}, status=422)
        count = await self._visitors.delete_until(until)
        logger.info("%s deleted %d visitors from the list.", asker.reference, count)
        return web.json_response({})

    def _resident(self, request: web.Request) -> Subscriber | web.Response:
        """Return whose device asks, or the answer for whoever may not see the list."""
        try:
            owner = self._store.owner_of(bearer(request))
        except TokenError:
            return unauthorized()
        if owner.kind != "resident":
            return web.json_response({"error": "Only residents' devices see the visitors."}, status=403)
        return owner


def _number(request: web.Request, name: str) -> int | None:
    """Return a number of the query; None where it is missing or none that can be."""
    said = request.query.get(name, "")
    number = int(said) if said.isascii() and said.isdecimal() and len(said) <= 16 else -1
    return number if 0 <= number <= NUMBER_LIMIT else None
