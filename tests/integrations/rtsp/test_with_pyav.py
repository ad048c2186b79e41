"""FFmpeg's client (PyAV), which Frigate and Home Assistant use: picture and sound, by TCP and by UDP."""

from __future__ import annotations

import asyncio
from typing import Any

import av
import pytest
from av.error import FFmpegError

from intercom.integrations.rtsp.accounts import Account
from tests.integrations.rtsp.watched_door import LIMIT_S, WatchedDoor, until

PICTURES = 20


def seen(url: str, transport: str, pictures: int = PICTURES) -> dict[str, Any]:
    """Watch for some pictures; return what was seen and heard."""
    options = {"rtsp_transport": transport, "analyzeduration": "1000000", "timeout": str(int(LIMIT_S * 1e6))}
    shown = heard = 0
    first_is_key = None
    with av.open(url, options=options, timeout=LIMIT_S) as stream:
        for packet in stream.demux():
            if packet.stream.type == "video":
                first_is_key = packet.is_keyframe if first_is_key is None else first_is_key
                shown += len(packet.decode())
            else:
                heard += len(packet.decode())
            if shown >= pictures and (heard or len(stream.streams) == 1):
                break
        video = stream.streams.video[0]
        return {
            "size": (video.width, video.height),
            "codec": video.codec_context.name,
            "sound": [each.codec_context.name for each in stream.streams.audio],
            "begins with a keyframe": first_is_key,
            "heard": heard > 0,
        }


@pytest.mark.parametrize("transport", ["tcp", "udp"])
async def test_it_sees_and_hears_the_door(door: WatchedDoor, transport: str) -> None:
    found = await asyncio.to_thread(seen, door.url(), transport)
    assert found == {
        "size": (320, 180),
        "codec": "h264",
        "sound": ["opus"],
        "begins with a keyframe": True,
        "heard": True,
    }
    await until(lambda: not door.camera.is_running)


async def test_a_recorder_that_knows_no_opus_gets_pcma(door: WatchedDoor) -> None:
    found = await asyncio.to_thread(seen, door.url("door-pcma"), "tcp")
    assert (found["sound"], found["heard"]) == (["pcm_alaw"], True)


async def test_who_wants_no_sound_gets_the_picture_alone(door: WatchedDoor) -> None:
    found = await asyncio.to_thread(seen, door.url("door-video"), "tcp")
    assert found["sound"] == []


async def test_a_second_viewer_sees_the_pictures_of_the_same_camera(door: WatchedDoor) -> None:
    found = await asyncio.gather(*(asyncio.to_thread(seen, door.url(), "tcp") for _ in range(2)))
    assert [each["size"] for each in found] == [(320, 180)] * 2


async def test_a_wrong_password_shows_nothing(door: WatchedDoor) -> None:
    with pytest.raises(FFmpegError, match="401"):
        await asyncio.to_thread(seen, door.url(account=Account("viewer", "guess")), "tcp")
    assert not door.camera.is_running
