"""A program of the house asks the door by HTTP for what its token's role lets it."""

from __future__ import annotations

import base64
import ssl
from pathlib import Path

import aiohttp
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from intercom.door.command_table import COMMANDS
from intercom.integrations.access import Program
from intercom.opening.decision import Way
from tests.integrations.api.served import Served, served


async def test_a_viewer_sees_the_status(api: Served) -> None:
    assert await api.get("/status") == (200, {"state": "idle"})


async def test_nobody_without_a_token_is_answered(api: Served) -> None:
    async with api.http.get(api.url + "/status") as answer:
        assert answer.status == 401
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")
        assert answer.content_type == "application/problem+json"
    assert api.stage.asked == []


@pytest.mark.parametrize("said", ["Bearer icm_guessed", "Basic icm_guessed", "Bearer", "Bearer " + "x" * 5000])
async def test_a_wrong_token_is_no_token(api: Served, said: str) -> None:
    async with api.http.get(api.url + "/status", headers={"Authorization": said}) as answer:
        assert answer.status == 401


async def test_a_removed_token_is_worthless_at_once(api: Served) -> None:
    assert (await api.get("/status"))[0] == 200
    api.tokens.remove("viewer")
    assert (await api.get("/status"))[0] == 401


async def test_an_opener_opens_the_door_in_its_own_name(api: Served) -> None:
    api.stage.answers["door.open"] = {"open_s": 1.5}
    assert await api.post("/door/open", "opener") == (200, {"open_s": 1.5})
    assert api.stage.asked == [("door.open", {}, Program("API (opener)", Way.API))]


async def test_an_operator_rings_an_address(api: Served) -> None:
    api.stage.answers["call"] = {"calling": "/private/hall"}
    assert await api.post("/call", content={"address": "/private/hall"}) == (200, {"calling": "/private/hall"})
    assert api.stage.asked[0][1] == {"address": "/private/hall"}


async def test_a_parameter_of_a_query_has_its_own_type(api: Served) -> None:
    api.stage.answers["calls"] = []
    assert await api.get("/calls", count="3") == (200, [])
    assert api.stage.asked[0][1] == {"count": 3}


async def test_a_picture_comes_as_a_jpeg(api: Served) -> None:
    api.stage.answers["snapshot"] = {"jpeg": base64.b64encode(b"\xff\xd8").decode(), "at": "now"}
    async with api.http.get(api.url + "/snapshot.jpg?last=true", headers=api.bearer("operator")) as answer:
        assert (answer.status, answer.content_type) == (200, "image/jpeg")
        assert await answer.read() == b"\xff\xd8"
    assert api.stage.asked[0][1] == {"last": True}


async def test_what_the_door_refuses_is_a_conflict_with_its_own_sentence(api: Served) -> None:
    status, content = await api.post("/hangup")
    assert status == 409
    assert content == {"title": "Conflict", "status": 409, "detail": "hangup is not possible now"}


@pytest.mark.parametrize(
    ("path", "content", "said"),
    [
        ("/dtmf", {"digits": "abc"}, "expected 1 to 32 telephone keys"),
        ("/dtmf", {}, "digits"),
        ("/call", {"addres": "/private/hall"}, "addres"),
        ("/call", ["/private/hall"], "one JSON object"),
        ("/call", {"by": "ssh root"}, "its own name"),
    ],
)
async def test_a_request_that_makes_no_sense_is_told_what_was_expected(
    api: Served, path: str, content: object, said: str
) -> None:
    status, answer = await api.post(path, content=content)
    assert status == 400
    assert said in answer["detail"]
    assert api.stage.asked == []


async def test_a_body_that_is_no_json_is_told_so(api: Served) -> None:
    for body, kind in (("{", "application/json"), ("address=/private/hall", "application/x-www-form-urlencoded")):
        headers = api.bearer("operator", **{"Content-Type": kind})
        async with api.http.post(api.url + "/call", data=body, headers=headers) as answer:
            assert answer.status == 400
            assert "JSON" in (await answer.json(content_type=None))["detail"]


async def test_a_body_that_is_too_long_is_refused(api: Served) -> None:
    assert (await api.post("/call", content={"address": "x" * 20_000}))[0] == 413


async def test_an_unknown_path_and_a_wrong_method_are_problems_as_well(api: Served) -> None:
    assert (await api.get("/nothing"))[1]["status"] == 404
    status, content = await api.get("/door/open", "opener")
    assert (status, content["title"]) == (405, "Method Not Allowed")
    assert api.stage.asked == []


async def test_every_command_is_offered_but_those_that_have_another_way(api: Served) -> None:
    _, document = await api.get("/openapi.json")
    offered = {path.removeprefix("/api/v1/").removesuffix(".jpg").replace("/", ".") for path in document["paths"]}
    assert offered == {*COMMANDS, "events", "openapi.json"} - {
        "diagnostics",
        "messages.get",
        "metrics",
    }


async def test_no_bytes_in_a_body_are_a_defect(tmp_path: Path) -> None:
    async with served(tmp_path) as api:
        bodies: list[bytes] = []

        @settings(max_examples=50, suppress_health_check=list(HealthCheck), deadline=None)
        @given(st.one_of(st.binary(max_size=200), st.from_regex(rb'\{"[a-z_]{1,8}":.{0,40}\}')))
        def collect(body: bytes) -> None:
            bodies.append(body)

        collect()
        headers = api.bearer("opener", **{"Content-Type": "application/json"})
        for body in bodies:
            async with api.http.post(api.url + "/call", data=body, headers=headers) as answer:
                assert answer.status in (200, 400, 409), body


async def test_it_is_served_with_tls_whose_ca_the_door_has_made(tmp_path: Path) -> None:
    async with served(tmp_path, tls="on") as api:
        trusted = ssl.create_default_context(cafile=str(tmp_path / "api" / "ca.crt"))
        url = f"https://localhost:{api.api.port}/api/v1/status"
        async with aiohttp.ClientSession() as http, http.get(url, headers=api.bearer("viewer"), ssl=trusted) as answer:
            assert answer.status == 200
    assert (tmp_path / "api" / "tls.key").stat().st_mode & 0o777 == 0o600


async def test_a_port_that_is_taken_is_told_with_the_setting(tmp_path: Path) -> None:
    async with served(tmp_path) as api:
        with pytest.raises(OSError, match=r"the API cannot listen on 127\.0\.0\.1:\d+.*choose another in api\.listen"):
            async with served(tmp_path / "other", listen=f"127.0.0.1:{api.api.port}"):
                pass


async def test_the_status_tells_where_it_is_served(api: Served) -> None:
    assert api.api.document()["url"] == f"http://localhost:{api.api.port}"
