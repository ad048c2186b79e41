"""What the members of a call are told is carried out by our media: mutes, deafness, volumes."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intercom.signalwire import SignalWire, WebRTCCall
from intercom.signalwire.call.media_slot import MediaSlot
from intercom.signalwire.call.members.orders import Orders
from intercom.signalwire.call.members.participant import Member
from intercom.signalwire.call.mutes import Mutes
from intercom.signalwire.wire.volume import factor
from tests.signalwire.media import ScriptedCall, ScriptedMedia
from tests.signalwire.service import Service

from .test_room import joined


async def told(service: Service, call: WebRTCCall, who: str, **change: Any) -> None:
    """The service tells of a change of a member, and the client has taken it."""
    seen: list[object] = []
    watching = call.events_stream("member.updated").subscribe(seen.append)
    member = {"member_id": who, **change, "updated": list(change)}
    service.tell("member.updated", {"room_session_id": "room-1", "member": member})
    await service.until(lambda: bool(seen))
    watching.dispose()


@pytest.mark.parametrize("kind", ["audio", "video"])
async def test_what_another_member_mutes_is_not_sent_until_they_unmute_it(
    client: SignalWire, service: Service, media: ScriptedMedia, kind: str
) -> None:
    call = await joined(client, service)
    await told(service, call, "member-1", **{f"{kind}_muted": True})
    assert media.calls[0].switched == [("send", kind, False)]
    await told(service, call, "member-1", **{f"{kind}_muted": False})
    assert media.calls[0].switched[-1] == ("send", kind, True)


async def test_a_mute_of_our_own_is_not_lifted_by_another_member(
    client: SignalWire, service: Service, media: ScriptedMedia
) -> None:
    call = await joined(client, service)
    await call.mute()
    await told(service, call, "member-1", audio_muted=False)
    assert media.calls[0].switched == [("send", "audio", False)]


async def test_we_lift_the_mute_of_another_member_ourselves(
    client: SignalWire, service: Service, media: ScriptedMedia
) -> None:
    call = await joined(client, service)
    await told(service, call, "member-1", audio_muted=True)
    await call.unmute()
    assert media.calls[0].switched[-1] == ("send", "audio", True)


async def test_nothing_is_sent_to_a_far_end_that_is_deaf(
    client: SignalWire, service: Service, media: ScriptedMedia
) -> None:
    call = await joined(client, service)
    await told(service, call, "guest", deaf=True)
    assert media.calls[0].switched == [("send", "audio", False)]
    await told(service, call, "guest", deaf=False)
    assert media.calls[0].switched[-1] == ("send", "audio", True)


async def test_we_are_deaf_when_told_so(client: SignalWire, service: Service, media: ScriptedMedia) -> None:
    call = await joined(client, service)
    await told(service, call, "member-1", deaf=True)
    await told(service, call, "member-1", deaf=False)
    assert media.calls[0].gains == [0.0, 1.0]


async def test_the_far_end_is_played_as_loud_as_both_are_told(
    client: SignalWire, service: Service, media: ScriptedMedia
) -> None:
    call = await joined(client, service)
    await told(service, call, "guest", input_volume=-25)
    await told(service, call, "member-1", output_volume=4)
    assert media.calls[0].gains == [0.5, 1.0]


async def test_who_is_not_to_be_muted_by_others_sends_on_and_plays_as_loud_as_before() -> None:
    class Line:
        media = ScriptedMedia()
        ice_servers = ()
        relay_only = False

    scripted = ScriptedCall("c", audio=True, video=True, fails=set())
    slot = MediaSlot(Line(), "c")  # type: ignore[arg-type]  # a slot asks its line for nothing here
    slot.media = scripted
    orders = Orders(Mutes(slot), slot, others_may_mute=False)
    me = Member("me", audio_muted=True, video_muted=True, output_volume=50)
    orders.follow(me, [Member("guest")], ["audio_muted", "video_muted"])
    assert (scripted.switched, scripted.gains) == ([], [])


@given(st.floats(allow_nan=False))
def test_every_volume_is_a_bounded_factor(volume: float) -> None:
    assert 0.0 <= factor(volume) <= 13.5
    assert (factor(-50), factor(0), factor(None), factor(50)) == (0.0, 1.0, 1.0, 13.5)
