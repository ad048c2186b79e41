"""Finds out who asks: a program with a token of the house."""

from __future__ import annotations

import logging
from typing import Final

from aiohttp import hdrs, web

from intercom.integrations.api.problems import problem
from intercom.integrations.tokens import Token, TokenError, Tokens
from intercom.space.http.rate_limited_log import Seldom
from intercom.space.http.request_filter import Handler

logger = logging.getLogger(__name__)

_TOKEN: Final = web.RequestKey("token", Token)
_SCHEME: Final = "bearer "


class Gatekeeper:
    """Middleware that lets nobody without a token ask for anything."""

    def __init__(self, tokens: Tokens) -> None:
        self._tokens = tokens
        self._log = Seldom(logger)

    @web.middleware
    async def middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Answer 401 without a token; let `handler` answer all others."""
        try:
            token = self._token(request)
        except TokenError as error:
            self._log.warn("tokens", "Nobody can use the API: %s", error)
            return problem(503, "the door cannot read its tokens; its log says why")
        if token is None:
            said = "send a token: Authorization: Bearer TOKEN; `intercom api token add` makes one"
            return problem(401, said, {hdrs.WWW_AUTHENTICATE: 'Bearer realm="intercom"'})
        request[_TOKEN] = token
        return await handler(request)

    def _token(self, request: web.Request) -> Token | None:
        said = request.headers.get(hdrs.AUTHORIZATION, "")
        if not said.lower().startswith(_SCHEME):
            return None
        return self._tokens.find(said[len(_SCHEME) :].strip())

    def still_good(self, token: Token) -> bool:
        """Return whether a token has neither been removed nor come to its end meanwhile."""
        try:
            return self._tokens.is_good(token)
        except TokenError:
            return False


def token_of(request: web.Request) -> Token:
    """Return the token of a request that has passed the gatekeeper."""
    return request[_TOKEN]
