"""The two ways of the sound path: what is compiled, and NumPy's."""

from __future__ import annotations

import socket

import pytest

from intercom.media.echo import canceller, double_talk, judge
from intercom.media.native import module
from intercom.media.sound import energy

NUMPY = {"energy": energy.numpy_energy, "peak": energy.numpy_peak, "echo_energies": energy.numpy_echo_energies}
"""What looks at every block, and was chosen when it was loaded."""


@pytest.fixture(params=["native", "numpy"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Which way what is opened in this test takes; the compiled one is skipped where it was not compiled."""
    way: str = request.param
    if way == "native" and module.why_not():
        pytest.skip(module.why_not())
    monkeypatch.setattr(module, "is_there", lambda: way == "native")
    if way == "numpy":
        for name, function in NUMPY.items():
            for user in (energy, canceller, double_talk, judge):
                if hasattr(user, name):
                    monkeypatch.setattr(user, name, function)
    return way


@pytest.fixture(params=["127.0.0.1", "::1"])
def host(request: pytest.FixtureRequest) -> str:
    """An address of this machine's own; the second is skipped where the kernel has no IPv6."""
    address: str = request.param
    try:
        with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM) as end:
            end.bind((address, 0))
    except OSError as error:
        pytest.skip(f"{address}: {error}")
    return address
