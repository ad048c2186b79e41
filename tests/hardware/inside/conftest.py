"""The devices of the tests that run in a guest."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.hardware.gpio import GpioChip, pose_as_itself, pose_as_pi
from tests.hardware.headset import Headset


@pytest.fixture
def headset() -> Iterator[Headset]:
    """A USB headset that is not plugged in yet; it is pulled out in the end."""
    with Headset() as headset:
        yield headset


@pytest.fixture
def header() -> Iterator[GpioChip]:
    """A GPIO chip in the place of a Pi's header, on a machine that is no Pi."""
    with GpioChip() as chip:
        yield chip


@pytest.fixture
def pi(header: GpioChip, tmp_path: Path) -> Iterator[GpioChip]:
    """The same chip, on a machine that says it is a Raspberry Pi."""
    pose_as_pi(tmp_path)
    yield header
    pose_as_itself()
