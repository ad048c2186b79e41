"""Answers one offer to the echo: a peer connection that sends its sound back. aiortc costs 50 MB, and comes with it."""

from __future__ import annotations

import asyncio
import logging
from importlib import import_module
from typing import TYPE_CHECKING, Final

from intercom.space.echo.member import EchoMember

if TYPE_CHECKING:
    from aiortc import MediaStreamTrack, RTCPeerConnection

logger = logging.getLogger(__name__)

CONNECT_LIMIT_S: Final = 15.0
"""Time limit for ICE and DTLS."""
CLOSE_LIMIT_S: Final = 0.3
"""Time limit for closing a peer connection, and again for its sockets alone if that hangs."""
SECTIONS: Final = ({"audio"}, {"audio", "video"})
"""Kinds of media in an offer that is answered, each once: without a bundle, each section opens sockets of its own."""


def load() -> None:
    """Load aiortc, in a thread of the caller's: the first time it takes seconds on a small machine."""
    import_module("intercom.space.echo.sound")
    import_module("intercom.aiortc_hooks")


class EchoMedia:
    """The media of a call to the echo, for one offer of its caller; `load` comes first."""

    def __init__(self) -> None:
        # Here and not above: only with the first call does it cost its 50 MB (`load`).
        from aiortc import RTCConfiguration, RTCPeerConnection

        from intercom.aiortc_hooks import bear_an_early_end, outlast_any_far_end

        outlast_any_far_end()
        self.connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        bear_an_early_end(self.connection)
        self.connected = False
        """Whether it was connected at any time."""
        self.ended = asyncio.Event()
        """Set when the media has ended, or did not begin in time."""

    async def answer(self, offer: str, member: EchoMember) -> str:
        """Answer an offer; return the answer. Raises ValueError, and anything."""
        from aiortc import RTCSessionDescription

        from intercom.space.echo.sound import ReturnedSound

        connection = self.connection
        kinds = [line.removeprefix("m=").partition(" ")[0] for line in offer.splitlines() if line.startswith("m=")]
        if set(kinds) not in SECTIONS or len(set(kinds)) != len(kinds):
            raise ValueError("the offer has other sections than one of sound and perhaps one of pictures")
        give_up = asyncio.get_running_loop().call_later(CONNECT_LIMIT_S, self.ended.set)

        def send_back(track: MediaStreamTrack) -> None:
            if track.kind == "audio":
                connection.addTrack(ReturnedSound(track, member))

        def watch() -> None:
            if connection.connectionState == "connected":
                self.connected = True
                give_up.cancel()
            elif connection.connectionState in {"failed", "closed"}:
                self.ended.set()

        connection.on("track", send_back)
        connection.on("connectionstatechange", watch)
        await connection.setRemoteDescription(RTCSessionDescription(offer, "offer"))
        for transceiver in connection.getTransceivers():
            if transceiver.kind == "video":
                transceiver.direction = "inactive"
        await connection.setLocalDescription(await connection.createAnswer())
        return str(connection.localDescription.sdp)


async def close(connection: RTCPeerConnection) -> None:
    """Close a connection within a time limit; if aiortc's own way hangs, its transports alone, with their sockets."""
    closing = asyncio.ensure_future(connection.close())
    _, late = await asyncio.wait([closing], timeout=CLOSE_LIMIT_S)
    if not late:
        if closing.exception() is not None:
            logger.warning("Closing a call to the echo failed: %s.", closing.exception())
        return
    logger.warning("A call to the echo does not close by itself; its transports are closed.")
    closing.cancel()
    transports = {transceiver.receiver.transport for transceiver in connection.getTransceivers()}
    stopping = [asyncio.ensure_future(stop()) for dtls in transports for stop in (dtls.stop, dtls.transport.stop)]
    if stopping:
        _, late = await asyncio.wait(stopping, timeout=CLOSE_LIMIT_S)
        for one in late:
            one.cancel()
