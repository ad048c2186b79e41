"""What another process wrote is told once to whoever acts on it, whoever else has looked meanwhile."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from intercom.space.errors import TokenError
from intercom.space.store.store import DATABASE, Store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with contextlib.closing(Store(tmp_path / DATABASE, now=lambda: 0.0)) as store:
        store.add_subscriber("phone")
        yield store


def shows_an_unknown_secret(store: Store) -> None:
    with pytest.raises(TokenError):
        store.owner_of("unknown")


def shows_an_unknown_token(store: Store) -> None:
    assert store.viewers.owner_of("unknown") is None


def tries_a_code(store: Store) -> None:
    assert store.codes.known(0.0, 1.0) == []


@pytest.mark.parametrize("somebody", [shows_an_unknown_secret, shows_an_unknown_token, tries_a_code])
def test_nobody_who_asks_takes_the_news_from_whoever_acts_on_it(
    store: Store, tmp_path: Path, somebody: Callable[[Store], None]
) -> None:
    with contextlib.closing(Store(tmp_path / DATABASE, now=lambda: 0.0)) as elsewhere:
        elsewhere.remove_subscriber("phone")
    somebody(store)
    assert store.subscriber("phone") is None, "it has looked"
    assert store.changed_elsewhere()
    assert not store.changed_elsewhere()


def test_a_device_that_another_process_removed_is_nobody_s_at_once(store: Store, tmp_path: Path) -> None:
    phone = store.subscriber("phone")
    assert phone is not None
    secret = store.add_device(phone, "Phone")
    with contextlib.closing(Store(tmp_path / DATABASE, now=lambda: 0.0)) as elsewhere:
        elsewhere.remove_subscriber("phone")
    with pytest.raises(TokenError):
        store.owner_of(secret)


def test_what_the_space_writes_itself_is_no_news(store: Store) -> None:
    store.remove_subscriber("phone")
    assert not store.changed_elsewhere()
