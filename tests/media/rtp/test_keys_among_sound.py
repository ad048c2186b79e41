"""Keys that a far end sends in the numbering of its sound; both ends are doors, with simulated cards."""

from __future__ import annotations

import threading

from intercom.media.rtp.peer import DoorCall, DoorMedia
from intercom.media.rtp.playout import PlayoutStats
from intercom.media.sound.engine import AudioEngine
from tests.media.calls import connected, until
from tests.media.events import Reported


def heard(call: DoorCall) -> PlayoutStats:
    stats = call.stats().far_end
    assert stats is not None
    return stats


async def test_keys_among_the_sound_are_no_lost_packets_and_are_told_on_the_loop(
    engine: AudioEngine, far_engine: AudioEngine, events: Reported[object]
) -> None:
    near = DoorMedia(engine, on_event=events).open("near", [])
    far = DoorMedia(far_engine, on_event=events).open("far", [])
    pressed: list[tuple[str, threading.Thread]] = []
    far.digits_stream.subscribe(lambda key: pressed.append((key, threading.current_thread())))
    async with connected(near, far):
        await until(lambda: (inlet := far._connection._inlet) is not None and not inlet._watched)
        await until(lambda: heard(far).received > 20)
        before = heard(far).lost
        await near.send_digits("159")
        await until(lambda: len(pressed) == 3)
        lost = heard(far).lost - before
    assert pressed == [(key, threading.main_thread()) for key in "159"]
    assert lost < 3, "of 18; where the engine is held up the loop reads beside it"
