"""Who else carries a voice from card to card: stock aiortc, and libwebrtc as the `wrtc` package binds it.

Each is used as its examples show: blocks of the microphone go in as they come, blocks of the far end are written to the
speaker as they come. The player is the kindest simple one: it starts with the stream's own pace known, holds 20 ms
ahead, and drops what would make it hold more than 60.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import numpy as np
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError, MediaStreamTrack
from av import AudioFrame

from bench._paced import BenchCards, Recorder, Talker
from bench._relay import Relay
from intercom.media.cards.simulated import BUFFER_FRAMES
from intercom.media.sound.format import BLOCK_SAMPLES, RATE_HZ, SAMPLE_BYTES, Samples

FIRST_S = 1.0
"""Not played: a stream begins with what had queued up meanwhile, and a player would keep that delay for ever."""
AHEAD_FRAMES = 2 * BLOCK_SAMPLES
MOST_FRAMES = 6 * BLOCK_SAMPLES
GATHERED_S = 10.0


class Player:
    """Writes blocks to a speaker as they come."""

    def __init__(self, speaker: Recorder) -> None:
        self._speaker = speaker
        self._passed = 0

    def play(self, block: Samples) -> None:
        """The next block of the far end, 48 kHz."""
        self._passed += len(block)
        if self._passed < FIRST_S * RATE_HZ:
            return
        room = self._speaker.avail()
        if BUFFER_FRAMES - room > MOST_FRAMES and room >= 0:
            return
        data = block.tobytes()
        if room == BUFFER_FRAMES or self._speaker.write(data) < 0:
            self._speaker.write(bytes(AHEAD_FRAMES * SAMPLE_BYTES))
            self._speaker.write(data)


class AiortcMicrophone(MediaStreamTrack):
    """What MediaPlayer does with a sound card: read 20 ms, hand on a frame."""

    kind = "audio"

    def __init__(self, microphone: Talker) -> None:
        super().__init__()
        self._microphone = microphone
        self._read = b""
        self._pts = 0

    async def recv(self) -> AudioFrame:
        wanted = 2 * BLOCK_SAMPLES * SAMPLE_BYTES
        while len(self._read) < wanted:
            frames, read = self._microphone.read()
            self._read += read
            if frames < BLOCK_SAMPLES:
                await asyncio.sleep(0.002)
        data, self._read = self._read[:wanted], self._read[wanted:]
        frame = AudioFrame.from_ndarray(np.frombuffer(data, np.int16).reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate = RATE_HZ
        frame.pts = self._pts
        self._pts += 2 * BLOCK_SAMPLES
        return frame


async def _play_aiortc(track: MediaStreamTrack, player: Player) -> None:
    with contextlib.suppress(MediaStreamError):
        while True:
            frame = await track.recv()
            assert isinstance(frame, AudioFrame)
            player.play(frame.to_ndarray().reshape(-1, 2)[:, 0].astype(np.int16))


@contextlib.asynccontextmanager
async def aiortc_call(mouth: BenchCards, ear: BenchCards, relay: Relay) -> AsyncIterator[None]:
    """A call of stock aiortc from one card to the other."""
    caller, callee = (RTCPeerConnection(RTCConfiguration(iceServers=[])) for _ in range(2))
    caller.addTrack(AiortcMicrophone(mouth.microphone))
    players: list[asyncio.Task[None]] = []
    player = Player(ear.speaker)
    callee.on("track", lambda track: players.append(asyncio.ensure_future(_play_aiortc(track, player))))
    try:
        await caller.setLocalDescription(await caller.createOffer())
        await callee.setRemoteDescription(RTCSessionDescription(relay.offer(caller.localDescription.sdp), "offer"))
        await callee.setLocalDescription(await callee.createAnswer())
        await caller.setRemoteDescription(RTCSessionDescription(relay.answer(callee.localDescription.sdp), "answer"))
        yield
    finally:
        for task in players:
            task.cancel()
        await asyncio.gather(caller.close(), callee.close())


@contextlib.asynccontextmanager
async def libwebrtc_call(mouth: BenchCards, ear: BenchCards, relay: Relay) -> AsyncIterator[None]:
    """A call of libwebrtc from one card to the other; ImportError without the package."""
    import webrtc

    caller, callee = webrtc.RTCPeerConnection(), webrtc.RTCPeerConnection()
    voice = webrtc.MediaStreamTrackGenerator("audio")
    caller.add_track(voice)
    player = Player(ear.speaker)
    tasks: list[asyncio.Task[None]] = []

    async def talk() -> None:
        writer = voice.writable.get_writer()
        while True:
            frames, read = mouth.microphone.read()
            if frames <= 0:
                await asyncio.sleep(0.002)
                continue
            block = webrtc.AudioDataInit("s16", RATE_HZ, frames, 1, 0, read)
            await writer.write(webrtc.AudioData(block))

    async def listen(track: webrtc.MediaStreamTrack) -> None:
        processor = webrtc.MediaStreamTrackProcessor(webrtc.MediaStreamTrackProcessorInit(track))
        first = webrtc.AudioDataCopyToOptions(plane_index=0)
        async for heard in processor.readable:
            with heard:
                data = bytearray(heard.allocation_size(first))
                heard.copy_to(data, first)
                assert heard.sample_rate == RATE_HZ
                player.play(np.frombuffer(bytes(data), np.int16)[:: heard.number_of_channels])

    callee.on("track", lambda event: tasks.append(asyncio.ensure_future(listen(event.track))))
    try:
        await caller.set_local_description(await caller.create_offer())
        offer = relay.offer(await _gathered(caller))
        await callee.set_remote_description(webrtc.RTCSessionDescriptionInit(type="offer", sdp=offer))
        await callee.set_local_description(await callee.create_answer())
        answer = relay.answer(await _gathered(callee))
        await caller.set_remote_description(webrtc.RTCSessionDescriptionInit(type="answer", sdp=answer))
        tasks.append(asyncio.ensure_future(talk()))
        yield
    finally:
        for task in tasks:
            task.cancel()
        caller.close()
        callee.close()


async def _gathered(connection: object) -> str:
    """The local description with its candidates: libwebrtc finds them one after another."""
    async with asyncio.timeout(GATHERED_S):
        while connection.ice_gathering_state != "complete":  # type: ignore[attr-defined] # webrtc.RTCPeerConnection, loaded late
            await asyncio.sleep(0.01)
    return str(connection.local_description.sdp)  # type: ignore[attr-defined] # idem
