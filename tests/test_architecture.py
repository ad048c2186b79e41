"""The page that a newcomer reads first: it is what the code says, and the walks on it stay short."""

from __future__ import annotations

from tests.architecture import PAGE, hops, modules, page
from tests.door_walks import walks


def test_the_page_is_what_the_code_says() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "`make docs` writes it anew"


def test_a_press_is_an_invite_after_ten_modules_at_most() -> None:
    carriers = modules(walks().press)
    assert len(carriers) <= 10, carriers


def test_a_press_is_handed_on_twice_at_most_before_it_is_an_invite() -> None:
    assert hops(walks().press) <= 2


def test_the_words_of_an_ssh_command_are_taken_apart_once() -> None:
    assert len(walks().readers) == 1, walks().readers
