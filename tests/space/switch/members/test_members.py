"""A call has members: who is told what of whom, and what a member may do to itself and to the other."""

from __future__ import annotations

from typing import Any

import pytest

from intercom.signalwire.wire.agents import agent_of
from intercom.space.switch.members.capabilities import capabilities
from tests.space.switchboard import SDP, Switchboard

OURS = agent_of("intercom/1", mutable=True)
LOCKED = agent_of("intercom/1", mutable=False)
REFERENCE = "signalwire-js/4.0.0"


class Talk:
    """A call between a phone and a door, and what a test says in it."""

    def __init__(self, phone: str = OURS, door: str = OURS) -> None:
        self.board = Switchboard("phone", "door", "stranger", agents={"phone": phone, "door": door})
        self.ids = {"phone": "call", "door": self.board.call("phone", "door")}
        joined = {who: dict(self.board.told[who])["call.joined"] for who in ("phone", "door")}
        self.members = {who: str(about["member_id"]) for who, about in joined.items()}
        self.capabilities = {who: list(about["capabilities"]) for who, about in joined.items()}
        self.joined = joined

    def does(self, who: str, method: str, whom: str = "", **params: Any) -> dict[str, Any]:
        """Run a method as the reference client does; return its result."""
        me = {"node_id": "", "call_id": self.ids[who], "member_id": self.members[who]}
        target = {**me, "member_id": self.members[whom or who]}
        self.board.told = {one: [] for one in self.board.told}
        self.board.heard = {one: [] for one in self.board.heard}
        answer = self.board.rpc(who, method, {"self": me, "target": target, **params})
        assert answer is not None
        result: dict[str, Any] = answer["result"]
        return result

    def told(self, who: str, event: str) -> list[dict[str, Any]]:
        """What somebody was told by the last method."""
        return [params for name, params in self.board.told[who] if name == event]


def test_both_ends_of_an_answered_call_are_told_its_members_and_then_the_layout() -> None:
    talk = Talk()
    for who, other in (("phone", "door"), ("door", "phone")):
        about = talk.joined[who]
        assert about["call_id"] == about["origin_call_id"] == talk.ids[who]
        members = {member["name"]: member for member in about["room_session"]["members"]}
        assert members.keys() == {"phone", "door"}
        assert members[who]["member_id"] == talk.members[who]
        assert members[other]["call_id"] == talk.ids[other]
        assert [name for name, _ in talk.board.told[who]][-3:] == ["call.joined", "layout.changed", "member.joined"]


def test_the_caller_is_told_that_the_far_end_rings_before_it_is_answered() -> None:
    board = Switchboard("phone", "door")
    board.verto("phone", "verto.invite", "call", sdp=SDP, dialog={"destination_number": "/private/door"})
    assert [(name, params["call_state"]) for name, params in board.told["phone"]] == [("call.state", "ringing")]


def test_a_member_that_sends_no_pictures_is_told_as_one_without() -> None:
    board = Switchboard("phone", "door")
    both = "v=0\r\nm=audio 9 X 0\r\nm=video 9 X 0\r\na=sendrecv\r\n"
    watching = both.replace("sendrecv", "recvonly")
    board.verto("phone", "verto.invite", "call", sdp=watching, dialog={"destination_number": "/private/door"})
    board.verto("door", "verto.answer", board.heard["door"][-1]["params"]["callID"], sdp=both)
    members = dict(board.told["phone"])["call.joined"]["room_session"]["members"]
    assert {member["name"]: member["video_muted"] for member in members} == {"phone": True, "door": False}


def test_a_member_that_hangs_up_has_left_before_the_call_is_over() -> None:
    talk = Talk()
    talk.board.verto("phone", "verto.bye", "call")
    name, params = talk.board.told["door"][-1]
    assert (name, params["member"]["member_id"]) == ("member.left", talk.members["phone"])


def test_a_mute_is_answered_and_everybody_is_told_what_changed() -> None:
    talk = Talk()
    assert talk.does("phone", "call.mute", channels=["audio"])["code"] == "200"
    for who in ("phone", "door"):
        (update,) = talk.told(who, "member.updated")
        assert update["member"]["updated"] == ["audio_muted"]
        assert update["member"]["member_id"] == talk.members["phone"]
        assert (update["member"]["audio_muted"], update["member"]["video_muted"]) == (True, True)
        assert talk.told(who, "call.updated")[0]["room_session"]["members"][0]["audio_muted"] is True


@pytest.mark.parametrize(
    ("on", "off", "field", "params"),
    [
        ("call.mute", "call.unmute", "audio_muted", {"channels": ["audio"]}),
        ("call.deaf", "call.undeaf", "deaf", {}),
        ("call.raisehand", "call.lowerhand", "handraised", {}),
    ],
)
def test_what_is_switched_on_is_switched_off_again(on: str, off: str, field: str, params: dict[str, Any]) -> None:
    talk = Talk()
    for method, expected in ((on, True), (off, False)):
        assert talk.does("phone", method, **params)["code"] == "200"
        assert talk.told("door", "member.updated")[0]["member"][field] is expected


def test_a_member_that_muted_itself_is_unmuted_by_nobody_else() -> None:
    talk = Talk()
    talk.does("door", "call.mute", channels=["audio"])
    assert talk.does("phone", "call.unmute", "door", channels=["audio"])["code"] == "403"
    assert talk.does("door", "call.unmute", channels=["audio"])["code"] == "200"


def test_a_member_that_was_muted_by_another_is_unmuted_by_them() -> None:
    talk = Talk()
    assert talk.does("phone", "call.mute", "door", channels=["audio", "video"])["code"] == "200"
    assert talk.does("phone", "call.unmute", "door", channels=["audio"])["code"] == "200"
    assert talk.told("door", "member.updated")[0]["member"]["audio_muted"] is False


@pytest.mark.parametrize("agent", [LOCKED, REFERENCE, "somebody/1"])
def test_an_end_that_does_not_let_itself_be_muted_by_others_is_not_muted(agent: str) -> None:
    talk = Talk(door=agent)
    assert talk.does("phone", "call.mute", "door", channels=["audio"])["code"] == "403"
    assert talk.told("door", "member.updated") == []
    assert "member.mute.audio" not in talk.capabilities["phone"]


@pytest.mark.parametrize("volume", [-50, 0, 12.5, 50])
@pytest.mark.parametrize("device", ["microphone", "speaker"])
def test_a_volume_within_the_range_is_told(device: str, volume: float) -> None:
    talk = Talk()
    assert (
        talk.does("phone", f"call.{device}.volume.set", volume=volume + 1 if volume == 0 else volume)["code"] == "200"
    )


@pytest.mark.parametrize("volume", [-51, 50.5, "10", None, True, 1e308])
def test_a_volume_out_of_the_range_is_refused_by_a_code(volume: object) -> None:
    talk = Talk()
    assert talk.does("phone", "call.microphone.volume.set", volume=volume)["code"] == "400"
    assert talk.board.told["door"] == []


@pytest.mark.parametrize("channels", [None, [], "audio", ["audio", "audio", "audio"], ["smell"], [["audio"]]])
def test_a_mute_of_no_channel_is_refused_by_a_code(channels: object) -> None:
    assert Talk().does("phone", "call.mute", channels=channels)["code"] == "400"


def test_the_audio_flags_reach_the_reference_clients_own_microphone() -> None:
    talk = Talk(phone=REFERENCE)
    flags: dict[str, Any] = {"echo_cancellation": False, "auto_gain": True, "noise_suppression": False}
    assert talk.does("phone", "call.audioflags.set", **flags)["code"] == "200"
    told = [message["params"] for message in talk.board.heard["phone"] if message["method"] == "verto.mediaParams"]
    wanted = {"echoCancellation": False, "autoGainControl": True, "noiseSuppression": False}
    assert [params["mediaParams"] for params in told] == [{"audio": wanted}]


def test_a_low_bit_rate_reaches_the_reference_clients_own_camera() -> None:
    talk = Talk(phone=REFERENCE)
    talk.does("phone", "call.lowbitrate.set", lowbitrate=True)
    assert talk.board.heard["phone"][-1]["params"]["mediaParams"]["video"]["frameRate"] == {"max": 10}


def test_the_layouts_are_listed_and_a_chosen_one_is_told_to_everybody() -> None:
    talk = Talk()
    layouts = talk.does("phone", "call.layout.list")["layouts"]
    assert "full-screen" in layouts
    assert talk.does("phone", "call.layout.set", layout="full-screen")["code"] == "200"
    assert talk.told("door", "layout.changed")[0]["layout"]["id"] == "full-screen"
    assert talk.does("phone", "call.layout.set", layout="5x5")["code"] == "400"


def test_a_room_is_locked_and_unlocked() -> None:
    talk = Talk()
    for method, locked in (("call.lock", True), ("call.unlock", False)):
        assert talk.does("phone", method)["code"] == "200"
        assert talk.told("door", "call.updated")[0]["room_session"]["locked"] is locked


def test_a_member_is_placed_in_the_picture() -> None:
    talk = Talk()
    place = {"target": {"member_id": talk.members["door"]}, "position": "off-canvas"}
    assert talk.does("phone", "call.member.position.set", targets=[place])["code"] == "200"
    layers = {layer["member_id"]: layer for layer in talk.told("phone", "layout.changed")[0]["layout"]["layers"]}
    assert layers[talk.members["door"]]["position"] == "off-canvas"
    place["position"] = "under the table"
    assert talk.does("phone", "call.member.position.set", targets=[place])["code"] == "400"


@pytest.mark.parametrize("method", ["call.end", "call.member.remove"])
def test_a_call_that_a_member_ends_is_over_for_both(method: str) -> None:
    talk = Talk()
    assert talk.does("phone", method, "door", targets=[{"member_id": talk.members["door"]}])["code"] == "200"
    assert [talk.board.methods(who) for who in ("phone", "door")] == [["verto.bye"], ["verto.bye"]]


def test_a_member_that_cannot_be_heard_away_is_not_offered_deafness() -> None:
    assert "self.deaf" not in capabilities(REFERENCE, REFERENCE)
    assert "self.deaf" in capabilities(REFERENCE, OURS)
    assert {"screenshare", "device"}.isdisjoint(capabilities(OURS, OURS))


def test_a_subscription_is_answered_with_what_the_space_has() -> None:
    talk = Talk()
    message = {
        "id": "1",
        "method": "verto.subscribe",
        "params": {"sessid": "call", "eventChannel": ["call.joined", "x"]},
    }
    answer = talk.board.rpc("phone", "webrtc.verto", {"callID": "call", "message": message})
    assert answer is not None
    assert answer["result"]["result"]["result"] == {
        "subscribedChannels": ["call.joined"],
        "unauthorizedChannels": ["x"],
    }


def test_a_page_that_was_loaded_anew_is_told_its_members_again() -> None:
    talk = Talk()
    talk.does("phone", "call.mute", channels=["audio"])
    talk.board.told["phone"].clear()
    talk.board.verto("phone", "verto.invite", "call", sdp=SDP, dialog={"reattaching": True})
    about = dict(talk.board.told["phone"])["call.joined"]
    assert about["member_id"] == talk.members["phone"]
    assert about["room_session_id"] == talk.joined["phone"]["room_session_id"]


def test_a_reference_page_that_was_loaded_anew_is_told_as_open_to_both() -> None:
    """Its microphone is: who had muted it would otherwise be told that nobody hears it."""
    talk = Talk(phone=REFERENCE)
    talk.does("phone", "call.mute", channels=["audio"])
    talk.board.told = {who: [] for who in talk.board.told}
    talk.board.verto("phone", "verto.invite", "call", sdp=SDP, dialog={"reattaching": True})
    members = {
        member["member_id"]: member
        for member in dict(talk.board.told["phone"])["call.joined"]["room_session"]["members"]
    }
    assert members[talk.members["phone"]]["audio_muted"] is False
    [update] = talk.told("door", "member.updated")
    assert update["member"]["member_id"] == talk.members["phone"]
    assert "audio_muted" in update["member"]["updated"]
    assert update["member"]["audio_muted"] is False
