"""What of a readable configuration is refused all the same: settings that contradict each other, and secrets."""

import os
from pathlib import Path

import pytest

from intercom.config import check, loads
from intercom.config.fields import NOT_SHOWN, shown_settings
from tests.config.problems import only_problem

# What only several settings together can tell


@pytest.mark.parametrize(
    ("text", "where", "word"),
    [
        ("[door]\nrelay_gpio = 17", "door.relay_gpio", "panel.button_gpio"),
        ("[panel]\nred_gpio = 23", "panel.blue_gpio", "panel.red_gpio"),
        ("[door]\npulse_s = 3\ncap_s = 2", "door.pulse_s", "door.cap_s"),
        ("[call]\ntime_limit_s = 10", "call.warning_before_end_s", "call.time_limit_s"),
        ("[camera]\nwidth = 641", "camera.width", "even"),
        ('[account]\ncredential = "token-file"', "account.credential", "account.credential_file"),
        (
            '[account]\ncredential = "token-file"\ncredential_file = "token"\n[call]\nauto_answer = ["residents"]',
            "call.auto_answer",
            "embedded space",
        ),
        ('[space]\nturn_url = "turn:turn.example.com:3478"', "space.turn_url", "space.turn_secret_file"),
        ('[space]\nlisten = "0.0.0.0:8480"\ntls = "off"', "space.tls", "in clear"),
        ('[space]\nlisten = "door.local:8480"\ntls = "off"', "space.tls", "space.trusted_proxies"),
        ('[space]\nturn_listen = "door.local:3478"', "space.turn_listen", "IP address"),
        ('[space]\nturn_url = "turn:[::1"\nturn_secret_file = "secret"', "space.turn_url", "turn.example.com"),
        ('[space]\ntrusted_proxies = ["nginx"]', "space.trusted_proxies", "IP address or network"),
        ('[space]\npublic_url = "https://door.example/../etc"', "space.public_url", "https://example.com/door"),
        ('[space]\npublic_url = "https://door.example/a b"', "space.public_url", "https://example.com/door"),
        ('[panel]\npage_listen = "127.0.0.1:8480"', "panel.page_listen", "space.listen"),
    ],
)
def test_settings_that_contradict_each_other_are_refused(text: str, where: str, word: str) -> None:
    problem = only_problem(text)
    assert problem.where == where
    assert word in problem.message


@pytest.mark.parametrize(
    "text",
    [
        '[space]\nlisten = "127.0.0.1:8480"\ntls = "off"',
        '[space]\nlisten = "0.0.0.0:8480"\ntls = "off"\ntrusted_proxies = ["10.0.0.0/24"]',
        '[space]\nlisten = "door.local:8443"\npublic_url = "https://door.example.com"',
        '[space]\nturn_listen = "0.0.0.0:3478"',
    ],
)
def test_a_space_that_is_safe_where_it_listens_is_accepted(text: str) -> None:
    assert loads(text)


def test_pins_of_lights_that_are_not_there_are_free() -> None:
    assert loads('[panel]\nlight = "single"\n[door]\nrelay_gpio = 22').door.relay_gpio == 22


def test_everyone_is_nobody_to_answer_by_itself() -> None:
    assert '"/private/*" or an address' in only_problem('[call]\nauto_answer = ["*"]').message


def test_a_camera_that_is_always_on_is_one_that_is_named() -> None:
    assert "camera.source" in only_problem("[camera]\nalways_on = true").message
    assert loads('[camera]\nalways_on = true\nsource = "v4l2"').camera.always_on


def notes_of(text: str, caplog: pytest.LogCaptureFixture) -> list[str]:
    loads(text)
    return [record.getMessage() for record in caplog.records]


def test_who_relied_on_auto_answer_to_open_the_door_is_told(caplog: pytest.LogCaptureFixture) -> None:
    (note,) = notes_of('[call]\nauto_answer = ["/private/*"]', caplog)
    assert "line 2: call.auto_answer: who is answered by itself no longer opens the door by that" in note


@pytest.mark.parametrize(
    "door", ['openers = ["*"]', 'openers = ["*", "/private/*"]', 'open_digits = ""'], ids=["not", "too", "no keys"]
)
def test_who_has_said_who_opens_the_door_is_told_nothing(door: str, caplog: pytest.LogCaptureFixture) -> None:
    assert notes_of(f'[call]\nauto_answer = ["/private/*"]\n[door]\n{door}', caplog) == []


def test_an_opener_who_never_opens_is_told(caplog: pytest.LogCaptureFixture) -> None:
    (note,) = notes_of('[door]\nopeners = ["/public/anna"]', caplog)
    assert "/public/anna never opens" in note


@pytest.mark.parametrize(
    ("line", "advice"),
    [
        ("video = yes", "here true"),
        ("video = Off  # at night", "here false"),
        ("ring = /private/anna", 'write ring = "/private/anna"'),
    ],
)
def test_a_value_without_quotes_is_told_how_it_is_written(line: str, advice: str) -> None:
    problem = only_problem(f"[call]\n{line}\n")
    assert problem.line == 2
    assert problem.message.endswith(advice)


# Files and directories that the settings name

only_root_judges = pytest.mark.skipif(os.getuid() != 0, reason="only root is told that a place takes no directories")


@pytest.mark.parametrize(
    ("text", "line", "where"),
    [
        ('[account]\ncredential = "token-file"\ncredential_file = "absent"', 3, "account.credential_file"),
        ('[audio]\nsimulated_voice = "absent.wav"', 2, "audio.simulated_voice"),
        ('[space]\nturn_url = "turn:a:3478"\nturn_secret_file = "absent"', 3, "space.turn_secret_file"),
        ('[space]\ncertificate = "absent.pem"', 2, "space.certificate"),
        ('[space]\ncertificate = "here.toml"\nkey = "absent.pem"', 3, "space.key"),
        ('state_dir = "here.toml/state"', 1, "state_dir"),
        pytest.param('state_dir = "/proc/state"', 1, "state_dir", marks=only_root_judges),
    ],
)
def test_a_place_that_is_not_there_is_told_with_its_line(text: str, line: int, where: str, tmp_path: Path) -> None:
    file = tmp_path / "here.toml"
    file.write_text(text)
    [problem] = check(file)
    assert (problem.line, problem.where) == (line, where)


def test_a_place_that_only_the_service_knows_is_no_problem(tmp_path: Path) -> None:
    file = tmp_path / "here.toml"
    file.write_text('[account]\ncredential = "token-file"\ncredential_file = "$CREDENTIALS_DIRECTORY/token"')
    assert check(file) == []


def test_a_state_directory_that_the_first_start_makes_is_no_problem(tmp_path: Path) -> None:
    file = tmp_path / "here.toml"
    file.write_text('state_dir = "not/yet/there"')
    assert check(file) == []
    assert [path.name for path in tmp_path.iterdir()] == ["here.toml"]


# Secrets


@pytest.mark.parametrize(
    "text",
    [
        '[account]\ntoken = "{0}"',
        '[account]\npassword = "{0}"',
        'api_key = "{0}"',
        '[space]\nturn_secret = "{0}"',
        '[account]\ncredential_file = "{0}"',
        '[account]\ncredential = "{0}"',
        '[space]\nhost_names = ["{0}"]',
        '[account]\nrelay_url = "wss://ann:{0}@relay.example.com"',
    ],
)
def test_a_secret_is_refused_and_never_repeated(text: str) -> None:
    secret = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJkb29yIn0.c2lnbmF0dXJl"
    problem = only_problem(text.format(secret))
    assert "eyJ" not in str(problem)


@pytest.mark.parametrize("secret", ["icm_" + "x-Y_7" * 8, "whsec_bWFya2VkLXdlYmhvb2sta2V5LW9mLXRoZS1ob3VzZQ=="])
def test_a_secret_of_our_own_making_is_never_repeated_either(secret: str) -> None:
    assert secret not in str(only_problem(f'[account]\ncredential = "{secret}"'))


def test_a_password_is_told_where_it_belongs() -> None:
    problem = only_problem('[account]\npassword = "correct horse"')
    assert "put it into a file of mode 0600" in problem.message
    assert "horse" not in problem.message


# Secret settings


@pytest.mark.parametrize(
    "text",
    ['[door]\nopen_digits = "73512a"', "[door]\nopen_digits = *73512", '[door]\nopen_digits = ["73512"]'],
)
def test_a_secret_that_is_wrong_is_refused_without_being_shown(text: str) -> None:
    assert "73512" not in str(only_problem(text))


def test_a_secret_setting_is_known_by_its_field_wherever_settings_are_shown() -> None:
    shown = shown_settings(loads('[door]\nopen_digits = "73512"'))
    assert "73512" not in str(shown)
    assert shown["door"]["open_digits"] == NOT_SHOWN
    assert shown["door"]["pulse_s"] == 1.5


def test_a_secret_that_is_not_set_is_shown_as_that() -> None:
    assert shown_settings(loads('[door]\nopen_digits = ""'))["door"]["open_digits"] == ""


def test_messages_that_the_space_cannot_show_are_remarked_on(caplog: pytest.LogCaptureFixture) -> None:
    (note,) = notes_of("[history]\nmessages = true\nkeep_calls = 0", caplog)
    assert "they stay at the door" in note
