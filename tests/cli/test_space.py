"""`intercom space` in a process of its own, and the commands that work beside it."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from intercom.cli.running_door.remote import TROUBLE
from intercom.space.auth.secret_hash import secret_hash
from intercom.space.store.store import DATABASE, Store
from tests.space.push.browser_keys import BrowserKeys

WAIT_S = 60.0
NOON = 1_800_000_000.0
COMMAND = [sys.executable, "-m", "intercom", "space"]


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The state directory of a space that runs on whatever port was free."""
    directory = tmp_path_factory.mktemp("house")
    config = directory / "intercom.toml"
    config.write_text('[space]\nlisten = "127.0.0.1:0"\n')
    serve = [*COMMAND, "--config", str(config), "--state-dir", str(directory)]
    with subprocess.Popen(serve, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if "serves at" in line:
                break
        yield directory
        process.send_signal(signal.SIGINT)
        assert process.wait(WAIT_S) == 0


def run(house: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """One command in a second process, on the same state directory."""
    command = [*COMMAND, *arguments[0].split(), "--state-dir", str(house), *arguments[1:]]
    return subprocess.run(command, check=False, capture_output=True, text=True, timeout=WAIT_S)


def pair(house: Path, name: str) -> str:
    """Join by the typed code that `intercom space pair` prints; return the device's secret."""
    printed = run(house, "pair", "--name", name).stdout
    page = re.search(r"http://localhost:\d+/", printed)
    code = re.search(r"type the code {2}(\w{5}-\w{5})$", printed, re.MULTILINE)
    assert page and code, printed
    body = json.dumps({"code": code[1].lower(), "name": name}).encode()
    with urllib.request.urlopen(f"{page[0]}api/space/pair", body, timeout=WAIT_S) as answer:
        return str(json.load(answer)["device_secret"])


def test_the_printed_code_opens_the_house_that_runs(house: Path) -> None:
    assert pair(house, "Kitchen")


def test_the_address_is_printed_to_scan_and_says_until_when_it_is_good(house: Path) -> None:
    printed = run(house, "pair").stdout
    assert re.match(r"http://localhost:\d+/station/#pair=[0-9A-Z]{10}\n", printed)
    assert printed.count("█") > 100
    assert re.search(r"one device in, until \d\d:\d\d\.$", printed)


def test_the_list_names_every_device(house: Path) -> None:
    pair(house, "Hall")
    listed = run(house, "devices").stdout
    assert re.search(r"^Front door +door +/private/door +20\S+ \d\d:\d\d +you +never +never *$", listed, re.MULTILINE)
    hall = r"^Hall +resident +/private/hall +20\S+ \d\d:\d\d +you +never +never +never +no +never +never *$"
    assert re.search(hall, listed, re.MULTILINE)
    assert "Hall: open its page; where that is not trusted, `intercom space trust` says how." in listed
    addresses = [device["address"] for device in json.loads(run(house, "devices", "--json").stdout)]
    assert "/private/hall" in addresses


def test_the_list_says_who_is_woken_by_push_and_what_is_wrong_with_it(house: Path) -> None:
    secret = pair(house, "Tablet")
    store = Store(house / DATABASE, now=time.time)
    sent = BrowserKeys().subscription("https://push.example.net/1")
    store.subscriptions.keep(secret, sent["endpoint"], **sent["keys"])
    store.subscriptions.note({secret_hash(secret): NOON}, {secret_hash(secret): "the push service says 403 Forbidden"})
    store.close()
    listed = run(house, "devices").stdout
    shown = time.strftime("%Y-%m-%d %H:%M", time.localtime(NOON))
    assert re.search(rf"^Tablet +resident .* never +never +never +fails +{shown} +never *$", listed, re.MULTILINE)
    assert (
        "Tablet: it is not woken (the push service says 403 Forbidden): on its page, turn Notifications off" in listed
    )


def test_a_name_cannot_command_the_terminal(house: Path) -> None:
    pair(house, "\x1b[2JEvil")
    assert "\x1b" not in run(house, "devices").stdout


def test_a_removed_device_gets_no_token_any_more(house: Path) -> None:
    secret = pair(house, "Lost phone")
    removed = run(house, "remove", "Lost phone")
    assert "Lost phone (/private/lost-phone) cannot sign in any more" in removed.stdout
    page = re.search(r"http://localhost:\d+/", run(house, "pair").stdout)
    assert page
    request = urllib.request.Request(
        f"{page[0]}api/space/token", method="POST", headers={"Authorization": f"Bearer {secret}"}
    )
    with pytest.raises(urllib.error.HTTPError, match="401"):
        urllib.request.urlopen(request, timeout=WAIT_S)


def test_a_door_is_removed_only_when_that_is_said(house: Path) -> None:
    refused = run(house, "remove", "Front door")
    assert refused.returncode == TROUBLE
    assert refused.stderr.startswith("intercom: Front door is a door (/private/door)")
    assert "--force" in refused.stderr
    assert refused.stderr.count("\n") == 1
    assert "/private/door" in run(house, "remove", "--force", "Front door").stdout


def test_a_device_that_is_not_there_is_told_in_one_sentence(house: Path) -> None:
    refused = run(house, "remove", "nobody")
    assert refused.returncode == TROUBLE
    assert refused.stderr.startswith("intercom: Nobody in this space is called 'nobody'")
    assert refused.stderr.count("\n") == 1


def test_a_viewer_is_added_listed_and_removed(house: Path) -> None:
    added = run(house, "viewer add", "frigate", "--talk").stdout
    found = re.search(r"webrtc:ws://frigate:([\w-]{43})@localhost:\d+/api/ws\?src=door$", added, re.MULTILINE)
    assert found, added
    assert re.search(r"http://localhost:\d+/whep/door$", added, re.MULTILINE)
    assert "camera.look" in added
    assert "call.viewers_talk" in added
    listed = run(house, "viewer list")
    assert re.search(r"^frigate +yes +20\S+ \d\d:\d\d +never *$", listed.stdout, re.MULTILINE)
    assert found[1] not in listed.stdout
    (viewer,) = json.loads(run(house, "viewer list", "--json").stdout)
    assert viewer.keys() == {"name", "talks", "added_at", "seen_on"}
    assert "frigate sees no door any more" in run(house, "viewer remove", "frigate").stdout
    assert "Nobody watches with a token" in run(house, "viewer list").stdout


@pytest.mark.parametrize("arguments", [("viewer add", "No Name"), ("viewer remove", "nobody")])
def test_a_viewer_that_cannot_be_is_told_in_one_sentence(house: Path, arguments: tuple[str, ...]) -> None:
    refused = run(house, *arguments)
    assert refused.returncode == TROUBLE
    assert refused.stderr.count("\n") == 1
    assert "viewer" in refused.stderr


def test_where_no_space_is_the_commands_say_what_to_do(tmp_path: Path) -> None:
    for arguments in (["pair"], ["devices"], ["remove", "phone"], ["viewer list"]):
        refused = run(tmp_path, *arguments)
        assert refused.returncode == TROUBLE
        assert "--state-dir" in refused.stderr
        assert refused.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_a_door_s_credential_is_written_where_it_is_wanted_and_keeps_its_secret(house: Path, tmp_path: Path) -> None:
    file = tmp_path / "gate.json"
    first = run(house, "enrol", str(file), "--reference", "gate", "--name", "Gate")
    assert first.stdout == f"{file}: the credential of /private/gate\n"
    written = file.read_bytes()
    run(house, "enrol", str(file), "--reference", "gate")
    assert file.read_bytes() == written
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_house_on_the_network_prints_where_devices_learn_to_trust_it(tmp_path: Path) -> None:
    config = tmp_path / "intercom.toml"
    config.write_text('[space]\nlisten = "127.0.0.1:0"\ntls = "on"\n')
    serve = [*COMMAND, "--config", str(config), "--state-dir", str(tmp_path)]
    with subprocess.Popen(serve, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        try:
            next(line for line in process.stderr if "serves at" in line)
            printed = run(tmp_path, "trust").stdout
            assert re.match(r"http://localhost:\d+/trust\n", printed)
            assert printed.count("█") > 100
            assert re.search(r"Intercom at .* \([0-9a-f]{6}\)", printed)
            assert re.search(r"^  ([0-9A-F]{2}:){31}[0-9A-F]{2}$", printed, re.MULTILINE)
            assert f"learns to trust the house at {printed.splitlines()[0]}" in run(tmp_path, "pair").stdout
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(WAIT_S)


def test_a_house_that_hands_out_nothing_says_why(tmp_path: Path) -> None:
    refused = run(tmp_path, "trust")
    assert refused.returncode == TROUBLE
    assert "There is no space in" in refused.stderr
