"""What a peer connection measures is not moved by a time of day that jumps."""

from __future__ import annotations

import datetime
import time

import pytest
from aiortc import clock
from aiortc.rtcrtpreceiver import StreamStatistics
from aiortc.rtp import RtcpReceiverInfo, RtpPacket

from intercom.media.rtp.steady_clock import measure_steadily

DAY_S = 86_400.0


def test_a_jump_of_a_day_is_no_jitter(monkeypatch: pytest.MonkeyPatch) -> None:
    measure_steadily()
    statistics = StreamStatistics(48_000)
    really = time.time
    for number in range(4):
        if number == 2:
            monkeypatch.setattr(time, "time", lambda: really() + 400 * DAY_S)
        statistics.add(RtpPacket(sequence_number=number, timestamp=960 * number, ssrc=7))
    assert statistics.jitter < 48_000
    report = RtcpReceiverInfo(7, 0, 0, 3, statistics.jitter, lsr=0, dlsr=0)
    assert bytes(report)


def test_the_time_in_reports_goes_on_evenly(monkeypatch: pytest.MonkeyPatch) -> None:
    measure_steadily()
    before, ms = clock.current_datetime(), clock.current_ms()
    really = time.time
    monkeypatch.setattr(time, "time", lambda: really() - DAY_S)
    assert datetime.timedelta(0) <= clock.current_datetime() - before < datetime.timedelta(minutes=1)
    assert 0 <= clock.current_ms() - ms < 60_000
