"""A page of another site, open in a resident's browser, that tries to use the house's space."""

from __future__ import annotations

import aiohttp
import pytest

from tests.space.conftest import House, configure, house

__all__ = ["configure", "house"]


@pytest.fixture
def sites(house: House) -> list[str]:
    """Origins that are close to the space's own, and are not."""
    port = house.space.port
    return [
        "http://localhost:3000",
        "http://localhost",
        f"https://localhost:{port}",
        f"http://localhost.evil.example:{port}",
        f"http://evil.example:{port}",
        f"http://localhost:{port}@evil.example",
        "null",
        "file://",
        f"ftp://localhost:{port}",
    ]


async def test_no_other_site_gets_an_answer(house: House, sites: list[str]) -> None:
    for site in sites:
        async with house.http.post(house.space.url + "/api/space/pair", json={}, headers={"Origin": site}) as answer:
            assert answer.status == 403, site
            assert "Access-Control-Allow-Origin" not in answer.headers


async def test_no_other_site_gets_a_socket(house: House, sites: list[str]) -> None:
    for site in sites:
        with pytest.raises(aiohttp.WSServerHandshakeError, match="403"):
            await house.http.ws_connect(house.space.relay_url, headers={"Origin": site})


async def test_no_other_site_may_read_or_embed_the_pages_files(house: House, sites: list[str]) -> None:
    for site in sites:
        async with house.http.get(house.space.url + "/station/station.js", headers={"Origin": site}) as answer:
            assert "Access-Control-Allow-Origin" not in answer.headers
            assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"


async def test_the_spaces_own_page_gets_both(house: House) -> None:
    headers = {"Origin": house.space.url}
    async with house.http.get(house.space.url + "/api/space/hello", headers=headers) as answer:
        assert answer.status == 200
    socket = await house.http.ws_connect(house.space.relay_url, headers=headers)
    await socket.close()
