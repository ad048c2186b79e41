"""A server of the owner's mints tokens with the project's own, as SignalWire's SDKs do."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intercom.space.auth.email_reference import email_of, reference_of
from intercom.space.auth.tokens import REFRESH_SCOPE, UNBOUND_LIFETIME_S
from intercom.space.errors import AddressError, TokenError
from tests.space.auth.test_device_tokens import Device, post
from tests.space.conftest import House

MINT = "/api/fabric/subscribers/tokens"


def basic(house: House) -> dict[str, str]:
    secret = f"{house.space.tokens.project_id}:{house.space.api_token}"
    return {"Authorization": "Basic " + base64.b64encode(secret.encode()).decode()}


async def ask(house: House, path: str, body: dict[str, Any], method: str = "POST") -> tuple[int, dict[str, Any]]:
    async with house.http.request(method, house.space.url + path, json=body, headers=basic(house)) as answer:
        return answer.status, await answer.json()


async def minted(house: House, **body: Any) -> dict[str, Any]:
    status, answer = await ask(house, MINT, {"reference": "visitor", **body})
    assert status == 201, answer
    return answer


def lasts_s(house: House, answer: dict[str, Any]) -> float:
    return float(house.space.tokens.check(answer["token"]).expires_at - house.space.tokens._now())


@pytest.mark.parametrize("scope", [REFRESH_SCOPE, [REFRESH_SCOPE], f"other {REFRESH_SCOPE}"])
async def test_the_scope_is_a_string_or_a_list(house: House, scope: object) -> None:
    answer = await minted(house, scope=scope)
    assert house.space.tokens.check(answer["token"]).scope == (REFRESH_SCOPE,)


async def test_a_token_that_anybody_may_bind_lives_a_minute_at_most(house: House) -> None:
    assert lasts_s(house, await minted(house, scope=REFRESH_SCOPE)) <= UNBOUND_LIFETIME_S
    assert lasts_s(house, await minted(house, scope=REFRESH_SCOPE, fingerprint="key")) > UNBOUND_LIFETIME_S
    assert lasts_s(house, await minted(house)) > UNBOUND_LIFETIME_S


async def test_a_device_token_does_not_outlive_the_token_that_it_comes_from(house: House) -> None:
    device = Device()
    expire_at = int(house.space.tokens._now()) + 120
    answer = await minted(house, scope=REFRESH_SCOPE, fingerprint=device.jkt, expire_at=expire_at)
    path = "/api/fabric/subscriber/devices/token"
    status, bound = await post(house, path, answer["token"], device.http_proof(house, path))
    assert status == 200
    assert bound["expires_at"] <= answer["expires_at"] <= expire_at


async def test_a_refresh_token_gets_a_new_token_of_the_same_kind(house: House) -> None:
    first = await minted(house, scope=REFRESH_SCOPE, fingerprint="key")
    status, second = await ask(house, f"{MINT}/refresh", {"refresh_token": first["refresh_token"]})
    assert status == 201
    grant = house.space.tokens.check(second["token"])
    assert (grant.subscriber.reference, grant.scope, grant.fingerprint) == ("visitor", (REFRESH_SCOPE,), "key")
    status, _ = await ask(house, f"{MINT}/refresh", {"refresh_token": second["refresh_token"]})
    assert status == 201


async def test_a_subscriber_is_named_by_an_email(house: House) -> None:
    first, again = await minted(house, reference="Anna@Example.com"), await minted(house, reference="anna@example.com")
    assert first["subscriber_id"] == again["subscriber_id"]
    headers = {"Authorization": f"Bearer {first['token']}"}
    async with house.http.get(house.space.url + "/api/fabric/subscriber/info", headers=headers) as answer:
        user = await answer.json()
    assert (user["email"], user["display_name"]) == ("anna@example.com", "anna@example.com")
    assert user["fabric_addresses"][0]["name"] == "/private/anna~example.com"


@pytest.mark.parametrize("reference", ["", "@example.com", "anna@", "anna~example.com", "a b", "x" * 65])
async def test_what_is_neither_a_name_nor_an_email_is_refused_with_a_sentence(house: House, reference: str) -> None:
    status, answer = await ask(house, MINT, {"reference": reference})
    assert status == 422
    assert answer["error"]


@pytest.mark.parametrize(("method", "path"), [("POST", "/api/fabric/rooms"), ("DELETE", MINT), ("GET", "/api/fabric/")])
async def test_right_credentials_at_an_unknown_path_are_told_so(house: House, method: str, path: str) -> None:
    status, answer = await ask(house, path, {}, method)
    assert (status, path in answer["error"]) == (404, True)
    headers = {"Authorization": f"Bearer {house.token('kitchen')}"}
    async with house.http.request(method, house.space.url + path, headers=headers) as response:
        assert (response.status, path in (await response.json())["error"]) == (404, True)
    async with house.http.request(method, house.space.url + path) as response:
        assert response.status == 401


emails = st.from_regex(r"[a-z0-9][a-z0-9._~+%-]{0,8}@[a-z0-9]{1,4}\.[a-z]{2}", fullmatch=True)


@given(emails, emails)
def test_two_emails_never_have_one_name(one: str, two: str) -> None:
    assert (reference_of(one) == reference_of(two)) == (one == two)
    assert email_of(reference_of(one)) == one


def test_no_plain_reference_is_an_emails_name() -> None:
    with pytest.raises(AddressError, match="stands for the @"):
        reference_of("anna~example.com")


def test_a_refresh_token_is_no_access_token_and_the_other_way_round(house: House) -> None:
    tokens = house.space.tokens
    visitor = house.space.store.add_subscriber("visitor")
    with pytest.raises(TokenError):
        tokens.check(tokens.refresh_token(visitor, scope=[], fingerprint=""))
    with pytest.raises(TokenError):
        tokens.check_refresh_token(tokens.issue(visitor)[0])
