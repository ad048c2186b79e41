"""What of a readable configuration is refused all the same: settings that contradict each other, and secrets."""

import pytest

from intercom.config import loads

from .config_problems import only_problem

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
        ('[panel]\npage_listen = "127.0.0.1:8480"', "panel.page_listen", "space.listen"),
    ],
)
def test_settings_that_contradict_each_other_are_refused(text: str, where: str, word: str) -> None:
    problem = only_problem(text)
    assert problem.where == where
    assert word in problem.message


def test_pins_of_lights_that_are_not_there_are_free() -> None:
    assert loads('[panel]\nlight = "single"\n[door]\nrelay_gpio = 22').door.relay_gpio == 22


def test_everyone_is_nobody_to_answer_by_itself() -> None:
    assert '"/private/*" or an address' in only_problem('[call]\nauto_answer = ["*"]').message


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


def test_a_password_is_told_where_it_belongs() -> None:
    problem = only_problem('[account]\npassword = "correct horse"')
    assert "put it into a file of mode 0600" in problem.message
    assert "horse" not in problem.message
