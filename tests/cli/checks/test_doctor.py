"""`intercom doctor`."""

from __future__ import annotations

import json
import socket
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from intercom.cli import main
from intercom.cli.checks import doctor
from intercom.cli.checks.doctor import BAD, GOOD, WARNING, Finding
from intercom.cli.render import short_pulses
from intercom.config import Config, SpaceConfig, loads
from intercom.media.prompts import prompts

WAIT_S = 60.0


def found(findings: Iterator[Finding], what: str) -> Finding:
    return next(finding for finding in findings if finding.what == what)


def look(tmp_path: Path, what: str, config: Config | None = None) -> Finding:
    config = config or loads(f'state_dir = "{tmp_path}"')
    return found(doctor.examine(None, tmp_path / "control.sock", config), what)


def test_every_trouble_comes_with_what_to_do(tmp_path: Path) -> None:
    config = loads(f'state_dir = "{tmp_path}"\n[account]\nrelay_url = "ws://localhost:1"')
    for finding in doctor.examine(None, tmp_path / "control.sock", config):
        assert finding.told
        assert finding.verdict == GOOD or finding.mend, finding


def test_a_credential_that_others_can_read_is_bad(tmp_path: Path) -> None:
    file = tmp_path / "door.json"
    assert look(tmp_path, "credential").verdict == BAD
    file.write_text("{}")
    file.chmod(0o644)
    assert "read by others" in look(tmp_path, "credential").told
    file.chmod(0o600)
    assert look(tmp_path, "credential").verdict == GOOD


def test_a_wrong_configuration_is_the_first_finding(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "intercom.toml"
    file.write_text("[cal]\n")
    assert main.main(["doctor", "--json", "--config", str(file), "--socket", str(tmp_path / "no")]) == 1
    first = json.loads(capsys.readouterr().out)[0]
    assert (first["what"], first["verdict"]) == ("configuration", BAD)


def test_keys_of_the_door_in_a_file_that_everybody_reads_are_bad_and_are_not_shown(tmp_path: Path) -> None:
    file = tmp_path / "intercom.toml"
    file.write_text('[door]\nopen_digits = "73512"\n')
    for mode, verdict in ((0o644, BAD), (0o640, GOOD), (0o600, GOOD)):
        file.chmod(mode)
        finding = found(doctor.examine(file, tmp_path / "control.sock"), "configuration")
        assert finding.verdict == verdict
        assert "73512" not in "".join(finding)


def test_the_keys_that_everybody_knows_are_no_secret(tmp_path: Path) -> None:
    file = tmp_path / "intercom.toml"
    file.write_text('[door]\nopen_digits = "9"\n')
    file.chmod(0o644)
    assert found(doctor.examine(file, tmp_path / "control.sock"), "configuration").verdict == GOOD


def test_a_turn_server_that_answers_is_good(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "NETWORK_S", WAIT_S)  # the thread that answers may have to wait for its turn
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))

        def answer() -> None:
            request, client = server.recvfrom(2048)
            server.sendto(b"\x01\x01\x00\x00" + request[4:20], client)

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        config = Config(
            state_dir=str(tmp_path), space=SpaceConfig(turn_url=f"turn:127.0.0.1:{server.getsockname()[1]}")
        )
        assert look(tmp_path, "TURN", config).verdict == GOOD
        thread.join()


def test_a_turn_server_that_is_not_there_is_bad(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "NETWORK_S", 0.2)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        config = Config(
            state_dir=str(tmp_path), space=SpaceConfig(turn_url=f"turn:127.0.0.1:{silent.getsockname()[1]}")
        )
        assert look(tmp_path, "TURN", config).verdict == BAD


def test_a_turn_server_at_an_ipv6_address_is_reached(tmp_path: Path) -> None:
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as server:
        place = f"[::1]:{server.getsockname()[1]}"
        config = Config(state_dir=str(tmp_path), space=SpaceConfig(turn_url=f"turns:{place}"))
        assert look(tmp_path, "TURN", config) == Finding("TURN", GOOD, f"{place} is reached")


def test_the_report_is_for_people_and_its_status_for_scripts(tmp_path: Path) -> None:
    lines: list[str] = []
    marks = {GOOD: "good", "warning": "warning", BAD: "BAD"}
    findings = [Finding("clock", GOOD, "is set"), Finding("sound", BAD, "there is no card", "plug one in")]
    assert doctor.report(iter(findings), lines.append, marks) == 1
    assert lines[1].startswith("BAD sound")
    assert lines[2].endswith("-> plug one in")


def test_the_service_that_the_credential_names_is_looked_for(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        place = f"127.0.0.1:{server.getsockname()[1]}"
        credential = {"relay_url": f"ws://{place}", "api_url": f"http://{place}"}
        (tmp_path / "door.json").write_text(json.dumps(credential))
        assert look(tmp_path, "relay") == Finding("relay", GOOD, f"{place} is reached")
        assert look(tmp_path, "service").verdict != BAD
    assert look(tmp_path, "relay").verdict == BAD


def test_the_space_s_own_turn_server_is_asked_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "NETWORK_S", 0.2)
    config = Config(state_dir=str(tmp_path), space=SpaceConfig(turn_listen="127.0.0.1:1"))
    assert look(tmp_path, "TURN", config).verdict == BAD


def test_a_sound_path_that_is_not_compiled_is_told_with_what_compiles_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr("intercom.media.native._native", raising=False)
    monkeypatch.setitem(sys.modules, "intercom.media.native._native", None)
    for library in ("libspeexdsp.so.1", None):
        monkeypatch.setattr("ctypes.util.find_library", lambda name, library=library: library)
        finding = look(tmp_path, "echo")
        assert finding.verdict == WARNING
        assert "compiled module is not used" in finding.told
        assert "`./setup.sh`" in finding.mend


def test_a_door_that_is_to_speak_needs_espeak_and_one_that_is_not_does_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mute = loads(f'state_dir = "{tmp_path}"')
    assert not [one for one in doctor.examine(None, tmp_path / "control.sock", mute) if one.what == "speech"]
    speaks = loads(f'state_dir = "{tmp_path}"\n[prompts]\nlanguages = ["de"]')
    monkeypatch.setenv("PATH", str(tmp_path))
    mend = "`apt install espeak-ng`"
    told = "the door cannot speak, and plays its tones instead: no espeak-ng"
    monkeypatch.setattr(prompts, "PACKAGED", tmp_path / "nothing")
    assert look(tmp_path, "speech", speaks) == Finding("speech", WARNING, told, mend)
    told = "the door speaks its own sentences, and no reply that somebody types: no espeak-ng"
    monkeypatch.setattr(prompts, "PACKAGED", tmp_path)
    assert look(tmp_path, "speech", speaks) == Finding("speech", WARNING, told, mend)
    (tmp_path / "espeak-ng").touch(mode=0o755)
    assert look(tmp_path, "speech", speaks) == Finding("speech", GOOD, "espeak-ng is installed")


@pytest.mark.parametrize(
    ("button", "told"),
    [
        (None, ""),
        ({"short_pulses": 0, "last_short_ms": None, "last_short_ago_s": None}, ""),
        (
            {"short_pulses": 1, "last_short_ms": 30.0, "last_short_ago_s": 5},
            "one pulse too short for a press (the last 5 s ago, 30 ms long)",
        ),
        (
            {"short_pulses": 7, "last_short_ms": 8.5, "last_short_ago_s": 5},
            "7 pulses too short for a press (the last 5 s ago, 8.5 ms long)",
        ),
    ],
)
def test_pulses_too_short_for_a_press_are_told(button: dict[str, object] | None, told: str) -> None:
    assert short_pulses({"button": button}) == told
