"""Calls, from the button to the end, against a service in memory."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from intercom.signalwire import (
    CallError,
    CallStatus,
    InvalidParamsError,
    InvalidStateError,
    KeyPress,
    MediaError,
    NotConnectedError,
    SignalWire,
)
from intercom.signalwire.wire import messages as m
from tests.signalwire.calling import became, connected_call, incoming
from tests.signalwire.media import ANSWER, OFFER, ScriptedMedia
from tests.signalwire.service import Service, Tokens, verto


async def test_the_house_rings_answers_and_hangs_up(client: SignalWire, service: Service, media: ScriptedMedia) -> None:
    call = await client.dial("/private/house", user_variables={"intercom": {"role": "door"}})
    statuses: list[str] = []
    call.status_stream.subscribe(statuses.append)
    service.tell("call.state", {"call_id": call.id, "call_state": "ringing"})
    service.verto("verto.answer", call.id, sdp="answer")
    await became(call, "connecting")
    media.calls[0].become("connected")
    service.verto("verto.bye", call.id, cause="NORMAL_CLEARING", causeCode=16)
    await call.wait_destroyed()
    assert statuses == ["trying", "ringing", "connecting", "connected", "disconnected", "destroyed"]
    assert call.end_cause == "NORMAL_CLEARING"
    assert media.calls[0].answered_with == ["answer"]
    assert media.calls[0].closed == 1
    assert client.session.calls == []


async def test_the_invite_is_what_the_protocol_says(client: SignalWire, service: Service) -> None:
    call = await client.dial("/private/house", user_variables={"x": 1})
    request = await service.asked("verto.invite")
    assert request.params["node_id"] == ""
    assert request.params["callID"] == call.id
    assert "call.joined" in request.params["subscribe"]
    dialog = verto(request).params["dialogParams"]
    assert dialog == {
        "callID": call.id,
        "destination_number": "/private/house",
        "remote_caller_id_number": "/private/house",
        "userVariables": {"memberCallId": call.id, "x": 1},
        "screenShare": False,
        "additionalDevice": False,
        "pingSupported": True,
        "version": 1000,
    }
    assert verto(request).params["sdp"] == OFFER


async def test_a_caller_hangs_up_at_the_answered_calls_node(
    client: SignalWire, service: Service, media: ScriptedMedia
) -> None:
    call = await connected_call(client, service, media)
    await call.hangup()
    bye = await service.asked("verto.bye")
    assert bye.params["node_id"] == "node-1"
    assert not {"cause", "causeCode"} & set(verto(bye).params), "as the reference client: the usual cause goes unnamed"
    assert call.status == "destroyed"
    assert media.calls[0].closed == 1


async def test_early_media_rings_and_is_not_described_twice(
    client: SignalWire, service: Service, media: ScriptedMedia
) -> None:
    call = await client.dial("+15551234567")
    service.verto("verto.media", call.id, sdp="early")
    await became(call, "ringing")
    media.calls[0].become("connected")
    service.verto("verto.answer", call.id)
    await became(call, "connected")
    assert media.calls[0].answered_with == ["early"]


async def test_a_call_that_nobody_can_take_says_why(client: SignalWire, service: Service, media: ScriptedMedia) -> None:
    service.verto_refusal["verto.invite"] = "USER_NOT_REGISTERED"
    with pytest.raises(CallError) as refused:
        await client.dial("/private/house")
    assert refused.value.cause == "USER_NOT_REGISTERED"
    assert media.calls[0].closed == 1
    assert client.session.calls == []


async def test_a_busy_house_ends_the_call_with_its_cause(client: SignalWire, service: Service) -> None:
    call = await client.dial("/private/house")
    service.verto("verto.bye", call.id, cause="USER_BUSY", causeCode=17)
    await call.wait_destroyed()
    assert call.end_cause == "USER_BUSY"


async def test_a_hangup_before_the_service_has_the_call_sends_its_bye_afterwards(
    client: SignalWire, service: Service, media: ScriptedMedia
) -> None:
    service.silent.add("verto.invite")
    dialling = asyncio.ensure_future(client.dial("/private/house"))
    invite = await service.asked("verto.invite")
    await client.session.calls[0].hangup("ORIGINATOR_CANCEL")
    assert media.calls[0].closed == 1
    service.silent.clear()
    created = {"message": "CALL CREATED", "callID": invite.params["callID"], "memberID": "m"}
    inner = {"jsonrpc": "2.0", "id": "1", "result": created}
    service.say(m.encode(m.response(invite.id, {"node_id": "n9", "code": "200", "result": inner})))
    bye = await service.asked("verto.bye")
    assert bye.params["node_id"] == "n9"
    await dialling


async def test_an_answer_that_cannot_be_used_ends_the_call(service: Service) -> None:
    media = ScriptedMedia("accept_answer")
    async with SignalWire(Tokens(), media=media, options=service.options()) as client:
        await client.connect()
        call = await client.dial("/private/house")
        service.verto("verto.answer", call.id, sdp="nonsense")
        await call.wait_destroyed()
        assert call.end_cause == "INCOMPATIBLE_DESTINATION"
        assert verto(await service.asked("verto.bye")).params["cause"] == "INCOMPATIBLE_DESTINATION"
        assert media.calls[0].closed == 1


async def test_media_that_fails_ends_the_call_with_media_timeout(
    client: SignalWire, service: Service, media: ScriptedMedia
) -> None:
    call = await connected_call(client, service, media)
    media.calls[0].become("failed")
    await call.wait_destroyed()
    assert call.end_cause == "MEDIA_TIMEOUT"
    assert verto(await service.asked("verto.bye")).params["causeCode"] == "804"
    assert media.calls[0].closed == 1


async def test_media_that_cannot_be_made_costs_no_invite(service: Service) -> None:
    media = ScriptedMedia("create_offer", "close")
    async with SignalWire(Tokens(), media=media, options=service.options()) as client:
        faults: list[Any] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: faults.append(context["message"]))
        await client.connect()
        with pytest.raises(CallError) as failed:
            await client.dial("/private/house")
        assert isinstance(failed.value.__cause__, MediaError)
        assert service.count("webrtc.verto") == 0
        assert media.calls[0].closed == 1
        assert faults == ["The media of a call could not be closed"]


async def test_the_house_calls_and_the_door_answers(client: SignalWire, service: Service, media: ScriptedMedia) -> None:
    service.invite(userVariables={"why": "parcel"})
    call = await incoming(client)
    assert (call.direction, call.status, call.from_, call.from_name) == (
        "inbound",
        "ringing",
        "/private/house",
        "House",
    )
    assert call.user_variables == {"why": "parcel"}
    await call.answer(audio=True, video=False)
    answer = verto(await service.asked("verto.answer"))
    assert answer.params["sdp"] == ANSWER
    assert answer.params["dialogParams"]["callID"] == "call-1"
    assert (media.calls[0].offered, media.calls[0].video) == (["offer"], False)
    media.calls[0].become("connected")
    assert call.status == "connected"
    assert [dict(server) for server in media.ice_servers] == [{"urls": ["stun:x"]}]


async def test_a_second_caller_hears_busy(client: SignalWire, service: Service) -> None:
    service.invite()
    call = await incoming(client)
    await call.reject()
    bye = verto(await service.asked("verto.bye"))
    assert (bye.params["cause"], bye.params["causeCode"]) == ("USER_BUSY", "17")
    assert call.end_cause == "USER_BUSY"


async def test_a_caller_who_gives_up_leaves_nothing_to_answer(client: SignalWire, service: Service) -> None:
    service.invite()
    call = await incoming(client)
    service.verto("verto.bye", call.id, cause="ORIGINATOR_CANCEL")
    await call.wait_destroyed()
    with pytest.raises(InvalidStateError):
        await call.answer()
    assert client.session.incoming_calls == []


async def test_another_station_answered_first(client: SignalWire, service: Service, media: ScriptedMedia) -> None:
    service.invite()
    call = await incoming(client)
    service.verto_refusal["verto.answer"] = "LOSE_RACE"
    with pytest.raises(CallError) as lost:
        await call.answer()
    assert lost.value.cause == "LOSE_RACE"
    assert media.calls[0].closed == 1


async def test_the_same_invite_twice_is_one_call(client: SignalWire, service: Service) -> None:
    service.invite()
    service.invite()
    await incoming(client)
    service.invite("call-2")
    await service.until(lambda: len(client.session.incoming_calls) == 2)
    assert [call.id for call in client.session.incoming_calls] == ["call-1", "call-2"]


async def test_digits_go_both_ways_one_at_a_time(client: SignalWire, service: Service, media: ScriptedMedia) -> None:
    call = await connected_call(client, service, media)
    pressed: list[str] = []
    call.digits_stream.subscribe(pressed.append)
    service.verto("verto.info", call.id, dtmf="9#x")
    await service.until(lambda: bool(pressed))
    assert pressed == ["9", "#"]
    await call.send_digits("12")
    info = verto(await service.asked("verto.info"))
    assert info.params == {"sessid": call.id, "dialogParams": {"callID": call.id}, "dtmf": "12"}
    with pytest.raises(InvalidParamsError):
        await call.send_digits("call me")


async def test_each_key_comes_with_its_way_and_with_how_long_ago_we_sent_it_ourselves(
    client: SignalWire, service: Service, media: ScriptedMedia
) -> None:
    call = await connected_call(client, service, media)
    presses: list[KeyPress] = []
    call.keys_stream.subscribe(presses.append)
    media.calls[0].sent_keys["9"] = 0.4
    media.calls[0].tones.emit(("7", None))
    media.calls[0].tones.emit(("8", 0.2))
    service.verto("verto.info", call.id, dtmf="19")
    await service.until(lambda: len(presses) == 4)
    assert presses == [("7", "tones", None), ("8", "tones", 0.2), ("1", "signalling", None), ("9", "signalling", 0.4)]


async def test_a_tone_that_is_our_own_does_not_take_the_place_of_a_key(
    client: SignalWire, service: Service, media: ScriptedMedia
) -> None:
    call = await connected_call(client, service, media)
    presses: list[KeyPress] = []
    call.keys_stream.subscribe(presses.append)
    media.calls[0].tones.emit(("9", 0.2))
    service.verto("verto.info", call.id, dtmf="9")
    await service.until(lambda: len(presses) == 2)
    assert presses[1] == ("9", "signalling", None)


async def test_tones_are_none_of_the_digits(client: SignalWire, service: Service, media: ScriptedMedia) -> None:
    call = await connected_call(client, service, media)
    digits: list[str] = []
    call.digits_stream.subscribe(digits.append)
    media.calls[0].tones.emit(("7", None))
    service.verto("verto.info", call.id, dtmf="1")
    await service.until(lambda: bool(digits))
    assert digits == ["1"]


async def test_applications_talk_through_a_call(client: SignalWire, service: Service, media: ScriptedMedia) -> None:
    call = await connected_call(client, service, media)
    said: list[dict[str, Any]] = []
    call.info_stream.subscribe(said.append)
    service.verto("verto.info", call.id, intercom={"door": "open"})
    await service.until(lambda: bool(said))
    assert said == [{"door": "open"}]
    await call.send_info({"light": "on"})
    assert verto(await service.asked("verto.info")).params["intercom"] == {"light": "on"}


async def test_a_ping_is_answered_with_what_it_said(client: SignalWire, service: Service) -> None:
    call = await client.dial("/private/house")
    service.verto("verto.ping", call.id, dialogParams={"callID": call.id}, serno=5)
    pong = verto(await service.asked("verto.pong"))
    assert pong.params == {"callID": call.id, "dialogParams": {"callID": call.id}, "serno": 5}


async def test_dialling_before_connecting_says_what_to_do(service: Service, media: ScriptedMedia) -> None:
    async with SignalWire(Tokens(), media=media, options=service.options()) as client:
        with pytest.raises(NotConnectedError, match="connect"):
            await client.dial("/private/house")


async def test_destroying_the_client_tells_the_far_end(service: Service, media: ScriptedMedia) -> None:
    client = SignalWire(Tokens(), media=media, options=service.options())
    await client.connect()
    call = await client.dial("/private/house")
    await client.destroy()
    assert verto(await service.asked("verto.bye")).params["dialogParams"]["callID"] == call.id
    assert media.calls[0].closed == 1
    assert call.status is CallStatus.DESTROYED


async def test_a_subscriber_that_raises_harms_nobody_else(client: SignalWire, service: Service) -> None:
    faults: list[str] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: faults.append(context["message"]))
    client.session.incoming_calls_stream.subscribe(lambda calls: 1 // (0 if calls else 1))
    service.invite()
    assert (await incoming(client)).id == "call-1"
    assert faults == ["A subscriber raised and is unsubscribed"]
