"""The `intercom` command."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

import intercom
from intercom import config
from intercom.cli import main
from intercom.cli.options import BAD_CONFIG
from intercom.cli.running_door.remote import OK, TROUBLE, USAGE

HEAVY = ("aiortc", "aiohttp", "numpy", "gpiozero", "transitions", "websockets", "asyncio", "shtab")


def test_the_version_is_the_package_s(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main.main(["--version"])
    assert capsys.readouterr().out == f"intercom {intercom.__version__}\n"


def test_the_command_starts_without_anything_heavy() -> None:
    code = f"import sys, intercom.cli.main; print([name for name in {HEAVY!r} if name in sys.modules])"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out == "[]\n"


def test_the_status_is_told_before_any_parser_is_imported(tmp_path: Path) -> None:
    code = "import sys; from intercom.cli.fast_status import main as run; print(run(), 'argparse' in sys.modules)"
    asked = [sys.executable, "-c", code, "status", "--json"]
    environ = {"INTERCOM_SOCKET": str(tmp_path / "none"), "PYTHONPATH": str(Path(intercom.__file__).parents[1])}
    out = subprocess.run(asked, capture_output=True, text=True, check=True, env=environ).stdout
    assert out.splitlines()[-1] == "3 False"
    assert '"state": "not_running"' in out


def test_the_door_is_imported_without_a_run_of_the_collector(tmp_path: Path) -> None:
    code = (
        "import gc, sys; gc.callbacks.append(lambda when, info: print(when))\n"
        "from intercom.cli.fast_status import main as run; print(run(), 'intercom.config' in sys.modules)"
    )
    asked = [sys.executable, "-c", code, "run", "--config", str(tmp_path / "none")]
    out = subprocess.run(
        asked, capture_output=True, text=True, check=True, cwd=Path(intercom.__file__).parents[1]
    ).stdout
    assert out == f"{BAD_CONFIG} True\n"


@pytest.mark.parametrize(("words", "listed"), [([], "status"), (["config"], "example"), (["door"], "open")])
def test_a_command_that_is_not_whole_lists_what_there_is(
    words: list[str], listed: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main.main(words)
    assert ended.value.code == USAGE
    assert f"\n    {listed} " in capsys.readouterr().err


@pytest.mark.parametrize(("environ", "coloured"), [({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)])
def test_the_status_is_coloured_in_a_terminal_that_wants_it(
    tmp_path: Path, environ: dict[str, str], coloured: bool
) -> None:
    ours, theirs = pty.openpty()
    asked = [sys.executable, "-m", "intercom", "status"]
    here = {**os.environ, "TERM": "xterm", "INTERCOM_SOCKET": str(tmp_path / "none")}
    here.pop("NO_COLOR", None)
    try:
        assert subprocess.run(asked, stdout=theirs, check=False, env=here | environ).returncode == 3
        said = os.read(ours, 4096).decode()
    finally:
        os.close(ours)
        os.close(theirs)
    assert ("\x1b[1;31mNot running\x1b[0m" in said) == coloured
    assert "Not running" in said


@pytest.mark.parametrize("words", [["status", "--help"], ["status", "--socket", "/none"], ["--version"], []])
def test_everything_else_goes_to_the_parser(words: list[str]) -> None:
    asked = [sys.executable, "-m", "intercom", *words]
    done = subprocess.run(asked, capture_output=True, text=True, check=False)
    assert done.returncode in (0, 2, 3)
    assert "Traceback" not in done.stderr


def test_a_good_configuration_is_called_good(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "intercom.toml"
    file.write_text("[call]\nring_time_s = 30\n")
    assert main.main(["config", "check", str(file)]) == OK
    assert capsys.readouterr().out == f"{file}: good\n"


def test_a_typo_is_named_with_its_line_and_a_suggestion(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "intercom.toml"
    file.write_text('[call]\nrign = "/private/house"\n')
    assert main.main(["config", "check", str(file)]) == BAD_CONFIG
    assert capsys.readouterr().err == f"{file}: line 2: call.rign: no such setting; did you mean call.ring?\n"


@pytest.mark.parametrize("command", [["run"], ["demo"], ["space"]])
def test_no_command_runs_on_a_bad_configuration(
    command: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "intercom.toml"
    file.write_text("[cal]\n")
    assert main.main([*command, "--config", str(file)]) == BAD_CONFIG
    assert "Traceback" not in capsys.readouterr().err


def test_the_example_is_a_configuration(capsys: pytest.CaptureFixture[str]) -> None:
    main.main(["config", "example"])
    assert config.loads(capsys.readouterr().out) == config.Config()


def test_an_unknown_command_is_refused_with_the_usage(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_:
        main.main(["ring"])
    assert exit_.value.code == USAGE
    assert "usage: intercom" in capsys.readouterr().err


def test_the_door_is_locked_however_bad_the_configuration_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "intercom.toml"
    file.write_text("[door\nrelay_gpio = 5\n")
    assert main.main(["door-off", "--config", str(file)]) in (OK, TROUBLE)
    assert "driving GPIO 24 off all the same" in capsys.readouterr().err


@pytest.mark.parametrize("command", [["config", "check", "FILE"], ["doctor", "--config", "FILE"]], ids=" ".join)
def test_what_may_not_be_meant_is_said_once(tmp_path: Path, command: list[str]) -> None:
    file = tmp_path / "intercom.toml"
    file.write_text('[door]\nopeners = ["/public/anna"]\n')
    words = [str(file) if word == "FILE" else word for word in command]
    done = subprocess.run(
        [sys.executable, "-m", "intercom", *words], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.stderr.count("/public/anna never opens") == 1


def test_a_tone_that_cannot_be_played_is_named_by_config_check(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "chime.wav").write_bytes(b"no sound")
    file = tmp_path / "intercom.toml"
    file.write_text('[audio]\ntones_dir = "."\n')
    assert main.main(["config", "check", str(file)]) == BAD_CONFIG
    assert "audio.tones_dir: chime.wav: " in capsys.readouterr().err
