"""Figures of the door station for Prometheus, over HTTP or in a file; both are off by default."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from intercom import __version__
from intercom.config import MetricsConfig
from intercom.door.health.faults import KINDS
from intercom.door.machine import Phase, State
from intercom.facts import DOOR_STATES
from intercom.history.families import CONTENT_TYPE, Family, Sample, each, histogram, one
from intercom.history.sound_quality import heard
from intercom.net import split_listen
from intercom.notify.outbox import FATES, Outbox
from intercom.opening.decision import REFUSALS
from intercom.tasks import TaskSet

if TYPE_CHECKING:
    from intercom.door.parts import Parts

logger = logging.getLogger(__name__)

TEXTFILE_S = 15.0
"""Interval between writes of the text file: Prometheus's own usual interval."""
REQUEST_LIMIT_BYTES = 8192
REQUEST_S = 5.0
SCRAPERS = 4
"""Limit of simultaneous connections."""


def figures(door: Parts, *, uptime_s: float) -> list[Family]:
    """Return every figure of this door, now."""
    machine, counted, faults, sound = door.machine, door.figures, door.faults, door.engine.stats()
    outcomes = [
        Sample("intercom_calls_total", {"direction": direction, "outcome": result}, count)
        for (direction, result), count in sorted(counted.calls_by_outcome.items())
    ]
    return [
        Family("intercom_info", "gauge", "Which version runs.", [Sample("intercom_info", {"version": __version__}, 1)]),
        one("intercom_uptime_seconds", "gauge", "Since the start.", uptime_s),
        each(
            "intercom_state",
            "gauge",
            "1 for the state that the door is in.",
            "state",
            ((state.value, float(machine.state == state)) for state in State),
        ),
        one("intercom_registered", "gauge", "Whether the service reaches the door.", machine.registered),
        one("intercom_in_call", "gauge", "Whether somebody talks.", machine.phase is Phase.ACTIVE),
        Family("intercom_calls_total", "counter", "Calls that are over.", outcomes),
        one("intercom_door_openings_total", "counter", "Times that somebody opened the door.", counted.doors_opened),
        each(
            "intercom_door_refusals_total",
            "counter",
            "Times that somebody pressed keys, and the door stayed shut.",
            "why",
            ((ruling.value, counted.doors_refused[ruling]) for ruling in REFUSALS),
        ),
        *_entrance_figures(door),
        *_viewer_figures(door),
        each(
            "intercom_fault_open",
            "gauge",
            "1 for what is broken now.",
            "kind",
            ((kind, float(kind in faults.open)) for kind in KINDS),
        ),
        each(
            "intercom_faults_total",
            "counter",
            "Times that something broke.",
            "kind",
            ((kind, counted.faults_begun[kind]) for kind in KINDS),
        ),
        each(
            "intercom_recoveries_total",
            "counter",
            "Times that it was mended.",
            "kind",
            ((kind, counted.faults_cleared[kind]) for kind in KINDS),
        ),
        each(
            "intercom_fault_seconds_total",
            "counter",
            "How long it was broken, all in all.",
            "kind",
            ((kind, counted.fault_s[kind] + faults.open_s(kind)) for kind in KINDS),
        ),
        each(
            "intercom_xruns_total",
            "counter",
            "Times that the sound card starved or overflowed.",
            "direction",
            (("capture", sound.capture_xruns), ("playback", sound.playback_xruns)),
        ),
        histogram(
            "intercom_press_to_ring_seconds", "From the press until the service has the call.", counted.press_to_ring
        ),
        histogram("intercom_call_mos", "Mean opinion score of the calls that are over, 1 to 4.5.", counted.scores),
        *_notify_figures(door.notifications.outboxes),
        *_echo_figures(door),
        *_call_figures(door),
        *door.integrations.figures(),
    ]


def _entrance_figures(door: Parts) -> list[Family]:
    """Return the figures of what is wired around the door; without a sample for what is not."""
    contact, tamper, counted = door.entrance.contact, door.entrance.tamper, door.figures
    pins = door.panel.entrance.gpios
    states = [] if contact is None else [(state, float(state == contact["state"])) for state in DOOR_STATES]
    moves = [] if contact is None else [(state, float(counted.door_moves[state])) for state in DOOR_STATES]
    return [
        each("intercom_door_contact", "gauge", "1 for the state that the contact tells.", "state", states),
        each("intercom_door_moves_total", "counter", "Times that the contact told of a state.", "state", moves),
        one(
            "intercom_exit_presses_total",
            "counter",
            "Times that somebody pressed the exit button.",
            None if pins["exit"] is None else counted.exits,
        ),
        one(
            "intercom_chime_rings_total",
            "counter",
            "Times that the chime rang.",
            None if pins["chime"] is None else counted.chimes,
        ),
        one("intercom_box_open", "gauge", "Whether the box is open.", None if tamper is None else tamper["open"]),
        one(
            "intercom_keys_blocked_seconds",
            "gauge",
            "How long no keys open the door, because the box was opened.",
            None if tamper is None else tamper["blocks_s"],
        ),
    ]


def _viewer_figures(door: Parts) -> list[Family]:
    """Return the figures of those who see through the camera without a call; without a sample where nobody can."""
    views = door.views
    present = views.by_kind.items() if views.is_on else ()
    refused = sorted(views.refused.items()) if views.is_on else ()
    return [
        each("intercom_viewers", "gauge", "Who sees through the camera without a call.", "kind", present),
        each("intercom_viewer_refusals_total", "counter", "Views that the door refused.", "why", refused),
    ]


def _notify_figures(outboxes: Iterable[Outbox]) -> list[Family]:
    """Return the figures of the messages to people; none without a `[[notify]]`."""
    total = "intercom_notify_messages_total"
    fates = [
        Sample(total, {"name": outbox.name, "fate": fate}, outbox.fates[fate]) for outbox in outboxes for fate in FATES
    ]
    waiting = [(outbox.name, float(len(outbox))) for outbox in outboxes]
    took = [(outbox.name, outbox.last.took_s) for outbox in outboxes if outbox.last is not None]
    return [
        Family(total, "counter", "Messages to people, by what became of them.", fates),
        each("intercom_notify_waiting", "gauge", "Messages that wait to be sent.", "name", waiting),
        each("intercom_notify_last_seconds", "gauge", "Length of the last attempt to send one.", "name", took),
    ]


def _echo_figures(door: Parts) -> list[Family]:
    """Return the echo canceller's figures, from its last estimates; none if there is no canceller."""
    stats = None if door.canceller is None else door.canceller.stats()
    return [
        one("intercom_echo_loss_db", "gauge", "Echo taken away.", None if stats is None else stats.echo_loss_db),
        one("intercom_echo_level_db", "gauge", "Echo before that.", None if stats is None else stats.echo_level_db),
    ]


def _call_figures(door: Parts) -> list[Family]:
    """Return the figures of the call in progress; none without a call."""
    entry = door.recorder.call
    stats = None if entry is None else door.media.stats(entry.call.id)
    quality = heard(stats)
    far = None if stats is None else stats.far_end
    trip_ms = None if stats is None else stats.round_trip_ms
    return [
        one("intercom_current_mos", "gauge", "Of the call under way.", quality[0] if quality else None),
        one("intercom_current_loss_ratio", "gauge", "Of its packets.", quality[1] / 100 if quality else None),
        one("intercom_current_jitter_seconds", "gauge", "Of its packets.", far.jitter_ms / 1000 if far else None),
        one(
            "intercom_current_round_trip_seconds",
            "gauge",
            "To its far end and back.",
            None if trip_ms is None else trip_ms / 1000,
        ),
    ]


class Exporter:
    """Serves the figures at `metrics.listen` and writes them to `metrics.textfile`, where they are set."""

    def __init__(
        self, config: MetricsConfig, figures: Callable[[], str], *, on_fault: Callable[[BaseException], None]
    ) -> None:
        """Prepare the exporter; `on_fault` is called on the event loop when the figures stop: start them again."""
        self._config = config
        self._figures = figures
        self._server: asyncio.Server | None = None
        self._writing = TaskSet(on_fault)
        self._scrapers = 0

    @property
    def port(self) -> int | None:
        """The port that the server listens on; None without a server."""
        return None if self._server is None else int(self._server.sockets[0].getsockname()[1])

    async def start(self) -> None:
        """Start server and file where they do not run yet; one that cannot start raises OSError, and the other runs."""
        try:
            await self._begin_listening()
        finally:
            await self._begin_writing()

    async def _begin_listening(self) -> None:
        if self._config.listen and self._server is None:
            host, port = split_listen(self._config.listen)
            self._server = await asyncio.start_server(self._serve, host, port, limit=REQUEST_LIMIT_BYTES)

    async def _begin_writing(self) -> None:
        if self._config.textfile and not self._writing:
            file = Path(self._config.textfile)
            await asyncio.to_thread(_replace, file, self._figures())
            self._writing.spawn(self._write_for_ever(file))

    async def stop(self) -> None:
        """Stop the server and the file."""
        if self._server is not None:
            self._server.close()
            self._server = None
        await self._writing.stop()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one request and close the connection (HTTP/1.0)."""
        self._scrapers += 1
        try:
            if self._scrapers > SCRAPERS:
                return
            async with asyncio.timeout(REQUEST_S):
                head = await reader.readuntil(b"\r\n\r\n")
                writer.write(self._answer(head.split(b"\r\n", 1)[0]))
                await writer.drain()
        except (OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError) as error:
            logger.debug("A scraper went: %s", error)
        finally:
            self._scrapers -= 1
            writer.close()

    def _answer(self, request: bytes) -> bytes:
        method, _, rest = request.partition(b" ")
        path = rest.split(b" ")[0].split(b"?")[0]
        if method not in (b"GET", b"HEAD"):
            return _response("405 Method Not Allowed", "Only GET.\n")
        if path != b"/metrics":
            return _response("404 Not Found", "The figures are at /metrics.\n")
        return _response("200 OK", self._figures(), body=method == b"GET")

    async def _write_for_ever(self, file: Path) -> None:
        while True:
            await asyncio.sleep(TEXTFILE_S)
            await asyncio.to_thread(_replace, file, self._figures())


def _response(status: str, content: str, *, body: bool = True) -> bytes:
    data = content.encode()
    head = f"HTTP/1.0 {status}\r\nContent-Type: {CONTENT_TYPE}\r\nContent-Length: {len(data)}\r\n\r\n"
    return head.encode() + (data if body else b"")


def _replace(file: Path, content: str) -> None:
    """Replace the file at once, so that the node exporter never reads half of it."""
    new = file.with_name(f".{file.name}.{os.getpid()}")
    new.unlink(missing_ok=True)
    try:
        # "x" refuses a link that somebody else has made beforehand.
        with new.open("x") as opened:
            opened.write(content)
        new.chmod(0o644)
        new.replace(file)
    except OSError:
        with contextlib.suppress(OSError):
            new.unlink()
        raise
