"""How good a call is: its score, its losses and its issues."""

from __future__ import annotations

import pytest

from intercom.signalwire.call.quality import MediaCounters, QualityMonitor, SoundWatch, level, mos


def test_a_perfect_network_is_excellent_and_a_bad_one_critical() -> None:
    assert mos(0, 0, 0) == pytest.approx(4.41, abs=0.01)
    assert level(mos(20, 5, 0)) == "excellent"
    assert level(mos(100, 30, 12)) == "fair"
    assert level(mos(500, 100, 40)) == "critical"
    assert mos(1e9, 1e9, 100) == 1.0


def test_loss_is_of_the_last_look() -> None:
    monitor = QualityMonitor()
    monitor.look(MediaCounters(100, 100), 0.0)
    assert monitor.look(MediaCounters(200, 100), 1.0).loss_percent == 0.0
    assert monitor.look(MediaCounters(250, 150), 2.0).loss_percent == 50.0
    assert [issue.kind for issue in monitor.issues] == ["packet_loss"]
    assert monitor.issues[0].severity == "critical"


def test_silence_on_the_wire_is_critical_after_two_seconds() -> None:
    monitor = QualityMonitor()
    monitor.look(MediaCounters(50, silent_s=1.9), 0.0)
    assert monitor.issues == ()
    monitor.look(MediaCounters(50, silent_s=2.0), 0.1)
    assert [(issue.kind, issue.severity) for issue in monitor.issues] == [("no_inbound_audio", "critical")]
    monitor.look(MediaCounters(51), 1.0)
    assert monitor.issues == ()


def test_a_spike_is_against_what_was_usual() -> None:
    monitor = QualityMonitor()
    for second in range(10):
        monitor.look(MediaCounters(second * 50, jitter_ms=5, round_trip_ms=40), float(second))
    monitor.look(MediaCounters(600, jitter_ms=21, round_trip_ms=121), 10.0)
    assert [issue.kind for issue in monitor.issues] == ["rtt_spike", "jitter_spike"]


def test_a_report_from_before_a_move_says_nothing_of_the_new_path() -> None:
    sound = SoundWatch()
    sound.look(MediaCounters(50, reports_received=1), 1.0)
    assert sound.is_alive(3.0)
    assert not sound.has_reported_since(2.0)
    sound.look(MediaCounters(50, reports_received=2), 3.0)
    assert sound.has_reported_since(2.0)
