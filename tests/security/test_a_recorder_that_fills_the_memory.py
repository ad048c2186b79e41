"""Who may only watch shows so many proofs that the door remembers no more: nobody else is locked out by that."""

from __future__ import annotations

import base64
from datetime import UTC, datetime

from intercom.integrations.onvif.proof import MOST_SEEN, Proofs, digest
from intercom.integrations.onvif.soap import Token
from intercom.integrations.rtsp.accounts import Account

VIEWER, NVR = Account("viewer", "a"), Account("nvr", "b")
NOON_S = 1_800_000_000.0


class House:
    """The accounts' proofs, with a clock."""

    def __init__(self) -> None:
        self.now_s = NOON_S
        self.proofs = Proofs({each.name: each for each in (VIEWER, NVR)}.get, now=lambda: self.now_s)
        self._number = 0

    def shows(self, account: Account, ahead_s: float = 0.0) -> bool:
        """Show a new proof; return whether it counts."""
        self._number += 1
        return self.shows_again(account, self._number, self.now_s + ahead_s)

    def shows_again(self, account: Account, number: int, created_s: float) -> bool:
        nonce, created = number.to_bytes(8, "big"), datetime.fromtimestamp(created_s, UTC).isoformat()
        said = digest(nonce, created, account.password)
        return self.proofs.account(Token(account.name, said, base64.b64encode(nonce).decode(), created)) == account


def test_who_fills_their_own_memory_locks_out_themselves_alone() -> None:
    house = House()
    assert [house.shows(VIEWER) for _ in range(MOST_SEEN)] == [True] * MOST_SEEN
    assert not house.shows(VIEWER)
    assert house.shows(NVR)


def test_they_are_let_in_again_when_their_proofs_are_too_old_to_count() -> None:
    house = House()
    for _ in range(MOST_SEEN):
        house.shows(VIEWER)
    house.now_s += 301
    assert house.shows(VIEWER)
    assert not house.shows_again(VIEWER, 1, NOON_S)


def test_a_recorder_is_let_in_when_its_clock_that_was_years_ahead_is_right_again() -> None:
    house = House()
    for _ in range(MOST_SEEN + 1):
        assert not house.shows(VIEWER, ahead_s=4e8)
    assert house.shows(VIEWER)
