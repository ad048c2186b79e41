"""The commands, spoken by the real `intercom` command to a whole door station."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import os
import re
import signal
import subprocess
import sys
import tarfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import pytest_asyncio

from intercom.cli.running_door import remote as cli
from intercom.config import AudioConfig, DoorConfig, HistoryConfig
from intercom.door.appliance import Appliance
from intercom.door.machine import Fault, State
from tests.e2e.home import Home, home_config

INTERCOM = Path(sys.executable).parent / "intercom"
WAIT_S = 60.0


class Answer(NamedTuple):
    """What a command said."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        assert self.out, self
        return json.loads(self.out)


@pytest_asyncio.fixture
async def home(tmp_path: Path) -> AsyncIterator[Home]:
    recording = str(tmp_path / "speaker.wav")
    home = Home(tmp_path, home_config(audio=AudioConfig(card="simulated", simulated_recording=recording)))
    await home.start()
    yield home
    await home.stop()


def run(state_dir: Path, *words: str) -> Answer:
    done = subprocess.run(
        [INTERCOM, *words],
        env={"INTERCOM_SOCKET": str(state_dir / "control.sock"), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=WAIT_S,
        check=False,
    )
    return Answer(done.returncode, done.stdout, done.stderr)


async def say(home: Home, *words: str) -> Answer:
    return await asyncio.to_thread(run, home.state_dir, *words)


async def test_status_says_that_all_is_well(home: Home) -> None:
    answer = await say(home, "status")
    assert answer.code == cli.OK, answer.err
    assert answer.out.startswith("Ready\n")
    assert "\x1b" not in answer.out


async def test_status_as_json_names_the_state_and_the_parts(home: Home) -> None:
    doc = (await say(home, "status", "--json")).json
    assert (doc["protocol"], doc["state"], doc["registered"], doc["call"]) == (1, "idle", True, None)
    assert doc["sound"]["capture_xruns"] == 0
    assert doc["sound"]["night"] is False
    assert set(doc["sound"]["echo"]) == {"loss_db", "level_db", "drift_ppm"}
    assert doc["door"] == {"open": False, "opened": 0, "refused": 0, "deaf_s": 0} | {
        "contact": None,
        "exits": 0,
        "exit_stuck": False,
    }
    assert (doc["tamper"], doc["chime"]) == (None, None)


async def test_an_open_fault_is_trouble_and_is_listed_until_it_is_over(home: Home) -> None:
    assert home.door is not None
    home.door.machine.fault(Fault.CAMERA)
    assert (await say(home, "status")).code == cli.TROUBLE
    home.door.machine.fault_cleared(Fault.CAMERA)
    assert (await say(home, "status")).code == cli.OK
    (fault,) = (await say(home, "faults", "--json")).json
    assert (fault["kind"], fault["open"]) == ("camera", False)


async def test_the_door_opens_and_the_call_log_says_who_did_it(home: Home) -> None:
    answer = await say(home, "door", "open")
    assert answer.out == "The door is open for 0.5 s.\n"
    relay = home.pins.pin(home.config.door.relay_gpio)
    assert any(moment.state for moment in relay.states)
    (record,) = (await say(home, "calls", "--json")).json
    assert record["outcome"] == "opened"
    assert record["door_opened_by"]


async def test_a_call_is_made_told_of_ended_and_logged(home: Home) -> None:
    assert home.door is not None
    assert (await say(home, "call", "/public/echo")).out == "Calling /public/echo.\n"
    await home.until(State.IN_CALL)
    media = home.door.media
    entry = home.door.recorder.call
    assert entry is not None

    def is_heard() -> bool:
        stats = media.stats(entry.call.id)
        return stats is not None and stats.far_end is not None and stats.far_end.received > 0

    await home.wait_for(is_heard, "sound from the far end")
    doc = (await say(home, "status", "--json")).json
    assert (doc["call"]["with"], doc["call"]["direction"]) == ("/public/echo", "outbound")
    assert doc["call"]["media"]["mos"] >= 1
    assert 0 < doc["call"]["ends_within_s"] <= home.config.call.time_limit_s
    assert (await say(home, "door", "open")).code == cli.OK
    assert (await say(home, "hangup")).out == "The call ends.\n"
    await home.until(State.IDLE)
    (record,) = (await say(home, "calls", "--json")).json
    assert (record["address"], record["outcome"], record["end_cause"]) == (
        "/public/echo",
        "answered",
        "NORMAL_CLEARING",
    )
    assert record["mos"] >= 1
    assert record["talked_s"] > 0
    assert record["door_opened_by"]


async def test_a_snapshot_is_written_for_its_owner_alone(home: Home, tmp_path: Path) -> None:
    file = tmp_path / "now.jpg"
    answer = await say(home, "snapshot", str(file))
    assert answer.out.startswith(f"{file}: the picture of ")
    assert file.read_bytes().startswith(b"\xff\xd8")
    assert file.stat().st_mode & 0o777 == 0o600
    assert "No such file" in (await say(home, "snapshot", str(tmp_path / "missing" / "now.jpg"))).err


async def test_the_picture_of_the_last_press_can_be_fetched(home: Home, tmp_path: Path) -> None:
    assert home.door is not None
    file = tmp_path / "press.jpg"
    assert "no picture of a press" in (await say(home, "snapshot", "--last", str(file))).err
    await home.press()
    pictures = home.door.pictures
    await home.wait_for(lambda: pictures.newest is not None, "the picture")
    assert (await say(home, "snapshot", "--last", str(file))).code == cli.OK
    assert file.read_bytes().startswith(b"\xff\xd8")
    assert not (home.state_dir / "snapshots").exists()
    doc = (await say(home, "status", "--json")).json
    assert doc["picture"]["press_to_jpeg_ms"] > 0


async def test_a_picture_of_who_rang_is_kept_where_that_is_wanted(tmp_path: Path) -> None:
    home = Home(tmp_path, home_config(audio=AudioConfig(card="simulated"), history=HistoryConfig(snapshots=True)))
    await home.start()
    try:
        await say(home, "call", "/public/echo")
        recorder = home.door.recorder if home.door is not None else None
        assert recorder is not None
        await home.wait_for(lambda: recorder.call is not None and bool(recorder.call.snapshot), "the picture")
        await say(home, "hangup")
        await home.until(State.IDLE)
        (record,) = (await say(home, "calls", "--json")).json
        picture = Path(record["snapshot"])
        assert picture.read_bytes().startswith(b"\xff\xd8")
        assert picture.stat().st_mode & 0o777 == 0o600
    finally:
        await home.stop()


async def test_a_call_that_nobody_can_take_is_logged_as_failed(home: Home) -> None:
    assert (await say(home, "call", "/private/nobody")).code == cli.OK
    assert home.door is not None
    figures = home.door.figures
    await home.wait_for(lambda: bool(figures.calls_by_outcome), "the call to fail")
    await home.until(State.IDLE)
    (record,) = (await say(home, "calls", "--json")).json
    assert (record["address"], record["outcome"]) == ("/private/nobody", "failed")


async def test_what_makes_no_sense_now_is_refused_with_the_reason(home: Home) -> None:
    for words, reason in (
        (["hangup"], "there is no call"),
        (["answer"], "nobody calls the door"),
        (["restart"], "systemd did not start this door"),
        (["call", "house"], "expected an address"),
        (["volume", "speaker", "99"], "-60 to 20 dB"),
    ):
        answer = await say(home, *words)
        assert answer.code == cli.REFUSED
        assert reason in answer.err


async def test_waiting_for_no_call_ends_with_the_call(home: Home) -> None:
    assert (await say(home, "wait")).out == ""
    await say(home, "call", "/public/echo")
    late = await say(home, "wait", "--at-most", "0")
    assert late.code == cli.TROUBLE
    assert re.fullmatch(r"intercom: the call goes on after \d+ s\n", late.err)
    waiting = asyncio.create_task(say(home, "wait"))
    await home.talks()
    assert not waiting.done()
    await say(home, "hangup")
    assert (await waiting).code == cli.OK


async def test_a_second_call_is_refused(home: Home) -> None:
    await say(home, "call", "/public/echo")
    assert "there is a call already" in (await say(home, "call", "/public/echo")).err


async def test_microphone_and_speaker_are_muted_each_by_itself(home: Home) -> None:
    assert home.door is not None
    assert (await say(home, "mute")).out == "The microphone is muted.\n"
    assert (home.door.engine.microphone_muted, home.door.engine.speaker_muted) == (True, False)
    assert "microphone muted" in (await say(home, "status")).out
    assert (await say(home, "unmute")).out == "The microphone is heard again.\n"
    await say(home, "mute", "speaker")
    assert (home.door.engine.microphone_muted, home.door.engine.speaker_muted) == (False, True)


async def test_the_volume_is_set_and_told(home: Home) -> None:
    assert "at -6 dB" in (await say(home, "volume", "speaker", "-6")).out
    assert (await say(home, "volume")).out == "The speaker is at -6 dB.\n"


async def test_levels_outlive_a_restart(home: Home) -> None:
    await say(home, "volume", "speaker", "-6")
    await say(home, "mute")
    assert home.door is not None
    await home.door.stop()
    home.door = Appliance(home.config, state_dir=home.state_dir, pin_factory=home.pins)
    await home.door.start()
    assert (await say(home, "volume")).out == "The speaker is at -6 dB.\n"
    assert home.door.engine.microphone_muted


async def test_devices_and_log_are_shown(home: Home) -> None:
    assert "simulated card" in (await say(home, "devices")).out
    logging.getLogger("intercom.test").warning("something happened\x1b[31m")
    lines = (await say(home, "log", "-n", "50")).out.splitlines()
    (line,) = [line for line in lines if "intercom.test" in line]  # others may say something just now
    assert line.endswith("WARNING intercom.test: something happened?[31m")


async def test_the_diagnostics_bundle_comes_through_a_pipe_without_the_door_s_secret(home: Home) -> None:
    secret = json.loads((home.state_dir / "door.json").read_text())["device_secret"]

    def work() -> bytes:
        return subprocess.run(
            [INTERCOM, "diagnostics", "--socket", home.state_dir / "control.sock"],
            capture_output=True,
            timeout=WAIT_S,
            check=True,
        ).stdout

    data = await asyncio.to_thread(work)
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        texts = {name: file.read().decode() for name in tar.getnames() if (file := tar.extractfile(name)) is not None}
    assert json.loads(texts["intercom-diagnostics/status.json"])["state"] == "idle"
    assert "audio-engine" in json.loads(texts["intercom-diagnostics/threads.json"])
    assert not any(secret in text for text in texts.values())


async def test_a_bad_parameter_is_refused_and_the_door_goes_on(home: Home) -> None:
    from intercom.control.client import Client
    from intercom.control.errors import RefusedError

    def work() -> str:
        with Client(home.state_dir / "control.sock") as client:
            try:
                client.ask("mute", what="house")
            except RefusedError as error:
                return str(error)
            return "it was taken"

    assert await asyncio.to_thread(work) == "expected microphone or speaker"
    assert (await say(home, "status")).code == cli.OK


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("dtmf", "xyz"), "expected 1 to 32 telephone keys: 0-9, *, #, A-D"),
        (("volume", "speaker", "99"), "expected a level from -60 to 20 dB"),
        (("volume", "speaker", "nan"), "expected a level from -60 to 20 dB"),
        (("calls", "-n", "-5"), "expected a count from 0 to 10000"),
        (("log", "-n", "99999"), "expected a count from 0 to 10000"),
        (("call", "/private/" + "x" * 300), "an address has 255 characters at most"),
    ],
)
async def test_what_a_command_does_not_take_is_said_in_words(home: Home, words: tuple[str, ...], sentence: str) -> None:
    answer = await say(home, *words)
    assert (answer.code, answer.err) == (cli.REFUSED, f"intercom: {sentence}\n")


@pytest.mark.parametrize("address", ["sip:\ud800@b", "sip:\x1b[2J@b", "sip:\u202eanna@b", "sip:" + "a" * 1000 + "@b"])
async def test_what_is_no_address_is_not_called_and_the_call_log_goes_on(home: Home, address: str) -> None:
    message = {"jsonrpc": "2.0", "id": 1, "method": "call", "params": {"address": address}}
    reader, writer = await asyncio.open_unix_connection(home.state_dir / "control.sock")
    writer.write(json.dumps(message).encode() + b"\n")
    await reader.readline()  # the greeting
    assert "error" in json.loads(await reader.readline())
    writer.close()
    await say(home, "door", "open")
    assert "door opened" in (await say(home, "calls")).out
    assert (await say(home, "faults")).out == "No faults since the start.\n"


async def test_watch_tells_each_change_in_a_line(tmp_path: Path) -> None:
    # Open for longer than a busy machine takes to tell it.
    home = Home(tmp_path, home_config(audio=AudioConfig(card="simulated"), door=DoorConfig(pulse_s=6.0)))
    await home.start()
    try:
        watching = await asyncio.create_subprocess_exec(
            INTERCOM,
            "watch",
            env={"INTERCOM_SOCKET": str(home.state_dir / "control.sock"), "PATH": "/usr/bin:/bin"},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        assert watching.stdout is not None
        assert b"idle, registered" in await asyncio.wait_for(watching.stdout.readline(), WAIT_S)
        await say(home, "door", "open")
        assert b"door open" in await asyncio.wait_for(watching.stdout.readline(), WAIT_S)
    finally:
        await home.stop()
    assert await asyncio.wait_for(watching.wait(), WAIT_S) == cli.NOT_RUNNING


async def test_a_stopped_door_is_said_not_to_run_and_since_when(home: Home) -> None:
    await home.stop()
    home.door = None
    answer = await say(home, "status", "--json")
    assert answer.code == cli.NOT_RUNNING
    assert answer.json["state"] == "not_running"
    assert answer.json["since"]
    other = await say(home, "hangup")
    assert (other.code, other.out) == (cli.NOT_RUNNING, "")


async def test_a_call_that_the_stop_ends_is_in_the_log(home: Home, caplog: pytest.LogCaptureFixture) -> None:
    assert home.door is not None
    await say(home, "call", "/public/echo")
    await home.until(State.IN_CALL)
    log = home.door.recorder
    await home.door.stop()
    home.door = None
    (record,) = await log.calls(5)
    assert record.outcome == "answered"
    assert [entry for entry in caplog.records if entry.levelno >= logging.ERROR] == []


def test_a_hung_door_is_said_not_to_answer(tmp_path: Path) -> None:
    import socket

    with socket.socket(socket.AF_UNIX) as hung:
        hung.bind(str(tmp_path / "control.sock"))
        hung.listen()
        answer = run(tmp_path, "status", "--json")
    assert answer.code == cli.NOT_ANSWERING
    assert answer.json["state"] == "not_answering"
    assert "process" in answer.json["reason"]


async def test_a_stopped_guard_of_the_relay_is_a_fault_that_the_commands_show(home: Home) -> None:
    assert home.door is not None
    os.kill(home.door.panel.guard_pid, signal.SIGSTOP)
    assert (await say(home, "door", "open")).code == cli.OK
    assert "guard" in (await say(home, "faults")).out
