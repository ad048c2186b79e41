"""Obtains and renews the client-bound SAT, a token that only this device can use (protocol.md §2)."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from msgspec import Struct

from intercom.signalwire.account.dpop import DpopKey
from intercom.signalwire.errors import HttpError, SignalWireError, TokenRefreshError

logger = logging.getLogger(__name__)

OBTAIN_PATH = "/api/fabric/subscriber/devices/token"
REFRESH_PATH = "/api/fabric/subscriber/devices/refresh"
REFRESH_SCOPE = "sat:refresh"
"""Scope that a token needs to be bound to this device."""
LIFETIME_S = 900.0
"""Lifetime asked for a token (reference client), renewed half a minute before its end, in three tries."""
REFRESH_BEFORE_EXPIRY_S = 30.0
REFRESH_TRIES = 3
REFRESH_FIRST_DELAY_S = 1.0

Post = Callable[[str, dict[str, Any]], Awaitable[Any]]
Reauthenticate = Callable[[str], Awaitable[None]]


class _Answer(Struct, frozen=True):
    token: str
    expires_at: float | None = None
    expires_in: float | None = None


class DeviceToken:
    """Obtains a client-bound SAT, reauthenticates with it, and renews it.

    `post` does an HTTP call with the account's token; `reauthenticate` shows a token to the socket with a proof.
    """

    def __init__(
        self, key: DpopKey, post: Post, reauthenticate: Reauthenticate, wall_clock: Callable[[], float]
    ) -> None:
        self.token: str | None = None
        self._key = key
        self._post = post
        self._reauthenticate = reauthenticate
        self._wall_clock = wall_clock
        self._lifetime_s = LIFETIME_S
        self._expires_at = 0.0

    async def activate(self, now: float) -> None:
        """Bind the session to this device; a token that is still valid is used again. Raises `SignalWireError`."""
        if self.token is None or now >= self._expires_at - REFRESH_BEFORE_EXPIRY_S:
            body = {"dpop_token": self._key.http_proof("POST", OBTAIN_PATH), "expire_in": int(LIFETIME_S)}
            answer = self._read(await self._post(OBTAIN_PATH, body))
        else:
            await self._reauthenticate(self.token)
            return
        await self._reauthenticate(answer.token)
        self._take(answer, now)

    def pause_s(self, now: float) -> float:
        """Time until the token must be renewed, seconds."""
        return max(self._expires_at - REFRESH_BEFORE_EXPIRY_S - now, REFRESH_FIRST_DELAY_S)

    async def refresh(self, now: Callable[[], float], sleep: Callable[[float], Awaitable[None]]) -> None:
        """Renew the token; raises `TokenRefreshError` when every try fails."""
        delay_s = REFRESH_FIRST_DELAY_S
        for attempt in range(REFRESH_TRIES):
            try:
                await self._refresh(now())
            except SignalWireError as error:
                if attempt == REFRESH_TRIES - 1:
                    raise TokenRefreshError(f"The device's token could not be renewed: {error}") from error
                await sleep(delay_s)
                delay_s *= 2
            else:
                return

    async def _refresh(self, now: float) -> None:
        assert self.token is not None, "only what was activated is refreshed"
        proof = self._key.http_proof("POST", REFRESH_PATH, access_token=self.token)
        body = {"dpop_token": proof, "expire_in": int(self._lifetime_s)}
        answer = self._read(await self._post(REFRESH_PATH, body))
        await self._reauthenticate(answer.token)
        self._take(answer, now)

    def _take(self, answer: _Answer, now: float) -> None:
        if answer.expires_in is not None:
            self._lifetime_s = answer.expires_in
        elif answer.expires_at is not None:
            self._lifetime_s = max(answer.expires_at - self._wall_clock(), 1.0)
        self._expires_at = now + self._lifetime_s
        self.token = answer.token

    @staticmethod
    def _read(answer: Any) -> _Answer:
        try:
            return msgspec.convert(answer, _Answer, strict=False)
        except msgspec.MsgspecError as error:
            raise HttpError(f"The service gave no device token: {error}.") from error
