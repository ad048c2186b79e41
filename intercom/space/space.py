"""Runs the embedded space: a house's own stand-in for the SignalWire service."""

from __future__ import annotations

import asyncio
import logging
import secrets
import sqlite3
import time
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from typing import Final

from aiohttp import web

from intercom.config import HistoryConfig, SpaceConfig
from intercom.netlink import NetworkWatch
from intercom.space.auth.credential import SpaceCredential
from intercom.space.auth.house_credentials import HouseCredentials
from intercom.space.auth.pairing import UNNAMED, Invitation, PairingCodes
from intercom.space.auth.tokens import TokenAuthority
from intercom.space.echo.echo import Echo
from intercom.space.errors import SpaceConfigError, StoreError
from intercom.space.http.application import application
from intercom.space.http.connection_limits import limits_of_this_process
from intercom.space.http.device_api import DeviceApi
from intercom.space.http.fabric_api import FabricApi
from intercom.space.http.listener import Listener
from intercom.space.http.message_api import MessageApi
from intercom.space.http.proxies import Proxies
from intercom.space.http.push_api import PushApi
from intercom.space.http.request_filter import Guard
from intercom.space.http.sockets import Sockets
from intercom.space.http.station_api import HouseApi
from intercom.space.http.trust_page import TrustPage
from intercom.space.http.viewer_api import ViewerApi
from intercom.space.http.visitors_api import VisitorsApi
from intercom.space.location import Location, refuse_clear
from intercom.space.messages.messages import Messages
from intercom.space.names import interface_addresses
from intercom.space.push.pushes import Pushes
from intercom.space.push.unfinished import Unfinished
from intercom.space.push.waker import Waker
from intercom.space.quiet.house_quiet import HouseQuiet
from intercom.space.store.records import Place, Subscriber
from intercom.space.store.store import DATABASE, Store
from intercom.space.switch.calls.call_snapshot import KeptCalls
from intercom.space.switch.exchange import Exchange
from intercom.space.tls.tls import Tls
from intercom.space.turn.companion import companion_of
from intercom.space.turn.coturn import TurnServer
from intercom.space.turn.ice_servers import IceServers
from intercom.space.turn.keeper import TurnKeeper
from intercom.space.viewers.watching import Watching
from intercom.space.visitors.visitors import VISITORS, Visitors
from intercom.tasks import bounded

logger = logging.getLogger(__name__)

STOP_LIMIT_S: Final = 1.0
"""Time limit for stopping."""
ADDRESSES_POLL_S: Final = 10.0
"""Poll interval of the machine's addresses where the kernel does not report changes."""
MEMBERS_CHECK_S: Final = 0.4
"""Interval at which the space checks whether a member was removed: it takes a few microseconds and writes nothing."""


class Space:
    """Serves the HTTP API, the socket and the station page on one port.

    :param config: the `[space]` table.
    :param history: what the visitors' list may keep; by default what the configuration's defaults say.
    :param state_dir: where the database and the certificate live.
    :param language: the house's language, for the pages that no script translates.
    :param turn: the TURN companion that clients are given, started and stopped by whoever made it; without one the
        server of `turn_url` is given.
    :param wall: the time of day, seconds since 1970.
    :param own_addresses: the machine's addresses now.
    Raises `StoreError` when the state directory cannot be used and `SpaceConfigError` when settings do not fit.
    """

    def __init__(
        self,
        config: SpaceConfig,
        state_dir: Path,
        *,
        history: HistoryConfig | None = None,
        language: str = "en",
        turn: TurnServer | None = None,
        wall: Callable[[], float] = time.time,
        own_addresses: Callable[[], Iterable[str]] = interface_addresses,
    ) -> None:
        self._config = config
        self._language = language
        self.location = Location(config, own_addresses=own_addresses)
        refuse_clear(self.location, config)
        self._proxies = Proxies(config.trusted_proxies, config.public_url)
        self._state_dir = state_dir
        self._wall = wall
        self._turn = turn
        self._companion = (
            companion_of(config, state_dir / "turn", own_addresses, on_change=self._changed) if turn is None else None
        )
        self.ice = IceServers(config, self._turn_server, wall=wall)
        self.tls = Tls(config, state_dir, self.location, on_change=self._certificate_changed)
        """The certificates that it shows."""
        trust_port = config.trust_port if self.location.port else 0
        wanted = bool(config.trust_port) and self.location.encrypted and not config.certificate
        self.trust_page = TrustPage(
            self.location,
            trust_port,
            wanted=lambda: wanted and self.tls.by_ca,
            ca=self.tls.authority,
            language=language,
        )
        """The page with which devices learn to trust the house."""
        self._listener: Listener | None = None
        self._addresses = NetworkWatch(self._follow_addresses, poll_s=ADDRESSES_POLL_S)
        self._addresses_told = True
        self._renewal: asyncio.Task[None] | None = None
        self._watch: asyncio.Task[None] | None = None
        self._relays: asyncio.Task[None] | None = None
        self.store = Store(state_dir / DATABASE, now=wall)
        self.store.add_group(config.group)
        self.credentials = HouseCredentials(
            self.store, urls=lambda: self.location.device_urls, pinned=lambda: self.tls.pinned
        )
        self.tokens = TokenAuthority(self.store, now=wall, lifetime_s=config.token_lifetime_s)
        self.api_token = self.store.value("api_token", lambda: secrets.token_urlsafe(32))
        """Password that mints tokens, with `tokens.project_id` as user name (HTTP Basic); a secret."""
        self.pushes = Pushes(self.store, config, wall=wall)
        "Pushes to the devices whose page is closed."
        self.codes = PairingCodes(self.store, now=wall)
        self.exchange = Exchange(self.tokens, self.store, ice_servers=self.ice.of, wall=wall)
        self.rings = self.exchange.control.bell.rings
        """The rings of the house; `rings.subscribe` tells a listener each change."""
        quiet = HouseQuiet(self.store.quiet, config, wall=wall)
        self.exchange.control.quiet.house, self.exchange.control.bell.manner = quiet, quiet.manner
        self._waker = Waker(self.store.subscriptions, self.pushes, Unfinished(state_dir / "pushed.json"), wall=wall)
        self.rings.subscribe(self._waker.changed)
        self.exchange.control.wakes = lambda call: self._waker.wakes(call.ring, proven=call.goes_on)
        self.sockets = Sockets(self.exchange, now=time.monotonic, joined=self._joined)
        self.watching = Watching(
            self.store.viewers, self.exchange.control.views, deliver=self.sockets.deliver, now=time.monotonic
        )
        self.visitors = Visitors(
            state_dir / VISITORS,
            history or HistoryConfig(),
            self.exchange.control,
            wall=wall,
            tell=self.sockets.tell_residents,
        )
        "The visitors' list."
        self.messages = Messages(
            state_dir,
            history or HistoryConfig(),
            store=self.store,
            pushes=self.pushes,
            visitors=self.visitors,
            group=config.group,
            tell=self.sockets.tell_residents,
            wall=wall,
        )
        self._kept_calls = KeptCalls(state_dir / "calls.json", self.exchange, wall=wall)
        self._keeper: asyncio.Task[None] | None = None
        self._echo = Echo(self.sockets, self.store, self.tokens)
        self.on_change: Callable[[], None] = lambda: None
        "Function called when `summary` may have changed."

    # -- where it is -----------------------------------------------------------------------------------------

    @property
    def url(self) -> str:
        """The space's URL, without a slash at the end; the port is the real one once it has started."""
        return self.location.url

    @property
    def relay_url(self) -> str:
        """The socket's URL."""
        return self.location.relay_url

    @property
    def port(self) -> int:
        """The port on which the space listens."""
        return self.location.port

    # -- life ------------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Start serving; returns when connections are accepted. Raises `SpaceConfigError` when the port is taken."""
        location = self.location
        if self._companion is not None:
            await self._companion.start()
        context = None
        if location.encrypted:
            context = self.tls.begin()
            location.follow()
            self._renewal = asyncio.create_task(self.tls.watch(), name="space certificate")
        listener = Listener(self._application(), limits=limits_of_this_process(), proxies=self._proxies)
        self.exchange.full = listener.full
        try:
            location.port = await listener.start(location.host, location.port, context)
        except OSError as problem:
            raise SpaceConfigError(
                f"The space cannot listen on {self._config.listen}: {problem.strerror or problem}. "
                "Give this machine that address, stop what uses the port, or choose others in [space] listen."
            ) from problem
        self._listener = listener
        await self.trust_page.follow()
        self._addresses.start()
        if restored := self._kept_calls.restore(self.store.subscriber_by_id, time.monotonic()):
            logger.info("Calls that go on from before the restart: %d.", restored)
        self.sockets.start()
        self._waker.start()
        self.visitors.start()
        self.messages.start()
        self._echo.start()
        self._tell_where()
        self._watch = asyncio.create_task(self._watch_members(), name="space members")
        if self._companion is not None or self._turn is not None:
            keeper = TurnKeeper(self._turn_server, self.sockets, now=time.monotonic)
            self._relays = asyncio.create_task(keeper.watch(), name="space relays")
        self._keeper = asyncio.create_task(self._kept_calls.watch(), name="space calls")
        self.credentials.write_again()
        logger.info("The space serves at %s.", self.location.public_url)

    @property
    def summary(self) -> str:
        """The space's state, in one line."""
        without_turn = f"; no TURN server: {self._companion.fault}" if self._companion and self._companion.fault else ""
        certificate = f"; {self.tls.trouble}" if self.tls.trouble else ""
        return f"serves at {self.location.public_url}{without_turn}{certificate}"

    def _changed(self) -> None:
        self.on_change()

    def _certificate_changed(self) -> None:
        self.credentials.write_again()
        self._tell_where()
        self.on_change()

    def stalled(self) -> str | None:
        """Return None: the space has no part that could stall unnoticed by its event loop."""
        return None

    async def wait_failed(self) -> None:
        """Wait until a task of the space fails that only a restart mends, and raise its error."""
        work: list[Awaitable[None]] = [
            task
            for task in (self._renewal, self._watch, self._relays, self._keeper, self.sockets.ticking)
            if task is not None
        ]
        if self._companion is not None:
            work.append(self._companion.wait_failed())
        await asyncio.gather(*work)

    async def stop(self) -> None:
        """Close all sockets and the port within a second; a second call does nothing."""
        listener, self._listener = self._listener, None
        if listener is not None:
            for task in (self._renewal, self._watch, self._relays, self._keeper):
                if task is not None:
                    task.cancel()
            self._kept_calls.save()
            self.watching.stop()
            try:
                async with asyncio.timeout(STOP_LIMIT_S):
                    await self.messages.stop()
                    await self._waker.stop()
                    await self.trust_page.stop()
                    await self._echo.stop()
                    await self.sockets.stop()
                    await listener.stop()
            except TimeoutError:
                logger.warning("The space stopped with connections still open; it breaks them off.")
                listener.abort()  # else the port would stay taken, and the next space could not have it
            await bounded("visitors' list", self.visitors.stop(), STOP_LIMIT_S)
        self._addresses.stop()
        if self._companion is not None:
            await self._companion.stop()
        self.store.close()

    def _application(self) -> web.Application:
        guard = Guard(
            lambda: self.location.names,
            self._proxies,
            only_proxied=self.location.only_proxied,
            embed_allowed=self._config.embed_allowed,
            now=time.monotonic,
        )
        fabric = FabricApi(self.store, self.tokens, api_token=self.api_token, now=self._wall)
        house = HouseApi(
            self.store,
            self.tokens,
            self.codes,
            invite=lambda resident, url: self.invite(url=url, maker=resident),
            pinned=lambda: self.tls.pinned,
            trust_url=lambda: self.trust_page.url,
            group=self._config.group,
        )
        push = PushApi(self.store, self.pushes, now=self._wall, online=self.exchange.online)
        renamed = self.exchange.control.bell.renamed
        device = DeviceApi(self.store, self.pushes, ring=self.sockets.try_out, renamed=renamed)
        visitors = VisitorsApi(self.store, self.visitors)
        messages = MessageApi(self.store, self.messages)
        viewers = ViewerApi(self.watching, self.store, joined=self._viewer_joined)
        apis = (fabric, house, push, device, visitors, messages, viewers)
        return application(guard, apis, self.sockets, language=self._language)

    def _viewer_joined(self, request: web.Request, name: str) -> None:
        if self._listener is not None:
            self._listener.joined(request, f"viewer {name}")

    def _joined(self, request: web.Request, subscriber_id: str) -> None:
        if self._listener is not None:
            self._listener.joined(request, subscriber_id)
        self.store.proofs.registered(subscriber_id)
        try:
            self._use_up_codes()
        except StoreError as problem:
            logger.warning("A pairing code cannot be used up: %s. Trying again.", problem)

    def _use_up_codes(self) -> None:
        """Use up the codes whose devices got all the way in: each has its name, and a session at its socket."""
        for subscriber_id in self.store.codes.claimants() & self.exchange.subscriber_ids():
            self.store.codes.use_up(subscriber_id)

    def _follow_addresses(self) -> None:
        """Apply the machine's current names and addresses to everything that uses them."""
        if self._companion is not None:
            self._companion.addresses_changed()
        if not self.location.follow():
            return
        logger.info("The addresses of this machine changed; the space serves at %s.", self.location.public_url)
        self._addresses_told = False
        try:
            self._tell_addresses()
        except (OSError, sqlite3.Error) as problem:  # StoreError among them
            logger.warning("The new addresses of this machine cannot be written down: %s. Trying again.", problem)
        self.on_change()

    def _tell_addresses(self) -> None:
        self.tls.follow()
        self.credentials.write_again()
        self._tell_where()
        self._addresses_told = True

    def _tell_where(self) -> None:
        location = self.location
        self.tokens.channel_host = f"puc.{location.public_host}:{location.port}"
        self.store.serve_at(Place(location.public_url, location.host, location.port))
        self.store.trusted_at(self.trust_page.url)

    async def _watch_members(self) -> None:
        changed = False
        while True:
            await asyncio.sleep(MEMBERS_CHECK_S)
            try:
                changed = self.store.changed_elsewhere() or changed
                if changed:
                    self.watching.end_removed()
                    self._expel_removed()
                    changed = False
                self._use_up_codes()
                if not self._addresses_told:
                    self._tell_addresses()
                if await self.trust_page.follow():
                    self.store.trusted_at(self.trust_page.url)
            except (sqlite3.OperationalError, OSError) as problem:
                logger.debug("The database is busy, or a file cannot be written; looking again: %s", problem)

    def _expel_removed(self) -> None:
        for subscriber_id in self.exchange.subscriber_ids() | self.exchange.control.alarms.doors():
            if self.store.subscriber_by_id(subscriber_id) is None:
                self.sockets.expel(subscriber_id)
                logger.info("A subscriber was removed; its sockets are closed.")
        self.credentials.write_again()  # the house's own door gets a new secret; its old one stays worthless

    # -- who belongs to it -----------------------------------------------------------------------------------

    def invite(self, *, name: str = UNNAMED, url: str = "", maker: Subscriber | None = None) -> Invitation:
        """Return an owner's or resident's invitation, good once and for ten minutes, to `url` or the usual address."""
        return self.codes.invite(url or self.location.public_url, name=name, maker=maker)

    def enrol(self, reference: str, display_name: str) -> SpaceCredential:
        """Return a new credential for one device of the subscriber `reference`, made as a door if new."""
        return self.credentials.enrol(reference, display_name)

    def write_credential(self, reference: str, path: Path, *, display_name: str = "", for_group: bool = False) -> None:
        """Write a valid credential of `reference` to this file, and keep it so (mode 0600, or 0640 `for_group`)."""
        self.credentials.write(reference, path, display_name=display_name, for_group=for_group)

    def credential_of(
        self, reference: str, found: SpaceCredential | None, *, display_name: str = ""
    ) -> SpaceCredential:
        """Return a valid credential of `reference`: with the secret of the found one, if still valid."""
        return self.credentials.of(reference, found, display_name=display_name)

    def _turn_server(self) -> TurnServer | None:
        return self._companion.server if self._companion is not None else self._turn
