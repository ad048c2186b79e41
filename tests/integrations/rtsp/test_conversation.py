"""The conversation without I/O: who may ask for what, and in which order."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intercom.integrations.rtsp.accounts import Account
from intercom.integrations.rtsp.conversation import (
    BACKCHANNEL,
    MOST_GUESSES,
    TIMEOUT_S,
    Conversation,
    Describe,
    Hang,
    Play,
    SetUp,
    TearDown,
)
from intercom.integrations.rtsp.digest import answer
from intercom.integrations.rtsp.streams import Kind, Offered
from intercom.integrations.rtsp.transports import Tcp, Udp
from intercom.integrations.rtsp.wire import Request

WATCHES, TALKS = Account("nvr", "secret"), Account("hall", "other secret", talk=True)
ACCOUNTS = {account.name: account for account in (WATCHES, TALKS)}
URL = "rtsp://door:8554/door"
TCP = "RTP/AVP/TCP;unicast;interleaved=0-1"


def offer(path: str, account: Account) -> Offered:
    tracks: tuple[Kind, ...] = ("video", "audio", "talk") if account.talk else ("video", "audio")
    return Offered(path, tracks)


def conversation() -> Conversation:
    return Conversation(ACCOUNTS.get, offer, now_s=0.0)


def request(method: str, url: str = URL, **headers: str) -> Request:
    return Request(method, url, {"cseq": "1", **{name.replace("_", "-"): value for name, value in headers.items()}})


def status(said: object) -> int:
    assert isinstance(said, bytes), said
    return int(said.split()[1])


def proof(talk: Conversation, account: Account, method: str = "DESCRIBE") -> str:
    challenge = talk.take(request(method), 0.0)
    assert isinstance(challenge, bytes)
    found = re.search(rb'nonce="([^"]*)"', challenge)
    assert found
    nonce = found[1].decode()
    proved = answer(account, method, {"uri": URL}, nonce)
    return f'Digest username="{account.name}", realm="intercom", nonce="{nonce}", uri="{URL}", response="{proved}"'


def admitted(account: Account = WATCHES) -> Conversation:
    talk = conversation()
    talk.take(request("DESCRIBE", authorization=proof(talk, account)), 0.0)
    assert talk.account == account
    return talk


def with_session() -> Conversation:
    talk = admitted()
    order = talk.take(request("SETUP", f"{URL}/video", transport=TCP), 0.0)
    assert isinstance(order, SetUp)
    talk.set_up(order, "told")
    return talk


def test_options_need_no_account() -> None:
    assert status(conversation().take(request("OPTIONS"), 0.0)) == 200


@pytest.mark.parametrize("method", ["DESCRIBE", "SETUP", "PLAY", "PAUSE", "TEARDOWN", "GET_PARAMETER"])
def test_everything_else_needs_one(method: str) -> None:
    assert status(conversation().take(request(method), 0.0)) == 401


def test_whoever_proves_an_account_is_asked_once() -> None:
    talk = admitted()
    assert isinstance(talk.take(request("DESCRIBE"), 0.0), Describe)


def test_a_few_wrong_passwords_end_the_connection() -> None:
    talk = conversation()
    wrong = Account("nvr", "guess")
    said = [talk.take(request("DESCRIBE", authorization=proof(talk, wrong)), 0.0) for _ in range(MOST_GUESSES)]
    assert [status(each) for each in said[:-1]] == [401] * (MOST_GUESSES - 1)
    assert isinstance(said[-1], Hang)


def test_a_proof_counts_for_its_own_connection_alone() -> None:
    recorded = proof(conversation(), WATCHES)
    assert status(conversation().take(request("DESCRIBE", authorization=recorded), 0.0)) == 401


@given(st.text(max_size=200))
def test_no_authorization_breaks_the_conversation(said: str) -> None:
    assert status(conversation().take(request("DESCRIBE", authorization=f"Digest {said}"), 0.0)) == 401


@pytest.mark.parametrize("url", [URL, f"{URL}/", "rtsp://door:8554", "rtsp://door:8554/door-pcma"])
def test_a_stream_is_described(url: str) -> None:
    assert isinstance(admitted().take(request("DESCRIBE", url), 0.0), Describe)


def test_there_is_no_other_stream() -> None:
    assert status(admitted().take(request("DESCRIBE", "rtsp://door:8554/etc/passwd"), 0.0)) == 404


def test_the_way_back_is_shown_only_to_whom_asks_for_it() -> None:
    order = admitted(TALKS).take(request("DESCRIBE"), 0.0)
    assert isinstance(order, Describe)
    assert order.offered.tracks == ("video", "audio")
    order = admitted(TALKS).take(request("DESCRIBE", require=BACKCHANNEL), 0.0)
    assert isinstance(order, Describe)
    assert order.offered.tracks == ("video", "audio", "talk")


def test_who_may_not_talk_is_told_that_there_is_no_way_back() -> None:
    assert status(admitted().take(request("DESCRIBE", require=BACKCHANNEL), 0.0)) == 551
    assert status(admitted().take(request("SETUP", f"{URL}/talk", transport=TCP), 0.0)) == 404


def test_an_unknown_feature_is_refused_by_its_name() -> None:
    said = admitted().take(request("DESCRIBE", require="implicit-play"), 0.0)
    assert isinstance(said, bytes)
    assert b"Unsupported: implicit-play" in said


def test_a_track_is_set_up_between_the_requests_or_by_udp() -> None:
    order = admitted().take(request("SETUP", f"{URL}/video", transport=TCP), 0.0)
    assert isinstance(order, SetUp)
    assert order.transport == Tcp(0, 1)
    udp = "RTP/AVP;multicast,RTP/AVP/UDP;unicast;client_port=5000-5001"
    order = admitted().take(request("SETUP", f"{URL}/audio", transport=udp), 0.0)
    assert isinstance(order, SetUp)
    assert order.transport == Udp(5000, 5001)


def test_a_second_track_gets_channels_of_its_own() -> None:
    talk = with_session()
    order = talk.take(request("SETUP", f"{URL}/audio", transport=TCP), 0.0)
    assert isinstance(order, SetUp)
    assert order.transport == Tcp(2, 3)


@pytest.mark.parametrize(
    "transport",
    ["", "RTP/AVP;multicast", "RTP/SAVP;unicast;client_port=5000-5001", "RTP/AVP;unicast", "RTP/AVP;client_port=0-1"],
)
def test_no_other_transport_is_had(transport: str) -> None:
    assert status(admitted().take(request("SETUP", f"{URL}/video", transport=transport), 0.0)) == 461


def test_nothing_plays_that_is_not_set_up() -> None:
    assert status(admitted().take(request("PLAY"), 0.0)) == 455


def test_another_session_is_not_found() -> None:
    assert status(with_session().take(request("PLAY", session="somebody-elses"), 0.0)) == 454


def test_what_is_set_up_plays_and_is_torn_down() -> None:
    talk = with_session()
    order = talk.take(request("PLAY", session=talk.session), 0.0)
    assert isinstance(order, Play)
    played = talk.played(order, {"video": 7})
    assert f"RTP-Info: url={URL}/video;seq=7".encode() in played
    assert isinstance(talk.take(request("TEARDOWN", session=talk.session), 0.0), TearDown)


def test_a_session_is_told_its_time_and_lives_while_the_client_asks() -> None:
    talk = with_session()
    said = talk.take(request("GET_PARAMETER", session=talk.session), 59.0)
    assert isinstance(said, bytes)
    assert f";timeout={TIMEOUT_S}".encode() in said
    assert not talk.is_over(59.0 + TIMEOUT_S - 1)
    assert talk.is_over(59.0 + TIMEOUT_S)


def test_an_unknown_method_is_refused_with_those_that_there_are() -> None:
    said = admitted().take(request("ANNOUNCE"), 0.0)
    assert isinstance(said, bytes)
    assert b"405" in said
    assert b"Allow: OPTIONS" in said
