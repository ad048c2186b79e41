"""The status document: the door station's state as JSON. `docs/commands.md` describes its fields."""

from __future__ import annotations

import hashlib
import math
import os
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from intercom import __version__
from intercom.control.protocol import PROTOCOL
from intercom.door.health.faults import FaultRecord, Faults
from intercom.door.machine import Phase
from intercom.history.call_recorder import OngoingCall
from intercom.history.sound_quality import heard
from intercom.signalwire import CallStatus
from intercom.signalwire.call.quality import level
from intercom.signalwire.call.recovery_policy import RecoveryProgress, RecoveryState

if TYPE_CHECKING:
    from intercom.door.calls.kept_press import KeptPress
    from intercom.door.parts import Parts
    from intercom.media.rtp.call_stats import CallStats
    from intercom.panel.button import ShortPulses
    from intercom.signalwire import WebRTCCall


def status_document(door: Parts, *, uptime_s: float) -> dict[str, Any]:
    """Return the status document."""
    now = datetime.now(UTC)
    machine, stats, levels = door.machine, door.engine.stats(), door.volume.levels
    return {
        "protocol": PROTOCOL,
        "version": __version__,
        "pid": os.getpid(),
        "at": _text(now),
        "since": _text(now - timedelta(seconds=uptime_s)),
        "uptime_s": round(uptime_s),
        "state": str(machine.state),
        "phase": machine.phase.value,
        "registered": machine.registered,
        "connected": door.client.ready,
        "faults": [fault(record, door.faults) for record in door.faults.open.values()],
        "press_waits": door.calls.press_waits,
        "press": None if door.calls.kept is None else _press(door.calls.kept),
        "call": None if door.recorder.call is None else call(door.recorder.call, door),
        "sound": {
            "card": stats.card,
            "running": stats.running,
            "capture_xruns": stats.capture_xruns,
            "playback_xruns": stats.playback_xruns,
            "microphone_db": _finite(stats.microphone_db) if stats.running else None,
            "speaker_db": _finite(stats.speaker_db) if stats.running else None,
            "microphone_muted": levels.microphone_muted,
            "speaker_muted": levels.speaker_muted,
            "microphone_gain_db": levels.microphone_db,
            "speaker_gain_db": levels.speaker_db,
            "night": door.volume.is_night,
            "real_time": stats.real_time,
            "echo": _echo(door),
        },
        "camera": None if door.camera is None else door.camera.description,
        "picture": _picture(door),
        "door": {
            "open": door.panel.door.is_open,
            "opened": door.figures.doors_opened,
            "refused": door.figures.doors_refused.total(),
            "deaf_s": math.ceil(door.opener.deaf_s),
            "contact": door.entrance.contact,
            "exits": door.figures.exits,
            "exit_stuck": door.panel.entrance.exit_is_stuck,
        },
        "tamper": door.entrance.tamper,
        "chime": None if door.panel.entrance.chime is None else {"rang": door.figures.chimes},
        "button": _button(door.panel.short_pulses),
        "messages": door.messages.document,
        "notify": door.notifications.document(),
        "quiet": door.quiet.document,
        "auto_reply": door.replies.auto.is_on,
        "integrations": door.integrations.document(),
        "lights": door.feedback.pattern.value,
        "config": hashlib.sha256(repr(door.config).encode()).hexdigest()[:12],
    }


def fault(record: FaultRecord, faults: Faults) -> dict[str, Any]:
    """Return one fault, open or over, as a document."""
    return {
        "kind": str(record.kind),
        "why": record.why,
        "since": _text(record.began_at),
        "lasted_s": round(faults.lasted_s(record), 1),
        "open": record.lasted_s is None,
    }


def call(ongoing: OngoingCall, door: Parts) -> dict[str, Any]:
    """Return the call in progress as a document."""
    live = _live(ongoing, door)
    return {
        "id": ongoing.call.id,
        "direction": ongoing.call.direction,
        "with": ongoing.call.address,
        "name": ongoing.call.name,
        "status": _status(live, door),
        "since": _text(ongoing.began_at),
        "lasted_s": door.recorder.elapsed_s(ongoing.began),
        "talked_s": None if ongoing.answered is None else door.recorder.elapsed_s(ongoing.answered),
        "ends_within_s": _ends_within_s(ongoing, door),
        "door_opened_by": list(ongoing.openers),
        "media": _media(door.media.stats(ongoing.call.id)),
        "recovery": None if live is None else _recovery(live.recovery_progress),
    }


def _live(ongoing: OngoingCall, door: Parts) -> WebRTCCall | None:
    """Return the call itself; None between two attempts of a press."""
    live = door.calls.call
    return live if live is not None and live.id == ongoing.call.id else None


def _status(live: WebRTCCall | None, door: Parts) -> str:
    """Return the call's status; between two attempts of a press the last call is destroyed, and the press goes on."""
    status = CallStatus.DESTROYED if live is None else live.status
    goes_on = status is CallStatus.DESTROYED and door.machine.phase is Phase.RINGING_OUT
    return str(CallStatus.TRYING if goes_on else status)


def _ends_within_s(ongoing: OngoingCall, door: Parts) -> float:
    """Return the longest time for which the call can go on, so that a client knows how long to wait for its end."""
    limits, recorder = door.config.call, door.recorder
    if ongoing.answered is not None:
        return round(door.calls.talk_limit.left_s, 1)
    rings_s = limits.ring_time_s - recorder.elapsed_s(ongoing.began)
    if (kept := door.calls.kept) is not None:
        rings_s = kept.walk.until - time.monotonic()
    return round(max(0.0, rings_s) + limits.time_limit_s, 1)


def _press(press: KeptPress) -> dict[str, Any]:
    """Return the press that waits, rings or talks as a document."""
    walk = press.walk
    return {
        "button": press.button,
        "presses": press.presses,
        "step": min(walk.at + 1, len(walk.steps)),
        "steps": len(walk.steps),
        "name": walk.step.name,
        "rings": walk.address,
        "why": walk.why,
    }


def _recovery(progress: RecoveryProgress) -> dict[str, Any] | None:
    """Return the recovery of the call's media as a document; None while they are well."""
    if progress.state is RecoveryState.IDLE:
        return None
    return {
        "state": progress.state.value,
        "step": progress.rung.value,
        "tries": progress.tries,
        "of": progress.most,
        "next_in_s": None if progress.next_in_s is None else round(progress.next_in_s, 1),
        "why": progress.reason,
    }


def _media(stats: CallStats | None) -> dict[str, Any] | None:
    if stats is None:
        return None
    quality, far, video = heard(stats), stats.far_end, stats.video
    return {
        "state": stats.state,
        "codec": stats.codec,
        "mos": None if quality is None else quality[0],
        "quality": None if quality is None else level(quality[0]),
        "loss_percent": None if quality is None else quality[1],
        "far_loss_percent": round(stats.far_loss_percent, 2),
        "jitter_ms": None if far is None else round(far.jitter_ms, 1),
        "round_trip_ms": None if stats.round_trip_ms is None else round(stats.round_trip_ms, 1),
        "received_packets": 0 if far is None else far.received,
        "sent_packets": stats.sent_packets,
        "pictures": None if video is None else video.pictures,
        "video_kbps": None if video is None else round(video.target_bps / 1000),
        "why_no_video": stats.why_no_video,
    }


def _echo(door: Parts) -> dict[str, Any] | None:
    if door.canceller is None:
        return None
    stats = door.canceller.stats()
    return {
        "loss_db": None if stats.echo_loss_db is None else round(stats.echo_loss_db, 1),
        "level_db": None if stats.echo_level_db is None else round(stats.echo_level_db, 1),
        "drift_ppm": round(stats.drift_ppm),
    }


def _button(pulses: ShortPulses) -> dict[str, Any]:
    """Return the number and lengths of the button's pulses since the start that were too short for a press."""
    return {
        "short_pulses": pulses.count,
        "last_short_ms": round(pulses.last_s * 1000, 1) if pulses.count else None,
        "last_short_ago_s": round(time.monotonic() - pulses.last_at) if pulses.count else None,
    }


def _picture(door: Parts) -> dict[str, Any] | None:
    if door.camera is None:
        return None
    press = door.pictures.newest
    return {
        "running": door.camera.is_running,
        "viewers": len(door.views),
        "forbidden_by": door.privacy.forbidden_by,
        "encoding_cpu": door.camera.processor_share,
        "pressed_at": None if press is None else _text(press.at),
        "press_to_jpeg_ms": None if press is None else round(press.after_s * 1000),
    }


def _finite(decibels: float) -> float:
    """Return the level with silence, minus infinity, replaced by a number, as JSON has no infinity."""
    return round(max(decibels, -120.0), 1)


def _text(when: datetime) -> str:
    return when.isoformat(timespec="milliseconds")
