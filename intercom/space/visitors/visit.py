"""What is kept of a visitor, in plain data."""

from __future__ import annotations

from typing import Any, Literal

from msgspec import Struct, structs

from intercom.space.switch.rings.ring import How, Reply, Ring

State = Literal["ringing"] | How
"""How a visit stands: it rings, or it ended in one of the ways a ring ends."""


class Visit(Struct, frozen=True):
    """One press at a door, however many calls the door made for it."""

    ring: str
    """Id of the press's ring."""
    door: str
    """Display name of the door."""
    address: str
    """Address of the door."""
    button: str
    """Name of the door's button; empty for a door that has one."""
    began_at: float
    """Time of the press, seconds since 1970."""
    state: State = "ringing"
    """How it stands."""
    by: str = ""
    """Display name of whoever answered, refused or opened; empty for the visitor and for nobody."""
    opened_by: str = ""
    """Display name of whoever opened the door; empty if nobody did."""
    ended_at: float | None = None
    """Time of the end, seconds since 1970; None while it rings."""
    replies: tuple[Reply, ...] = ()
    """What the house had the door say to the visitor, the latest last."""


class Picture(Struct, frozen=True):
    """The picture of a press."""

    ring: str
    """Id of the press's ring."""
    jpeg: bytes
    """The picture."""


class LateVisit(Struct, frozen=True):
    """A visit of which the house may know already: else it heard of no call for it, only of its message or its end."""

    visit: Visit
    """The visit."""


Change = Visit | LateVisit | Picture
"""What is written down."""


class KeptVisit(Struct, frozen=True):
    """A visit as it is kept."""

    number: int
    """The visit's number; a later visit has a higher one, and no number is given twice."""
    version: int
    """Number of the latest change of the book that changed this visit."""
    pictured: bool
    """Whether a picture is kept."""
    visit: Visit
    """The visit."""


class Page(Struct, frozen=True):
    """Some visits, the newest first, and what a device has to know beside them."""

    visits: list[KeptVisit]
    """The visits."""
    total: int
    """How many are kept."""
    version: int
    """Number of the book's latest change."""
    missed: int
    """How many of the missed ones changed after the version that the device has shown."""


class Written(Struct, frozen=True):
    """What a write changed."""

    visits: list[KeptVisit]
    """The visits that are new or changed, as they are kept now."""
    gone: list[int]
    """Numbers of the visits that are kept no more."""
    forgotten: list[str] = []
    """Ids of the rings of those that were too old or too many."""


def visit_of(ring: Ring) -> Visit:
    """Return what is kept of a ring as it stands."""
    begun = Visit(ring.id, ring.door.name, ring.door.number, ring.button, ring.began_at)
    visit = structs.replace(begun, opened_by=ring.opened_by, replies=ring.replies)
    if ring.ending is None:
        return visit
    return structs.replace(visit, state=ring.ending.how, by=ring.ending.by, ended_at=ring.ending.at)


def described(kept: KeptVisit) -> dict[str, Any]:
    """Return a visit as the pages read it."""
    visit = kept.visit
    return {
        "id": kept.number,
        "version": kept.version,
        "ring": visit.ring,
        "door": {"name": visit.door, "address": visit.address},
        "button": visit.button,
        "began_at": visit.began_at,
        "state": visit.state,
        "by": visit.by,
        "opened_by": visit.opened_by,
        "ended_at": visit.ended_at,
        "replies": [{"text": reply.text, "by": reply.by} for reply in visit.replies],
        "picture": kept.pictured,
    }
