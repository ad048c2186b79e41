"""Somebody has copied a token, and what resumes its session: how long that lets them in."""

from __future__ import annotations

from pathlib import Path

import pytest

from intercom.space.auth.tokens import GRACE_S, TokenAuthority
from intercom.space.store.store import DATABASE, Store
from intercom.space.switch.exchange import Exchange
from tests.space.switchboard import Switchboard

NOON = 1_800_000_000.0
LIFETIME_S = 3600
WEEK_S = 7 * 86_400.0
TEN_YEARS_S = 10 * 365 * 86_400.0
AUTHENTICATION_FAILED = -32002
REQUESTER_VALIDATION_FAILED = -32003


class House(Switchboard):
    """A space in memory with the real tokens; its two clocks are numbers."""

    def __init__(self, directory: Path) -> None:
        self.wall = NOON
        store = Store(directory / DATABASE, now=self.time)
        self.tokens = TokenAuthority(store, now=self.time, lifetime_s=LIFETIME_S)
        self._anna = store.add_subscriber("anna")
        super().__init__(exchange=Exchange(self.tokens, store, ice_servers=lambda _who, _agent: [], wall=self.time))

    def time(self) -> float:
        """The time of day."""
        return self.wall

    def token(self) -> str:
        """A fresh token of Anna's."""
        return self.tokens.issue(self._anna)[0]

    def wait(self, seconds: float) -> None:
        """Let time pass on both clocks, and the space look at its deadlines."""
        self.wall += seconds
        super().wait(seconds)

    def resume(self, link: str, token: str, before: str) -> int:
        """Resume the session of another link; return the error, or 0."""
        answer = self.connect(link, token, protocol=self.protocols[before], authorization_state=self.states[before])
        return int(answer.get("error", {}).get("code", 0))


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


def test_a_live_socket_ends_with_the_token_that_let_it_in(house: House) -> None:
    house.connect("thief", house.token())
    house.wait(LIFETIME_S + GRACE_S - 1)
    assert house.closed == {}
    house.wait(1)
    assert "token has run out" in house.closed["thief"]


def test_a_socket_that_shows_a_new_token_in_time_stays(house: House) -> None:
    house.connect("page", house.token())
    for _ in range(50):
        house.wait(LIFETIME_S - 5)
        answer = house.rpc("page", "signalwire.reauthenticate", {"authentication": {"jwt_token": house.token()}})
        assert answer is not None
        assert "result" in answer
    assert house.closed == {}


def test_a_client_that_was_away_while_its_token_ran_out_goes_on_with_its_session(house: House) -> None:
    token = house.token()
    house.connect("page", token)
    house.wait(LIFETIME_S - 1)
    house.lose("page")
    house.wait(5)
    assert house.resume("again", token, "page") == 0
    assert house.protocols["again"] == house.protocols["page"]


def test_a_stolen_token_is_worth_nothing_a_week_later(house: House) -> None:
    token = house.token()
    house.connect("anna", token)
    house.wait(WEEK_S)
    assert house.connect("thief", token)["error"]["code"] == AUTHENTICATION_FAILED
    assert house.resume("thief", token, "anna") == REQUESTER_VALIDATION_FAILED


def test_resuming_again_and_again_with_a_dead_token_gives_no_more_time(house: House) -> None:
    token, link = house.token(), "anna"
    house.connect(link, token)
    house.wait(LIFETIME_S - 1)
    refused_after_s = 0
    for second in range(0, 10 * GRACE_S, 5):
        house.lose(link)
        if house.resume(f"thief-{second}", token, link):
            refused_after_s = second
            break
        link = f"thief-{second}"
        house.wait(5)
    assert 0 < refused_after_s <= GRACE_S + 5


def test_a_socket_that_a_dead_token_resumed_ends_when_the_session_would_have(house: House) -> None:
    token = house.token()
    house.connect("anna", token)
    house.wait(LIFETIME_S + 1)
    house.lose("anna")
    assert house.resume("thief", token, "anna") == 0
    house.wait(GRACE_S)
    assert "token has run out" in house.closed["thief"]


def test_a_token_of_a_clock_that_was_ten_years_ahead_ends_when_the_clock_is_right(house: House) -> None:
    house.wall += TEN_YEARS_S
    token = house.token()
    house.connect("page", token)
    house.wall = NOON
    assert house.connect("thief", token)["error"]["code"] == AUTHENTICATION_FAILED
    assert house.resume("thief", token, "page") == REQUESTER_VALIDATION_FAILED
    house.wait(LIFETIME_S + GRACE_S)
    assert "page" in house.closed


@pytest.mark.parametrize("jump_s", [-TEN_YEARS_S, TEN_YEARS_S])
def test_no_session_ends_because_the_clock_is_set_right(house: House, jump_s: float) -> None:
    house.connect("page", house.token())
    house.wall += jump_s
    house.wait(LIFETIME_S / 2)
    assert house.closed == {}


def test_the_spaces_own_endpoints_need_no_new_token(house: House) -> None:
    house.heard["echo"], house.answers["echo"] = [], []
    house.exchange.connected("echo", house.now, inside=True)
    house.rpc("echo", "signalwire.connect", {"authentication": {"jwt_token": house.token()}})
    house.wait(WEEK_S)
    assert house.closed == {}
