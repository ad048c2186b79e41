"""What `intercom doctor` says of the viewers with a token of the house: whether the door lets them see and hear."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from intercom.cli.checks.finding import GOOD, WARNING, Finding
from intercom.cli.checks.house import ask_house
from intercom.cli.render import printable
from intercom.config import Config

NAMED_LIMIT = 5
"""Limit of viewers that a finding names."""


class Viewer(msgspec.Struct, frozen=True):
    """A viewer, as the space knows it."""

    name: str
    """Its name."""
    talks: bool
    """Whether the space lets it hear and speak."""
    seen_on: str
    """The day on which it last watched, ISO 8601; empty when it never did."""


def house_viewers(credential: Path) -> list[Viewer]:
    """Return the viewers with a token; none when the space does not say."""
    try:
        return msgspec.convert(ask_house(credential, "/api/space/viewers"), dict[str, list[Viewer]])["viewers"]
    except (msgspec.ValidationError, KeyError):
        return []


def viewers(config: Config, found: list[Viewer]) -> Iterator[Finding]:
    """Yield who may watch, and what in the door's settings makes them see or hear nothing."""
    if not found:
        return
    names = _names(viewer.name for viewer in found)
    back = "or take their tokens back: `intercom space viewer remove NAME`"
    if not config.camera.look:
        told = f"{names} have a token to watch, but camera.look is off: they see nothing"
        yield Finding("viewers", WARNING, told, f"camera.look = true, {back}")
        return
    if config.camera.source == "off" or not config.call.video:
        name = "call.video" if config.camera.source != "off" else "camera.source"
        told = f"{names} have a token to watch, but {name} is off: they see nothing"
        yield Finding("viewers", WARNING, told, f"turn {name} on, {back}")
        return
    yield Finding("viewers", GOOD, f"{names} may watch by the space")
    if (talkers := [viewer.name for viewer in found if viewer.talks]) and not config.call.viewers_talk:
        told = f"{_names(talkers)} have a token to hear and to speak, but call.viewers_talk is off: they only see"
        yield Finding("viewers", WARNING, told, f"call.viewers_talk = true, {back}")


def _names(names: Iterable[str]) -> str:
    known = [printable(name) for name in names]
    more = len(known) - NAMED_LIMIT
    return ", ".join(known[:NAMED_LIMIT]) + (f" and {more} more" if more > 0 else "")
