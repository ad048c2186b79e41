"""The echo canceller in a made-up room: the far end does not hear itself, the door is still heard."""

from __future__ import annotations

import subprocess
import sys
from importlib.resources import files
from pathlib import Path
from statistics import median

import numpy as np
import pytest

from intercom.media.echo.canceller import EchoCanceller, EchoError, HalfDuplex, open_canceller
from intercom.media.echo.webrtc import Backend, WebRtcBackend
from intercom.media.sound.format import BLOCK_SAMPLES, RATE_HZ, Samples, level_db
from intercom.media.sound.resample import Decimator, Interpolator
from intercom.media.sound.sound_file import load_sound
from tests.alsa import tone, tone_level_db
from tests.media.echo.raised import raised

TRIALS = 15


def voice(seconds: float) -> Samples:
    spoken = load_sound(Path(str(files("intercom.media").joinpath("visitor.wav"))))
    return np.resize(spoken, int(seconds * RATE_HZ))


def room(far: Samples, *, delay_s: float = 0.06, level: float = 0.5) -> Samples:
    """What a microphone beside the speaker hears: a delayed, reverberating copy, and a little noise."""
    chance = np.random.default_rng(1)
    heard = chance.standard_normal(len(far)) * 3
    for _ in range(40):
        late_s = chance.exponential(0.02)
        shift = int((delay_s + late_s) * RATE_HZ)
        heard[shift:] += far[: len(far) - shift] * (level / 4 * np.exp(-late_s / 0.03) * chance.choice([-1, 1]))
    return np.clip(heard, -32768, 32767).astype(np.int16)


def through(canceller: EchoCanceller | HalfDuplex, far: Samples, microphone: Samples) -> Samples:
    """What the far end is sent, at 48 kHz."""
    cleaned = []
    for at in range(0, len(far) - BLOCK_SAMPLES + 1, BLOCK_SAMPLES):
        canceller.played(far[at : at + BLOCK_SAMPLES])
        cleaned.append(canceller.clean(microphone[at : at + BLOCK_SAMPLES]))
    return raised(cleaned, canceller.rate_hz)


def test_the_echo_is_30_db_softer_after_four_seconds() -> None:
    far = voice(12)
    microphone = room(far)
    cleaned = through(EchoCanceller(WebRtcBackend()), far, microphone)
    late = slice(4 * RATE_HZ, 12 * RATE_HZ)
    assert level_db(microphone[late]) - level_db(cleaned[late]) > 30


def test_the_echo_loss_is_measured_live() -> None:
    canceller = EchoCanceller(WebRtcBackend())
    assert canceller.stats().echo_loss_db is None
    far = voice(8)
    through(canceller, far, room(far))
    stats = canceller.stats()
    assert stats.echo_loss_db is not None
    assert stats.echo_level_db is not None
    assert stats.echo_loss_db > 20
    assert -15 < stats.echo_level_db < 0


def test_without_a_far_end_the_door_is_heard_as_it_is() -> None:
    spoken = voice(6)
    cleaned = through(EchoCanceller(WebRtcBackend()), np.zeros_like(spoken), spoken)
    assert abs(level_db(cleaned[2 * RATE_HZ :]) - level_db(spoken[2 * RATE_HZ :])) < 3


def test_after_a_reset_it_learns_again() -> None:
    canceller = EchoCanceller(WebRtcBackend())
    far = voice(8)
    through(canceller, far, room(far))
    canceller.reset()
    assert canceller.stats().echo_loss_db is None
    again = room(far, delay_s=0.15)
    cleaned = through(canceller, far, again)
    assert level_db(again[5 * RATE_HZ :]) - level_db(cleaned[5 * RATE_HZ :]) > 25


def both_speak(canceller: EchoCanceller | HalfDuplex | None) -> tuple[Samples, Samples]:
    """What the far end is sent while the house speaks alone for six seconds and then both do, and the visitor alone."""
    assert canceller is not None
    far = voice(12)
    visitor = np.roll(voice(12), RATE_HZ // 3) // 2
    visitor[: 6 * RATE_HZ] = 0
    microphone = (room(far).astype(np.int32) + visitor).clip(-32768, 32767).astype(np.int16)
    return through(canceller, far, microphone), visitor


def test_a_visitor_is_heard_while_the_house_speaks() -> None:
    sent, visitor = both_speak(open_canceller())
    late = slice(7 * RATE_HZ, None)
    assert level_db(sent[: 6 * RATE_HZ][2 * RATE_HZ :]) < -60
    assert abs(level_db(sent[late]) - level_db(visitor[late])) < 3
    alone, _ = both_speak(EchoCanceller(WebRtcBackend()))
    assert level_db(alone[late]) < level_db(sent[late]) - 3


def losses_of_a_distorting_speaker(limit: float) -> tuple[float, float]:
    """What is taken away from two seconds on: by the door's canceller, and by WebRTC's alone.

    The median of some trials, each with other last bits at the microphone: in one of five these decide that a syllable
    is taken for a visitor, which costs 20 dB, through the compiled decimator as through NumPy's.
    """
    far = voice(8)
    microphone = room((np.tanh(far / limit) * limit).astype(np.int16), level=2.0).astype(np.int32)
    late = slice(2 * RATE_HZ, None)
    random = np.random.default_rng(1)

    def loss_db(canceller: EchoCanceller | HalfDuplex | None) -> float:
        assert canceller is not None
        heard = (microphone + random.integers(-1, 2, len(microphone))).clip(-32768, 32767).astype(np.int16)
        return level_db(heard[late]) - level_db(through(canceller, far, heard)[late])

    ours_db = [loss_db(open_canceller()) for _ in range(TRIALS)]
    webrtc_db = [loss_db(EchoCanceller(WebRtcBackend())) for _ in range(TRIALS)]
    return median(ours_db), median(webrtc_db)


def test_the_echo_that_webrtc_leaves_of_a_speaker_which_distorts_is_taken_away() -> None:
    ours_db, webrtc_db = losses_of_a_distorting_speaker(6000.0)
    assert ours_db > 40
    assert ours_db > webrtc_db + 2


def test_a_speaker_that_distorts_much_is_taken_for_no_visitor() -> None:
    ours_db, webrtc_db = losses_of_a_distorting_speaker(3000.0)
    assert ours_db > webrtc_db - 10, "7 dB in all are lost of what is taken for a visitor"


def test_without_a_linear_filter_the_canceller_works_as_before(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("intercom.media.echo.linear.LIBRARY", "libmissing.so.1")
    monkeypatch.setattr("intercom.media.native.module.is_there", lambda: False)
    caplog.set_level("INFO")
    far = voice(4)
    microphone = room(far)
    canceller = open_canceller()
    assert canceller is not None
    sent = through(canceller, far, microphone)
    assert level_db(sent[2 * RATE_HZ :]) < level_db(microphone[2 * RATE_HZ :]) - 30
    assert "apt install libspeexdsp1" in caplog.text


def test_webrtcs_package_is_named_where_it_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pywebrtc_audio", None)
    with pytest.raises(EchoError, match="install pywebrtc-audio"):
        open_canceller()


def test_webrtcs_package_is_loaded_when_there_is_time() -> None:
    looks = "print('pywebrtc_audio' in sys.modules)"
    opens = "from intercom.media.echo.canceller import open_canceller; canceller = open_canceller()"
    program = f"import sys; {opens}; {looks}; canceller.prepare(); {looks}"
    assert subprocess.check_output([sys.executable, "-c", program], text=True).split() == ["False", "True"]


def test_with_a_package_that_cannot_be_loaded_the_microphone_is_heard_and_the_fault_told(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    canceller = open_canceller()
    assert canceller is not None
    monkeypatch.setattr("intercom.media.echo.canceller.open_webrtc", _cannot_be_loaded)
    with pytest.raises(EchoError, match="it is broken"):
        canceller.prepare()
    for _ in range(2):
        assert canceller.clean(np.full(2 * BLOCK_SAMPLES, 8000, np.int16)).any()
        canceller.reset()
    assert caplog.text.count("it is broken") == 1


def _cannot_be_loaded() -> Backend:
    raise EchoError("it is broken")


def test_livekits_build_takes_the_echo_away_as_well_and_is_named_where_it_is_missing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with monkeypatch.context() as without:
        without.setitem(sys.modules, "livekit", None)
        with pytest.raises(EchoError, match="install livekit"):
            open_canceller("livekit")
    pytest.importorskip("livekit.rtc", reason="the other canceller is not installed: pip install intercom[livekit]")
    canceller = open_canceller("livekit")
    assert canceller is not None
    far = voice(5)
    microphone = room(far)
    late = slice(2 * RATE_HZ, None)
    cleaned = through(canceller, far, microphone)
    assert level_db(microphone[late]) - level_db(cleaned[late]) > 30
    canceller.reset()
    spoken = voice(3)
    heard = through(canceller, np.zeros_like(spoken), spoken)
    assert abs(level_db(heard[RATE_HZ:]) - level_db(spoken[RATE_HZ:])) < 3


def test_half_duplex_silences_the_door_while_the_far_end_speaks() -> None:
    canceller = open_canceller("none", half_duplex=True)
    assert isinstance(canceller, HalfDuplex)
    far = np.concatenate([tone(500, 1.0), np.zeros(RATE_HZ, np.int16)])
    heard = through(canceller, far, tone(700, 2.0))
    assert tone_level_db(heard[RATE_HZ // 2 : RATE_HZ], 700) < -45
    assert tone_level_db(heard[-RATE_HZ // 2 :], 700) > -13


def test_half_duplex_is_silent_for_as_long_with_a_canceller_inside() -> None:
    far = np.concatenate([tone(500, 0.5), np.zeros(RATE_HZ // 2, np.int16)])
    lengths = []
    for inner in (None, EchoCanceller(WebRtcBackend())):
        canceller = HalfDuplex(inner)
        held = []
        for at in range(0, len(far), BLOCK_SAMPLES):
            canceller.played(far[at : at + BLOCK_SAMPLES])
            canceller.clean(far[:BLOCK_SAMPLES])
            held.append(canceller._hold > 0)
        lengths.append(sum(held))
    assert lengths[0] == lengths[1] > 50


def test_no_canceller_is_none_and_an_unknown_one_is_refused() -> None:
    assert open_canceller("none") is None
    with pytest.raises(ValueError, match="webrtc, livekit or none"):
        open_canceller("magic")


@pytest.mark.parametrize("factor", [3, 6])
def test_down_and_up_again_changes_nothing_but_four_milliseconds(factor: int) -> None:
    down, up = Decimator(factor), Interpolator(factor)
    sound = tone(1000, 1.0)
    heard = np.concatenate([up.run(down.run(sound[at : at + 480])) for at in range(0, len(sound), 480)])
    late = 31 * factor
    difference = heard[2000:40_000].astype(int) - np.roll(sound, late)[2000:40_000]
    assert np.abs(difference).max() < 200


def test_two_blocks_at_once_are_cleaned_as_one_after_the_other() -> None:
    far = voice(4)
    microphone = room(far)
    canceller, sent = EchoCanceller(WebRtcBackend()), []
    for at in range(0, len(far) - 2 * BLOCK_SAMPLES + 1, 2 * BLOCK_SAMPLES):
        for block in np.split(far[at : at + 2 * BLOCK_SAMPLES], 2):
            canceller.played(block)
        sent.append(canceller.clean(microphone[at : at + 2 * BLOCK_SAMPLES]))
    late = slice(2 * RATE_HZ, None)
    assert level_db(raised(sent, canceller.rate_hz)[late]) < level_db(microphone[late]) - 30


@pytest.mark.parametrize("factor", [3, 6])
def test_a_filter_gives_the_same_whatever_the_lengths_of_the_blocks(factor: int) -> None:
    sound = voice(0.2)
    one, other = Decimator(factor), Decimator(factor)
    whole = np.concatenate([one.run(block) for block in np.split(sound, 20)])
    mixed = np.concatenate([other.run(block) for block in np.split(sound, [480, 1440, 2400, 2880, 3840])])
    assert np.abs(whole.astype(int) - mixed).max() <= 1


def test_what_the_lower_rate_cannot_hold_is_gone() -> None:
    down = Decimator(3)
    heard = np.concatenate([down.run(block) for block in np.split(tone(9000, 1.0), 100)])
    assert np.abs(heard[1000:]).max() < 50
