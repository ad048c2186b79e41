"""Serves /api/space to stations and the door: pairing, tokens and the socket's address."""

from __future__ import annotations

import io
import logging
from collections.abc import Callable

import msgspec
import segno
from aiohttp import web

from intercom.space.auth.pairing import Invitation, PairingCodes
from intercom.space.auth.tokens import REFRESH_SCOPE, TokenAuthority
from intercom.space.errors import BadBodyError, ClaimedError, PairingError, TokenError
from intercom.space.http.bodies import body_of
from intercom.space.http.fabric_api import bearer, unauthorized
from intercom.space.http.request_filter import asker_of
from intercom.space.store.records import Subscriber
from intercom.space.store.store import Store

logger = logging.getLogger(__name__)


class PairRequest(msgspec.Struct, frozen=True):
    """Body of POST /api/space/pair."""

    code: str
    """The one-time code."""
    name: str = "Station"
    """The device's name."""


class TokenOptions(msgspec.Struct, frozen=True):
    """Body of POST /api/space/token; may be absent."""

    fingerprint: str = ""
    """Thumbprint of the device's key; set for a token that the device binds and refreshes (protocol §2)."""


class HouseApi:
    """Routes under /api/space.

    :param pinned: the PEM that a door trusts; None without TLS.
    :param trust_url: the page with which devices learn to trust the house; "" for none.
    :param group: the group that a paired station joins.
    :param invite: makes a resident's invitation for one more device, which opens the URL; "" for the usual one.
    """

    def __init__(
        self,
        store: Store,
        tokens: TokenAuthority,
        codes: PairingCodes,
        *,
        invite: Callable[[Subscriber, str], Invitation],
        pinned: Callable[[], str | None],
        trust_url: Callable[[], str],
        group: str,
    ) -> None:
        self._store = store
        self._tokens = tokens
        self._codes = codes
        self._invite = invite
        self._pinned = pinned
        self._trust_url = trust_url
        self._group = group

    def routes(self) -> list[web.RouteDef]:
        """Return the routes, for `Application.add_routes`."""
        return [
            web.get("/api/space/hello", self._hello),
            web.get("/api/space/trust", self._trust),
            web.post("/api/space/pair", self._pair),
            web.post("/api/space/pairing", self._pairing),
            web.post("/api/space/token", self._token),
        ]

    async def _hello(self, request: web.Request) -> web.Response:
        return web.json_response({"relay_url": asker_of(request).socket_url})

    async def _trust(self, _request: web.Request) -> web.Response:
        return web.json_response({"url": self._trust_url()})

    async def _pair(self, request: web.Request) -> web.Response:
        try:
            wanted = await body_of(request, PairRequest)
            code = self._codes.claim(wanted.code)
        except ClaimedError as problem:
            return web.json_response({"error": str(problem)}, status=409)
        except (BadBodyError, PairingError):
            return unauthorized()
        reference = self._store.free_reference(wanted.name)
        subscriber = self._store.add_subscriber(
            reference, wanted.name, groups=(self._group,), invited_by=code.invited_by
        )
        self._store.codes.claimed_by(code.code_hash, subscriber.id)
        secret = self._store.add_device(subscriber, wanted.name)
        logger.info("A station was paired as %s.", reference)
        address = f"/private/{reference}"
        return web.json_response({"device_secret": secret, "subscriber": reference, "address": address}, status=201)

    async def _pairing(self, request: web.Request) -> web.Response:
        try:
            inviter = self._store.owner_of(bearer(request))
        except TokenError:
            return unauthorized()
        if inviter.kind != "resident":
            logger.warning("%s asked for a pairing code and got none: it is no resident's device.", inviter.reference)
            return web.json_response({"error": "Only residents' devices invite others."}, status=403)
        asker = asker_of(request)
        try:
            invitation = self._invite(inviter, asker.url if asker.forwarded else "")
        except PairingError as problem:
            return web.json_response({"error": str(problem)}, status=409)
        logger.info("%s invites one more device.", inviter.reference)
        body = {
            "url": invitation.url,
            "code": invitation.code,
            "expires_at": int(invitation.expires_at),
            "qr": qr_svg(invitation.url),
        }
        return web.json_response(body, status=201)

    async def _token(self, request: web.Request) -> web.Response:
        try:
            subscriber = self._store.owner_of(bearer(request))
            self._store.proofs.seen(bearer(request))
        except TokenError:
            return unauthorized()
        try:
            options = await body_of(request, TokenOptions) if request.can_read_body else TokenOptions()
        except BadBodyError as problem:
            return web.json_response({"error": str(problem)}, status=422)
        scope = [REFRESH_SCOPE] if options.fingerprint else []
        token, expires_at = self._tokens.issue(subscriber, scope=scope, fingerprint=options.fingerprint[:64])
        body = {"token": token, "expires_at": expires_at}
        if subscriber.kind == "door":
            body["certificate"] = self._pinned()
        return web.json_response(body)


def qr_svg(url: str) -> str:
    """Return a QR code as an SVG document: black on white whatever the page's colours, with its quiet zone.

    Four modules of quiet zone and dark on light are what ISO/IEC 18004 asks for.
    """
    drawn = io.BytesIO()
    segno.make_qr(url, error="m").save(
        drawn, kind="svg", border=4, dark="#000", light="#fff", omitsize=True, xmldecl=False, nl=False
    )
    return drawn.getvalue().decode()
