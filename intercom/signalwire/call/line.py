"""The interface between a call and its client."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from intercom.signalwire.call.dialog.events import VertoRequest
from intercom.signalwire.call.media_options import AskedMedia, MediaOptions
from intercom.signalwire.media import MediaProvider


class CallLine(Protocol):
    """The interface between a call and its client."""

    media: MediaProvider

    @property
    def ice_servers(self) -> Sequence[Mapping[str, Any]]:
        """ICE servers for the peer connection."""

    @property
    def relay_only(self) -> bool:
        """Whether only relayed candidates may be offered and used."""

    @property
    def others_may_mute(self) -> bool:
        """Whether other members of a call may mute us."""

    def choose_media(self, address: str, asked: AskedMedia) -> MediaOptions:
        """Return what a call of this address sends and receives; raises `InvalidParamsError` when that is nothing."""

    @property
    def reachable(self) -> bool:
        """Whether the service can be reached now."""

    def look_after_connection(self) -> None:
        """Probe the connection to the service: the call's media broke or came back."""

    def submit_verto(self, request: VertoRequest) -> tuple[str, asyncio.Future[Any]]:
        """Send webrtc.verto at once; return the request's id and the future of its result."""

    def cancel(self, request_id: str) -> bool:
        """Cancel a request; return whether it was still unsent."""

    async def execute(self, method: str, params: Mapping[str, Any]) -> Any:
        """Send any request to the service and return its result."""
