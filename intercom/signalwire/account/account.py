"""Holds the client's account: the credential and its renewal, the service's hosts, the user, and HTTP requests."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec
from msgspec import UNSET

from intercom.signalwire.account.credentials import (
    Changing,
    Credential,
    CredentialProvider,
    HostKnowing,
    Hosts,
    Refreshing,
    hosts_of,
)
from intercom.signalwire.account.device_token import REFRESH_SCOPE, DeviceToken
from intercom.signalwire.account.directory import User
from intercom.signalwire.account.dpop import DpopKey, load_key, make_key
from intercom.signalwire.errors import HttpError, SignalWireError, TokenRefreshError
from intercom.signalwire.link.link import Link
from intercom.signalwire.observable import Value, task_failed
from intercom.signalwire.options import Options
from intercom.signalwire.storage import Storage
from intercom.signalwire.wire import messages as m
from intercom.tasks import TaskSet

logger = logging.getLogger(__name__)

REFRESH_BEFORE_EXPIRY_S = 5.0
"""Time before expiry at which the credential is renewed (reference client): in time even for a slow owner's server."""
REFRESH_TRIES = 5
REFRESH_FIRST_DELAY_S = 1.0
REFRESH_LONGEST_DELAY_S = 30.0
LOOK_AGAIN_S = 30.0
"""Interval at which the wall clock is read again: a Pi's jumps by years when the network first sets it."""
USER_PATH = "/api/fabric/subscriber/info"


class Account:
    """Gives the link its token, proof and relay before each connection, and renews the credential meanwhile."""

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
        self._learning = asyncio.Lock()
        self._renew_again_at = 0.0
        self._reported = ""
        self._link: Link | None = None
        self._renewal = TaskSet(task_failed)

    def attach(self, link: Link) -> None:
        """Serve this link with tokens, proofs and relays."""
        self._link = link

    @property
    def client_bound(self) -> bool:
        """Whether the token is bound to this device."""
        return self._device is not None and self._device.token is not None

    # -- what the link asks ----------------------------------------------------------------------------

    async def token(self, *, fresh: bool) -> str:
        """Return a SAT; `fresh`: the service refused the last one."""
        if not self._key_loaded:
            self._key = await load_key(self.storage, self._wall_clock)
            if self._key is None and self._options.client_bound:
                self._key = await make_key(self.storage, self._wall_clock)
            self._key_loaded = True
        if fresh or self._credential is None or self._ran_out(self._credential):
            self._device = None
            self._credential = await self._authenticate()
        return self._credential.token

    async def proof(self, *, resuming: bool) -> str | None:
        """Return a DPoP proof for signalwire.connect if there is a key; none to resume an unbound session."""
        if self._key is None or (resuming and not self.client_bound):
            return None
        return await asyncio.to_thread(self._key.rpc_proof, "signalwire.connect")

    async def relay(self, token: str) -> tuple[str, str | None]:
        """Return the URL of the relay for `token`, and its pinned certificate if there is one."""
        hosts = self._hosts(token)
        return hosts.relay_url, hosts.certificate

    def _hosts(self, token: str) -> Hosts:
        with _provider_asked():
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
        """Send a GET to the HTTP API with our token; raises `HttpError`."""
        return await self._http("GET", path, None)

    async def post(self, path: str, body: Mapping[str, Any]) -> Any:
        """Send a POST to the HTTP API with our token; raises `HttpError`."""
        return await self._http("POST", path, body)

    async def _http(self, method: str, path: str, body: Mapping[str, Any] | None) -> Any:
        token = await self.token(fresh=False)
        hosts = self._hosts(token)
        url = hosts.api_url.rstrip("/") + path
        return await self._options.request_json(method, url, bearer=token, body=body, certificate=hosts.certificate)

    async def load_user(self) -> User:
        """Return the user, fetched once."""
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
        """After each authentication, load the user, bind the token to this device if its scope allows, and renew it.

        What fails is reported; the session works without.
        """
        if not self._renewal:
            self._renewal.spawn(self._keep_fresh())
        try:
            await self._learn()
        except SignalWireError as error:
            self._report(error)

    async def _learn(self) -> None:
        async with self._learning:
            await self.load_user()
            if self._should_bind:
                await self._bind()

    @property
    def _should_bind(self) -> bool:
        claims = self.user.value.sat_claims if self.user.value else None
        return self._options.client_bound and claims is not None and REFRESH_SCOPE in claims.scope

    async def _bind(self) -> None:
        assert self._key is not None, "whoever wants a bound token has a key since its first connection"
        if self._device is None:
            self._device = DeviceToken(self._key, self.post, self._present, self._wall_clock)
        device = self._device
        await device.activate(self._now())
        self._take_token_of(device)
        self._bound.set()

    def _take_token_of(self, device: DeviceToken) -> None:
        """Use the device's token, unless a fresh credential arrived during the request."""
        if self._device is device and device.token is not None:
            self._credential = Credential(device.token)

    async def reauthenticate(self) -> None:
        """Reauthenticate with a credential, a fresh one if there is one."""
        if self.client_bound and self._credential is not None:
            await self._present(self._credential.token)
            return
        credential = await self._authenticate()
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
        self._link.session.renewed(await self._link.requests.execute("signalwire.reauthenticate", params))

    # -- renewal ---------------------------------------------------------------------------------------

    async def _keep_fresh(self) -> None:
        """Renew the credential shortly before it expires, and when its provider has a newer one."""
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
        device = self._device
        if device is not None and self.client_bound:
            if device.pause_s(self._now()) <= REFRESH_FIRST_DELAY_S:
                await device.refresh(self._now, asyncio.sleep)
                self._take_token_of(device)
        elif (self._due(credential) and self._now() >= self._renew_again_at) or self._changed():
            self._renew_again_at = self._now() + LOOK_AGAIN_S
            await self._renew(credential)
            if not self._due(self._credential or credential):
                self._renew_again_at = 0.0
        if self.user.value is None or (self._should_bind and not self.client_bound):
            await self._learn()

    def _changed(self) -> bool:
        with _provider_asked():
            return isinstance(self._provider, Changing) and self._provider.changed()

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
            with _provider_asked():
                return await self._provider.refresh()
        return await self._authenticate()

    async def _authenticate(self) -> Credential:
        with _provider_asked():
            return await self._provider.authenticate(self._fingerprint)

    def _report(self, error: SignalWireError) -> None:
        level = logging.DEBUG if str(error) == self._reported else logging.WARNING
        self._reported = str(error)
        logger.log(level, "%s", error)
        assert self._link is not None
        self._link.faults.emit(error)

    def _pause_s(self) -> float:
        if self._device is not None and self.client_bound:
            return min(self._device.pause_s(self._now()), LOOK_AGAIN_S)
        credential = self._credential
        if credential is None or credential.expires_at is None:
            return LOOK_AGAIN_S
        left_s = credential.expires_at - REFRESH_BEFORE_EXPIRY_S - self._wall_clock()
        # A clock that is years ahead, or an owner's server that fails, must not make us renew without pause.
        wait_s = self._renew_again_at - self._now() if left_s <= 0 else 0.0
        return min(max(left_s, wait_s, REFRESH_FIRST_DELAY_S), LOOK_AGAIN_S)

    def _due(self, credential: Credential) -> bool:
        expires_at = credential.expires_at
        return expires_at is not None and self._wall_clock() >= expires_at - REFRESH_BEFORE_EXPIRY_S

    def _ran_out(self, credential: Credential) -> bool:
        return credential.expires_at is not None and self._wall_clock() >= credential.expires_at

    # -- the end ---------------------------------------------------------------------------------------

    def forget(self) -> None:
        """Forget the credential and the user."""
        self.close()
        self._credential = None
        self._device = None
        self.user.set(None)

    def close(self) -> None:
        """Stop renewing the credential."""
        self._renewal.cancel()

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()


@contextlib.contextmanager
def _provider_asked() -> Iterator[None]:
    """Turn each error of an owner's provider into one of ours; any but a refusal may be temporary."""
    try:
        yield
    except SignalWireError:
        raise
    except Exception as error:
        raise HttpError(f"The credential provider failed with {type(error).__name__}.") from error
