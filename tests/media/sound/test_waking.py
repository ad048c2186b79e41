"""The engine's thread wakes when it must, and no more often."""

from __future__ import annotations

import threading
import time

import pytest

from intercom.media.sound.waking import Doorbell, FrameTime


def test_a_bell_that_rang_before_is_heard_at_once_and_once() -> None:
    bell = Doorbell()
    bell.ring()
    bell.ring()
    bell.wait(None)
    began = time.monotonic()
    bell.wait(0.01)
    assert time.monotonic() - began >= 0.01


def test_a_bell_wakes_who_waits_without_end() -> None:
    bell = Doorbell()
    sleeper = threading.Thread(target=bell.wait, args=(None,), daemon=True)
    sleeper.start()
    bell.ring()
    sleeper.join(30)
    assert not sleeper.is_alive()


def test_the_microphone_is_looked_at_once_for_each_frame() -> None:
    frames, call = FrameTime(), object()
    assert frames.early_s(call, 1.0) == 0
    frames.count(call)
    frames.count(call)
    assert frames.next_s(0.010, 1.0) == pytest.approx(0.020)
    assert frames.early_s(call, 1.012) == pytest.approx(0.008)
    assert frames.early_s(call, 1.021) == 0


def test_the_second_half_of_a_frame_is_waited_for_alone() -> None:
    frames, call = FrameTime(), object()
    assert frames.early_s(call, 1.0) == 0
    frames.count(call)
    assert frames.next_s(0.004, 1.0) == pytest.approx(0.004)


def test_what_stands_in_for_a_lost_microphone_counts_for_the_frame() -> None:
    frames, call = FrameTime(), object()
    frames.count(call)
    assert frames.early_s(call, 1.0) == 0
    assert frames.next_s(0.010, 1.0) == pytest.approx(0.010)


def test_another_call_begins_another_frame_at_once() -> None:
    frames = FrameTime()
    assert frames.early_s("first", 1.0) == 0
    frames.count("first")
    frames.next_s(0.010, 1.0)
    assert frames.early_s("second", 1.001) == 0
    assert frames.next_s(0.010, 1.001) == pytest.approx(0.020)
