"""A far end that holds us may be silent, by whichever way it says so; afterwards it is to be heard again."""

from __future__ import annotations

import pytest

from intercom.signalwire import SignalWire
from intercom.signalwire.call.hold import holds
from intercom.signalwire.call.media_monitor import LOOK_S
from intercom.signalwire.call.quality import NO_PACKETS_S
from tests.signalwire.calling import connected_call
from tests.signalwire.media import ScriptedMedia
from tests.signalwire.service import Service

HELD = "v=0\r\ns=hold\r\na=sendrecv\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=sendonly\r\nm=video 0 RTP 96\r\n"
RESUMED = HELD.replace("sendonly", "sendrecv")


@pytest.mark.parametrize("how", [{"action": "hold"}, {"action": "updateMedia", "sdp": HELD}])
async def test_a_far_end_that_holds_us_may_be_silent(
    client: SignalWire,
    service: Service,
    media: ScriptedMedia,
    monkeypatch: pytest.MonkeyPatch,
    how: dict[str, str],
) -> None:
    monkeypatch.setattr("intercom.signalwire.call.media_monitor.LOOK_S", LOOK_S / 1000)
    call = await connected_call(client, service, media)
    media.calls[0].counters = {"audio_packets_received": 50}
    await service.until(lambda: len(call.network_metrics) > 1)
    service.verto("verto.modify", call.id, **how)
    await service.until(lambda: call.far_held)
    media.calls[0].counters = {"audio_packets_received": 50, "silent_s": NO_PACKETS_S}
    before = media.calls[0].restarts
    seen = call.network_metrics[-1].at_s
    await service.until(lambda: call.network_metrics[0].at_s > seen)
    assert media.calls[0].restarts == before
    assert call.is_network_healthy
    assert not media.calls[0].sound_expected


async def test_a_far_end_that_takes_us_back_is_to_be_heard_again(
    client: SignalWire, service: Service, media: ScriptedMedia, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("intercom.signalwire.call.media_monitor.LOOK_S", LOOK_S / 1000)
    call = await connected_call(client, service, media)
    service.verto("verto.modify", call.id, action="updateMedia", sdp=HELD)
    await service.until(lambda: call.far_held)
    service.verto("verto.modify", call.id, action="updateMedia", sdp=RESUMED)
    await service.until(lambda: not call.far_held)
    assert media.calls[0].sound_expected
    media.calls[0].counters = {"audio_packets_received": 50, "silent_s": NO_PACKETS_S}
    done: list[str] = []
    call.recovery_event_stream.subscribe(lambda event: done.append(event.action))
    await service.until(lambda: "ice_restart" in done)


async def test_a_far_end_that_we_hold_may_be_silent_too(
    client: SignalWire, service: Service, media: ScriptedMedia
) -> None:
    call = await connected_call(client, service, media)
    await call.hold()
    assert not media.calls[0].sound_expected
    await call.unhold()
    assert media.calls[0].sound_expected


async def test_an_offer_of_another_path_does_not_end_a_hold_that_was_asked_for_by_word(
    client: SignalWire, service: Service, media: ScriptedMedia
) -> None:
    call = await connected_call(client, service, media)
    service.verto("verto.modify", call.id, action="hold")
    service.verto("verto.modify", call.id, action="updateMedia", sdp=RESUMED)
    await service.asked("verto.answer")
    assert call.far_held


@pytest.mark.parametrize(
    ("offer", "held"),
    [
        (HELD, True),
        (RESUMED, False),
        (HELD.replace("a=sendonly\r\n", ""), False),
        (HELD.replace("a=sendrecv\r\n", "a=inactive\r\n").replace("a=sendonly\r\n", ""), True),
        (RESUMED + "a=inactive\r\n", False),
        (HELD.replace("\r\n", "\n"), True),
        ("", False),
        ("v=0", False),
    ],
)
def test_a_hold_is_told_by_the_direction_of_the_sound(offer: str, held: bool) -> None:
    assert holds(offer) is held


async def test_a_far_end_that_says_that_it_holds_us_is_not_played(
    client: SignalWire, service: Service, media: ScriptedMedia
) -> None:
    call = await connected_call(client, service, media)
    service.verto("verto.modify", call.id, action="hold")
    await service.until(lambda: call.far_held)
    assert media.calls[0].gains == [0.0]
    service.verto("verto.modify", call.id, action="unhold")
    await service.until(lambda: not call.far_held)
    assert media.calls[0].gains == [0.0, 1.0]
