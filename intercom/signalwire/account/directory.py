"""The user and the directory of addresses that can be called (protocol.md §2)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import quote

import msgspec
from msgspec import Struct, field

from intercom.signalwire.errors import HttpError
from intercom.signalwire.observable import Value
from intercom.signalwire.watched import Now, Stream


class Channels(Struct, frozen=True):
    """The names under which an address is called."""

    audio: str | None = None
    video: str | None = None
    messaging: str | None = None


class AddressState(Struct, frozen=True):
    """An address as the service describes it."""

    id: str
    name: str = ""
    display_name: str = ""
    type: str = ""
    """Type: "app", "call", "room" or "subscriber"."""
    channels: Channels = Channels()
    resource_id: str = ""
    locked: bool = False
    created_at: str = ""
    preview_url: str | None = None
    cover_url: str | None = None


class Address:
    """An address that can be called; the directory keeps it current."""

    def __init__(self, state: Value[AddressState]) -> None:
        self._state = state

    id: Now[AddressState, str] = Now(lambda state: state.id)
    name: Now[AddressState, str] = Now(lambda state: state.name)
    created_at: Now[AddressState, str] = Now(lambda state: state.created_at)
    display_name: Now[AddressState, str] = Now(lambda state: state.display_name)
    display_name_stream: Stream[AddressState, str] = Stream(lambda state: state.display_name)
    type: Now[AddressState, str] = Now(lambda state: state.type)
    type_stream: Stream[AddressState, str] = Stream(lambda state: state.type)
    channels: Now[AddressState, Channels] = Now(lambda state: state.channels)
    channels_stream: Stream[AddressState, Channels] = Stream(lambda state: state.channels)
    resource_id: Now[AddressState, str] = Now(lambda state: state.resource_id)
    resource_id_stream: Stream[AddressState, str] = Stream(lambda state: state.resource_id)
    locked: Now[AddressState, bool] = Now(lambda state: state.locked)
    locked_stream: Stream[AddressState, bool] = Stream(lambda state: state.locked)
    preview_url: Now[AddressState, str | None] = Now(lambda state: state.preview_url)
    preview_url_stream: Stream[AddressState, str | None] = Stream(lambda state: state.preview_url)
    cover_url: Now[AddressState, str | None] = Now(lambda state: state.cover_url)
    cover_url_stream: Stream[AddressState, str | None] = Stream(lambda state: state.cover_url)

    @property
    def default_channel(self) -> str:
        """The name to dial: the video channel if there is one, else the audio channel, else the address's name."""
        channels = self.channels
        name = self.name if self.name.startswith("/") else f"/public/{self.name}"
        return channels.video or channels.audio or name


class SatClaims(Struct, frozen=True):
    """The claims of our token."""

    scope: list[str] = field(default_factory=list)
    cnf: dict[str, Any] | None = None
    """{"jkt"}: the key that the token is bound to."""
    expires_at: float | None = None
    """Expiry time, seconds since 1970."""


class User(Struct, frozen=True):
    """The user (GET /api/fabric/subscriber/info)."""

    id: str
    email: str = ""
    first_name: str | None = None
    last_name: str | None = None
    display_name: str | None = None
    job_title: str | None = None
    time_zone: int | str | None = None
    country: str | None = None
    region: str | None = None
    company_name: str | None = None
    push_notification_key: str = ""
    app_settings: dict[str, Any] | None = None
    addresses: list[AddressState] = field(default_factory=list, name="fabric_addresses")
    """The addresses under which we can be called."""
    sat_claims: SatClaims | None = None


class _Links(Struct, frozen=True):
    next: str | None = None


class _Page(Struct, frozen=True):
    data: list[AddressState] = field(default_factory=list)
    links: _Links = _Links()


MAX_PAGES = 200
"""Limit of pages: at fifty addresses a page they hold ten thousand, so a service with more pages repeats itself."""
ADDRESSES_PATH = "/api/fabric/addresses?sort_by=name&sort_order=asc"

Get = Callable[[str], Awaitable[Any]]


class Directory:
    """The addresses that can be called, page by page; an address stays the same object when it changes."""

    def __init__(self, get: Get) -> None:
        self._get = get
        self._known: dict[str, Address] = {}
        self._states: dict[str, Value[AddressState]] = {}
        self._addresses: Value[tuple[Address, ...]] = Value(())
        self._next: str | None = ADDRESSES_PATH
        self.loading: Value[bool] = Value(False)

    addresses: Now[tuple[Address, ...], tuple[Address, ...]] = Now(lambda state: state)
    addresses_stream: Stream[tuple[Address, ...], tuple[Address, ...]] = Stream(lambda state: state)

    @property
    def _state(self) -> Value[tuple[Address, ...]]:
        return self._addresses

    @property
    def has_more(self) -> bool:
        """Whether `load_more` has another page to fetch."""
        return self._next is not None

    def get(self, address_id: str) -> Address | None:
        """Return a known address by its id."""
        return self._known.get(address_id)

    async def load_more(self) -> None:
        """Fetch the next page; raises `HttpError`."""
        if self._next is None:
            return
        self.loading.set(True)
        try:
            page = await self._page(self._next)
        finally:
            self.loading.set(False)
        self._take(page.data)
        self._next = _path_of(page.links.next)

    async def load_all(self) -> None:
        """Fetch all remaining pages."""
        for _ in range(MAX_PAGES):
            if not self.has_more:
                break
            await self.load_more()

    async def find(self, name: str) -> Address | None:
        """Return the address called `name`, from the known ones or else from the service; raises `HttpError`."""
        plain = name.partition("?")[0].rsplit("/", 1)[-1]
        for address in self._known.values():
            if address.name.rpartition("/")[2] == plain:
                return address
        found = (await self._page(f"/api/fabric/addresses?name={quote(plain, safe='')}")).data
        self._take(found)
        return self.get(found[0].id) if found else None

    async def _page(self, path: str) -> _Page:
        answer = await self._get(path)
        try:
            return msgspec.convert(answer, _Page, strict=False)
        except msgspec.MsgspecError as error:
            raise HttpError(f"{path} was answered with no addresses: {error}.") from error

    def _take(self, states: list[AddressState]) -> None:
        for state in states:
            known = self._states.get(state.id)
            if known is None:
                self._states[state.id] = Value(state)
                self._known[state.id] = Address(self._states[state.id])
            else:
                known.set(state)
        self._addresses.set(tuple(self._known.values()))


def _path_of(url: str | None) -> str | None:
    """Return a link's path: the next page comes from the same service, whatever host its link names."""
    if not url:
        return None
    path = url.partition("://")[2] or url
    return "/" + path.partition("/")[2] if "://" in url else path
