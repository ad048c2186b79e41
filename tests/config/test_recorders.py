"""What is wrong with the settings for recorders."""

from __future__ import annotations

import pytest

from intercom.config import ConfigError, loads


def test_onvif_needs_the_stream_that_it_names() -> None:
    with pytest.raises(ConfigError, match=r"line 2: onvif.listen: set rtsp.listen too"):
        loads('[onvif]\nlisten = "0.0.0.0:8000"\n')


def test_both_together_are_good() -> None:
    config = loads('[rtsp]\nlisten = "0.0.0.0:8554"\n[onvif]\nlisten = "0.0.0.0:8000"\n')
    assert (config.rtsp.listen, config.onvif.listen) == ("0.0.0.0:8554", "0.0.0.0:8000")


def test_neither_is_on_by_itself() -> None:
    config = loads("")
    assert (config.rtsp.listen, config.rtsp.sound, config.onvif.listen) == ("", False, "")
