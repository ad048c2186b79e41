"""The exchange in memory: two lines of a test make a call, and time is a number."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from intercom.space.auth.tokens import Grant
from intercom.space.errors import TokenError
from intercom.space.store.records import Kind, Subscriber
from intercom.space.switch.exchange import Exchange
from intercom.space.switch.outbox import Close

SDP = "v=0\r\n"


class OpenGate:
    """A gate where the token is the name, and the protocol is the state that resumes it."""

    space_id = "0" * 32
    project_id = "1" * 32

    def __init__(self, people: tuple[str, ...]) -> None:
        self._people = people

    def admit(self, token: object, _proof: object, *, method: str, even_expired: bool) -> Grant:
        del method, even_expired
        if token not in self._people:
            raise TokenError("unknown")
        kind: Kind = "door" if str(token).startswith("door") else "resident"
        return Grant(Subscriber(str(token), str(token), str(token), kind), "jti", 0)

    def resume_state(self, protocol: str, _subscriber: Subscriber, _lasts_s: float) -> str:
        return protocol

    def check_resume_state(self, state: object, protocol: str, _subscriber: Subscriber) -> float:
        if state != protocol:
            raise TokenError("another session")
        return math.inf


class House:
    """Addresses: everybody's own, and a group of all but the first."""

    def __init__(self, people: tuple[str, ...]) -> None:
        self._people = people

    def ringing_at(self, name: str) -> list[str] | None:
        if name == "/private/house":
            return list(self._people[1:])
        who = name.removeprefix("/private/")
        return [who] if who in self._people else None

    def display_name(self, name: str) -> str:
        return name


class Switchboard:
    """An exchange with clients that are plain lists of what they were sent."""

    def __init__(
        self, *people: str, exchange: Exchange | None = None, agents: Mapping[str, str] = MappingProxyType({})
    ) -> None:
        self.exchange = exchange or Exchange(
            OpenGate(people), House(people), ice_servers=lambda _who, _agent: [], wall=lambda: 0.0
        )
        self.now = 0.0
        self.acknowledges = True
        self.heard: dict[str, list[dict[str, Any]]] = {}
        self.answers: dict[str, list[dict[str, Any]]] = {}
        self.closed: dict[str, str] = {}
        self.protocols: dict[str, str] = {}
        self.states: dict[str, str] = {}
        self._count = 0
        self.told: dict[str, list[tuple[str, dict[str, Any]]]] = {}
        for who in people:
            self.join(who, agent=agents.get(who, ""))

    def join(self, who: str, *, token: str = "", **connect: Any) -> None:
        """Open a link named after its subscriber, authenticate and register."""
        self.heard.setdefault(who, [])
        self.told.setdefault(who, [])
        self.answers[who] = []
        self.exchange.connected(who, self.now)
        self.rpc(who, "signalwire.connect", {"authentication": {"jwt_token": token or who}, **connect})
        self.protocols[who] = self.answers[who][-1]["result"]["protocol"]
        self.rpc(who, "subscriber.online", {})

    def connect(self, link: str, token: str, **resume: str) -> dict[str, Any]:
        """Open a link and show a token; return the answer."""
        self.heard[link], self.answers[link] = [], []
        self.exchange.connected(link, self.now)
        answer = self.rpc(link, "signalwire.connect", {"authentication": {"jwt_token": token}, **resume})
        assert answer is not None
        if "result" in answer:
            self.protocols[link] = answer["result"]["protocol"]
        return answer

    def rpc(self, who: str, method: str, params: dict[str, Any]) -> dict[str, Any] | None:
        """Send a request; return its answer, when it was answered at once."""
        self.exchange.received(who, self._frame(method, params), self.now)
        self.settle()
        found = [answer for answer in self.answers[who] if answer["id"] == str(self._count)]
        return found[0] if found else None

    def _frame(self, method: str, params: dict[str, Any]) -> str:
        self._count += 1
        return json.dumps({"jsonrpc": "2.0", "id": str(self._count), "method": method, "params": params})

    def verto(self, who: str, method: str, call_id: str, **params: Any) -> dict[str, Any] | None:
        """Send a Verto message; return the Verto answer, unwrapped, when there was one at once."""
        answer = self.rpc(who, "webrtc.verto", {"message": self._message(method, call_id, params)})
        return answer["result"]["result"] if answer else None

    def verto_frame(self, method: str, call_id: str, **params: Any) -> str:
        """Return the frame of a Verto message, for a test that hands it to the exchange itself."""
        return self._frame("webrtc.verto", {"message": self._message(method, call_id, params)})

    @staticmethod
    def _message(method: str, call_id: str, params: dict[str, Any]) -> dict[str, Any]:
        dialog = {"callID": call_id, **params.pop("dialog", {})}
        return {"jsonrpc": "2.0", "id": "m", "method": method, "params": {"dialogParams": dialog, **params}}

    def call(self, caller: str, callee: str, call_id: str = "call") -> str:
        """Make a call that is answered; return the callee's callID."""
        self.verto(caller, "verto.invite", call_id, sdp=SDP, dialog={"destination_number": f"/private/{callee}"})
        theirs = str(self.heard[callee][-1]["params"]["callID"])
        self.verto(callee, "verto.answer", theirs, sdp=SDP)
        self.forget()
        return theirs

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self.now += seconds
        self.exchange.elapsed(self.now)
        self.settle()

    def lose(self, who: str, *, left: bool = False, closed: bool = False) -> None:
        """Break a link, or let a page, or a program's end, close it."""
        self.exchange.disconnected(who, self.now, left=left, closed=closed)
        self.settle()

    def methods(self, who: str) -> list[str]:
        """The Verto methods that somebody heard."""
        return [message["method"] for message in self.heard[who]]

    def forget(self) -> None:
        """Forget what was heard so far."""
        for heard in self.heard.values():
            heard.clear()

    def settle(self) -> None:
        """Deliver what the exchange has to send."""
        for output in self.exchange.drain():
            if isinstance(output, Close):
                self.closed[output.link] = output.reason
                continue
            self.says(output.link, json.loads(output.text))

    def says(self, who: str, frame: dict[str, Any]) -> None:
        """Take a frame of the exchange, as the client at that link does."""
        if "method" not in frame:
            self.answers[who].append(frame)
            return
        if self.acknowledges or frame["method"] != "signalwire.event":
            answer = {"jsonrpc": "2.0", "id": frame["id"], "result": {}}
            self.exchange.received(who, json.dumps(answer), self.now)
        if frame["method"] != "signalwire.event":
            return
        if frame["params"]["event_type"] == "signalwire.authorization.state":
            self.states[who] = frame["params"]["params"]["authorization_state"]
        elif frame["params"]["event_type"] == "webrtc.message":
            self.heard[who].append(frame["params"]["params"])
        else:
            self.told.setdefault(who, []).append((frame["params"]["event_type"], frame["params"]["params"]))
