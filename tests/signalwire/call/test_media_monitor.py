"""A call tells how good it is, and is mended by itself."""

from __future__ import annotations

import asyncio

import pytest

from intercom.signalwire import MediaError, SignalWire
from intercom.signalwire.call.media_monitor import LOOK_S
from intercom.signalwire.call.quality import HISTORY_SAMPLES, NO_PACKETS_S
from intercom.signalwire.call.recovery_policy import (
    VIDEO_OFF_BPS,
    VIDEO_ON_BPS,
    RecoveryState,
)
from tests.signalwire.calling import connected_call
from tests.signalwire.media import ScriptedMedia
from tests.signalwire.service import WAIT_S, Service


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
    monkeypatch.setattr("intercom.signalwire.call.quality.REPORTS_S", 10 * WAIT_S)  # that one report is news meanwhile
    call = await connected_call(client, service, media)
    media.calls[0].counters = {"reports_received": 1}
    await service.until(lambda: len(call.network_metrics) == HISTORY_SAMPLES)
    assert (call.status, media.calls[0].restarts) == ("connected", 0)


async def test_a_silent_far_end_whose_signs_of_life_stop_is_hung_up_on_though_every_path_was_tried(
    client: SignalWire, service: Service, media: ScriptedMedia, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("intercom.signalwire.call.media_monitor.LOOK_S", LOOK_S / 1000)
    monkeypatch.setattr("intercom.signalwire.call.recovery_policy.RESTART_TIMEOUT_S", 0.01)
    monkeypatch.setattr("intercom.signalwire.call.quality.REPORTS_S", 10 * WAIT_S)  # that one report is news meanwhile
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
    await service.until(lambda: not client.ready)
    dialling = asyncio.ensure_future(client.dial("/private/house"))
    await service.until(lambda: client._client.link.session.pending == 1)
    dialling.cancel()
    await asyncio.wait({dialling})
    service.reachable = True
    await service.until(lambda: client.is_registered)
    assert service.count("webrtc.verto") == 0
