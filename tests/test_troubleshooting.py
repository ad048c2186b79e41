"""The page for people in need says what the program does."""

from __future__ import annotations

from pathlib import Path

from intercom.signalwire.call.recovery_policy import ANY_PATH, AWAY_S, COOLDOWN_S, MAX_RESTARTS, RESTART_TIMEOUT_S, Rung
from intercom.signalwire.link.connect_race import ANEW_S
from intercom.signalwire.link.transport import PING_INTERVAL_S, PING_TIMEOUT_S

PAGE = Path(__file__).parent.parent / "docs" / "troubleshooting.md"


def test_the_page_tells_the_ladder_as_it_is() -> None:
    page = PAGE.read_text(encoding="utf-8")
    rows = [line for line in page.splitlines() if line.startswith("|")]
    for rung in Rung:
        assert rung is Rung.NONE or any(row.startswith(f"| {rung.value} |") for row in rows)
    tries = {
        Rung.SERVICE: f"| {AWAY_S:.0f} s |",
        Rung.NEW_PATH: f"| {ANY_PATH} tries of {RESTART_TIMEOUT_S:.0f} s |",
        Rung.RELAY: f"| {MAX_RESTARTS - ANY_PATH} tries of {RESTART_TIMEOUT_S:.0f} s |",
    }
    for rung, told in tries.items():
        assert any(row.startswith(f"| {rung.value} |") and row.endswith(told) for row in rows)
    assert f"a pause of {COOLDOWN_S:.0f} s" in page
    assert f"every {ANEW_S:g} s" in page
    assert f"asks every {PING_INTERVAL_S:.0f} s" in page
    assert f"{PING_TIMEOUT_S:.0f} s" in page
