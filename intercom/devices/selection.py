"""Chooses a device for each role and says why: configured, else remembered, else used before, else the best one."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final, Literal

import msgspec

from intercom.devices.device import Device, Match, find

Role = Literal["microphone", "speaker", "camera"]
SOUND: Final[tuple[Role, Role]] = ("microphone", "speaker")
_OTHER: Final[Mapping[Role, Role]] = {"microphone": "speaker", "speaker": "microphone"}
_CARD: Final = re.compile(r"(?:CARD=|hw:(?!CARD=))([A-Za-z]\w*)")
"""Pattern of the card's id in an ALSA name: `plughw:CARD=Device,DEV=0`, `hw:Device`."""


class Wishes(msgspec.Struct, frozen=True):
    """The configured devices; "" leaves the choice to us."""

    microphone: str = ""
    """ALSA name of the microphone."""
    speaker: str = ""
    """ALSA name of the speaker."""
    camera: str = ""
    """Device file of the camera."""

    def of(self, role: Role) -> str:
        """Return the configured name for a role."""
        return str(getattr(self, role))


class Preferred(msgspec.Struct, frozen=True):
    """The device that has a role whenever it is present."""

    device: Device
    """Device as it was when last used."""
    wish: str
    """Name configured at that time: with another name the preference does not count."""
    twin_ports: Sequence[str] = ()
    """Ports of its twins while it was present: when it is away, a device there is not taken for it."""


class Known(msgspec.Struct, frozen=True):
    """The devices remembered from earlier runs."""

    preferred: Mapping[Role, Preferred] = msgspec.field(default_factory=dict)
    """Preferred devices by role."""
    history: Sequence[Device] = ()
    """Devices used before, the newest first."""

    def of(self, role: Role, wish: str) -> Device | None:
        """Return the preferred device of a role, if it was preferred under this wish."""
        preferred = self.preferred.get(role)
        return preferred.device if preferred is not None and preferred.wish == wish else None

    def find(self, role: Role, wish: str, among: Sequence[Device]) -> Match:
        """Find the preferred device of a role among these."""
        device = self.of(role, wish)
        return Match(None) if device is None else find(device, among, self.preferred[role].twin_ports)


class Choice(msgspec.Struct, frozen=True):
    """The choice for one role."""

    device: Device | None
    """Chosen device; None when there is none, or when the configured name identifies none."""
    opens: str | None
    """PCM or device file to open; None while there is nothing to open."""
    why: str
    """Reason as a clause for people: why this device, or what is missing."""
    ambiguous: bool = False
    """Whether another device matches as well."""
    is_stand_in: bool = False
    """Whether the device serves only until the preferred one is back."""


def choose(cards: Sequence[Device], cameras: Sequence[Device], wishes: Wishes, known: Known) -> dict[Role, Choice]:
    """Choose a device for every role."""
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
"""Rank of HDMI cards, used only when nothing better is present."""
NEVER: Final = 5
"""Rank of virtual cards, as loopbacks: only the configuration may choose one."""
GOOD_ENOUGH: Final = 2
"""Limit of the rank of a card that may stand in for an absent one and be remembered: a USB card, or one that also
records. Behind an onboard output alone there may be no speaker."""


def rank(card: Device) -> int:
    """Return the card's rank, 0 the best: a speakerphone before a card that does half of it, HDMI last."""
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
