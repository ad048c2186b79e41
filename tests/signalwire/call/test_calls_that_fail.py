"""Calls that cannot be made, answered or kept: each ends, and both ends are told."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from intercom.signalwire import (
    CallError,
    SignalWire,
)
from tests.signalwire.calling import connected_call, incoming
from tests.signalwire.media import ScriptedMedia
from tests.signalwire.service import WAIT_S, Service, Tokens, verto


async def test_an_answer_that_cannot_be_made_ends_the_call_and_tells_the_caller(service: Service) -> None:
    media = ScriptedMedia("create_answer")
    async with SignalWire(Tokens(), media=media, options=service.options()) as client:
        await client.register()
        service.invite()
        call = await incoming(client)
        with pytest.raises(CallError, match="create_answer broke"):
            await call.answer()
        assert verto(await service.asked("verto.bye")).params["cause"] == "INCOMPATIBLE_DESTINATION"
        assert media.calls[0].closed == 1


async def test_media_that_cannot_even_be_opened_says_so(service: Service) -> None:
    class NoMedia(ScriptedMedia):
        def open(self, *_: Any, **__: Any) -> Any:
            raise OSError("no sound card")

    async with SignalWire(Tokens(), media=NoMedia(), options=service.options()) as client:
        await client.connect()
        with pytest.raises(CallError, match="no sound card"):
            await client.dial("/private/house")
        assert client.session.calls == []


async def test_giving_up_a_dial_takes_the_invite_back(
    service: Service, media: ScriptedMedia, client: SignalWire
) -> None:
    service.silent.add("verto.invite")
    dialling = asyncio.ensure_future(client.dial("/private/house"))
    await service.asked("verto.invite")
    call = client.session.calls[0]
    dialling.cancel()
    await call.wait_destroyed()
    assert (call.end_cause, media.calls[0].closed) == ("ORIGINATOR_CANCEL", 1)
    service.verto("verto.media", call.id, sdp="early")
    service.invite("call-2")
    await incoming(client)


async def test_what_rings_when_the_session_is_lost_stops_and_what_is_answered_goes_on(
    client: SignalWire, service: Service, media: ScriptedMedia
) -> None:
    talking = await connected_call(client, service, media)
    dialled = await client.dial("/private/office")
    service.invite("call-2")
    await service.until(lambda: len(client.session.incoming_calls) == 1)
    ringing = client.session.incoming_calls[0]
    service.tell("signalwire.authorization.state", {"authorization_state": "stale"}, event_channel="")
    await service.until(lambda: len(service.responses) == 3)
    service.refusals["signalwire.connect"] = [-32003]
    service.cut()
    async with asyncio.timeout(WAIT_S):
        await dialled.wait_destroyed()
        await ringing.wait_destroyed()
    assert (dialled.end_cause, ringing.end_cause) == ("RECOVERY_ON_TIMER_EXPIRE", "RECOVERY_ON_TIMER_EXPIRE")
    assert client.session.calls == [talking]


@pytest.mark.parametrize(("refusal", "lives"), [("CALL DOES NOT EXIST", False), ("INVALID PARAM", True), ("", True)])
async def test_a_call_that_rings_ends_when_the_service_that_is_back_does_not_know_it(
    client: SignalWire, service: Service, refusal: str, lives: bool
) -> None:
    call = await client.dial("/private/house")
    service.tell("signalwire.authorization.state", {"authorization_state": "good"}, event_channel="")
    await service.until(lambda: len(service.responses) == 1)
    if refusal:
        service.verto_refusal["verto.info"] = refusal
    service.cut()
    await service.asked("verto.info")
    await client.session.execute("signalwire.ping", {})
    assert (call.end_cause is None) == lives


async def test_an_inbound_call_rings_no_longer_than_a_person_would_wait(
    client: SignalWire, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("intercom.signalwire.call.dialog.dialog.RING_DEADLINE_S", 0.01)
    service.invite()
    call = await incoming(client)
    async with asyncio.timeout(WAIT_S):
        await call.wait_destroyed()
    assert call.end_cause == "NO_ANSWER"


async def test_calls_of_an_earlier_process_beyond_the_limit_are_ended(
    client: SignalWire, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("intercom.signalwire.client.calls.MAX_CALLS", 1)
    service.verto("verto.attach", "old-1", sdp="offer")
    service.verto("verto.attach", "old-2", sdp="offer")
    bye = await service.asked("verto.bye")
    assert bye.params["callID"] == "old-2"
    assert [call.id for call in client.session.calls] == ["old-1"]


class ChoosyMedia(ScriptedMedia):
    """Answers nothing that is weak."""

    def refusal(self, offer: str) -> str:
        return "its certificate cannot be trusted" if "weak" in offer else ""


async def test_a_call_that_our_media_cannot_answer_does_not_ring(
    service: Service, caplog: pytest.LogCaptureFixture
) -> None:
    async with SignalWire(Tokens(), media=ChoosyMedia(), options=service.options()) as client:
        await client.register()
        service.verto("verto.invite", "1", sdp="v=0 weak", caller_id_number="sip:old@example.com")
        bye = verto(await service.asked("verto.bye"))
        assert bye.params["cause"] == "INCOMPATIBLE_DESTINATION"
        assert client.session.incoming_calls == []
    assert "sip:old@example.com does not ring: its certificate cannot be trusted" in caplog.text
