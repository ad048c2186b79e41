"""The viewers that a space knows, and their tokens."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from intercom.space.errors import ViewerError
from intercom.space.store.store import DATABASE, Store
from intercom.space.viewers.tokens import VIEWERS_LIMIT, ViewerTokens

NOON = 1_800_000_000.0


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(tmp_path / DATABASE, now=lambda: NOON)
    yield store
    store.close()


@pytest.fixture
def tokens(store: Store) -> ViewerTokens:
    return store.viewers


def test_a_token_names_its_viewer_and_what_it_may(tokens: ViewerTokens) -> None:
    talking, silent = tokens.add("home-assistant", talks=True), tokens.add("frigate", talks=False)
    assert [(viewer.name, viewer.talks) for viewer in tokens.all()] == [("frigate", False), ("home-assistant", True)]
    for token, name in ((talking, "home-assistant"), (silent, "frigate")):
        viewer = tokens.owner_of(token)
        assert viewer is not None
        assert viewer.name == name


def test_the_database_holds_no_token(tokens: ViewerTokens, tmp_path: Path) -> None:
    token = tokens.add("frigate", talks=False)
    for file in tmp_path.iterdir():
        assert token.encode() not in file.read_bytes()


def test_a_token_that_another_process_made_or_took_back_counts_at_once(tokens: ViewerTokens, tmp_path: Path) -> None:
    elsewhere = Store(tmp_path / DATABASE, now=lambda: NOON)
    token = elsewhere.viewers.add("frigate", talks=False)
    assert tokens.owner_of(token) is not None
    elsewhere.viewers.remove("frigate")
    elsewhere.close()
    assert tokens.owner_of(token) is None


@pytest.mark.parametrize("name", ["", "Frigate", "a b", "-a", "a-", "x" * 33, "a/b", "a:b", "ä"])
def test_a_name_fits_a_url_and_a_line_of_the_log(tokens: ViewerTokens, name: str) -> None:
    with pytest.raises(ViewerError, match="names no viewer"):
        tokens.add(name, talks=False)


def test_a_name_is_given_once_and_after_it_is_removed_again(tokens: ViewerTokens) -> None:
    first = tokens.add("frigate", talks=False)
    with pytest.raises(ViewerError, match="already"):
        tokens.add("frigate", talks=True)
    tokens.remove("frigate")
    with pytest.raises(ViewerError, match="no viewer 'frigate'"):
        tokens.remove("frigate")
    assert tokens.add("frigate", talks=False) != first
    assert tokens.owner_of(first) is None


def test_there_is_a_limit_of_viewers(tokens: ViewerTokens) -> None:
    for number in range(VIEWERS_LIMIT):
        tokens.add(f"viewer-{number}", talks=False)
    with pytest.raises(ViewerError, match=f"{VIEWERS_LIMIT} viewers"):
        tokens.add("one-more", talks=False)


def test_the_day_on_which_it_watched_is_noted_once(tokens: ViewerTokens, store: Store) -> None:
    viewer = tokens.owner_of(tokens.add("frigate", talks=False))
    assert viewer is not None
    assert viewer.seen_on == ""
    tokens.seen(viewer)
    (seen,) = tokens.all()
    assert seen.seen_on.startswith("2027-01-1")
    store.changed_elsewhere()
    tokens.seen(seen)
    assert not store.changed_elsewhere(), "a second look of the day writes nothing"
