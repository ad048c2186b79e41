"""The members of a call, what they may do, and what is done to them."""

from __future__ import annotations

from typing import Any

import pytest

from intercom.signalwire import InvalidParamsError, RpcError, SignalWire, WebRTCCall
from intercom.signalwire.call.members.capabilities import OnOff, compute
from intercom.signalwire.call.members.room import MAX_ROOM_SESSIONS
from tests.signalwire.media import ScriptedMedia
from tests.signalwire.service import Service


def member(member_id: str, **more: Any) -> dict[str, Any]:
    return {"member_id": member_id, "call_id": f"call-of-{member_id}", "node_id": "n", "name": member_id, **more}


async def joined(client: SignalWire, service: Service) -> WebRTCCall:
    """A call in a room with a guest."""
    call = await client.dial("/public/room")
    room = {"layout_name": "grid", "members": [member("member-1"), member("guest")], "locked": None}
    told = {"call_id": call.id, "member_id": "member-1", "room_session_id": "room-1", "room_session": room}
    service.tell("call.joined", {**told, "capabilities": ["self.mute", "end"]})
    await service.until(lambda: len(call.participants) == 2)
    return call


async def test_a_room_is_known_after_joining(client: SignalWire, service: Service) -> None:
    call = await joined(client, service)
    assert call.layout == "grid"
    assert call.self_ is not None
    assert call.self_.id == "member-1"
    assert call.self_.capabilities.self_.mute_audio == OnOff(True, True)
    assert call.self_.capabilities.end
    assert not call.self_.capabilities.set_layout


async def test_members_come_speak_change_and_go(client: SignalWire, service: Service) -> None:
    call = await joined(client, service)
    guest = call.participants[1]
    talking: list[bool] = []
    guest.is_talking_stream.subscribe(talking.append)
    for event, change in [("member.talking", {"talking": True}), ("member.updated", {"audio_muted": True})]:
        service.tell(event, {"room_session_id": "room-1", "member": {"member_id": "guest", **change}})
    service.tell("member.joined", {"room_session_id": "room-1", "member": member("third")})
    service.tell("member.left", {"room_session_id": "room-1", "member": {"member_id": "guest"}})
    service.tell("member.left", {"room_session_id": "another room", "member": {"member_id": "third"}})
    await service.until(lambda: [participant.id for participant in call.participants] == ["member-1", "third"])
    assert talking == [False, True]
    assert (guest.audio_muted, guest.name) == (True, "guest")


async def test_a_layout_places_members(client: SignalWire, service: Service) -> None:
    call = await joined(client, service)
    layer = {"member_id": "guest", "position": "reserved-0", "x": 50, "width": 50, "height": 100}
    service.tell("layout.changed", {"room_session_id": "room-1", "layout": {"layers": [layer]}})
    await service.until(lambda: bool(call.layout_layers))
    position = call.participants[1].position
    assert position is not None
    assert (position.x, position.position) == (50, "reserved-0")


async def test_what_is_done_to_a_member_names_us_and_them(client: SignalWire, service: Service) -> None:
    call = await joined(client, service)
    guest = call.participants[1]
    me = {"node_id": "node-1", "call_id": call.id, "member_id": "member-1"}
    await guest.mute()
    assert (await service.asked("call.mute")).params == {
        "channels": ["audio"],
        "self": me,
        "target": {**me, "member_id": "guest"},
    }
    await guest.remove()
    target = {"member_id": "guest", "call_id": "call-of-guest", "node_id": "n"}
    assert (await service.asked("call.member.remove")).params == {"self": me, "targets": [target]}
    await guest.set_position("reserved-1")
    assert (await service.asked("call.member.position.set")).params == {
        "targets": [{"target": target, "position": "reserved-1"}],
        "self": me,
    }
    await guest.set_audio_input_volume(10)
    await guest.toggle_deaf()
    await guest.toggle_noise_suppression()
    assert (await service.asked("call.microphone.volume.set")).params["volume"] == 10
    assert (await service.asked("call.audioflags.set")).params["noise_suppression"] is True
    await service.asked("call.deaf")


async def test_the_rooms_a_call_was_in_are_not_remembered_without_end(client: SignalWire, service: Service) -> None:
    call = await joined(client, service)
    for number in range(MAX_ROOM_SESSIONS):
        told = {"call_id": call.id, "room_session_id": f"later-{number}", "room_session": {}}
        service.tell("call.joined", told)
    for room in ("room-1", "later-0"):
        service.tell("room.updated", {"room_session_id": room, "room_session": {"layout_name": room}})
    heard: list[str] = []
    call.layout_stream.subscribe(heard.append)
    await service.until(lambda: call.layout == "later-0")
    assert heard == ["grid", "later-0"]


async def test_a_refusal_in_the_result_is_an_error(client: SignalWire, service: Service) -> None:
    call = await joined(client, service)
    service.answers["call.end"] = lambda _: {"code": "403", "message": "not yours"}
    with pytest.raises(RpcError, match="not yours") as refused:
        await call.participants[1].end()
    assert refused.value.code == 403


async def test_we_are_silent_even_if_the_service_refuses(
    client: SignalWire, service: Service, media: ScriptedMedia
) -> None:
    call = await joined(client, service)
    service.refusals["call.mute"] = [-32601]
    await call.mute()
    assert media.calls[0].switched == [("send", "audio", False)]
    assert call.audio_muted
    assert call.self_ is not None
    assert call.self_.audio_muted
    await call.unmute()
    assert not call.audio_muted


async def test_a_layout_is_chosen_of_those_there_are(client: SignalWire, service: Service) -> None:
    call = await joined(client, service)
    service.answers["call.layout.list"] = lambda _: {"layouts": ["grid", "1x1"], "code": "200"}
    await call.set_layout("1x1", {"guest": "reserved-0"})
    assert (await service.asked("call.layout.set")).params["layout"] == "1x1"
    await service.asked("call.member.position.set")
    with pytest.raises(InvalidParamsError, match="grid"):
        await call.set_layout("circle")


async def test_the_layouts_are_asked_for_once_the_handshake_is_over(
    client: SignalWire, service: Service, media: ScriptedMedia
) -> None:
    service.answers["call.layout.list"] = lambda _: {"layouts": ["grid"], "code": "200"}
    call = await client.dial("/public/room")
    room = {"layout_name": "grid", "members": [member("member-1")]}
    told = {"call_id": call.id, "member_id": "member-1", "room_session_id": "room-1", "room_session": room}
    service.verto("verto.answer", call.id, sdp="answer")
    service.tell("call.joined", {**told, "capabilities": ["layout.set"]})
    await service.until(lambda: len(call.participants) == 1)
    await call.send_info({"a": "moment later"})
    assert service.count("call.layout.list") == 0
    media.calls[0].become("connected")
    await service.until(lambda: call.layouts == ("grid",))


async def test_a_broken_event_of_a_room_is_told_to_the_call(client: SignalWire, service: Service) -> None:
    call = await joined(client, service)
    errors: list[Exception] = []
    call.errors_stream.subscribe(errors.append)
    for params in ({"member": 5}, {"member": {}}, {"member": {"member_id": "guest", "name": []}}):
        service.tell("member.updated", {"room_session_id": "room-1", **params})
    service.tell("member.updated", {"room_session_id": [], "call_id": {}})
    await service.until(lambda: len(errors) == 3)
    assert len(call.participants) == 2


async def test_hold_and_transfer_are_modifies(client: SignalWire, service: Service) -> None:
    call = await client.dial("/private/house")
    service.verto("verto.answer", call.id, sdp="answer")
    await service.until(lambda: call.status == "connecting")
    await call.hold()
    assert call.held
    service.verto_refusal["verto.modify"] = "NOT_NOW"
    with pytest.raises(RpcError):
        await call.unhold()
    assert call.held
    service.verto_refusal.clear()
    await call.transfer("+15551234567")
    message = (await service.asked("verto.modify", 3)).params["message"]["params"]
    assert (message["action"], message["destination"]) == ("transfer", "+15551234567")


def test_a_parent_grants_what_is_below_it() -> None:
    found = compute(["member.mute.audio.off", "self", "layout.set", "lock.on"])
    assert found.member.mute_audio == OnOff(on=False, off=True)
    assert found.member.mute_video == OnOff()
    assert found.self_.speaker_volume
    assert found.set_layout
    assert found.lock == OnOff(on=True, off=False)
