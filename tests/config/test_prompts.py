"""The settings of what the door says: what is wrong with them is named with its line."""

from __future__ import annotations

import logging

import pytest

from intercom.config import loads
from tests.config.problems import only_problem

HELLO = '[[reply]]\nname = "hello"\ntext = "Hello."\n'


def test_a_door_says_nothing_unless_it_is_told_in_which_language() -> None:
    assert loads("").prompts.languages == ()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            '[prompts]\nlanguages = ["de", "se"]',
            'line 2: prompts.languages: expected a list of texts, each one of "en"',
        ),
        (f'[prompts]\nauto_reply = "{"x" * 201}"', "line 2: prompts.auto_reply: expected a sentence of at most 200"),
        ('[prompts]\nauto_reply = "..."', "line 2: prompts.auto_reply: expected a sentence"),
        ('[[reply]]\nname = "hello"', "line 1: reply: say what it is called and what it says"),
        ('[[reply]]\ntext = "Hello."', "line 1: reply: say what it is called and what it says"),
        (HELLO + HELLO, 'line 5: reply.name: "hello" is also the name of entry 1: choose another'),
        (HELLO + 'language = "se"', "line 4: reply.language: expected one of"),
    ],
)
def test_a_wrong_one_is_told_what_was_expected(text: str, said: str) -> None:
    problem = str(only_problem(text))
    assert problem.startswith(said)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (HELLO, "the door does not speak: name its languages in prompts.languages"),
        ("[prompts]\nauto_reply_s = 60", "the door gives up before, after call.ring_time_s"),
    ],
)
def test_one_that_has_no_effect_is_noted(text: str, said: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        loads(text)
    assert said in caplog.text
