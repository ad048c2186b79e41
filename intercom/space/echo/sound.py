"""The sound that the echo sends back; importing this loads aiortc."""

from __future__ import annotations

from typing import cast

import numpy as np
from aiortc import MediaStreamTrack
from av import AudioFrame

from intercom.space.echo.member import EchoMember


class ReturnedSound(MediaStreamTrack):
    """The caller's own sound, as loud as the call's members are told."""

    kind = "audio"

    def __init__(self, track: MediaStreamTrack, member: EchoMember) -> None:
        super().__init__()
        self._track = track
        self._member = member

    async def recv(self) -> AudioFrame:
        """Return the next frame."""
        frame = cast("AudioFrame", await self._track.recv())
        gain = self._member.gain
        if gain == 1.0:
            return frame
        louder = np.clip(frame.to_ndarray() * np.float32(gain), -32768, 32767).astype(np.int16)
        changed = AudioFrame.from_ndarray(louder, format=frame.format.name, layout=frame.layout.name)
        changed.pts, changed.sample_rate, changed.time_base = frame.pts, frame.sample_rate, frame.time_base
        return changed
