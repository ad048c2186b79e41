"""The composition root of the door station: builds the parts from the configuration and joins them to the machine."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from intercom.config import Config
from intercom.devices import DeviceRecovery
from intercom.door.account import credentials_of, options_of
from intercom.door.alarms import HouseAlarms
from intercom.door.auto_reply import AutoReply
from intercom.door.calls.calls import Calls
from intercom.door.calls.kept_press import press_file
from intercom.door.calls.press import passed_on
from intercom.door.calls.ring_plan import RingPlans
from intercom.door.camera.camera_privacy import CameraPrivacy
from intercom.door.camera.press_snapshot import PressPictures
from intercom.door.camera.views import Views
from intercom.door.client_events import ClientEvents
from intercom.door.devices import DoorDevices
from intercom.door.entrance.entrance import Entrance
from intercom.door.events import PartEvents
from intercom.door.feedback import Feedback
from intercom.door.handlers import Handlers
from intercom.door.health.disk_watch import DiskWatch
from intercom.door.health.faults import Faults, Part
from intercom.door.health.restarts import Restarts
from intercom.door.health.supervisor import PartFailedError, Restart
from intercom.door.integrations import Integrations, programs
from intercom.door.machine import Decision, Machine, Phase, State
from intercom.door.messages.assembly import messages_of
from intercom.door.notifications import Notifications
from intercom.door.parts import Parts, present_picture
from intercom.door.preload import warm_up
from intercom.door.quiet import HouseQuiet
from intercom.door.registration import Registration
from intercom.door.replies import Replies
from intercom.door.volume import Volume
from intercom.facts import StateChanged
from intercom.history.call_log import CallLog
from intercom.history.call_recorder import CallRecorder
from intercom.history.figures import Figures
from intercom.history.journal import Entry, Journal
from intercom.integrations.access import Access
from intercom.media.camera.choice import Camera, open_camera
from intercom.media.camera.events import CameraChosen, CameraEvent, VideoEvent
from intercom.media.echo.canceller import EchoCanceller, open_canceller
from intercom.media.echo.watch import warn_of_echo
from intercom.media.errors import MediaError
from intercom.media.events import CallEvent, EngineEvent
from intercom.media.prompts.prompts import Prompts
from intercom.media.provider import DoorMedia, Sending
from intercom.media.sound.engine import AudioEngine
from intercom.media.sound.tones import tones_of
from intercom.opening.opener import DoorOpener
from intercom.panel import FrontPanel, PanelError
from intercom.panel.simulated.page import PanelPage
from intercom.signalwire import FileStorage, SignalWire, SignalWireError
from intercom.signalwire.wire.messages import Event
from intercom.tasks import TaskSet, bounded

logger = logging.getLogger(__name__)

MENDABLE = (PanelError, MediaError, SignalWireError, PartFailedError)
"""Errors reported as one line instead of a traceback: the user can fix them, or a restart will."""
STOP_PART_S = 0.7
"""Time limit for stopping one part; the parts stop in two steps, and Ctrl-C allows two seconds."""
SESSION_OVERDUE_S = 30.0
"""Delay after which the session counts as stalled; a loaded machine may be seconds late."""


class Appliance:
    """The door station. `start()` returns when its lights are on; it registers, and stays registered, by itself."""

    def __init__(self, config: Config, *, state_dir: Path, pin_factory: Any = None) -> None:
        """Build the parts, on the event loop that will run them; nothing runs before `start()`."""
        self.config = config
        self._loop = asyncio.get_running_loop()
        self.journal = Journal(partial(self._failed, Part.HOUSEKEEPING))
        self.faults = Faults(self.journal.tell)
        self.machine = Machine(self._decided, faults=self.faults)
        self.panel = FrontPanel(config.panel, config.door, config.camera, pin_factory=pin_factory)
        self.devices = DoorDevices(config, state_dir, simulated=self.panel.simulated, on_event=self._device_event)
        canceller = open_canceller(config.audio.echo_canceller, half_duplex=config.audio.half_duplex)
        tones = tones_of(config.audio.tones_dir)
        self.engine = AudioEngine(self.devices.cards, on_event=self._engine_event, tones=tones, canceller=canceller)
        self.prompts = Prompts(config.prompts.languages, cache=state_dir / "prompts", replaced=tones.prompts)
        self.volume = Volume(self.engine, self.devices.cards, config.audio, state_dir)
        self.camera: Camera | None = open_camera(
            config.camera,
            on_event=self._camera_event,
            device=self.devices.camera_file,
            has_ribbon=self.devices.has_ribbon_camera,
        )
        self.privacy = CameraPrivacy(self.camera, self.panel.camera, state_dir)
        self.pictures = PressPictures(partial(present_picture, self.camera), bell=lambda: passed_on(self.calls.ringing))
        self.media = DoorMedia(
            self.engine,
            lambda: self.camera,
            on_event=self._media_event,
            sending=Sending(dtx=config.audio.dtx, redundancy=config.audio.redundancy),
            hears_tones=config.door.keys_in_sound,
        )
        self.figures = Figures(stats=self.media.stats)
        self.recorder = CallRecorder(
            CallLog(state_dir / "calls.db", keep_calls=config.history.keep_calls, keep_days=config.history.keep_days),
            stats=self.media.stats,
            look=self.pictures.of_now if config.history.snapshots and self.camera is not None else None,
            on_defect=partial(self._failed, Part.CALL_LOG),
        )
        self.opener = DoorOpener(
            config.door,
            lock=self.panel.door,
            tell=self.journal.tell,
            programs=programs(config),
            tampered=lambda: self.entrance.blocks_keys,
        )
        self.entrance = Entrance(
            config.door, state_dir, self.panel.entrance, self.opener, self.faults, tell=self.journal.tell
        )
        self.client = SignalWire(
            credentials_of(config, state_dir),
            media=self.media,
            storage=FileStorage(state_dir / "signalwire.json"),
            options=options_of(config),
        )
        self.feedback = Feedback(self.panel, self.engine, self.machine, self._loop, self.prompts)
        in_space = config.account.credential == "space"
        self.calls = Calls(
            config.call,
            machine=self.machine,
            client=self.client,
            feedback=self.feedback,
            opener=self.opener,
            tell=self.journal.tell,
            on_defect=partial(self._failed, Part.CALLS),
            in_space=in_space,
            plans=RingPlans(config.call, config.panel.buttons, at_once=in_space),
            press_file=press_file(state_dir),
        )
        self.registration = Registration(
            self.client, faults=self.faults, machine=self.machine, calls=self.calls, tell=self.journal.tell
        )
        self.views = Views(
            config,
            camera=self.camera,
            beside=self.engine.beside,
            pictures=self.pictures,
            client=self.client,
            tell=self.journal.tell,
            on_defect=partial(self._failed, Part.CALLS),
        )
        self.replies = Replies(
            config,
            auto=AutoReply(config.prompts, state_dir),
            prompts=self.prompts,
            voice=self.feedback.voice,
            client=self.client,
            tell=self.journal.tell,
            on_defect=partial(self._failed, Part.CALLS),
        )
        self.messages = messages_of(
            config,
            state_dir,
            engine=self.engine,
            camera=self.camera,
            feedback=self.feedback,
            machine=self.machine,
            tell=self.journal.tell,
            on_defect=partial(self._failed, Part.HOUSEKEEPING),
        )
        self.notifications = Notifications(config, state_dir, faults=self.faults, look=self.pictures.of_now)
        self.quiet = HouseQuiet(config, client=self.client, tell=self.journal.tell)
        self.alarms = HouseAlarms(config, client=self.client, opener=self.opener, faults=self.faults)
        self.client_events = ClientEvents(
            self.client,
            registered=self.registration.changed,
            incoming=self.calls.incoming,
            told=(self._service_told, self.quiet.take),
        )
        self.integrations = Integrations(config, state_dir, access=self._access, on_failure=self._failed)
        self.parts = Parts(
            config=config,
            machine=self.machine,
            faults=self.faults,
            panel=self.panel,
            devices=self.devices,
            engine=self.engine,
            canceller=canceller,
            volume=self.volume,
            camera=self.camera,
            privacy=self.privacy,
            pictures=self.pictures,
            views=self.views,
            media=self.media,
            recorder=self.recorder,
            figures=self.figures,
            opener=self.opener,
            client=self.client,
            entrance=self.entrance,
            feedback=self.feedback,
            calls=self.calls,
            replies=self.replies,
            messages=self.messages,
            notifications=self.notifications,
            quiet=self.quiet,
            integrations=self.integrations,
        )
        self.handlers = Handlers(self.parts, state_dir, self.journal, self._failed)
        self.restarts = Restarts(
            self._restart_of_each_part(), machine=self.machine, faults=self.faults, broken=self.feedback.broken
        )
        self.disk = DiskWatch(
            state_dir,
            full=partial(self.faults.begin, Part.DISK),
            room=partial(self.faults.clear, Part.DISK),
        )
        self.restarts.keep("registering", self.registration.keep, Part.CLIENT)
        for name, work in (
            *(("night", self.volume.watch_the_clock), ("call log", self.recorder.forget_daily)),
            *(("disk", self.disk.run), ("messages", self.messages.run), ("guesses", self.alarms.guesses.run)),
        ):
            self.restarts.keep(name, work)
        self.restarts.keep("notifications", self.notifications.run, Part.NOTIFY)
        self.restarts.keep("entrance", self.entrance.run, Part.ENTRANCE_PINS)
        if isinstance(canceller, EchoCanceller):
            self.restarts.keep("echo", partial(warn_of_echo, canceller, self._call_id))
        self._tasks = TaskSet(partial(self._failed, Part.HOUSEKEEPING))
        self.events = PartEvents(self.parts, self.restarts, in_loop=self._in_loop, spawn=self._tasks.spawn)
        self.page: PanelPage | None = None
        self.on_change: Callable[[], None] = lambda: None
        self._reported_state: tuple[State, Phase] | None = None
        for listener in (
            *(self.figures.take, self.recorder.take, self._show_change, self.feedback.take, self.replies.hear),
            *(self.views.hear, self.quiet.hear, self.notifications.take, self.messages.take, self.calls.take),
            *(self.entrance.hear, self.alarms.hear, self.events.urgency.hear),
        ):
            self.journal.subscribe(listener)

    def _restart_of_each_part(self) -> dict[Part, Restart | None]:
        """Return for each supervised part what restarts it; None if nothing does."""
        return {
            Part.AUDIO_THREAD: partial(asyncio.to_thread, self.engine.restart),
            **{
                part: partial(asyncio.to_thread, self.panel.restart, part.value)
                for part in (Part.BUTTON, Part.LIGHTS, Part.GUARD, Part.CHIME)
            },
            Part.CALLS: self._mend_calls,
            Part.CLIENT: self._renew_client,
            Part.CONTROL_SOCKET: self.handlers.restart_socket,
            Part.METRICS: self.handlers.restart_figures,
            **dict.fromkeys((Part.RELAY, Part.CAMERA_PINS, Part.CALL_LOG, Part.DISK)),
            **dict.fromkeys((Part.NOTIFY, Part.ENTRANCE_PINS, Part.HOUSEKEEPING), self._begin_again),
            **self.integrations.restarts(),
        }

    async def _mend_calls(self) -> None:
        self.calls.end_what_nobody_follows()

    async def _renew_client(self) -> None:
        self.client_events.follow()
        self.restarts.begin_lasting()
        self.client.renew()

    async def _begin_again(self) -> None:
        self.restarts.begin_lasting()
        if self.camera is not None:
            self.camera.resume()

    def _failed(self, part: Part, error: BaseException) -> None:
        self.restarts.failed(part, error)

    # Some parts are built before what they use.

    def _access(self, part: Part) -> Access:
        return self.handlers.access(part)

    def _device_event(self, event: DeviceRecovery) -> None:
        self.events.device(event)

    def _engine_event(self, event: EngineEvent) -> None:
        self.events.engine(event)

    def _camera_event(self, event: CameraEvent) -> None:
        if isinstance(event, CameraChosen):  # while it is built
            logger.debug("%s", event)
        else:
            self.events.camera(event)

    def _media_event(self, event: CallEvent | VideoEvent) -> None:
        self.events.media(event)

    def _call_id(self) -> str | None:
        ongoing = self.recorder.call
        return None if ongoing is None else ongoing.call.id

    @property
    def summary(self) -> str:
        """Describe in one line the door's present activity."""
        parts = [str(self.machine.state), "registered" if self.machine.registered else "not registered"]
        if self.faults.open:
            parts.append(f"faults: {', '.join(sorted(self.faults.open))}")
        return "; ".join(parts)

    def stalled(self) -> str | None:
        """Name the part that has stalled since the last look, or None."""
        if not self.engine.came_round():
            return "the audio thread stands still"
        if (overdue_s := self.client.overdue_s) > SESSION_OVERDUE_S:
            return f"the session stands still for {overdue_s:.0f} s"
        return None

    async def start(self) -> None:
        """Start every part, those that a visitor would notice first."""
        self.feedback.update()
        self.panel.on_press = self._pressed
        self.events.follow_panel(self.journal.tell)
        await self.volume.start()
        self.devices.start(self.engine)
        self.engine.start()
        self.calls.ring_on()
        self.client_events.follow()
        self.restarts.start()
        await self.handlers.start()
        if self.panel.simulated and self.config.panel.page_listen:
            self.page = PanelPage(self.panel, self.config.panel.page_listen, self.parts.peek)
            await self.page.start()
        self._tasks.spawn(warm_up(self.client, self.media, self.replies, self.camera, self.journal))
        self._tasks.spawn(self.registration.miss())
        self.integrations.start()

    async def wait_failed(self) -> None:
        """Wait until a part fails in a way that only a restart fixes, and raise `PartFailedError`."""
        await self.restarts.wait_ended()

    async def stop(self) -> None:
        """Lock the door and stop every part, however far `start()` came; a part that hangs does not delay the rest."""
        self.panel.door.close()
        ending = self.calls.call
        self.recorder.stopping((ending and ending.end_cause) or "NORMAL_CLEARING")
        self.devices.stop()
        self.client_events.unfollow()
        self.restarts.stop()
        self._tasks.cancel()
        for part in (self.handlers, self.pictures, self.views, self.replies, self.messages, self.alarms):
            await bounded(type(part).__name__, part.stop(), STOP_PART_S)
        await bounded("calls", self.calls.stop(), STOP_PART_S)
        self.feedback.close()
        await asyncio.gather(
            bounded("call log", self.recorder.stop(), STOP_PART_S),
            bounded("client", self.client.destroy(), STOP_PART_S),
            bounded("sound", asyncio.to_thread(self.engine.stop), STOP_PART_S),
            bounded("camera", asyncio.to_thread(self.camera.stop) if self.camera else None, STOP_PART_S),
            bounded("integrations", self.integrations.stop(), STOP_PART_S),
            bounded("panel page", self.page.stop() if self.page else None, STOP_PART_S),
        )
        self.panel.close()

    def _service_told(self, event: Event) -> None:
        for part in (self.views, self.replies):
            part.take(event.event_type, event.params)

    def _decided(self, decision: Decision) -> None:
        if decision.source is not decision.dest:
            logger.info("%s -> %s: %s", decision.source, decision.dest, decision.reason)
        if self._reported_state != (reached := (decision.dest, decision.phase)):
            self._reported_state = reached
            self.journal.tell(StateChanged(decision.dest.value, decision.phase.value, decision.reason))
        self.feedback.update()
        self.restarts.decided(decision)

    def _show_change(self, _: Entry) -> None:
        """Show those who watch the status, and systemd, what a fact has changed."""
        self.handlers.changed()
        self.on_change()

    def _pressed(self, button: str) -> None:
        """Answer the visitor at once, on the button's thread, without waiting for the event loop."""
        self.feedback.pressed()
        ring = self.entrance.chime_of_a_press()
        self._in_loop(self._press, button)
        ring()

    def _press(self, button: str) -> None:
        if self.messages.pressed():
            return
        if self.camera is not None:
            self.pictures.press()
        self.entrance.pressed()
        self.calls.press(button)

    def _in_loop(self, work: Callable[..., object], *arguments: Any) -> None:
        """Call a function on the event loop; may be called on any thread. One that raises counts as a failed part."""
        self._loop.call_soon_threadsafe(work, *arguments)
