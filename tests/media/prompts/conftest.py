"""Every sentence of the door, spoken once by the real espeak-ng."""

from __future__ import annotations

from pathlib import Path

import pytest

from intercom.media.prompts.build import speak_all


@pytest.fixture(scope="package")
def packaged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory of sentences as `make deb` makes it."""
    directory = tmp_path_factory.mktemp("package") / "spoken"
    speak_all(directory)
    return directory
