"""Decide who may open the door: the one decision, which every way to open it passes. Pure: facts in, a ruling out."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from intercom.address import Address, Form, is_listed

ECHO_S = 1.5
"""Limit of an echo's delay: two mobile networks take 0.6 s, and a telephone's gateway some more."""

RESIDENTS = "residents"
"""Entry of `door.openers` and `call.auto_answer` for the devices that the space knows as a resident's."""


class Way(StrEnum):
    """Ways to ask for the door."""

    SIGNALLING = "signalling"
    """A key in the call, by verto.info."""
    EVENTS = "media"
    """A key in the call, by RFC 4733."""
    TONES = "tones"
    """A key in the call, heard in its sound."""
    BUTTON = "button"
    """The button on a page of the house, in the call: no keys, as the space vouches for the member who taps it."""
    CONTROL = "control"
    """A program on this machine, admitted by the control socket."""
    SSH = "ssh"
    """An SSH key, admitted by the gate: an operator's, for a viewer's may not ask."""
    EXIT = "exit"
    """The exit button, wired to the door station: whoever presses it is inside."""
    API = "api"
    """A program with a token of the HTTP API, whose role lets it open the door."""
    MQTT = "mqtt"
    """The broker of the house: Home Assistant, and whatever else may write there."""
    ONVIF = "onvif"
    """A recorder with an account of ONVIF."""


class Kind(StrEnum):
    """Kinds of far end, as far as the space vouches for them."""

    UNKNOWN = "unknown"
    RESIDENT = "resident"
    DOOR = "door"


class Code(StrEnum):
    """State of the keys pressed so far, compared with `door.open_digits`."""

    INCOMPLETE = "incomplete"
    WRONG = "wrong"
    RIGHT = "right"


class Ruling(StrEnum):
    """Rulings on a wish to open the door. The far end is told their values."""

    OPENS = "opens"
    NO_CALL = "no_call"
    """Nobody has answered yet."""
    NO_CODE = "no_code"
    """No keys are configured to open this door."""
    TONES_OFF = "tones_off"
    """The key was heard as a tone in the sound, where keys do not count."""
    ECHO = "echo"
    """The door itself sent this tone a moment ago: the key may be its echo."""
    INCOMPLETE = "incomplete"
    """The code lacks keys."""
    PUBLIC = "public"
    """A far end with an address of `/public` proves no identity."""
    A_DOOR = "a_door"
    """The far end is a door, and a door opens no other."""
    NOT_NAMED = "not_named"
    """The far end's address is not among `door.openers`."""
    DEAF = "deaf"
    """The door ignores keys after too many wrong codes."""
    TAMPERED = "tampered"
    """The door ignores keys because its box was opened: who sits in it may have listened to the code."""
    WRONG_CODE = "wrong_code"
    NOT_ADMITTED = "not_admitted"
    """The configuration lets no program open the door by this way."""


LOCAL = (Way.CONTROL, Way.SSH, Way.EXIT)
"""Ways of this machine's own users, whom the control socket's mode or the gate has admitted, and of who is inside."""
PROGRAMS = (Way.API, Way.MQTT, Way.ONVIF)
"""Ways of other systems of the house, which open the door only where the configuration says so."""

REFUSALS = (
    Ruling.ECHO,
    Ruling.PUBLIC,
    Ruling.A_DOOR,
    Ruling.NOT_NAMED,
    Ruling.DEAF,
    Ruling.TAMPERED,
    Ruling.WRONG_CODE,
    Ruling.NOT_ADMITTED,
)
"""Rulings that are told, counted and logged; the others are mostly keys not meant for the door."""


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """The configured rules of opening."""

    openers: tuple[str, ...]
    """Value of `door.openers`."""
    has_code: bool
    """Whether a code of keys opens the door."""
    hears_tones: bool
    """Whether keys that are heard in the sound count."""
    programs: frozenset[Way] = frozenset()
    """Those of `PROGRAMS` by which the configuration lets the door be opened."""


class KeyFacts(msgspec.Struct, frozen=True, kw_only=True):
    """The facts known when a key was pressed in a call."""

    address: Address
    """The far end's address."""
    kind: Kind = Kind.UNKNOWN
    outbound: bool
    """Whether the door called; otherwise the far end did, by whatever way it was answered."""
    answered: bool
    echo_s: float | None = None
    """Seconds since our own sound held this key's tones; None if it did not."""
    code: Code = Code.INCOMPLETE
    deaf: bool = False
    tampered: bool = False
    """Whether the door station's box is open, or was a short while ago."""


def may_open(way: Way, facts: KeyFacts | None, rules: Rules) -> Ruling:
    """Return the ruling on a wish to open the door by this way.

    Who comes by the control socket was let in by its mode, who comes by SSH by the gate, and who presses the exit
    button is inside; another system of the house has shown who it is to its integration. Everybody else types keys in
    a call, of which `facts` tell.
    """
    if way in LOCAL:
        return Ruling.OPENS
    if way in PROGRAMS:
        return Ruling.OPENS if way in rules.programs else Ruling.NOT_ADMITTED
    if facts is None or not facts.answered:
        return Ruling.NO_CALL
    if not rules.has_code:
        return Ruling.NO_CODE
    if way is Way.BUTTON:
        return _member(facts) or _who(facts, rules) or Ruling.OPENS
    return _key(way, facts, rules) or _who(facts, rules) or _code(facts)


def _member(facts: KeyFacts) -> Ruling | None:
    """Return why a tap does not count, or None: the space must vouch for a resident's device."""
    return None if facts.kind in (Kind.RESIDENT, Kind.DOOR) else Ruling.NOT_NAMED


def _key(way: Way, facts: KeyFacts, rules: Rules) -> Ruling | None:
    """Return why this key is to be ignored or is incomplete, or None."""
    if way is Way.TONES and not rules.hears_tones:
        return Ruling.TONES_OFF
    # An echo may come by any way: a line sends tones back, and a gateway turns them into events and messages.
    if facts.echo_s is not None and facts.echo_s <= ECHO_S:
        return Ruling.ECHO
    return Ruling.INCOMPLETE if facts.code is Code.INCOMPLETE else None


def _who(facts: KeyFacts, rules: Rules) -> Ruling | None:
    """Return why this far end may not open the door, or None, before its code counts, so as to reveal nothing of it."""
    if facts.address.form is Form.PUBLIC:
        return Ruling.PUBLIC
    if facts.kind is Kind.DOOR:
        return Ruling.A_DOOR
    if facts.kind is Kind.RESIDENT and RESIDENTS in rules.openers:
        return None
    # By default those whom the door rang may open it; a caller must be named, as a caller's number proves little.
    named = rules.openers if facts.outbound else tuple(entry for entry in rules.openers if entry != "*")
    return None if is_listed(facts.address, named) else Ruling.NOT_NAMED


def _code(facts: KeyFacts) -> Ruling:
    if facts.tampered:
        return Ruling.TAMPERED
    if facts.deaf:
        return Ruling.DEAF
    return Ruling.OPENS if facts.code is Code.RIGHT else Ruling.WRONG_CODE
