"""Serves /api/space/device: a device's page names it, lets it ring as a test, and says that its owner heard it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Final, Literal

import msgspec
from aiohttp import web

from intercom.space.auth.secret_hash import secret_hash
from intercom.space.errors import BadBodyError, TokenError
from intercom.space.http.bodies import body_of
from intercom.space.http.fabric_api import bearer, unauthorized
from intercom.space.push.pushes import Pushes
from intercom.space.store.records import Subscriber
from intercom.space.store.store import Store

logger = logging.getLogger(__name__)

PAUSE_LIMIT_S: Final = 60.0
"""Limit of the time that a page asks for before the device rings, in which its owner closes it or locks the phone."""


class NameRequest(msgspec.Struct, frozen=True):
    """Body of POST /api/space/device."""

    name: str
    """The name that the owner gives the device."""


class RingRequest(msgspec.Struct, frozen=True):
    """Body of POST /api/space/device/ring."""

    page: Literal["open", "closed"]
    """How the page is to be while the device rings."""
    in_s: float = 0.0
    """Time until a device with a closed page rings."""


class RangRequest(msgspec.Struct, frozen=True):
    """Body of POST /api/space/device/rang."""

    page: Literal["open", "closed"]
    """How the page was when the owner heard the device ring."""


class DeviceApi:
    """Routes under /api/space/device, each for a device that says its secret.

    :param ring: lets the open pages of a subscriber ring, and returns whether there was one.
    :param renamed: told of a subscriber that has another name.
    """

    def __init__(
        self, store: Store, pushes: Pushes, *, ring: Callable[[str], bool], renamed: Callable[[Subscriber], None]
    ) -> None:
        self._store = store
        self._pushes = pushes
        self._ring_open = ring
        self._renamed = renamed

    def routes(self) -> list[web.RouteDef]:
        """Return the routes, for `Application.add_routes`."""
        return [
            web.get("/api/space/device", self._state),
            web.post("/api/space/device", self._rename),
            web.post("/api/space/device/ring", self._ring),
            web.post("/api/space/device/rang", self._rang),
        ]

    async def _state(self, request: web.Request) -> web.Response:
        owner = self._owner(request)
        if owner is None:
            return unauthorized()
        return web.json_response(self._described(owner))

    async def _rename(self, request: web.Request) -> web.Response:
        owner = self._owner(request)
        if owner is None:
            return unauthorized()
        try:
            wanted = await body_of(request, NameRequest)
        except BadBodyError as problem:
            return web.json_response({"error": str(problem)}, status=422)
        if owner.kind != "resident":
            return web.json_response({"error": "Only residents' devices name themselves."}, status=403)
        named = self._store.rename(owner, wanted.name)
        self._renamed(named)
        logger.info("%s is called %s from now on.", owner.reference, named.display_name)
        return web.json_response(self._described(named))

    async def _ring(self, request: web.Request) -> web.Response:
        """Ring the asking device: at once over its socket, or in some seconds by push."""
        owner = self._owner(request)
        if owner is None:
            return unauthorized()
        try:
            wanted = await body_of(request, RingRequest)
        except BadBodyError as problem:
            return web.json_response({"error": str(problem)}, status=422)
        if wanted.page == "open":
            if not self._ring_open(owner.id):
                return web.json_response({"error": "The page of this device is not connected."}, status=422)
        elif not self._pushes.prove(secret_hash(bearer(request)), after_s=max(0.0, min(wanted.in_s, PAUSE_LIMIT_S))):
            return web.json_response({"error": "This device is not rung by push."}, status=422)
        return web.json_response({}, status=202)

    async def _rang(self, request: web.Request) -> web.Response:
        """Take the word of a device's owner that it rang."""
        owner = self._owner(request)
        if owner is None:
            return unauthorized()
        try:
            told = await body_of(request, RangRequest)
        except BadBodyError as problem:
            return web.json_response({"error": str(problem)}, status=422)
        self._store.proofs.rang(bearer(request), told.page)
        return web.json_response(self._described(owner))

    def _described(self, owner: Subscriber) -> dict[str, str | float | bool]:
        (device,) = [found for found in self._store.devices() if found.reference == owner.reference]
        return {
            "name": device.name,
            "rang_at": device.rang_at,
            "woken_at": device.woken_at,
            "push": device.push,
            "shown_at": device.shown_at,
            "trouble": device.push_trouble,
        }

    def _owner(self, request: web.Request) -> Subscriber | None:
        """Return whose device asks; None for a stranger."""
        try:
            return self._store.owner_of(bearer(request))
        except TokenError:
            return None
