"""Serves the HTTP API of protocol §2. A request without a valid token gets 401 and nothing else."""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Awaitable, Callable
from typing import Any, Final
from urllib.parse import urlencode

import msgspec
from aiohttp import hdrs, web

from intercom.space.auth.email_reference import email_of, reference_of
from intercom.space.auth.tokens import REFRESH_SCOPE, Grant, TokenAuthority
from intercom.space.errors import AddressError, BadBodyError, TokenError
from intercom.space.http.bodies import body_of
from intercom.space.store.records import Address, Subscriber
from intercom.space.store.store import Store

PAGE_SIZE: Final = 50
"""Default page size of the directory, in addresses."""
PAGE_SIZE_LIMIT: Final = 200
DEVICE_TOKEN_LIFETIME_S: Final = 900
"""Default lifetime of a client-bound SAT; the reference client's own default."""
DEVICE_TOKEN_PATH: Final = "/api/fabric/subscriber/devices/token"  # noqa: S105 - a path
DEVICE_REFRESH_PATH: Final = "/api/fabric/subscriber/devices/refresh"

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Authorized = Callable[[web.Request, Grant, str], Awaitable[web.StreamResponse]]


class TokenRequest(msgspec.Struct, frozen=True):
    """Body of POST /api/fabric/subscribers/tokens."""

    reference: str
    """The subscriber's name or e-mail address; made when it is new."""
    fingerprint: str = ""
    """Thumbprint of the key to which the token may be bound later."""
    scope: str | list[str] = []
    """Further scopes of the token, as a list or separated by blanks: sat:refresh."""
    expire_at: int | None = None
    """Expiry time of the token, seconds since 1970."""


class RefreshRequest(msgspec.Struct, frozen=True):
    """Body of POST /api/fabric/subscribers/tokens/refresh."""

    refresh_token: str
    """The refresh token that came with the last SAT."""


class DeviceTokenRequest(msgspec.Struct, frozen=True):
    """Body of the two device-token calls."""

    dpop_token: str
    """The DPoP proof."""
    expire_in: int | None = None
    """Lifetime of the new token, seconds."""


class FabricApi:
    """Routes under /api/fabric.

    :param api_token: the password that, with the project's id, mints tokens (HTTP Basic).
    :param now: the time of day, seconds since 1970.
    """

    def __init__(self, store: Store, tokens: TokenAuthority, *, api_token: str, now: Callable[[], float]) -> None:
        self._store = store
        self._tokens = tokens
        self._api_token = api_token
        self._now = now

    def routes(self) -> list[web.RouteDef]:
        """Return the routes, for `Application.add_routes`."""
        return [
            web.get("/api/fabric/subscriber/info", self._authorized(self._info)),
            web.get("/api/fabric/addresses", self._authorized(self._addresses)),
            web.get("/api/fabric/addresses/{id}", self._authorized(self._address)),
            web.post("/api/fabric/subscribers/tokens", self._for_the_project(self._mint)),
            web.post("/api/fabric/subscribers/tokens/refresh", self._for_the_project(self._refresh)),
            web.post(DEVICE_TOKEN_PATH, self._authorized(self._device_token)),
            web.post(DEVICE_REFRESH_PATH, self._authorized(self._device_refresh)),
            web.route("*", "/api/fabric/{rest:.*}", self._nothing),
        ]

    def _authorized(self, handler: Authorized) -> Handler:
        async def authorize(request: web.Request) -> web.StreamResponse:
            token = bearer(request)
            try:
                grant = self._tokens.check(token)
            except TokenError:
                return unauthorized()
            return await handler(request, grant, token)

        return authorize

    async def _info(self, _request: web.Request, grant: Grant, _token: str) -> web.Response:
        subscriber = grant.subscriber
        claims: dict[str, Any] = {"scope": list(grant.scope), "expires_at": grant.expires_at}
        if grant.jkt:
            claims["cnf"] = {"jkt": grant.jkt}
        return web.json_response(
            {
                "id": subscriber.id,
                "email": email_of(subscriber.reference),
                "first_name": subscriber.display_name,
                "last_name": "",
                "display_name": subscriber.display_name,
                "push_notification_key": "",
                "fabric_addresses": [_listed(a) for a in self._store.addresses_of(subscriber.id)],
                "sat_claims": claims,
            }
        )

    async def _addresses(self, request: web.Request, _grant: Grant, _token: str) -> web.Response:
        name = request.query.get("name")
        if name is not None:
            found = self._store.address(name)
            return web.json_response({"data": [_listed(found)] if found else [], "links": {}})
        size = _number(request.query.get("page_size"), PAGE_SIZE, PAGE_SIZE_LIMIT)
        page = _number(request.query.get("page_number"), 0, 1_000_000, least=0)
        descending = request.query.get("sort_order") == "desc"
        rows = self._store.addresses(offset=page * size, limit=size + 1, descending=descending)
        links = {}
        if len(rows) > size:
            query = {
                "sort_by": "name",
                "sort_order": "desc" if descending else "asc",
                "page_number": page + 1,
                "page_size": size,
            }
            links["next"] = f"{request.path}?{urlencode(query)}"
        return web.json_response({"data": [_listed(row) for row in rows[:size]], "links": links})

    async def _address(self, request: web.Request, _grant: Grant, _token: str) -> web.Response:
        wanted = request.match_info["id"]
        found = self._store.address_by_id(wanted) if wanted.isascii() else None
        return web.json_response(_listed(found)) if found else _refused(404, "There is no address with this id.")

    def _for_the_project(self, handler: Handler) -> Handler:
        async def authorize(request: web.Request) -> web.StreamResponse:
            if not self._is_the_project(request):
                return unauthorized("Basic")
            return await handler(request)

        return authorize

    async def _mint(self, request: web.Request) -> web.Response:
        try:
            wanted = await body_of(request, TokenRequest)
            reference = reference_of(wanted.reference)
            shown = email_of(reference)
            subscriber = self._store.subscriber(reference) or self._store.add_subscriber(reference, shown)
        except (BadBodyError, AddressError) as problem:
            return _refused(422, str(problem))
        lifetime_s = None if wanted.expire_at is None else max(1, wanted.expire_at - int(self._now()))
        return self._issued(subscriber, _allowed(wanted.scope), wanted.fingerprint[:64], lifetime_s)

    async def _refresh(self, request: web.Request) -> web.Response:
        try:
            wanted = await body_of(request, RefreshRequest)
            subscriber, scope, fingerprint = self._tokens.check_refresh_token(wanted.refresh_token)
        except (BadBodyError, TokenError) as problem:
            return _refused(422, str(problem))
        return self._issued(subscriber, scope, fingerprint, None)

    def _issued(
        self, subscriber: Subscriber, scope: list[str], fingerprint: str, lifetime_s: int | None
    ) -> web.Response:
        token, expires_at = self._tokens.issue(subscriber, lifetime_s=lifetime_s, scope=scope, fingerprint=fingerprint)
        body = {
            "subscriber_id": subscriber.id,
            "token": token,
            "refresh_token": self._tokens.refresh_token(subscriber, scope=scope, fingerprint=fingerprint),
            "expires_at": expires_at,
        }
        return web.json_response(body, status=201)

    def _is_the_project(self, request: web.Request) -> bool:
        scheme, _, encoded = request.headers.get(hdrs.AUTHORIZATION, "").partition(" ")
        try:
            given = base64.b64decode(encoded, validate=True)
        except (binascii.Error, ValueError):
            return False
        wanted = f"{self._tokens.project_id}:{self._api_token}".encode()
        return scheme.lower() == "basic" and hmac.compare_digest(given, wanted)

    async def _device_token(self, request: web.Request, grant: Grant, _token: str) -> web.Response:
        if REFRESH_SCOPE not in grant.scope:
            return _refused(403, f"The token lacks the scope {REFRESH_SCOPE}; get one that has it.")
        left_s = int(grant.expires_at - self._now())
        return await self._bind(request, grant, DEVICE_TOKEN_PATH, jkt=grant.jkt or grant.fingerprint, longest_s=left_s)

    async def _device_refresh(self, request: web.Request, grant: Grant, token: str) -> web.Response:
        if not grant.jkt:
            return unauthorized()
        return await self._bind(request, grant, DEVICE_REFRESH_PATH, jkt=grant.jkt, access_token=token)

    async def _bind(
        self,
        request: web.Request,
        grant: Grant,
        path: str,
        *,
        jkt: str,
        access_token: str = "",
        longest_s: int | None = None,
    ) -> web.Response:
        """Answer with a token that is bound to the key of the request's proof, and lasts `longest_s` at most."""
        try:
            wanted = await body_of(request, DeviceTokenRequest)
            proved = self._tokens.proofs.http(
                wanted.dpop_token,
                owner=grant.subscriber.id,
                method="POST",
                path=path,
                jkt=jkt,
                access_token=access_token,
            )
        except BadBodyError as problem:
            return _refused(422, str(problem))
        except TokenError:
            return unauthorized()
        wanted_s = wanted.expire_in or DEVICE_TOKEN_LIFETIME_S
        lifetime_s = max(1, wanted_s if longest_s is None else min(wanted_s, longest_s))
        token, expires_at = self._tokens.issue(grant.subscriber, lifetime_s=lifetime_s, scope=grant.scope, jkt=proved)
        return web.json_response({"token": token, "expires_at": expires_at})

    async def _nothing(self, request: web.Request) -> web.StreamResponse:
        if self._is_the_project(request):
            return await _not_found(request)
        return await self._authorized(lambda request, _grant, _token: _not_found(request))(request)


def bearer(request: web.Request) -> str:
    """Return the Bearer token of a request; empty when there is none."""
    scheme, _, token = request.headers.get(hdrs.AUTHORIZATION, "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" and token.isascii() else ""


def unauthorized(scheme: str = "Bearer") -> web.Response:
    """Return an empty 401 answer."""
    return web.Response(status=401, headers={hdrs.WWW_AUTHENTICATE: scheme})


def _refused(status: int, sentence: str) -> web.Response:
    return web.json_response({"error": sentence}, status=status)


async def _not_found(request: web.Request) -> web.Response:
    return _refused(404, f"There is no {request.method[:16]} {request.path[:200]} here; check the path and the method.")


def _allowed(scope: str | list[str]) -> list[str]:
    scope = scope.split() if isinstance(scope, str) else scope
    return [REFRESH_SCOPE] if REFRESH_SCOPE in scope else []


def _number(text: str | None, default: int, most: int, *, least: int = 1) -> int:
    if text is None or not text.isdecimal() or len(text) > 9:
        return default
    return max(least, min(most, int(text)))


def _listed(address: Address) -> dict[str, Any]:
    channels = {channel: f"{address.name}?channel={channel}" for channel in ("audio", "video")}
    return {
        "id": address.id,
        "name": address.name,
        "display_name": address.display_name,
        "type": address.kind,
        "kind": address.member_kind,  # beyond the protocol: by this, and by no name, a page knows a door
        "resource_id": address.resource_id,
        "channels": channels,
        "locked": False,
        "created_at": address.created_at,
    }
