"""Redundant audio is agreed on with whoever knows it, as browsers write it, and with nobody else."""

from __future__ import annotations

import pytest
from aiortc.codecs import CODECS
from hypothesis import given
from hypothesis import strategies as st

from intercom.media.provider import Sending
from intercom.media.rtp.payload_types import PayloadTypes
from intercom.media.rtp.peer import DoorMedia
from intercom.media.rtp.sdp import Description, readable
from intercom.media.rtp.sdp_redundancy import answer_redundancy, offer_redundancy, redundant_opus
from tests.media import sdp_bodies as body
from tests.media.calls import running_engine, simulated

OURS = "v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111 0\r\na=rtpmap:111 opus/48000/2\r\na=rtpmap:0 PCMU/8000\r\n"


def audio(text: str) -> list[str]:
    return Description.parse(text).sections[0].formats


def test_it_is_offered_after_opus_as_browsers_do() -> None:
    offer = offer_redundancy(OURS)
    assert audio(offer) == ["111", "63", "0"]
    assert redundant_opus(Description.parse(offer).sections[0]) == (63, 111)


def test_an_offer_without_opus_has_none() -> None:
    plain = "v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 0\r\na=rtpmap:0 PCMU/8000\r\n"
    assert offer_redundancy(plain) == plain


def test_a_browser_that_offers_it_is_answered_with_its_own_number_first() -> None:
    theirs = str(readable(body.CHROMIUM_OFFER.replace(" 63 ", " 35 ").replace(":63 ", ":35 ")))
    answer = answer_redundancy(OURS, theirs)
    assert audio(answer) == ["35", "111", "0"]
    assert redundant_opus(Description.parse(answer).sections[0]) == (35, 111)


@pytest.mark.parametrize(
    "fmtp",
    ["", "a=fmtp:63 111\r\n", "a=fmtp:63 0/0\r\n", "a=fmtp:63 111/0\r\n", "a=fmtp:63 63/63\r\n", "a=fmtp:63 /\r\n"],
)
def test_what_is_not_redundant_opus_and_nothing_else_is_declined(fmtp: str) -> None:
    theirs = str(readable(body.CHROMIUM_OFFER.replace("a=fmtp:63 111/111\r\n", fmtp)))
    assert answer_redundancy(OURS, theirs) == OURS


def test_redundancy_of_an_opus_that_we_did_not_take_is_declined() -> None:
    theirs = str(readable(body.CHROMIUM_OFFER))
    ours = OURS.replace("111", "109")
    assert answer_redundancy(ours, theirs) == ours


@pytest.mark.parametrize("theirs", [body.FIREFOX_OFFER, body.FREESWITCH_ANSWER])
def test_a_far_end_that_does_not_know_it_is_answered_as_before_and_gets_opus(theirs: str) -> None:
    known = str(readable(theirs))
    assert answer_redundancy(OURS, known) == OURS
    types = PayloadTypes()
    types.learn(offer_redundancy(OURS), known)
    assert types.redundancy is None
    assert types.redundant is None


def test_it_is_not_sent_where_we_did_not_agree_to_it() -> None:
    types = PayloadTypes()
    types.learn(OURS, str(readable(body.CHROMIUM_OFFER)))
    assert types.redundancy is None


def test_a_number_of_redundant_audio_that_the_far_end_gave_to_something_else_is_that() -> None:
    types = PayloadTypes()
    theirs = "v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111 63\r\na=rtpmap:111 opus/48000/2\r\na=rtpmap:63 PCMA/8000\r\n"
    types.learn(offer_redundancy(OURS), theirs)
    assert types.name(63) == "pcma"
    assert types.clock_hz(63) == 8000


def test_each_end_sends_by_the_other_ones_numbers() -> None:
    types = PayloadTypes()
    theirs = "v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 35 96\r\na=rtpmap:96 opus/48000/2\r\na=rtpmap:35 RED/48000/2\r\n"
    types.learn(offer_redundancy(OURS), theirs + "a=fmtp:35 96/96\r\n")
    assert types.redundant == 63
    assert types.redundancy is not None
    assert types.redundancy.payload_type == 35
    assert types.redundancy.pack(0, b"sound") == bytes([96]) + b"sound"


@given(
    st.text(st.sampled_from("0123456789/ ;=²٣x"), max_size=12), st.text(st.sampled_from("red/480002²٣ "), max_size=14)
)
def test_whatever_stands_there_the_answer_is_ours(fmtp: str, rtpmap: str) -> None:
    theirs = body.CHROMIUM_OFFER.replace("a=fmtp:63 111/111", f"a=fmtp:63 {fmtp}")
    for offer in (theirs, theirs.replace("a=rtpmap:63 red/48000/2", f"a=rtpmap:63 {rtpmap}")):
        assert audio(answer_redundancy(OURS, str(readable(offer))))[-2:] == ["111", "0"]


async def test_a_door_whose_configuration_forbids_it_neither_offers_nor_takes_it() -> None:
    with running_engine(simulated()) as engine:
        media = DoorMedia(engine, on_event=lambda event: None)
        plain = DoorMedia(engine, on_event=lambda event: None, sending=Sending(redundancy=False))
        for caller, callee in (media, plain), (plain, media):
            calling, called = caller.open("1", []), callee.open("2", [])
            try:
                offer = await calling.create_offer()
                answer = await called.create_answer(offer)
                await calling.accept_answer(answer)
                agreed = [call._connection.payload_types.redundancy for call in (calling, called)]
            finally:
                await calling.close()
                await called.close()
            assert ("63" in audio(offer)) is (caller is media)
            assert "63" not in audio(answer)
            assert agreed == [None, None]


async def test_two_doors_agree_on_it_and_other_connections_of_the_process_do_not_know_it() -> None:
    with running_engine(simulated()) as engine:
        media = DoorMedia(engine, on_event=lambda event: None)
        calling, called = media.open("1", []), media.open("2", [])
        try:
            answer = await called.create_answer(await calling.create_offer())
            await calling.accept_answer(answer)
            agreed = [call._connection.payload_types.redundancy for call in (calling, called)]
        finally:
            await calling.close()
            await called.close()
    assert audio(answer)[0] == "63"
    assert None not in agreed
    assert not [codec for codec in CODECS["audio"] if "red" in codec.mimeType.lower()]
