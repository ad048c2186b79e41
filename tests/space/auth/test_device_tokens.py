"""Client-bound tokens: what proof of possession opens, and what it does not (protocol §2)."""

from __future__ import annotations

import base64
import hashlib
import json
import uuid
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from intercom.space.auth.dpop import PROOF_AGE_LIMIT_S, ProofChecker, thumbprint
from intercom.space.auth.tokens import REFRESH_SCOPE
from intercom.space.errors import TokenError
from intercom.space.http.fabric_api import DEVICE_REFRESH_PATH, DEVICE_TOKEN_PATH
from tests.space.conftest import House


class Device:
    """A device with its key."""

    def __init__(self, bits: int = 2048) -> None:
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=bits)
        self.jwk: dict[str, Any] = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(self.key.public_key()))
        self.jkt = thumbprint(self.jwk)

    def proof(self, *, header: dict[str, Any] | None = None, **claims: Any) -> str:
        claims = {"jti": str(uuid.uuid4()), "iat": 1000, **claims}
        return jwt.encode(
            claims, self.key, algorithm="RS256", headers={"typ": "dpop+jwt", "jwk": self.jwk, **(header or {})}
        )

    def http_proof(self, house: House, path: str, **claims: Any) -> str:
        return self.proof(htm="POST", htu=path, **{"iat": int(house.space.tokens._now()), **claims})


@pytest.fixture(scope="module")
def device() -> Device:
    return Device()


def sat(house: House, **options: Any) -> str:
    subscriber = house.space.store.add_subscriber("tablet")
    return house.space.tokens.issue(subscriber, **{"scope": [REFRESH_SCOPE], **options})[0]


async def post(house: House, path: str, token: str, proof: str) -> tuple[int, dict[str, Any]]:
    headers = {"Authorization": f"Bearer {token}"}
    body = {"dpop_token": proof, "expire_in": 900}
    async with house.http.post(house.space.url + path, json=body, headers=headers) as answer:
        return answer.status, await answer.json() if answer.status == 200 else {}


async def test_a_token_is_bound_then_connects_with_a_proof_only_then_is_refreshed(house: House, device: Device) -> None:
    status, bound = await post(house, DEVICE_TOKEN_PATH, sat(house), device.http_proof(house, DEVICE_TOKEN_PATH))
    assert status == 200

    client = await house.open()
    assert (await client.connect(bound["token"]))["error"]["code"] == -32002
    now = int(house.space.tokens._now())
    proof = device.proof(rpc="request", mth="signalwire.connect", iat=now)
    assert (await client.connect(bound["token"], dpop_token=proof))["result"]["authorization"]["cnf"] == {
        "jkt": device.jkt
    }

    ath = base64.urlsafe_b64encode(hashlib.sha256(bound["token"].encode()).digest()).rstrip(b"=").decode()
    proof = device.http_proof(house, DEVICE_REFRESH_PATH, ath=ath)
    status, refreshed = await post(house, DEVICE_REFRESH_PATH, bound["token"], proof)
    assert status == 200
    assert house.space.tokens.check(refreshed["token"]).jkt == device.jkt


async def test_a_token_without_the_scope_is_not_bound(house: House, device: Device) -> None:
    proof = device.http_proof(house, DEVICE_TOKEN_PATH)
    assert (await post(house, DEVICE_TOKEN_PATH, sat(house, scope=[]), proof))[0] == 403


async def test_a_token_for_one_key_is_not_bound_to_another(house: House, device: Device) -> None:
    token = sat(house, fingerprint=Device().jkt)
    assert (await post(house, DEVICE_TOKEN_PATH, token, device.http_proof(house, DEVICE_TOKEN_PATH)))[0] == 401


async def test_a_stolen_bound_token_is_not_refreshed_by_another_key(house: House, device: Device) -> None:
    token = sat(house, jkt=device.jkt)
    ath = base64.urlsafe_b64encode(hashlib.sha256(token.encode()).digest()).rstrip(b"=").decode()
    proof = Device().http_proof(house, DEVICE_REFRESH_PATH, ath=ath)
    assert (await post(house, DEVICE_REFRESH_PATH, token, proof))[0] == 401


async def test_a_proof_without_the_tokens_hash_refreshes_nothing(house: House, device: Device) -> None:
    proof = device.http_proof(house, DEVICE_REFRESH_PATH)
    assert (await post(house, DEVICE_REFRESH_PATH, sat(house, jkt=device.jkt), proof))[0] == 401


@pytest.mark.parametrize(
    "claims",
    [
        {"mth": "signalwire.reauthenticate"},
        {"rpc": "response"},
        {"iat": 1000 + PROOF_AGE_LIMIT_S + 1},
        {"iat": 1000 - PROOF_AGE_LIMIT_S - 1},
        {"iat": "yesterday"},
    ],
)
def test_a_proof_for_something_else_or_another_time_proves_nothing(device: Device, claims: dict[str, Any]) -> None:
    checker = ProofChecker(now=lambda: 1000.0)
    proof = device.proof(**{"rpc": "request", "mth": "signalwire.connect", **claims})
    with pytest.raises(TokenError):
        checker.rpc(proof, owner="s1", method="signalwire.connect", jkt=device.jkt)


def test_a_proof_serves_once(device: Device) -> None:
    checker = ProofChecker(now=lambda: 1000.0)
    proof = device.proof(rpc="request", mth="signalwire.connect")
    checker.rpc(proof, owner="s1", method="signalwire.connect", jkt=device.jkt)
    with pytest.raises(TokenError, match="used before"):
        checker.rpc(proof, owner="s1", method="signalwire.connect", jkt=device.jkt)


@pytest.mark.filterwarnings("ignore::jwt.warnings.InsecureKeyLengthWarning")
def test_a_proof_by_a_short_key_proves_nothing() -> None:
    short = Device(bits=1024)
    checker = ProofChecker(now=lambda: 1000.0)
    with pytest.raises(TokenError, match="too short"):
        checker.rpc(short.proof(rpc="request", mth="x"), owner="s1", method="x", jkt=short.jkt)


@pytest.mark.parametrize("header", [{"typ": "JWT"}, {"jwk": {"kty": "RSA"}}, {"jwk": None}, {"jwk": "key"}])
def test_a_proof_with_a_wrong_header_proves_nothing(device: Device, header: dict[str, Any]) -> None:
    checker = ProofChecker(now=lambda: 1000.0)
    with pytest.raises(TokenError):
        checker.rpc(device.proof(header=header, rpc="request", mth="x"), owner="s1", method="x", jkt=device.jkt)


@pytest.mark.parametrize("proof", [None, 7, "", "a.b.c", "x" * 5000])
def test_what_is_no_proof_proves_nothing(proof: object) -> None:
    with pytest.raises(TokenError):
        ProofChecker(now=lambda: 1000.0).http(proof, owner="s1", method="POST", path="/")
