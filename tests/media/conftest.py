"""Fixtures of the media tests: real ALSA PCMs, and the engines of a call's two ends."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from intercom.media.sound.engine import AudioEngine
from tests.alsa import alsa_cards, alsa_session, fragile_alsa_cards
from tests.media.calls import running_engine, simulated
from tests.media.events import Reported

__all__ = ["alsa_cards", "alsa_session", "fragile_alsa_cards"]


@pytest.fixture
def engine() -> Iterator[AudioEngine]:
    """The near end's, on a simulated card."""
    with running_engine(simulated()) as engine:
        yield engine


@pytest.fixture
def far_engine() -> Iterator[AudioEngine]:
    """The far end's, on another one."""
    with running_engine(simulated()) as engine:
        yield engine


@pytest.fixture
def events() -> Reported[object]:
    """What both ends report."""
    return Reported()
