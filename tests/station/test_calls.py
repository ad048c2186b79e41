"""Calls with real media: the house answers the door, and calls it."""

import re

import pytest
from playwright.async_api import Page, expect

from tests.station.door import TONE_HZ, Door
from tests.station.house import House, verto
from tests.station.waiting import hears, state, until

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_an_answered_call_has_sound_both_ways_and_a_picture(station: Page, house: House, door: Door) -> None:
    await house.connect_call(station, door, "c1")
    await door.heard_something.wait()
    await until(station, "document.querySelector('#remote-video').currentTime > 0.5")
    await hears(station, TONE_HZ)
    await expect(station.locator("#call-title")).to_have_text("Front door")
    await expect(station.locator("#elapsed")).to_have_text(re.compile(r"^(?!0:00)\d+:\d\d$"))
    await until(station, "document.querySelector('#level-in span').getBoundingClientRect().width > 20")


LOOKS_AT_LEVELS = """(count) => new Promise((resolve) => {
    const { getFloatTimeDomainData: read } = AnalyserNode.prototype, begun = performance.now();
    let left = count * 2; // of the door's sound, and of ours
    AnalyserNode.prototype.getFloatTimeDomainData = function (samples) {
        left -= 1;
        if (left === 0) resolve(performance.now() - begun);
        return read.call(this, samples);
    };
})"""
"""Time in ms in which a page looks so often at the levels of its call."""


async def test_the_meters_of_a_call_do_not_move_at_each_frame_of_the_screen(
    station: Page, house: House, door: Door
) -> None:
    await house.connect_call(station, door, "c1")
    await until(station, "document.querySelector('#level-in span').getBoundingClientRect().width > 20")
    assert await station.evaluate(LOOKS_AT_LEVELS, 20) > 700  # 20 frames of the screen take 333


async def test_ringing_says_who_it_is_in_page_title_and_live_region(station: Page, house: House, door: Door) -> None:
    await station.emulate_media(reduced_motion="no-preference")  # the title blinks
    await house.invite("c1", await door.offer(), name="Garden gate")
    await state(station, "ringing")
    await expect(station.locator("#ringing-title")).to_have_text("Garden gate")
    await expect(station.locator("#announcer")).to_contain_text("Garden gate is ringing")
    await until(station, "document.title.includes('Garden gate is ringing')")
    await until(station, "document.title === 'Intercom'")
    await expect(station.locator("#answer")).to_be_focused()


async def test_a_phone_that_calls_itself_a_door_is_shown_as_a_phone_and_opens_nothing(
    station: Page, house: House, door: Door
) -> None:
    await house.invite("c1", await door.offer(), name="Front door\u202e", number="/private/doorbell", kind="resident")
    await state(station, "ringing")
    await expect(station.locator("#ringing-title")).to_have_text("Front door (phone or tablet)")
    await station.click("#answer")
    await door.accept((await house.wait_for_verto("verto.answer"))["sdp"])
    await state(station, "in-call")
    await expect(station.locator("#open-door")).to_be_hidden()
    await station.keyboard.press("o")
    await station.keyboard.press("Escape")
    await house.wait_for_verto("verto.bye")
    assert not any(verto(frame)["method"] == "verto.info" for frame in house.verto_frames())


async def test_nothing_is_sent_to_the_door_before_the_answer(station: Page, house: House, door: Door) -> None:
    await house.invite("c1", await door.offer())
    await state(station, "ringing")
    frame_id = await house.push_event("a.moment.later", {})
    await house.wait_for(lambda frame: frame.get("id") == frame_id)
    assert not any(verto(frame) for frame in house.received)
    assert not door.connected.is_set()


NOTES_WHAT_IS_SHOWN = """() => {
    const [Connection, send] = [RTCPeerConnection, WebSocket.prototype.send];
    const replace = RTCRtpSender.prototype.replaceTrack;
    window.connections = [];
    window.RTCPeerConnection = class extends Connection {
        constructor(...given) { super(...given); window.connections.push(this); }
    };
    WebSocket.prototype.send = function (data) {
        if (data.includes('"verto.answer"')) window.sentWhile = document.body.dataset.state;
        return send.call(this, data);
    };
    RTCRtpSender.prototype.replaceTrack = function (track) {
        if (track) window.attachedWhile ??= `${document.body.dataset.state}, ${window.sentWhile ? "sent" : "not sent"}`;
        return replace.call(this, track);
    };
}"""
"""In a page, notes what it shows as it sends its answer, and as it gives the connection its microphone."""


async def _answer_what_is_prepared(station: Page, house: House, door: Door) -> None:
    await station.evaluate(NOTES_WHAT_IS_SHOWN)
    await house.invite("c1", await door.offer())
    await state(station, "ringing")
    await until(station, "window.connections.some((one) => one.iceGatheringState === 'complete')")
    await station.click("#answer")
    await house.wait_for_verto("verto.answer")


async def test_a_prepared_answer_is_sent_before_the_page_shows_it(station: Page, house: House, door: Door) -> None:
    await _answer_what_is_prepared(station, house, door)
    assert await station.evaluate("window.sentWhile") == "ringing"


async def test_a_prepared_answer_has_its_microphone_before_the_page_shows_it_and_not_before_it_is_sent(
    station: Page, house: House, door: Door
) -> None:
    await _answer_what_is_prepared(station, house, door)
    assert await station.evaluate("window.attachedWhile") == "ringing, sent"


@pytest.mark.parametrize("key", ["Enter", " "])
async def test_a_key_answers(station: Page, house: House, door: Door, key: str) -> None:
    await house.invite("c1", await door.offer())
    await state(station, "ringing")
    await station.evaluate("document.activeElement.blur()")
    await station.keyboard.press(key)
    await house.wait_for_verto("verto.answer")
    await state(station, "in-call")


@pytest.mark.parametrize("how", ["#decline", "Escape"])
async def test_declining_refuses_for_the_whole_house(station: Page, house: House, door: Door, how: str) -> None:
    await house.invite("c1", await door.offer())
    await state(station, "ringing")
    await (station.click(how) if how.startswith("#") else station.keyboard.press(how))
    bye = await house.wait_for_verto("verto.bye")
    assert (bye["cause"], bye["causeCode"]) == ("CALL_REJECTED", 21)
    await state(station, "ready")
    await expect(station.locator("#last-call")).to_contain_text("Declined")


async def test_a_visitor_who_gives_up_is_shown_as_missed(station: Page, house: House, door: Door) -> None:
    await house.invite("c1", await door.offer())
    await state(station, "ringing")
    await house.bye("c1", "ORIGINATOR_CANCEL")
    await state(station, "ready")
    await expect(station.locator("#last-call")).to_contain_text("Missed: Front door at")


async def test_a_call_answered_elsewhere_is_not_missed(station: Page, house: House, door: Door) -> None:
    await house.invite("c1", await door.offer())
    await state(station, "ringing")
    await house.bye("c1", "LOSE_RACE")
    await state(station, "ready")
    await expect(station.locator("#last-call")).to_contain_text("Answered on another device")


async def test_a_second_caller_whose_media_are_none_is_gone_and_the_first_goes_on(
    station: Page, house: House, door: Door
) -> None:
    await house.connect_call(station, door, "c1")
    await house.invite("c2", "v=0")
    bye = await house.wait_for_verto("verto.bye")
    assert (bye["dialogParams"]["callID"], bye["cause"]) == ("c2", "MEDIA_TIMEOUT")
    await expect(station.locator("#waiting li")).to_have_count(0)
    await state(station, "in-call")


async def test_hanging_up_says_goodbye_and_lets_go_of_the_microphone(station: Page, house: House, door: Door) -> None:
    await station.evaluate(
        """() => {
            const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
            window.opened = [];
            navigator.mediaDevices.getUserMedia = async (wish) => {
                const stream = await ask(wish);
                window.opened.push(...stream.getTracks());
                return stream;
            };
        }"""
    )
    await house.connect_call(station, door, "c1")
    await until(station, "window.opened.length === 1 && window.opened[0].readyState === 'live'")
    await station.keyboard.press("Escape")
    bye = await house.wait_for_verto("verto.bye")
    assert (bye["cause"], bye["causeCode"]) == ("NORMAL_CLEARING", 16)
    await state(station, "ready")
    await until(station, "window.opened.every((track) => track.readyState === 'ended')")
    await expect(station.locator("#last-call")).to_contain_text(re.compile(r"Call ended, \d+:\d\d"))


async def test_a_door_that_hangs_up_ends_the_call(station: Page, house: House, door: Door) -> None:
    await house.connect_call(station, door, "c1")
    await house.bye("c1")
    await state(station, "ready")
    await expect(station.locator("#error")).to_be_hidden()


async def test_muting_silences_the_microphone_at_the_door(station: Page, house: House, door: Door) -> None:
    await house.connect_call(station, door, "c1")
    await door.heard_something.wait()
    await station.keyboard.press("m")
    await expect(station.locator("#mute")).to_have_attribute("aria-pressed", "true")
    await door.hears_silence()
    await station.keyboard.press("m")
    door.heard_something.clear()
    await door.heard_something.wait()


async def test_a_call_that_the_page_goes_on_with_after_a_reload_stays_muted(
    station: Page, house: House, door: Door
) -> None:
    await house.connect_call(station, door, "c1")
    await station.keyboard.press("m")
    before = len(house.received)
    await station.reload()
    again = Door()
    invite = await house.wait_for_verto("verto.invite", after=before)
    assert (invite["dialogParams"]["callID"], invite["dialogParams"]["reattaching"]) == ("c1", True)
    answer = await again.answer(invite["sdp"])
    await house.push({"method": "verto.answer", "params": {"callID": "c1", "sdp": answer}})
    await again.hears_silence()
    await expect(station.locator("#mute")).to_have_attribute("aria-pressed", "true")
    assert not any(verto(frame)["method"] == "verto.bye" for frame in house.verto_frames())
    await again.close()


async def test_a_reload_while_it_rings_declines_nothing(station: Page, house: House, door: Door) -> None:
    await house.invite("c1", await door.offer())
    await state(station, "ringing")
    await station.reload()
    await state(station, "ready")
    assert house.verto_frames() == []


async def test_the_volume_is_kept_for_the_next_call(station: Page, house: House, door: Door) -> None:
    await house.connect_call(station, door, "c1")
    await station.locator("#volume").fill("40")
    assert await station.evaluate("document.querySelector('#remote-audio').volume") == pytest.approx(0.4)
    await station.keyboard.press("Escape")
    await state(station, "ready")
    await station.reload()
    await state(station, "ready")
    assert await station.evaluate("document.querySelector('#remote-audio').volume") == pytest.approx(0.4)


async def test_the_house_calls_the_door(station: Page, house: House, door: Door) -> None:
    await station.click("#call-door")
    await state(station, "calling")
    invite = await house.wait_for_verto("verto.invite")
    assert invite["dialogParams"]["destination_number"] == "/private/door"
    video = invite["sdp"].split("m=video")[1]
    assert "H264" in video.split("a=rtpmap:")[1]
    call_id = invite["dialogParams"]["callID"]
    answer = await door.answer(invite["sdp"])
    await house.push({"method": "verto.answer", "params": {"callID": call_id, "sdp": answer}})
    await state(station, "in-call")
    await door.heard_something.wait()
    await until(station, "document.querySelector('#remote-video').currentTime > 0.5")


@pytest.mark.parametrize(
    ("cause", "words"),
    [
        ("USER_NOT_REGISTERED", "not connected"),
        ("USER_BUSY", "in another call"),
        ("UNALLOCATED_NUMBER", "no door at that address"),
        ("NO_ANSWER", "did not answer"),
    ],
)
async def test_a_door_that_cannot_be_called_says_why(station: Page, house: House, cause: str, words: str) -> None:
    await station.click("#call-door")
    invite = await house.wait_for_verto("verto.invite")
    await house.bye(invite["dialogParams"]["callID"], cause)
    await state(station, "ready")
    await expect(station.locator("#error")).to_contain_text(words)


async def test_a_door_whose_address_is_refused_is_told_as_such(station: Page, house: House) -> None:
    house.refuses_invites = {"code": 1, "message": "Nobody has it.", "data": {"cause": "UNALLOCATED_NUMBER"}}
    await station.click("#call-door")
    await expect(station.locator("#error")).to_contain_text("no door at that address")
    await state(station, "ready")


async def test_each_of_several_doors_has_its_button(station: Page, house: House) -> None:
    house.addresses = [
        {"name": "/private/door", "display_name": "Front door", "kind": "door"},
        {"name": "/private/gate", "display_name": "Garden gate", "kind": "door"},
        {"name": "/private/doorbell", "display_name": "Front door", "kind": "resident"},
    ]
    house.addresses_on_a_page = 1
    await station.reload()
    await state(station, "ready")
    buttons = station.locator("#doors button")
    await expect(buttons).to_have_text(["Call: Front door", "Call: Garden gate"])
    await buttons.nth(1).click()
    invite = await house.wait_for_verto("verto.invite")
    assert invite["dialogParams"]["destination_number"] == "/private/gate"


async def test_a_door_whose_network_changed_offers_anew_and_the_call_goes_on(
    station: Page, house: House, door: Door
) -> None:
    await house.connect_call(station, door, "c1")
    await door.heard_something.wait()
    moved = Door()
    before = len(house.received)
    params = {"callID": "c1", "action": "updateMedia", "sdp": await moved.offer()}
    await house.push({"method": "verto.modify", "params": params})
    answer = await house.wait_for_verto("verto.answer", after=before)
    await door.close()
    await moved.accept(answer["sdp"])
    await moved.heard_something.wait()
    await until(station, "document.querySelector('#remote-video').currentTime > 0.5")
    await state(station, "in-call")
    await moved.close()


async def test_an_offer_that_makes_no_sense_is_told_and_ended(station: Page, house: House) -> None:
    await house.invite("c1", "v=0\r\nnonsense")
    bye = await house.wait_for_verto("verto.bye")
    assert bye["cause"] == "MEDIA_TIMEOUT"
    await state(station, "ready")
    await expect(station.locator("#error")).to_contain_text("could not reach this device")
