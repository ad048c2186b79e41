"""Calls between subscribers, over real sockets."""

from __future__ import annotations

import pytest

from tests.space.conftest import ANSWER, OFFER, House


async def test_two_subscribers_make_a_call_and_the_caller_hangs_up(house: House) -> None:
    door, kitchen = await house.join("door"), await house.join("kitchen")
    variables = {"intercom": {"role": "door"}}

    mine = await door.dial("/private/kitchen?channel=video", userVariables=variables)
    invite = await kitchen.heard("verto.invite")
    assert invite["sdp"] == OFFER
    assert (invite["caller_id_number"], invite["callee_id_number"]) == ("/private/door", "/private/kitchen")
    assert invite["userVariables"] == variables

    theirs = invite["callID"]
    await kitchen.verto("verto.answer", theirs, sdp=ANSWER)
    answer = await door.heard("verto.answer")
    assert answer == {"callID": mine, "sdp": ANSWER, "callee_kind": "resident", "callee_name": "kitchen"}

    await door.verto("verto.bye", mine)
    bye = await kitchen.heard("verto.bye")
    assert bye == {"callID": theirs, "cause": "NORMAL_CLEARING", "causeCode": 16}


async def test_the_callee_hangs_up(house: House) -> None:
    door, kitchen = await house.join("door"), await house.join("kitchen")
    mine = await door.dial("/private/kitchen")
    theirs = await kitchen.ringing()
    await kitchen.verto("verto.answer", theirs, sdp=ANSWER)
    await door.heard("verto.answer")
    await kitchen.verto("verto.bye", theirs, cause="MEDIA_TIMEOUT", causeCode=804)
    assert await door.heard("verto.bye") == {"callID": mine, "cause": "MEDIA_TIMEOUT", "causeCode": 804}


async def test_the_whole_house_rings_and_the_first_answer_wins(house: House) -> None:
    door = await house.join("door")
    members = [await house.station(name) for name in ("kitchen", "hall", "attic")]
    await door.dial("/private/house")
    calls = [await member.ringing() for member in members]
    await members[1].verto("verto.answer", calls[1], sdp=ANSWER)
    await door.heard("verto.answer")
    for loser in (0, 2):
        bye = await members[loser].heard("verto.bye")
        assert (bye["callID"], bye["cause"]) == (calls[loser], "LOSE_RACE")
    late = await members[0].verto("verto.answer", calls[0], sdp=ANSWER)
    assert late["error"]["message"] == "CALL DOES NOT EXIST"
    await door.hears_nothing()


async def test_an_offer_with_nothing_but_sha_1_rings_nobody_and_the_caller_is_told_why(house: House) -> None:
    door, kitchen = await house.join("door"), await house.join("kitchen")
    weak = f"{OFFER}a=fingerprint:sha-1 {':'.join(['AB'] * 20)}\r\n"
    refused = await door.verto("verto.invite", "0a1b", sdp=weak, dialog={"destination_number": "/private/kitchen"})
    assert "SHA-256" in refused["error"]["message"]
    await kitchen.hears_nothing()


async def test_a_call_to_nobody_ends_as_not_registered(house: House) -> None:
    door = await house.join("door")
    house.token("kitchen", groups=("house",))
    await door.dial("/private/house")
    assert (await door.heard("verto.bye"))["cause"] == "USER_NOT_REGISTERED"


async def test_a_connected_subscriber_that_is_not_online_does_not_ring(house: House) -> None:
    door, kitchen = await house.join("door"), await house.station("kitchen")
    await kitchen.rpc("subscriber.offline")
    await door.dial("/private/house")
    assert (await door.heard("verto.bye"))["cause"] == "USER_NOT_REGISTERED"
    await kitchen.hears_nothing()


async def test_a_second_caller_hears_busy(house: House) -> None:
    door, gate = await house.join("door"), await house.join("gate")
    kitchen = await house.join("kitchen")
    await door.dial("/private/kitchen")
    await kitchen.verto("verto.answer", await kitchen.ringing(), sdp=ANSWER)
    await gate.dial("/private/kitchen")
    bye = await gate.heard("verto.bye")
    assert (bye["cause"], bye["causeCode"]) == ("USER_BUSY", 17)
    await kitchen.hears_nothing()


async def test_a_member_that_talks_is_left_in_peace_while_the_others_ring(house: House) -> None:
    door, gate = await house.join("door"), await house.join("gate")
    kitchen, hall = await house.station("kitchen"), await house.station("hall")
    await door.dial("/private/kitchen")
    await kitchen.verto("verto.answer", await kitchen.ringing(), sdp=ANSWER)
    await gate.dial("/private/house")
    await hall.ringing()
    await kitchen.hears_nothing()


async def test_one_member_rejects_and_the_group_goes_on_until_all_have(house: House) -> None:
    door = await house.join("door")
    kitchen, hall = await house.station("kitchen"), await house.station("hall")
    await door.dial("/private/house")
    await kitchen.verto("verto.bye", await kitchen.ringing(), cause="USER_BUSY", causeCode=17)
    await door.hears_nothing()
    await hall.verto("verto.bye", await hall.ringing(), cause="USER_BUSY", causeCode=17)
    assert (await door.heard("verto.bye"))["cause"] == "USER_BUSY"


async def test_the_caller_hangs_up_while_it_rings(house: House) -> None:
    door = await house.join("door")
    members = [await house.station(name) for name in ("kitchen", "hall")]
    mine = await door.dial("/private/house")
    for member in members:
        await member.ringing()
    await door.verto("verto.bye", mine)
    for member in members:
        assert (await member.heard("verto.bye"))["cause"] == "ORIGINATOR_CANCEL"


async def test_who_comes_online_while_the_house_rings_joins_in(house: House) -> None:
    door, kitchen = await house.join("door"), await house.station("kitchen")
    hall = await house.station("hall", online=False)
    await door.dial("/private/house")
    await kitchen.ringing()
    await hall.rpc("subscriber.online")
    await hall.verto("verto.answer", await hall.ringing(), sdp=ANSWER)
    await door.heard("verto.answer")
    assert (await kitchen.heard("verto.bye"))["cause"] == "LOSE_RACE"


async def test_digits_and_the_intercoms_own_words_pass_both_ways(house: House) -> None:
    door, kitchen = await house.join("door"), await house.join("kitchen")
    mine = await door.dial("/private/kitchen")
    theirs = await kitchen.ringing()
    await kitchen.verto("verto.answer", theirs, sdp=ANSWER)
    await door.heard("verto.answer")
    await kitchen.verto("verto.info", theirs, dtmf="9")
    assert await door.heard("verto.info") == {"callID": mine, "dtmf": "9"}
    await door.verto("verto.info", mine, intercom={"door": "open"})
    assert await kitchen.heard("verto.info") == {"callID": theirs, "intercom": {"door": "open"}}


async def test_what_are_no_digits_is_refused_and_the_call_goes_on(house: House) -> None:
    door, kitchen = await house.join("door"), await house.join("kitchen")
    await door.dial("/private/kitchen")
    theirs = await kitchen.ringing()
    await kitchen.verto("verto.answer", theirs, sdp=ANSWER)
    await door.heard("verto.answer")
    refused = await kitchen.verto("verto.info", theirs, dtmf="<script>")
    assert "dtmf" in refused["error"]["message"]
    await door.hears_nothing()


async def test_nobody_can_end_a_call_that_is_not_theirs(house: House) -> None:
    door, kitchen = await house.join("door"), await house.join("kitchen")
    stranger = await house.join("stranger")
    mine = await door.dial("/private/kitchen")
    theirs = await kitchen.ringing()
    for call_id in (mine, theirs):
        await stranger.verto("verto.bye", call_id)
    await kitchen.verto("verto.answer", theirs, sdp=ANSWER)
    await door.heard("verto.answer")


async def test_the_far_end_answers_a_new_offer(house: House) -> None:
    door, kitchen = await house.join("door"), await house.join("kitchen")
    mine = await door.dial("/private/kitchen")
    theirs = await kitchen.ringing()
    await kitchen.verto("verto.answer", theirs, sdp=ANSWER)
    await door.heard("verto.answer")
    import asyncio

    modifying = asyncio.create_task(door.verto("verto.modify", mine, action="updateMedia", sdp=OFFER))
    assert await kitchen.heard("verto.modify") == {"callID": theirs, "action": "updateMedia", "sdp": OFFER}
    await kitchen.verto("verto.answer", theirs, sdp=ANSWER)
    modified = await modifying
    assert modified["result"] == {"action": "updateMedia", "callID": mine, "sdp": ANSWER}


@pytest.mark.parametrize("action", [[], {"hold": 1}, None, 5, "pause"])
async def test_an_action_that_is_none_is_refused_in_words(house: House, action: object) -> None:
    door, kitchen = await house.join("door"), await house.join("kitchen")
    await door.dial("/private/kitchen")
    theirs = await kitchen.ringing()
    await kitchen.verto("verto.answer", theirs, sdp=ANSWER)
    refused = await kitchen.verto("verto.modify", theirs, action=action)
    assert "action is one of" in refused["error"]["message"]


async def test_hold_is_confirmed_and_the_far_end_is_told(house: House) -> None:
    door, kitchen = await house.join("door"), await house.join("kitchen")
    mine = await door.dial("/private/kitchen")
    theirs = await kitchen.ringing()
    await kitchen.verto("verto.answer", theirs, sdp=ANSWER)
    await door.heard("verto.answer")
    held = await kitchen.verto("verto.modify", theirs, action="hold")
    assert held["result"]["holdState"] == "held"
    assert await door.heard("verto.modify") == {"callID": mine, "action": "hold"}
    resumed = await kitchen.verto("verto.modify", theirs, action="unhold")
    assert resumed["result"]["holdState"] == "active"
