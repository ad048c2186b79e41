"""What the door knows of the quiet of its house: the space keeps it, and tells whenever it changes."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, Any, Final

import msgspec

from intercom.config import Config
from intercom.facts import Fact, QuietChanged, RegistrationChanged
from intercom.history.journal import Entry
from intercom.plain_text import plain
from intercom.signalwire import SignalWire
from intercom.signalwire.wire.messages import Event

logger = logging.getLogger(__name__)

QUIET: Final = "intercom.quiet"
NAME_CHARS: Final = 64
"""Length limit of a device's name."""
LATEST: Final = 253_402_300_799
"""Limit of a time, seconds since 1970: the end of the year 9999."""
NAMES_LIMIT: Final = 64
"""Limit of the quiet devices that are named."""


class Told(msgspec.Struct, frozen=True):
    """How quiet the house is, as the space tells it."""

    quiet: bool
    """Whether its bells are off now."""
    until: Annotated[float, msgspec.Meta(ge=0, le=LATEST)] | None = None
    """Time at which they sound again, seconds since 1970; None where nobody knows it yet."""
    begins: str = ""
    """Local time at which it is quiet every day; empty: at none."""
    ends: str = ""
    """Local time at which it rings again."""
    notify: bool = True
    """Whether a ring is shown without a sound."""


class SpaceSays(msgspec.Struct, frozen=True):
    """The space's event and answer."""

    house: Told
    devices: list[str] = []
    """Names of the devices that are quiet by their own wish."""


class HouseQuiet:
    """The quiet of the house, on the event loop. Subscribe `take` to the service, `hear` to the journal."""

    def __init__(self, config: Config, *, client: SignalWire, tell: Callable[[Fact], object]) -> None:
        self._in_space = config.account.credential == "space"
        self._client = client
        self._tell = tell
        self._said: SpaceSays | None = None

    def take(self, event: Event) -> None:
        """Take an event of the service; only those about quiet count, and only a space's."""
        if self._in_space and event.event_type == QUIET:
            self._heard(event.params)

    def _heard(self, params: object) -> None:
        try:
            said = msgspec.convert(params, SpaceSays)
        except msgspec.ValidationError as error:
            logger.info("Ignored what the space says of its quiet hours: %s", error)
            return
        if said != self._said:
            self._said = said
            self._tell(QuietChanged(said.house.quiet))

    def hear(self, entry: Entry) -> None:
        """Forget what the space said once it does not reach the door any more: it may have changed since."""
        if isinstance(entry.fact, RegistrationChanged) and not entry.fact.registered:
            self._said = None

    @property
    def is_quiet(self) -> bool:
        """Whether the bells of the house are off, as far as the door knows."""
        return self._said is not None and self._said.house.quiet

    async def order(self, *, quiet: bool, for_s: float | None, until: str) -> dict[str, Any] | None:
        """Make the house quiet, or let it ring; return how it is then. Raises SignalWireError."""
        wish = {"of": "house", "quiet": quiet, "for_s": for_s, "until": until}
        self._heard(await self._client.session.execute(QUIET, wish))
        return self.document

    @property
    def document(self) -> dict[str, Any] | None:
        """The quiet as part of the status; None while the door does not know it."""
        if self._said is None:
            return None
        house = self._said.house
        until = None if house.until is None else datetime.fromtimestamp(house.until, UTC)
        return {
            "house": house.quiet,
            "until": None if until is None else until.isoformat(timespec="seconds"),
            "notify": house.notify,
            "from": house.begins,
            "to": house.ends if house.begins else "",
            "devices": [plain(name, NAME_CHARS) for name in self._said.devices[:NAMES_LIMIT]],
        }
