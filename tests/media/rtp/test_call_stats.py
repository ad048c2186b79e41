"""What we make of the far end's reports."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from intercom.media.rtp.call_stats import audio_bitrate_bps, expected_loss_percent


@given(loss=st.floats(0, 1), repeated=st.booleans())
def test_the_bitrate_stays_between_24_and_40_kbit(loss: float, repeated: bool) -> None:
    assert 24_000 <= audio_bitrate_bps(loss, repeated=repeated) <= 40_000


def test_packets_that_are_sent_again_have_bits_for_the_coder_that_needs_more_until_the_path_is_too_narrow() -> None:
    assert audio_bitrate_bps(0.0, repeated=True) > audio_bitrate_bps(0.0)
    assert audio_bitrate_bps(0.2, repeated=True) < audio_bitrate_bps(0.0)


def test_loss_buys_redundancy_with_bits_until_the_path_is_too_narrow() -> None:
    assert audio_bitrate_bps(0.0) < audio_bitrate_bps(0.05)
    assert audio_bitrate_bps(0.2) < audio_bitrate_bps(0.0)


@given(loss=st.floats(0, 1))
def test_opus_always_expects_a_little_and_never_too_much(loss: float) -> None:
    assert 2 <= expected_loss_percent(loss) <= 30
