"""What holds for every viewer here."""

from __future__ import annotations

import pytest

from intercom.media.viewers import viewer


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Viewers that never connect stay for as long as a busy machine needs."""
    monkeypatch.setattr(viewer, "CONNECT_DEADLINE_S", 120.0)
