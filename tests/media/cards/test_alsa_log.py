"""A card that is away is looked for often; ALSA's library must not write a line to the journal each time."""

from __future__ import annotations

import logging

import pytest

from intercom.media.cards.card import open_pcm
from intercom.media.errors import CardError


def test_a_look_at_a_missing_card_says_nothing_on_standard_error(
    capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "intercom.media.cards.alsa_log")
    with pytest.raises(CardError):
        open_pcm("playback", "plughw:CARD=nowhere,DEV=0")
    assert capfd.readouterr().err == ""
    assert any("ALSA" in record.message for record in caplog.records)
