"""Whether somebody speaks at the door is told by what each canceller usually leaves of the echo."""

from __future__ import annotations

import numpy as np

from intercom.media.echo.judge import Judge
from intercom.media.echo.webrtc import CANCELLER_SAMPLES
from intercom.media.sound.format import ratio

LOUD_ECHO_DB, USUAL_ECHO_DB = -8.0, -25.0
LEFT_DB, NEARLY_NOTHING_DB = -22.0, -85.0
SYLLABLE_DB = -28.0


class Door:
    """A judge that hears noise at the levels of an echo, of what the filter leaves of it, and of WebRTC's output."""

    def __init__(self, echo_db: float) -> None:
        self._echo_db = echo_db
        self._judge = Judge()
        self._chance = np.random.default_rng(1)

    def hears(self, blocks: int, cleaned_db: float, left_db: float = LEFT_DB) -> list[bool]:
        """Whether a visitor speaks in each of these blocks; `left_db` is relative to the echo."""
        heard = []
        for _ in range(blocks):
            echo, left, cleaned = (
                self._chance.uniform(-1, 1, CANCELLER_SAMPLES) * 3**0.5 * 32767 * ratio(at_db)
                for at_db in (self._echo_db, self._echo_db + left_db, cleaned_db)
            )
            near = (echo + left).clip(-32768, 32767).astype(np.int16)
            heard += self._judge.hears(near, left.astype(np.int16), cleaned.astype(np.int16))
        return [block.visitor for block in heard]

    def says_a_syllable(self) -> list[bool]:
        """A visitor, softer than what is left of the echo."""
        return self.hears(5, SYLLABLE_DB, LEFT_DB + 3)


def test_beside_a_loud_box_a_syllable_that_webrtc_lets_through_holds_for_some_seconds() -> None:
    door = Door(LOUD_ECHO_DB)
    assert not any(door.hears(500, NEARLY_NOTHING_DB))
    assert door.says_a_syllable()[-1]
    assert all(door.hears(400, NEARLY_NOTHING_DB))
    assert not door.hears(150, NEARLY_NOTHING_DB)[-1]


def test_beside_a_loud_box_whose_echo_has_jumped_it_holds_for_a_second() -> None:
    door = Door(LOUD_ECHO_DB)
    assert not any(door.hears(500, NEARLY_NOTHING_DB))
    assert door.hears(5, SYLLABLE_DB, 0.0)[-1], "the filter leaves the whole echo, and WebRTC a little of it"
    assert all(door.hears(100, NEARLY_NOTHING_DB))
    assert not door.hears(100, NEARLY_NOTHING_DB)[-1]


def test_where_the_filter_tells_that_the_visitor_has_ended_the_far_end_does_not_hear_itself() -> None:
    door = Door(USUAL_ECHO_DB)
    assert not any(door.hears(500, NEARLY_NOTHING_DB))
    assert door.says_a_syllable()[-1]
    assert not door.hears(50, NEARLY_NOTHING_DB)[-1]


def test_an_echo_that_webrtc_lets_through_now_and_then_is_no_visitor() -> None:
    door = Door(LOUD_ECHO_DB)
    for _ in range(30):
        assert not any(door.hears(20, NEARLY_NOTHING_DB))
        assert not any(door.says_a_syllable())


def test_a_speaker_that_begins_to_distort_after_a_clean_minute_is_no_visitor_for_long() -> None:
    door = Door(USUAL_ECHO_DB)
    assert not any(door.hears(6000, NEARLY_NOTHING_DB, -70.0))
    door.hears(2200, -60.0, -9.0)
    assert not any(door.hears(500, -60.0, -9.0))


def test_after_a_long_monologue_a_little_of_the_echo_is_no_visitor() -> None:
    door = Door(USUAL_ECHO_DB)
    assert not any(door.hears(6000, NEARLY_NOTHING_DB))
    for _ in range(30):
        assert not any(door.hears(5, -55.0, LEFT_DB + 5))
        assert not any(door.hears(35, NEARLY_NOTHING_DB))
