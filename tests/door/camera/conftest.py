"""What holds for every viewer here."""

from __future__ import annotations

from tests.media.viewers.conftest import patient

__all__ = ["patient"]
