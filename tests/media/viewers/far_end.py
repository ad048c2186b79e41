"""Somebody who watches: a real aiortc peer that receives one picture and sends nothing."""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Any, Self

from aiortc import RTCConfiguration, RTCPeerConnection, RTCRtpReceiver, RTCSessionDescription
from aiortc.mediastreams import MediaStreamTrack

PATIENCE_S = 60.0


class FarEnd:
    """A peer that asks for a picture, of these codecs or of all."""

    def __init__(self, *codecs: str, sound: MediaStreamTrack | None = None) -> None:
        self.peer = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        if sound is not None:
            self.peer.addTrack(sound)
        picture = self.peer.addTransceiver("video", "recvonly")
        if codecs:
            known = RTCRtpReceiver.getCapabilities("video")
            assert known is not None
            picture.setCodecPreferences([codec for codec in known.codecs if codec.mimeType in codecs])
        self.track = picture.receiver
        self.connected = asyncio.Event()
        self.peer.on("connectionstatechange", self._changed)
        self.tracks: asyncio.Queue[MediaStreamTrack] = asyncio.Queue()
        self.peer.on("track", self.tracks.put_nowait)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.peer.close()

    async def offer(self) -> str:
        """Return this end's complete offer."""
        await self.peer.setLocalDescription(await self.peer.createOffer())
        return str(self.peer.localDescription.sdp)

    async def accept(self, answer: str) -> None:
        """Connect with the answer."""
        await self.peer.setRemoteDescription(RTCSessionDescription(answer, "answer"))
        async with asyncio.timeout(PATIENCE_S):
            await self.connected.wait()

    async def sees(self, pictures: int = 1) -> Any:
        """Wait for decoded pictures; return the last."""
        frame = None
        async with asyncio.timeout(PATIENCE_S):
            while (track := await self.tracks.get()).kind != "video":
                continue
            self.tracks.put_nowait(track)
            for _ in range(pictures):
                frame = await track.recv()
        return frame

    def _changed(self) -> None:
        if self.peer.connectionState == "connected":
            self.connected.set()
