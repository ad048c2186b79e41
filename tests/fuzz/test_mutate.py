"""Input is broken for hours without an end by itself."""

from __future__ import annotations

import random

from tests.fuzz.mutate import Mutator

NESTED = b'{"x": ' * 700 + b"1" + b"}" * 700


def test_what_is_nested_deeper_than_python_copies_is_broken_as_bytes() -> None:
    mutator = Mutator(random.Random(1), [NESTED])
    assert all(isinstance(mutator.json(), bytes) for _ in range(500))
