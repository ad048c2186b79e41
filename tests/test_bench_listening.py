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
from bench._hearing import Hearing, delay_ms
from bench._paced import BenchCards
from bench._relay import SCENES, Relay
from intercom.media.sound.format import RATE_HZ, Samples
from intercom.media.sound.sound_file import load_sound

SDP = "v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 96\r\nc=IN IP4 0.0.0.0\r\na=candidate:1 1 udp 1 127.0.0.1 {} typ host\r\n"
COUNT = 400


def visitor() -> Samples:
    return load_sound(Path(str(files("intercom.media").joinpath("visitor.wav"))))


def delays_of_words(heard: Samples) -> list[float | None]:
    """Of the visitor's words, by what sounded from the first one's beginning on."""
    mouth, ear = BenchCards(lambda: 0.0, voice=visitor()), BenchCards(lambda: 0.0, voice=visitor())
    mouth.microphone.read()
    ear.speaker.heard.append((0.0, heard))
    return [some.delay_ms for some in Hearing(mouth, ear).words(0.0, len(heard) / RATE_HZ)]


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
    voice = visitor()
    late = np.concatenate([np.zeros(48 * 87, np.int16), voice // 3])
    found = delay_ms(voice, late)
    assert found is not None
    assert abs(found - 87) < 0.2
    assert delay_ms(voice, np.random.default_rng(1).normal(0, 3000, len(voice)).astype(np.int16)) is None


def test_the_ear_hears_a_word_in_which_the_delay_grows() -> None:
    voice, pause = visitor(), np.zeros(RATE_HZ // 200, np.int16)
    pieces = [voice[at : at + RATE_HZ // 10] for at in range(0, RATE_HZ, RATE_HZ // 10)]
    delays = delays_of_words(np.concatenate([sound for piece in pieces for sound in (piece, pause)]))
    assert delays
    assert None not in delays


def test_the_ear_does_not_take_other_words_for_those_that_were_said() -> None:
    delays = delays_of_words(np.roll(visitor()[: 3 * RATE_HZ], RATE_HZ))
    assert delays
    assert sum(delay is not None for delay in delays) <= len(delays) // 20


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
