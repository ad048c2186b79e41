"""`intercom demo`, as a newcomer runs it: a process of its own, its output, Ctrl-C."""

from __future__ import annotations

import os
import re
import socket
import ssl
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.ports import reserved_port
from tests.running import WAIT_S, Running


class Demo(Running):
    """The running command."""

    def __init__(self, directory: Path, *arguments: str, space: str = "") -> None:
        config = directory / "intercom.toml"
        self._ports = ExitStack()
        self.panel, own = (f"127.0.0.1:{self._ports.enter_context(reserved_port())}" for _ in range(2))
        self.space = space or own
        config.write_text(f'[space]\nlisten = "{self.space}"\n[panel]\npage_listen = "{self.panel}"\n')
        environment = {**os.environ, "HOME": str(directory), "XDG_STATE_HOME": str(directory / "state")}
        environment.pop("ALSA_CONFIG_PATH", None)
        super().__init__([sys.executable, "-m", "intercom", "demo", "--config", str(config), *arguments], environment)

    def kill(self) -> None:
        super().kill()
        self._ports.close()


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """One that runs, to look at."""
    running = Demo(tmp_path_factory.mktemp("demo"))
    running.wait_for("Press Ctrl-C to stop.")
    yield running
    running.kill()


def test_it_prints_the_station_s_address_as_text_and_as_a_qr_code(demo: Demo) -> None:
    assert re.search(rf"http://localhost:{demo.space.split(':')[1]}/station/#pair=\S+", demo.output)
    assert demo.output.count("█") > 100


def test_it_says_what_stands_in_for_the_hardware(demo: Demo) -> None:
    assert re.search(r"^Sound: +\S", demo.output, re.MULTILINE)
    assert re.search(r"^Picture: +\S", demo.output, re.MULTILINE)
    assert f"http://{demo.panel}/" in demo.output


def test_both_pages_are_there(demo: Demo) -> None:
    for url in (f"http://localhost:{demo.space.split(':')[1]}/station/", f"http://{demo.panel}/"):
        with urllib.request.urlopen(url, timeout=WAIT_S) as response:
            assert b"<html" in response.read().lower()


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Demo]]:
    """Start one for a test of its own."""
    with ExitStack() as running:

        def start_demo(*arguments: str, space: str = "") -> Demo:
            demo = Demo(tmp_path, *arguments, space=space)
            running.callback(demo.kill)
            return demo

        yield start_demo


def test_ctrl_c_stops_it_cleanly(start: Callable[..., Demo]) -> None:
    demo = start()
    demo.wait_for("Press Ctrl-C to stop.")
    demo.interrupt()
    assert demo.process.returncode == 0, demo.output
    assert "Traceback" not in demo.output


def test_ctrl_c_during_the_start_stops_it_too(start: Callable[..., Demo], tmp_path: Path) -> None:
    starting = start()
    while starting.process.poll() is None and not (tmp_path / "state").exists():
        time.sleep(0.01)  # the process is not ours to be told by
    starting.interrupt()
    assert "Traceback" not in starting.output


def test_a_port_that_is_taken_is_told_in_one_sentence(start: Callable[..., Demo]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        unlucky = start(space=f"127.0.0.1:{taken.getsockname()[1]}")
        assert unlucky.process.wait(WAIT_S) == 1
        unlucky.wait_for("cannot listen")
    assert "Traceback" not in unlucky.output


def test_on_the_network_it_serves_tls_with_its_own_certificate(start: Callable[..., Demo]) -> None:
    demo = start("--lan")
    demo.wait_for("Press Ctrl-C to stop.")
    found = re.search(r"https://(\S+?):(\d+)/station/#pair=", demo.output)
    assert found
    trusting = ssl._create_unverified_context()
    with urllib.request.urlopen(f"https://{found[1]}:{found[2]}/station/", context=trusting, timeout=WAIT_S) as page:
        assert page.status == 200
