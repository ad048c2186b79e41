"""What `bench replug` measures, inside the guest."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.contrib.media import MediaPlayer, MediaRecorder
from aiortc.mediastreams import MediaStreamError, MediaStreamTrack
from av import AudioFrame, AudioResampler

from intercom.devices import Finder
from intercom.signalwire import WebRTCCall
from tests.alsa import tone, tone_level_db
from tests.hardware.gpio import GpioChip
from tests.hardware.headset import Headset
from tests.hardware.house import PINS, House
from tests.hardware.resident import Resident
from tests.hardware.wait import eventually

RESIDENT_HZ, VISITOR_HZ = 1000, 1500
LIMIT_S = 20.0
STOCK_LIMIT_S = 5.0
LOOK_S = 0.003
AWAY_S = (0.2, 1.5)
"""How long the headset lies beside its socket."""
WINDOW = 960
"""20 ms: the shortest sound that is told from the notice."""
AHEAD = 15
"""Real-time priority of the house's end: after the headset, before the door's sound."""
PCM = "plughw:CARD=Headset,DEV=0"
MONO = {"channels": "1", "sample_rate": "48000"}


class Moment:
    """When something first happened, watched by a thread of its own."""

    def __init__(self, happened: Callable[[], object]) -> None:
        self.at: float | None = None
        self._happened = happened
        self._enough = threading.Event()
        threading.Thread(target=self._watch, daemon=True).start()

    def _watch(self) -> None:
        while not self._enough.is_set():
            if self._happened():
                self.at = time.monotonic()
                return
            time.sleep(LOOK_S)

    async def wait(self, what: str) -> float:
        """When it happened, on the monotonic clock, seconds; TimeoutError if it does not."""
        try:
            await eventually(lambda: self.at is not None, LIMIT_S, what)
        finally:
            self._enough.set()
        assert self.at is not None
        return self.at


def pcms_there_s() -> float:
    """When the last PCM of a USB card came into /dev/snd (monotonic clock, to a tick of 10 ms): none opens before.

    The kernel notes it, so that nobody has to look meanwhile: the guest has one processor.
    """
    nodes = [str(node) for number in _usb_numbers() for node in Path("/dev/snd").glob(f"pcmC{number}D*")]
    births = subprocess.run(["stat", "-c", "%.3W", *nodes], check=True, capture_output=True, text=True).stdout.split()
    return max(map(float, births)) - time.time() + time.monotonic()


def _usb_numbers() -> list[str]:
    lines = Path("/proc/asound/cards").read_text().splitlines()
    return [line.split()[0] for line in lines if "USB-Audio" in line]


async def replugs(
    house: House, headset: Headset, chip: GpioChip, resident: Resident, call: WebRTCCall, cycles: int
) -> dict[str, object]:
    """Pull it out and put it back, again and again, in one call."""
    kernel, opened, gaps, lights, dropped = [], [], [], [], 0
    chance = random.Random(1)
    for number in range(cycles):
        await eventually(lambda: house.status()["lights"] == "in call", LIMIT_S, "the light is as in any call")
        light = Moment(lambda: chip.is_high(PINS.red_gpio))
        pulled = headset.unplug()
        lights.append(1000 * (await light.wait("the light shows that the headset is gone") - pulled))
        await asyncio.sleep(chance.uniform(*AWAY_S))
        resident.ear.wait_for(VISITOR_HZ, WINDOW)
        plugged = headset.plug(wait=False)
        await eventually(lambda: resident.ear.heard_at_s, LIMIT_S, "the house hears the visitor")
        await eventually(lambda: headset.report().sound_at_s, LIMIT_S, "the visitor hears the house")
        there, told = pcms_there_s(), headset.report()
        both_heard = max(resident.ear.heard_at_s or 0.0, told.sound_at_s or 0.0)
        kernel.append(1000 * (there - plugged))
        opened.append(1000 * ((told.opened_at_s or 0.0) - there))
        gaps.append(1000 * (both_heard - there))
        dropped += call.status != "connected"
        print(f"{number + 1}: light {lights[-1]:.0f} ms, open {opened[-1]:.0f} ms, gap {gaps[-1]:.0f} ms", flush=True)
    return {"kernel_ms": kernel, "opened_ms": opened, "gaps_ms": gaps, "lights_ms": lights, "dropped": dropped}


async def ours(cycles: int) -> dict[str, object]:
    """The package as it is installed: the space and the door as processes, and a resident who answers."""
    with tempfile.TemporaryDirectory() as folder, GpioChip() as chip, Headset() as headset:
        headset.tone(VISITOR_HZ)
        headset.plug()
        with House(Path(folder), chip) as house:
            async with Resident(house.join("kitchen"), RESIDENT_HZ) as resident:
                go_ahead()
                lines = (PINS.red_gpio, PINS.green_gpio, PINS.blue_gpio)
                await eventually(lambda: all(chip.is_high(line) for line in lines), LIMIT_S, "the door is idle")
                house.press()
                call = await resident.rings(LIMIT_S)
                await call.answer(audio=True, video=False)
                await eventually(lambda: headset.hears(RESIDENT_HZ), LIMIT_S, "the visitor hears the house")
                await eventually(lambda: resident.hears(VISITOR_HZ), LIMIT_S, "the house hears the visitor")
                return await replugs(house, headset, chip, resident, call, cycles)


def go_ahead() -> None:
    """Let all that this process does go before the door's: the house's end has a machine of its own."""
    for thread in Path("/proc/self/task").iterdir():
        os.sched_setscheduler(int(thread.name), os.SCHED_RR, os.sched_param(AHEAD))


class Tone(MediaStreamTrack):
    """The house's voice."""

    kind = "audio"

    def __init__(self) -> None:
        super().__init__()
        self._blocks = np.split(tone(RESIDENT_HZ, 1.0), 50)
        self._began = time.monotonic()
        self._sent = 0

    async def recv(self) -> AudioFrame:
        await asyncio.sleep(max(0.0, self._began + self._sent * 0.02 - time.monotonic()))
        frame = AudioFrame.from_ndarray(self._blocks[self._sent % 50].reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = 48_000, self._sent * 960, Fraction(1, 48_000)
        self._sent += 1
        return frame


class Ear:
    """What the house hears: the last 20 ms."""

    def __init__(self) -> None:
        self.last = np.zeros(960, np.int16)

    async def listen(self, track: MediaStreamTrack) -> None:
        mono = AudioResampler("s16", "mono", 48_000)
        with contextlib.suppress(MediaStreamError):
            while True:
                frame = await track.recv()
                assert isinstance(frame, AudioFrame)
                self.last = np.concatenate([part.to_ndarray()[0] for part in mono.resample(frame)])

    def hears(self) -> bool:
        return tone_level_db(self.last, VISITOR_HZ) > -35.0


async def stock_call(headset: Headset) -> bool:
    """One call of stock aiortc with the headset pulled out and put back; whether it lives."""
    door, house = (RTCPeerConnection(RTCConfiguration(iceServers=[])) for _ in range(2))
    player, speaker, ear = MediaPlayer(PCM, format="alsa", options=MONO), MediaRecorder(PCM, format="alsa"), Ear()
    listening: list[asyncio.Task[None]] = []
    door.on("track", speaker.addTrack)
    house.on("track", lambda track: listening.append(asyncio.ensure_future(ear.listen(track))))
    assert player.audio is not None
    door.addTrack(player.audio)
    house.addTrack(Tone())
    await door.setLocalDescription(await door.createOffer())
    await house.setRemoteDescription(RTCSessionDescription(door.localDescription.sdp, "offer"))
    await house.setLocalDescription(await house.createAnswer())
    await door.setRemoteDescription(RTCSessionDescription(house.localDescription.sdp, "answer"))
    await speaker.start()

    async def both_ways(limit_s: float) -> None:
        await eventually(ear.hears, limit_s, "the house hears the visitor")
        await eventually(lambda: headset.hears(RESIDENT_HZ), limit_s, "the visitor hears the house")

    try:
        await both_ways(LIMIT_S)
        headset.unplug()
        await eventually(lambda: not _usb_numbers(), LIMIT_S, "the card goes")
        ear.last = np.zeros(960, np.int16)
        headset.plug()
        try:
            await both_ways(STOCK_LIMIT_S)
        except TimeoutError:
            return False
        return True
    finally:
        for closing in (speaker.stop(), door.close(), house.close()):
            with contextlib.suppress(Exception):
                await asyncio.wait_for(closing, 3.0)
        for task in listening:
            task.cancel()


async def stock(calls: int) -> dict[str, object]:
    """Calls of stock aiortc, each with one replug; a headset of its own for each, so that no handle is left open."""
    lives = []
    for _ in range(calls):
        with Headset() as headset:
            headset.tone(VISITOR_HZ)
            headset.plug()
            with contextlib.suppress(OSError):  # the wheel's ALSA fails at its first look, over a sound server's hook
                av.open(PCM, "r", format="alsa", options=MONO).close()
            lives.append(await stock_call(headset))
            print(f"stock aiortc: the call {'lives' if lives[-1] else 'is silent'}", flush=True)
        await eventually(lambda: not Finder().sound_cards()[1:], LIMIT_S, "the card goes")
    return {"stock_tried": calls, "stock_dropped": lives.count(False)}


async def _main(cycles: int, stock_calls: int, result: Path) -> None:
    measured = await ours(cycles)
    result.write_text(json.dumps(measured | await stock(stock_calls)))


if __name__ == "__main__":
    asyncio.run(_main(int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])))
