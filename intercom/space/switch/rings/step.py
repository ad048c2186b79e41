"""Reads what a door says of its ring with each call: the step of its plan, in the invite's user variables."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any, Final

from msgspec import Struct

from intercom.plain_text import plain
from intercom.space.store.records import Subscriber
from intercom.space.switch.address_book import AddressBook
from intercom.space.switch.calls.unreachable import unreachable

logger = logging.getLogger(__name__)

RING_ID_CHARS: Final = 64
"""Length limit of a door's name for a ring; a UUID has 36 characters."""
ALSO_LIMIT: Final = 15
"""Limit of addresses that a door rings beside the one that it dials."""
ADDRESS_CHARS: Final = 256
"""Length limit of such an address."""


class Step(Struct, frozen=True):
    """The step of a door's plan for which it calls; of a caller that is no door, nothing."""

    ring: str = ""
    """The door's name for the ring; empty if it gives none."""
    for_s: object = None
    """Time for which the door says that it rings."""
    also: tuple[str, ...] = ()
    """The addresses that ring at once with the one that is dialled."""
    one_device: bool = False
    """Whether somebody who declines does so for their device alone."""
    goes_on: bool = False
    """Whether another step follows if nobody answers."""


def step_of(caller: Subscriber, variables: Mapping[str, Any]) -> Step:
    """Return the step that a door names in its call; nobody else's call belongs to a plan."""
    told = variables.get("intercom") if caller.kind == "door" else None
    about = told if isinstance(told, dict) else {}
    ring, also = about.get("ring"), about.get("also")
    texts = [name[:ADDRESS_CHARS] for name in also if isinstance(name, str)] if isinstance(also, list) else []
    return Step(
        ring=plain(ring, RING_ID_CHARS) if isinstance(ring, str) else "",
        for_s=about.get("for_s"),
        also=tuple(name.partition("?")[0] for name in texts[:ALSO_LIMIT]),
        one_device=about.get("refused") == "device",
        goes_on=about.get("goes_on") is True,
    )


def members_at(addresses: AddressBook, number: str, step: Step) -> dict[str, frozenset[str]]:
    """Return the ids of the subscribers at each address that a call rings; raises `UnreachableError` if none is one."""
    found = {name: addresses.ringing_at(name) for name in (number, *step.also)}
    if missing := [name for name, ids in found.items() if ids is None]:
        if len(missing) == len(found):
            raise unreachable(number)
        logger.warning("A door rings %s, which nobody here has; the others ring.", plain(", ".join(missing), 256))
    return {name: frozenset(ids) for name, ids in found.items() if ids is not None}
