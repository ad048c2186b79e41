"""Renews the subscriber's token shortly before it expires, or when its provider has a newer one."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

from intercom.signalwire.account.access_token import Credential
from intercom.signalwire.account.credentials import Changing, CredentialProvider, Refreshing, provider_asked
from intercom.signalwire.account.device_token import DeviceToken
from intercom.signalwire.errors import SignalWireError, TokenRefreshError

REFRESH_BEFORE_EXPIRY_S = 5.0
"""Time before expiry at which the credential is renewed (reference client): in time even for a slow owner's server."""
REFRESH_TRIES = 5
REFRESH_FIRST_DELAY_S = 1.0
REFRESH_LONGEST_DELAY_S = 30.0
LOOK_AGAIN_S = 30.0
"""Interval at which the wall clock is read again: a Pi's jumps by years when the network first sets it."""


class TokenRenewal:
    """Holds the token in use and renews it, by its provider or, once it is bound to this device, by the service."""

    def __init__(
        self,
        provider: CredentialProvider,
        *,
        authenticate: Callable[[], Awaitable[Credential]],
        present: Callable[[str], Awaitable[None]],
        random: Callable[[], float],
        wall_clock: Callable[[], float],
    ) -> None:
        """`authenticate` asks the provider for a credential; `present` shows a token to the service."""
        self.credential: Credential | None = None
        self.device: DeviceToken | None = None
        self._provider = provider
        self._authenticate = authenticate
        self._present = present
        self._random = random
        self._wall_clock = wall_clock
        self._was_bound = asyncio.Event()
        self._renew_again_at = 0.0

    @property
    def client_bound(self) -> bool:
        """Whether the token is bound to this device."""
        return self.device is not None and self.device.token is not None

    def expired(self, credential: Credential) -> bool:
        """Whether the credential has expired by the wall clock."""
        return credential.expires_at is not None and self._wall_clock() >= credential.expires_at

    def bound(self, device: DeviceToken) -> None:
        """Use the token that was bound to the device, and renew it in time."""
        self._take_token_of(device)
        self._was_bound.set()

    def forget(self) -> None:
        """Forget the token."""
        self.credential = None
        self.device = None

    async def pause(self) -> None:
        """Wait until it is time to look again whether the token is due."""
        self._was_bound.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self.pause_s()):
                await self._was_bound.wait()

    def pause_s(self) -> float:
        """Return the seconds until the token must be looked at."""
        if self.device is not None and self.client_bound:
            return min(self.device.pause_s(self._now()), LOOK_AGAIN_S)
        credential = self.credential
        if credential is None or credential.expires_at is None:
            return LOOK_AGAIN_S
        left_s = credential.expires_at - REFRESH_BEFORE_EXPIRY_S - self._wall_clock()
        # A clock that is years ahead, or an owner's server that fails, must not make us renew without pause.
        wait_s = self._renew_again_at - self._now() if left_s <= 0 else 0.0
        return min(max(left_s, wait_s, REFRESH_FIRST_DELAY_S), LOOK_AGAIN_S)

    async def renew_if_due(self) -> None:
        """Renew the token if it expires soon or its provider has a newer one; raises `TokenRefreshError`."""
        device, credential = self.device, self.credential
        if device is not None and self.client_bound:
            if device.pause_s(self._now()) <= REFRESH_FIRST_DELAY_S:
                await device.refresh(self._now, asyncio.sleep)
                self._take_token_of(device)
        elif credential is not None and (
            (self._due(credential) and self._now() >= self._renew_again_at) or self._changed()
        ):
            self._renew_again_at = self._now() + LOOK_AGAIN_S
            await self._renew(credential)
            if not self._due(self.credential or credential):
                self._renew_again_at = 0.0

    def _take_token_of(self, device: DeviceToken) -> None:
        """Use the device's token, unless a fresh credential arrived during the request."""
        if self.device is device and device.token is not None:
            self.credential = Credential(device.token)

    async def _renew(self, old: Credential) -> None:
        delay_s = REFRESH_FIRST_DELAY_S
        for attempt in range(REFRESH_TRIES):
            try:
                new = await self._fresh_credential()
                if new != old:
                    await self._present(new.token)
                self.credential = new
            except SignalWireError as error:
                if attempt == REFRESH_TRIES - 1:
                    raise TokenRefreshError(f"The credential could not be renewed: {error}") from error
                # Equal jitter: half fixed, half random.
                await asyncio.sleep(delay_s / 2 + delay_s / 2 * self._random())
                delay_s = min(2 * delay_s, REFRESH_LONGEST_DELAY_S)
            else:
                return

    async def _fresh_credential(self) -> Credential:
        if isinstance(self._provider, Refreshing):
            with provider_asked():
                return await self._provider.refresh()
        return await self._authenticate()

    def _changed(self) -> bool:
        with provider_asked():
            return isinstance(self._provider, Changing) and self._provider.changed()

    def _due(self, credential: Credential) -> bool:
        expires_at = credential.expires_at
        return expires_at is not None and self._wall_clock() >= expires_at - REFRESH_BEFORE_EXPIRY_S

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()
