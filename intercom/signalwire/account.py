"""Who we are to the service: the credential, its renewal, where it is good for, and what resumes a session."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine
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
from intercom.signalwire.errors import SignalWireError, StorageError, TokenRefreshError
from intercom.signalwire.link import Link
from intercom.signalwire.options import Options
from intercom.signalwire.session_events import Authenticated, Resume
from intercom.signalwire.storage import Storage

logger = logging.getLogger(__name__)

# The reference client's: early enough for a slow owner's server, late enough not to waste a token.
REFRESH_BEFORE_EXPIRY_S = 5.0
REFRESH_TRIES = 5
REFRESH_FIRST_DELAY_S = 1.0
REFRESH_LONGEST_DELAY_S = 30.0
# How often the wall clock is asked again: a Pi's jumps by years when the network first tells it the time.
LOOK_AGAIN_S = 30.0
RESUME_KEY = "sw:resume"


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
        self._provider = provider
        self._options = options
        self._storage = storage
        self._wall_clock = wall_clock
        self._credential: Credential | None = None
        self._link: Link | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._watch: asyncio.Task[None] | None = None

    def attach(self, link: Link) -> None:
        """Serve this link."""
        self._link = link
        link.resume_changed.stream.subscribe(lambda resume: self._spawn(self._keep_resume(resume)))
        link.authenticated.stream.subscribe(self._authenticated)

    # -- what the link asks ----------------------------------------------------------------------------

    async def token(self, *, fresh: bool) -> str:
        """A SAT; `fresh`: the last one was refused."""
        if fresh or self._credential is None or self._expired(self._credential):
            self._credential = await self._provider.authenticate()
        return self._credential.token

    async def proof(self, *, resuming: bool) -> str | None:
        """A DPoP proof for signalwire.connect, where one is needed."""
        return None

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

    # -- renewal ---------------------------------------------------------------------------------------

    async def reauthenticate(self) -> None:
        """Show the service a credential again, a fresh one if there is one."""
        self._credential = await self._provider.authenticate()
        await self._present(self._credential)

    async def _present(self, credential: Credential) -> None:
        assert self._link is not None
        result = self._link.session.result
        project = result.authorization.project_id if result else ""
        params = m.Reauthenticate(m.Authentication(credential.token, project), UNSET)
        await self._link.execute("signalwire.reauthenticate", params)

    def _authenticated(self, _: Authenticated) -> None:
        if self._watch is None:
            self._watch = asyncio.get_running_loop().create_task(self._keep_fresh())

    async def _keep_fresh(self) -> None:
        """Renew the credential shortly before it runs out, and when its provider has a newer one."""
        while True:
            await asyncio.sleep(self._pause_s())
            credential = self._credential
            if credential is None or self._link is None or not self._link.ready.value:
                continue
            changed = isinstance(self._provider, Changing) and self._provider.changed()
            if changed or self._due(credential):
                await self._renew(credential)

    async def _renew(self, old: Credential) -> None:
        delay_s = REFRESH_FIRST_DELAY_S
        for attempt in range(REFRESH_TRIES):
            try:
                new = await self._fresh_credential()
                if new != old:
                    await self._present(new)
                self._credential = new
            except SignalWireError as error:
                if attempt == REFRESH_TRIES - 1:
                    self._report(error)
                    return
                await asyncio.sleep(delay_s)
                delay_s = min(2 * delay_s, REFRESH_LONGEST_DELAY_S)
            else:
                return

    async def _fresh_credential(self) -> Credential:
        if isinstance(self._provider, Refreshing):
            return await self._provider.refresh()
        return await self._provider.authenticate()

    def _report(self, error: SignalWireError) -> None:
        failure = TokenRefreshError(f"The credential could not be renewed: {error} Trying again.")
        failure.__cause__ = error
        logger.warning("%s", failure)
        assert self._link is not None
        self._link.faults.emit(failure)

    def _pause_s(self) -> float:
        credential = self._credential
        if credential is None or credential.expires_at is None:
            return LOOK_AGAIN_S
        left_s = credential.expires_at - REFRESH_BEFORE_EXPIRY_S - self._wall_clock()
        # A clock that is years ahead must not make us renew without pause.
        return min(max(left_s, REFRESH_FIRST_DELAY_S), LOOK_AGAIN_S)

    def _due(self, credential: Credential) -> bool:
        expires_at = credential.expires_at
        return expires_at is not None and self._wall_clock() >= expires_at - REFRESH_BEFORE_EXPIRY_S

    def _expired(self, credential: Credential) -> bool:
        return credential.expires_at is not None and self._wall_clock() >= credential.expires_at

    # -- resuming --------------------------------------------------------------------------------------

    async def load_resume(self) -> Resume | None:
        """What resumes the last session, perhaps of another process; None when there is nothing good."""
        try:
            text = await self._storage.get(RESUME_KEY)
            return msgspec.json.decode(text, type=Resume) if text else None
        except (StorageError, msgspec.MsgspecError) as error:
            logger.warning("The last session cannot be resumed: %s", error)
            return None

    async def _keep_resume(self, resume: Resume | None) -> None:
        try:
            if resume is None:
                await self._storage.remove(RESUME_KEY)
            elif resume.protocol:
                await self._storage.set(RESUME_KEY, msgspec.json.encode(resume).decode())
        except StorageError as error:
            logger.warning("The session will not be resumed after a restart: %s", error)

    async def forget(self) -> None:
        """Forget the credential and what resumes the session."""
        self._stop_watch()
        self._credential = None
        await self._keep_resume(None)

    async def close(self) -> None:
        """Finish what is being stored."""
        self._stop_watch()
        await asyncio.gather(*self._tasks)

    def _stop_watch(self) -> None:
        if self._watch is not None:
            self._watch.cancel()
            self._watch = None

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
