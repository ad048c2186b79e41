"""The client: builds and joins its parts, and connects, registers and ends them together."""

from __future__ import annotations

import asyncio
import logging

from intercom.netlink import NetworkWatch
from intercom.signalwire.account.account import Account
from intercom.signalwire.account.credentials import CredentialProvider
from intercom.signalwire.account.directory import Directory
from intercom.signalwire.account.registration import Registration
from intercom.signalwire.client.calls import Calls
from intercom.signalwire.client.devices import Devices
from intercom.signalwire.client.diagnostics import Diagnostics
from intercom.signalwire.client.resume_store import ResumeStore
from intercom.signalwire.client.session import ClientSession
from intercom.signalwire.client.tools import Tools
from intercom.signalwire.errors import NotConnectedError, SignalWireError
from intercom.signalwire.link.link import Link
from intercom.signalwire.media import MediaProvider, ObedientMedia
from intercom.signalwire.observable import Happenings, Value, task_failed
from intercom.signalwire.options import Options
from intercom.signalwire.preferences import ClientPreferences
from intercom.signalwire.storage import Storage
from intercom.signalwire.wire.agents import agent_of
from intercom.signalwire.wire.events import Authenticated
from intercom.tasks import TaskSet

logger = logging.getLogger(__name__)


class Client:
    """The client of one subscriber, and its parts; `SignalWire` shows it to the program."""

    def __init__(
        self, credentials: CredentialProvider, media: MediaProvider, storage: Storage, options: Options
    ) -> None:
        self._options = options
        self.account = Account(credentials, options, storage)
        self.link = Link(
            self.account,
            agent=agent_of(options.agent, obedient=_is_obedient(media), mutable=options.others_may_mute),
            connector=options.connector,
            random=options.random,
            longest_delay_s=options.longest_delay_s,
        )
        self.account.attach(self.link)
        self.directory: Value[Directory | None] = Value(None)
        """The addresses that can be called; None before `connect`."""
        self.registration = Registration(self.link, self.account.reauthenticate)
        self.preferences = ClientPreferences()
        self.resume_store = ResumeStore(storage)
        self.calls = Calls(
            self.link,
            media,
            self.preferences,
            self.resume_store,
            take_up_calls=options.take_up_calls,
            others_may_mute=options.others_may_mute,
        )
        self.session = ClientSession(self.calls)
        self.devices = Devices(media, storage, self.calls.set_sending)
        self._diagnostics = Diagnostics(options.agent)
        self.tools = Tools(
            storage,
            account=self.account,
            calls=self.calls,
            devices=self.devices,
            resume_store=self.resume_store,
            preferences=self.preferences,
            diagnostics=self._diagnostics,
        )
        self.destroyed: Happenings[None] = Happenings()
        self._is_destroyed = False
        self._network = NetworkWatch(self.network_changed)
        self._background = TaskSet(task_failed)
        self.link.ready.stream.subscribe(self._connection_changed)
        self.link.authenticated.stream.subscribe(self._authenticated)
        self._observe()
        self.link.resume_changed.stream.subscribe(self.resume_store.keep_resume)

    # -- the connection --------------------------------------------------------------------------------

    async def connect(self) -> None:
        """Connect and authenticate; see `SignalWire.connect`."""
        await self._start()
        try:
            async with asyncio.timeout(self._options.connect_timeout_s):
                await self.link.wait_ready()
        except (TimeoutError, SignalWireError):
            await self.link.stop()
            raise

    async def disconnect(self) -> None:
        """End every call and the connection, and forget the resume state; connect() starts anew."""
        self.registration.wanted = False
        await self.calls.hang_up_all()
        await self.link.stop()
        self.link.forget()
        self.account.forget()
        await self.resume_store.flush()

    async def destroy(self) -> None:
        """End all calls and the connection for good. A later client may resume the session."""
        if self._is_destroyed:
            return
        self._is_destroyed = True
        self.registration.wanted = False
        await self.calls.hang_up_all()
        await self.link.stop()
        await self._background.stop()
        self._network.stop()
        await self.devices.close()
        self.account.close()
        await self.resume_store.flush()
        self.destroyed.emit(None)
        self.destroyed.complete()

    async def register(self) -> None:
        """Register for inbound calls; see `SignalWire.register`."""
        await self._start()
        await self.registration.register()

    def network_changed(self) -> None:
        """Check the connection and the paths of calls at once: this machine's links or addresses changed."""
        self.link.network_changed()
        self.calls.network_changed()

    # -- inside ----------------------------------------------------------------------------------------

    async def _start(self) -> None:
        if self._is_destroyed:
            raise NotConnectedError("The client is destroyed; make a new one.")
        if not self.link.running:
            self.link.session.resume, self.calls.known_calls = await self.resume_store.load()
            self.directory.set(self.directory.value or Directory(self.account.get))
            if self._options.watch_network:
                self._network.start()
            self.link.start()

    def _observe(self) -> None:
        """Collect the diagnostics, and pass on the parts' errors and warnings."""
        note = self._diagnostics.note
        self.link.ready.stream.subscribe(lambda connected: note("connected" if connected else "disconnected"))
        self.registration.registered.stream.subscribe(lambda on: note("registered" if on else "unregistered"))
        self.link.faults.stream.subscribe(lambda error: note("error", type=type(error).__name__, message=str(error)))
        self.link.warnings.stream.subscribe(lambda warning: note("warning", message=warning))
        self.calls.added.stream.subscribe(self._diagnostics.follow)
        self.devices.recovered.stream.subscribe(self._diagnostics.device)
        self.devices.faults.stream.subscribe(self.link.faults.emit)

    def _connection_changed(self, connected: bool) -> None:
        if not connected:
            self.registration.lost()

    def _authenticated(self, _: Authenticated) -> None:
        self._background.spawn(self._settle())

    async def _settle(self) -> None:
        """Reauthenticate with a token bound to this device before registering; all else can wait."""
        if self.account.client_bound:
            await self.account.settle()
            await self.registration.restore()
        else:
            await self.registration.restore()
            await self.account.settle()


def _is_obedient(media: MediaProvider) -> bool:
    return isinstance(media, ObedientMedia) and media.carries_out
