"""The two ways of the sound path: what is compiled, and NumPy's."""

from __future__ import annotations

import pytest

from intercom.media.native import module


@pytest.fixture(params=["native", "numpy"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Which way what is opened in this test takes; the compiled one is skipped where it was not compiled."""
    way: str = request.param
    if way == "native" and module.why_not():
        pytest.skip(module.why_not())
    monkeypatch.setattr(module, "is_there", lambda: way == "native")
    return way
