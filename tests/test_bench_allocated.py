"""What the bench of leaks counts: what is held, whatever pages it lies in; and what each round of calls adds to it."""

from __future__ import annotations

import pytest

from bench._allocated import Held, each, held


def test_what_is_kept_counts_and_what_is_freed_does_not() -> None:
    before = held()
    large, small = [bytearray(2000) for _ in range(1000)], [float(number) for number in range(1000)]
    kept = held()
    del large, small
    after = held()
    assert kept.bytes - before.bytes == pytest.approx(2_000_000, rel=0.1)
    assert kept.blocks - before.blocks == pytest.approx(3000, rel=0.1), "two of each array, and the numbers"
    assert after.bytes - before.bytes < 100_000
    assert after.blocks - before.blocks < 100


def test_a_leak_is_in_every_round() -> None:
    assert each([Held(1000, 10), Held(4000, 40), Held(7000, 70), Held(10_000, 100)], 3) == (1000, 10)


def test_what_grows_once_is_no_leak() -> None:
    assert each([Held(0, 0), Held(30, 0), Held(1_000_000, 90), Held(1_000_030, 90)], 3) == (10, 0)
