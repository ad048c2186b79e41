"""The catalogues: each language says everything that English says, and nothing is said outside of them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intercom import space, station
from intercom.languages import DIRECTORY, LANGUAGES, preferred

OTHERS = LANGUAGES[1:]
SCRIPTS = sorted(station.DIRECTORY.rglob("*.js"))
TOKEN = re.compile(r'//[^\n]*|/\*.*?\*/|"((?:[^"\\\n]|\\.)*)"|`((?:[^`\\]|\\.)*)`', re.DOTALL)
"""A comment, or a text of a script."""
WORDS = re.compile(r"[A-Za-z']{2,} [A-Za-z']{2,}|^[A-Z][a-z]+[.…]?$")
"""Two words beside each other, or one that begins a sentence."""
NO_WORDS = {
    *("Authorization", "Date", "Enter", "Escape", "Notification", "Station", "no answer to ${frame.method}"),
    *("Call", "Chromebook", "Intercom", "Mac"),
}
"""Names that every language has in common, and what only programs read."""
ATTRIBUTES = {"aria-label": "data-t-label", "alt": "data-t-alt", "title": "", "placeholder": ""}
"""Each attribute that people read, and the one that names its key."""
VOID = {"meta", "link", "input", "img", "br", "use", "path", "circle", "rect"}


def read(language: str) -> dict[str, Any]:
    """Return a catalogue; a key that stands twice is an error."""

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        keys = [key for key, _ in pairs]
        assert sorted(set(keys)) == sorted(keys), f"twice in {language}: {keys}"
        return dict(pairs)

    found: dict[str, Any] = json.loads((DIRECTORY / f"{language}.json").read_text(), object_pairs_hook=once)
    return found


ENGLISH = read("en")


def forms(sentence: str | dict[str, str]) -> list[str]:
    """Return a sentence, or each of its plurals."""
    return [sentence] if isinstance(sentence, str) else list(sentence.values())


def names(sentence: str | dict[str, str]) -> set[str]:
    """Return the names that a sentence has filled in."""
    return set(re.findall(r"\{(\w+)\}", " ".join(forms(sentence))))


@pytest.mark.parametrize("language", OTHERS)
def test_a_language_has_every_sentence_and_no_other(language: str) -> None:
    assert sorted(read(language)) == sorted(ENGLISH)


@pytest.mark.parametrize("language", OTHERS)
def test_a_sentence_has_the_same_names_filled_in(language: str) -> None:
    assert {key: names(words) for key, words in read(language).items()} == {
        key: names(words) for key, words in ENGLISH.items()
    }


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_sentence_is_empty_or_has_a_brace_too_many(language: str) -> None:
    for key, words in read(language).items():
        for form in forms(words):
            assert form.strip() == form, key
            assert form, key
            assert not re.search(r"[{}]", re.sub(r"\{\w+\}", "", form)), key


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_plural_has_the_form_for_all_other_numbers(language: str) -> None:
    for key, words in read(language).items():
        assert isinstance(words, str) or {"one", "other"} <= set(words) <= {"one", "many", "other"}, key


@pytest.mark.parametrize("language", OTHERS)
def test_no_sentence_of_some_words_is_left_in_english(language: str) -> None:
    theirs = read(language)
    same = [key for key, words in ENGLISH.items() if words == theirs[key]]
    assert [key for key in same if len(re.findall(r"[A-Za-z]{3,}", str(ENGLISH[key]))) > 2] == []


class Document(HTMLParser):
    """Collects what a page says: the keys with their English, and what has none."""

    def __init__(self) -> None:
        super().__init__()
        self.said: dict[str, set[str]] = {}
        self.unkeyed: list[str] = []
        self._open: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        for attribute, mark in ATTRIBUTES.items():
            if words := given.get(attribute):
                self._say(given.get(mark), words)
        if tag not in VOID:
            self._open.append((tag, given))

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        tag, given = self._open[-1] if self._open else ("", {})
        no_script = any(name == "noscript" for name, _ in self._open)
        if re.search(r"[A-Za-z]", data) and tag not in {"title", "style"} and not no_script and "lang" not in given:
            self._say(given.get("data-t"), data)

    def _say(self, key: str | None, words: str) -> None:
        if key:
            self.said.setdefault(key, set()).add(words)
        elif words not in NO_WORDS:
            self.unkeyed.append(words)


@pytest.fixture(scope="module")
def document() -> Document:
    parsed = Document()
    parsed.feed((station.DIRECTORY / "index.html").read_text())
    return parsed


def test_the_page_stands_in_english_and_nothing_in_it_is_without_a_key(document: Document) -> None:
    assert document.unkeyed == []
    assert document.said == {key: {ENGLISH[key]} for key in document.said}


def texts() -> Iterator[tuple[str, str]]:
    """Yield each text of the page's scripts, with its file."""
    for path in SCRIPTS:
        for plain, template in TOKEN.findall(path.read_text()):
            yield path.name, plain or template


def test_no_script_of_the_page_says_a_sentence_of_its_own() -> None:
    said = [(name, text) for name, text in texts() if WORDS.search(re.sub(r"\$\{[^{}]*\}", "", text))]
    assert [(name, text) for name, text in said if text not in NO_WORDS] == []


def spoken(script: str) -> Iterator[str]:
    """Yield what stands in the brackets of each `t(...)`, `known(...)` and `say(...)` of a script."""
    for call in re.finditer(r"\b(?:t|known|say)\(", script):
        depth, end = 1, call.end()
        while depth:
            depth += {"(": 1, ")": -1}.get(script[end], 0)
            end += 1
        yield script[call.end() : end]


def test_every_key_that_a_script_says_is_there_and_none_is_there_for_nobody(document: Document) -> None:
    said = [text for path in SCRIPTS for call in spoken(path.read_text()) for text in re.findall(r'"([^"]+)"', call)]
    assert [text for text in said if re.fullmatch(r"[a-z-]+(\.[\w-]+)+", text) and text not in ENGLISH] == []
    keys = {text for _, text in texts()} | set(document.said) | set(said)
    beginnings = {found[1] for _, text in texts() if (found := re.match(r"([a-z-]+\.)\$\{", text))}
    beginnings |= {"notify.", "part.", "prompt."}  # said by the door
    beginnings |= {"trust.", "manifest."}  # said by the space
    assert [key for key in ENGLISH if key not in keys and not key.startswith(tuple(beginnings))] == []


# -- the pages that no script translates ---------------------------------------------------------------

TRUST = (Path(space.__file__).parent / "http/trust/trust.html").read_text()


def test_the_page_of_trust_says_nothing_but_sentences_of_the_catalogues_and_says_each() -> None:
    parsed = Document()
    parsed.feed(re.sub(r"\{\{[^}]*\}\}", "", TRUST))
    assert set(parsed.unkeyed) <= {"Android", "Intercom at …", "OK"}
    said = {f"trust.{key}" for key in re.findall(r"\{\{t:([^}]*)\}\}", TRUST)}
    assert said | {"trust.profile"} == {key for key in ENGLISH if key.startswith("trust.")}


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_sentence_of_the_page_of_trust_breaks_out_of_no_element_or_attribute(language: str) -> None:
    for key, words in read(language).items():
        if key.startswith("trust."):
            plain = re.sub(r"<(b|code)>([^<>]*)</\1>", r"\2", words)
            assert not re.search(r"[<>\"]", plain), key


def test_without_a_script_the_page_says_in_every_language_what_it_needs() -> None:
    page = (station.DIRECTORY / "index.html").read_text()
    sentences = re.findall(r"<p[^>]*>", page[page.index("<noscript>") : page.index("</noscript>")])
    spoken_in = [found[1] if (found := re.search(r'lang="(\w+)"', tag)) else "en" for tag in sentences]
    assert spoken_in == list(LANGUAGES)


@pytest.mark.parametrize(
    ("accept", "language"),
    [
        ("de-AT,de;q=0.9,en;q=0.8", "de"),
        ("pt-BR, pt;q=0.9, es;q=0.8, en;q=0.7", "es"),
        ("en;q=0.2, nl;q=0.9", "nl"),
        ("EN-gb", "en"),
        (" de ; q=0.5 , fr", "fr"),
        ("de ; q=0.5 ,\ten\t;\tq=0.1 ", "de"),
        ("fr;q=0, it;q=0.1", "it"),
        ("ja", "fr"),
        ("*", "fr"),
        ("", "fr"),
    ],
)
def test_a_page_comes_in_the_language_that_the_browser_wants_most(accept: str, language: str) -> None:
    assert preferred(accept, "fr") == language


@given(st.text(max_size=200) | st.text(alphabet="de,;q=0.1-* ", max_size=400))
def test_whatever_a_browser_says_it_gets_a_language(accept: str) -> None:
    assert preferred(accept, "fr") in LANGUAGES
