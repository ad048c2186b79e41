"""The settings of the house's MQTT broker: what is accepted, and what a mistake is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from intercom.config import Config, MqttConfig, check, loads
from tests.config.problems import only_problem

HEAD = '[mqtt]\nurl = "mqtts://broker.local"\n'


@pytest.mark.parametrize(
    "url", ["mqtt://127.0.0.1", "mqtts://broker.local:8884", "mqtt://[::1]:1883", "mqtts://broker/"]
)
def test_a_broker_is_named_by_its_url(url: str) -> None:
    assert loads(f'[mqtt]\nurl = "{url}"').mqtt.url == url


def test_there_is_none_by_default_and_it_opens_nothing() -> None:
    assert (Config().mqtt.url, MqttConfig().may_open) == ("", False)


@pytest.mark.parametrize(
    ("text", "line", "where", "word"),
    [
        ('[mqtt]\nurl = "http://broker"', 2, "mqtt.url", "mqtts://"),
        ('[mqtt]\nurl = "mqtt://broker/topic"', 2, "mqtt.url", "mqtts://"),
        ('[mqtt]\nurl = "mqtt://broker:99999"', 2, "mqtt.url", "mqtts://"),
        ('[mqtt]\nuser = "door"', 2, "mqtt.user", "where the broker is"),
        ("[mqtt]\nmay_open = true", 2, "mqtt.may_open", "where the broker is"),
        (HEAD + 'password_file = "password"', 3, "mqtt.password_file", "mqtt.user"),
        (HEAD + 'key = "door.key"', 3, "mqtt.key", "mqtt.certificate"),
        ('[mqtt]\nurl = "mqtt://broker"\nca_file = "ca.pem"', 3, "mqtt.ca_file", "mqtts://"),
        (HEAD + 'prefix = "door/#"', 3, "mqtt.prefix", "beginning of a topic"),
        (HEAD + 'prefix = "/door"', 3, "mqtt.prefix", "beginning of a topic"),
        (HEAD + 'prefix = ""', 3, "mqtt.prefix", "beginning of a topic"),
        (HEAD + 'id = "front door"', 3, "mqtt.id", "letters"),
        (HEAD + 'password = "marked-secret"', 3, "mqtt.password", "password_file"),
    ],
)
def test_a_mistake_is_told_with_its_line(text: str, line: int, where: str, word: str) -> None:
    problem = only_problem(text)
    assert (problem.line, problem.where) == (line, where)
    assert word in problem.message
    assert "marked-secret" not in str(problem)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    file = tmp_path / "intercom.toml"
    file.write_text(HEAD + 'user = "door"\npassword_file = "gone"\n')
    (problem,) = check(file)
    assert (problem.where, problem.line) == ("mqtt.password_file", 4)
