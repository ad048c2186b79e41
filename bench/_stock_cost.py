"""The calls of others, each side in a process of its own: stock aiortc and libwebrtc where the door would be.

The visitor's voice comes from the same file as at the door, the resident's too; what arrives is written to a file or
thrown away. There is no sound card in it, no canceller and no service: less than the door does.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import tempfile
import time
from collections.abc import Callable
from importlib.resources import files
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np
from aiortc import RTCConfiguration, RTCPeerConnection, RTCRtpSender, RTCSessionDescription
from aiortc.contrib.media import MediaPlayer, MediaRecorder
from aiortc.mediastreams import MediaStreamTrack, VideoStreamTrack
from av.video.frame import VideoFrame

from bench.video_cost import VIDEO
from intercom.media.camera.encoder import VIDEO_TIME_BASE
from intercom.media.codec.h264 import VIDEO_CLOCK_HZ
from intercom.media.sound.format import BLOCK_SAMPLES, RATE_HZ
from intercom.media.sound.sound_file import load_sound

VOICE = Path(str(files("intercom.media").joinpath("visitor.wav")))
Figures = tuple[float, float]
Measure = Callable[[], Any]
LIMIT_S = 60.0


def voice() -> MediaStreamTrack:
    """Somebody who speaks without end."""
    track = MediaPlayer(str(VOICE), loop=True).audio
    assert track is not None
    return track


class RawFilm(VideoStreamTrack):
    """A second of pictures again and again, as aiortc would have them from a camera without an encoder.

    (A MediaPlayer that plays a file of them in a loop reads ahead without end: 2.6 GB in 20 s.)
    """

    def __init__(self, file: Path) -> None:
        super().__init__()
        self._frames = [VideoFrame.from_ndarray(picture, format="yuv420p") for picture in np.load(file)]
        self._count = 0
        self._began = time.monotonic()

    async def recv(self) -> VideoFrame:
        await asyncio.sleep(max(0.0, self._began + self._count / VIDEO.frame_rate - time.monotonic()))
        frame = self._frames[self._count % len(self._frames)]
        frame.pts, frame.time_base = self._count * (VIDEO_CLOCK_HZ // VIDEO.frame_rate), VIDEO_TIME_BASE
        self._count += 1
        return frame


async def drain(track: MediaStreamTrack) -> None:
    """Decode what arrives, and no more."""
    while True:
        await track.recv()


def far_end(line: Connection) -> None:
    """The resident, stock aiortc: answers, talks, listens and watches until told to stop."""

    async def answer() -> None:
        house = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        house.addTrack(voice())
        watching: list[asyncio.Task[None]] = []
        house.on("track", lambda track: watching.append(asyncio.ensure_future(drain(track))))
        await house.setRemoteDescription(RTCSessionDescription(line.recv(), "offer"))
        await house.setLocalDescription(await house.createAnswer())
        line.send(house.localDescription.sdp)
        await asyncio.to_thread(line.recv)
        for task in watching:
            task.cancel()
        await house.close()

    asyncio.run(answer())


async def aiortc_call(line: Connection, measure: Measure, film: Path | None, codec: str) -> Figures:
    """MediaPlayer in, MediaRecorder out; a picture, if any, encoded by aiortc as `codec`."""
    with tempfile.TemporaryDirectory(prefix="bench-") as directory:
        recorder = MediaRecorder(str(Path(directory) / "heard.wav"))
        connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        connection.addTrack(voice())
        connection.on("track", recorder.addTrack)
        if film is not None:
            transceiver = connection.addTransceiver(RawFilm(film), direction="sendonly")
            known = RTCRtpSender.getCapabilities("video").codecs
            transceiver.setCodecPreferences([each for each in known if each.mimeType == f"video/{codec}"])
        await connection.setLocalDescription(await connection.createOffer())
        line.send(connection.localDescription.sdp)
        await connection.setRemoteDescription(RTCSessionDescription(await asyncio.to_thread(line.recv), "answer"))
        await recorder.start()
        figures: Figures = await measure()
        await recorder.stop()
        await connection.close()
    return figures


async def libwebrtc_call(line: Connection, measure: Measure) -> Figures:
    """Chrome's engine (`wrtc`): blocks of 10 ms written to it and read from it."""
    import webrtc

    webrtc.allow_loopback = True
    connection = webrtc.RTCPeerConnection(webrtc.RTCConfiguration(ice_servers=[]))
    speaking = webrtc.MediaStreamTrackGenerator("audio")
    connection.add_track(speaking)
    tasks: list[asyncio.Task[None]] = []

    async def listen(track: Any) -> None:
        processor = webrtc.MediaStreamTrackProcessor(webrtc.MediaStreamTrackProcessorInit(track))
        async for data in processor.readable:
            data.close()

    async def speak() -> None:
        samples = load_sound(VOICE)
        writer, at, due = speaking.writable.get_writer(), 0, time.monotonic()
        while True:
            block = samples[at : at + BLOCK_SAMPLES]
            at = at + BLOCK_SAMPLES if at + 2 * BLOCK_SAMPLES <= len(samples) else 0
            await writer.write(
                webrtc.AudioData(
                    webrtc.AudioDataInit(
                        format="s16",
                        sample_rate=RATE_HZ,
                        number_of_frames=len(block),
                        number_of_channels=1,
                        timestamp=0,
                        data=block.tobytes(),
                    )
                )
            )
            due += BLOCK_SAMPLES / RATE_HZ
            await asyncio.sleep(max(0.0, due - time.monotonic()))

    gathered = asyncio.Event()
    connection.on("track", lambda event: tasks.append(asyncio.ensure_future(listen(event.track))))
    connection.on("icecandidate", lambda event: gathered.set() if event.candidate is None else None)
    await connection.set_local_description(await connection.create_offer())
    await gathered.wait()
    line.send(connection.local_description.sdp)
    answer = await asyncio.to_thread(line.recv)
    await connection.set_remote_description(webrtc.RTCSessionDescriptionInit("answer", answer))
    tasks.append(asyncio.ensure_future(speak()))
    figures: Figures = await measure()
    assert connection.connection_state == "connected", connection.connection_state
    for task in tasks:
        task.cancel()
    connection.close()
    return figures


def _side(result: Connection, line: Connection, measure: Measure, kind: str, film: Path | None) -> None:
    if kind == "libwebrtc":
        result.send(asyncio.run(libwebrtc_call(line, measure)))
    else:
        result.send(asyncio.run(aiortc_call(line, measure, film, kind)))


def stock_call(measure: Measure, kind: str, film: Path | None = None) -> Figures:
    """Run a call of "libwebrtc", or of aiortc with the video codec `kind`; what `measure` measured in its process."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    result, side_result = context.Pipe()
    house = context.Process(target=far_end, args=(theirs,), daemon=True)
    side = context.Process(target=_side, args=(side_result, ours, measure, kind, film), daemon=True)
    house.start()
    side.start()
    side_result.close()
    try:
        if not result.poll(LIMIT_S):
            raise TimeoutError(f"the call of {kind} did not finish")
        figures: Figures = result.recv()
    finally:
        ours.send("stop")
        house.join(10)
        side.join(10)
        for process in (house, side):
            process.kill()
    return figures
