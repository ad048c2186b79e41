"""The list of services to notify: what is accepted, and what a typo is told, with its line and without its secret."""

from __future__ import annotations

import pytest

from intercom.config import NotifyConfig, example, loads
from intercom.config.fields import NOT_SHOWN, secrets_in, shown_settings
from intercom.config.notify import names_of
from tests.config.problems import only_problem, problems_of

URL = "ntfy://anna:marked-secret@ntfy.example/door"
ENTRY = f'[[notify]]\nurl = "{URL}"\n'


def test_each_entry_is_a_service() -> None:
    config = loads(ENTRY + '[[notify]]\nurl = "tgram://1:a/2"\nname = "anna"\nevents = ["opened"]\npicture = false')
    assert config.notify == (
        NotifyConfig(url=URL),
        NotifyConfig(url="tgram://1:a/2", name="anna", events=("opened",), picture=False),
    )


def test_without_an_entry_nobody_is_told() -> None:
    assert loads("").notify == ()


def test_a_list_in_one_line_is_the_same() -> None:
    assert loads(f'notify = [{{url = "{URL}"}}]').notify == (NotifyConfig(url=URL),)


@pytest.mark.parametrize(
    ("text", "line", "where", "word"),
    [
        (ENTRY + '[[notify]]\nulr = "ntfy://a/b"', 4, "notify.ulr", "did you mean notify.url?"),
        (ENTRY + '[[notify]]\nname = "x"', 3, "notify", "url = "),
        (ENTRY + ENTRY + 'events = ["rang"]', 5, "notify.events", 'one of "ring"'),
        (ENTRY + "picture = 1", 3, "notify.picture", "true or false"),
        (ENTRY + 'name = "a b"', 3, "notify.name", "letters"),
        (ENTRY + 'link = "door.example"', 3, "notify.link", "https://"),
        (ENTRY + 'name = "a"\n' + ENTRY + 'name = "a"', 6, "notify.name", "entry 1"),
        ('[[notify]]\nurl = ""', 2, "notify.url", "ntfy://"),
        ('[[notify]]\nurl = "marked-secret"', 2, "notify.url", "ntfy://"),
        (f'[notify]\nurl = "{URL}"', 1, "notify", "[[notify]]"),
        (f'notify = "{URL}"', 1, "notify", "[[notify]]"),
        (ENTRY * 9, 1, "notify", "at most 8"),
        (ENTRY + 'token = "marked-secret"', 3, "notify.token", "no such setting"),
    ],
)
def test_a_typo_is_told_with_its_line_and_without_the_secret(text: str, line: int, where: str, word: str) -> None:
    problem = only_problem(text)
    assert (problem.line, problem.where) == (line, where)
    assert word in problem.message
    assert "marked-secret" not in str(problem)


def test_a_url_without_quotes_is_told_without_it() -> None:
    (problem,) = problems_of(f"[[notify]]\nurl = {URL}")
    assert problem.line == 2
    assert "marked-secret" not in str(problem)


def test_an_entry_that_is_given_no_name_has_that_of_its_service() -> None:
    entries = [NotifyConfig(url=URL), NotifyConfig(url=URL), NotifyConfig(url="TGRAM://1:a/2")]
    assert names_of(entries) == ["ntfy", "ntfy-2", "tgram"]


def test_a_url_is_a_secret() -> None:
    config = loads(ENTRY)
    assert secrets_in(config) == ["notify.url"]
    assert shown_settings(config)["notify"][0]["url"] == NOT_SHOWN


def test_the_example_shows_how_an_entry_is_written() -> None:
    assert "# [[notify]]\n# url = " in example()
