"""What the benches of sound measure with: the relay that loses packets, and the ear that finds words again."""

from __future__ import annotations

import asyncio
import gc
import select
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest

from bench import mouth_to_ear
from bench._hearing import delay_ms
from bench._paced import BenchCards
from bench._relay import SCENES, Relay
from intercom.media.sound.sound_file import load_sound

SDP = "v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 96\r\nc=IN IP4 0.0.0.0\r\na=candidate:1 1 udp 1 127.0.0.1 {} typ host\r\n"
COUNT = 400


def port_of(sdp: str) -> int:
    (candidate,) = [line for line in sdp.splitlines() if line.startswith("a=candidate")]
    return int(candidate.split()[5])


def received(socket_: socket.socket, count: int) -> list[bytes]:
    packets = []
    while len(packets) < count and select.select([socket_], [], [], 30)[0]:
        packets.append(socket_.recv(100))
    return packets


def test_the_relay_loses_the_callers_sound_as_the_seed_says_and_nothing_else() -> None:
    impair = SCENES["loss5"](1)
    kept = [n for n in range(COUNT) if impair() is not None]
    with (
        Relay() as relay,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as caller,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as callee,
    ):
        caller.bind(("127.0.0.1", 0))
        callee.bind(("127.0.0.1", 0))
        towards_caller = port_of(relay.offer(SDP.format(caller.getsockname()[1])))
        towards_callee = port_of(relay.answer(SDP.format(callee.getsockname()[1])))
        relay.scene("loss5")
        heard = []
        for n in range(COUNT):
            caller.sendto(bytes([0x80, 96]) + n.to_bytes(2, "big"), ("127.0.0.1", towards_callee))
            callee.sendto(bytes([0x80, 96]) + n.to_bytes(2, "big"), ("127.0.0.1", towards_caller))
            assert received(caller, 1)
            if n in kept:
                heard += received(callee, 1)
        caller.sendto(b"\x00\x01", ("127.0.0.1", towards_callee))
        assert received(callee, 1) == [b"\x00\x01"]
    assert [int.from_bytes(packet[2:], "big") for packet in heard] == kept


def test_the_ear_finds_by_how_much_words_are_late_and_misses_words_that_are_not_there() -> None:
    voice = load_sound(Path(str(files("intercom.media").joinpath("visitor.wav"))))
    late = np.concatenate([np.zeros(48 * 87, np.int16), voice // 3])
    found = delay_ms(voice, late)
    assert found is not None
    assert abs(found - 87) < 0.2
    assert delay_ms(voice, np.random.default_rng(1).normal(0, 3000, len(voice)).astype(np.int16)) is None


def test_no_full_collection_stops_a_call_whose_delay_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    collected: list[int] = []

    def note(phase: str, about: dict[str, int]) -> None:
        collected.append(about["generation"])

    @asynccontextmanager
    async def call(mouth: BenchCards, ear: BenchCards, relay: Relay) -> AsyncIterator[None]:
        mouth.microphone.read()
        ear.speaker.write(bytes(2))
        gc.callbacks.append(note)
        try:
            yield
        finally:
            gc.callbacks.remove(note)

    monkeypatch.setattr(mouth_to_ear, "SETTLE_S", 0.0)
    monkeypatch.setattr(mouth_to_ear, "BenchCards", partial(BenchCards, voice=np.ones(1, np.int16)))
    asyncio.run(mouth_to_ear.measure(call, {}))
    assert 2 not in collected
