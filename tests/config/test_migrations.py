"""Configurations of older versions."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from intercom.config import Config
from intercom.config.fields import settings_of, tables_of
from intercom.config.migrations import HISTORY, History
from intercom.config.reader import Problem, Reading

CHANGED = History(
    renamed={"call.timeout_s": "call.ring_time_s", "gpio.button": "panel.button_gpio"},
    removed={"audio.jitter_ms": "the door finds the right delay by itself"},
)


def read(text: str) -> tuple[Config, Reading]:
    reading = Reading(Config, text, str, CHANGED)
    return reading.read(), reading


def test_a_renamed_setting_still_counts_and_its_new_name_is_told() -> None:
    config, reading = read("[call]\nvideo = true\ntimeout_s = 30\n")
    assert config.call.ring_time_s == 30
    assert reading.problems == []
    told = "is called call.ring_time_s now: it still counts, but rename it"
    assert reading.notes == [Problem(3, "call.timeout_s", told)]


def test_a_setting_that_moved_to_another_table_is_taken_along() -> None:
    config, reading = read("[panel]\nhold_s = 3\n[gpio]\nbutton = 5\n")
    assert config.panel.button_gpio == 5
    assert "panel.button_gpio" in str(reading.notes[0])


def test_a_wrong_value_under_an_old_name_is_found_where_it_stands() -> None:
    _, reading = read("[call]\ntimeout_s = 0\n")
    assert [(problem.line, problem.where) for problem in reading.problems] == [(2, "call.timeout_s")]


def test_old_and_new_name_together_are_a_problem() -> None:
    _, reading = read("[call]\nring_time_s = 40\ntimeout_s = 30\n")
    assert "call.ring_time_s now, which is set as well: take this line out" in str(reading.problems[0])


def test_a_setting_that_is_gone_is_named_with_what_came_instead() -> None:
    _, reading = read("[audio]\njitter_ms = 60\n")
    expected = "line 2: audio.jitter_ms: there is no such setting any more (the door finds the right delay by itself)"
    assert str(reading.problems[0]).startswith(expected)


def test_the_history_leads_to_settings_that_there_are_and_from_ones_that_there_are_not() -> None:
    names = {item.name for item in settings_of(Config)}
    names |= {f"{name}.{item.name}" for name, table in tables_of(Config) for item in settings_of(table)}
    assert set(HISTORY.renamed.values()) <= names
    assert not names & {*HISTORY.renamed, *HISTORY.removed}


@given(
    st.dictionaries(st.sampled_from(["call", "gpio", "audio", "panel"]), st.one_of(st.integers(), st.text(max_size=3)))
)
def test_a_table_that_is_none_breaks_nothing(document: dict[str, object]) -> None:
    import tomlkit

    read(tomlkit.dumps(document))
