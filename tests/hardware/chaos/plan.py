"""What a chaos run does, drawn from its seed: the mishaps and the calls. Pure: the same seed gives the same plan."""

from __future__ import annotations

import enum
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tests.liars.broker import BrokerLie
from tests.liars.receiver import ReceiverLie
from tests.liars.viewers import ViewerLie

SOUND = frozenset({"microphone", "speaker"})
NETWORK = frozenset({"service", "media"})
OUTSIDE = frozenset({"mqtt", "webhooks"})
"""What nobody at the door notices: a call is as good as without it."""
NOTICED_S = 15.0
"""A connection that is swallowed is noticed after a pulse of 4 s that is not answered within 4 s, twice at worst."""
SEEN_S = 3.0
"""What is seen at once is in the log by then, also of a guest that has stood still for a moment."""


Lie = BrokerLie | ReceiverLie | ViewerLie
LIES_S = (3.0, 25.0)
_MQTT, _WEBHOOKS, _NOTHING = frozenset({"mqtt"}), frozenset({"webhooks"}), frozenset[str]()
_CABLE = NETWORK | OUTSIDE


class Kind(enum.Enum):
    """A kind of mishap. `causes`: faults that it may open; `must`: those that it opens when it lasts `noticed_s`.

    `lie`: what a liar does meanwhile. The broker's must open their fault, as each begins with a lost connection; a
    webhook's show only if something is to be told.
    """

    HEADSET_UNPLUGGED = ("headset unplugged", SOUND, SOUND, SEEN_S, (0.3, 12.0))
    HEADSET_FROZEN = ("headset frozen", SOUND, frozenset[str](), 0.0, (0.3, 6.0))
    HEADSET_LOOSE = ("headset loose: ten times in five seconds", SOUND, SOUND, 0.0, (5.0, 5.0))
    CAMERA_UNPLUGGED = ("camera unplugged", frozenset({"camera"}), frozenset[str](), 0.0, (1.0, 10.0))
    LINK_DOWN = ("link down", _CABLE, frozenset({"service"}), NOTICED_S, (0.5, 20.0))
    LINK_SWALLOWS = ("link swallows everything", _CABLE, frozenset({"service"}), NOTICED_S, (0.5, 20.0))
    LINK_LOSSY = ("link loses every twentieth packet", _CABLE, frozenset[str](), 0.0, (3.0, 10.0))
    ADDRESS_CHANGED = ("address changed", _CABLE, frozenset[str](), 0.0, (0.1, 0.1))
    SPACE_KILLED = ("space killed and started", NETWORK, frozenset({"service"}), SEEN_S, (0.2, 8.0))
    SPACE_STOPPED = ("space stopped (SIGSTOP)", NETWORK, frozenset({"service"}), NOTICED_S, (0.5, 16.0))
    BUTTON_MASHED = ("button mashed", frozenset[str](), frozenset[str](), 0.0, (0.5, 4.0))
    CLOCK_STEPPED = ("clock stepped", frozenset[str](), frozenset[str](), 0.0, (0.5, 10.0))
    BROKER_SILENT = ("broker", _MQTT, _MQTT, SEEN_S, LIES_S, BrokerLie.SILENT)
    BROKER_REFUSES = ("broker", _MQTT, _MQTT, SEEN_S, LIES_S, BrokerLie.REFUSES)
    BROKER_CLOSES = ("broker", _MQTT, _MQTT, SEEN_S, LIES_S, BrokerLie.CLOSES)
    BROKER_FLAPS = ("broker", _MQTT, _MQTT, SEEN_S, LIES_S, BrokerLie.FLAPS)
    BROKER_RUBBISH = ("broker", _MQTT, _MQTT, SEEN_S, LIES_S, BrokerLie.RUBBISH)
    BROKER_HUGE = ("broker", _MQTT, _MQTT, SEEN_S, LIES_S, BrokerLie.HUGE)
    BROKER_FLOODS = ("broker", _MQTT, _MQTT, SEEN_S, LIES_S, BrokerLie.FLOODS)
    BROKER_PESTERS = ("broker", _MQTT, _MQTT, SEEN_S, LIES_S, BrokerLie.PESTERS)
    BROKER_DEAF = ("broker", _MQTT, _MQTT, SEEN_S, LIES_S, BrokerLie.DEAF)
    WEBHOOK_HANGS = ("webhook", _WEBHOOKS, _NOTHING, 0.0, LIES_S, ReceiverLie.HANGS)
    WEBHOOK_FAILS = ("webhook", _WEBHOOKS, _NOTHING, 0.0, LIES_S, ReceiverLie.FAILS)
    WEBHOOK_ALTERNATES = ("webhook", _WEBHOOKS, _NOTHING, 0.0, LIES_S, ReceiverLie.ALTERNATES)
    WEBHOOK_CLOSES = ("webhook", _WEBHOOKS, _NOTHING, 0.0, LIES_S, ReceiverLie.CLOSES)
    WEBHOOK_DRIPS = ("webhook", _WEBHOOKS, _NOTHING, 0.0, LIES_S, ReceiverLie.DRIPS)
    WEBHOOK_REDIRECTS = ("webhook", _WEBHOOKS, _NOTHING, 0.0, LIES_S, ReceiverLie.REDIRECTS)
    WEBHOOK_DEAF = ("webhook", _WEBHOOKS, _NOTHING, 0.0, LIES_S, ReceiverLie.DEAF)
    WEBHOOK_BABBLES = ("webhook", _WEBHOOKS, _NOTHING, 0.0, LIES_S, ReceiverLie.BABBLES)
    WEBHOOK_PROMISES = ("webhook", _WEBHOOKS, _NOTHING, 0.0, LIES_S, ReceiverLie.PROMISES)
    WEBHOOK_TALKS = ("webhook", _WEBHOOKS, _NOTHING, 0.0, LIES_S, ReceiverLie.TALKS)
    WEBHOOK_RUBBISH = ("webhook", _WEBHOOKS, _NOTHING, 0.0, LIES_S, ReceiverLie.RUBBISH)
    RTSP_VANISHES = ("viewer", _NOTHING, _NOTHING, 0.0, LIES_S, ViewerLie.RTSP_VANISHES)
    RTSP_DEAF = ("viewer", _NOTHING, _NOTHING, 0.0, LIES_S, ViewerLie.RTSP_DEAF)
    RTSP_RUBBISH = ("viewer", _NOTHING, _NOTHING, 0.0, LIES_S, ViewerLie.RTSP_RUBBISH)
    RTSP_HURRIES = ("viewer", _NOTHING, _NOTHING, 0.0, LIES_S, ViewerLie.RTSP_HURRIES)
    WHEP_ABSENT = ("viewer", _NOTHING, _NOTHING, 0.0, LIES_S, ViewerLie.WHEP_ABSENT)
    WHEP_VANISHES = ("viewer", _NOTHING, _NOTHING, 0.0, LIES_S, ViewerLie.WHEP_VANISHES)
    WHEP_DEAF = ("viewer", _NOTHING, _NOTHING, 0.0, LIES_S, ViewerLie.WHEP_DEAF)
    WHEP_SDP = ("viewer", _NOTHING, _NOTHING, 0.0, LIES_S, ViewerLie.WHEP_SDP)
    WHEP_RTCP = ("viewer", _NOTHING, _NOTHING, 0.0, LIES_S, ViewerLie.WHEP_RTCP)
    WHEP_HURRIES = ("viewer", _NOTHING, _NOTHING, 0.0, LIES_S, ViewerLie.WHEP_HURRIES)

    def __init__(
        self,
        words: str,
        causes: frozenset[str],
        must: frozenset[str],
        noticed_s: float,
        lasts_s: tuple[float, float],
        lie: Lie | None = None,
    ) -> None:
        self.words = words if lie is None else f"{words} {lie}"
        self.lie = lie
        self.causes = causes
        self.must = must
        self.noticed_s = noticed_s
        self.lasts_s = lasts_s


@dataclass(frozen=True)
class Mishap:
    """One mishap of the plan."""

    overlaps: bool
    """Whether it begins although the one before is not over."""
    after_health: bool
    """Whether it waits until the door has recovered from all before."""
    pause_s: float
    """What it waits in addition."""
    kind: Kind
    lasts_s: float
    """Until it is undone."""
    seed: int
    """For what it draws itself: which presses, how far the clock jumps."""

    @property
    def spoils_calls(self) -> bool:
        """Whether a call that is made or goes on meanwhile may fail: what only breaks sound or picture costs none."""
        return bool(self.kind.causes & NETWORK) or self.kind is Kind.BUTTON_MASHED

    @property
    def spoils_sound(self) -> bool:
        """Whether they may not hear one another in a call meanwhile."""
        return self.spoils_calls or bool(self.kind.causes & SOUND)

    @property
    def must(self) -> frozenset[str]:
        """Faults that it opens for certain."""
        return self.kind.must if self.lasts_s >= self.kind.noticed_s else frozenset()


class Hanger(enum.StrEnum):
    """Who ends a call."""

    HOUSE = "house"
    DOOR = "door"
    NOBODY = "nobody answers"


@dataclass(frozen=True)
class PlannedCall:
    """One call of the stream."""

    pause_s: float
    """Since the last one ended."""
    from_house: bool
    """The house calls the door, which answers by itself; else the button is pressed."""
    answer_after_s: float
    """When the resident answers."""
    ends_after_s: float
    """From the answer (or, unanswered, from the ring) to the hang-up."""
    ended_by: Hanger


ACCIDENTS = tuple(kind for kind in Kind if kind.lie is None)
LIARS = tuple(
    tuple(kind for kind in Kind if isinstance(kind.lie, lies)) for lies in (BrokerLie, ReceiverLie, ViewerLie)
)
"""The lies of each liar. Each has a plan of its own beside that of the accidents."""


def mishaps(seed: int) -> Iterator[Mishap]:
    """The accidents, without end. Every kind comes once before any comes again."""
    draw = random.Random(f"mishaps {seed}")
    while True:
        for kind in draw.sample(list(ACCIDENTS), len(ACCIDENTS)):
            yield Mishap(
                overlaps=draw.random() < 0.2,
                after_health=draw.random() < 0.5,
                pause_s=round(draw.uniform(0.2, 5.0), 2),
                kind=kind,
                lasts_s=round(draw.uniform(*kind.lasts_s), 2),
                seed=draw.getrandbits(32),
            )


def lies(seed: int, kinds: Sequence[Kind]) -> Iterator[Mishap]:
    """The lies of one liar, without end, each once before any comes again. It lies again once it was believed."""
    draw = random.Random(f"lies {seed} {kinds[0].name}")
    while True:
        for kind in draw.sample(list(kinds), len(kinds)):
            yield Mishap(
                overlaps=False,
                after_health=True,
                pause_s=round(draw.uniform(0.5, 10.0), 2),
                kind=kind,
                lasts_s=round(draw.uniform(*kind.lasts_s), 2),
                seed=draw.getrandbits(32),
            )


def calls(seed: int) -> Iterator[PlannedCall]:
    """Without end."""
    draw = random.Random(f"calls {seed}")
    while True:
        ended_by = draw.choices(list(Hanger), weights=(5, 3, 1))[0]
        yield PlannedCall(
            pause_s=round(draw.uniform(0.2, 3.0), 2),
            from_house=draw.random() < 0.4,
            answer_after_s=round(draw.choice((0.0, draw.uniform(0.0, 3.0))), 2),
            ends_after_s=round(draw.choice((draw.uniform(0.0, 1.0), draw.uniform(1.0, 15.0))), 2),
            ended_by=ended_by,
        )
