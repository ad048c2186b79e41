"""What a viewer's reports do: a keyframe now and then, and nothing to the others' picture."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from aiortc.rtp import (
    RTCP_PSFB_APP,
    RTCP_PSFB_PLI,
    RtcpPsfbPacket,
    RtcpReceiverInfo,
    RtcpRrPacket,
    pack_remb_fci,
)

from intercom.media.camera.shared import Camera
from intercom.media.viewers.viewer import KEYFRAME_EVERY_S, Viewer
from tests.media.camera.filmed import FilmedSource
from tests.media.viewers.far_end import FarEnd


class Watched:
    """A viewer of a filmed camera, with a clock that the test turns."""

    def __init__(self, offer: str) -> None:
        self.now_s = 0.0
        self.source = FilmedSource()
        self.camera = Camera(self.source)
        self.asked = 0
        self.bitrates: list[int] = []
        self.camera.request_keyframe = self._count  # type: ignore[method-assign]  # what it is asked for is counted
        self.camera.set_bitrate = self.bitrates.append  # type: ignore[method-assign]  # idem
        self.viewer = Viewer(
            offer,
            [],
            h264=self.camera,
            vp8=None,
            is_forbidden=lambda: False,
            on_over=lambda viewer, why: None,
            clock=lambda: self.now_s,
        )

    def _count(self) -> None:
        self.asked += 1

    async def hears(self, fmt: int, fci: bytes = b"") -> None:
        sender = self.viewer._sender
        assert sender is not None
        await sender._handle_rtcp_packet(RtcpPsfbPacket(fmt, 1, sender._ssrc, fci))

    async def loses(self, fraction: float) -> None:
        sender = self.viewer._sender
        assert sender is not None
        report = RtcpReceiverInfo(sender._ssrc, round(fraction * 256), 0, 0, 0, 0, 0)
        await sender._handle_rtcp_packet(RtcpRrPacket(1, [report]))

    @property
    def target_bps(self) -> int:
        return self.viewer._thinning.rate.target_bps


@pytest.fixture
async def watched() -> AsyncIterator[Watched]:
    async with FarEnd() as far_end:
        watched = Watched(await far_end.offer())
        await watched.viewer.answer()
        assert watched.asked == 1, "for the first picture, which is there when the connection is"
        watched.asked = 0
        yield watched
        await watched.viewer.close()
        await asyncio.to_thread(watched.camera.stop)


async def test_a_viewer_that_asks_without_end_gets_one_keyframe_a_while(watched: Watched) -> None:
    for _ in range(100):
        await watched.hears(RTCP_PSFB_PLI)
    assert watched.asked == 1
    watched.now_s += KEYFRAME_EVERY_S
    await watched.hears(RTCP_PSFB_PLI)
    assert watched.asked == 2


async def test_a_viewer_that_loses_most_takes_no_bit_from_the_others(watched: Watched) -> None:
    before_bps = watched.target_bps
    await watched.loses(0.5)
    assert watched.target_bps < before_bps
    assert watched.bitrates == []


async def test_an_estimate_that_is_none_is_survived(watched: Watched) -> None:
    await watched.hears(RTCP_PSFB_APP, b"REMB\xff")
    await watched.hears(RTCP_PSFB_APP, pack_remb_fci(1, [1, 2, 3]))
    assert watched.target_bps == watched.source.bitrate_bps
