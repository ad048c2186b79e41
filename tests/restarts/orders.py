"""The orders in which parties are ended and started again: every one there is, and any number drawn of them."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from tests.restarts.house import Party, State

STATES: Final[tuple[State, ...]] = ("idle", "ringing", "talking")
PARTIES: Final[tuple[Party, ...]] = ("door", "space", "page")


@dataclass(frozen=True)
class Order:
    """A state, and the parties that end in it, in this order; each is killed or stopped."""

    state: State
    parties: tuple[tuple[Party, bool], ...]

    def __str__(self) -> str:
        return f"{self.state}: " + ", ".join(
            f"{party} {'killed' if killed else 'stopped'}" for party, killed in self.parties
        )


def every() -> list[Order]:
    """Every order of one, two and three parties, killed or stopped, in every state."""
    return [
        Order(state, tuple(zip(parties, kills, strict=True)))
        for state in STATES
        for count in (1, 2, 3)
        for parties in itertools.permutations(PARTIES, count)
        for kills in itertools.product((True, False), repeat=count)
    ]


def drawn(times: int, seed: int) -> Iterator[Order]:
    """Orders at random, each as often as the others."""
    chance = random.Random(seed)
    left: list[Order] = []
    for _ in range(times):
        if not left:
            left = every()
            chance.shuffle(left)
        yield left.pop()
