"""Whose calls the door answers by itself."""

from __future__ import annotations

import pytest

from intercom.address import Address
from intercom.opening.auto_answer import answers_by_itself
from intercom.opening.decision import Kind


@pytest.mark.parametrize(
    ("address", "kind", "listed", "answers"),
    [
        ("/private/anna", "resident", ("residents",), True),
        ("/private/anna?channel=audio", "resident", ("residents",), True),
        ("/private/gate", "door", ("residents",), False),
        ("/private/gate", "door", ("/private/*",), False),
        ("/private/gate", "door", ("/private/gate",), True),
        ("/private/anna", "resident", ("/private/*",), True),
        ("/private/anna", "unknown", ("/private/*",), True),
        ("/private/anna", "unknown", ("residents",), False),
        ("/public/echo", "unknown", ("residents", "/private/*"), False),
        ("residents", "unknown", ("/private/*",), False),
        ("+15551234567", "unknown", ("+15551234567",), True),
        ("/private/anna", "resident", (), False),
    ],
)
def test_a_caller_is_let_in_by_what_the_space_says_they_are(
    address: str, kind: str, listed: tuple[str, ...], answers: bool
) -> None:
    assert answers_by_itself(Address.parse(address), Kind(kind), listed) is answers
