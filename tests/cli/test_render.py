"""What the commands' answers say to people."""

from __future__ import annotations

import pytest

from intercom.cli import render


@pytest.mark.parametrize(
    ("kept", "unsent", "said"),
    [
        (0, 0, ""),
        (1, 1, "one kept until the house's space takes it"),
        (3, 3, "3 kept until the house's space takes them"),
        (2, 0, "2 kept here: `intercom messages`"),
    ],
)
def test_visitors_messages_at_the_door_are_counted(kept: int, unsent: int, said: str) -> None:
    assert render.messages({"kept": kept, "unsent": unsent}) == said
