"""The delays of the last seconds are kept in order as they come and go."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from intercom.media.rtp.jitter_target import JitterTarget


@given(st.lists(st.tuples(st.integers(-5, 900), st.integers(0, 120)), max_size=150))
def test_the_delays_in_order_are_those_of_the_window(packets: list[tuple[int, int]]) -> None:
    target, now, sent = JitterTarget(), 10.0, 0.0
    for step_ms, late_ms in packets:
        now, sent = now + step_ms / 1000, sent + 0.02
        target.arrived(sent - late_ms / 1000, 0.02, now, repairs=False)
        assert target._ordered == sorted(delay for _, delay in target._delays)
    target.begin_anew()
    assert target._ordered == []
