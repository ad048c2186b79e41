"""The space's records: its members, their addresses and devices, its pairing codes, and its last place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["door", "resident", "app"]
"""Kind of a member: a door station; a phone or tablet; or an application in the space itself, such as the echo."""


@dataclass(frozen=True, slots=True)
class Subscriber:
    """A person, a door or an application that can register."""

    id: str
    "A random hexadecimal id; the SAT's subject."
    reference: str
    "The subscriber's name in addresses, such as door."
    display_name: str
    "Display name, for people."
    kind: Kind = "resident"
    "The subscriber's kind, which the space sets when it joins; no client can claim one."


@dataclass(frozen=True, slots=True)
class Address:
    """An address that can be dialled (protocol §2)."""

    id: str
    "A random hexadecimal id."
    name: str
    "The name to dial, such as /private/house."
    display_name: str
    "Display name, for people."
    kind: Literal["app", "call", "room", "subscriber"]
    "The kind of target that answers at the address."
    resource_id: str
    "The subscriber's or group's id."
    created_at: str
    "Time of creation, ISO 8601, UTC."
    member_kind: Kind | Literal[""] = ""
    "The kind of the subscriber there; empty for a group."


@dataclass(frozen=True, slots=True)
class Device:
    """A subscriber that can sign in: a door, or a phone or tablet of the house."""

    reference: str
    "The device's name in addresses, such as kitchen-tablet."
    name: str
    "Display name, for people."
    address: str
    "The address to dial, such as /private/kitchen-tablet."
    paired_at: str
    "Time of pairing, ISO 8601, UTC."
    seen_on: str
    "The day of the device's last token request, ISO 8601, by this machine's calendar; empty when it made none."
    kind: Kind
    "The device's kind."
    invited_by: str
    "The name in addresses of the device that invited it; empty when the owner did."
    push: bool
    "Whether it has a push subscription, by which it rings while its page is closed."
    shown_at: float
    "Time at which it last said that it showed a push, seconds since 1970; 0 when it never did."
    push_trouble: str
    "What went wrong with the last push to it, in words; empty when nothing did."
    registered_on: str = ""
    "The day of its last registration over the socket, ISO 8601; empty when it never registered."
    rang_at: float = 0.0
    "Time at which its owner last confirmed that its open page rang, seconds since 1970; 0 for never."
    woken_at: float = 0.0
    "Time at which its owner last tapped a test that came while its page was closed, seconds since 1970; 0 for never."


@dataclass(frozen=True, slots=True)
class CodeLimits:
    """Limits of the pairing codes open at once."""

    one_maker: int
    "Limit for one device, or for the owner."
    devices: int
    "Limit for all devices together; the owner's codes do not count."


@dataclass(frozen=True, slots=True)
class CodeClaimed:
    """A pairing code that a device claims."""

    invited_by: str
    "The reference of the device that made it; empty when the owner did."
    code_hash: str
    "The code's hash."


@dataclass(frozen=True, slots=True)
class Place:
    """The URL and address at which the space was last served."""

    url: str
    "The URL that people open, without a slash at the end."
    host: str
    "The address on which the space listened."
    port: int
    "The port on which the space listened."
