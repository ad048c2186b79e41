"""Somebody has overheard a proof of possession and shows it again, after making the space forget that it was shown."""

from __future__ import annotations

import pytest

from intercom.space.auth.dpop import PROOF_AGE_LIMIT_S, REMEMBERED_PROOFS, ProofChecker
from intercom.space.errors import TokenError
from tests.space.auth.test_device_tokens import Device

METHOD = "signalwire.connect"


class Space:
    """A proof checker with its clock, and proofs that cost nothing to make: the signature is not what is attacked."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1000.0
        self.checker = ProofChecker(now=lambda: self.now)
        monkeypatch.setattr(self.checker, "_open", lambda proof: ({**proof, "iat": self.now}, proof["key"]))

    def show(self, jti: str, *, owner: str, key: str) -> None:
        """Show a proof for a call over HTTP, where any key is taken whose token names none."""
        proof = {"jti": jti, "key": key, "htm": "POST", "htu": "/token"}
        self.checker.http(proof, owner=owner, method="POST", path="/token")


@pytest.fixture
def space(monkeypatch: pytest.MonkeyPatch) -> Space:
    return Space(monkeypatch)


def test_another_subscriber_cannot_make_the_space_forget_a_proof(space: Space) -> None:
    space.show("overheard", owner="anna", key="annas")
    with pytest.raises(TokenError, match="too many proofs"):
        for number in range(20 * REMEMBERED_PROOFS):
            space.show(str(number), owner="thief", key=f"key-{number}")
    with pytest.raises(TokenError, match="used before"):
        space.show("overheard", owner="anna", key="annas")


def test_who_shows_too_many_proofs_locks_out_nobody_else_and_is_let_in_again_later(space: Space) -> None:
    with pytest.raises(TokenError, match="too many proofs"):
        for number in range(REMEMBERED_PROOFS + 1):
            space.show(str(number), owner="thief", key="thiefs")
    space.show("hers", owner="anna", key="annas")
    space.now += 2 * PROOF_AGE_LIMIT_S + 1
    space.show("later", owner="thief", key="thiefs")


def test_a_proof_by_another_key_than_the_tokens_uses_up_nothing() -> None:
    checker = ProofChecker(now=lambda: 1000.0)
    device, thief = Device(), Device()
    proof = device.proof(rpc="request", mth=METHOD)
    with pytest.raises(TokenError, match="another key"):
        checker.rpc(proof, owner="anna", method=METHOD, jkt=thief.jkt)
    checker.rpc(proof, owner="anna", method=METHOD, jkt=device.jkt)


def test_what_is_remembered_of_a_proof_is_small_however_long_its_name(space: Space) -> None:
    space.show("x" * 4000, owner="anna", key="annas")
    (remembered,) = space.checker._seen["anna"]
    assert len(remembered) == 32


@pytest.mark.parametrize(
    "claims",
    [{"htu": "http://["}, {"iat": 10**400}, {"iat": float("nan")}, {"jti": ["a"]}],
    ids=["an address that is none", "a time that no clock shows", "a time that is no number", "a name that is a list"],
)
def test_a_proof_with_a_claim_that_cannot_be_is_refused_like_any_other(claims: dict[str, object]) -> None:
    proof = Device().proof(**{"htm": "POST", "htu": "/token", "iat": 1000.0, **claims})
    with pytest.raises(TokenError):
        ProofChecker(now=lambda: 1000.0).http(proof, owner="anna", method="POST", path="/token")


def test_a_proof_whose_name_is_half_a_character_counts_once() -> None:
    proof = Device().proof(htm="POST", htu="/token", iat=1000.0, jti="\ud800")
    checker = ProofChecker(now=lambda: 1000.0)
    checker.http(proof, owner="anna", method="POST", path="/token")
    with pytest.raises(TokenError, match="used before"):
        checker.http(proof, owner="anna", method="POST", path="/token")
