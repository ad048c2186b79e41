"""How good a call is, and how it is mended."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intercom.signalwire import MediaError, SignalWire
from intercom.signalwire.call.media_monitor import LOOK_S
from intercom.signalwire.call.quality import HISTORY_SAMPLES, NO_PACKETS_S, MediaCounters, QualityMonitor, level, mos
from intercom.signalwire.call.recovery_policy import (
    ANY_PATH,
    AWAY_S,
    COOLDOWN_S,
    GRACE_S,
    LONGEST_S,
    MAX_RESTARTS,
    REFUSED_PAUSE_S,
    RESTART_TIMEOUT_S,
    SETTLE_S,
    VIDEO_OFF_BPS,
    VIDEO_ON_BPS,
    RecoveryPolicy,
    RecoveryState,
    Rung,
)
from tests.signalwire.calling import connected_call
from tests.signalwire.media import ScriptedMedia
from tests.signalwire.service import Service


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


def actions(policy: RecoveryPolicy) -> list[str]:
    return [event.action for event in policy.take()]


def test_a_short_interruption_is_left_alone() -> None:
    policy = RecoveryPolicy()
    policy.media("disconnected", 0.0)
    policy.media("connected", GRACE_S / 2)
    policy.tick(GRACE_S)
    assert actions(policy) == []


def test_restarts_come_one_after_another_and_then_it_is_over() -> None:
    policy, now = RecoveryPolicy(), GRACE_S
    policy.media("disconnected", 0.0)
    for _ in range(MAX_RESTARTS + 1):
        policy.tick(now)
        now += RESTART_TIMEOUT_S
    assert actions(policy) == ["keyframe", *["ice_restart"] * MAX_RESTARTS, "max_attempts_reached"]
    assert policy.state is RecoveryState.FAILED


def test_what_was_given_up_and_came_back_is_mended_again() -> None:
    policy, now = RecoveryPolicy(), GRACE_S
    policy.trouble("silence", now)
    for _ in range(MAX_RESTARTS):
        now += RESTART_TIMEOUT_S
        policy.tick(now)
    policy.media("connected", now)
    policy.take()
    policy.tick(now + COOLDOWN_S)
    policy.trouble("silence", now + COOLDOWN_S)
    assert actions(policy) == ["keyframe", "ice_restart"]


def test_after_a_restart_there_is_a_pause_and_silence_that_lasts_goes_on_up_the_ladder() -> None:
    policy = RecoveryPolicy()
    policy.trouble("silence", 0.0)
    policy.media("connected", 1.0)
    policy.trouble("silence", 2.0)
    assert actions(policy) == ["keyframe", "ice_restart", "ice_restarted"]
    policy.tick(1.0 + COOLDOWN_S)
    policy.trouble("silence", 20.0)
    assert policy.progress(20.0).tries == 2
    assert actions(policy) == ["ice_restart"]


def test_sound_that_comes_in_begins_the_ladder_anew() -> None:
    policy = RecoveryPolicy()
    policy.trouble("silence", 0.0)
    policy.media("connected", 1.0)
    policy.sound(1.1)
    assert (policy.state, policy.progress(1.1).tries) == (RecoveryState.COOLDOWN, 0)
    policy.tick(1.0 + COOLDOWN_S)
    policy.take()
    policy.trouble("silence", 20.0)
    assert actions(policy) == ["keyframe", "ice_restart"]


def climb(policy: RecoveryPolicy, now: float = 0.0) -> list[bool]:
    """Try everything; for each try whether it was for relayed paths only."""
    policy.trouble("silence", now)
    for _ in range(MAX_RESTARTS):
        now += RESTART_TIMEOUT_S
        policy.tick(now)
    return [event.relay_only for event in policy.take() if event.action == "ice_restart"]


def test_the_last_tries_are_for_relayed_paths_where_a_relay_is_known() -> None:
    assert climb(RecoveryPolicy(lambda: True)) == [False] * ANY_PATH + [True] * (MAX_RESTARTS - ANY_PATH)
    assert climb(RecoveryPolicy(lambda: False)) == [False] * MAX_RESTARTS


def test_without_the_service_nothing_is_tried_until_it_is_back() -> None:
    policy = RecoveryPolicy()
    policy.trouble("silence", 0.0)
    policy.service(False, 1.0)
    policy.take()
    policy.tick(RESTART_TIMEOUT_S + 1.0)
    assert actions(policy) == []
    assert policy.progress(2.0).rung is Rung.SERVICE
    policy.service(True, 30.0)
    policy.tick(30.0 + SETTLE_S)
    assert actions(policy) == ["keyframe", "ice_restart"]


def test_a_service_that_stays_away_ends_the_ladder() -> None:
    policy = RecoveryPolicy()
    policy.service(False, 0.0)
    policy.trouble("silence", 1.0)
    policy.tick(1.0 + AWAY_S)
    assert actions(policy) == ["max_attempts_reached"]


def test_a_call_that_is_well_does_not_mind_the_service() -> None:
    policy = RecoveryPolicy()
    policy.service(False, 0.0)
    policy.sound(1.0)
    policy.service(True, 2.0)
    policy.network_changed(3.0)
    assert (actions(policy), policy.next_deadline()) == ([], None)


def test_a_changed_network_ends_the_pause() -> None:
    policy = RecoveryPolicy()
    policy.trouble("silence", 0.0)
    policy.media("connected", 1.0)
    policy.take()
    policy.network_changed(2.0)
    policy.trouble("silence", 2.5)
    assert actions(policy) == ["keyframe", "ice_restart"]


def test_an_offer_that_was_refused_is_made_again_soon() -> None:
    policy = RecoveryPolicy()
    policy.trouble("silence", 0.0)
    policy.refused(0.1)
    assert policy.next_deadline() == 0.1 + REFUSED_PAUSE_S


def test_a_far_end_that_is_there_and_says_nothing_is_left_in_peace() -> None:
    policy = RecoveryPolicy()
    policy.trouble("silence", 0.0)
    policy.media("connected", 1.0)
    policy.keeps_silent()
    assert actions(policy) == ["keyframe", "ice_restart", "ice_restarted", "max_attempts_reached"]
    policy.tick(100.0)
    policy.trouble("silence", 100.0)
    assert actions(policy) == []


@given(
    st.lists(
        st.tuples(
            st.sampled_from(("connected", "disconnected", "sound", "silence", "up", "down", "changed", "refused")),
            st.floats(0.0, 20.0),
        ),
        max_size=40,
    )
)
def test_whatever_happens_silence_ends_in_sound_or_in_giving_up(steps: list[tuple[str, float]]) -> None:
    policy, now = RecoveryPolicy(lambda: True), 0.0
    tell = {
        "connected": lambda: policy.media("connected", now),
        "disconnected": lambda: policy.media("disconnected", now),
        "sound": lambda: policy.sound(now),
        "silence": lambda: policy.trouble("silence", now),
        "up": lambda: policy.service(True, now),
        "down": lambda: policy.service(False, now),
        "changed": lambda: policy.network_changed(now),
        "refused": lambda: policy.refused(now),
    }
    for what, wait_s in steps:
        now += wait_s
        policy.tick(now)
        tell[what]()
    ends_at = now + LONGEST_S
    while policy.state is not RecoveryState.FAILED:
        policy.trouble("silence", now)
        deadline = policy.next_deadline()
        if policy.state is RecoveryState.FAILED:
            break
        assert deadline is not None
        assert deadline <= ends_at
        now = deadline
        policy.tick(now)
    assert policy.progress(now).rung is Rung.GIVEN_UP


def test_video_makes_room_for_sound_with_a_margin() -> None:
    policy = RecoveryPolicy()
    for kbit in (400, 140, 200, 310, 200):
        policy.bandwidth(kbit * 1000)
    assert actions(policy) == ["video_off", "video_on"]


def test_keyframes_are_not_asked_for_without_end() -> None:
    policy = RecoveryPolicy()
    assert [policy.may_request_keyframe(at) for at in (0, 1, 2, 2.5, 11.9, 12.0)] == [
        *(True, True, True),
        *(False, False, True),
    ]


async def test_a_call_is_restarted_by_modify(client: SignalWire, service: Service, media: ScriptedMedia) -> None:
    call = await connected_call(client, service, media)
    await call.request_ice_restart()
    assert media.calls[0].answered_with == ["answer", "answer"]
    assert (await service.asked("verto.modify")).params["message"]["params"]["action"] == "updateMedia"


async def test_an_interrupted_call_is_mended_by_itself(
    client: SignalWire, service: Service, media: ScriptedMedia, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("intercom.signalwire.call.recovery_policy.GRACE_S", 0.0)
    call = await connected_call(client, service, media)
    done: list[str] = []
    call.recovery_event_stream.subscribe(lambda event: done.append(event.action))
    media.calls[0].become("disconnected")
    await service.asked("verto.modify")
    await service.until(lambda: media.calls[0].restarts == 1)
    assert call.status == "recovering"
    media.calls[0].become("connected")
    assert call.status == "connected"
    assert done == ["keyframe", "ice_restart", "ice_restarted"]
    assert media.calls[0].keyframes == 1


async def test_a_far_end_that_keeps_silent_is_not_hung_up_on(
    client: SignalWire, service: Service, media: ScriptedMedia, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("intercom.signalwire.call.media_monitor.LOOK_S", LOOK_S / 1000)
    monkeypatch.setattr("intercom.signalwire.call.recovery_policy.RESTART_TIMEOUT_S", 0.01)
    call = await connected_call(client, service, media)
    done: list[str] = []
    call.recovery_event_stream.subscribe(lambda event: done.append(event.action))
    media.calls[0].counters = {"audio_packets_received": 50, "silent_s": NO_PACKETS_S}
    await service.until(lambda: "max_attempts_reached" in done)
    assert call.status == "connected"
    assert media.calls[0].restarts >= 1


async def test_a_far_end_that_never_shows_a_sign_of_life_is_hung_up_on(
    client: SignalWire, service: Service, media: ScriptedMedia, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("intercom.signalwire.call.media_monitor.LOOK_S", LOOK_S / 1000)
    monkeypatch.setattr("intercom.signalwire.call.quality.REPORTS_S", 0.01)
    monkeypatch.setattr("intercom.signalwire.call.recovery_policy.RESTART_TIMEOUT_S", 0.01)
    call = await connected_call(client, service, media)
    media.calls[0].counters = {"reports_received": 0}
    await service.until(lambda: call.status == "destroyed")
    assert (call.end_cause, media.calls[0].restarts >= 1) == ("MEDIA_TIMEOUT", True)


async def test_a_far_end_that_never_sends_sound_and_reports_is_left_alone(
    client: SignalWire, service: Service, media: ScriptedMedia, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("intercom.signalwire.call.media_monitor.LOOK_S", LOOK_S / 1000)
    call = await connected_call(client, service, media)
    media.calls[0].counters = {"reports_received": 1}
    await service.until(lambda: len(call.network_metrics) == HISTORY_SAMPLES)
    assert (call.status, media.calls[0].restarts) == ("connected", 0)


async def test_a_silent_far_end_whose_signs_of_life_stop_is_hung_up_on_though_every_path_was_tried(
    client: SignalWire, service: Service, media: ScriptedMedia, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("intercom.signalwire.call.media_monitor.LOOK_S", LOOK_S / 1000)
    monkeypatch.setattr("intercom.signalwire.call.recovery_policy.RESTART_TIMEOUT_S", 0.01)
    call = await connected_call(client, service, media)
    media.calls[0].counters = {"audio_packets_received": 50, "silent_s": NO_PACKETS_S, "reports_received": 1}
    await service.until(lambda: call.recovery_state is RecoveryState.FAILED)
    assert call.status == "connected"
    monkeypatch.setattr("intercom.signalwire.call.quality.REPORTS_S", 0.01)
    await service.until(lambda: call.status == "destroyed")
    assert call.end_cause == "MEDIA_TIMEOUT"


async def test_a_call_tells_how_good_it_is(
    client: SignalWire, service: Service, media: ScriptedMedia, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("intercom.signalwire.call.media_monitor.LOOK_S", LOOK_S / 1000)
    call = await connected_call(client, service, media)
    media.calls[0].counters = {"audio_packets_received": 50, "jitter_ms": 5, "local_level": 0.5}
    await service.until(lambda: call.quality_level == "excellent" and call.local_speaking)
    assert call.network_metrics
    await call.hangup()


async def test_the_far_end_gets_its_new_connection(client: SignalWire, service: Service, media: ScriptedMedia) -> None:
    call = await connected_call(client, service, media)
    service.verto("verto.modify", call.id, action="updateMedia", sdp="new offer")
    answer = await service.asked("verto.answer")
    assert answer.params["message"]["params"]["dialogParams"]["callID"] == call.id
    asked: list[str] = []
    call.transfer_asked_stream.subscribe(asked.append)
    service.verto("verto.modify", call.id, action="transfer", destination="/private/kitchen")
    await service.until(lambda: asked == ["/private/kitchen"])


async def test_a_call_that_has_ended_cannot_restart_its_media(
    client: SignalWire, service: Service, media: ScriptedMedia
) -> None:
    call = await connected_call(client, service, media)
    await call.hangup()
    with pytest.raises(MediaError, match="anew"):
        await call.request_ice_restart()


async def test_push_to_talk_is_silent_until_pressed(client: SignalWire, service: Service, media: ScriptedMedia) -> None:
    call = await connected_call(client, service, media)
    call.enable_push_to_talk()
    call.set_push_to_talk_active(True)
    call.set_push_to_talk_active(False)
    call.disable_push_to_talk()
    assert [on for _, _, on in media.calls[0].switched] == [False, True, False, True]
    await call.toggle_incoming_video()
    await call.toggle_incoming_video()
    assert media.calls[0].switched[-2:] == [("receive", "video", False), ("receive", "video", True)]


async def test_a_picture_that_was_muted_stays_off_when_there_is_room_for_it(
    client: SignalWire, service: Service, media: ScriptedMedia, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("intercom.signalwire.call.media_monitor.LOOK_S", LOOK_S / 1000)
    call = await connected_call(client, service, media)
    await call.mute_video()
    media.calls[0].counters = {"outgoing_bitrate_bps": VIDEO_OFF_BPS - 1}
    await service.until(lambda: call.bandwidth_constrained)
    media.calls[0].counters = {"outgoing_bitrate_bps": VIDEO_ON_BPS + 1}
    await service.until(lambda: not call.bandwidth_constrained)
    assert media.calls[0].switched == [("send", "video", False)]
    await call.unmute_video()
    assert media.calls[0].switched[-1] == ("send", "video", True)
    assert not call.video_muted


async def test_the_key_of_push_to_talk_opens_no_microphone_that_is_off(
    client: SignalWire, service: Service, media: ScriptedMedia
) -> None:
    call = await connected_call(client, service, media)
    client.disable_audio_input()
    await call.mute()
    call.enable_push_to_talk()
    call.set_push_to_talk_active(True)
    call.disable_push_to_talk()
    await call.unmute()
    assert media.calls[0].switched == [("send", "audio", False)]
    client.enable_audio_input()
    assert media.calls[0].switched[-1] == ("send", "audio", True)


async def test_a_dial_that_is_given_up_while_down_is_never_heard_of(client: SignalWire, service: Service) -> None:
    service.reachable = False
    service.cut()
    await service.until(lambda: not client.is_connected)
    dialling = asyncio.ensure_future(client.dial("/private/house"))
    await service.until(lambda: client._client.link.session.pending == 1)
    dialling.cancel()
    await asyncio.wait({dialling})
    service.reachable = True
    await service.until(lambda: client.is_registered)
    assert service.count("webrtc.verto") == 0
