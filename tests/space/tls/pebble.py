"""Pebble, the ACME server of Let's Encrypt for tests, with its name server: real ones, on ports that were free."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from intercom.space.names import loopback_names
from intercom.space.tls.certificate import Certificate, now_utc
from tests.ports import free_port

MISSING = [each for each in ("pebble", "pebble-challtestsrv", "lego") if shutil.which(each) is None]
WAIT_S = 60.0
STARTS = 5
"""Limit of starts: a port that was free a moment ago may be another's."""

TELL_NAME_SERVER = """#!{python}
import json, sys, urllib.request
deed, name, value = sys.argv[1:4]
url = "http://127.0.0.1:{management}/" + ("set-txt" if deed == "present" else "clear-txt")
urllib.request.urlopen(url, json.dumps({{"host": name, "value": value}}).encode(), timeout=60)
"""
"""What stands for the owner's provider of names."""


@dataclass(frozen=True, slots=True)
class Acme:
    """The running server."""

    directory: str
    "The URL that an ACME client is given."
    environment: dict[str, str]
    "What lego needs to know: whom to trust, and how names are changed."


@contextlib.contextmanager
def pebble(folder: Path) -> Iterator[Acme]:
    """Run both."""
    Certificate(folder, loopback_names()).ensure(now_utc())
    with contextlib.ExitStack() as stack:
        for _ in range(STARTS):
            api, admin, names, management = (free_port() for _ in range(4))
            running = [_names(names, management), _server(folder, api, admin, names)]
            for process in running:
                stack.callback(process.wait)
                stack.callback(process.kill)
            if _answer(running, [api, management]):
                break
        else:
            raise RuntimeError("Pebble does not start")
        script = folder / "names"
        script.write_text(TELL_NAME_SERVER.format(python=sys.executable, management=management))
        script.chmod(0o700)
        environment = {"LEGO_CA_CERTIFICATES": str(folder / "ca.crt"), "EXEC_PATH": str(script)}
        yield Acme(f"https://localhost:{api}/dir", environment)


def _names(port: int, management: int) -> subprocess.Popen[bytes]:
    command = ["pebble-challtestsrv", "-dns01", f"127.0.0.1:{port}", "-management", f"127.0.0.1:{management}"]
    return _quiet([*command, "-http01", "", "-https01", "", "-tlsalpn01", ""])


def _server(folder: Path, api: int, admin: int, names: int) -> subprocess.Popen[bytes]:
    settings = {
        "listenAddress": f"127.0.0.1:{api}",
        "managementListenAddress": f"127.0.0.1:{admin}",
        "certificate": str(folder / "tls.crt"),
        "privateKey": str(folder / "tls.key"),
        "httpPort": 5002,
        "tlsPort": 5001,
        "ocspResponderURL": "",
        "externalAccountBindingRequired": False,
    }
    file = folder / "pebble.json"
    file.write_text(json.dumps({"pebble": settings}))
    return _quiet(["pebble", "-config", str(file), "-dnsserver", f"127.0.0.1:{names}"])


def _quiet(command: list[str]) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "PEBBLE_VA_NOSLEEP": "1", "PEBBLE_WFE_NONCEREJECT": "0"}
    return subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def _answer(running: list[subprocess.Popen[bytes]], ports: list[int]) -> bool:
    """Whether all of them accept connections; False once one has ended."""
    end = time.monotonic() + WAIT_S
    while all(process.poll() is None for process in running) and time.monotonic() < end:
        try:
            for port in ports:
                socket.create_connection(("127.0.0.1", port), 5).close()
        except OSError:
            time.sleep(0.05)
        else:
            return True
    return False
