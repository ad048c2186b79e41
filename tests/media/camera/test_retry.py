"""A camera that is away is tried again soon while somebody looks, and more and more seldom while nobody does."""

from __future__ import annotations

from intercom.media.camera.retry import LONGEST_S, RETRY_S, Retry


def pauses(retry: Retry, tries: int, *, seen: bool = False) -> list[float]:
    return [retry.pause_s(seen=seen, showed=False) for _ in range(tries)]


def test_while_nobody_looks_it_is_tried_more_and_more_seldom() -> None:
    assert pauses(Retry(RETRY_S), 7) == [1, 2, 4, 8, 16, LONGEST_S, LONGEST_S]


def test_while_somebody_looks_it_is_tried_each_second() -> None:
    retry = Retry(RETRY_S)
    pauses(retry, 7)
    assert pauses(retry, 3, seen=True) == [RETRY_S] * 3


def test_one_that_was_plugged_in_is_tried_again_at_once() -> None:
    retry = Retry(RETRY_S)
    pauses(retry, 7)
    retry.begin_anew()
    assert pauses(retry, 2) == [1, 2]


def test_one_that_shows_pictures_and_fails_again_and_again_is_tried_each_second() -> None:
    retry = Retry(RETRY_S)
    pauses(retry, 7)
    assert [retry.pause_s(seen=False, showed=True) for _ in range(3)] == [RETRY_S] * 3
