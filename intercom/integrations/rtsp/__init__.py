"""The camera and the microphone by RTSP, for recorders, players and other systems of the house; they may talk back.

Begin with `server.py`.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from intercom.config import Config
    from intercom.integrations.access import Access, Integration


def build(config: Config, state_dir: Path, access: Access) -> Integration:
    """Return the server."""
    from intercom.integrations.rtsp.server import RtspServer

    return RtspServer(config, state_dir, access)
