"""WebRTC's canceller looks no further back for the echo than it has to, and as far as it has to."""

from __future__ import annotations

import numpy as np
import pytest

from intercom.media.echo import short_search
from intercom.media.echo.canceller import EchoCanceller
from intercom.media.echo.delay_search import LONG, SHORT
from intercom.media.echo.short_search import (
    LONGEST_REST_WINDOWS,
    REST_WINDOWS,
    TRIAL_WINDOWS,
    WINDOW_BLOCKS,
    ShortSearch,
    open_webrtc,
)
from intercom.media.echo.webrtc import CANCELLER_SAMPLES, Frame, WebRtcBackend
from intercom.media.native import module
from intercom.media.sound.energy import energy
from intercom.media.sound.format import RATE_HZ, level_db
from tests.media.echo.test_canceller import room, through, voice

FAR = np.full(2 * CANCELLER_SAMPLES, 3000, np.int16)
SECOND = WINDOW_BLOCKS // 2
"""Frames in a window."""
needs_compiled = pytest.mark.skipif(not module.is_there(), reason=module.why_not())


class Cancellers:
    """What is made for a door whose echo comes this late, in filters; the frames that each kind has cleaned."""

    def __init__(self) -> None:
        self.echo_within = SHORT
        self.visitor = 0
        self.cleaned = {SHORT: 0, LONG: 0}

    def make(self, filters: int) -> Canceller:
        return Canceller(self, filters)


class Canceller:
    def __init__(self, all_of_them: Cancellers, filters: int) -> None:
        self._all, self._filters = all_of_them, filters

    def process(self, near: Frame, far: Frame) -> Frame:
        self._all.cleaned[self._filters] += len(near) // len(FAR)
        held = self._all.echo_within <= self._filters
        return np.full(len(near), self._all.visitor, np.int16) if held else near

    def reset(self) -> None:
        raise AssertionError("it is made anew")


class Door:
    """A door at which the far end speaks for so many seconds."""

    def __init__(self) -> None:
        self.made = Cancellers()
        self.search = ShortSearch(self.made.make)

    def hears(self, seconds: int) -> Frame:
        for _ in range(seconds * SECOND):
            heard = self.search.process(FAR // 2 + np.int16(self.made.visitor), FAR)
        return heard


@pytest.fixture
def door() -> Door:
    return Door()


def test_after_the_first_seconds_one_canceller_with_the_short_search_is_left(door: Door) -> None:
    door.hears(TRIAL_WINDOWS)
    assert door.made.cleaned == {SHORT: TRIAL_WINDOWS * SECOND, LONG: TRIAL_WINDOWS * SECOND}
    door.hears(30)
    assert door.made.cleaned == {SHORT: (TRIAL_WINDOWS + 30) * SECOND, LONG: TRIAL_WINDOWS * SECOND}


def test_while_the_far_end_is_silent_nothing_is_decided(door: Door) -> None:
    for _ in range(100 * SECOND):
        door.search.process(FAR, FAR // 100)
    assert door.made.cleaned[LONG] == 100 * SECOND


def test_an_echo_from_further_back_is_never_heard_and_leaves_the_long_search_alone(door: Door) -> None:
    door.made.echo_within = LONG
    assert not door.hears(1).any()
    assert door.search.is_long
    assert not door.hears(10).any()
    assert door.made.cleaned == {SHORT: SECOND, LONG: 11 * SECOND}


def test_an_echo_that_later_comes_from_further_back_is_held_again(door: Door) -> None:
    door.hears(TRIAL_WINDOWS + REST_WINDOWS)
    door.made.echo_within = LONG
    assert door.hears(1).any()
    door.hears(2)
    assert door.search.is_long
    assert not door.hears(1).any()


def test_a_trial_in_which_the_microphone_heard_nothing_proves_nothing(door: Door) -> None:
    for _ in range(TRIAL_WINDOWS * SECOND):
        door.search.process(FAR * 0, FAR)
    door.made.echo_within = LONG
    door.hears(3)
    assert door.search.is_long


def test_where_the_microphone_hears_nothing_one_canceller_is_left(door: Door) -> None:
    for _ in range(100 * SECOND):
        door.search.process(FAR * 0, FAR)
    assert door.made.cleaned[LONG] == TRIAL_WINDOWS * SECOND


def test_a_visitor_who_speaks_is_no_echo_and_the_trials_become_rare(door: Door) -> None:
    door.made.visitor = 3000
    door.hears(3600)
    assert not door.search.is_long
    trials = door.made.cleaned[LONG] / SECOND / TRIAL_WINDOWS
    assert trials <= 4 + 3600 / LONGEST_REST_WINDOWS


def test_until_a_trial_may_begin_the_far_end_alone_is_looked_at(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    door.hears(TRIAL_WINDOWS)
    looked: list[Frame] = []

    def counted(frame: Frame) -> float:
        looked.append(frame)
        return energy(frame)

    monkeypatch.setattr(short_search, "energy", counted)
    door.hears(REST_WINDOWS - 2)
    assert all(frame is FAR for frame in looked)
    door.hears(2)
    assert not all(frame is FAR for frame in looked)


def test_another_card_is_learnt_anew(door: Door) -> None:
    door.made.echo_within = LONG
    door.hears(1)
    door.search.reset()
    door.made.echo_within = SHORT
    door.hears(TRIAL_WINDOWS + 1)
    assert not door.search.is_long


@needs_compiled
@pytest.mark.parametrize(("delay_s", "is_long"), [(0.02, False), (0.1, False), (0.2, True), (0.3, True)])
def test_the_echo_is_softer_after_four_seconds_wherever_it_comes_from(delay_s: float, is_long: bool) -> None:
    search = ShortSearch()
    far = voice(12)
    microphone = room(far, delay_s=delay_s)
    cleaned = through(EchoCanceller(search), far, microphone)
    late = slice(4 * RATE_HZ, 12 * RATE_HZ)
    assert level_db(microphone[late]) - level_db(cleaned[late]) > 30
    assert search.is_long is is_long


@needs_compiled
@pytest.mark.parametrize("silent_s", [5, 8])
def test_an_echo_from_further_back_is_found_where_the_microphone_was_silent_at_first(silent_s: int) -> None:
    search = ShortSearch()
    far = voice(silent_s + 9)
    microphone = room(far, delay_s=0.3)
    microphone[: silent_s * RATE_HZ] = 0
    cleaned = through(EchoCanceller(search), far, microphone)
    late = slice((silent_s + 6) * RATE_HZ, None)
    assert level_db(microphone[late]) - level_db(cleaned[late]) > 30


@needs_compiled
def test_of_an_echo_that_is_back_soon_both_searches_leave_the_same() -> None:
    far = voice(6)
    microphone = room(far)
    short, long = (through(EchoCanceller(WebRtcBackend(filters)), far, microphone) for filters in (SHORT, LONG))
    assert np.array_equal(short, long)


@needs_compiled
def test_the_door_has_the_short_search() -> None:
    assert isinstance(open_webrtc(), ShortSearch)
