"""Call plans and buttons: what is accepted, and a plan that can reach nobody is told with its line."""

from __future__ import annotations

import logging
from datetime import date
from pathlib import Path

import pytest

from intercom.config import ButtonConfig, Config, Reading, StepConfig, check, example, loads
from intercom.config.plan_check import check_plans
from tests.config.problems import only_problem

STEP = '[[call.plan]]\nring = ["/private/hall"]\n'
DEAF = '[[notify]]\nurl = "ntfy://ntfy.sh/topic"\nevents = ["opened", "fault"]\n'
ANSWER_PHONE = '[account]\ncredential = "token-file"\ncredential_file = "t"\n'


def test_each_entry_is_a_step() -> None:
    config = loads(
        STEP + '[[call.plan]]\nring = ["/private/a", "/private/b"]\nring_time_s = 20\nhours = ["22:00-06:00"]'
    )
    assert config.call.plan == (
        StepConfig(ring=("/private/hall",)),
        StepConfig(ring=("/private/a", "/private/b"), ring_time_s=20.0, hours=("22:00-06:00",)),
    )


def test_the_one_button_is_that_of_button_gpio_where_no_others_are_named() -> None:
    assert loads("[panel]\nbutton_gpio = 5").panel.buttons == (ButtonConfig(gpio=5),)


def test_each_entry_is_a_button() -> None:
    config = loads('[[panel.button]]\ngpio = 5\nname = "Familie Müller"\n[[panel.button]]\ngpio = 6\nname = "Office"')
    assert [(button.gpio, button.name) for button in config.panel.buttons] == [(5, "Familie Müller"), (6, "Office")]


@pytest.mark.parametrize(
    ("text", "line", "where", "word"),
    [
        (STEP + "ring_time = 5", 3, "call.plan.ring_time", "did you mean call.plan.ring_time_s?"),
        (STEP + 'days = ["monday"]', 3, "call.plan.days", 'one of "mon"'),
        (STEP + 'hours = ["8-12"]', 3, "call.plan.hours", "22:00-06:00"),
        (STEP + 'days = ["holiday"]', 3, "call.plan.days", "call.holidays"),
        (STEP + 'notify = ["mail"]', 3, "call.plan.notify", "no [[notify]] of the name"),
        (f'{STEP}notify = ["ntfy"]\n{DEAF}', 3, "call.plan.notify", "told of no press"),
        (STEP + 'plan = "office"', 3, "call.plan.plan", "no button begins"),
        ('[[call.plan]]\nring = ["+15551234567"]', 2, "call.plan.ring", "reaches nobody"),
        ('[[call.plan]]\nring = ["/public/echo"]', 2, "call.plan.ring", "reaches nobody"),
        ("[[call.plan]]\nring_time_s = 400\n" * 2, 1, "call.plan", "800 s, and at most 600"),
        ('[call]\nholidays = ["2026-02-30"]', 2, "call.holidays", "2026-12-24"),
        ('[[panel.button]]\nplan = "office"', 2, "panel.button.plan", "rings nobody"),
        ("[[panel.button]]\n[[panel.button]]\ngpio = 5", 1, "panel.button", "a name"),
        (
            '[[panel.button]]\nname = "a"\n[[panel.button]]\ngpio = 5\nname = "a"',
            5,
            "panel.button.name",
            "another button",
        ),
        ("[panel]\nbutton_gpio = 5\n[[panel.button]]\ngpio = 6", 2, "panel.button_gpio", "leave it out"),
        ("[call]\nplan = 1", 2, "call.plan", "[[call.plan]]"),
    ],
)
def test_what_can_reach_nobody_is_told_with_its_line(text: str, line: int, where: str, word: str) -> None:
    problem = only_problem(text)
    assert (problem.line, problem.where) == (line, where)
    assert word in problem.message


def test_two_buttons_at_one_pin_are_told() -> None:
    problem = only_problem('[[panel.button]]\ngpio = 5\nname = "a"\n[[panel.button]]\ngpio = 5\nname = "b"')
    assert (problem.line, problem.where) == (5, "panel.button.gpio")
    assert "taken by panel.button.1.gpio" in problem.message


def test_an_account_reaches_telephones() -> None:
    config = loads(ANSWER_PHONE + '[[call.plan]]\nring = ["+15551234567", "/private/anna"]')
    assert config.call.plan[0].ring == ("+15551234567", "/private/anna")


def test_the_steps_of_an_account_that_ring_one_after_the_other_count_one_by_one() -> None:
    ring = '[[call.plan]]\nring = ["+15551234567", "/private/anna"]\nring_time_s = 400'
    assert "800 s" in only_problem(ANSWER_PHONE + ring).message


def test_a_usual_address_that_the_house_cannot_reach_is_an_error_of_config_check(tmp_path: Path) -> None:
    file = tmp_path / "intercom.toml"
    file.write_text('[call]\nring = "+15551234567"\n')
    (problem,) = check(file)
    assert (problem.line, problem.where) == (2, "call.ring")


def test_a_time_at_which_nobody_is_rung_is_remarked_on(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        loads(STEP + 'days = ["mon", "tue", "wed", "thu", "fri"]\nhours = ["08:00-18:00"]')
    assert "line 1: call.plan: this plan rings nobody from 00:00 on mon" in caplog.text


def test_a_plan_for_day_and_night_is_not_remarked_on(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        loads(f'{STEP}hours = ["06:00-22:00"]\n{STEP}hours = ["22:00-06:00"]')
    assert caplog.text == ""


def test_holidays_without_a_step_are_remarked_on(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        loads(f'[call]\nholidays = ["12-25"]\n{STEP}days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]')
    assert "on a holiday" in caplog.text


def remarks(text: str, today: date) -> list[str]:
    reading = Reading(Config, text, str)
    check_plans(reading.read(), reading, today)
    assert reading.problems == []
    return [str(note) for note in reading.notes]


HOLIDAYS = f'[call]\nholidays = ["2026-12-24", "2026-12-25"]\n{STEP}{STEP}days = ["holiday"]\n'


def test_holidays_that_are_all_past_are_remarked_on_at_the_step_that_waits_for_one() -> None:
    (remark,) = remarks(HOLIDAYS, date(2026, 12, 26))
    assert remark.startswith("line 7: call.plan.days: every date in call.holidays is past")


@pytest.mark.parametrize("today", [date(2026, 11, 1), date(2026, 12, 25)])
def test_a_holiday_that_is_today_or_to_come_is_not_past(today: date) -> None:
    assert remarks(HOLIDAYS, today) == []


def test_a_holiday_without_a_year_comes_again() -> None:
    assert remarks(HOLIDAYS.replace("2026-12-25", "12-25"), date(2036, 12, 31)) == []


def test_past_holidays_are_a_remark_and_no_error(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        assert loads(HOLIDAYS.replace("2026", "2001")).call.holidays
    assert "every date in call.holidays is past" in caplog.text


def test_the_example_shows_how_a_step_and_a_button_are_written() -> None:
    assert "# [[call.plan]]\n# plan = " in example()
    assert "# [[panel.button]]\n# gpio = " in example()
