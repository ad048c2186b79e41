"""The page stays connected and registered without a hand."""

import json
import uuid

import pytest
from playwright.async_api import Page, expect

from tests.station.door import Door
from tests.station.house import House, verto
from tests.station.waiting import state

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_it_connects_as_the_protocol_says(station: Page, house: House) -> None:
    connect, online = house.received[:2]
    assert connect["method"] == "signalwire.connect"
    assert connect["params"]["authentication"] == {"jwt_token": "sat"}
    assert connect["params"]["agent"] == "intercom-station/0.1 rings/1 silent/1 beside/1"
    assert connect["params"]["version"] == {"major": 4, "minor": 0, "revision": 0}
    assert connect["params"]["event_acks"] is True
    assert online["method"] == "subscriber.online"


async def test_a_cut_socket_comes_back_and_registers_again(station: Page, house: House) -> None:
    before = len(house.received)
    await house.cut()
    await house.wait_for_method("subscriber.online", after=before)
    await state(station, "ready")


async def test_a_resumed_session_shows_what_it_was_given(station: Page, house: House) -> None:
    before = len(house.received)
    await house.push_event("signalwire.authorization.state", {"authorization_state": "opaque"})
    await house.cut()
    connect = await house.wait_for_method("signalwire.connect", after=before)
    assert connect["params"]["authorization_state"] == "opaque"
    assert connect["params"]["protocol"] == "signalwire_stub"


async def test_a_refused_resume_falls_back_to_a_fresh_session(station: Page, house: House) -> None:
    await house.push_event("signalwire.authorization.state", {"authorization_state": "stale"})
    before = len(house.received)
    house.faults.refuse_resume = True
    await house.cut()
    await house.wait_for(
        lambda frame: frame.get("method") == "signalwire.connect" and "authorization_state" not in frame["params"],
        after=before,
    )
    await state(station, "ready")


async def test_a_refused_registration_is_tried_once_more_after_reauthentication(page: Page, house: House) -> None:
    house.faults.refuse_first_online = True
    await page.goto(f"{house.url}#pair=ABCD2345")
    await state(page, "ready")
    methods = [frame.get("method") for frame in house.received]
    assert methods[:4] == [
        "signalwire.connect",
        "subscriber.online",
        "signalwire.reauthenticate",
        "subscriber.online",
    ]


async def test_a_house_that_is_away_shows_as_lost_until_it_is_back(station: Page, house: House) -> None:
    await house.stop()
    await state(station, "lost")
    await expect(station.locator("#status")).to_have_text("No connection")
    await house.start()
    await state(station, "ready")


@pytest.mark.usefixtures("service_worker")
async def test_the_page_itself_opens_while_the_house_is_away(station: Page, house: House) -> None:
    await station.evaluate("navigator.serviceWorker.ready.then(() => true)")
    await station.reload()  # this load passes through the service worker
    await state(station, "ready")
    await house.stop()
    await station.reload()
    await state(station, "lost")
    await house.start()
    await state(station, "ready")


async def test_a_house_that_falls_silent_is_noticed_when_the_page_comes_to_the_front(
    station: Page, house: House
) -> None:
    house.faults.silent = True
    await station.evaluate("window.dispatchEvent(new Event('online'))")
    await state(station, "lost")
    house.faults.silent = False
    await state(station, "ready")


async def test_every_event_is_acknowledged(station: Page, house: House) -> None:
    frame_id = await house.push_event("something.new", {})
    answer = await house.wait_for(lambda frame: frame.get("id") == frame_id)
    assert answer["result"] == {}


async def test_a_ping_of_the_service_is_answered_with_its_timestamp(station: Page, house: House) -> None:
    request = {"jsonrpc": "2.0", "id": "ping-1", "method": "signalwire.ping", "params": {"timestamp": 12.5}}
    await house.push_raw(json.dumps(request))
    answer = await house.wait_for(lambda frame: frame.get("id") == "ping-1")
    assert answer["result"] == {"timestamp": 12.5}


async def test_the_ping_of_a_call_is_answered_with_the_same_parameters(station: Page, house: House) -> None:
    params = {"callID": "c9", "dialogParams": {"callID": "c9"}}
    await house.push({"method": "verto.ping", "params": params})
    assert await house.wait_for_verto("verto.pong") == params


async def test_rubbish_does_not_end_the_connection(station: Page, house: House) -> None:
    before = len(house.received)
    rubbish = ["", "{", "null", "[]", "7", '"x"', '{"jsonrpc":"2.0","id":"nobody","result":{}}']
    rubbish.append('{"jsonrpc":"2.0","id":"e","method":"signalwire.event","params":null}')
    for text in rubbish:
        await house.push_raw(text)
    await house.push({"method": "verto.invite", "params": {"callID": 7, "sdp": 8}})
    await house.push({"method": "verto.bye", "params": {}})
    frame_id = await house.push_event("the.end", {})
    await house.wait_for(lambda frame: frame.get("id") == frame_id)
    assert not any(frame.get("method") == "signalwire.connect" for frame in house.received[before:])
    await state(station, "ready")


async def test_a_token_is_renewed_before_it_ends(page: Page, house: House) -> None:
    house.token_lifetime_s = 6.0
    await page.goto(f"{house.url}#pair=ABCD2345")
    await state(page, "ready")
    house.token_lifetime_s = 3600.0
    await house.wait_for_method("signalwire.reauthenticate")
    assert [frame.get("method") for frame in house.received].count("signalwire.connect") == 1


async def test_a_call_goes_on_without_the_socket_and_the_goodbye_follows(
    station: Page, house: House, door: Door
) -> None:
    call_id = str(uuid.uuid4())
    await house.connect_call(station, door, call_id)
    before = len(house.received)
    await house.stop()
    await station.wait_for_selector("body[data-link=lost]")
    await expect(station.locator("#status")).to_contain_text("the call goes on")
    heard = len(door.heard)
    await door.hears_more_than(heard + 10)
    await station.click("#hangup")
    await house.start()
    bye = await house.wait_for_verto("verto.bye", after=before)
    assert bye["dialogParams"]["callID"] == call_id
    await state(station, "ready")


async def test_a_ring_that_the_service_forgot_stops(station: Page, house: House, door: Door) -> None:
    await house.invite("c1", await door.offer())
    await state(station, "ringing")
    house.protocol = "signalwire_other"
    await house.cut()
    await state(station, "ready")
    await expect(station.locator("#last-call")).to_contain_text("Missed: Front door")


async def test_a_door_is_never_opened_late(station: Page, house: House, door: Door) -> None:
    await house.connect_call(station, door, "c1")
    await house.stop()
    await station.wait_for_selector("body[data-link=lost]")
    await station.click("#open-door")
    await expect(station.locator("#error")).to_contain_text("not asked to open")
    before = len(house.received)
    await house.start()
    await station.wait_for_selector("body[data-link=ready]")
    assert not any(verto(frame).get("method") == "verto.info" for frame in house.received[before:])
