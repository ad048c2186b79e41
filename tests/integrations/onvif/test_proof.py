"""Proofs of a password: each counts once, and for a while."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intercom.integrations.onvif.proof import CHALLENGE_S, WINDOW_S, Challenges, Proofs, digest
from intercom.integrations.onvif.soap import Token
from intercom.integrations.rtsp.accounts import Account
from intercom.integrations.rtsp.digest import answer, fields

NVR = Account("nvr", "secret")
CREATED, CREATED_S = "2026-11-28T12:00:00.000Z", 1_795_867_200.0


class Clock:
    now = CREATED_S

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def proofs(clock: Clock) -> Proofs:
    return Proofs({"nvr": NVR}.get, now=clock)


def token(nonce: bytes = b"12345678", password: str = NVR.password, name: str = "nvr", created: str = CREATED) -> Token:
    return Token(name, digest(nonce, created, password), base64.b64encode(nonce).decode(), created)


def test_whoever_knows_the_password_is_admitted(proofs: Proofs) -> None:
    assert proofs.account(token()) == NVR


@pytest.mark.parametrize(
    "wrong",
    [
        None,
        token(password="guess"),
        token(name="nobody"),
        token(nonce=b"short"),
        token(created="yesterday"),
        token(created=CREATED + " " * 300),
        Token("nvr", "", "", ""),
        Token("nvr", "x", "not base64 \N{SNOWMAN}", CREATED),
    ],
)
def test_nothing_else_is(proofs: Proofs, wrong: Token | None) -> None:
    assert proofs.account(wrong) is None


def test_a_proof_counts_once(proofs: Proofs) -> None:
    assert proofs.account(token()) == NVR
    assert proofs.account(token()) is None
    assert proofs.account(token(b"87654321")) == NVR


@pytest.mark.parametrize("off_s", [-WINDOW_S - 1, WINDOW_S + 1])
def test_an_old_proof_and_one_of_the_future_do_not_count(proofs: Proofs, clock: Clock, off_s: float) -> None:
    clock.now += off_s
    assert proofs.account(token()) is None


def test_a_used_proof_is_remembered_for_as_long_as_it_would_count(proofs: Proofs, clock: Clock) -> None:
    clock.now = CREATED_S - WINDOW_S
    assert proofs.account(token()) == NVR
    for later_s in (0, WINDOW_S, 2 * WINDOW_S):
        clock.now = CREATED_S - WINDOW_S + later_s
        assert proofs.account(token()) is None


@given(st.text(max_size=50), st.text(max_size=50), st.text(max_size=50), st.text(max_size=50))
def test_no_token_breaks_it(name: str, said: str, nonce: str, created: str) -> None:
    assert Proofs({"nvr": NVR}.get).account(Token(name, said, nonce, created)) is None


def answered(challenges: Challenges, uri: str = "/still", password: str = NVR.password) -> str:
    nonce = fields(challenges.challenge())["nonce"]
    said = {"uri": uri, "qop": "auth", "nc": "00000001", "cnonce": "x"}
    proof = answer(Account("nvr", password), "GET", said, nonce)
    return (
        f'Digest username="nvr", realm="intercom", nonce="{nonce}", uri="{uri}", qop=auth, nc=00000001, cnonce="x", '
        f'response="{proof}"'
    )


def test_an_answered_challenge_admits_one_request(clock: Clock) -> None:
    challenges = Challenges({"nvr": NVR}.get, now=clock)
    said = answered(challenges)
    assert challenges.account(said, "GET", "/still") == NVR
    assert challenges.account(said, "GET", "/still") is None


def test_it_admits_to_nothing_else_and_not_later(clock: Clock) -> None:
    challenges = Challenges({"nvr": NVR}.get, now=clock)
    assert challenges.account(answered(challenges), "GET", "/other") is None
    assert challenges.account(answered(challenges, password="guess"), "GET", "/still") is None
    said = answered(challenges)
    clock.now += CHALLENGE_S + 1
    assert challenges.account(said, "GET", "/still") is None


def test_a_challenge_of_somebody_else_admits_nobody(clock: Clock) -> None:
    theirs, ours = (Challenges({"nvr": NVR}.get, now=clock) for _ in range(2))
    assert ours.account(answered(theirs), "GET", "/still") is None
