"""What the space remembers: its members, their addresses and devices, its pairing codes, where it was served."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["door", "resident", "app"]
"""What a member is to the house: a door station; a phone or tablet; something in the space itself, as the echo."""


@dataclass(frozen=True, slots=True)
class Subscriber:
    """Somebody, or something, that can register."""

    id: str
    "A random hexadecimal id; the SAT's subject."
    reference: str
    "Its name in addresses, such as door."
    display_name: str
    "What people read."
    kind: Kind = "resident"
    "What it is, as the space decided when it joined; no client can say so of itself."


@dataclass(frozen=True, slots=True)
class Address:
    """Something that can be dialled (protocol §2)."""

    id: str
    "A random hexadecimal id."
    name: str
    "What is dialled, such as /private/house."
    display_name: str
    "What people read."
    kind: Literal["app", "call", "room", "subscriber"]
    "What answers there."
    resource_id: str
    "The subscriber's or group's id."
    created_at: str
    "ISO 8601, UTC."
    member_kind: Kind | Literal[""] = ""
    "What the subscriber there is; empty for a group."


@dataclass(frozen=True, slots=True)
class Device:
    """A subscriber that can sign in: a door, or a phone or tablet of the house."""

    reference: str
    "Its name in addresses, such as kitchen-tablet."
    name: str
    "What people read."
    address: str
    "What is dialled, such as /private/kitchen-tablet."
    paired_at: str
    "ISO 8601, UTC."
    seen_on: str
    "The day on which it last asked for a token, ISO 8601, by this machine's calendar; empty when it never did."
    kind: Kind
    "What it is."
    invited_by: str
    "The name in addresses of the device that invited it; empty when the owner did."


@dataclass(frozen=True, slots=True)
class CodeLimits:
    """How many pairing codes are open at once."""

    one_maker: int
    "Of one device, or of the owner."
    devices: int
    "Of all devices together; the owner's do not count."


@dataclass(frozen=True, slots=True)
class CodeUsed:
    """A pairing code that let somebody in."""

    invited_by: str
    "The reference of the device that made it; empty when the owner did."


@dataclass(frozen=True, slots=True)
class Place:
    """Where the space was last served."""

    url: str
    "What people open, without a slash at the end."
    host: str
    "The address it listens on."
    port: int
    "And the port."
