"""The faults: what is broken, and the table of their remedies and limits behind `docs/faults.md`."""

from __future__ import annotations

import enum
import logging
import time
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime

import msgspec

from intercom.door.state_table import Fault
from intercom.facts import Fact, FaultBegan, FaultCleared
from intercom.plain_text import plain
from intercom.signalwire.call.recovery_policy import AWAY_S, MAX_RESTARTS

logger = logging.getLogger(__name__)

WHY_CHARS = 500
"""Limit of a fault's reason in characters: an error may quote text from outside."""
FAULTS_KEPT = 100
"""Limit of past faults that are kept: as far back as anybody asks."""
TRIES = 5
"""Limit of restarts of a part within ten minutes; a defect that heals takes fewer."""


class Part(enum.StrEnum):
    """A supervised thread, server or lasting task."""

    AUDIO_THREAD = Fault.AUDIO_THREAD.value
    BUTTON = Fault.BUTTON.value
    LIGHTS = Fault.LIGHTS.value
    RELAY = "relay"
    GUARD = "guard"
    CHIME = "chime"
    CAMERA_PINS = "camera_pins"
    ENTRANCE_PINS = "entrance_pins"
    CALLS = "calls"
    CLIENT = "client"
    CONTROL_SOCKET = "control_socket"
    METRICS = "metrics"
    CALL_LOG = "call_log"
    DISK = "disk"
    NOTIFY = "notify"
    RTSP = "rtsp"
    MQTT = "mqtt"
    ONVIF = "onvif"
    API = "api"
    WEBHOOKS = "webhooks"
    HOUSEKEEPING = "housekeeping"

    @property
    def words(self) -> str:
        """Return the part's name for a sentence."""
        return self.value.replace("_", " ")


SERVICE = "service"
"""Kind of fault when the service does not accept the door's registration."""
TAMPER, FORCED_DOOR, HELD_OPEN_DOOR, WRONG_CODES = ALARMS = ("tamper", "door_forced", "door_held_open", "wrong_codes")
"""Kinds of fault that are alarms: nothing is broken, and somebody should come and look."""


class Ends(enum.Enum):
    """Moments at which giving up a part ends the program; systemd then restarts it, with the door locked."""

    NEVER = "never"
    AFTER_THE_CALL = "as soon as no call is under way"
    AT_ONCE = "at once"


class Policy(msgspec.Struct, frozen=True):
    """One row: how a fault is treated."""

    kind: str
    """Name of the fault in the log, in `intercom faults` and in the figures."""
    what: str
    """Description of the fault."""
    mended_by: str
    """Remedy that the door applies."""
    tries: int | None
    """Limit of attempts within ten minutes; None: unlimited."""
    ends: Ends
    """Moment at which giving up ends the program."""
    otherwise: str = ""
    """Loss that is accepted instead of ending the program."""


_RESTARTED = "started again after 0.5 s, then twice as long each time, up to 30 s"

POLICIES: tuple[Policy, ...] = (
    Policy(Fault.MICROPHONE, "no card records", "the card is looked for, for ever", None, Ends.NEVER),
    Policy(Fault.SPEAKER, "no card plays", "the card is looked for, for ever", None, Ends.NEVER),
    Policy(Fault.CAMERA, "no picture", "the camera is opened again each second while it is wanted", None, Ends.NEVER),
    Policy(
        Fault.MEDIA,
        "the call's packets stopped",
        "the call moves to a new path",
        None,
        Ends.NEVER,
        f"after {MAX_RESTARTS} paths, or {AWAY_S:.0f} s without the service, the call ends with MEDIA_TIMEOUT",
    ),
    Policy(SERVICE, "the service does not reach us", "connecting and registering, for ever", None, Ends.NEVER),
    Policy(Part.AUDIO_THREAD, "the thread of the sound died", _RESTARTED, TRIES, Ends.AT_ONCE),
    Policy(Part.BUTTON, "the thread of the button died", _RESTARTED, TRIES, Ends.AFTER_THE_CALL),
    Policy(Part.LIGHTS, "the thread of the lights died", _RESTARTED, TRIES, Ends.AFTER_THE_CALL),
    Policy(Part.RELAY, "the relay does not turn off", "nothing: its guard locks the door", 0, Ends.AT_ONCE),
    Policy(
        Part.GUARD,
        "the relay's guard did not answer",
        "another guard takes its place; until one answers the door stays closed",
        None,
        Ends.NEVER,
    ),
    Policy(
        Part.CHIME,
        "the chime's relay, or its guard, failed",
        "the next press; its guard turns it off whatever happens",
        TRIES,
        Ends.AFTER_THE_CALL,
    ),
    Policy(Part.CAMERA_PINS, "the camera's switch or light failed", "its next change", TRIES, Ends.AFTER_THE_CALL),
    Policy(
        Part.ENTRANCE_PINS,
        "the door's contact, the tamper switch or the second bell light failed",
        _RESTARTED,
        TRIES,
        Ends.AFTER_THE_CALL,
    ),
    Policy(
        TAMPER,
        "the box of the door station is open, or was less than 30 minutes ago",
        "no keys open the door; people are told",
        None,
        Ends.NEVER,
        "it ends when the box has been closed for 30 minutes, over a restart too",
    ),
    Policy(
        FORCED_DOOR,
        "the door opened, and neither this station nor the exit button had opened it",
        "people are told",
        None,
        Ends.NEVER,
        "it ends when the door is closed",
    ),
    Policy(
        HELD_OPEN_DOOR,
        "the door stands open for longer than `door.held_open_s`",
        "people are told",
        None,
        Ends.NEVER,
        "it ends when the door is closed",
    ),
    Policy(
        WRONG_CODES,
        "somebody typed three wrong codes in a row",
        "no keys open the door; people are told",
        None,
        Ends.NEVER,
        "it ends when keys count again: after 30 s, then after twice as long each time, up to an hour",
    ),
    Policy(Part.CALLS, "work on a call failed", "a call that nobody looks after is ended", TRIES, Ends.AFTER_THE_CALL),
    Policy(Part.CLIENT, "work of the client failed", "a new connection", TRIES, Ends.AFTER_THE_CALL),
    Policy(Part.CONTROL_SOCKET, "commands do not reach the door", "listening again, for ever", None, Ends.NEVER),
    Policy(Part.METRICS, "no figures are served or written", "beginning again, for ever", None, Ends.NEVER),
    Policy(Part.CALL_LOG, "a call could not be written", "its row waits for the next one", None, Ends.NEVER),
    Policy(Part.DISK, "the disk is full", "looking every minute whether there is room again", None, Ends.NEVER),
    Policy(
        Part.NOTIFY,
        "a service of `[[notify]]` did not take a message",
        "trying again with longer and longer pauses, while the message is of use",
        None,
        Ends.NEVER,
        "the next message is tried in any case",
    ),
    Policy(Part.RTSP, "recorders and players are not served", _RESTARTED, None, Ends.NEVER),
    Policy(
        Part.MQTT,
        "the house's MQTT broker does not take the door",
        "trying again after 1 s, then twice as long each time, up to a minute",
        None,
        Ends.NEVER,
        "Home Assistant shows the door as unavailable",
    ),
    Policy(Part.ONVIF, "recorders do not find the door", _RESTARTED, None, Ends.NEVER),
    Policy(Part.API, "the HTTP API does not serve", _RESTARTED, None, Ends.NEVER),
    Policy(
        Part.WEBHOOKS,
        "a receiver of `[[webhook]]` did not take a delivery",
        "trying again with longer and longer pauses, for a day",
        None,
        Ends.NEVER,
        "newer deliveries take the place of the oldest",
    ),
    Policy(Part.HOUSEKEEPING, "other work failed", "the next of its kind", TRIES, Ends.AFTER_THE_CALL),
)
_BY_KIND = {policy.kind: policy for policy in POLICIES}
KINDS = tuple(str(policy.kind) for policy in POLICIES)
"""Every kind of fault, by name."""


def policy_of(kind: str) -> Policy:
    """Return the row of this kind."""
    return _BY_KIND[str(kind)]


class FaultRecord(msgspec.Struct, frozen=True):
    """A fault, open or over."""

    kind: str
    """Kind of the fault: one of `KINDS`."""
    began_at: datetime
    """Time when the fault began."""
    began: float
    """Beginning on the monotonic clock, seconds."""
    lasted_s: float | None = None
    """Duration in seconds; None while the fault is open."""
    why: str = ""
    """Reason given when the fault began."""


class Faults:
    """Holds what is broken, why and since when. The machine, the lights and the status read it; the journal is told.

    Visitors notice some: the machine is told of those, decides, and opens and clears them here. All on the event loop.
    """

    def __init__(
        self,
        tell: Callable[[Fact], object] = lambda fact: None,
        *,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """`tell` takes the beginning and the end of each fault, as facts for the journal."""
        self._tell = tell
        self._clock = clock
        self._now = now
        self.open: dict[str, FaultRecord] = {}
        "the open faults by kind, the oldest first"
        self.past: deque[FaultRecord] = deque(maxlen=FAULTS_KEPT)
        "the last faults that are over, the newest last"

    @property
    def noticed(self) -> frozenset[Fault]:
        """The open faults that visitors notice."""
        return frozenset(kind for kind in Fault if kind in self.open)

    def begin(self, kind: str, why: str) -> None:
        """Open a fault; one that is open already changes nothing."""
        if kind in self.open:
            logger.debug("The %s still does not work: %s", _words(kind), why)
            return
        why = plain(why, WHY_CHARS)
        self.open[kind] = FaultRecord(kind, self._now(), self._clock(), why=why)
        logger.warning("%s%s", _begins(kind), f": {why}" if why else "")
        self._tell(FaultBegan(str(kind), why))

    def clear(self, kind: str) -> None:
        """Clear a fault, if it is open: the part recovered, or is no longer in use."""
        fault = self.open.pop(kind, None)
        if fault is None:
            return
        lasted_s = self._clock() - fault.began
        self.past.append(msgspec.structs.replace(fault, lasted_s=lasted_s))
        logger.info("%s after %.1f s", _ends(kind), lasted_s)
        self._tell(FaultCleared(str(kind), lasted_s))

    def lasted_s(self, fault: FaultRecord) -> float:
        """Return how many seconds a fault lasted, or has lasted so far."""
        return self._clock() - fault.began if fault.lasted_s is None else fault.lasted_s

    def open_s(self, kind: str) -> float:
        """Return for how many seconds this fault has been open; 0 if it is not."""
        fault = self.open.get(kind)
        return 0.0 if fault is None else self.lasted_s(fault)


_ALARM_WORDS = {
    TAMPER: ("The box of the door station was opened", "Keys may open the door again"),
    FORCED_DOOR: ("The door was forced", "The forced door is closed again"),
    HELD_OPEN_DOOR: ("The door is held open", "The door that was held open is closed again"),
    WRONG_CODES: ("Too many wrong codes were typed", "Keys count again"),
}
"""What the log says when an alarm begins, and when it is over."""


def _begins(kind: str) -> str:
    return _ALARM_WORDS[kind][0] if kind in ALARMS else f"The {_words(kind)} does not work"


def _ends(kind: str) -> str:
    return _ALARM_WORDS[kind][1] if kind in ALARMS else f"The {_words(kind)} works again"


def _words(kind: str) -> str:
    if kind == Fault.MEDIA:
        return "call's media"
    if kind == Part.NOTIFY:
        return "way to tell people"
    if kind == Part.MQTT:
        return "connection to the MQTT broker"
    if kind == Part.API:
        return "HTTP API"
    if kind == SERVICE:
        return "registration with the service"
    return kind.replace("_", " ")


def page() -> str:
    """Return `docs/faults.md`, whole."""
    lines = ["| kind | what is wrong | what the door does | gives up |", "|---|---|---|---|"]
    for policy in POLICIES:
        if policy.ends is Ends.NEVER:
            gives_up = policy.otherwise or "never"
        else:
            after = f"after {policy.tries} tries in ten minutes " if policy.tries else ""
            gives_up = f"{after}the program ends {policy.ends.value}"
        lines.append(f"| `{policy.kind}` | {policy.what} | {policy.mended_by} | {gives_up} |")
    table = "\n".join(lines)
    return f"""# Faults

Generated from `intercom/door/health/faults.py` by `python -m intercom.door.health.faults`; a test keeps it true.

Whatever breaks, the rest goes on: a call survives its sound card, the network and the service. Each fault opens and
closes once. The log has a WARNING when it opens, with the reason, and an INFO when it closes, with how long it lasted;
what happens in between is DEBUG. `intercom status` shows those that are open, `intercom faults` the last hundred, and
the [figures](commands.md) count them by kind, with the seconds that they were open.

{table}

A program that ends on purpose says why in one sentence, locks the door, and is started anew by systemd after 2 s, with
no limit. The same happens to one that hangs: the watchdog is fed only while the event loop, the audio thread and the
session all make progress, and its bite leaves in the log where each thread stood. A thread that dies shows as
`recovering` on the lights until it runs again; of the other parts a visitor notices nothing.
"""


if __name__ == "__main__":
    print(page(), end="")
