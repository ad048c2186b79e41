"""A voice played a little faster or slower: the right length, the right pitch, and itself where nothing changes."""

from __future__ import annotations

import numpy as np
import pytest

from intercom.media.sound.format import RATE_HZ, Samples
from intercom.media.sound.varispeed import TAPS, Varispeed

FRAME = 960
LATENCY = TAPS // 2


def tone(hz: float, seconds: float = 1.0) -> Samples:
    return (10_000 * np.sin(2 * np.pi * hz * np.arange(int(RATE_HZ * seconds)) / RATE_HZ)).astype(np.int16)


def run(sound: Samples, speed: float) -> Samples:
    varispeed = Varispeed()
    return np.concatenate([varispeed.run(sound[at : at + FRAME], speed) for at in range(0, len(sound), FRAME)])


def test_at_its_own_speed_the_sound_is_itself_a_quarter_of_a_millisecond_late() -> None:
    sound = tone(1000)
    assert np.array_equal(run(sound, 1.0)[LATENCY:], sound[:-LATENCY])
    assert LATENCY / RATE_HZ == 0.00025


@pytest.mark.parametrize("speed", [0.98, 0.999, 1.0005, 1.02])
@pytest.mark.parametrize("hz", [200, 3000, 7000, 16_000])
def test_a_tone_stays_a_clean_tone_at_every_speed(speed: float, hz: float) -> None:
    played = run(tone(hz), speed)
    assert abs(len(played) - RATE_HZ / speed) <= 1
    at = np.arange(len(played))[4800:-4800] * 2 * np.pi * hz * speed / RATE_HZ
    heard = played[4800:-4800].astype(float)
    basis = np.stack([np.sin(at), np.cos(at)])
    fitted = np.linalg.lstsq(basis.T, heard, rcond=None)[0]
    noise = heard - fitted @ basis
    assert 10 * np.log10(np.mean(heard**2) / np.mean(noise**2)) > 40
    assert np.hypot(*fitted) == pytest.approx(10_000, rel=0.12)


def test_back_at_its_own_speed_the_sound_is_copied_again_after_one_frame() -> None:
    sound = tone(1000)
    varispeed = Varispeed()
    frames = [sound[at : at + FRAME] for at in range(0, 6 * FRAME, FRAME)]
    varispeed.run(frames[0], 1.013)
    varispeed.run(frames[1], 1.0)
    varispeed.run(frames[2], 1.0)
    copied = varispeed.run(frames[3], 1.0)
    assert len(copied) == FRAME
    begin = 3 * FRAME - LATENCY
    assert np.array_equal(copied, sound[begin : begin + FRAME])


def test_nothing_clicks_when_the_speed_changes() -> None:
    sound = tone(300)
    varispeed = Varispeed()
    speeds = [1.0, 1.02, 1.0, 0.98, 1.0, 1.0]
    pieces = [varispeed.run(sound[n * FRAME : (n + 1) * FRAME], speed) for n, speed in enumerate(speeds)]
    played = np.concatenate(pieces)[LATENCY + 1 :].astype(int)
    assert np.abs(np.diff(played)).max() <= 1.03 * np.abs(np.diff(sound.astype(int))).max() + 2


@pytest.mark.parametrize(("speed", "length", "ahead"), [(0.98, 960, 0.5799999999999841), (1.02, 960, 0.3)])
def test_a_piece_that_ends_on_a_place_is_not_read_beyond_its_end(speed: float, length: int, ahead: float) -> None:
    varispeed = Varispeed()
    varispeed._ahead = ahead
    heard = varispeed.run(np.zeros(length, np.int16), speed)
    assert abs(len(heard) - (length - ahead) / speed) <= 1
    assert varispeed._ahead >= 0.0
