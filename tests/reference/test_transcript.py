"""The recording with which our client is compared is what the reference client says today."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.async_api import Browser

from ..signalwire.differences import differences
from .recording import ReferenceActor
from .sdk import reference_space
from .transcript import SCRIPTS, follow, media_of, recorded

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest.mark.parametrize("script", SCRIPTS)
async def test_the_recording_is_still_true(script: str, browser: Browser, tmp_path: Path) -> None:
    async with (
        reference_space(tmp_path) as space,
        ReferenceActor(browser, space, "tablet", refreshable=script == "bound") as actor,
    ):
        now = await follow(space, actor, "tablet", script)
    found = differences(now, recorded(script))
    # Another Chromium may describe itself with other codecs.
    changed = [one for one in found if one.path != "params.message.params.sdp"]
    assert not changed, "\n".join(["record it anew: python -m tests.reference.recording", *map(str, changed)])
    described = [one for one in found if one.path == "params.message.params.sdp"]
    assert all(media_of(one.ours) == media_of(one.theirs) for one in described)
