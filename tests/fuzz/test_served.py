"""Whole requests reach the handlers that they are meant for: what is refused at the threshold tries nothing."""

from __future__ import annotations

from tests.fuzz import served


def test_requests_of_pushes_are_answered() -> None:
    asks = served.push()
    assert [asks(data) for data in served.PUSH] == [201, 200, 401, 200, 200, 200]


def test_requests_of_the_space_are_answered() -> None:
    asks = served.space()
    said = [asks(data) for data in served.SPACE]
    assert said[:9] == [200, 422, 200, 200, 200, 200, 200, 200, 200], "a phone without pushes rings by none"
    assert said[9:] == [404, 200, 401, 201, 200, 200, 403, 201, 422], "no such picture, code, proof and refresh token"


def test_requests_of_viewers_are_answered() -> None:
    asks = served.viewers()
    assert [asks(data) for data in served.VIEWERS] == [201, 204, 200, 101]


def test_every_command_of_the_api_is_answered() -> None:
    asks = served.api()
    assert {asks(data) for data in served.API} == {200}


def test_every_operation_of_onvif_is_answered() -> None:
    asks = served.onvif()
    assert {asks(data) for data in served.ONVIF} == {200}
