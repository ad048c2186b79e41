"""Session descriptions: repaired, exchanged, refused with a reason; and aiortc takes every result."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from intercom.media.errors import SessionDescriptionError
from intercom.media.events import DescriptionRefused
from intercom.media.rtp.peer import DoorMedia
from intercom.media.rtp.sdp import Description, polish, readable
from intercom.media.rtp.sdp_exchange import accept_answer, accept_offer
from tests.media import sdp_bodies as body
from tests.media.calls import running_engine, simulated
from tests.media.events import Reported

OFFERS = {
    "Chromium": body.CHROMIUM_OFFER,
    "Firefox": body.FIREFOX_OFFER,
    "FreeSWITCH": body.FREESWITCH_OFFER,
    "Asterisk": body.ASTERISK_OFFER,
    "Janus": body.JANUS_OFFER,
}
ANSWERS = {
    "Chromium": body.CHROMIUM_ANSWER,
    "Firefox": body.FIREFOX_ANSWER,
    "Asterisk": body.ASTERISK_ANSWER,
    "FreeSWITCH": body.FREESWITCH_ANSWER,
    "FreeSWITCH without video": body.FREESWITCH_ANSWER_NO_VIDEO,
    "FreeSWITCH with PCMU": body.FREESWITCH_ANSWER_PCMU,
    "Janus": body.JANUS_ANSWER,
}
OUR_OFFER = polish(
    body.HEAD
    + "a=group:BUNDLE 0 1\r\n"
    + body.CHROMIUM_AUDIO.replace("SAVPF 111 63 9", "SAVPF 111")
    + body.CHROMIUM_VIDEO.replace("recvonly", "sendonly")
)


@pytest.fixture
def media() -> Iterator[DoorMedia]:
    with running_engine(simulated()) as engine:
        events: Reported[object] = Reported()
        yield DoorMedia(engine, on_event=events)


@pytest.mark.parametrize("offer", OFFERS.values(), ids=OFFERS)
async def test_an_offer_of_every_make_is_answered_section_by_section(media: DoorMedia, offer: str) -> None:
    call = media.open("1", [])
    try:
        answer = Description.parse(await call.create_answer(offer))
    finally:
        await call.close()
    offered = Description.parse(offer)
    assert [section.kind for section in answer.sections] == [section.kind for section in offered.sections]
    assert [s.attribute("mid") for s in answer.sections] == [s.attribute("mid") for s in offered.sections]
    assert answer.sections[0].port != 0
    assert all(section.port == 0 for section in answer.sections[1:])


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)
async def test_an_answer_of_every_make_is_taken(media: DoorMedia, answer: str) -> None:
    call = media.open("1", [])
    try:
        await call.create_offer()
        await call.accept_answer(answer)
        assert call.stats().codec == ("pcmu" if answer is body.FREESWITCH_ANSWER_PCMU else "opus")
    finally:
        await call.close()


def test_the_picture_is_taken_where_the_far_end_has_h264() -> None:
    assert accept_offer(body.CHROMIUM_OFFER, video=True).has_video
    assert accept_offer(body.FIREFOX_OFFER, video=True).has_video


def test_why_there_is_no_picture_is_said() -> None:
    accepted = accept_offer(body.ASTERISK_OFFER, video=True)
    assert not accepted.has_video
    assert accepted.why_no_video == "The far end takes no H.264 (baseline, packetization-mode 1), but VP8."


def test_a_picture_that_aiortc_could_not_negotiate_is_declined_and_the_sound_goes_on() -> None:
    accepted = accept_offer(body.CHROMIUM_OFFER, video=True)
    high_profile = body.CHROMIUM_OFFER.replace("42001f", "640c1f").replace("42e01f", "640c1f")
    refused = accept_offer(high_profile, video=True)
    assert accepted.has_video
    assert not refused.has_video
    assert "H.264" in refused.why_no_video


def test_blanks_in_parameters_are_taken_out() -> None:
    audio = readable(body.FREESWITCH_ANSWER).sections[0]
    assert "a=fmtp:96 useinbandfec=1;maxaveragebitrate=30000;ptime=20;minptime=10" in audio.lines


def test_a_missing_direction_is_both_ways() -> None:
    assert readable(body.FREESWITCH_ANSWER).sections[0].direction == "sendrecv"


def test_parameters_without_a_codec_are_dropped() -> None:
    damaged = body.FREESWITCH_ANSWER.replace("a=rtpmap:110 telephone-event/48000\r\n", "")
    assert not any("110" in line for line in readable(damaged).sections[0].lines)


def test_a_static_payload_type_needs_no_map() -> None:
    assert readable(body.FREESWITCH_ANSWER_PCMU).sections[0].codecs() == ["pcmu", "telephone-event"]


def test_a_declined_picture_stands_inactive_on_the_transport_of_the_sound() -> None:
    taken = Description.parse(accept_answer(body.FREESWITCH_ANSWER_NO_VIDEO, OUR_OFFER).text)
    audio, picture = taken.sections
    assert picture.direction == "inactive"
    assert picture.attribute("ice-ufrag") == audio.attribute("ice-ufrag")
    assert taken.bundle() == ["0", "1"]


def test_an_answer_that_leaves_the_picture_out_is_completed() -> None:
    taken = Description.parse(accept_answer(body.FREESWITCH_ANSWER, OUR_OFFER).text)
    assert [(s.kind, s.attribute("mid")) for s in taken.sections] == [("audio", "0"), ("video", "1")]


@pytest.mark.parametrize(
    ("offer", "reason"),
    [
        ("", "does not begin with v="),
        ("v=0\r\n", "with 0 media sections"),
        (body.PLAIN_RTP_OFFER, "no DTLS"),
        (body.CHROMIUM_OFFER.replace("m=audio 9", "m=audio 0"), "no audio"),
        (body.CHROMIUM_OFFER.replace("opus", "lpc").replace("PCMU", "GSM").replace("PCMA", "G728"), "no audio codec"),
        (body.CHROMIUM_OFFER.replace("a=rtcp-mux\r\n", ""), "does not multiplex RTCP"),
        (body.HEAD + "m=audio x y z\r\n", "cannot be read"),
        (body.CHROMIUM_OFFER.replace(body.DTLS, body.DTLS_SHA_1), "SHA-256"),
        (body.CHROMIUM_OFFER.replace(body.DTLS, "a=fingerprint:sha-256 AB:CD\r\n"), "SHA-256"),
        (body.HEAD + f"m=audio {'9' * 5000} RTP/AVP 0\r\n", "cannot be read"),
        (body.HEAD + "m=audio \u0669 RTP/AVP 0\r\n", "cannot be read"),
        ("v=0\r\n" + "a=x\r\n" * 20000, "characters"),
    ],
)
def test_what_cannot_be_used_is_refused_with_the_reason(offer: str, reason: str) -> None:
    with pytest.raises(SessionDescriptionError, match=reason):
        accept_offer(offer, video=True)


@pytest.mark.parametrize("odd", ["8\u2074", "\u0668", "9" * 5000, "-1", "+8", "1_1", "300"])
def test_a_payload_type_that_is_no_number_costs_nothing_but_itself(odd: str) -> None:
    offer = body.CHROMIUM_OFFER.replace("SAVPF 111", f"SAVPF {odd} 111")
    kept = readable(offer).sections[0].formats
    assert kept == readable(body.CHROMIUM_OFFER).sections[0].formats


@pytest.mark.parametrize(
    "odd",
    [
        "a=candidate:1 1 udp \u2074 192.0.2.10 50000 typ host",
        f"a=candidate:1 1 udp {'9' * 5000} 192.0.2.10 50000 typ host",
        "a=candidate:1 1 udp 1 192.0.2.10 50000 typ srflx raddr 192.0.2.1 rport \u2074",
        "a=rtcp:nine IN IP4 0.0.0.0",
        "a=extmap:300 urn:ietf:params:rtp-hdrext:sdes:mid",
        f"a=ssrc:{'9' * 5000} cname:x",
        "a=fmtp:111 stereo=yes;minptime=\u2074",
    ],
)
async def test_a_line_with_a_number_that_is_none_costs_nothing_but_itself(media: DoorMedia, odd: str) -> None:
    offer = body.CHROMIUM_OFFER.replace("a=mid:0\r\n", f"a=mid:0\r\n{odd}\r\n")
    call = media.open("1", [])
    assert "m=audio 9 " not in await call.create_answer(offer)
    await call.close()


@pytest.mark.parametrize("clock", ["9" * 5000, "\u0668000", "8\u2074"])
def test_a_clock_that_is_no_number_costs_its_codec(clock: str) -> None:
    offer = body.CHROMIUM_OFFER.replace("red/48000", f"red/{clock}")
    assert "red" not in readable(offer).sections[0].codecs()
    assert "opus" in readable(offer).sections[0].codecs()


def test_a_strong_fingerprint_beside_a_weak_one_is_enough() -> None:
    assert accept_offer(body.CHROMIUM_OFFER.replace(body.DTLS, body.DTLS_SHA_1 + body.DTLS), video=True).has_video


@pytest.mark.parametrize("make", OFFERS)
def test_an_offer_of_every_make_may_ring(media: DoorMedia, make: str) -> None:
    assert media.refusal(OFFERS[make]) == ""


def test_why_an_offer_may_not_ring_is_said(media: DoorMedia) -> None:
    assert "SHA-256" in media.refusal(body.CHROMIUM_OFFER.replace(body.DTLS, body.DTLS_SHA_1))


def test_an_answer_without_sound_is_refused() -> None:
    declined = body.FREESWITCH_ANSWER.replace("m=audio 24680", "m=audio 0")
    with pytest.raises(SessionDescriptionError, match="declined the audio"):
        accept_answer(declined, OUR_OFFER)


async def test_every_refusal_is_an_event_with_its_reason() -> None:
    told: Reported[object] = Reported()
    with running_engine(simulated()) as engine:
        media = DoorMedia(engine, on_event=told)
        asked, asking = media.open("1", []), media.open("2", [])
        with pytest.raises(SessionDescriptionError):
            await asked.create_answer(body.PLAIN_RTP_OFFER)
        await asking.create_offer()
        with pytest.raises(SessionDescriptionError):
            await asking.accept_answer(body.FREESWITCH_ANSWER.replace("m=audio 24680", "m=audio 0"))
        await asked.close()
        await asking.close()
    refused = [event for event in told.all if isinstance(event, DescriptionRefused)]
    assert [event.call_id for event in refused] == ["1", "2"]
    assert "not encrypted" in refused[0].reason
    assert "declined the audio" in refused[1].reason


LINES = st.sampled_from([line for make in (*OFFERS.values(), *ANSWERS.values()) for line in make.splitlines()])


@settings(max_examples=150, deadline=None)
@given(lines=st.lists(st.one_of(LINES, st.text(max_size=40)), max_size=60))
def test_any_mixture_of_lines_is_read_or_refused(lines: list[str]) -> None:
    text = "v=0\r\n" + "\r\n".join(lines)
    try:
        accepted = accept_offer(text, video=True)
    except SessionDescriptionError:
        return
    assert Description.parse(accepted.text).sections


async def test_a_mangled_offer_never_raises_anything_else(media: DoorMedia) -> None:
    lines = body.CHROMIUM_OFFER.splitlines()
    for without in range(len(lines)):
        call = media.open("1", [])
        try:
            await call.create_answer("\r\n".join(lines[:without] + lines[without + 1 :]))
        except SessionDescriptionError:
            pass
        finally:
            await call.close()
