"""The door's voice on its way from the audio thread to the connection."""

from __future__ import annotations

from itertools import pairwise

import pytest
from aiortc.mediastreams import MediaStreamError

from intercom.media.codec.opus import OpusEncoder
from intercom.media.rtp.audio_track import FRAME_SAMPLES, MicrophoneTrack
from intercom.media.rtp.packet_sender import MediaFrame
from intercom.media.rtp.payload_types import decoder_for, encoder_for
from intercom.media.rtp.redundancy import Redundancy, unpack
from intercom.media.sound.format import BLOCK_SAMPLES, SILENCE, Samples, level_db
from tests.alsa import tone

BLOCK = tone(440, 0.01)


class Voice:
    """Blocks of 10 ms into a track, and the frames that come out."""

    def __init__(self, *, dtx: bool = False, connected: bool = True) -> None:
        self.track = MicrophoneTrack(OpusEncoder(dtx=dtx))
        self.frames: list[MediaFrame] = []
        if connected:
            self.connect()
        self.now = 100.0

    def connect(self) -> None:
        self.track.push_to(self.frames.append)

    def say(self, blocks: int, block: Samples = BLOCK) -> None:
        for _ in range(blocks):
            self.track.push(block, self.now)
            self.now += 0.01


async def test_two_blocks_are_a_packet_and_the_first_alone_is_marked() -> None:
    voice = Voice()
    voice.say(6)
    frames = voice.frames
    assert [frame.timestamp for frame in frames] == [0, FRAME_SAMPLES, 2 * FRAME_SAMPLES]
    assert [frame.marker for frame in frames] == [True, False, False]


async def test_the_first_packet_after_silence_that_was_not_sent_is_marked() -> None:
    voice = Voice(dtx=True)
    voice.say(20)
    voice.say(200, SILENCE)
    voice.say(4)
    frames = voice.frames
    gaps = [after.timestamp - before.timestamp > FRAME_SAMPLES for before, after in pairwise(frames)]
    assert any(gaps)
    assert [frame.marker for frame in frames[1:]] == gaps


def uses_speech_coder(payload: bytes) -> bool:
    return payload[0] >> 3 < 16  # RFC 6716 table 2


async def test_packets_that_are_sent_again_do_without_the_speech_coder_and_its_redundancy() -> None:
    voice = Voice()
    voice.track.repeat(Redundancy(63, 96))
    voice.say(40)
    assert not any(uses_speech_coder(unpack(frame.payloads[0])[-1].payload) for frame in voice.frames)


async def test_a_far_end_that_takes_them_no_longer_is_sent_the_redundancy_of_the_speech_coder() -> None:
    voice = Voice()
    voice.track.repeat(Redundancy(63, 96))
    voice.say(20)
    voice.track.repeat(None)
    voice.say(20)
    assert all(uses_speech_coder(frame.payloads[0]) for frame in voice.frames[-10:])


async def test_what_is_said_before_the_connection_stands_is_never_sent() -> None:
    voice = Voice(connected=False)
    voice.say(8)
    voice.connect()
    voice.say(2)
    assert [(frame.timestamp, frame.marker) for frame in voice.frames] == [(4 * FRAME_SAMPLES, True)]
    assert voice.track.sent == 1


async def test_the_timestamps_show_that_the_card_was_away() -> None:
    voice = Voice()
    voice.say(2)
    voice.now += 1.0
    voice.say(2)
    first, second = voice.frames
    assert second.timestamp - first.timestamp == pytest.approx(48_000 + FRAME_SAMPLES, abs=FRAME_SAMPLES)


async def test_a_frame_that_was_half_full_when_the_card_went_is_full_with_the_next_block() -> None:
    """The engine counts on it: it looks at the microphone when the next frame is full."""
    voice = Voice()
    voice.say(1)
    voice.now += 1.0
    voice.say(1)
    assert len(voice.frames) == 1
    assert FRAME_SAMPLES == 2 * BLOCK_SAMPLES


@pytest.mark.parametrize("codec", ["opus", "pcmu", "pcma"])
async def test_what_a_canceller_gave_is_a_packet_of_20_ms_too_also_while_it_is_muted(codec: str) -> None:
    block = BLOCK[::3]
    voice = Voice()
    voice.track.use(encoder_for(codec))
    voice.say(4, block)
    voice.track.muted = True
    voice.say(4, block)
    decoder = decoder_for(codec)
    assert decoder is not None
    heard = [decoder.decode(frame.payloads[0]) for frame in voice.frames]
    assert [len(sound) for sound in heard] == [FRAME_SAMPLES] * 4
    assert level_db(heard[1]) > -20
    assert level_db(heard[3]) < -50


async def test_a_stopped_track_ends() -> None:
    voice = Voice()
    voice.track.stop()
    voice.say(2)
    assert voice.frames == []
    with pytest.raises(MediaStreamError):
        await voice.track.next_frame()
