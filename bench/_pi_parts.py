"""Counts the instructions of the single parts of a call, inside the ARM machine: `python -m bench._pi_parts`.

Each is run for four seconds of speech on both sides; its line is JSON, in million instructions for a second of call.
"""

from __future__ import annotations

import gc
import json
import os
import time
from collections.abc import Callable

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # as the service sets it

import numpy as np

from bench._stock_cost import VOICE
from intercom.media.codec.opus import OpusDecoder, OpusEncoder
from intercom.media.echo.canceller import EchoCanceller, _Reference
from intercom.media.echo.delay_search import LONG, SHORT
from intercom.media.echo.double_talk import TalkThrough
from intercom.media.echo.linear import open_linear_filter
from intercom.media.echo.webrtc import CANCELLER_SAMPLES, WebRtcBackend, open_noise_suppression
from intercom.media.rtp.call_stats import audio_bitrate_bps
from intercom.media.sound.format import BLOCK_SAMPLES, Samples
from intercom.media.sound.resample import Decimator
from intercom.media.sound.sound_file import load_sound

TURNS, WARM = 400, 120
"""A second of silence is over, in which the canceller does not rest yet."""
PER_S = 100
FACTOR = BLOCK_SAMPLES // CANCELLER_SAMPLES
ECHO_BLOCKS, ECHO = 3, 0.3
"""How late and how loud the far end is heard at the microphone."""


def count(name: str, part: Callable[[int], object], per_s: int = PER_S) -> None:
    """Run a part as often as it is run in a call, and tell what a second of it takes."""
    for turn in range(WARM):
        part(turn)
    began = time.thread_time_ns()
    for turn in range(WARM, WARM + TURNS):
        part(turn)
    print(json.dumps({"part": name, "minsn": (time.thread_time_ns() - began) / TURNS * per_s / 1e6}), flush=True)


def blocks(sound: Samples, samples: int) -> list[Samples]:
    """A sound cut into blocks of this many samples."""
    return [sound[at : at + samples] for at in range(0, len(sound) - samples + 1, samples)]


def main() -> None:
    """Count each part."""
    gc.disable()
    length = BLOCK_SAMPLES * (WARM + TURNS)
    speech = np.resize(load_sound(VOICE), length)
    far = np.roll(speech, length // 3)
    heard = (0.7 * speech + ECHO * np.roll(far, ECHO_BLOCKS * BLOCK_SAMPLES)).astype(np.int16)
    far48, near48 = blocks(far, BLOCK_SAMPLES), blocks(heard, BLOCK_SAMPLES)
    far_down, near_down = Decimator(FACTOR), Decimator(FACTOR)
    far16, near16 = [far_down.run(block) for block in far48], [near_down.run(block) for block in near48]
    silence48 = np.zeros(BLOCK_SAMPLES, np.int16)

    def canceller(far_end: Callable[[int], Samples]) -> Callable[[int], object]:
        whole = EchoCanceller(TalkThrough(WebRtcBackend(SHORT), open_linear_filter()))

        def turn(at: int) -> None:
            whole.played(far_end(2 * at))
            whole.played(far_end(2 * at + 1))
            whole.clean(frames[at])

        return turn

    frames = blocks(heard, 2 * BLOCK_SAMPLES) * 2
    count("canceller", canceller(lambda at: far48[at % len(far48)]), PER_S // 2)
    count("canceller_far_silent", canceller(lambda at: silence48), PER_S // 2)
    webrtc, linear, both = (
        WebRtcBackend(SHORT),
        open_linear_filter(),
        TalkThrough(WebRtcBackend(SHORT), open_linear_filter()),
    )
    count("aec3_and_noise_suppression", lambda at: webrtc.process(near16[at], far16[at]))
    further = WebRtcBackend(LONG)
    count("aec3_and_noise_suppression_with_five_filters", lambda at: further.process(near16[at], far16[at]))
    count("linear_filter", lambda at: linear.process(near16[at], far16[at]))
    count("talk_through", lambda at: both.process(near16[at], far16[at]))
    suppress, reference = open_noise_suppression(), _Reference()

    def resample(at: int) -> None:
        reference.put(far16[at])
        reference.take(CANCELLER_SAMPLES)

    count("noise_suppression", lambda at: suppress(near16[at]))
    count("reference_resampler", resample)
    down = Decimator(FACTOR)
    count("decimator", lambda at: down.run(near48[at]))
    encoder, decoder = OpusEncoder(), OpusDecoder()
    spoken = blocks(np.concatenate(near16), 2 * CANCELLER_SAMPLES) * 2
    packets: list[bytes] = []
    count("opus_encode", lambda at: packets.append(encoder.encode(spoken[at])), PER_S // 2)
    sent_again = OpusEncoder()
    sent_again.adapt(bitrate_bps=audio_bitrate_bps(0.0, repeated=True), loss_percent=0)
    count("opus_encode_beside_redundant_audio", lambda at: sent_again.encode(spoken[at]), PER_S // 2)
    count("opus_decode", lambda at: decoder.decode(packets[at]), PER_S // 2)


if __name__ == "__main__":
    main()
