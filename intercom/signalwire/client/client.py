"""The client: a program's entry point for everything that it does as a SignalWire subscriber."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

from reactivex import Observable

from intercom.netlink import NetworkWatch
from intercom.signalwire.account.account import Account
from intercom.signalwire.account.credentials import CredentialProvider
from intercom.signalwire.account.directory import Address, Directory, User
from intercom.signalwire.account.registration import Registration
from intercom.signalwire.call.view import WebRTCCall
from intercom.signalwire.client.calls import ClientSession
from intercom.signalwire.client.device_members import DeviceMembers
from intercom.signalwire.client.devices import Devices
from intercom.signalwire.client.diagnostics import Diagnostics
from intercom.signalwire.client.resume_store import ResumeStore
from intercom.signalwire.client.tools_members import ToolsMembers
from intercom.signalwire.errors import NotConnectedError, SignalWireError
from intercom.signalwire.link.link import Link
from intercom.signalwire.media import MediaProvider
from intercom.signalwire.observable import Happenings, Value, task_failed
from intercom.signalwire.options import Options
from intercom.signalwire.preferences import ClientPreferences
from intercom.signalwire.storage import MemoryStorage, Storage
from intercom.signalwire.wire.events import Authenticated
from intercom.tasks import TaskSet

logger = logging.getLogger(__name__)


class SignalWire(DeviceMembers, ToolsMembers):
    """The client of one SignalWire subscriber.

    ``async with SignalWire(credentials, media=media) as client: await client.register()``
    """

    def __init__(
        self,
        credentials: CredentialProvider,
        *,
        media: MediaProvider,
        storage: Storage | None = None,
        options: Options | None = None,
    ) -> None:
        self._options = options or Options()
        self._storage: Storage = storage or MemoryStorage()
        self._account = Account(credentials, self._options, self._storage)
        self._link = Link(
            self._account,
            agent=self._options.agent,
            connector=self._options.connector,
            random=self._options.random,
            longest_delay_s=self._options.longest_delay_s,
        )
        self._network = NetworkWatch(self._network_changed)
        self._account.attach(self._link)
        self._resume_store = ResumeStore(self._storage)
        self._directory: Value[Directory | None] = Value(None)
        self._registration = Registration(self._link, self._account.reauthenticate)
        self.preferences = ClientPreferences()
        self._diagnostics = Diagnostics(self._options.agent)
        self._session = ClientSession(
            self._link,
            media,
            self.preferences,
            self._resume_store,
            take_up_calls=self._options.take_up_calls,
        )
        self._devices = Devices(media, self._storage)
        self._destroyed: Happenings[None] = Happenings()
        self._is_destroyed = False
        self._background = TaskSet(task_failed)
        self._link.ready.stream.subscribe(self._connection_changed)
        self._link.authenticated.stream.subscribe(self._authenticated)
        self._observe()
        self._link.resume_changed.stream.subscribe(self._resume_store.keep_resume)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.destroy()

    # -- the connection --------------------------------------------------------------------------------

    async def connect(self) -> None:
        """Connect and authenticate; from then on the client stays connected by itself.

        Raises `AuthenticationError` or `InvalidCredentialsError` when the service refuses the credential, and
        `TimeoutError` after `Options.connect_timeout_s`; the client is then disconnected.
        """
        await self._start()
        try:
            async with asyncio.timeout(self._options.connect_timeout_s):
                await self._link.wait_ready()
        except (TimeoutError, SignalWireError):
            await self._link.stop()
            raise

    async def disconnect(self) -> None:
        """End every call and the connection, and forget the resume state; connect() starts anew."""
        self._registration.wanted = False
        await self._session.hang_up_all()
        await self._link.stop()
        self._link.forget()
        self._account.forget()
        await self._resume_store.flush()

    async def destroy(self) -> None:
        """End all calls and the connection for good. A later client may resume the session."""
        if self._is_destroyed:
            return
        self._is_destroyed = True
        self._registration.wanted = False
        await self._session.hang_up_all()
        await self._link.stop()
        await self._background.stop()
        self._network.stop()
        await self._devices.close()
        self._account.close()
        await self._resume_store.flush()
        self._destroyed.emit(None)
        self._destroyed.complete()

    async def register(self) -> None:
        """Register for inbound calls, which then appear in `session.incoming_calls`.

        Connects if need be, waits until authenticated, registers; if that fails, reauthenticates and tries once
        more; if that fails too, raises `InvalidCredentialsError`, caused by the second failure. After every
        reconnect the client registers again by itself.
        """
        await self._start()
        await self._registration.register()

    def renew(self) -> None:
        """Reconnect even if the connection looks healthy; registration and calls resume."""
        self._link.renew()

    async def wait_ended(self) -> None:
        """Wait until the client gives up the connection; raises the error that ended it, unless the program did."""
        await self._link.wait_ended()

    async def unregister(self) -> None:
        """Stop inbound calls; the connection stays."""
        await self._registration.unregister()

    async def dial(
        self,
        destination: str | Address,
        *,
        audio: bool = True,
        video: bool = True,
        user_variables: Mapping[str, Any] | None = None,
    ) -> WebRTCCall:
        """Call an address, a number or a SIP URI; returns when the service has the call.

        `user_variables` reach the far end. Raises `CallError`, whose `cause` says why there is no call, and
        `NotConnectedError` before connect().
        """
        if not self._link.running:
            raise NotConnectedError("dial() needs a connection; call connect() or register() first.")
        address = destination.default_channel if isinstance(destination, Address) else destination
        return await self._session.dial(address, audio=audio, video=video, user_variables=user_variables)

    @property
    def session(self) -> ClientSession:
        """The session: its calls, and the service's events."""
        return self._session

    # -- what can be watched ---------------------------------------------------------------------------

    @property
    def is_connected(self) -> bool:
        """Whether the client is connected and authenticated."""
        return self._link.ready.value

    @property
    def why_not_connected(self) -> str:
        """Reason why the last attempt to connect failed, in a sentence; "" while connected, or without a failure."""
        return self._link.why_down

    @property
    def is_connected_stream(self) -> Observable[bool]:
        """Whether the client is connected and authenticated, now and at each change."""
        return self._link.ready.stream

    @property
    def overdue_s(self) -> float:
        """Time for which the connection's work has been overdue: 0 while the client is connected, or keeps trying."""
        return self._link.overdue_s()

    @property
    def ready(self) -> bool:
        """Whether calls can be made now: the client is connected and authenticated."""
        return self._link.ready.value

    @property
    def ready_stream(self) -> Observable[bool]:
        """Whether calls can be made, now and at each change."""
        return self._link.ready.stream

    @property
    def user(self) -> User | None:
        """The user; None until the service reports it."""
        return self._account.user.value

    @property
    def user_stream(self) -> Observable[User | None]:
        """The user, now and at each change."""
        return self._account.user.stream

    @property
    def directory(self) -> Directory | None:
        """The addresses that can be called; None before connect()."""
        return self._directory.value

    @property
    def directory_stream(self) -> Observable[Directory | None]:
        """The directory, now and when it is loaded."""
        return self._directory.stream

    @property
    def is_registered(self) -> bool:
        """Whether the client is registered for inbound calls."""
        return self._registration.registered.value

    @property
    def is_registered_stream(self) -> Observable[bool]:
        """Whether the client is registered for inbound calls, now and at each change."""
        return self._registration.registered.stream

    @property
    def errors_stream(self) -> Observable[SignalWireError]:
        """Errors that were not raised to a caller."""
        return self._link.faults.stream

    @property
    def warnings_stream(self) -> Observable[str]:
        """Harmless oddities, one sentence each."""
        return self._link.warnings.stream

    @property
    def destroyed_stream(self) -> Observable[None]:
        """One item when the client is destroyed, then the end."""
        return self._destroyed.stream

    # -- inside ----------------------------------------------------------------------------------------

    async def _start(self) -> None:
        if self._is_destroyed:
            raise NotConnectedError("The client is destroyed; make a new one.")
        if not self._link.running:
            self._link.session.resume, self._session.known_calls = await self._resume_store.load()
            self._directory.set(self._directory.value or Directory(self._account.get))
            if self._options.watch_network:
                self._network.start()
            self._link.start()

    def _observe(self) -> None:
        """Collect the diagnostics, and pass on the parts' errors and warnings."""
        note = self._diagnostics.note
        self._link.ready.stream.subscribe(lambda connected: note("connected" if connected else "disconnected"))
        self._registration.registered.stream.subscribe(lambda on: note("registered" if on else "unregistered"))
        self._link.faults.stream.subscribe(lambda error: note("error", type=type(error).__name__, message=str(error)))
        self._link.warnings.stream.subscribe(lambda warning: note("warning", message=warning))
        self._session.added.stream.subscribe(self._diagnostics.follow)
        self._devices.recovered.stream.subscribe(self._diagnostics.device)
        self._devices.faults.stream.subscribe(self._link.faults.emit)

    def _network_changed(self) -> None:
        self._link.network_changed()
        self._session.network_changed()

    def _connection_changed(self, connected: bool) -> None:
        if not connected:
            self._registration.lost()

    def _authenticated(self, _: Authenticated) -> None:
        self._background.spawn(self._settle())

    async def _settle(self) -> None:
        """Reauthenticate with a token bound to this device before registering; all else can wait."""
        if self._account.client_bound:
            await self._account.settle()
            await self._registration.restore()
        else:
            await self._registration.restore()
            await self._account.settle()
