"""Opus and G.711: what goes in comes out, and what is missing is made up."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from intercom.media.codec.g711 import G711Decoder, G711Encoder
from intercom.media.codec.interface import BITRATE_BPS, Decoder, Encoder
from intercom.media.codec.opus import OpusDecoder, OpusEncoder
from intercom.media.errors import CodecError, SessionDescriptionError
from intercom.media.rtp.call_stats import audio_bitrate_bps, expected_loss_percent
from intercom.media.rtp.payload_types import decoder_for, encoder_for
from intercom.media.sound.format import Samples, level_db
from intercom.media.sound.resample import Decimator
from intercom.media.sound.sound_file import load_sound
from tests.alsa import tone, tone_level_db

FIRST_CELT = 16
"""First configuration without the speech coder (RFC 6716 table 2)."""
CODECS = ["opus", "pcmu", "pcma"]
FRAME = 960


def frames(sound: Samples) -> list[Samples]:
    return [sound[at : at + FRAME] for at in range(0, len(sound) - FRAME + 1, FRAME)]


def through(encoder: Encoder, decoder: Decoder, sound: Samples) -> Samples:
    return np.concatenate([decoder.decode(encoder.encode(frame)) for frame in frames(sound)])


@pytest.mark.parametrize("codec", CODECS)
def test_a_tone_survives(codec: str) -> None:
    decoder = decoder_for(codec)
    assert decoder is not None
    heard = through(encoder_for(codec), decoder, tone(1000, 1.0))
    assert abs(tone_level_db(heard[9600:38400], 1000) + 12) < 1


@pytest.mark.parametrize("codec", CODECS)
def test_every_payload_is_20_ms_long(codec: str) -> None:
    decoder = decoder_for(codec)
    assert decoder is not None
    for frame in frames(tone(1000, 0.2)):
        assert decoder.length(encoder_for(codec).encode(frame)) * 50 == decoder.clock_hz


@pytest.mark.parametrize("codec", CODECS)
def test_a_voice_that_comes_at_16_khz_is_heard_as_it_is_at_48(codec: str) -> None:
    voice = load_sound(Path(str(files("intercom.media").joinpath("visitor.wav"))))
    low = Decimator(3).run(voice[: len(voice) // FRAME * FRAME])
    whole, half = decoder_for(codec), decoder_for(codec)
    assert whole is not None
    assert half is not None
    expected = through(encoder_for(codec), whole, voice)
    encoder = encoder_for(codec)
    heard = np.concatenate([half.decode(encoder.encode(low[at : at + 320])) for at in range(0, len(low), 320)])
    assert len(heard) == len(expected)
    assert abs(level_db(heard) - level_db(expected)) < 0.5
    likeness = [np.corrcoef(np.roll(expected, late), heard)[0, 1] for late in range(-60, 60)]
    assert max(likeness) > 0.95


def test_a_frame_at_a_rate_that_opus_does_not_know_is_refused() -> None:
    encoder = OpusEncoder()
    with pytest.raises(CodecError, match="100 samples"):
        encoder.encode(np.zeros(100, np.int16))
    assert encoder.encode(np.zeros(FRAME, np.int16))


@pytest.mark.parametrize("codec", CODECS)
def test_what_is_missing_is_made_up_and_fades(codec: str) -> None:
    encoder, decoder = encoder_for(codec), decoder_for(codec)
    assert decoder is not None
    through(encoder, decoder, tone(400, 0.5))
    first = decoder.conceal(480)
    later = np.concatenate([decoder.conceal(480) for _ in range(50)])[-480:]
    assert len(first) == 480
    assert level_db(first) > -30
    assert level_db(later) < -50


def test_a_lost_packet_is_in_the_next_one() -> None:
    encoder, decoder = OpusEncoder(), OpusDecoder()
    encoder.adapt(bitrate_bps=32_000, loss_percent=20)
    at = np.arange(48_000) / 48_000
    # A sweep: the lost frame cannot be guessed from the one before.
    sweep = (9000 * np.sin(2 * np.pi * (200 + 1200 * at) * at)).astype(np.int16)
    packets = [encoder.encode(frame) for frame in frames(sweep)]
    whole = OpusDecoder()
    expected = [whole.decode(packet) for packet in packets]
    for packet in packets[:30]:
        decoder.decode(packet)
    recovered = decoder.recover(packets[31], FRAME)
    likeness = np.corrcoef(recovered, expected[30])[0, 1]
    assert likeness > 0.8


@pytest.mark.parametrize("loss", [0.0, 0.005, 0.02, 0.05, 0.09, 0.15, 0.3])
def test_at_every_loss_the_packets_of_speech_hold_the_one_before_them(loss: float) -> None:
    voice = load_sound(Path(str(files("intercom.media").joinpath("visitor.wav"))))
    encoder, decoder = OpusEncoder(), OpusDecoder()
    encoder.adapt(bitrate_bps=audio_bitrate_bps(loss), loss_percent=expected_loss_percent(loss))
    loud = [level_db(frame) > -40 for frame in frames(voice)]
    repairs = [decoder.repairs(encoder.encode(frame)) for frame in frames(voice)]
    after_speech = [repairs[n] for n in range(5, len(loud)) if loud[n - 1]]
    assert sum(after_speech) >= 0.98 * len(after_speech)


def without_redundancy(*, dtx: bool = False) -> OpusEncoder:
    encoder = OpusEncoder(dtx=dtx)
    encoder.adapt(bitrate_bps=BITRATE_BPS, loss_percent=0)
    return encoder


def test_who_sends_packets_again_does_without_the_speech_coder_and_its_longer_look_ahead() -> None:
    voice = load_sound(Path(str(files("intercom.media").joinpath("visitor.wav"))))
    encoder = without_redundancy()
    assert all(encoder.encode(frame)[0] >> 3 >= FIRST_CELT for frame in frames(voice))
    assert encoder._encoder.lookahead == 120
    assert OpusEncoder()._encoder.lookahead == 312


def test_a_voice_without_the_speech_coder_is_heard_as_it_is_with_it() -> None:
    voice = load_sound(Path(str(files("intercom.media").joinpath("visitor.wav"))))
    low = Decimator(3).run(voice[: len(voice) // FRAME * FRAME])
    expected = through(OpusEncoder(), OpusDecoder(), voice)
    encoder, decoder = without_redundancy(), OpusDecoder()
    heard = np.concatenate([decoder.decode(encoder.encode(low[at : at + 320])) for at in range(0, len(low), 320)])
    assert abs(level_db(heard) - level_db(expected)) < 1  # the speech coder leaves out what is below 60 Hz
    assert max(np.corrcoef(np.roll(expected, late), heard)[0, 1] for late in range(-240, 60)) > 0.95


def test_where_packets_are_sent_again_no_longer_opus_repairs_once_more() -> None:
    voice = load_sound(Path(str(files("intercom.media").joinpath("visitor.wav"))))
    encoder, decoder = without_redundancy(), OpusDecoder()
    spoken = frames(voice)
    for frame in spoken[:10]:
        decoder.decode(encoder.encode(frame))
    encoder.adapt(bitrate_bps=BITRATE_BPS, loss_percent=expected_loss_percent(0.05))
    packets = [encoder.encode(frame) for frame in spoken]
    assert sum(map(decoder.repairs, packets)) > len(packets) / 2


def test_with_discontinuous_transmission_the_speech_coder_stays() -> None:
    street = np.random.default_rng(1).normal(0, 8, 48_000 * 4).astype(np.int16)
    encoder = without_redundancy(dtx=True)
    assert sum(bool(encoder.encode(frame)) for frame in frames(street)) < 70


def test_with_discontinuous_transmission_a_quiet_street_is_told_of_twice_a_second() -> None:
    street = np.random.default_rng(1).normal(0, 8, 48_000 * 4).astype(np.int16)
    encoder = OpusEncoder(dtx=True)
    sent = [bool(encoder.encode(frame)) for frame in frames(street)]
    assert 4 <= sum(sent[50:]) <= 15  # of 150; a far end that hears nothing for 3 s takes the call for lost
    assert all(OpusEncoder().encode(frame) for frame in frames(street[:9600]))


def test_a_packet_says_whether_it_holds_the_one_before() -> None:
    without = OpusEncoder()
    without._encoder.inband_fec = 0
    voice = load_sound(Path(str(files("intercom.media").joinpath("visitor.wav"))))
    assert not any(OpusDecoder().repairs(without.encode(frame)) for frame in frames(voice))
    celt = bytes([31 << 3]) + bytes(60)
    assert not OpusDecoder().repairs(celt)
    assert not OpusDecoder().repairs(b"\x48")
    assert not G711Decoder("pcmu").repairs(bytes(160))


def test_the_law_of_every_level_is_its_own_inverse() -> None:
    for law in ("pcmu", "pcma"):
        decoder = decoder_for(law)
        encoder = encoder_for(law)
        assert isinstance(decoder, G711Decoder)
        assert isinstance(encoder, G711Encoder)
        levels = decoder._levels.astype(np.int32)
        again = levels[encoder._codes[levels + 32768]]
        assert np.array_equal(again, levels)


def test_silence_in_pcmu_is_the_byte_that_telephones_expect() -> None:
    assert set(G711Encoder("pcmu").encode(np.zeros(FRAME, np.int16))) <= {0xFF, 0x7F}


def test_an_unknown_codec_is_refused() -> None:
    assert decoder_for("g729") is None
    with pytest.raises(SessionDescriptionError, match="g729"):
        encoder_for("g729")


@settings(max_examples=200, deadline=None)
@given(payload=st.binary(max_size=200))
def test_any_bytes_are_decoded_or_refused(payload: bytes) -> None:
    for decoder in (OpusDecoder(), G711Decoder("pcma")):
        try:
            assert decoder.length(payload) > 0
            decoder.decode(payload)
        except CodecError:
            continue
        decoder.recover(payload, 480)
