"""Holds the client's account: the service's hosts, the user, and HTTP requests; `token_renewal.py` renews its token."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from msgspec import UNSET

from intercom.signalwire.account.access_token import Credential, Hosts, hosts_of
from intercom.signalwire.account.credentials import CredentialProvider, HostKnowing, provider_asked
from intercom.signalwire.account.device_token import REFRESH_SCOPE, DeviceToken
from intercom.signalwire.account.directory import User
from intercom.signalwire.account.dpop import DpopKey, load_key, make_key
from intercom.signalwire.account.token_renewal import TokenRenewal
from intercom.signalwire.errors import HttpError, SignalWireError
from intercom.signalwire.link.link import Link
from intercom.signalwire.observable import Value, task_failed
from intercom.signalwire.options import Options
from intercom.signalwire.storage import Storage
from intercom.signalwire.wire import messages as m
from intercom.tasks import TaskSet

logger = logging.getLogger(__name__)

USER_PATH = "/api/fabric/subscriber/info"


class Account:
    """Gives the link its token, proof and relay before each connection, and keeps the token fresh meanwhile."""

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
        self._key: DpopKey | None = None
        self._key_loaded = False
        self._learning = asyncio.Lock()
        self._reported = ""
        self._link: Link | None = None
        self._renewal = TokenRenewal(
            provider,
            authenticate=self._authenticate,
            present=self._present,
            random=options.random,
            wall_clock=wall_clock,
        )
        self._tasks = TaskSet(task_failed)

    def attach(self, link: Link) -> None:
        """Serve this link with tokens, proofs and relays."""
        self._link = link

    @property
    def client_bound(self) -> bool:
        """Whether the token is bound to this device."""
        return self._renewal.client_bound

    # -- what the link asks ----------------------------------------------------------------------------

    async def token(self, *, fresh: bool) -> str:
        """Return a SAT; `fresh`: the service refused the last one."""
        if not self._key_loaded:
            self._key = await load_key(self.storage, self._wall_clock)
            if self._key is None and self._options.client_bound:
                self._key = await make_key(self.storage, self._wall_clock)
            self._key_loaded = True
        renewal = self._renewal
        if fresh or renewal.credential is None or renewal.expired(renewal.credential):
            renewal.device = None
            renewal.credential = await self._authenticate()
        return renewal.credential.token

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
        with provider_asked():
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
        if not self._tasks:
            self._tasks.spawn(self._keep_fresh())
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
        renewal = self._renewal
        if renewal.device is None:
            renewal.device = DeviceToken(self._key, self.post, self._present, self._wall_clock)
        device = renewal.device
        await device.activate(asyncio.get_running_loop().time())
        renewal.bound(device)

    async def reauthenticate(self) -> None:
        """Reauthenticate with a credential, a fresh one if there is one."""
        renewal = self._renewal
        if renewal.client_bound and renewal.credential is not None:
            await self._present(renewal.credential.token)
            return
        credential = await self._authenticate()
        await self._present(credential.token)
        renewal.credential = credential

    async def _present(self, token: str) -> None:
        assert self._link is not None
        result = self._link.session.result
        project = result.authorization.project_id if result else ""
        proof = None
        if self._key is not None:
            proof = await asyncio.to_thread(self._key.rpc_proof, "signalwire.reauthenticate")
        params = m.Reauthenticate(m.Authentication(token, project), proof or UNSET)
        self._link.session.renewed(await self._link.requests.execute("signalwire.reauthenticate", params))

    async def _keep_fresh(self) -> None:
        """Renew the token whenever it is due, and try again what settling missed."""
        while True:
            await self._renewal.pause()
            if self._link is None or not self._link.ready.value or self._renewal.credential is None:
                continue
            try:
                await self._renewal.renew_if_due()
                if self.user.value is None or (self._should_bind and not self.client_bound):
                    await self._learn()
            except SignalWireError as error:
                self._report(error)

    async def _authenticate(self) -> Credential:
        with provider_asked():
            return await self._provider.authenticate(self._fingerprint)

    def _report(self, error: SignalWireError) -> None:
        level = logging.DEBUG if str(error) == self._reported else logging.WARNING
        self._reported = str(error)
        logger.log(level, "%s", error)
        assert self._link is not None
        self._link.faults.emit(error)

    # -- the end ---------------------------------------------------------------------------------------

    def forget(self) -> None:
        """Forget the credential and the user."""
        self.close()
        self._renewal.forget()
        self.user.set(None)

    def close(self) -> None:
        """Stop renewing the credential."""
        self._tasks.cancel()
