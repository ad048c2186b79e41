"""The door as an ONVIF device, for recorders: its streams, a still, the bell and the contact as events, the relay.

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
    from intercom.integrations.onvif.server import OnvifServer

    return OnvifServer(config, state_dir, access)
