"""What a call sends and receives: audio alone, unless the address or the program wants more (reference rc.2)."""

from __future__ import annotations

import pytest

from intercom.signalwire import AiortcMedia, InvalidParamsError, MediaAccessError, SignalWire
from intercom.signalwire.call.media_options import AskedMedia, MediaDirections, choose_media
from intercom.signalwire.errors import CallError
from intercom.signalwire.preferences import ClientPreferences
from tests.signalwire.calling import incoming
from tests.signalwire.media import ScriptedMedia
from tests.signalwire.service import Service, Tokens

DIRECTIONS = {"a=sendrecv", "a=sendonly", "a=recvonly", "a=inactive"}


def sent(media: ScriptedMedia) -> tuple[bool, bool]:
    """Whether the last call sends (audio, video)."""
    return media.calls[-1].audio, media.calls[-1].video


@pytest.mark.parametrize("address", ["/private/house", "/private/house?channel=audio", "+15551234567"])
async def test_a_call_that_is_dialled_has_audio_alone(client: SignalWire, media: ScriptedMedia, address: str) -> None:
    call = await client.dial(address)
    assert (sent(media), media.calls[0].received, call.media_kinds) == ((True, False), (True, False), (True, False))


async def test_an_address_of_the_video_channel_asks_for_video_both_ways(
    client: SignalWire, media: ScriptedMedia
) -> None:
    call = await client.dial("/public/room?lang=de&channel=video")
    assert (sent(media), media.calls[0].received) == ((True, True), (True, True))
    assert call.media_directions == MediaDirections("sendrecv", "sendrecv")


async def test_the_program_outweighs_the_address(client: SignalWire, media: ScriptedMedia) -> None:
    await client.dial("/public/room?channel=video", video=False, receive_video=False)
    assert (sent(media), media.calls[0].received) == ((True, False), (True, False))


async def test_video_that_is_asked_for_is_only_sent_as_in_the_reference(client: SignalWire) -> None:
    call = await client.dial("/private/house", video=True)
    assert call.media_directions == MediaDirections("sendrecv", "sendonly")


async def test_what_the_program_prefers_to_receive_holds_for_calls_that_do_not_say(client: SignalWire) -> None:
    client.preferences.receive_video = True
    call = await client.dial("/private/house")
    assert call.media_directions == MediaDirections("sendrecv", "recvonly")


async def test_a_call_is_answered_with_audio_alone(client: SignalWire, service: Service, media: ScriptedMedia) -> None:
    service.invite()
    call = await incoming(client)
    await call.answer()
    assert (sent(media), media.calls[0].received) == ((True, False), (True, False))


async def test_a_call_to_the_video_channel_is_answered_with_video(
    client: SignalWire, service: Service, media: ScriptedMedia
) -> None:
    service.invite(callee_id_number="/private/door?channel=video")
    call = await incoming(client)
    await call.answer()
    assert (sent(media), media.calls[0].received) == ((True, True), (True, True))


async def test_a_call_may_only_receive(client: SignalWire, media: ScriptedMedia) -> None:
    call = await client.dial("/private/door", audio=False, receive_video=True)
    assert (sent(media), media.calls[0].received) == ((False, False), (True, True))
    assert call.media_directions == MediaDirections("recvonly", "recvonly")


async def test_a_call_without_any_media_is_not_made(client: SignalWire, service: Service) -> None:
    with pytest.raises(InvalidParamsError):
        await client.dial("/private/door", audio=False, receive_audio=False)
    assert not service.count("webrtc.verto")


async def test_a_call_without_any_media_is_not_answered_and_rings_on(client: SignalWire, service: Service) -> None:
    service.invite()
    call = await incoming(client)
    with pytest.raises(InvalidParamsError):
        await call.answer(audio=False, receive_audio=False)
    await call.answer()
    assert call.status == "connecting"


async def test_a_call_goes_on_without_our_microphone_and_only_receives(service: Service) -> None:
    media = ScriptedMedia("devices")
    async with SignalWire(Tokens(), media=media, options=service.options()) as client:
        await client.register()
        service.invite()
        call = await incoming(client)
        errors: list[Exception] = []
        call.errors_stream.subscribe(errors.append)
        await call.answer(video=True, receive_video=True)
        assert (sent(media), media.calls[0].received) == ((False, False), (True, True))
        assert call.media_directions == MediaDirections("recvonly", "recvonly")
        assert [type(error) for error in errors] == [MediaAccessError]


@pytest.mark.parametrize("asked", [{"fallback_to_receive_only": False}, {"receive_audio": False}])
async def test_a_call_fails_without_our_microphone_when_it_may_not_only_receive(
    service: Service, asked: dict[str, bool]
) -> None:
    media = ScriptedMedia("devices")
    async with SignalWire(Tokens(), media=media, options=service.options()) as client:
        await client.register()
        with pytest.raises(CallError) as failed:
            await client.dial("/private/house", **asked)
        assert isinstance(failed.value.__cause__, MediaAccessError)
        assert media.calls == []


def test_a_channel_is_read_from_the_address_only() -> None:
    chosen = choose_media("/public/channel=video", AskedMedia(), ClientPreferences())
    assert chosen.kinds == (True, False)


def broken() -> None:
    raise OSError("no such device")


async def test_a_script_whose_camera_is_missing_hears_of_it_as_of_its_own_media() -> None:
    with pytest.raises(MediaAccessError, match="no such device"):
        AiortcMedia(video=broken).open("call", [], audio=True, video=True)


async def test_a_script_only_receives_the_picture_that_it_asks_for() -> None:
    near = AiortcMedia().open("near", [], audio=False, video=False, receive_audio=True, receive_video=True)
    far = AiortcMedia().open("far", [], audio=True, video=False, receive_audio=True, receive_video=False)
    offer = await near.create_offer()
    answer = await far.create_answer(offer)
    assert [line for line in offer.splitlines() if line in DIRECTIONS] == ["a=recvonly", "a=recvonly"]
    assert [line for line in answer.splitlines() if line in DIRECTIONS] == ["a=sendonly", "a=inactive"]
    await near.close()
    await far.close()
