"""Mouth to ear: from the sample that a microphone captures to its sounding at the far speaker.

Both ends run in this process on paced cards, so both PCM buffers count; what real hardware adds (a converter's filter,
a USB frame or two: 2 to 5 ms an end) does not. Packets are lost and delayed at the receiver, by seed.
"""

from __future__ import annotations

import asyncio
import random
import statistics
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import MediaStreamTrack
from aiortc.rtp import RtpPacket
from av import AudioFrame

from bench._paced import BenchCards, delays_ms, now
from bench.report import Report, percentile
from intercom.media.engine import AudioEngine
from intercom.media.peer import DoorCall, DoorMedia
from intercom.media.sound import BLOCK_SAMPLES, RATE_HZ

SETTLE_S = 3.0
CLEAN_S = 30.0
IMPAIRED_S = 30.0
RECOVERY_S = 8.0
TARGET_MS = 80.0

Impair = Callable[[], float | None]
"""For each packet: how many seconds later it arrives; None = never."""


@dataclass
class Period:
    """A stretch of the run."""

    begin: float
    end: float

    def of(self, measured: list[tuple[float, float | None]]) -> list[tuple[float, float | None]]:
        return [(at, delay) for at, delay in measured if self.begin <= at < self.end - 0.5]


def loss(share: float, seed: int = 1) -> Impair:
    chance = random.Random(seed)
    return lambda: None if chance.random() < share else 0.0


def jitter(most_s: float, seed: int = 2) -> Impair:
    chance = random.Random(seed)
    return lambda: chance.uniform(0, most_s)


def bursts(seed: int = 3) -> Impair:
    """Every two seconds or so three packets in a row are lost."""
    chance = random.Random(seed)
    left = 0

    def step() -> float | None:
        nonlocal left
        if left == 0 and chance.random() < 0.01:
            left = 3
        if left:
            left -= 1
            return None
        return 0.0

    return step


SCENES: dict[str, Impair] = {
    "loss1": loss(0.01),
    "loss2": loss(0.02),
    "loss5": loss(0.05),
    "burst": bursts(),
    "jitter80": jitter(0.080),
}


def impair_call(call: DoorCall, scene: list[Impair | None]) -> None:
    """Stand before the call's receiver; `scene[0]` is what happens to a packet now."""
    receive = call._far_end.receive

    def impaired(packet: RtpPacket, codec: str | None) -> None:
        late_s = scene[0]() if scene[0] is not None else 0.0
        if late_s is None:
            return
        if late_s:
            asyncio.get_running_loop().call_later(late_s, receive, packet, codec)
        else:
            receive(packet, codec)

    call._far_end.receive = impaired  # type: ignore[method-assign] # the bench is the network


async def ours(figures: dict[str, float]) -> None:
    mouth, ear = BenchCards(), BenchCards()
    engines = [AudioEngine(cards, on_event=lambda event: None) for cards in (mouth, ear)]
    for engine in engines:
        engine.start()
    caller = DoorMedia(engines[0], on_event=lambda event: None).open("mouth", [])
    callee = DoorMedia(engines[1], on_event=lambda event: None).open("ear", [])
    scene: list[Impair | None] = [None]
    periods: dict[str, Period] = {}
    sounded: dict[str, tuple[float, float]] = {}
    try:
        await caller.accept_answer(await callee.create_answer(await caller.create_offer()))
        impair_call(callee, scene)
        await asyncio.sleep(SETTLE_S)
        began = now()
        await asyncio.sleep(CLEAN_S)
        periods["clean"] = Period(began, now())
        for name, impairment in SCENES.items():
            scene[0] = impairment
            before = callee.stats().far_end
            began = now()
            await asyncio.sleep(IMPAIRED_S)
            after = callee.stats().far_end
            periods[name] = Period(began, now())
            scene[0] = None
            if before is not None and after is not None:
                sounded[name] = (after.lost_s - before.lost_s, after.played_s - before.played_s)
            began = now()
            await asyncio.sleep(RECOVERY_S)
            periods[f"after_{name}"] = Period(began, now())
        await asyncio.sleep(0.6)
    finally:
        await asyncio.gather(caller.close(), callee.close())
        for engine in engines:
            engine.stop()
    measured = delays_ms(mouth.microphone.clicks(now() - 0.6), ear.speaker.heard)
    summarise(figures, periods, measured, sounded)


def summarise(
    figures: dict[str, float],
    periods: dict[str, Period],
    measured: list[tuple[float, float | None]],
    sounded: dict[str, tuple[float, float]],
) -> None:
    for name, period in periods.items():
        inside = period.of(measured)
        heard = [delay for _, delay in inside if delay is not None]
        if name == "clean":
            figures["p50_ms"] = round(statistics.median(heard), 1)
            figures["p95_ms"] = round(percentile(heard, 95), 1)
            times = [at for at, delay in inside if delay is not None]
            figures["drift_ms_per_min"] = round(float(np.polyfit(times, heard, 1)[0]) * 60, 2)
        elif name.startswith("after_"):
            slow = [at - period.begin for at, delay in inside if delay is None or delay > TARGET_MS]
            figures[f"{name.removeprefix('after_')}_recovered_after_s"] = round(max(slow, default=0.0), 1)
        else:
            lost_s, played_s = sounded[name]
            figures[f"{name}_p95_ms"] = round(percentile(heard, 95), 1) if heard else float("nan")
            figures[f"{name}_lost_percent"] = round(100 * lost_s / (lost_s + played_s), 2)
            figures[f"{name}_clicks_lost_percent"] = round(100 * (1 - len(heard) / max(1, len(inside))), 1)


class StockMicrophone(MediaStreamTrack):
    """What MediaPlayer does with a sound card: read 20 ms, hand on a frame."""

    kind = "audio"

    def __init__(self, cards: BenchCards) -> None:
        super().__init__()
        self._microphone = cards.microphone
        self._pts = 0

    async def recv(self) -> AudioFrame:
        data = b""
        while len(data) < 4 * BLOCK_SAMPLES:
            frames, read = self._microphone.read()
            data += read
            if frames <= 0:
                await asyncio.sleep(0.002)
        frame = AudioFrame.from_ndarray(np.frombuffer(data, np.int16).reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate = RATE_HZ
        frame.pts = self._pts
        self._pts += 2 * BLOCK_SAMPLES
        return frame


async def play_stock(track: MediaStreamTrack, cards: BenchCards) -> None:
    """What MediaRecorder does with a sound card: write every frame as it comes, two periods ahead."""
    cards.speaker.write(bytes(4 * BLOCK_SAMPLES))
    while True:
        frame = await track.recv()
        assert isinstance(frame, AudioFrame)
        data = frame.to_ndarray().reshape(-1, 2)[:, 0].astype(np.int16).tobytes()
        if cards.speaker.write(data) < 0:
            cards.speaker.write(bytes(4 * BLOCK_SAMPLES))
            cards.speaker.write(data)


async def stock(baselines: dict[str, float]) -> None:
    mouth, ear = BenchCards(), BenchCards()
    caller, callee = (RTCPeerConnection(RTCConfiguration(iceServers=[])) for _ in range(2))
    caller.addTrack(StockMicrophone(mouth))
    players: list[asyncio.Task[None]] = []
    callee.on("track", lambda track: players.append(asyncio.ensure_future(play_stock(track, ear))))
    scene: list[Impair | None] = [None]
    try:
        await caller.setLocalDescription(await caller.createOffer())
        await callee.setRemoteDescription(RTCSessionDescription(caller.localDescription.sdp, "offer"))
        await callee.setLocalDescription(await callee.createAnswer())
        receiver = callee.getReceivers()[0]
        handle = receiver._handle_rtp_packet

        async def impaired(packet: RtpPacket, arrival_time_ms: int) -> None:
            if scene[0] is None or scene[0]() is not None:
                await handle(packet, arrival_time_ms)

        receiver._handle_rtp_packet = impaired  # type: ignore[method-assign] # the bench is the network
        await caller.setRemoteDescription(RTCSessionDescription(callee.localDescription.sdp, "answer"))
        await asyncio.sleep(SETTLE_S)
        clean = Period(now(), now() + CLEAN_S)
        await asyncio.sleep(CLEAN_S)
        scene[0] = loss(0.02)
        lossy = Period(now(), now() + IMPAIRED_S)
        await asyncio.sleep(IMPAIRED_S)
    finally:
        for player in players:
            player.cancel()
        await asyncio.gather(caller.close(), callee.close())
    measured = delays_ms(mouth.microphone.clicks(now() - 0.6), ear.speaker.heard)
    for period, name in ((clean, "p95_ms"), (lossy, "loss2_p95_ms")):
        heard = [delay for _, delay in period.of(measured) if delay is not None]
        if heard:
            baselines[f"aiortc_{name}"] = round(percentile(heard, 95), 1)
    inside = lossy.of(measured)
    lost = sum(delay is None for _, delay in inside)
    baselines["aiortc_loss2_clicks_lost_percent"] = round(100 * lost / max(1, len(inside)), 1)


async def run() -> Report:
    """Measure ourselves, then stock aiortc on the same cards."""
    figures: dict[str, float] = {}
    baselines: dict[str, float] = {}
    await ours(figures)
    await stock(baselines)
    return Report(
        "mouth-to-ear",
        figures,
        targets={
            "p95_ms": TARGET_MS,
            "drift_ms_per_min": 0.5,
            "loss2_p95_ms": 120,
            "loss2_lost_percent": 0.2,
            "loss2_recovered_after_s": 5,
        },
        baselines=baselines,
        notes=("Paced cards: real converters and USB add 2 to 5 ms at each end.",),
    )
