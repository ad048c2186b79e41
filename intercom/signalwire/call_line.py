"""What a call needs of its client."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from intercom.signalwire.dialog_events import VertoRequest
from intercom.signalwire.media import MediaProvider


class CallLine(Protocol):
    """What a call needs of its client."""

    media: MediaProvider

    @property
    def ice_servers(self) -> Sequence[Mapping[str, Any]]:
        """For the peer connection."""

    @property
    def relay_only(self) -> bool:
        """Whether only relayed candidates may be offered and used."""

    @property
    def reachable(self) -> bool:
        """Whether the service can be reached now."""

    def look_after_connection(self) -> None:
        """The call's media broke or came back: the connection to the service may have, too."""

    def submit_verto(self, request: VertoRequest) -> tuple[str, asyncio.Future[Any]]:
        """Send webrtc.verto at once; the request's id and its result's future."""

    def cancel(self, request_id: str) -> bool:
        """Forget a request; true if it never left."""

    async def execute(self, method: str, params: Mapping[str, Any]) -> Any:
        """Ask the service anything."""
