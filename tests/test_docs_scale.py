"""What docs/scale.md tells to configure is right: the doors, the broker's list, and the repository of their package."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from intercom.cli import main
from intercom.cli.running_door.remote import OK
from intercom.config import Config, loads
from intercom.config.fields import LISTEN
from intercom.control.admission import PLACES, PLACES_OF_A_USER, WAITING_OF_A_USER
from intercom.door.camera.views import STANDING_LIMIT
from intercom.integrations.api.events import READERS_LIMIT
from intercom.integrations.mqtt.entities import Topics
from intercom.media.viewers.viewers import MOST_VIEWERS
from intercom.setup import answers
from intercom.setup.config_edit import Draft
from intercom.space.auth.pairing import INVITED_LIMIT
from intercom.space.http.connection_limits import (
    DOORS_RESERVE,
    GUESTS_LIMIT,
    GUESTS_PER_MACHINE_LIMIT,
    MEMBERS_LIMIT,
    members_limit,
)
from intercom.space.push.pushes import UNDER_WAY_LIMIT
from intercom.space.switch.call_control import CALLS_LIMIT, CALLS_PER_SUBSCRIBER_LIMIT
from intercom.space.switch.calls.calls import RINGING_LIMIT
from intercom.space.switch.exchange import SESSIONS_PER_SUBSCRIBER_LIMIT
from tests.integrations.mqtt.mosquitto import Mosquitto, mosquitto, needs_mosquitto
from tests.readme import ROOT

PAGE = (ROOT / "docs/scale.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"(?:<!-- (\w+) -->\n\n)?```(\w*)\n(.*?)```", re.DOTALL)
BLOCKS = BLOCK.findall(PAGE)
WAIT_S = 60.0
DOORS = [text for mark, language, text in BLOCKS if language == "toml" and not mark]


def marked(mark: str) -> str:
    """Return the block behind a mark."""
    (text,) = [text for found, _, text in BLOCKS if found == mark]
    return str(text)


@pytest.mark.parametrize("settings", DOORS, ids=lambda settings: settings.split("\n")[0])
def test_each_configuration_passes_config_check(
    settings: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    for secret in ("token", "mqtt-password"):
        (tmp_path / secret).write_text("secret")
        (tmp_path / secret).chmod(0o600)
    file = tmp_path / "intercom.toml"
    file.write_text(settings, encoding="utf-8")
    assert main.main(["config", "check", str(file)]) == OK, capsys.readouterr().err


def test_there_is_one_for_the_cloud_for_figures_and_for_the_broker() -> None:
    read = [loads(settings) for settings in DOORS]
    assert [config.account.credential for config in read] == ["token-file", "space", "space"]
    assert [bool(config.metrics.listen) for config in read] == [False, True, False]
    assert [bool(config.mqtt.url) for config in read] == [False, False, True]


def test_prometheus_asks_the_doors_where_they_serve_their_figures() -> None:
    (asked,) = [text for _, language, text in BLOCKS if language == "yaml"]
    (served,) = [config.metrics.listen for config in map(loads, DOORS) if config.metrics.listen]
    targets = re.findall(r"^ +- (\S+:\d+)$", asked, re.MULTILINE)
    assert len(targets) == 2
    assert all(LISTEN.accepts(target) for target in targets)
    assert {target.rpartition(":")[2] for target in targets} == {served.rpartition(":")[2]}


def test_the_answers_for_many_doors_are_answers(tmp_path: Path) -> None:
    draft = Draft("", Path("/etc/intercom"))
    answers.apply(answers.read(marked("answers")), draft, has_token=True)
    assert (draft.now.account.credential, draft.now.call.ring) == ("token-file", "/private/reception")
    file = tmp_path / "intercom.toml"
    file.write_text(draft.text, encoding="utf-8")
    assert main.main(["config", "check", str(file)]) == OK


def test_the_limits_that_it_names_are_those_of_the_program() -> None:
    said = dict(re.findall(r"^\| ([^|]+) \| ([^|]+) \| [^|]+ \|$", PAGE, re.MULTILINE))
    few = members_limit(1024) - DOORS_RESERVE
    members = said.pop("members with a socket at one space")
    assert members.startswith(f"{MEMBERS_LIMIT - DOORS_RESERVE:,} residents and {DOORS_RESERVE} doors")
    assert f"{few} residents at the usual 1,024" in members
    numbers = {
        "sessions of one subscriber": [SESSIONS_PER_SUBSCRIBER_LIMIT],
        "connections without a session": [GUESTS_LIMIT, GUESTS_PER_MACHINE_LIMIT],
        "calls at once in one space": [CALLS_LIMIT],
        "calls that one subscriber makes at once": [CALLS_PER_SUBSCRIBER_LIMIT],
        "doors that ring at one phone at once": [RINGING_LIMIT],
        "pushes under way to phones that sleep": [UNDER_WAY_LIMIT],
        "devices let in by other devices": [INVITED_LIMIT],
        "pages that see through one camera": [MOST_VIEWERS, STANDING_LIMIT],
        "readers of the API's events": [READERS_LIMIT],
        "programs at the control socket": [PLACES, PLACES_OF_A_USER, WAITING_OF_A_USER],
    }
    assert {what: [int(number) for number in re.findall(r"\d+", said[what])] for what in numbers} == numbers


# -- one broker ------------------------------------------------------------------------------------------


async def heard(broker: Mosquitto, user: str, topic: str, *said: tuple[str, str]) -> str:
    """Return the first topic below this one that a user hears of what others say, each with their name."""
    command = (
        "stdbuf",
        "-oL",
        "mosquitto_sub",
        "-p",
        str(broker.port),
        "-u",
        user,
        "-t",
        topic,
        "-d",
        "-F",
        "heard %t",
    )
    listening = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    assert listening.stdout is not None
    try:
        async with asyncio.timeout(WAIT_S):
            while b"Subscribed" not in await listening.stdout.readline():
                pass
            for who, where in said:
                publish = ("-p", str(broker.port), "-u", who, "-t", where, "-m", "x", "-q", "1")
                publishing = await asyncio.create_subprocess_exec("mosquitto_pub", *publish)
                await publishing.wait()
            while not (line := await listening.stdout.readline()).startswith(b"heard "):
                pass
    finally:
        listening.kill()  # asked to end, it may wait for itself
        await listening.wait()
    return line.decode().split()[1]


@needs_mosquitto
async def test_the_brokers_list_gives_each_door_its_own_topics_and_no_others(tmp_path: Path) -> None:
    (settings,) = [config.mqtt for config in map(loads, DOORS) if config.mqtt.url]
    assert settings.user == settings.id
    topics = Topics.of(replace(Config(), mqtt=settings))
    other = topics.base.replace(settings.id, "south")
    acl = tmp_path / "acl"
    acl.write_text(marked("acl"), encoding="utf-8")
    async with mosquitto(tmp_path, "allow_anonymous true", f"acl_file {acl}") as broker:
        every = f"{settings.prefix}/#"
        said = [(settings.user, f"{other}/availability"), (settings.user, topics.availability)]
        assert await heard(broker, "homeassistant", every, *said) == topics.availability
        said = [("homeassistant", f"{other}/lock/set"), ("homeassistant", topics.command("lock"))]
        assert await heard(broker, settings.user, every, *said) == topics.command("lock")
        said = [(settings.user, f"{topics.discovery}/device/south/config"), (settings.user, topics.device)]
        assert await heard(broker, "homeassistant", f"{topics.discovery}/#", *said) == topics.device
        said = [("homeassistant", topics.home_assistant)]
        assert await heard(broker, settings.user, topics.home_assistant, *said) == topics.home_assistant


# -- one repository --------------------------------------------------------------------------------------

CONTROL = """\
Package: intercom
Version: {version}
Architecture: all
Maintainer: Somebody <somebody@example.net>
Description: stands for the door's package
"""


class Repository:
    """A directory of packages, made as the page says, and a door's apt that knows it and nothing of this machine."""

    def __init__(self, directory: Path) -> None:
        self.packages = directory / "doors"
        self.packages.mkdir()
        self._door = directory / "apt"
        for needed in ("lists/partial", "cache/archives/partial", "sources", "none"):
            (self._door / needed).mkdir(parents=True)
        self._installed = self._door / "status"
        self._installed.touch()
        settings = {
            "Dir::Etc::main": "/dev/null",
            "Dir::Etc::parts": self._door / "none",
            "Dir::Etc::sourcelist": "/dev/null",
            "Dir::Etc::sourceparts": self._door / "sources",
            "Dir::Etc::preferences": "/dev/null",
            "Dir::Etc::preferencesparts": self._door / "none",
            "Dir::State::lists": self._door / "lists",
            "Dir::State::status": self._installed,
            "Dir::State::extended_states": self._door / "extended_states",
            "Dir::Cache": self._door / "cache",
            "APT::Architecture": "arm64",
            "APT::Architectures": "arm64",
            "APT::Sandbox::User": "root",
        }
        (self._door / "apt.conf").write_text("".join(f'{name} "{value}";\n' for name, value in settings.items()))
        self._keys = directory / "keys"
        self._keys.mkdir(mode=0o700)
        own = {"GNUPGHOME": str(self._keys), "APT_CONFIG": str(self._door / "apt.conf"), "LC_ALL": "C"}
        self._environment = {**os.environ, **own, "KEY": "doors@example.net"}
        generate = ("gpg", "--batch", "--passphrase", "", "--quick-gen-key", "doors@example.net", "ed25519", "sign")
        subprocess.run(generate, check=True, capture_output=True, env=self._environment)

    def add(self, version: str) -> None:
        """Put a package of this version there."""
        package = self._door / version
        (package / "DEBIAN").mkdir(parents=True)
        (package / "DEBIAN/control").write_text(CONTROL.format(version=version))
        subprocess.run(["dpkg-deb", "--build", package, self.packages], check=True, capture_output=True)

    def publish(self) -> None:
        """Do what the page says, here."""
        script = marked("repository").replace("/srv/doors", str(self.packages))
        subprocess.run(["sh", "-e", "-c", script], check=True, capture_output=True, env=self._environment)
        source = marked("source").replace("https://packages.example.net/doors", f"file:{self.packages}")
        key = self.packages / "doors.gpg"
        (self._door / "sources/doors.sources").write_text(source.replace("/etc/apt/keyrings/doors.gpg", str(key)))

    def apt(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Ask the door's apt, which knows no other source."""
        return subprocess.run(command, capture_output=True, text=True, check=False, env=self._environment)

    def install(self, version: str) -> None:
        """Let the door have this version already."""
        control = CONTROL.format(version=version)
        self._installed.write_text(control.replace("Version:", "Status: install ok installed\nVersion:"))

    def close(self) -> None:
        """End the agent that gpg has started."""
        subprocess.run(["gpgconf", "--kill", "all"], check=False, env=self._environment)


@pytest.fixture
def repository() -> Iterator[Repository]:
    with tempfile.TemporaryDirectory(prefix="apt-") as directory:  # short: gpg's socket lies in it
        made = Repository(Path(directory))
        yield made
        made.close()


def test_a_door_finds_the_newest_package_in_a_repository_that_is_made_so(repository: Repository) -> None:
    repository.add("0.9")
    repository.add("0.10")
    repository.publish()
    updated = repository.apt("apt-get", "update")
    assert updated.returncode == 0 and "NO_PUBKEY" not in updated.stderr, updated.stderr
    assert "Candidate: 0.10" in repository.apt("apt-cache", "policy", "intercom").stdout


def test_a_door_that_has_an_older_package_finds_the_newest_one_too(repository: Repository) -> None:
    repository.add("0.10")
    repository.publish()
    repository.install("0.9")
    assert repository.apt("apt-get", "update").returncode == 0
    policy = repository.apt("apt-cache", "policy", "intercom").stdout
    assert "Installed: 0.9" in policy
    assert "Candidate: 0.10" in policy


def test_a_door_takes_nothing_that_was_changed_on_the_way(repository: Repository) -> None:
    repository.add("0.9")
    repository.publish()
    listed = repository.packages / "Packages"
    listed.write_text(listed.read_text().replace("Version: 0.9", "Version: 9.9"))
    assert repository.apt("apt-get", "update").returncode != 0
    assert "9.9" not in repository.apt("apt-cache", "policy", "intercom").stdout
