"""A whole home in one process: the space, the door on simulated pins and real ALSA PCMs, stations in Chromium."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gpiozero.pins.mock import MockFactory, MockPWMPin

from intercom.config import AudioConfig, CallConfig, CameraConfig, Config, DoorConfig, PanelConfig, SpaceConfig
from intercom.door import registration
from intercom.door.appliance import Appliance
from intercom.door.machine import Decision, Phase, State
from intercom.space import Space
from tests.ports import reserved_port
from tests.station.waiting import remember

if TYPE_CHECKING:  # most tests of a home have no browser in it
    from playwright.async_api import BrowserContext, Page

    from tests.alsa import Heard

PATIENCE_S = 60.0


def home_config(**tables: Any) -> Config:
    """A configuration for tests: the sound server's PCMs, simulated pins, a small test pattern, free ports."""
    config = Config(
        audio=AudioConfig(capture="door_microphone", playback="door_speaker"),
        camera=CameraConfig(source="pattern", width=320, height=240, frame_rate=15),
        panel=PanelConfig(pins="simulated", page_listen="", hold_s=10.0),
        door=DoorConfig(pulse_s=0.5),
        space=SpaceConfig(listen="127.0.0.1:0"),
        call=CallConfig(),
    )
    return replace(config, **tables)


class Home:
    """The space and the door, and a finger for its button."""

    def __init__(
        self, state_dir: Path, config: Config, *, space: Space | None = None, kind: type[Appliance] = Appliance
    ) -> None:
        """A home whose space is its own, or one that runs already, and whose door is of this kind."""
        self._kind = kind
        self.config = config
        self._owns_space = space is None
        self.state_dir = state_dir
        self.pins = MockFactory(pin_class=MockPWMPin)
        self._was_in: set[State] = set()
        self._held = ExitStack()
        self.space = space or Space(config.space, state_dir / "space", history=config.history)
        self.door: Appliance | None = None

    @property
    def machine_state(self) -> State:
        """The door's state."""
        assert self.door is not None
        return State(self.door.machine.state)

    async def start(self) -> None:
        """Start both and wait until the door is registered."""
        if self._owns_space:
            port = self._held.enter_context(reserved_port())
            self.space = self._space_at(port)
            await self.space.start()
        self.space.store.add_subscriber("door", "Front door", kind="door")
        self.space.write_credential("door", self.state_dir / "door.json")
        await self._start_door()

    def _space_at(self, port: int) -> Space:
        listen = f"127.0.0.1:{port}"
        return Space(replace(self.config.space, listen=listen), self.state_dir / "space", history=self.config.history)

    async def _start_door(self) -> None:
        self.door = self._kind(self.config, state_dir=self.state_dir, pin_factory=self.pins)
        machine = self.door.machine
        passed_on = machine.on_decision

        def decided(decision: Decision) -> None:
            self._was_in.add(decision.dest)
            passed_on(decision)

        machine.on_decision = decided
        if (camera := self.door.camera) is not None:
            # One to which a busy machine gives no time is not lost, nor is the door that it belongs to recovering.
            camera._start_s = camera._stall_s = PATIENCE_S
        registration.START_PATIENCE_S = PATIENCE_S  # nor is a space that has no time to answer
        await self.door.start()
        await self.until(State.IDLE)

    async def crash_and_start_again(self) -> None:
        """The door's process dies without a word to anybody, and a new one starts."""
        assert self.door is not None
        dead = self.door
        await dead.client._client.link.stop()  # the socket dies; a process that dies says no goodbye to the service
        await dead.stop()
        self.pins.reset()
        await self._start_door()

    async def restart_space(self, meanwhile: Callable[[], Awaitable[None]]) -> None:
        """The space goes away, something happens, and it comes back at the same port."""
        port = self.space.port
        await self.space.stop()
        door = self.door
        assert door is not None
        await self.wait_for(lambda: not door.machine.registered, "the door to notice")
        await meanwhile()
        self.space = self._space_at(port)
        await self.space.start()

    async def stop(self) -> None:
        """Stop both."""
        if self.door is not None:
            await self.door.stop()
        if self._owns_space:
            await self.space.stop()
        self._held.close()

    async def press(self) -> None:
        """Put a finger on the button, and take it away."""
        await asyncio.to_thread(self._tap)

    def _tap(self) -> None:
        # Not on the door's loop: while that is busy, the finger would stay, and a finger that stays ends the ringing.
        pin = self.pins.pin(self.config.panel.button_gpio)
        pin.drive_low()
        # A finger within the lock-out of the press before counts if it stays until the end of that.
        time.sleep((2 * self.config.panel.button_settle_ms + self.config.panel.button_lockout_ms) / 1000 + 0.05)
        pin.drive_high()

    async def hold(self) -> None:
        """Hold the button until that is noticed."""
        assert self.door is not None
        panel, pin = self.door.panel, self.pins.pin(self.config.panel.button_gpio)
        passed_on, noticed = panel.on_hold, threading.Event()
        assert passed_on is not None

        def held() -> None:
            noticed.set()
            passed_on()

        panel.on_hold = held
        pin.drive_low()
        await self.wait_for(noticed.is_set, "the button to be held")
        pin.drive_high()

    def relay_is_on(self) -> bool:
        """The level of the relay's pin."""
        return bool(self.pins.pin(self.config.door.relay_gpio).state)

    def relay_was_on(self) -> bool:
        """Whether the relay has been on, even if a pulse is over by now."""
        return any(level for _, level in self.pins.pin(self.config.door.relay_gpio).states)

    def relay_pulses(self) -> int:
        """How often the relay has been switched on."""
        return sum(bool(level) for _, level in self.pins.pin(self.config.door.relay_gpio).states)

    async def was(self, state: State) -> None:
        """Wait until the door is in this state, or has been in it."""
        await self.wait_for(lambda: state in self._was_in, f"the door to have been {state}")

    async def until(self, state: State) -> None:
        """Wait until the door is in this state."""
        await self.wait_for(lambda: self.machine_state is state, f"the door to be {state}")

    async def talks(self) -> None:
        """Wait until the call is answered, whatever fault is open, as of a camera that a busy machine gives no time."""
        door = self.door
        assert door is not None
        await self.wait_for(lambda: door.machine.phase is Phase.ACTIVE, "the call to be answered")

    async def sounds(self, ear: Heard, hz: float) -> None:
        """Wait until this tone comes out of the door's speaker; a failure tells what the door had received."""
        try:
            await asyncio.to_thread(ear.wait_for_tone, hz)
        except AssertionError as missed:
            assert self.door is not None
            call = self.door.calls.call
            missed.add_note(f"the door's call: {None if call is None else self.door.media.stats(call.id)}")
            missed.add_note(f"its sound: {self.door.engine.stats()}")
            raise

    async def wait_for(self, holds: Callable[[], bool], what: str, timeout_s: float = PATIENCE_S) -> None:
        """Wait until something holds."""
        give_up = time.monotonic() + timeout_s
        while not holds():
            assert time.monotonic() < give_up, f"waited {timeout_s} s for {what}"
            await asyncio.sleep(0.01)

    async def wait_for_async(
        self, ask: Callable[[], Awaitable[Any]], holds: Callable[[Any], bool], what: str, timeout_s: float = PATIENCE_S
    ) -> None:
        """Wait until an answer is the wanted one."""
        give_up = time.monotonic() + timeout_s
        while not holds(await ask()):
            assert time.monotonic() < give_up, f"waited {timeout_s} s for {what}"
            await asyncio.sleep(0.05)


class Station:
    """The station page in a browser of its own."""

    def __init__(self, page: Page) -> None:
        self.page = page

    @classmethod
    async def pair(cls, context: BrowserContext, space: Space, name: str = "Kitchen") -> Station:
        """Open the page with a pairing code and wait until it is ready."""
        page = await context.new_page()
        await remember(page)
        await page.goto(space.invite(name=name).url)
        station = cls(page)
        await station.until("ready")
        return station

    async def until(self, state: str) -> None:
        """Wait until the page shows a state."""
        await self.page.wait_for_selector(f"body[data-state={state}]", timeout=PATIENCE_S * 1000)

    async def click(self, selector: str) -> None:
        """Click something."""
        await self.page.click(selector, timeout=PATIENCE_S * 1000)

    async def frames(self) -> int:
        """How many pictures of the door were decoded."""
        count: int = await self.page.evaluate(
            "() => document.querySelector('#remote-video').getVideoPlaybackQuality().totalVideoFrames"
        )
        return count

    async def hears(self, hz: float, timeout_s: float = PATIENCE_S) -> float:
        """Wait for a tone in the received audio; its height over the median of the spectrum in dB."""
        height: float = await self.page.evaluate(_HEARS, {"hz": hz, "ms": timeout_s * 1000})
        return height


_HEARS = """async ({hz, ms}) => {
  const stream = document.querySelector('#remote-audio').srcObject ?? document.querySelector('#remote-video').srcObject;
  const context = new AudioContext();
  await context.resume();
  const analyser = context.createAnalyser();
  analyser.fftSize = 8192;
  analyser.smoothingTimeConstant = 0;
  context.createMediaStreamSource(new MediaStream(stream.getAudioTracks())).connect(analyser);
  const bins = new Float32Array(analyser.frequencyBinCount);
  const at = Math.round(hz / context.sampleRate * analyser.fftSize);
  const end = performance.now() + ms;
  let height = -Infinity;
  while (performance.now() < end && height < 30) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    analyser.getFloatFrequencyData(bins);
    const median = Float32Array.from(bins).sort()[bins.length >> 1];
    const peak = Math.max(...bins.slice(at - 2, at + 3));
    if (peak > -70) height = peak - Math.max(median, -200);
  }
  await context.close();
  return height;
}"""
