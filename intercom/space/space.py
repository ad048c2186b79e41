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

from aiohttp import hdrs, web

from intercom.config import SpaceConfig
from intercom.netlink import NetworkWatch
from intercom.signalwire.wire.messages import IceServer
from intercom.space.auth.credential import SpaceCredential, read_credential
from intercom.space.auth.pairing import UNNAMED, Invitation, PairingCodes
from intercom.space.auth.tokens import TokenAuthority
from intercom.space.echo.echo import Echo
from intercom.space.errors import SpaceConfigError, StoreError, TokenError
from intercom.space.http.connection_limits import ConnectionLimits
from intercom.space.http.device_api import DeviceApi
from intercom.space.http.fabric_api import FabricApi
from intercom.space.http.listener import Listener
from intercom.space.http.proxies import Proxies
from intercom.space.http.push_api import PushApi
from intercom.space.http.request_filter import Guard
from intercom.space.http.sockets import Sockets
from intercom.space.http.station_api import HouseApi
from intercom.space.http.station_files import station_routes
from intercom.space.http.trust_page import TrustPage
from intercom.space.location import Location, turn_address
from intercom.space.names import interface_addresses
from intercom.space.push.pushes import Pushes
from intercom.space.push.unfinished import Unfinished
from intercom.space.push.waker import Waker
from intercom.space.store.records import Place, Subscriber
from intercom.space.store.store import DATABASE, Store
from intercom.space.switch.calls.call_snapshot import KeptCalls
from intercom.space.switch.calls.sdp import is_reference
from intercom.space.switch.exchange import Exchange
from intercom.space.tls.tls import Tls
from intercom.space.turn.companion import TurnCompanion
from intercom.space.turn.coturn import TurnServer
from intercom.space.turn.credentials import LIFETIME_S, ice_server, turn_secret
from intercom.space.turn.keeper import TurnKeeper

logger = logging.getLogger(__name__)

BODY_LIMIT_BYTES: Final = 16 * 1024
"""Size limit of an HTTP body; a token request with its proof has 2 kB."""
STOP_LIMIT_S: Final = 1.0
"""Time limit for stopping."""
ADDRESSES_POLL_S: Final = 10.0
"""Poll interval of the machine's addresses where the kernel does not report changes."""
MEMBERS_CHECK_S: Final = 0.4
"""Interval at which the space checks whether a member was removed: it takes a few microseconds and writes nothing."""


class Space:
    """Serves the HTTP API, the socket and the station page on one port.

    :param config: the `[space]` table.
    :param state_dir: where the database and the certificate live.
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
        turn: TurnServer | None = None,
        wall: Callable[[], float] = time.time,
        own_addresses: Callable[[], Iterable[str]] = interface_addresses,
    ) -> None:
        self._config = config
        self.location = Location(config, own_addresses=own_addresses)
        self._proxies = Proxies(config.trusted_proxies, config.public_url)
        self._only_proxied = not self.location.encrypted and not self.location.loopback
        if self._only_proxied and not config.trusted_proxies:
            raise SpaceConfigError(
                '[space] tls = "off" would send the secrets of the house over the network in clear: leave it out, or '
                "name the reverse proxy that encrypts in [space] trusted_proxies."
            )
        self._state_dir = state_dir
        self._wall = wall
        self._turn = turn
        self._companion: TurnCompanion | None = None
        if config.turn_listen and turn is None:
            turn_address(config.turn_listen, ())
            self._companion = TurnCompanion(
                state_dir / "turn",
                lambda: turn_address(config.turn_listen, own_addresses()),
                on_change=self._changed,
            )
        self._turn_secret = turn_secret(config)
        self.tls = Tls(config, state_dir, self.location, on_change=self._certificate_changed)
        """The certificates that it shows."""
        trust_port = config.trust_port if self.location.port else 0
        wanted = bool(config.trust_port) and self.location.encrypted and not config.certificate
        self.trust_page = TrustPage(
            self.location, trust_port, wanted=lambda: wanted and self.tls.by_ca, ca=self.tls.authority
        )
        """The page with which devices learn to trust the house."""
        self._credentials: dict[str, tuple[Path, str, bool]] = {}
        self._listener: Listener | None = None
        self._addresses = NetworkWatch(self._follow_addresses, poll_s=ADDRESSES_POLL_S)
        self._addresses_told = True
        self._renewal: asyncio.Task[None] | None = None
        self._watch: asyncio.Task[None] | None = None
        self._relays: asyncio.Task[None] | None = None
        self.store = Store(state_dir / DATABASE, now=wall)
        self.store.add_group(config.group)
        self.tokens = TokenAuthority(self.store, now=wall, lifetime_s=config.token_lifetime_s)
        self.api_token = self.store.value("api_token", lambda: secrets.token_urlsafe(32))
        """Password that mints tokens, with `tokens.project_id` as user name (HTTP Basic); a secret."""
        self.pushes = Pushes(self.store, config, wall=wall)
        "Pushes to the devices whose page is closed."
        self.codes = PairingCodes(self.store, now=wall)
        self.exchange = Exchange(self.tokens, self.store, ice_servers=self._ice_servers, wall=wall)
        self.rings = self.exchange.control.bell.rings
        """The rings of the house; `rings.subscribe` tells a listener each change."""
        kept_rings = Unfinished(state_dir / "pushed.json")
        self._waker = Waker(self.store.subscriptions, self.pushes, kept_rings, wall=wall)
        self.rings.subscribe(self._waker.changed)
        self.exchange.control.wakes = lambda call: self._waker.wakes(call.ring)
        self.sockets = Sockets(self.exchange, now=time.monotonic, joined=self._joined)
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
        listener = Listener(self._application(), limits=ConnectionLimits(), proxies=self._proxies)
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
        self._echo.start()
        self._tell_where()
        self._watch = asyncio.create_task(self._watch_members(), name="space members")
        if self._companion is not None or self._turn is not None:
            keeper = TurnKeeper(self._turn_server, self.sockets, now=time.monotonic)
            self._relays = asyncio.create_task(keeper.watch(), name="space relays")
        self._keeper = asyncio.create_task(self._kept_calls.watch(), name="space calls")
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
        self._write_credentials()
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
            try:
                async with asyncio.timeout(STOP_LIMIT_S):
                    await self._waker.stop()
                    await self.trust_page.stop()
                    await self._echo.stop()
                    await self.sockets.stop()
                    await listener.stop()
            except TimeoutError:
                logger.warning("The space stopped with connections still open.")
        self._addresses.stop()
        if self._companion is not None:
            await self._companion.stop()
        self.store.close()

    def _application(self) -> web.Application:
        guard = Guard(lambda: self.location.names, self._proxies, only_proxied=self._only_proxied, now=time.monotonic)
        app = web.Application(middlewares=[guard.middleware], client_max_size=BODY_LIMIT_BYTES)
        app.on_response_prepare.append(guard.add_headers)
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
        device = DeviceApi(
            self.store, self.pushes, ring=self.sockets.try_out, renamed=self.exchange.control.bell.renamed
        )
        routes = [*fabric.routes(), *house.routes(), *push.routes(), *device.routes()]
        app.add_routes([*routes, web.get("/", self._root), *station_routes()])
        return app

    async def _root(self, request: web.Request) -> web.StreamResponse:
        if request.headers.get(hdrs.UPGRADE, "").lower() == "websocket":
            return await self.sockets.serve(request)
        raise web.HTTPFound("station/")

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
        self._write_credentials()
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
        for subscriber_id in self.exchange.subscriber_ids():
            if self.store.subscriber_by_id(subscriber_id) is None:
                self.sockets.expel(subscriber_id)
                logger.info("A subscriber was removed; its sockets are closed.")
        self._write_credentials()  # the house's own door gets a new secret; its old one stays worthless

    def _write_credentials(self) -> None:
        for reference, (path, display_name, for_group) in self._credentials.items():
            self.write_credential(reference, path, display_name=display_name, for_group=for_group)

    # -- who belongs to it -----------------------------------------------------------------------------------

    def invite(self, *, name: str = UNNAMED, url: str = "", maker: Subscriber | None = None) -> Invitation:
        """Return an invitation to the house, valid once and for ten minutes; the owner or a resident makes it.

        It opens `url`, or else the space's usual address.
        """
        return self.codes.invite(url or self.location.public_url, name=name, maker=maker)

    def enrol(self, reference: str, display_name: str) -> SpaceCredential:
        """Return a new credential for one device of the subscriber `reference`, made as a door if new."""
        subscriber = self.store.add_subscriber(reference, display_name, kind="door")
        return self._credential(subscriber, self.store.add_device(subscriber, display_name))

    def write_credential(self, reference: str, path: Path, *, display_name: str = "", for_group: bool = False) -> None:
        """Write a valid credential of `reference` to the file `path` (mode 0600, or 0640 `for_group`).

        A secret in it that still holds is kept, and a file that says all of it already is not written.
        """
        credential = self.credential_of(reference, read_credential(path), display_name=display_name)
        credential.write(path, mode=0o640 if for_group else 0o600)
        self._credentials[reference] = (path, display_name, for_group)

    def credential_of(
        self, reference: str, found: SpaceCredential | None, *, display_name: str = ""
    ) -> SpaceCredential:
        """Return a valid credential of `reference`: with the secret of the found one, if still valid."""
        credential = None
        if found is not None and found.subscriber == reference:
            try:
                credential = self._credential(self.store.owner_of(found.device_secret), found.device_secret)
            except TokenError:
                credential = None
        if credential is None or credential.subscriber != reference:
            credential = self.enrol(reference, display_name or reference.capitalize())
        return credential

    def _credential(self, subscriber: Subscriber, secret: str) -> SpaceCredential:
        return SpaceCredential(*self.location.device_urls, subscriber.reference, secret, self.tls.pinned)

    def _turn_server(self) -> TurnServer | None:
        return self._companion.server if self._companion is not None else self._turn

    def _ice_servers(self, subscriber: Subscriber, agent: str) -> list[IceServer]:
        """Return a client's ICE servers; one that gets new passwords with each new token gets short-lived ones."""
        lifetime_s = LIFETIME_S if is_reference(agent) else min(LIFETIME_S, 2 * self._config.token_lifetime_s)
        turn = self._turn_server()
        if turn is not None:
            try:
                return [turn.ice_server(subscriber.id, self._wall(), lifetime_s)]
            except sqlite3.Error as problem:
                logger.warning("No password for the TURN server can be made: %s", problem)
                return []
        url = self._config.turn_url
        return [ice_server(url, self._turn_secret, subscriber.id, self._wall(), lifetime_s)] if url else []
