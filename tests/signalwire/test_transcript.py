"""What our client says in a day is what the reference client says, but for the differences listed here.

The reference's frames come from the recording in `tests/reference/transcripts`, ours from a live run of the same
script against a real space. `tests/reference/test_transcript.py` checks that the recording is still true.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from intercom.config import SpaceConfig
from intercom.space import Space
from tests.reference.ours import OurActor
from tests.reference.transcript import SCRIPTS, TRANSCRIPTS, Step, follow, recorded
from tests.signalwire.differences import ALLOWED, ANSWERS, NOTHING, ORDER, REQUESTS, Difference, differences


async def ours(script: str, directory: Path) -> list[Step]:
    space = Space(SpaceConfig(listen="127.0.0.1:0"), directory)
    await space.start()
    try:
        async with OurActor(space, "tablet", refreshable=script == "bound") as actor:
            return await follow(space, actor, "tablet", script)
    finally:
        await space.stop()


async def test_our_frames_are_the_references_but_for_what_is_listed(tmp_path: Path) -> None:
    found = []
    for script in SCRIPTS:
        found += differences(await ours(script, tmp_path / script), recorded(script))
    unexplained = [difference for difference in found if not any(rule.allows(difference) for rule in ALLOWED)]
    assert not unexplained, "\n".join(str(difference) for difference in unexplained)
    gone = [rule for rule in ALLOWED if not any(rule.allows(difference) for difference in found)]
    assert not gone, f"these differences are gone; strike them off the list: {gone}"


def said(*requests: dict[str, Any]) -> list[Step]:
    frames = [{"from": "client", "frame": {"jsonrpc": "2.0", "id": "1", **request}} for request in requests]
    return [{"step": "registers", "frames": frames}]


def test_what_is_the_same_does_not_differ() -> None:
    online = {"method": "subscriber.online", "params": {}}
    assert differences(said(online), said(online)) == []


def test_a_field_that_differs_or_is_missing_is_found() -> None:
    one, two = ({"method": "m", "params": {"a": 0, "x": value}} for value in (1, 2))
    assert differences(said(one), said(two)) == [Difference("registers", "m", "params.x", 1, 2)]
    without = {"method": "m", "params": {"a": 0}}
    assert differences(said(without), said(two)) == [Difference("registers", "m", "params.x", NOTHING, 2)]


def test_a_request_that_is_missing_or_in_another_place_is_found() -> None:
    one, two = {"method": "one", "params": {}}, {"method": "two", "params": {}}
    assert [found.path for found in differences(said(one), said(one, two))] == [REQUESTS]
    assert [found.path for found in differences(said(one, two), said(two, one))] == [ORDER]


def test_an_answer_that_differs_is_found() -> None:
    asked = {"from": "space", "frame": {"id": "9", "method": "signalwire.ping", "params": {}}}
    answers = [{"from": "client", "frame": {"id": "9", "result": result}} for result in ({}, {"a": 1})]
    steps: list[list[Step]] = [[{"step": "is pinged", "frames": [asked, answer]}] for answer in answers]
    assert [found.path for found in differences(*steps)] == [ANSWERS]


def test_a_transcript_holds_no_secret() -> None:
    for script in SCRIPTS:
        text = (TRANSCRIPTS / f"{script}.json").read_text()
        assert not re.search(r"eyJ|\d+\.\d+\.\d+\.\d+|\.local|[0-9a-f]{2}(:[0-9a-f]{2}){5}", text)
