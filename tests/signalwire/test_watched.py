"""What a program sees of one field of a state that changes."""

from __future__ import annotations

from dataclasses import dataclass

from reactivex import operators as ops

from intercom.signalwire.observable import Value
from intercom.signalwire.watched import Stream


@dataclass(frozen=True)
class Weather:
    sky: str
    degrees: int


class Station:
    """Keeps the weather as a client keeps its state."""

    sky_stream: Stream[Weather, str] = Stream(lambda weather: weather.sky)

    def __init__(self) -> None:
        self._state = Value(Weather("clear", 20))

    def becomes(self, sky: str, degrees: int) -> None:
        self._state.set(Weather(sky, degrees))


def test_a_field_is_seen_at_once_and_then_whenever_it_is_another() -> None:
    station, seen = Station(), list[str]()
    station.sky_stream.subscribe(seen.append)
    station.becomes("clear", 21)
    station.becomes("grey", 21)
    station.becomes("grey", 19)
    station.becomes("clear", 19)
    assert seen == ["clear", "grey", "clear"]


def test_each_who_looks_begins_with_the_present_value_and_may_look_away() -> None:
    station, early, late = Station(), list[str](), list[str]()
    looking = station.sky_stream.subscribe(early.append)
    station.becomes("grey", 20)
    station.sky_stream.subscribe(late.append)
    looking.dispose()
    station.becomes("snow", 0)
    assert early == ["clear", "grey"]
    assert late == ["grey", "snow"]


def test_a_field_s_stream_ends_with_the_state_and_goes_through_reactivex_operators() -> None:
    station, seen, ended = Station(), list[int](), list[bool]()
    station.sky_stream.pipe(ops.map(len)).subscribe(seen.append, on_completed=lambda: ended.append(True))
    station.becomes("grey", 20)
    station._state.complete()
    assert seen == [5, 4]
    assert ended == [True]
