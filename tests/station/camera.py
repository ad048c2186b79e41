"""The door's end of the views: a camera that shows pictures while a test lets it, and none while it does not."""

from __future__ import annotations

import asyncio
import time

from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from av import VideoFrame

from tests.station.door import Street


class HeldStreet(Street):
    """The street, while the camera runs."""

    def __init__(self, runs: asyncio.Event) -> None:
        super().__init__(320, 240)
        self._runs = runs

    async def recv(self) -> VideoFrame:
        """Return the next frame, once the camera runs; what it missed meanwhile is left out."""
        if not self._runs.is_set():
            await self._runs.wait()
            self._start = time.monotonic() - self._count / 15
        return await super().recv()


class HeldCamera:
    """Answers whoever asks to see; its pictures come while `runs` is set."""

    def __init__(self) -> None:
        self.runs = asyncio.Event()
        self._peers: list[RTCPeerConnection] = []

    async def answer(self, offer: str) -> str:
        """Return the answer to the offer of somebody who wants to see."""
        peer = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self._peers.append(peer)
        await peer.setRemoteDescription(RTCSessionDescription(offer, "offer"))
        peer.addTrack(HeldStreet(self.runs))
        await peer.setLocalDescription(await peer.createAnswer())
        return str(peer.localDescription.sdp)

    async def close(self) -> None:
        """End every view."""
        self.runs.set()
        await asyncio.gather(*(peer.close() for peer in self._peers))
