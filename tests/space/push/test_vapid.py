"""How the space names itself to push services: RFC 8292, and what Apple, Google and Mozilla make of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from intercom.config import SpaceConfig
from intercom.space import Space
from intercom.space.push.vapid import LIFETIME_S, REUSE_S, SERVICES_LIMIT, Vapid, decoded, encoded, new_key

ENDPOINT = "https://push.example.net/wpush/v2/abc?x=1"
DAY_S = 86_400
NOON = 1_800_000_000.0


class Clock:
    """The time of day."""

    now = NOON

    def __call__(self) -> float:
        return self.now


def claims(vapid: Vapid, authorization: str) -> dict[str, Any]:
    """Check an Authorization header as a push service does, and return what its token claims."""
    scheme, _, rest = authorization.partition(" ")
    assert scheme == "vapid"
    fields = dict(part.strip().split("=", 1) for part in rest.split(","))
    assert fields["k"] == vapid.public_key
    key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), decoded(fields["k"]))
    found: dict[str, Any] = jwt.decode(
        fields["t"], key, algorithms=["ES256"], audience="https://push.example.net", options={"verify_exp": False}
    )
    return found


def test_a_push_service_reads_whom_the_token_is_for_and_until_when() -> None:
    vapid = Vapid(new_key(), "mailto:anna@example.org", now=Clock())
    read = claims(vapid, vapid.authorization(ENDPOINT))
    assert read == {"aud": "https://push.example.net", "exp": NOON + LIFETIME_S, "sub": "mailto:anna@example.org"}
    assert LIFETIME_S <= DAY_S


def test_a_house_without_a_contact_gives_one_that_apple_takes() -> None:
    vapid = Vapid(new_key(), "", now=Clock())
    contact = claims(vapid, vapid.authorization(ENDPOINT))["sub"]
    assert contact.startswith("mailto:")
    assert not contact.endswith((".local", "localhost"))


def test_a_token_is_used_again_for_an_hour_and_then_made_anew() -> None:
    clock = Clock()
    vapid = Vapid(new_key(), "", now=clock)
    first = vapid.authorization(ENDPOINT)
    clock.now += REUSE_S - 1
    assert vapid.authorization(ENDPOINT) == first
    clock.now += 1
    assert claims(vapid, vapid.authorization(ENDPOINT))["exp"] == clock.now + LIFETIME_S


def test_a_clock_that_was_set_back_makes_a_new_token() -> None:
    clock = Clock()
    vapid = Vapid(new_key(), "", now=clock)
    vapid.authorization(ENDPOINT)
    clock.now -= DAY_S
    assert claims(vapid, vapid.authorization(ENDPOINT))["exp"] == clock.now + LIFETIME_S


def test_each_service_gets_a_token_for_itself() -> None:
    vapid = Vapid(new_key(), "", now=Clock())
    assert vapid.authorization(ENDPOINT) != vapid.authorization("https://push.example.com/abc")


def test_services_without_number_do_not_fill_the_memory() -> None:
    vapid = Vapid(new_key(), "", now=Clock())
    for number in range(2 * SERVICES_LIMIT):
        vapid.authorization(f"https://{number}.example.com/abc")
    assert len(vapid._tokens) == SERVICES_LIMIT


def test_the_key_is_made_once_and_kept_over_a_restart(tmp_path: Path) -> None:
    keys = set()
    for _ in range(2):
        space = Space(SpaceConfig(listen="127.0.0.1:0"), tmp_path)
        keys.add(space.pushes.vapid.public_key)
        space.store.close()
    assert len(keys) == 1
    assert (tmp_path / "space.sqlite3").stat().st_mode & 0o777 == 0o600


@given(st.binary(max_size=70))
def test_base64url_goes_there_and_back(data: bytes) -> None:
    assert decoded(encoded(data)) == data
