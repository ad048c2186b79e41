"""Carries out what the echo and its caller are told as the members of a call: mutes, deafness and volumes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from intercom.signalwire.wire.volume import factor


class EchoMember:
    """The echo as a member of one call."""

    def __init__(self, call_id: str) -> None:
        self._call_id = call_id
        self._my_id = ""
        self._room = ""
        self._members: dict[str, Mapping[str, Any]] = {}
        self.gain = 1.0
        """The factor of the sound that goes back; 0 while one of the two is muted or deaf."""

    def receive(self, event_type: str, params: Mapping[str, Any]) -> None:
        """Take an event of the space; those of other calls change nothing."""
        if event_type == "call.joined" and params["call_id"] == self._call_id:
            self._my_id, self._room = params["member_id"], params["room_session_id"]
            self._members = {member["member_id"]: member for member in params["room_session"]["members"]}
        elif event_type == "member.updated" and params["room_session_id"] == self._room:
            self._members[params["member"]["member_id"]] = params["member"]
        self.gain = self._gain()

    def _gain(self) -> float:
        if any(member["audio_muted"] or member["deaf"] for member in self._members.values()):
            return 0.0
        heard = {"output_volume" if known == self._my_id else "input_volume": m for known, m in self._members.items()}
        gain = 1.0
        for name, member in heard.items():
            gain *= factor(member[name])
        return gain
