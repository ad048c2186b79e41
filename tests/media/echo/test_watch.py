"""The far end that hears itself is told of once a call, and not for a moment's interruption."""

from __future__ import annotations

from intercom.media.echo.canceller import EchoCanceller, EchoStats
from intercom.media.echo.watch import EchoWatch
from intercom.media.events import EchoLossFell
from intercom.media.sound.format import Samples
from tests.alsa import tone


def seen(watch: EchoWatch, call_id: str, losses: list[float], *, level_db: float = -3.0) -> list[EchoLossFell]:
    """One look a second, while the far end speaks all the time."""
    events = [
        watch.look(call_id, EchoStats(loss_db, level_db, 0.0, float(second))) for second, loss_db in enumerate(losses)
    ]
    return [event for event in events if event is not None]


def test_a_canceller_that_does_not_hold_is_told_of_once() -> None:
    assert seen(EchoWatch(), "a", [4.0] * 20) == [EchoLossFell("a", 4.0, -3.0)]


def test_each_call_is_told_of() -> None:
    watch = EchoWatch()
    assert len(seen(watch, "a", [4.0] * 9) + seen(watch, "b", [4.0] * 9)) == 2


def test_a_moment_s_interruption_is_no_echo() -> None:
    assert seen(EchoWatch(), "a", [20.0, 4.0, 3.0, 20.0] * 5) == []


def test_a_figure_that_wavers_about_the_limit_counts_as_low() -> None:
    assert len(seen(EchoWatch(), "a", [5.0, 7.0] * 5)) == 1


def test_a_far_end_that_says_nothing_more_adds_nothing() -> None:
    watch = EchoWatch()
    assert [watch.look("a", EchoStats(4.0, -3.0, 0.0, 1.0)) for _ in range(20)] == [None] * 20


def test_a_box_without_an_echo_has_nothing_to_take_away() -> None:
    assert seen(EchoWatch(), "a", [0.0] * 20, level_db=-45.0) == []


class Idle:
    """A backend that cancels nothing."""

    def process(self, near: Samples, far: Samples) -> Samples:
        return near

    def reset(self) -> None:
        pass


def test_a_canceller_that_does_nothing_in_a_loud_box_is_noticed() -> None:
    canceller, watch = EchoCanceller(Idle()), EchoWatch()
    block = tone(500, 0.01)
    events = []
    for _ in range(6):
        for _ in range(100):
            canceller.played(block)
            canceller.clean(block)
        events.append(watch.look("a", canceller.stats()))
    (event,) = [event for event in events if event is not None]
    assert abs(event.echo_loss_db) < 1
    assert abs(event.echo_level_db) < 1
