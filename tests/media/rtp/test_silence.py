"""When silence on the wire is told: once, and never while the far end holds us."""

from __future__ import annotations

from intercom.media.rtp.silence import SILENT_S, SilenceWatch


def test_silence_is_told_once_and_its_end_too() -> None:
    watch = SilenceWatch()
    told = [watch.look(second / 2, seen_at=0.0) for second in range(20)]
    assert [what for what in told if what] == ["began"]
    assert watch.look(10.0, seen_at=9.9) == "ended"
    assert watch.look(10.5, seen_at=9.9) is None


def test_who_holds_us_may_be_silent_for_an_hour() -> None:
    watch = SilenceWatch()
    watch.expected = False
    assert not any(watch.look(float(second), seen_at=0.0) for second in range(3600))


def test_silence_has_a_length_at_every_moment_and_none_while_the_far_end_holds_us() -> None:
    watch = SilenceWatch()
    assert watch.silent_s(5.0, seen_at=4.0) == 1.0
    watch.expected = False
    assert watch.silent_s(9.0, seen_at=4.0) == 0.0
    watch.expected = True
    assert watch.silent_s(10.0, seen_at=4.0) == 1.0


def test_silence_after_a_hold_is_counted_from_its_end() -> None:
    watch = SilenceWatch()
    watch.expected = False
    watch.look(100.0, seen_at=0.0)
    watch.expected = True
    assert watch.look(100.0 + SILENT_S, seen_at=0.0) is None
    assert watch.look(100.1 + SILENT_S, seen_at=0.0) == "began"


def test_a_hold_ends_a_silence_that_was_told() -> None:
    watch = SilenceWatch()
    assert watch.look(10.0, seen_at=0.0) == "began"
    watch.expected = False
    assert watch.look(11.0, seen_at=0.0) == "ended"


def test_while_packets_come_nobody_need_look_before_they_could_have_been_missing_for_long_enough() -> None:
    watch = SilenceWatch()
    now, looks = 100.0, 0
    while watch.look(now, seen_at=min(now, 150.0)) is None:
        now += max(0.25, watch.steady_s(now, seen_at=min(now, 150.0)))
        looks += 1
    assert 0 < now - 150.0 - SILENT_S <= 0.25
    assert looks <= 50 / SILENT_S + 3


def test_a_silence_and_a_hold_may_end_at_any_moment() -> None:
    watch = SilenceWatch()
    watch.look(10.0, seen_at=0.0)
    assert watch.steady_s(10.0, seen_at=0.0) == 0.0
    held = SilenceWatch()
    held.expected = False
    assert held.steady_s(10.0, seen_at=9.9) == 0.0
