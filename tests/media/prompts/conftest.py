"""Every sentence of the door, spoken once by the real espeak-ng."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from intercom.media.prompts import speech
from intercom.media.prompts.build import speak_all

PATIENCE_S = 120.0


@pytest.fixture(scope="package", autouse=True)
def patient() -> Iterator[None]:
    """Let the voice take as long as a busy machine needs; a door would call itself dumb by then."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(speech, "TIME_LIMIT_S", PATIENCE_S)
        yield


@pytest.fixture(scope="package")
def packaged(patient: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory of sentences as `make deb` makes it."""
    directory = tmp_path_factory.mktemp("package") / "spoken"
    speak_all(directory)
    return directory
