"""Serves /api/space/push: a device's page subscribes to pushes, its worker says that it showed one."""

from __future__ import annotations

import logging

import msgspec
from aiohttp import web

from intercom.space.errors import BadBodyError, SubscriptionError, TokenError
from intercom.space.http.bodies import body_of
from intercom.space.http.fabric_api import bearer, unauthorized
from intercom.space.push.services import PushServices
from intercom.space.push.vapid import Vapid
from intercom.space.records import Subscriber
from intercom.space.secret_hash import secret_hash
from intercom.space.store import Store

logger = logging.getLogger(__name__)


class Keys(msgspec.Struct, frozen=True):
    """The keys of a browser's push subscription, base64url."""

    p256dh: str
    """The browser's public key."""
    auth: str
    """The authentication secret."""


class SubscribeRequest(msgspec.Struct, frozen=True):
    """Body of POST /api/space/push/subscription: a PushSubscription as browsers write it."""

    endpoint: str
    """URL at the push service."""
    keys: Keys
    """The keys to encrypt with."""


class PushApi:
    """Routes under /api/space/push."""

    def __init__(self, store: Store, vapid: Vapid, services: PushServices) -> None:
        self._store = store
        self._vapid = vapid
        self._services = services

    def routes(self) -> list[web.RouteDef]:
        """Return the routes, for `Application.add_routes`."""
        return [
            web.get("/api/space/push", self._state),
            web.post("/api/space/push/subscription", self._subscribe),
            web.delete("/api/space/push/subscription", self._unsubscribe),
        ]

    async def _state(self, request: web.Request) -> web.Response:
        if self._owner(request) is None:
            return unauthorized()
        subscription = self._store.subscriptions.of_device(secret_hash(bearer(request)))
        endpoint = "" if subscription is None else subscription.endpoint
        return web.json_response({"key": self._vapid.public_key, "endpoint": endpoint})

    async def _subscribe(self, request: web.Request) -> web.Response:
        owner = self._owner(request)
        if owner is None:
            return unauthorized()
        if owner.kind != "resident":
            return web.json_response({"error": "Only residents' devices are rung by push."}, status=403)
        try:
            wanted = await body_of(request, SubscribeRequest)
            endpoint = self._services.check(wanted.endpoint)
            self._store.subscriptions.keep(bearer(request), endpoint, wanted.keys.p256dh, wanted.keys.auth)
        except (BadBodyError, SubscriptionError) as problem:
            return web.json_response({"error": str(problem)}, status=422)
        logger.info("%s is rung by push from now on.", owner.reference)
        return web.json_response({}, status=201)

    async def _unsubscribe(self, request: web.Request) -> web.Response:
        owner = self._owner(request)
        if owner is None:
            return unauthorized()
        self._store.subscriptions.remove(secret_hash(bearer(request)))
        logger.info("%s is not rung by push any more.", owner.reference)
        return web.Response(status=204)

    def _owner(self, request: web.Request) -> Subscriber | None:
        """Return whose device asks; None for a stranger."""
        try:
            return self._store.owner_of(bearer(request))
        except TokenError:
            return None
