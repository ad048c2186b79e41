"""Handlers of the commands: they answer the control socket from the running appliance."""

from __future__ import annotations

import asyncio
import base64
import logging
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from msgspec import Struct

from intercom import __version__
from intercom.config.fields import DESTINATION, shown_settings
from intercom.control.commands import Asker, Handler
from intercom.control.errors import RefusedError
from intercom.control.place import served_at
from intercom.control.protocol import INVALID_PARAMS, REFUSED
from intercom.control.server import ControlServer
from intercom.door.access import DoorAccess
from intercom.door.command_parameters import (
    Dial,
    Keys,
    Last,
    Level,
    Mute,
    Named,
    Nothing,
    Quiet,
    Still,
    Switch,
    Words,
    read,
)
from intercom.door.command_table import COMMANDS
from intercom.door.health import metrics
from intercom.door.health.faults import Part
from intercom.door.health.status import fault, status_document
from intercom.door.machine import Phase
from intercom.door.messages.commands import MessageCommands
from intercom.door.parts import Parts
from intercom.door.replies import ReplyRefusedError
from intercom.history import families
from intercom.history.journal import Journal
from intercom.history.log_buffer import RecentLog
from intercom.integrations.access import Program
from intercom.media.sound.levels import Levels
from intercom.opening.decision import Way
from intercom.opening.opener import NotAdmittedError
from intercom.panel import PanelError
from intercom.signalwire import SignalWireError

logger = logging.getLogger(__name__)

RESTART_AFTER_S = 0.1
"""Delay before a restart, so that the answer leaves first."""
DIAGNOSTICS_LINES = 2000
"""Limit of log lines in the diagnostics: all that are kept."""


Answerer = Callable[[Asker, Any], Awaitable[Any]]
"""Function that carries out one command, with the parameters that it takes."""


class Handlers:
    """Answers the commands of the control socket from a running door."""

    def __init__(
        self, door: Parts, state_dir: Path, journal: Journal, on_failure: Callable[[Part, BaseException], None]
    ) -> None:
        """`on_failure` is called on the event loop when the socket or the figures fail: restart them."""
        self._door = door
        self._journal = journal
        self._on_failure = on_failure
        self._started = time.monotonic()
        self._recent = RecentLog()
        path, in_memory = served_at(state_dir, os.environ)
        self._server = ControlServer(
            path,
            self._handlers(),
            status=self.status,
            version=__version__,
            heartbeat=in_memory,
            on_fault=partial(on_failure, Part.CONTROL_SOCKET),
        )
        self.commands = self._server.commands
        self._exporter = metrics.Exporter(door.config.metrics, self.figures, on_fault=partial(on_failure, Part.METRICS))

    async def start(self) -> None:
        """Listen on the control socket; without a place for it the door works, and only the commands do not."""
        logging.getLogger().addHandler(self._recent)
        try:
            await self._server.start()
        except OSError as error:
            self._on_failure(Part.CONTROL_SOCKET, error)
        try:
            await self._exporter.start()
        except OSError as error:
            self._on_failure(Part.METRICS, error)

    async def restart_socket(self) -> None:
        """Listen again after a failure; raises OSError."""
        await self._server.stop()
        await self._server.start()

    async def restart_figures(self) -> None:
        """Restart the server and the file of the figures where they have stopped; raises OSError."""
        await self._exporter.start()

    async def stop(self) -> None:
        """Stop listening."""
        await self._exporter.stop()
        await self._server.stop()
        logging.getLogger().removeHandler(self._recent)

    def changed(self) -> None:
        """Tell `watch` that the status has changed."""
        self._server.changed()

    def status(self) -> dict[str, Any]:
        """Return the status document."""
        return status_document(self._door, uptime_s=time.monotonic() - self._started)

    def access(self, part: Part) -> DoorAccess:
        """Return the door as the integration of this name sees it."""
        return DoorAccess(
            part,
            journal=self._journal,
            faults=self._door.faults,
            commands=self.commands,
            status=self.status,
            camera=self._door.camera,
            sound=self._door.engine.beside,
            snapshot=self._door.snapshot,
            press_picture=self._door.pictures.of_now,
            on_failure=self._on_failure,
        )

    def figures(self) -> str:
        """Return the figures in Prometheus's text format."""
        return families.text(metrics.figures(self._door, uptime_s=time.monotonic() - self._started))

    def _handlers(self) -> dict[str, Handler]:
        """Return the handler of each command in the table, which reads its parameters before."""
        handlers: dict[str, Answerer] = {
            "status": self._status,
            "call": self._call,
            "answer": self._answer,
            "hangup": self._hang_up,
            "dtmf": self._dtmf,
            "say": self._say,
            "auto_reply": self._auto_reply,
            "mute": self._mute,
            "volume": self._volume,
            "camera": self._camera,
            "snapshot": self._snapshot,
            "door.open": self._open_door,
            "devices": self._devices,
            "calls": self._calls,
            "faults": self._faults,
            "quiet": self._quiet,
            "notify.test": self._test_notify,
            "notify.tested": self._tested_notify,
            "metrics": self._metrics,
            "log": self._log,
            "diagnostics": self._diagnostics,
            "restart": self._restart,
            **MessageCommands(self._door.messages.files).handlers(),
        }
        return {
            name: partial(_read_and_answer, handlers[name], command.parameters) for name, command in COMMANDS.items()
        }

    async def _status(self, _: Asker, __: Nothing) -> dict[str, Any]:
        return self.status()

    # -- calls -----------------------------------------------------------------------------------------

    async def _call(self, caller: Asker, asked: Dial) -> dict[str, Any]:
        if asked.address and not DESTINATION.accepts(asked.address):
            raise RefusedError(f"expected {DESTINATION.expected}", INVALID_PARAMS)
        if self._door.machine.phase is not Phase.NONE:
            raise RefusedError("there is a call already; `intercom hangup` ends it", REFUSED)
        logger.info("%s calls %s", _who(caller, asked), asked.address or "whom the button rings")
        decision = self._door.calls.ring(asked.address)
        if not decision.allowed:
            raise RefusedError(f"the door does not call: {decision.reason}", REFUSED)
        kept = self._door.calls.kept
        return {"calling": asked.address or ("" if kept is None else kept.walk.address) or "nobody at this time"}

    async def _answer(self, caller: Asker, asked: Nothing) -> dict[str, Any]:
        if self._door.machine.phase is not Phase.RINGING_IN:
            raise RefusedError("nobody calls the door", REFUSED)
        logger.info("%s answers for the door", _who(caller, asked))
        decision = self._door.calls.ring()
        if not decision.allowed:
            raise RefusedError(f"the door does not answer: {decision.reason}", REFUSED)
        return {"answered": True}

    async def _hang_up(self, caller: Asker, asked: Nothing) -> dict[str, Any]:
        logger.info("%s ends the call", _who(caller, asked))
        if not await self._door.calls.hang_up():
            raise RefusedError("there is no call", REFUSED)
        return {"ended": True}

    async def _dtmf(self, caller: Asker, asked: Keys) -> dict[str, Any]:
        logger.info("%s presses keys in the call", _who(caller, asked))
        try:
            sent = await self._door.calls.send_digits(asked.digits)
        except SignalWireError as error:
            raise RefusedError(f"the keys may not have arrived: {error}", REFUSED) from error
        if not sent:
            raise RefusedError("nobody has answered a call", REFUSED)
        return {"sent": len(asked.digits)}

    # -- sound -----------------------------------------------------------------------------------------

    async def _say(self, caller: Asker, asked: Words) -> dict[str, Any]:
        try:
            return {"said": await self._door.replies.say(asked.words, by=_who(caller, asked))}
        except ReplyRefusedError as refusal:
            raise RefusedError(str(refusal), REFUSED) from refusal

    async def _auto_reply(self, caller: Asker, asked: Switch) -> dict[str, Any]:
        """Let the door reply by itself or not, or tell whether it does."""
        auto = self._door.replies.auto
        if auto.is_on is None:
            raise RefusedError("the door never replies by itself: prompts.auto_reply_s is 0", REFUSED)
        if asked.on is not None:
            logger.info("%s switches the door's own reply %s", _who(caller, asked), "on" if asked.on else "off")
            try:
                await asyncio.to_thread(auto.set, on=asked.on)
            except OSError as error:
                raise RefusedError(f"it holds until a restart only: it cannot be kept ({error})", REFUSED) from error
            finally:
                self.changed()
        return {"on": auto.is_on}

    async def _mute(self, _: Asker, asked: Mute) -> dict[str, Any]:
        await self._set(replace(self._door.volume.levels, **{f"{asked.what}_muted": asked.on}))
        return {"what": asked.what, "muted": asked.on}

    async def _volume(self, _: Asker, asked: Level) -> dict[str, Any]:
        if asked.gain_db is not None:
            if asked.what == "speaker":
                await self._set(replace(self._door.volume.levels, speaker_db=asked.gain_db))
            else:
                await self._set(replace(self._door.volume.levels, microphone_db=asked.gain_db))
        return {"what": asked.what, "gain_db": getattr(self._door.volume.levels, f"{asked.what}_db")}

    async def _set(self, levels: Levels) -> None:
        """Set these levels from the next block on, and after a restart."""
        try:
            await self._door.volume.set(levels)
        except OSError as error:
            raise RefusedError(f"it holds until a restart only: it cannot be kept ({error})", REFUSED) from error
        finally:
            self.changed()

    # -- the picture -----------------------------------------------------------------------------------

    async def _camera(self, caller: Asker, asked: Switch) -> dict[str, Any]:
        if self._door.camera is None:
            raise RefusedError("there is no camera: camera.source is off", REFUSED)
        privacy = self._door.privacy
        if asked.on is not None:
            logger.info("%s switches the camera %s", _who(caller, asked), "on" if asked.on else "off")
            try:
                await asyncio.to_thread(privacy.set_off, not asked.on)
            except OSError as error:
                raise RefusedError(f"it holds until a restart only: it cannot be kept ({error})", REFUSED) from error
            finally:
                self.changed()
        return {"forbidden_by": privacy.forbidden_by, "running": self._door.camera.is_running}

    async def _snapshot(self, _: Asker, asked: Still) -> dict[str, Any]:
        if asked.last:
            picture = await self._door.pictures.last()
            if picture is None:
                raise RefusedError("there is no picture of a press since the start", REFUSED)
            return {"jpeg": base64.b64encode(picture.jpeg).decode(), "at": picture.at.isoformat(timespec="seconds")}
        try:
            jpeg = await self._door.snapshot()
        except OSError as error:
            raise RefusedError(str(error), REFUSED) from error
        return {"jpeg": base64.b64encode(jpeg).decode(), "at": datetime.now(UTC).isoformat(timespec="seconds")}

    # -- the door --------------------------------------------------------------------------------------

    async def _open_door(self, caller: Asker, asked: Nothing) -> dict[str, Any]:
        try:
            opened = self._door.opener.ask(_way(caller, asked), _who(caller, asked))
        except (PanelError, NotAdmittedError) as error:
            raise RefusedError(str(error), REFUSED) from error
        if not opened:
            raise RefusedError("the door was open for as long as it may; try again in a second", REFUSED)
        return {"open_s": self._door.config.door.pulse_s}

    # -- what there is and was -------------------------------------------------------------------------

    async def _devices(self, _: Asker, __: Nothing) -> dict[str, Any]:
        return {
            "sound": self._door.devices.cards.description,
            **self._door.devices.table(),
            "camera": None if self._door.camera is None else self._door.camera.description,
            "panel": self._door.panel.about_pins(),
        }

    async def _calls(self, _: Asker, asked: Last) -> list[dict[str, Any]]:
        return [asdict(record) for record in await self._door.recorder.calls(asked.count)]

    async def _faults(self, _: Asker, asked: Last) -> list[dict[str, Any]]:
        faults = self._door.faults
        records = [*faults.open.values(), *reversed(faults.past)]
        return [fault(record, faults) for record in records[: asked.count]]

    async def _quiet(self, caller: Asker, asked: Quiet) -> dict[str, Any]:
        """Make the house quiet or let it ring, or tell how it is."""
        quiet = self._door.quiet
        if asked.quiet is not None:
            logger.info("%s makes the house %s", _who(caller, asked), "quiet" if asked.quiet else "ring again")
            try:
                await quiet.order(quiet=asked.quiet, for_s=asked.for_s, until=asked.until)
            except SignalWireError as error:
                raise RefusedError(f"the space did not take it: {error}", REFUSED) from error
        if quiet.document is None:
            raise RefusedError("no embedded space is connected, which keeps the quiet hours", REFUSED)
        return quiet.document

    async def _test_notify(self, caller: Asker, asked: Named) -> list[str]:
        names = self._door.notifications.begin_test(asked.name)
        if not names:
            raise RefusedError(f"there is no [[notify]]{' of this name' if asked.name else ''}", REFUSED)
        logger.info("%s tests the notifications of %s", _who(caller, asked), ", ".join(names))
        return names

    async def _tested_notify(self, _: Asker, asked: Named) -> dict[str, Any] | None:
        return await self._door.notifications.tested(asked.name)

    async def _metrics(self, _: Asker, __: Nothing) -> str:
        return self.figures()

    async def _log(self, _: Asker, asked: Last) -> list[str]:
        return self._recent.lines(asked.count)

    async def _diagnostics(self, caller: Asker, __: Nothing) -> dict[str, Any]:
        """Return every document of a bug report at once; the command removes the secrets."""
        frames = sys._current_frames()
        return {
            "status": self.status(),
            "devices": await self._devices(caller, Nothing()),
            "faults": await self._faults(caller, Last()),
            "calls": await self._calls(caller, Last()),
            "config": shown_settings(self._door.config),
            "metrics": self.figures().splitlines(),
            "log": self._recent.lines(DIAGNOSTICS_LINES),
            "threads": {
                thread.name: traceback.format_stack(frames[thread.ident])
                for thread in threading.enumerate()
                if thread.ident in frames
            },
            "tasks": [str(task) for task in asyncio.all_tasks()],
        }

    async def _restart(self, caller: Asker, asked: Nothing) -> dict[str, Any]:
        if "INVOCATION_ID" not in os.environ:
            raise RefusedError("systemd did not start this door, so nobody would start it again", REFUSED)
        logger.warning("%s restarts the door station", _who(caller, asked))
        asyncio.get_running_loop().call_later(RESTART_AFTER_S, os.kill, os.getpid(), signal.SIGTERM)
        return {"restarting": True}


async def _read_and_answer(
    answerer: Answerer, parameters: type[Struct], asker: Asker, params: Mapping[str, Any]
) -> Any:
    return await answerer(asker, read(params, parameters))


def _way(caller: Asker, asked: Nothing) -> Way:
    if isinstance(caller, Program):
        return caller.way
    return Way.SSH if asked.by.partition(" ")[0] == "ssh" else Way.CONTROL


def _who(caller: Asker, asked: Nothing) -> str:
    return f"{asked.by} ({caller.name})" if asked.by else caller.name
