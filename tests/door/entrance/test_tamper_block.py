"""How long no keys open a door whose box was opened, at times that a test chooses."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intercom.door.entrance.settled import SETTLE_S
from intercom.door.entrance.tamper_block import BLOCK_S, TamperBlock


def opened_at(now: float, *, blocks: bool = False) -> TamperBlock:
    """A box that was opened now."""
    block = TamperBlock(blocks=blocks, now=now)
    block.reads(True, now)
    assert block.reads(True, now + SETTLE_S)
    return block


def test_a_closed_box_blocks_nothing() -> None:
    block = TamperBlock(blocks=False, now=0.0)
    assert not block.reads(False, 1.0)
    assert (block.blocks, block.is_open, block.left_s(1.0)) == (False, False, 0.0)


def test_an_open_box_blocks_for_as_long_as_it_is_open() -> None:
    block = opened_at(0.0)
    assert not block.reads(True, 10 * BLOCK_S)
    assert (block.blocks, block.is_open, block.left_s(10 * BLOCK_S)) == (True, True, BLOCK_S)


def test_a_box_that_was_closed_again_blocks_for_half_an_hour() -> None:
    block = opened_at(0.0)
    block.reads(False, 100.0)
    closed = 100.0 + SETTLE_S
    assert block.reads(False, closed)
    assert not block.reads(False, closed + BLOCK_S - 1)
    assert block.left_s(closed + BLOCK_S - 1) == pytest.approx(1.0)
    assert block.due_at == closed + BLOCK_S
    assert block.reads(False, closed + BLOCK_S)
    assert not block.blocks


def test_a_box_that_bounces_is_not_open() -> None:
    block = TamperBlock(blocks=False, now=0.0)
    for step in range(100):
        assert not block.reads(step % 2 == 0, step * SETTLE_S / 2)
    assert not block.blocks


def test_a_block_that_an_earlier_run_has_kept_begins_anew() -> None:
    block = TamperBlock(blocks=True, now=500.0)
    assert block.blocks
    assert not block.reads(False, 500.0 + BLOCK_S - 1)
    assert block.reads(False, 500.0 + BLOCK_S)
    assert not block.blocks


def test_a_box_that_is_open_at_the_start_blocks() -> None:
    assert opened_at(0.0).blocks


@given(st.lists(st.tuples(st.booleans(), st.floats(0.0, 2 * BLOCK_S)), max_size=40))
def test_opening_it_again_never_shortens_the_block(moves: list[tuple[bool, float]]) -> None:
    block, now = opened_at(0.0), SETTLE_S
    last_open = now
    for is_open, pause_s in moves:
        block.reads(is_open, now)
        now += SETTLE_S
        block.reads(is_open, now)
        last_open = now if is_open else last_open
        now += pause_s
        block.reads(is_open, now)
        last_open = now if is_open else last_open
        assert block.blocks or now - last_open >= BLOCK_S - 0.001
