"""Who we are to the service: the credential and its renewal, where it is good for, the user, and HTTP in its name."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from msgspec import UNSET

from intercom.signalwire import messages as m
from intercom.signalwire.credentials import (
    Changing,
    Credential,
    CredentialProvider,
    HostKnowing,
    Hosts,
    Refreshing,
    hosts_of,
)
from intercom.signalwire.device_token import REFRESH_SCOPE, DeviceToken
from intercom.signalwire.dpop import DpopKey, load_key, make_key
from intercom.signalwire.entities import User
from intercom.signalwire.errors import HttpError, SignalWireError, TokenRefreshError
from intercom.signalwire.link import Link
from intercom.signalwire.observable import Value
from intercom.signalwire.options import Options
from intercom.signalwire.storage import Storage

logger = logging.getLogger(__name__)

# The reference client's: early enough for a slow owner's server, late enough not to waste a token.
REFRESH_BEFORE_EXPIRY_S = 5.0
REFRESH_TRIES = 5
REFRESH_FIRST_DELAY_S = 1.0
REFRESH_LONGEST_DELAY_S = 30.0
# How often the wall clock is asked again: a Pi's jumps by years when the network first tells it the time.
LOOK_AGAIN_S = 30.0
USER_PATH = "/api/fabric/subscriber/info"


class Account:
    """Gives the link what it needs before each connection, and renews the credential while it stands."""

    def __init__(
        self,
        provider: CredentialProvider,
        options: Options,
        storage: Storage,
        *,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        self.user: Value[User | None] = Value(None)
        self.storage = storage
        self._provider = provider
        self._options = options
        self._wall_clock = wall_clock
        self._credential: Credential | None = None
        self._key: DpopKey | None = None
        self._key_loaded = False
        self._device: DeviceToken | None = None
        self._bound = asyncio.Event()
        self._link: Link | None = None
        self._watch: asyncio.Task[None] | None = None

    def attach(self, link: Link) -> None:
        """Serve this link."""
        self._link = link

    @property
    def client_bound(self) -> bool:
        """Whether our token is good for this device only."""
        return self._device is not None and self._device.token is not None

    # -- what the link asks ----------------------------------------------------------------------------

    async def token(self, *, fresh: bool) -> str:
        """A SAT; `fresh`: the last one was refused."""
        if not self._key_loaded:
            self._key = await load_key(self.storage, self._wall_clock)
            if self._key is None and self._options.client_bound:
                self._key = await make_key(self.storage, self._wall_clock)
            self._key_loaded = True
        if fresh or self._credential is None or self._ran_out(self._credential):
            self._device = None
            self._credential = await self._provider.authenticate(self._fingerprint)
        return self._credential.token

    async def proof(self, *, resuming: bool) -> str | None:
        """A DPoP proof for signalwire.connect: whenever there is a key, but for the resume of an unbound session."""
        if self._key is None or (resuming and not self.client_bound):
            return None
        return await asyncio.to_thread(self._key.rpc_proof, "signalwire.connect")

    async def relay(self, token: str) -> tuple[str, str | None]:
        """The URL of the relay that takes `token`, and its certificate if that is pinned."""
        hosts = self._hosts(token)
        return hosts.relay_url, hosts.certificate

    def _hosts(self, token: str) -> Hosts:
        known = self._provider.hosts if isinstance(self._provider, HostKnowing) else Hosts()
        by_token = hosts_of(token)
        return Hosts(
            self._options.relay_url or known.relay_url or by_token.relay_url,
            self._options.api_url or known.api_url or by_token.api_url,
            known.certificate,
        )

    @property
    def _fingerprint(self) -> str | None:
        return self._key.fingerprint if self._key else None

    # -- HTTP ------------------------------------------------------------------------------------------

    async def get(self, path: str) -> Any:
        """GET from the HTTP API, as us; raises `HttpError`."""
        return await self._http("GET", path, None)

    async def post(self, path: str, body: Mapping[str, Any]) -> Any:
        """POST to the HTTP API, as us; raises `HttpError`."""
        return await self._http("POST", path, body)

    async def _http(self, method: str, path: str, body: Mapping[str, Any] | None) -> Any:
        token = await self.token(fresh=False)
        hosts = self._hosts(token)
        url = hosts.api_url.rstrip("/") + path
        return await self._options.request_json(method, url, bearer=token, body=body, certificate=hosts.certificate)

    async def load_user(self) -> User:
        """Who we are; fetched once."""
        if self.user.value is None:
            answer = await self.get(USER_PATH)
            try:
                self.user.set(msgspec.convert(answer, User, strict=False))
            except msgspec.MsgspecError as error:
                raise HttpError(f"{USER_PATH} was answered with no user: {error}.") from error
        assert self.user.value is not None
        return self.user.value

    # -- the session that stands -----------------------------------------------------------------------

    async def settle(self) -> None:
        """After each authentication: learn who we are, bind the token to this device if it may be, keep it fresh.

        What fails is reported; the session works without.
        """
        if self._watch is None:
            self._watch = asyncio.get_running_loop().create_task(self._keep_fresh())
        try:
            await self._learn()
        except SignalWireError as error:
            self._report(error)

    async def _learn(self) -> None:
        user = await self.load_user()
        scope = user.sat_claims.scope if user.sat_claims else []
        if self._options.client_bound and REFRESH_SCOPE in scope:
            await self._bind()

    async def _bind(self) -> None:
        assert self._key is not None, "whoever wants a bound token has a key since its first connection"
        if self._device is None:
            self._device = DeviceToken(self._key, self.post, self._present, self._wall_clock)
        await self._device.activate(self._now())
        self._take_device_token()
        self._bound.set()

    def _take_device_token(self) -> None:
        assert self._device is not None
        assert self._device.token is not None
        self._credential = Credential(self._device.token)

    async def reauthenticate(self) -> None:
        """Show the service a credential again, a fresh one if there is one."""
        if self.client_bound and self._credential is not None:
            await self._present(self._credential.token)
            return
        credential = await self._provider.authenticate(self._fingerprint)
        await self._present(credential.token)
        self._credential = credential

    async def _present(self, token: str) -> None:
        assert self._link is not None
        result = self._link.session.result
        project = result.authorization.project_id if result else ""
        proof = None
        if self._key is not None:
            proof = await asyncio.to_thread(self._key.rpc_proof, "signalwire.reauthenticate")
        params = m.Reauthenticate(m.Authentication(token, project), proof or UNSET)
        await self._link.execute("signalwire.reauthenticate", params)

    # -- renewal ---------------------------------------------------------------------------------------

    async def _keep_fresh(self) -> None:
        """Renew the credential shortly before it runs out, and when its provider has a newer one."""
        while True:
            self._bound.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._pause_s()):
                    await self._bound.wait()
            if self._link is None or not self._link.ready.value or self._credential is None:
                continue
            try:
                await self._look(self._credential)
            except SignalWireError as error:
                self._report(error)

    async def _look(self, credential: Credential) -> None:
        if self.user.value is None:
            await self._learn()
        if self._device is not None and self.client_bound:
            if self._device.pause_s(self._now()) <= REFRESH_FIRST_DELAY_S:
                await self._device.refresh(self._now, asyncio.sleep)
                self._take_device_token()
        elif self._due(credential) or (isinstance(self._provider, Changing) and self._provider.changed()):
            await self._renew(credential)

    async def _renew(self, old: Credential) -> None:
        delay_s = REFRESH_FIRST_DELAY_S
        for attempt in range(REFRESH_TRIES):
            try:
                new = await self._fresh_credential()
                if new != old:
                    await self._present(new.token)
                self._credential = new
            except SignalWireError as error:
                if attempt == REFRESH_TRIES - 1:
                    raise TokenRefreshError(f"The credential could not be renewed: {error}") from error
                # Equal jitter: half fixed, half random.
                await asyncio.sleep(delay_s / 2 + delay_s / 2 * self._options.random())
                delay_s = min(2 * delay_s, REFRESH_LONGEST_DELAY_S)
            else:
                return

    async def _fresh_credential(self) -> Credential:
        if isinstance(self._provider, Refreshing):
            return await self._provider.refresh()
        return await self._provider.authenticate(self._fingerprint)

    def _report(self, error: SignalWireError) -> None:
        logger.warning("%s", error)
        assert self._link is not None
        self._link.faults.emit(error)

    def _pause_s(self) -> float:
        if self._device is not None and self.client_bound:
            return min(self._device.pause_s(self._now()), LOOK_AGAIN_S)
        credential = self._credential
        if credential is None or credential.expires_at is None:
            return LOOK_AGAIN_S
        left_s = credential.expires_at - REFRESH_BEFORE_EXPIRY_S - self._wall_clock()
        # A clock that is years ahead must not make us renew without pause.
        return min(max(left_s, REFRESH_FIRST_DELAY_S), LOOK_AGAIN_S)

    def _due(self, credential: Credential) -> bool:
        expires_at = credential.expires_at
        return expires_at is not None and self._wall_clock() >= expires_at - REFRESH_BEFORE_EXPIRY_S

    def _ran_out(self, credential: Credential) -> bool:
        return credential.expires_at is not None and self._wall_clock() >= credential.expires_at

    # -- the end ---------------------------------------------------------------------------------------

    def forget(self) -> None:
        """Forget the credential and who we are."""
        self.close()
        self._credential = None
        self._device = None
        self.user.set(None)

    def close(self) -> None:
        """Renew nothing any more."""
        if self._watch is not None:
            self._watch.cancel()
            self._watch = None

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()
