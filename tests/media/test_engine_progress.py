"""The audio thread shows that it moves when it is asked, also while it idles, and that it does not when it hangs."""

from __future__ import annotations

import threading
import time

from intercom.media.card import Pcm
from intercom.media.engine import AudioEngine
from intercom.media.errors import CardError
from intercom.media.events import Direction

LIMIT_S = 10.0


class NoCards:
    """A machine without a sound card; opening one can be made to hang."""

    description = "none"

    def __init__(self) -> None:
        self.may_answer = threading.Event()
        self.may_answer.set()
        self.asked = threading.Event()

    def open(self, direction: Direction) -> Pcm:
        self.asked.set()
        self.may_answer.wait(LIMIT_S)
        raise CardError("there is no card")


def comes_round(engine: AudioEngine) -> bool:
    """Whether the thread answers the next question, in time."""
    engine.came_round()
    give_up = time.monotonic() + LIMIT_S
    while engine._asked:
        if time.monotonic() > give_up:
            return False
        time.sleep(0.001)
    return engine.came_round()


def test_an_engine_without_work_or_card_comes_round_when_it_is_asked() -> None:
    engine = AudioEngine(NoCards(), on_event=lambda event: None)
    engine.start()
    assert comes_round(engine)
    assert comes_round(engine)
    engine.stop()


def test_an_engine_whose_driver_hangs_does_not() -> None:
    cards = NoCards()
    engine = AudioEngine(cards, on_event=lambda event: None)
    cards.may_answer.clear()
    engine.start()
    assert cards.asked.wait(LIMIT_S)
    engine.came_round()
    assert not engine.came_round()
    cards.may_answer.set()
    assert comes_round(engine), "and does again when the driver has come back"
    engine.stop()
