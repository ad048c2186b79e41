"""Another site lays the house's page in a frame, so that a tap opens the door; or somebody lies about the path."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from intercom.config import SpaceConfig
from intercom.config.fields import ORIGIN
from intercom.space import Space

HOME = "https://homeassistant.local:8123"
WALL = "http://panel.lan"


async def served(tmp_path: Path, **settings: object) -> Space:
    space = Space(SpaceConfig(listen="127.0.0.1:0", **settings), tmp_path / "state")  # type: ignore[arg-type]  # each test's own
    await space.start()
    return space


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


def ancestors(answer: aiohttp.ClientResponse) -> str:
    policy = answer.headers["Content-Security-Policy"]
    (found,) = [part for part in policy.split("; ") if part.startswith("frame-ancestors")]
    return found


@pytest.mark.parametrize("path", ["/station/", "/station/main.js", "/station/nowhere"])
async def test_nobody_frames_the_page_unless_the_owner_says_who(
    tmp_path: Path, http: aiohttp.ClientSession, path: str
) -> None:
    space = await served(tmp_path)
    async with http.get(space.url + path, headers={"Referer": HOME}) as answer:
        assert ancestors(answer) == "frame-ancestors 'none'"
        assert answer.headers["X-Frame-Options"] == "DENY"
    await space.stop()


async def test_only_the_named_origins_frame_the_page(tmp_path: Path, http: aiohttp.ClientSession) -> None:
    space = await served(tmp_path, embed_allowed=(HOME, WALL))
    async with http.get(f"{space.url}/station/") as answer:
        assert ancestors(answer) == f"frame-ancestors {HOME} {WALL}"
        assert "X-Frame-Options" not in answer.headers
        assert "microphone=(self)" in answer.headers["Permissions-Policy"], "a frame in our frame gets none"
        assert answer.headers["Content-Security-Policy"].count("'unsafe") == 0
    await space.stop()


@pytest.mark.parametrize(
    "entry",
    [
        "*",
        "https://*",
        "https://*.example.com",
        "https:",
        "'self'",
        "https://a.example; script-src *",
        "https://a.example b.example",
        "https://a.example/",
        "https://a.example/path",
        "https://user@a.example",
        "ftp://a.example",
        "a.example",
        "https://a.example:99999",
        "https://A.example",
        "https://a.example\n",
        "",
    ],
)
def test_an_origin_that_would_mean_more_than_one_site_is_refused(entry: str) -> None:
    assert not ORIGIN.accepts(entry)


@pytest.mark.parametrize("entry", [HOME, WALL, "https://192.168.1.10:8123", "http://[fd00::1]:8123"])
def test_an_origin_is_a_scheme_a_host_and_perhaps_a_port(entry: str) -> None:
    assert ORIGIN.accepts(entry)


PATHS = [
    "//evil.example",
    "/\\evil.example",
    "https://evil.example",
    "/a/../b",
    "/a b",
    '/a"b',
    "/" + "x" * 900,
    "a",
    "/",
]


@pytest.mark.parametrize("header", ["X-Ingress-Path", "X-Forwarded-Prefix"])
async def test_a_path_that_leads_elsewhere_is_not_believed_even_of_a_proxy(
    tmp_path: Path, http: aiohttp.ClientSession, header: str
) -> None:
    space = await served(tmp_path, trusted_proxies=("127.0.0.1",))
    for path in PATHS:
        async with http.get(f"{space.url}/api/space/hello", headers={header: path}) as answer:
            assert await answer.json() == {"relay_url": space.relay_url}
    await space.stop()


async def test_a_stranger_s_word_about_the_path_is_not_believed(tmp_path: Path, http: aiohttp.ClientSession) -> None:
    space = await served(tmp_path, trusted_proxies=("10.9.9.9",))
    async with http.get(f"{space.url}/api/space/hello", headers={"X-Ingress-Path": "/mine"}) as answer:
        assert await answer.json() == {"relay_url": space.relay_url}
    await space.stop()
