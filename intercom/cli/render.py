"""Format the commands' answers for people. Colour only where requested; imports next to nothing."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from intercom.plain_text import plain

printable = plain
"""Filter for a far end's words, which may hold control sequences of a terminal."""
GREEN, YELLOW, RED, BOLD, DIM = "32", "33", "31", "1", "2"
_STATE_WORDS = {
    "idle": ("ready", GREEN),
    "registering": ("not registered: nobody can be rung", YELLOW),
    "ringing": ("ringing", GREEN),
    "in_call": ("in a call", GREEN),
    "recovering": ("something is broken, and is being mended", RED),
    "not_running": ("not running", RED),
    "not_answering": ("running, but not answering", RED),
}
_PHASE_WORDS = {"ringing_out": "rings", "ringing_in": "calls", "active": "talks with"}
_LABEL_WIDTH = 9
_WHO_CHARS = 48
"""Width of a name or an address in a table; the JSON has them in full."""


def moment(seconds: float) -> str:
    """Return a time of day, seconds since 1970, in this machine's time zone; 0 stands for never."""
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(seconds)) if seconds else "never"


def duration(seconds: float) -> str:
    """Format a duration in its two largest units."""
    whole = int(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02} s"
    if whole < 86_400:
        return f"{whole // 3600} h {whole % 3600 // 60:02} min"
    return f"{whole // 86_400} d {whole % 86_400 // 3600} h"


class Page:
    """Lines of "label  value", coloured or not."""

    def __init__(self, *, colour: bool) -> None:
        self._colour = colour
        self.lines: list[str] = []

    def paint(self, text: str, code: str) -> str:
        """Return the text in a colour."""
        return f"\x1b[{code}m{text}\x1b[0m" if self._colour else text

    def row(self, label: str, text: str, code: str = "") -> None:
        """Add one fact."""
        shown = printable(text)
        self.lines.append(f"{self.paint(label.ljust(_LABEL_WIDTH), DIM)} {self.paint(shown, code) if code else shown}")

    def __str__(self) -> str:
        return "\n".join(self.lines)


def status(doc: Mapping[str, Any], *, colour: bool) -> str:
    """Format the status document on half a screen."""
    page = Page(colour=colour)
    words, code = _STATE_WORDS.get(doc["state"], (doc["state"], YELLOW))
    page.lines.append(page.paint(printable(words[:1].upper() + words[1:]), f"{BOLD};{code}"))
    if "version" not in doc:
        page.row("since", _since(doc))
        page.row("why", str(doc.get("reason", "")))
        return str(page)
    page.row("service", "registered" if doc["registered"] else "not registered", "" if doc["registered"] else YELLOW)
    page.row("up", f"{duration(doc['uptime_s'])}, version {doc['version']}, process {doc['pid']}")
    for fault in doc["faults"]:
        page.row("fault", f"{fault['kind']} since {duration(fault['lasted_s'])}", RED)
    page.row("call", _call(doc))
    if told := _step(doc):
        page.row("", told)
    if doc["call"] and doc["call"]["media"]:
        page.row("", _media(doc["call"]["media"]))
    if doc["call"] and doc["call"].get("recovery"):
        page.row("mending", _recovery(doc["call"]["recovery"]), YELLOW)
    page.row("sound", _sound(doc["sound"]))
    page.row("camera", _camera(doc))
    page.row("door", *_door(doc))
    if told := _chime(doc):
        page.row("chime", told)
    if told := short_pulses(doc):
        page.row("button", told, YELLOW)
    if told := messages(doc.get("messages") or {}):
        page.row("messages", told, YELLOW)
    page.row("lights", doc["lights"])
    if told := quiet(doc.get("quiet")):
        page.row("quiet", told, YELLOW)
    return str(page)


def quiet(said: Mapping[str, Any] | None) -> str:
    """Format what the space says of quiet hours; empty where every bell is on."""
    if said is None:
        return ""
    parts = []
    if said["house"]:
        until = "until it is taken back" if said["until"] is None else f"until {moment(_seconds(said['until']))}"
        shown = "rings are shown without a sound" if said["notify"] else "nobody is rung"
        parts.append(f"the house, {until}; {shown}")
    if said["devices"]:
        parts.append(f"by their own wish: {', '.join(said['devices'])}")
    return "; ".join(parts)


def messages(kept: Mapping[str, Any]) -> str:
    """Format how many of the visitors' messages are at the door; empty where there are none."""
    if not kept.get("kept"):
        return ""
    count = "one" if kept["kept"] == 1 else str(kept["kept"])
    if kept["unsent"]:
        return f"{count} kept until the house's space takes {'it' if count == 'one' else 'them'}"
    return f"{count} kept here: `intercom messages`"


def _seconds(when: str) -> float:
    from datetime import datetime

    return datetime.fromisoformat(when).timestamp()


_CONTACT_WORDS = {"closed": "closed", "open": "stands open", "forced": "was forced", "held_open": "is held open"}


def _door(doc: Mapping[str, Any]) -> tuple[str, str]:
    """Format relay, contact and box in a line; return it with its colour."""
    door, tamper = doc["door"], doc.get("tamper") or {"open": False, "blocks_s": 0}
    lock, state = "open" if door["open"] else "closed", (door.get("contact") or {}).get("state")
    words = lock if state is None else f"{_CONTACT_WORDS[state]}, lock {lock}"
    deaf_s, blocks_s = door.get("deaf_s", 0), tamper["blocks_s"]
    if deaf_s:
        words += f"; no keys open it for {duration(deaf_s)}: too many wrong codes"
    if blocks_s:
        box = "the box is open" if tamper["open"] else "the box was opened"
        words += f"; no keys open it for {duration(blocks_s)}: {box}"
    if blocks_s or state in ("forced", "held_open"):
        return words, RED
    return words, YELLOW if door["open"] or deaf_s or state == "open" else ""


def _chime(doc: Mapping[str, Any]) -> str:
    chime = doc.get("chime")
    return "" if chime is None else f"rang {chime['rang']} times since the start"


def short_pulses(doc: Mapping[str, Any]) -> str:
    """Format the count of pulses too short for a press; empty when there were none."""
    button = doc.get("button") or {"short_pulses": 0}
    if not button["short_pulses"]:
        return ""
    pulses = "one pulse" if button["short_pulses"] == 1 else f"{button['short_pulses']} pulses"
    last = f"the last {duration(button['last_short_ago_s'])} ago, {button['last_short_ms']:g} ms long"
    return f"{pulses} too short for a press ({last})"


def _since(doc: Mapping[str, Any]) -> str:
    if not doc.get("since"):
        return "unknown"
    return f"{doc['since'][:19].replace('T', ' ')}, {duration(doc['lasted_s'])} ago"


def status_line(doc: Mapping[str, Any]) -> str:
    """Format the status document in one line, for a log or a pipe."""
    if "version" not in doc:
        return f"{doc['state']}: {doc.get('reason', '')}"
    faults = ", ".join(fault["kind"] for fault in doc["faults"]) or "none"
    registered = "registered" if doc["registered"] else "not registered"
    door = "open" if doc["door"]["open"] else "closed"
    return printable(f"{doc['state']}, {registered}, faults: {faults}, call: {_call_kind(doc)}, door {door}")


def _call_kind(doc: Mapping[str, Any]) -> str:
    call = doc["call"]
    return "none" if call is None else f"{doc['phase']} {call['name'] or call['with']}"


def _step(doc: Mapping[str, Any]) -> str:
    """Format the step of a plan at which a press rings; empty where there is but one step."""
    press = doc.get("press")
    if not press or press["steps"] < 2 or (doc["phase"] != "ringing_out" and not doc["press_waits"]):
        return ""
    name = f" ({press['name']})" if press["name"] else ""
    return f"step {press['step']} of {press['steps']}{name}: {press['why']}"


def _call(doc: Mapping[str, Any]) -> str:
    call = doc["call"]
    if call is None:
        return "none"
    who = f"{call['name']} ({call['with']})" if call["name"] else call["with"]
    verb = _PHASE_WORDS.get(doc["phase"], doc["phase"])
    lasted = duration(call["lasted_s"] if call["talked_s"] is None else call["talked_s"])
    sentence = f"{who} calls the door" if doc["phase"] == "ringing_in" else f"the door {verb} {who}"
    return f"{sentence}, {lasted}"


def _media(media: Mapping[str, Any]) -> str:
    if media["mos"] is None:
        return f"{media['state']}, nothing heard yet"
    trip = "" if media["round_trip_ms"] is None else f", round trip {media['round_trip_ms']:g} ms"
    return (
        f"{media['quality']} ({media['mos']:g} of 4.5), {media['codec']}, "
        f"lost {media['loss_percent']:g} %, jitter {media['jitter_ms']:g} ms{trip}"
    )


def _recovery(recovery: Mapping[str, Any]) -> str:
    if recovery["state"] == "cooldown":
        return f"mended by a {recovery['step']}" if recovery["step"] != "none" else "mended"
    tries = f", try {recovery['tries']} of {recovery['of']}" if recovery["tries"] else ""
    following = "" if recovery["next_in_s"] is None else f", next step in {recovery['next_in_s']:.0f} s"
    step = recovery["step"] if recovery["step"] != "none" else "watching"
    return f"{step}{tries}{following}: {recovery['why']}"


def _sound(sound: Mapping[str, Any]) -> str:
    xruns = sound["capture_xruns"] + sound["playback_xruns"]
    parts = [sound["card"], f"{xruns} xruns"]
    if sound["running"]:
        parts.append(f"microphone {sound['microphone_db']:g} dB, speaker {sound['speaker_db']:g} dB")
    echo = sound.get("echo")
    if sound["running"] and echo and echo["loss_db"] is not None:
        parts.append(f"echo {echo['level_db']:+g} dB, {echo['loss_db']:g} dB of it taken away")
    if sound.get("night"):
        parts.append("quieter for the night")
    parts += [f"{what} muted" for what in ("microphone", "speaker") if sound[f"{what}_muted"]]
    return ", ".join(parts)


def _camera(doc: Mapping[str, Any]) -> str:
    parts, picture = [doc["camera"] or "none"], doc.get("picture")
    if picture:
        by = picture["forbidden_by"]
        parts.append("runs" if picture["running"] else f"held off by {' and '.join(by)}" if by else "does not run")
        if viewers := picture.get("viewers", 0):
            parts.append("one looks on" if viewers == 1 else f"{viewers} look on")
        if picture["encoding_cpu"] is not None:
            parts.append(f"encoding takes {picture['encoding_cpu']:.0%} of a core")
    return ", ".join(parts)


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Format rows as columns, each as wide as its widest cell."""
    cells = [list(head), *([printable(cell) for cell in row] for row in rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(head))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells
    )


def calls(records: Sequence[Mapping[str, Any]], *, local: Any) -> str:
    """Format the call log; `local` converts a time of the log to this machine's."""
    if not records:
        return "No calls yet."
    rows = [
        (
            local(record["began_at"]),
            _what(record["direction"], record["presses"]),
            plain(record["name"] or record["address"] or "-", _WHO_CHARS),
            record["outcome"] if record["outcome"] != "failed" else f"failed ({record['end_cause']})",
            duration(record["talked_s"]) if record["talked_s"] else "-",
            "-" if record["mos"] is None else f"{record['mos']:g}",
            plain(record["door_opened_by"] or "-", _WHO_CHARS),
        )
        for record in records
    ]
    return table(("WHEN", "WHAT", "WHO", "OUTCOME", "TALKED", "MOS", "DOOR OPENED BY"), rows)


def _what(direction: str, presses: int) -> str:
    what = {"outbound": "door rang", "inbound": "door called by", "none": "door opened"}[direction]
    return f"{what} ({presses} presses)" if presses > 1 else what


def faults(records: Sequence[Mapping[str, Any]], *, local: Any) -> str:
    """Format the faults, open ones first."""
    if not records:
        return "No faults since the start."
    rows = [
        (
            local(record["since"]),
            record["kind"],
            "open" if record["open"] else "over",
            duration(record["lasted_s"]),
            printable(record.get("why", "")),
        )
        for record in records
    ]
    return table(("SINCE", "WHAT", "STATE", "LASTED", "WHY"), rows)


def _device(found: Mapping[str, Any]) -> str:
    """Format a device in a line: its name now, then the name that it keeps when it is plugged in again."""
    usb = " ".join(
        [f"{found['vendor']}:{found['product']}", *([f"serial {found['serial']}"] if found["serial"] else [])]
        if "vendor" in found
        else [found["kind"]]
    )
    return f"{found['id']}: {found['label']}, {usb}" + (f", at {found['port']}" if found["port"] else "")


_OPTIONAL_PINS = {
    "camera_light": "camera light",
    "camera_switch": "camera switch",
    "chime": "chime",
    "bell_light": "bell light",
    "contact": "door contact",
    "exit": "exit button",
    "tamper": "tamper switch",
}


def devices(found: Mapping[str, Any], *, colour: bool, local: Any) -> str:
    """Format the devices that are plugged in and used."""
    page = Page(colour=colour)
    page.row("sound", found["sound"])
    for role, choice in found["roles"].items():
        if role != "camera":
            page.row("", f"{role}: {choice['opens'] or 'none'} ({choice['why']})")
    for card in found["cards"]:
        page.row("", f"card {_device(card)}", "" if card["roles"] else DIM)
    for was in found["recoveries"][:3]:
        page.row("", f"{local(was['at'])} {was['role']}: {was['reason']}", DIM)
    page.row("camera", found["camera"] or "none")
    for camera in found["cameras"]:
        page.row("", _device(camera), "" if camera["roles"] else DIM)
    panel = found["panel"]
    light = ", ".join(f"GPIO {gpio}" for gpio in panel["light"]) or "none"
    page.row("panel", panel["pins"])
    buttons = ", ".join(f"{one['name'] or 'button'} GPIO {one['gpio']}" for one in panel["buttons"])
    page.row("", f"{buttons}, light {light}, door relay GPIO {panel['relay']}")
    if parts := [f"{words} GPIO {panel[key]}" for key, words in _OPTIONAL_PINS.items() if panel.get(key) is not None]:
        page.row("", ", ".join(parts))
    return str(page)
