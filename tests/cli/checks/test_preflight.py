"""`intercom preflight`: a test call through a real space, and what is said of it."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from intercom.cli import main
from intercom.cli.checks.preflight import report
from intercom.cli.running_door.remote import TROUBLE, USAGE
from intercom.signalwire import PreflightResult

WAIT_S = 150.0
COMMAND = [sys.executable, "-m", "intercom"]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[str]]:
    """Options that name the configuration and the state of a space that runs on whatever port was free."""
    directory = tmp_path_factory.mktemp("house")
    config = directory / "intercom.toml"
    config.write_text('[space]\nlisten = "127.0.0.1:0"\n')
    options = ["--config", str(config), "--state-dir", str(directory)]
    with subprocess.Popen([*COMMAND, "space", *options], stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if "serves at" in line:
                break
        yield options
        process.send_signal(signal.SIGINT)
        assert process.wait(WAIT_S) == 0


def preflight(place: list[str], *words: str) -> subprocess.CompletedProcess[str]:
    command = [*COMMAND, "preflight", *words, *place]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=WAIT_S)


def test_a_call_to_the_echo_tells_how_good_it_was(place: list[str]) -> None:
    done = preflight(place, "--seconds", "2", "--json")
    assert done.returncode == 0, done
    told = json.loads(done.stdout)
    assert told["ok"]
    assert told["address"] == "/public/echo"
    assert told["connected_ms"] > 0
    assert told["quality_score"] > 4
    assert told["loss_percent"] == 0


def test_an_address_that_nobody_has_is_trouble_and_named(place: list[str]) -> None:
    done = preflight(place, "/public/nobody")
    assert done.returncode == TROUBLE
    assert "UNALLOCATED_NUMBER" in done.stdout
    assert "verdict   calls do not work" in done.stdout


def test_a_door_that_was_never_paired_is_told_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main.main(["preflight", "--state-dir", str(tmp_path)]) == TROUBLE
    assert "door.json is not there: the house's own service writes it" in capsys.readouterr().err


def test_a_token_that_cannot_be_read_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = tmp_path / "intercom.toml"
    config.write_text('[account]\ncredential = "token-file"\ncredential_file = "token"\n')
    assert main.main(["preflight", "--config", str(config), "--state-dir", str(tmp_path)]) == TROUBLE
    assert f"{tmp_path}/token cannot be read: No such file or directory" in capsys.readouterr().err


def test_nonsense_is_refused_before_anything_is_called(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main.main(["preflight", "the neighbour", "--state-dir", str(tmp_path)]) == TROUBLE
    assert "expected an address" in capsys.readouterr().err
    with pytest.raises(SystemExit) as ended:
        main.main(["preflight", "--seconds", "soon"])
    assert ended.value.code == USAGE


def test_poor_sound_is_told_with_its_figures() -> None:
    warnings = ("The sound is poor: 2.1 of 4.5.",)
    poor = PreflightResult(False, warnings, 20.0, 240.0, quality_score=2.1, round_trip_ms=410.0, loss_percent=9.5)
    page = report("/public/echo", poor, colour=False)
    assert "quality   2.1 of 4.5" in page
    assert "trip      410.0 ms there and back" in page
    assert "loss      9.5 %" in page
    assert page.endswith("verdict   calls do not work")
