"""`intercom setup`, from a file and at a terminal."""

from __future__ import annotations

import os
import pty
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from intercom.cli import main
from intercom.cli.options import BAD_CONFIG
from intercom.cli.running_door.remote import OK, TROUBLE
from intercom.config import load

COMMAND = [sys.executable, "-m", "intercom", "setup"]
WAIT_S = 60.0
STOPPED = "nothing was written"
PROJECT_TOKEN = "PT" + 6 * "0123456789"
KEY = "whsec_" + 11 * "QUJD"
TOKEN = "eyJhbGciOiJIUzI1NiJ9.e30.c2ln"


def setup(folder: Path, answers: str) -> int:
    file = folder / "answers.toml"
    file.write_text(answers)
    return main.main(["setup", "--answers", str(file), "--config", str(folder / "intercom.toml")])


def test_answers_from_a_file_become_the_configuration(tmp_path: Path) -> None:
    assert setup(tmp_path, "network = true\nbutton = 5\n") == OK
    config = load(tmp_path / "intercom.toml")
    assert (config.space.listen, config.panel.button_gpio) == ("0.0.0.0:8443", 5)
    assert (tmp_path / "intercom.toml").stat().st_mode & 0o777 == 0o600


def test_a_token_goes_into_a_file_of_its_own_that_nobody_else_reads(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "given").write_text(TOKEN + "\n")
    answers = f'service = "signalwire"\ntoken_file = "{tmp_path}/given"\nring = "/private/anna"\n'
    assert setup(tmp_path, answers) == OK
    token = tmp_path / "token"
    assert token.read_text().strip() == TOKEN
    assert token.stat().st_mode & 0o777 == 0o600
    assert load(tmp_path / "intercom.toml").account.credential_file == str(token)
    shown = capsys.readouterr()
    assert TOKEN not in (tmp_path / "intercom.toml").read_text() + shown.out + shown.err


def test_a_token_goes_with_the_account_that_it_was_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "given").write_text(TOKEN)
    setup(tmp_path, f'service = "signalwire"\ntoken_file = "{tmp_path}/given"\nring = "/private/anna"\n')
    assert setup(tmp_path, 'service = "space"\n') == OK
    assert not (tmp_path / "token").exists()
    assert "token: removed" in capsys.readouterr().out


def test_a_file_that_only_has_the_name_of_a_token_stays(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("somebody else's")
    assert setup(tmp_path, 'service = "space"\nbutton = 5\n') == OK
    assert (tmp_path / "token").exists()


@pytest.mark.parametrize(
    "answers", ["button = 99", "sevice = 1", "not TOML", 'service = "signalwire"', 'token_file = "/no/such"']
)
def test_bad_answers_are_one_sentence_and_nothing_is_written(
    answers: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert setup(tmp_path, answers) == TROUBLE
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert said.endswith("nothing was written\n")
    assert [file.name for file in tmp_path.iterdir()] == ["answers.toml"]


def test_a_configuration_that_is_broken_is_not_written_over(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "intercom.toml"
    file.write_text("[cal]\n")
    assert setup(tmp_path, "button = 5") == BAD_CONFIG
    assert "mend that first" in capsys.readouterr().err
    assert file.read_text() == "[cal]\n"


def test_without_a_terminal_it_says_how_to_answer(tmp_path: Path) -> None:
    command = [*COMMAND, "--config", str(tmp_path / "intercom.toml")]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    assert done.returncode == TROUBLE
    assert "--answers FILE" in done.stderr


def test_answers_may_come_through_a_pipe(tmp_path: Path) -> None:
    command = [*COMMAND, "--answers", "-", "--config", str(tmp_path / "intercom.toml")]
    subprocess.run(command, input="button = 6\n", text=True, check=True, capture_output=True)
    assert load(tmp_path / "intercom.toml").panel.button_gpio == 6


# -- at a terminal -------------------------------------------------------------------------------------


class Visit:
    """Somebody at a terminal on which setup runs."""

    def __init__(self, config: Path) -> None:
        self.shown = ""
        self._read_to = 0
        child, self._terminal = pty.fork()
        if child == 0:
            os.environ["TERM"] = "dumb"
            os.execv(COMMAND[0], [*COMMAND, "--config", str(config)])
        self._child = child

    def types(self, *lines: str) -> None:
        """Answer one question after another, each when its prompt stands there."""
        for line in lines:
            self._wait("] > ")
            os.write(self._terminal, line.encode() + b"\n")

    def interrupts(self) -> None:
        """Press Ctrl-C at a prompt, once it reads: a moment before that its reading would not notice."""
        self._wait("] > ")
        until = time.monotonic() + WAIT_S
        while not self._sleeps():
            assert time.monotonic() < until, self.shown
            time.sleep(0.01)
        os.write(self._terminal, b"\x03")

    def ends(self) -> int:
        """Its exit status."""
        until = time.monotonic() + WAIT_S
        while self._more() and time.monotonic() < until:
            pass
        child = os.pidfd_open(self._child)
        # Its terminal is closed a moment before it is gone.
        if not select.select([child], [], [], max(0.0, until - time.monotonic()))[0]:
            os.kill(self._child, signal.SIGKILL)
        os.close(child)
        return os.waitstatus_to_exitcode(os.waitpid(self._child, 0)[1])

    def _wait(self, text: str) -> None:
        until = time.monotonic() + WAIT_S
        while (found := self.shown.find(text, self._read_to)) < 0:
            assert time.monotonic() < until and self._more(), self.shown
        self._read_to = found + len(text)

    def _sleeps(self) -> bool:
        """Return whether it waits for something; at a prompt it is what is typed. Source: proc_pid_stat(5)."""
        return Path(f"/proc/{self._child}/stat").read_text().rpartition(")")[2].split()[0] == "S"

    def _more(self) -> bool:
        ready = select.select([self._terminal], [], [], WAIT_S)[0]
        try:
            data = os.read(self._terminal, 4096) if ready else b""
        except OSError:  # how a terminal says that its other end is closed
            data = b""
        self.shown += data.decode(errors="replace")
        return bool(data)


@pytest.fixture
def config(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "intercom.toml"


KEEP = ""


def test_a_newcomer_who_only_presses_enter_gets_a_door_that_phones_can_answer(config: Path) -> None:
    visit = Visit(config)
    visit.types(KEEP, KEEP, KEEP, KEEP, "simulated", KEEP, KEEP, KEEP, KEEP, KEEP, KEEP, KEEP, KEEP)
    assert visit.ends() == 0, visit.shown
    assert load(config).space.listen == "0.0.0.0:8443"
    assert "Found on this machine:" in visit.shown
    assert "\x1b[" not in visit.shown  # no colour, no cursor: it is read over any line


def test_pins_are_asked_again_until_no_two_are_the_same(config: Path) -> None:
    visit = Visit(config)
    visit.types(KEEP, KEEP, KEEP, KEEP, "gpio", "no")
    visit.types("24", "none", "24", KEEP)
    visit.types("5", KEEP, "6", "no")
    visit.types(KEEP, KEEP, KEEP, KEEP, KEEP, KEEP, KEEP, KEEP, KEEP)
    assert visit.ends() == 0, visit.shown
    assert "GPIO 24 stands there twice" in visit.shown
    now = load(config)
    assert (now.panel.button_gpio, now.panel.light, now.door.relay_gpio, now.door.relay_active_high) == (
        5,
        "none",
        6,
        False,
    )


def test_what_is_wired_around_the_door_is_asked_until_no_two_are_the_same(config: Path) -> None:
    config.write_text("[door]\ncontact_gpio = 17  # in the frame\nforced_after_s = 5\n[panel]\nbutton_gpio = 5\n")
    visit = Visit(config)
    visit.types(KEEP, KEEP, KEEP, KEEP, "gpio", "no")
    visit.types("17", "none", KEEP, KEEP, KEEP)  # the button where the contact is
    visit.types("12", "none", "16", "no pin", "19", KEEP, "yes")
    visit.types(*[KEEP] * 8)
    assert visit.ends() == 0, visit.shown
    assert "Now: door contact 17. Is it like this?" in visit.shown
    assert "A GPIO number from 0 to 27, or none." in visit.shown
    now = load(config)
    assert (now.panel.chime_gpio, now.panel.bell_light_gpio) == (12, -1)
    assert (now.door.contact_gpio, now.door.exit_gpio, now.door.tamper_gpio, now.door.forced_after_s) == (16, 19, -1, 0)


def test_a_door_with_a_key_stays_one_for_whoever_only_presses_enter(config: Path) -> None:
    config.write_text("[door]\ncontact_gpio = 16\nforced_after_s = 0\n")
    visit = Visit(config)
    visit.types(KEEP, KEEP, KEEP, KEEP, "gpio", KEEP)
    visit.types("no", KEEP, "13", KEEP, KEEP, KEEP, KEEP)
    visit.types(*[KEEP] * 8)
    assert visit.ends() == 0, visit.shown
    now = load(config)
    assert (now.panel.bell_light_gpio, now.door.forced_after_s) == (13, 0)


def test_a_pin_that_is_taken_elsewhere_is_asked_again_before_anything_is_lost(config: Path) -> None:
    buttons = '[[panel.button]]\ngpio = 5\nname = "Office"\n[[panel.button]]\ngpio = 6\nname = "Flat"\n'
    config.write_text(f"[camera]\nlight_gpio = 12\n[panel]\nchime_gpio = 17\n{buttons}")
    visit = Visit(config)
    visit.types(KEEP, KEEP, KEEP, KEEP, "gpio", "no")
    visit.types("none", "5", KEEP, KEEP, "24", KEEP)  # no light, and the relay where a button is
    visit.types("no", KEEP, "12", KEEP, KEEP, KEEP, KEEP, "13", KEEP, KEEP, KEEP)
    visit.types(*[KEEP] * 8)
    assert visit.ends() == 0, visit.shown
    assert "GPIO numbers: button 5, button 6, red" in visit.shown
    assert "GPIO 5 is taken by a [[panel.button]]: once more" in visit.shown
    assert "GPIO 12 is taken by camera.light_gpio: once more" in visit.shown
    now = load(config)
    assert (now.panel.chime_gpio, now.panel.bell_light_gpio, now.door.relay_gpio) == (17, 13, 24)


def test_programs_of_the_house_are_let_in_and_told_where_somebody_says_so(config: Path) -> None:
    visit = Visit(config)
    visit.types(KEEP, KEEP, KEEP, KEEP, "simulated", KEEP, KEEP, KEEP, KEEP, KEEP)
    visit.types("yes", "the neighbour", "http://homeassistant.local:8123/api/webhook/marked", "a key", KEY, KEEP)
    assert visit.ends() == 0, visit.shown
    assert "webhook: expected a URL like" in visit.shown
    assert "webhook_secret: expected a key like" in visit.shown
    assert KEY not in visit.shown
    now = load(config)
    assert now.api.listen == "0.0.0.0:8490"
    assert [(entry.url, entry.secret) for entry in now.webhook] == [
        ("http://homeassistant.local:8123/api/webhook/marked", KEY)
    ]


def test_a_token_is_not_shown_and_a_wrong_one_is_asked_again(config: Path) -> None:
    visit = Visit(config)
    visit.types("signalwire", "not a token", PROJECT_TOKEN, TOKEN, "the neighbour", "/private/anna", "+15551234567")
    visit.types("simulated", KEEP, KEEP, KEEP, KEEP, KEEP, KEEP, KEEP, KEEP)
    assert visit.ends() == 0, visit.shown
    assert "holds no token" in visit.shown
    assert "API token of a whole project" in visit.shown
    assert TOKEN not in visit.shown
    now = load(config).call
    assert (now.ring, now.plan[1].ring) == ("/private/anna", ("+15551234567",))


def test_somebody_who_chose_the_account_may_go_back_to_the_house(config: Path) -> None:
    visit = Visit(config)
    visit.types("signalwire", "back", "space", KEEP, KEEP, KEEP)
    visit.types("simulated", "back", "simulated", KEEP, KEEP, "off", KEEP, KEEP, KEEP, KEEP, KEEP)
    assert visit.ends() == 0, visit.shown
    now = load(config)
    assert (now.account.credential, now.camera.source) == ("space", "off")


def test_without_a_service_no_test_call_is_asked_about_and_both_programs_are_named(config: Path) -> None:
    visit = Visit(config)
    visit.types(KEEP, KEEP, KEEP, KEEP, "simulated", KEEP, KEEP, KEEP, KEEP, KEEP, KEEP, KEEP, KEEP)
    assert visit.ends() == 0, visit.shown
    assert "test call" not in visit.shown
    assert f"intercom space --config {config}" in visit.shown
    assert f"intercom run --config {config}" in visit.shown


def test_a_test_call_that_was_asked_for_and_cannot_be_made_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert setup(tmp_path, "network = true\ntest_call = true\n") == OK
    assert "No test call was made" in capsys.readouterr().out


def test_what_is_set_is_offered_the_second_time(config: Path) -> None:
    before = '[panel]\npins = "simulated"\n\n[camera]\nsource = "off"\n'
    config.write_text(before)
    visit = Visit(config)
    visit.types(KEEP, KEEP, KEEP, KEEP, KEEP, KEEP, KEEP, KEEP, KEEP, KEEP, KEEP, KEEP)
    assert visit.ends() == 0, visit.shown
    assert "[off] > " in visit.shown
    assert "stays as it is" in visit.shown
    assert config.read_text() == before


def test_whom_else_to_tell_is_asked_and_understood(config: Path) -> None:
    visit = Visit(config)
    visit.types(KEEP, KEEP, KEEP, KEEP, "simulated", KEEP, KEEP, KEEP)
    visit.types("what is that?", "nobody-guesses-this", KEEP, KEEP, KEEP, KEEP)
    assert visit.ends() == 0, visit.shown
    assert "expected an ntfy topic or a URL" in visit.shown
    assert [entry.url for entry in load(config).notify] == ["ntfy://ntfy.sh/nobody-guesses-this"]


def test_home_assistant_s_broker_is_asked_for_with_its_password_which_is_not_shown(config: Path) -> None:
    visit = Visit(config)
    visit.types(KEEP, KEEP, KEEP, KEEP, "simulated", KEEP, KEEP, KEEP, KEEP)
    visit.types("the broker", "mqtts://broker.local", "door", "marked secret", "yes", KEEP, KEEP, KEEP)
    assert visit.ends() == 0, visit.shown
    assert "Expected none, or a URL like" in visit.shown
    assert "marked secret" not in visit.shown
    now, password = load(config).mqtt, config.parent / "mqtt-password"
    assert (now.url, now.user, now.password_file, now.may_open) == ("mqtts://broker.local", "door", str(password), True)
    assert (password.read_text(), password.stat().st_mode & 0o777) == ("marked secret\n", 0o600)


def test_a_broker_in_clear_is_not_asked_to_open_the_door(config: Path) -> None:
    visit = Visit(config)
    visit.types(
        KEEP, KEEP, KEEP, KEEP, "simulated", KEEP, KEEP, KEEP, KEEP, "mqtt://broker.local", KEEP, KEEP, KEEP, KEEP
    )
    assert visit.ends() == 0, visit.shown
    assert "It may not open the door" in visit.shown
    assert not load(config).mqtt.may_open


def test_the_languages_of_the_prompts_are_asked_until_the_door_speaks_them(config: Path) -> None:
    visit = Visit(config)
    visit.types(KEEP, KEEP, KEEP, KEEP, "simulated", KEEP, "German", "de, en", KEEP, KEEP, KEEP, KEEP, KEEP, KEEP)
    assert visit.ends() == 0, visit.shown
    assert "Expected none, or languages like de en." in visit.shown
    assert load(config).prompts.languages == ("de", "en")


def test_a_door_that_speaks_already_is_offered_its_languages_and_may_fall_silent(config: Path) -> None:
    config.write_text('[prompts]\nlanguages = ["it", "nl"]  # for our neighbours\n')
    visit = Visit(config)
    visit.types(KEEP, KEEP, KEEP, KEEP, "simulated", KEEP, "none", KEEP, KEEP, KEEP, KEEP, KEEP, KEEP)
    assert visit.ends() == 0, visit.shown
    assert "[it nl] > " in visit.shown
    assert load(config).prompts.languages == ()


def test_whoever_stops_in_the_middle_has_changed_nothing(config: Path) -> None:
    visit = Visit(config)
    visit.types(KEEP, KEEP)
    visit.interrupts()
    assert visit.ends() == TROUBLE
    assert STOPPED in visit.shown
    assert not config.exists()
