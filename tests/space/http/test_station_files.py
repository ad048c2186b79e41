"""The page's files as the space serves them."""

from __future__ import annotations

import pytest

from tests.space.conftest import House


@pytest.mark.parametrize(
    ("wants", "language", "name"), [("fr-CA,fr;q=0.8", "fr", "Station Intercom"), ("ja", "en", "Intercom station")]
)
async def test_what_installs_the_page_is_named_in_the_browser_s_language(
    house: House, wants: str, language: str, name: str
) -> None:
    url = f"{house.space.url}/station/station.webmanifest"
    async with house.http.get(url, headers={"Accept-Language": wants}) as answer:
        manifest = await answer.json(content_type="application/manifest+json")
        assert answer.headers["Vary"] == "Accept-Language"
        tag = answer.headers["ETag"]
    assert (manifest["lang"], manifest["name"], manifest["short_name"]) == (language, name, "Intercom")
    async with house.http.get(url, headers={"Accept-Language": wants, "If-None-Match": tag}) as answer:
        assert answer.status == 304
