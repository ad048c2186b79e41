"""Who gets into the space: tokens, pairing, credentials, names and sites."""

from __future__ import annotations

import base64
import stat
from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import aiohttp
import jwt
import pytest

from intercom.config import SpaceConfig
from intercom.space import Space
from intercom.space.auth.credential import read_credential
from intercom.space.errors import StoreError
from tests.space.conftest import House


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


@pytest.mark.parametrize(
    "path", ["/api/fabric/subscriber/info", "/api/fabric/addresses", "/api/fabric/whatever", "/api/fabric/addresses/x"]
)
@pytest.mark.parametrize("headers", [{}, bearer("nonsense"), {"Authorization": "Basic eDp5"}])
async def test_without_a_valid_token_there_is_401_and_nothing_else(
    house: House, path: str, headers: dict[str, str]
) -> None:
    async with house.http.get(house.space.url + path, headers=headers) as answer:
        assert answer.status == 401
        assert await answer.read() == b""


async def test_an_expired_token_opens_nothing(house: House) -> None:
    subscriber = house.space.store.add_subscriber("door")
    token, _ = house.space.tokens.issue(subscriber, lifetime_s=-1)
    async with house.http.get(house.space.url + "/api/fabric/subscriber/info", headers=bearer(token)) as answer:
        assert answer.status == 401


async def test_the_token_of_a_removed_subscriber_opens_nothing(house: House) -> None:
    token = house.token("guest")
    house.space.store.remove_subscriber("guest")
    async with house.http.get(house.space.url + "/api/fabric/subscriber/info", headers=bearer(token)) as answer:
        assert answer.status == 401


async def test_a_token_names_the_relay_host_in_its_header(house: House) -> None:
    assert jwt.get_unverified_header(house.token("door"))["ch"] == f"puc.localhost:{house.space.port}"


async def test_a_token_that_another_key_signed_is_refused(house: House) -> None:
    claims = jwt.decode(house.token("door"), options={"verify_signature": False})
    for forged in (
        jwt.encode(claims, key="", algorithm="none"),
        jwt.encode(claims, key="x" * 32, algorithm="HS256"),
    ):
        client = await house.open()
        response = await client.connect(forged)
        assert response["error"]["code"] == -32002


async def test_the_subscriber_learns_who_it_is(house: House) -> None:
    info = house.space.url + "/api/fabric/subscriber/info"
    async with house.http.get(info, headers=bearer(house.token("door"))) as answer:
        user = await answer.json()
    assert user["fabric_addresses"][0]["name"] == "/private/door"
    assert user["sat_claims"]["scope"] == []


async def test_the_directory_comes_in_pages(house: House) -> None:
    for number in range(5):
        house.token(f"room-{number}")
    headers = bearer(house.token("door"))
    url, names = "/api/fabric/addresses?sort_by=name&sort_order=asc&page_size=3", []
    while url:
        async with house.http.get(house.space.url + url, headers=headers) as answer:
            page = await answer.json()
        assert len(page["data"]) <= 3
        names += [address["name"] for address in page["data"]]
        url = page["links"].get("next", "")
    assert names == sorted(names)
    assert {"/private/door", "/private/house", "/private/room-4"} <= set(names)


async def test_an_address_is_found_by_its_name(house: House) -> None:
    headers = bearer(house.token("door"))
    query = {"name": "/private/house"}
    async with house.http.get(house.space.url + "/api/fabric/addresses", params=query, headers=headers) as answer:
        (found,) = (await answer.json())["data"]
    assert (found["type"], found["channels"]["video"]) == ("call", "/private/house?channel=video")
    async with house.http.get(f"{house.space.url}/api/fabric/addresses/{found['id']}", headers=headers) as answer:
        assert await answer.json() == found


async def test_the_projects_token_mints_subscriber_tokens(house: House) -> None:
    url = house.space.url + "/api/fabric/subscribers/tokens"
    secret = f"{house.space.tokens.project_id}:{house.space.api_token}"
    basic = {"Authorization": "Basic " + base64.b64encode(secret.encode()).decode()}
    async with house.http.post(url, json={"reference": "visitor"}, headers=basic) as answer:
        token = (await answer.json())["token"]
    assert house.space.tokens.check(token).subscriber.reference == "visitor"
    wrong = {"Authorization": "Basic " + base64.b64encode(b"project:guess").decode()}
    async with house.http.post(url, json={"reference": "visitor"}, headers=wrong) as answer:
        assert answer.status == 401


async def test_a_phone_joins_the_house_with_a_pairing_code_that_works_once(house: House) -> None:
    fragment = parse_qs(urlsplit(house.space.invite(name="Kitchen tablet").url).fragment)
    body = {"code": fragment["pair"][0], "name": fragment["name"][0]}
    async with house.http.post(house.space.url + "/api/space/pair", json=body) as answer:
        paired = await answer.json()
    assert (paired["subscriber"], paired["address"]) == ("kitchen-tablet", "/private/kitchen-tablet")
    async with house.http.post(house.space.url + "/api/space/token", headers=bearer(paired["device_secret"])) as answer:
        token = (await answer.json())["token"]
    phone = await house.open()
    await phone.connect(token)
    async with house.http.post(house.space.url + "/api/space/pair", json=body) as answer:
        assert answer.status == 401
    await phone.rpc("subscriber.online")
    door = await house.join("door")
    await door.dial("/private/house")
    await phone.ringing()


async def test_two_phones_of_one_name_get_two_addresses(house: House) -> None:
    seen = set()
    for _ in range(2):
        code = parse_qs(urlsplit(house.space.invite().url).fragment)["pair"][0]
        body = {"code": code, "name": "Küche"}
        async with house.http.post(house.space.url + "/api/space/pair", json=body) as answer:
            seen.add((await answer.json())["address"])
    assert seen == {"/private/kuche", "/private/kuche-2"}


async def test_a_wrong_device_secret_gets_no_token(house: House) -> None:
    async with house.http.post(house.space.url + "/api/space/token", headers=bearer("guess")) as answer:
        assert answer.status == 401
        assert await answer.read() == b""


async def test_the_credential_file_is_private_and_is_not_written_twice(house: House, tmp_path: Path) -> None:
    path = tmp_path / "door.json"
    house.space.write_credential("door", path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    first = path.stat()
    house.space.write_credential("door", path)
    assert (path.stat().st_ino, path.stat().st_mtime_ns) == (first.st_ino, first.st_mtime_ns)
    credential = read_credential(path)
    assert credential is not None
    assert house.space.store.owner_of(credential.device_secret).reference == "door"


async def test_everything_is_remembered_over_a_restart(tmp_path: Path, configure: Callable[..., SpaceConfig]) -> None:
    first = Space(configure(), tmp_path)
    secret = first.enrol("door", "Front door").device_secret
    token, _ = first.tokens.issue(first.store.owner_of(secret))
    await first.start()
    await first.stop()
    second = Space(configure(), tmp_path)
    assert second.store.owner_of(secret).display_name == "Front door"
    assert second.tokens.check(token).subscriber.reference == "door"
    second.store.close()
    assert stat.S_IMODE((tmp_path / "space.sqlite3").stat().st_mode) == 0o600


def test_a_damaged_database_says_what_to_do(tmp_path: Path, configure: Callable[..., SpaceConfig]) -> None:
    (tmp_path / "space.sqlite3").write_bytes(b"this is no database" * 100)
    with pytest.raises(StoreError, match="move it away"):
        Space(configure(), tmp_path)


@pytest.mark.parametrize("name", ["evil.example", "127.0.0.1.evil.example", "192.0.2.1"])
async def test_a_request_for_another_name_is_refused(house: House, name: str) -> None:
    async with house.http.get(house.space.url + "/api/space/hello", headers={"Host": name}) as answer:
        assert answer.status == 421


async def test_pages_of_other_sites_are_refused_on_http_and_on_the_socket(house: House) -> None:
    for origin in ("https://evil.example", "null"):
        async with house.http.get(house.space.url + "/api/space/hello", headers={"Origin": origin}) as answer:
            assert answer.status == 403
            assert "Access-Control-Allow-Origin" not in answer.headers
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await house.http.ws_connect(house.space.relay_url, headers={"Origin": origin})


async def test_the_reference_clients_preflight_is_answered(house: House) -> None:
    origin = f"http://app.localhost:{house.space.port}"
    headers = {
        "Origin": origin,
        "Access-Control-Request-Method": "GET",
        "Access-Control-Request-Headers": "authorization",
    }
    url = house.space.url + "/api/fabric/subscriber/info"
    async with house.http.options(url, headers=headers) as answer:
        assert answer.status == 204
        assert answer.headers["Access-Control-Allow-Origin"] == origin
        assert "authorization" in answer.headers["Access-Control-Allow-Headers"]


async def test_the_station_page_may_use_the_microphone_and_nothing_from_elsewhere(house: House) -> None:
    async with house.http.get(house.space.url + "/station/") as answer:
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "microphone=(self)" in answer.headers["Permissions-Policy"]
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


async def test_a_file_of_the_page_that_has_not_changed_is_not_sent_again(house: House) -> None:
    url = house.space.url + "/station/station.js"
    async with house.http.get(url) as answer:
        assert answer.headers["Content-Type"] == "text/javascript; charset=utf-8"
        tag = answer.headers["ETag"]
    async with house.http.get(url, headers={"If-None-Match": tag}) as answer:
        assert (answer.status, await answer.read()) == (304, b"")


async def test_files_outside_the_station_are_not_served(house: House) -> None:
    for path in ("/station/%2e%2e/config.py", "/station/..%2fspace%2fschema.sql", "/station/__init__.py"):
        async with house.http.get(house.space.url + path) as answer:
            assert answer.status == 404


async def test_answers_of_the_api_are_not_stored(house: House) -> None:
    async with house.http.get(house.space.url + "/api/space/hello") as answer:
        assert answer.headers["Cache-Control"] == "no-store"


async def test_the_root_leads_to_the_station(house: House) -> None:
    async with house.http.get(house.space.url + "/", allow_redirects=False) as answer:
        assert (answer.status, answer.headers["Location"]) == (302, "station/")
