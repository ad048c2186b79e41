"""What a chaos run found: its log is held against what was done, and its leftovers against what was there before."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from statistics import median

from intercom.door.health.faults import KINDS, SERVICE

from .plan import SOUND, Kind, Mishap

LATE_S = {"mqtt": 75.0}
OTHERWISE_LATE_S = 20.0
"""A fault may open so long after its mishap is over: a connection that died meanwhile is noticed by its next pulse. The
broker's comes every half a minute."""
HEALED_S = 45.0
"""What is mended again is well within this."""
BELIEVED_S = 100.0
"""A liar is tried again with longer and longer pauses, up to a minute."""
MEMORY_GROWTH_MB = 48.0
"""What the first mishaps of each kind need and the allocator keeps: 10 to 29 were seen, in 3 minutes to 15."""
MEMORY_CREEP_MB = 12.0
"""From the middle third of a run to the last: 1 was seen in 15 minutes, and a call's own encoder takes 7."""
GROWTH = 2
"""Threads, tasks and descriptors may differ by what happens to be under way."""

LINES_BEFORE = 20
"""What went on before a death; what was done is in the run's own output."""

_BEGAN = re.compile(r"WARNING intercom\.door\.health\.faults: The (.+?) does not work(?::|$)")
_OVER = re.compile(r"INFO intercom\.door\.health\.faults: The (.+?) works again after")
_WORDS = {
    "call's media": "media",
    "registration with the service": SERVICE,
    "connection to the MQTT broker": "mqtt",
    "way to tell people": "notify",
    "HTTP API": "api",
}
_DEFECT = re.compile(
    r"Traceback|Fatal Python error|^\S+ \S+ (ERROR|CRITICAL) | was never (retrieved|awaited)|ResourceWarning"
)


@dataclass(frozen=True)
class Line:
    """One line of the door's log."""

    at_s: float
    """When it was read, on the run's clock."""
    text: str


@dataclass
class Done:
    """A mishap that was done."""

    mishap: Mishap
    began_s: float
    over_s: float = float("inf")
    healed_after_s: float | None = None
    """From the undoing to a door without faults, where nothing else came in between."""
    opened: list[Fault] = field(default_factory=list)
    """The faults that it explains."""


@dataclass
class Fault:
    """A fault in the log."""

    kind: str
    began_s: float
    over_s: float | None = None


@dataclass(frozen=True)
class Size:
    """What the door holds."""

    threads: int
    tasks: int
    descriptors: int
    memory_mb: float


def faults_of(log: Iterable[Line]) -> list[Fault]:
    """Every fault that the log tells of, by the time of its first line."""
    found: list[Fault] = []
    open_: dict[str, Fault] = {}
    for line in log:
        if match := _BEGAN.search(line.text):
            kind = _kind(match[1])
            open_[kind] = Fault(kind, line.at_s)
            found.append(open_[kind])
        elif (match := _OVER.search(line.text)) and (fault := open_.pop(_kind(match[1]), None)):
            fault.over_s = line.at_s
    return found


def judge(
    done: Sequence[Done], faults: Sequence[Fault], log: Sequence[Line], stalls: Sequence[tuple[float, float]] = ()
) -> list[str]:
    """What the log does not explain, or tells too much of; each as a sentence. Fills `Done.opened`.

    `stalls`: when the bench's own headset stood still, from and to, on the run's clock.
    """
    findings = []
    for fault in faults:
        causes = [one for one in done if fault.kind in one.mishap.kind.causes and _may_cause(one, fault)]
        for one in causes:
            one.opened.append(fault)
        stood_still = fault.kind in SOUND and any(_meets(*stall, fault) for stall in stalls)
        if not causes and not stood_still:
            findings.append(f"nothing explains the fault {fault.kind} at {fault.began_s:.1f} s")
        if fault.over_s is None:
            findings.append(f"the fault {fault.kind} of {fault.began_s:.1f} s was never over")
    for one in done:
        findings += [
            f"the log has no fault {kind} for: {one.mishap.kind.words} at {one.began_s:.1f} s"
            for kind in sorted(one.mishap.must - {fault.kind for fault in one.opened})
        ]
        limit_s = HEALED_S if one.mishap.kind.lie is None else BELIEVED_S
        if one.healed_after_s is not None and one.healed_after_s > limit_s:
            findings.append(
                f"{one.mishap.kind.words} at {one.began_s:.1f} s was mended only {one.healed_after_s:.1f} s later"
            )
    findings += [f"the log says at {line.at_s:.1f} s: {line.text[:300]}" for line in log if _DEFECT.search(line.text)]
    return findings


def _may_cause(one: Done, fault: Fault) -> bool:
    return _meets(one.began_s, one.over_s, fault)


def _meets(began_s: float, cause_over_s: float, fault: Fault) -> bool:
    over_s = fault.over_s if fault.over_s is not None else float("inf")
    return began_s - 0.5 <= over_s and fault.began_s <= cause_over_s + LATE_S.get(fault.kind, OTHERWISE_LATE_S)


def leaks(before: Size, after: Size) -> list[str]:
    """What grew."""
    findings = [
        f"{name} grew from {getattr(before, name)} to {getattr(after, name)}"
        for name in ("threads", "tasks", "descriptors")
        if getattr(after, name) > getattr(before, name) + GROWTH
    ]
    if after.memory_mb > before.memory_mb + MEMORY_GROWTH_MB:
        findings.append(f"memory grew from {before.memory_mb:.0f} to {after.memory_mb:.0f} MB")
    return findings


def creep(memory_mb: Sequence[float]) -> list[str]:
    """What grows without end, however slowly: readings throughout the run, its last third against the middle."""
    third = len(memory_mb) // 3
    if not third:
        return []
    middle, last = median(memory_mb[third:-third]), median(memory_mb[-third:])
    return [f"memory creeps from {middle:.0f} to {last:.0f} MB"] if last > middle + MEMORY_CREEP_MB else []


def last_words(log: Sequence[Line]) -> str:
    """What a door that died said last: Python's account of a native crash, whole; without one, its last lines."""
    crash = next((number for number, line in enumerate(log) if "Fatal Python error" in line.text), len(log))
    return "\n".join(line.text for line in log[max(0, crash - LINES_BEFORE) :])


def table(done: Sequence[Done]) -> str:
    """What was done and what came of it, by kind."""
    rows = [("mishap", "times", "faults", "mended after s, median and most")]
    for kind in Kind:
        of_kind = [one for one in done if one.mishap.kind is kind]
        healed = sorted(one.healed_after_s for one in of_kind if one.healed_after_s is not None)
        mended = f"{healed[len(healed) // 2]:.1f}  {healed[-1]:.1f}" if healed else ""
        opened = [fault.kind for one in of_kind for fault in one.opened]
        counted = ", ".join(f"{opened.count(name)} {name}" for name in KINDS if name in opened)
        rows.append((kind.words, str(len(of_kind)), counted or "none", mended))
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )


def _kind(words: str) -> str:
    return _WORDS.get(words, words.replace(" ", "_"))
