"""Serves /api/space/push: a device's page subscribes to pushes, its worker says that it showed one."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Iterable
from typing import Any, Final

import msgspec
from aiohttp import web

from intercom.space.auth.secret_hash import secret_hash
from intercom.space.errors import BadBodyError, SubscriptionError, TokenError
from intercom.space.http.bodies import body_of
from intercom.space.http.fabric_api import bearer, unauthorized
from intercom.space.push.notices import Notice
from intercom.space.push.pushes import Pushes
from intercom.space.push.sender import Outcome
from intercom.space.push.subscriptions import Subscription
from intercom.space.store.records import Subscriber
from intercom.space.store.store import Store

logger = logging.getLogger(__name__)

TEST_LIMIT_S: Final = 6.0
"""Time limit of a test for the device's receipt: the page's request waits for it, for 8 s at most."""


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


class Former(msgspec.Struct, frozen=True):
    """The subscription that a browser had before; its secret is known to that browser and the house alone."""

    endpoint: str
    """URL at the push service."""
    auth: str
    """The authentication secret."""


class ChangeRequest(msgspec.Struct, frozen=True):
    """Body of POST /api/space/push/changed: the browser gave its worker another subscription."""

    former: Former
    """The subscription that the house knows."""
    subscription: SubscribeRequest
    """The one that takes its place."""


class Receipt(msgspec.Struct, frozen=True):
    """Body of POST /api/space/push/shown: what the worker got with the push."""

    receipt: str
    """The secret of that push."""


class PushApi:
    """Routes under /api/space/push.

    :param now: the time of day, seconds since 1970.
    :param online: the references of those whose sockets are open.
    """

    def __init__(
        self, store: Store, pushes: Pushes, *, now: Callable[[], float], online: Callable[[], Iterable[str]]
    ) -> None:
        self._now = now
        self._online = online
        self._store = store
        self._pushes = pushes
        self._tested: set[str] = set()
        "The devices whose test is under way."

    def routes(self) -> list[web.RouteDef]:
        """Return the routes, for `Application.add_routes`."""
        return [
            web.get("/api/space/push", self._state),
            web.get("/api/space/push/devices", self._devices),
            web.get("/api/space/push/figures", self._figures),
            web.post("/api/space/push/subscription", self._subscribe),
            web.delete("/api/space/push/subscription", self._unsubscribe),
            web.post("/api/space/push/changed", self._change),
            web.post("/api/space/push/test", self._test),
            web.post("/api/space/push/shown", self._shown),
        ]

    async def _state(self, request: web.Request) -> web.Response:
        if self._owner(request) is None:
            return unauthorized()
        subscription = self._store.subscriptions.of_device(secret_hash(bearer(request)))
        endpoint = "" if subscription is None else subscription.endpoint
        return web.json_response({"key": self._pushes.vapid.public_key, "endpoint": endpoint})

    async def _devices(self, request: web.Request) -> web.Response:
        """Tell a device of the house, such as the door, which devices are connected, and which are woken."""
        if self._owner(request) is None:
            return unauthorized()
        online = set(self._online())
        devices = [
            {
                "name": device.name,
                "online": device.reference in online,
                "seen_on": device.seen_on,
                "push": device.push,
                "shown_at": device.shown_at,
                "trouble": device.push_trouble,
                "registered_on": device.registered_on,
                "rang_at": device.rang_at,
                "woken_at": device.woken_at,
            }
            for device in self._store.devices()
            if device.kind == "resident"
        ]
        return web.json_response({"devices": devices})

    async def _figures(self, request: web.Request) -> web.Response:
        """Tell Prometheus what became of all pushes; it signs in with a device's secret, such as the door's."""
        if self._owner(request) is None:
            return unauthorized()
        return web.Response(text=self._pushes.figures.text())

    async def _subscribe(self, request: web.Request) -> web.Response:
        owner = self._owner(request)
        if owner is None:
            return unauthorized()
        if owner.kind != "resident":
            return web.json_response({"error": "Only residents' devices are rung by push."}, status=403)
        try:
            wanted = await body_of(request, SubscribeRequest)
            endpoint = self._pushes.services.check(wanted.endpoint)
            self._store.subscriptions.keep(bearer(request), endpoint, wanted.keys.p256dh, wanted.keys.auth)
        except (BadBodyError, SubscriptionError) as problem:
            return web.json_response({"error": str(problem)}, status=422)
        logger.info("%s is rung by push from now on.", owner.reference)
        return web.json_response({}, status=201)

    async def _change(self, request: web.Request) -> web.Response:
        """Take the new subscription of a worker whose page is closed, and which has no secret but the former one's."""
        try:
            change = await body_of(request, ChangeRequest)
            wanted = change.subscription
            endpoint = self._pushes.services.check(wanted.endpoint)
            former = (change.former.endpoint, change.former.auth)
            known = self._store.subscriptions.replace(*former, endpoint, wanted.keys.p256dh, wanted.keys.auth)
        except (BadBodyError, SubscriptionError) as problem:
            return web.json_response({"error": str(problem)}, status=422)
        return web.json_response({}) if known else unauthorized()

    async def _unsubscribe(self, request: web.Request) -> web.Response:
        owner = self._owner(request)
        if owner is None:
            return unauthorized()
        self._store.subscriptions.remove(secret_hash(bearer(request)))
        logger.info("%s is not rung by push any more.", owner.reference)
        return web.json_response({})

    async def _test(self, request: web.Request) -> web.Response:
        """Send the asking device a test, and answer what became of it: the service's word, the device's receipt."""
        if self._owner(request) is None:
            return unauthorized()
        device = secret_hash(bearer(request))
        subscription = self._store.subscriptions.of_device(device)
        if subscription is None or device in self._tested:
            return web.json_response({"error": "This device is not rung by push, or is tested already."}, status=422)
        self._tested.add(device)
        try:
            return web.json_response(await self._tested_with(subscription))
        finally:
            self._tested.discard(device)

    async def _tested_with(self, subscription: Subscription) -> dict[str, Any]:
        handed_over: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        notice = Notice("test", "test", self._now())

        def done(outcome: Outcome) -> None:
            if not handed_over.done():
                handed_over.set_result(outcome)

        awaited = self._pushes.send(subscription, notice, ttl_s=round(TEST_LIMIT_S), patience_s=TEST_LIMIT_S, done=done)
        shown = asyncio.ensure_future(awaited.shown.wait())
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(TEST_LIMIT_S):
                either: set[asyncio.Future[Any]] = {shown, handed_over}
                await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
                if shown.done() or handed_over.result().fate == "accepted":
                    await shown
        shown.cancel()
        shown_ms = round(awaited.took_s * 1000) if awaited.shown.is_set() else None
        if handed_over.done():
            outcome = handed_over.result()
        elif shown_ms is not None:  # the device was quicker than its service's answer to us
            outcome = Outcome("accepted")
        else:
            outcome = Outcome("given up", "the push service does not answer in time")
        return {"fate": outcome.fate, "told": outcome.told, "shown_ms": shown_ms}

    async def _shown(self, request: web.Request) -> web.Response:
        """Take the receipt of a worker, which has no other secret than the push's own."""
        try:
            sent = await body_of(request, Receipt)
        except BadBodyError:
            return unauthorized()
        pushed = self._pushes.shown(sent.receipt)
        if pushed is None:
            return unauthorized()
        newest = self._pushes.newest(pushed.tag)
        return web.json_response({"newest": None if newest is None else msgspec.to_builtins(newest)})

    def _owner(self, request: web.Request) -> Subscriber | None:
        """Return whose device asks; None for a stranger."""
        try:
            return self._store.owner_of(bearer(request))
        except TokenError:
            return None
