"""`intercom doctor` looks at the certificate of the service that the door signs in to."""

from __future__ import annotations

import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from intercom.cli.checks import doctor
from intercom.cli.checks.doctor import examine
from intercom.cli.checks.finding import BAD, GOOD, WARNING, Finding
from intercom.config import loads
from intercom.space.names import loopback_names
from intercom.space.tls.certificate import LIFETIME, Certificate, now_utc

Serve = Callable[[timedelta], Path]
WAIT_S = 60.0


@pytest.fixture
def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Serve]:
    """Serves TLS with a certificate that ends in so long; yields a door's configuration."""
    monkeypatch.setattr(doctor, "NETWORK_S", WAIT_S)  # the thread that serves may have to wait for its turn
    listener = socket.create_server(("127.0.0.1", 0))

    def begin(left: timedelta) -> Path:
        certificate = Certificate(tmp_path, loopback_names())
        certificate.ensure(now_utc() + left - LIFETIME + timedelta(days=1))
        context = certificate.context()

        def answer() -> None:
            while True:
                try:
                    accepted, _ = listener.accept()
                    context.wrap_socket(accepted, server_side=True).close()
                except ssl.SSLError:
                    continue
                except OSError:
                    if listener.fileno() < 0:
                        return

        threading.Thread(target=answer, daemon=True).start()
        port = listener.getsockname()[1]
        credential = {"api_url": f"https://127.0.0.1:{port}", "relay_url": f"wss://127.0.0.1:{port}/"}
        (tmp_path / "door.json").write_text(json.dumps(credential))
        return tmp_path

    yield begin
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()


def finding(directory: Path) -> Finding:
    """What it says of the certificate."""
    config = loads(f'state_dir = "{directory}"')
    return next(each for each in examine(None, directory / "none", config) if each.what == "certificate")


@pytest.mark.parametrize(
    ("left", "verdict", "told"),
    [
        (timedelta(days=60), GOOD, "ends on"),
        (timedelta(days=20), WARNING, "ends on"),
        (timedelta(days=-1), BAD, "ended on"),
    ],
)
def test_the_end_of_the_certificate_is_told_three_weeks_before(
    served: Serve, left: timedelta, verdict: str, told: str
) -> None:
    found = finding(served(left))
    assert found.verdict == verdict
    assert told in found.told


def test_a_port_that_speaks_no_tls_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "NETWORK_S", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        credential = {"api_url": f"https://127.0.0.1:{port}", "relay_url": f"wss://127.0.0.1:{port}/"}
        (tmp_path / "door.json").write_text(json.dumps(credential))
        assert "shows none" in finding(tmp_path).told
