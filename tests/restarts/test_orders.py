"""The orders of the restarts: all of them come round."""

from __future__ import annotations

from tests.restarts.orders import drawn, every


def test_every_order_is_drawn_once_before_any_is_drawn_again() -> None:
    everything = every()
    assert sorted(map(str, drawn(len(everything), seed=1))) == sorted(map(str, everything))
    assert list(drawn(5, seed=2)) == list(drawn(5, seed=2))
