"""What `intercom doctor` says of the viewers of the house, asked of a running space."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from intercom.cli.checks import house
from intercom.cli.checks.finding import GOOD, WARNING, Finding
from intercom.cli.checks.viewers import NAMED_LIMIT, Viewer, house_viewers, viewers
from intercom.config import Config, SpaceConfig, loads
from intercom.space import Space

FRIGATE, CARD = Viewer("frigate", talks=False, seen_on=""), Viewer("card", talks=True, seen_on="2026-11-29")
LOOKS = loads("[camera]\nlook = true")
WAIT_S = 60.0


@pytest.fixture
async def space(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Space]:
    """A space that is reached over TLS, and the door's credential for it."""
    monkeypatch.setattr(house, "LIMIT_S", WAIT_S)  # a busy machine's space may take longer than an owner would wait
    running = Space(SpaceConfig(listen="127.0.0.1:0", tls="on"), tmp_path)
    await running.start()
    running.write_credential("door", tmp_path / "door.json")
    yield running
    await running.stop()


async def test_the_space_tells_its_door_who_may_watch(space: Space, tmp_path: Path) -> None:
    assert await asyncio.to_thread(house_viewers, tmp_path / "door.json") == []
    space.store.viewers.add("frigate", talks=False)
    space.store.viewers.add("card", talks=True)
    found = await asyncio.to_thread(house_viewers, tmp_path / "door.json")
    assert [(viewer.name, viewer.talks) for viewer in found] == [("card", True), ("frigate", False)]


def test_a_space_that_is_not_there_is_another_finding(tmp_path: Path) -> None:
    assert house_viewers(tmp_path / "door.json") == []


def said(config: Config, *found: Viewer) -> list[Finding]:
    return list(viewers(config, list(found)))


def test_a_house_without_viewers_is_told_nothing() -> None:
    assert said(Config()) == []


def test_viewers_of_a_door_that_lets_nobody_look_see_nothing() -> None:
    (finding,) = said(Config(), CARD, FRIGATE)
    assert finding.verdict == WARNING
    assert finding.told == "card, frigate have a token to watch, but camera.look is off: they see nothing"
    assert "camera.look = true" in finding.mend


@pytest.mark.parametrize(
    ("more", "name"), [('source = "off"', "camera.source"), ("[call]\nvideo = false", "call.video")]
)
def test_viewers_of_a_door_without_a_picture_see_nothing(more: str, name: str) -> None:
    (finding,) = said(loads(f"[camera]\nlook = true\n{more}"), FRIGATE)
    assert (finding.verdict, f"{name} is off" in finding.told) == (WARNING, True)


def test_a_viewer_that_is_to_talk_at_a_door_that_lets_nobody_talk_hears_nothing() -> None:
    good, warning = said(LOOKS, CARD, FRIGATE)
    assert (good.verdict, good.told) == (GOOD, "card, frigate may watch by the space")
    assert warning.verdict == WARNING
    assert warning.told == "card have a token to hear and to speak, but call.viewers_talk is off: they only see"


def test_a_door_that_lets_them_is_good() -> None:
    talks = loads("[camera]\nlook = true\n[call]\nviewers_talk = true")
    assert [finding.verdict for finding in said(talks, CARD, FRIGATE)] == [GOOD]


def test_many_viewers_are_one_line() -> None:
    many = [Viewer(f"v{number}", talks=False, seen_on="") for number in range(NAMED_LIMIT + 2)]
    (finding,) = said(LOOKS, *many)
    assert finding.told == "v0, v1, v2, v3, v4 and 2 more may watch by the space"
