"""A door that is watched."""

from __future__ import annotations

from tests.integrations.rtsp.watched_door import door, engine

__all__ = ["door", "engine"]
