"""Which device has which role, and why: configured, else remembered, else used before, else the best that is there."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

from intercom.devices.device import Device, Match, find

Role = Literal["microphone", "speaker", "camera"]
SOUND: Final[tuple[Role, Role]] = ("microphone", "speaker")
_OTHER: Final[Mapping[Role, Role]] = {"microphone": "speaker", "speaker": "microphone"}
_CARD: Final = re.compile(r"(?:CARD=|hw:(?!CARD=))([A-Za-z]\w*)")
"""The card's id in an ALSA name: `plughw:CARD=Device,DEV=0`, `hw:Device`."""


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the configuration names; "" leaves it to us."""

    microphone: str = ""
    """ALSA name."""
    speaker: str = ""
    """ALSA name."""
    camera: str = ""
    """Device file."""

    def of(self, role: Role) -> str:
        """What is wished for a role."""
        return str(getattr(self, role))


@dataclass(frozen=True, slots=True)
class Preferred:
    """The device that a role has whenever it is there."""

    device: Device
    """As it was when it was last used."""
    wish: str
    """What the configuration named then: another wish is another choice."""
    twin_ports: Sequence[str] = ()
    """Where its twins were seen while it was there itself: once it is away, they are not taken for it."""


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of former days."""

    preferred: Mapping[Role, Preferred] = field(default_factory=dict)
    """By role."""
    history: Sequence[Device] = ()
    """What was used before, the newest first."""

    def of(self, role: Role, wish: str) -> Device | None:
        """The preferred device of a role, if it was preferred under this wish."""
        preferred = self.preferred.get(role)
        return preferred.device if preferred is not None and preferred.wish == wish else None

    def find(self, role: Role, wish: str, among: Sequence[Device]) -> Match:
        """The preferred device of a role again."""
        device = self.of(role, wish)
        return Match(None) if device is None else find(device, among, self.preferred[role].twin_ports)


@dataclass(frozen=True, slots=True)
class Choice:
    """Who has a role."""

    device: Device | None
    """None when there is none, or when the configured name tells no device."""
    opens: str | None
    """The PCM or device file to open; None while there is nothing to open."""
    why: str
    """A clause for people: why this one, or what is missing."""
    ambiguous: bool = False
    """Whether another device fits as well."""
    is_stand_in: bool = False
    """Whether it is used only until the preferred one is back."""


def choose(cards: Sequence[Device], cameras: Sequence[Device], wishes: Wishes, known: Known) -> dict[Role, Choice]:
    """Give every role its device."""
    chosen: dict[Role, Choice] = {}
    for role in SOUND:
        choice = _by_name(role, cards, wishes, known) or _by_memory(role, cards, known)
        if choice is not None:
            chosen[role] = choice
    for role in SOUND:
        if role not in chosen:
            beside = chosen.get(_OTHER[role])
            chosen[role] = _best(role, cards, known, beside.device if beside else None)
    chosen["camera"] = _camera(cameras, wishes, known)
    return chosen


def _pcm(role: Role, card: Device) -> str | None:
    return card.pcm("capture" if role == "microphone" else "playback")


def _able(role: Role, cards: Sequence[Device]) -> list[Device]:
    return [card for card in cards if _pcm(role, card) is not None]


def _by_name(role: Role, cards: Sequence[Device], wishes: Wishes, known: Known) -> Choice | None:
    name = wishes.of(role)
    if not name:
        return None
    card_id = _CARD.search(name)
    if card_id is None:
        return Choice(None, name, f"{name}, as configured")
    card = next((card for card in cards if card.name == card_id[1]), None)
    before = known.of(role, name)
    match = known.find(role, name, _able(role, cards))
    if match.device is not None and not (match.ambiguous and card is not None):
        card = match.device  # what had this name may have come back under another, and a twin have taken its own
    if card is None:
        return Choice(None, None, f"{name} is configured and not plugged in")
    return Choice(
        card,
        name[: card_id.start(1)] + card.name + name[card_id.end(1) :],
        "as configured",
        is_stand_in=before is not None and (card != match.device or match.is_another),
    )


def _by_memory(role: Role, cards: Sequence[Device], known: Known) -> Choice | None:
    able = _able(role, cards)
    preferred = known.of(role, "")
    match = known.find(role, "", able)
    if match.device is not None:
        return Choice(
            match.device, _pcm(role, match.device), _recognised(match), match.ambiguous, is_stand_in=match.is_another
        )
    for before in known.history:
        match = find(before, able)
        if match.device is not None:
            return Choice(match.device, _pcm(role, match.device), "used before", match.ambiguous, preferred is not None)
    return None


def _recognised(match: Match) -> str:
    if match.ambiguous:
        return "one of several that could be the one chosen before"
    return "in the place of the one chosen before" if match.is_another else "chosen before"


LAST_RESORT: Final = 4
NEVER: Final = 5
"""A card that is made up, as a loopback: only the configuration may name it."""
GOOD_ENOUGH: Final = 2
"""What may stand in for a card that is away, and is remembered: a USB card, or one that also records. Nobody hears a
socket with nothing in it."""


def rank(card: Device) -> int:
    """How well a card suits a door, 0 the best: a speakerphone before a card that does half of it, HDMI last."""
    if card.kind in ("hdmi", "virtual"):
        return LAST_RESORT if card.kind == "hdmi" else NEVER
    return (0 if card.is_duplex else 2) + (0 if card.kind == "usb" else 1)


def _best(role: Role, cards: Sequence[Device], known: Known, beside: Device | None) -> Choice:
    away = known.of(role, "")
    able = [card for card in _able(role, cards) if rank(card) <= (GOOD_ENOUGH if away is not None else LAST_RESORT)]
    if not able:
        if away is not None:
            return Choice(None, None, f'"{away.label}" is not plugged in, and nothing else could stand in for it')
        return Choice(None, None, f"there is no sound card with a {role}: plug in a USB speakerphone")
    best = min(able, key=lambda card: (card != beside, rank(card), card.port, card.name))
    why = "the same card as the other direction" if best == beside else "the best that is plugged in"
    return Choice(best, _pcm(role, best), why, is_stand_in=away is not None)


def _camera(cameras: Sequence[Device], wishes: Wishes, known: Known) -> Choice:
    ribbon = next((camera for camera in cameras if camera.kind == "ribbon"), None)
    if ribbon is not None:
        return Choice(ribbon, ribbon.name, "on the ribbon cable")
    configured = next((camera for camera in cameras if camera.name == wishes.camera), None)
    match = known.find("camera", wishes.camera, cameras)
    if match.device is not None and not (match.ambiguous and configured is not None):
        return Choice(
            match.device, match.device.name, _recognised(match), match.ambiguous, is_stand_in=match.is_another
        )
    if configured is not None:
        return Choice(configured, configured.name, "as configured")
    return Choice(None, wishes.camera or None, f"there is no camera at {wishes.camera or 'any video device'}")
