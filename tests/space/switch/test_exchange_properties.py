"""Whatever clients send, in whatever order, at whatever times: the exchange keeps its promises."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, multiple, rule

from intercom.space.switch.exchange import Exchange
from intercom.space.switch.outbox import Close, Send
from intercom.space.switch.sessions.undelivered import COUNT_LIMIT
from tests.space.switchboard import SDP, House, OpenGate

PEOPLE = ("door", "kitchen", "hall", "attic")


class Phone:
    """What a client knows of its calls, from the frames it got."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.protocol = ""
        self.over: set[str] = set()
        self.calls: list[str] = []
        self.pending: set[str] = set()
        self.seen: set[str] = set()


class Switchboard(RuleBasedStateMachine):
    phones: Bundle[str] = Bundle("phones")

    def __init__(self) -> None:
        super().__init__()
        self.exchange = Exchange(OpenGate(PEOPLE), House(PEOPLE), ice_servers=lambda _who, _agent: [], wall=lambda: 0.0)
        self.now = 0.0
        self.count = 0
        self.events = 0
        self.links: dict[str, Phone] = {}

    def settle(self) -> None:
        for output in self.exchange.drain():
            phone = self.links.get(output.link)
            if isinstance(output, Close):
                if phone is not None:
                    self.hang_up_link(output.link)
            elif phone is not None:
                self.read(phone, output)

    def read(self, phone: Phone, output: Send) -> None:
        frame = json.loads(output.text)
        assert frame["jsonrpc"] == "2.0"
        if "method" not in frame:
            assert ("result" in frame) != ("error" in frame)
            if frame["id"] is not None:
                assert frame["id"] in phone.pending, "answered twice, or never asked"
                phone.pending.discard(frame["id"])
            if isinstance(frame.get("result"), dict) and "protocol" in frame["result"]:
                phone.protocol = frame["result"]["protocol"]
            return
        self.events += 1
        if self.events % 3:  # every third acknowledgement is lost, and the event may come again
            ack = {"jsonrpc": "2.0", "id": frame["id"], "result": {}}
            self.exchange.received(output.link, json.dumps(ack), self.now)
        if frame["method"] == "signalwire.ping" or frame["id"] in phone.seen:
            return
        phone.seen.add(frame["id"])
        params = frame["params"]
        assert params["event_channel"] == phone.protocol
        if params["event_type"] == "webrtc.message":
            message = params["params"]
            call_id = message["params"]["callID"]
            assert call_id not in phone.over, "a call that was over spoke"
            if message["method"] == "verto.invite":
                phone.calls.append(call_id)
            if message["method"] == "verto.bye":
                phone.over.add(call_id)

    def hang_up_link(self, link: str) -> None:
        del self.links[link]
        self.exchange.disconnected(link, self.now)
        self.settle()

    def send(self, link: str, method: str, params: dict[str, Any]) -> None:
        self.count += 1
        phone = self.links[link]
        phone.pending.add(str(self.count))
        frame = {"jsonrpc": "2.0", "id": str(self.count), "method": method, "params": params}
        self.exchange.received(link, json.dumps(frame), self.now)
        self.settle()

    def verto(self, link: str, method: str, params: dict[str, Any]) -> None:
        message = {"jsonrpc": "2.0", "id": "m", "method": method, "params": params}
        self.send(link, "webrtc.verto", {"message": message})

    @initialize(target=phones)
    def everybody_is_at_home(self) -> Any:
        return multiple(*(self.connect(who) for who in PEOPLE))

    @rule(target=phones, who=st.sampled_from(PEOPLE))
    def come_home(self, who: str) -> str:
        return self.connect(who)

    def connect(self, who: str) -> str:
        self.count += 1
        link = f"link-{self.count}"
        self.links[link] = Phone(who)
        self.exchange.connected(link, self.now)
        self.send(link, "signalwire.connect", {"authentication": {"jwt_token": who}, "agent": "raw/1"})
        if link in self.links:
            self.send(link, "subscriber.online", {})
        return link

    @rule(link=phones, to=st.sampled_from(["/private/house", "/private/nobody", *(f"/private/{p}" for p in PEOPLE)]))
    def dial(self, link: str, to: str) -> None:
        if link in self.links:
            self.count += 1
            call_id = f"call-{self.count}"
            self.links[link].calls.append(call_id)
            self.verto(
                link, "verto.invite", {"dialogParams": {"callID": call_id, "destination_number": to}, "sdp": SDP}
            )

    @rule(caller=phones, callee=phones, then=st.sampled_from(["", "hold", "updateMedia", "transfer"]))
    def call_and_be_answered(self, caller: str, callee: str, then: str) -> None:
        if caller in self.links and callee in self.links:
            self.dial(caller, f"/private/{self.links[callee].name}")
            if self.links[callee].calls:
                self.say(callee, "verto.answer", "", -1)
                self.say(caller, "verto.modify", then, -1)

    @rule(
        link=phones,
        method=st.sampled_from(["verto.answer", "verto.bye", "verto.info", "verto.modify", "verto.pong", "verto.x"]),
        action=st.sampled_from(["hold", "unhold", "updateMedia", "transfer", "dance"]),
        pick=st.integers(0, 50),
    )
    def say(self, link: str, method: str, action: str, pick: int) -> None:
        phone = self.links.get(link)
        if phone is not None and phone.calls:
            call_id = phone.calls[pick % len(phone.calls)]
            if method == "verto.bye":
                phone.over.add(call_id)
            params = {
                "dialogParams": {"callID": call_id},
                "sdp": SDP,
                "dtmf": "9",
                "action": action,
                "destination": "/private/hall",
            }
            self.verto(link, method, params)

    @rule(
        link=phones, text=st.text(max_size=50) | st.sampled_from(["{}", "[]", '{"jsonrpc":"2.0","id":"q","result":1}'])
    )
    def babble(self, link: str, text: str) -> None:
        if link in self.links:
            self.exchange.received(link, text, self.now)
            self.settle()

    @rule(
        link=phones,
        method=st.sampled_from(
            ["signalwire.connect", "signalwire.reauthenticate", "webrtc.verto", "subscriber.offline"]
        ),
        params=st.dictionaries(
            st.sampled_from(["authentication", "message", "protocol", "authorization_state", "x"]),
            st.none()
            | st.text(max_size=5)
            | st.dictionaries(st.sampled_from(["method", "params"]), st.text(max_size=3)),
        ),
    )
    def send_nonsense(self, link: str, method: str, params: dict[str, Any]) -> None:
        if link in self.links:
            self.send(link, method, params)

    @rule(link=consumes(phones))
    def lose_socket(self, link: str) -> None:
        if link in self.links:
            self.hang_up_link(link)

    @rule(link=phones)
    def resume(self, link: str) -> None:
        phone = self.links.get(link)
        if phone is not None and phone.protocol:
            self.hang_up_link(link)
            self.links[link] = phone
            self.exchange.connected(link, self.now)
            self.send(
                link,
                "signalwire.connect",
                {
                    "authentication": {"jwt_token": phone.name},
                    "protocol": phone.protocol,
                    "authorization_state": phone.protocol,
                },
            )

    @rule(seconds=st.sampled_from([0.0, 0.5, 4.0, 9.9, 10.0, 30.0, 200.0]))
    def wait(self, seconds: float) -> None:
        self.now += seconds
        self.exchange.elapsed(self.now)
        self.settle()

    @invariant()
    def a_session_talks_in_one_answered_call_per_far_end(self) -> None:
        for call in self.exchange.control.calls:
            assert call.answered is None or not call.ringing
            assert call.answered is not None or call.ringing, "a call with nobody left"
            sessions = [leg.session for leg in call.legs()]
            assert len(set(map(id, sessions))) == len(sessions)

    @invariant()
    def nothing_waits_without_bound(self) -> None:
        for call in self.exchange.control.calls:
            for leg in call.legs():
                assert len(leg.session.unsent) <= COUNT_LIMIT
                assert len(leg.session.unacknowledged) <= COUNT_LIMIT

    def teardown(self) -> None:
        for link in list(self.links):
            self.hang_up_link(link)
        self.now += 1000.0
        self.exchange.elapsed(self.now)
        assert len(self.exchange.control.calls) == 0
        assert self.exchange.online() == []


TestSwitchboard = Switchboard.TestCase
TestSwitchboard.settings = settings(max_examples=60, stateful_step_count=80, deadline=None)
