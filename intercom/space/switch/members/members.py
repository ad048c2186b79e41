"""Tells the ends of an answered call who its members are, and each change: call.*, member.* and layout.* events.

The space has no media server, so that a room is one call: its two ends are its members. The picture that each end sees
is the far end's; the layout says where a client shows its own beside it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

import msgspec

from intercom.space.errors import RefusedError
from intercom.space.switch.calls.calls import Call, Leg
from intercom.space.switch.calls.sdp import is_reference
from intercom.space.switch.members.capabilities import capabilities
from intercom.space.switch.members.state import Membership, MemberState, Room

WHOLE: Final = {"x": 0, "y": 0, "width": 100, "height": 100}
"""The place of the far end's picture, percent."""
CORNER: Final = {"x": 74, "y": 74, "width": 24, "height": 24}
"""The place of a client's own picture, percent."""


EVENTS: Final = frozenset(
    {
        "call.joined",
        "call.state",
        "call.updated",
        "layout.changed",
        "member.joined",
        "member.left",
        "member.updated",
        "member.updated.audioMuted",
        "member.updated.videoMuted",
    }
)
"""The events of the space; every member gets them, whether subscribed or not."""
SUBSCRIBED_LIMIT: Final = 50
"""Limit of events that one verto.subscribe names."""


class Members:
    """The members of all answered calls.

    :param wall: the time of day for events, seconds since 1970.
    """

    def __init__(self, *, wall: Callable[[], float]) -> None:
        self._wall = wall

    # -- what call control tells -----------------------------------------------------------------------------

    def ringing(self, call: Call) -> None:
        """Tell the caller that the far end rings."""
        leg = call.caller
        device = {"type": "webrtc", "params": {"from": call.caller_party.number, "to": call.called.number}}
        state = {
            "call_id": leg.call_id,
            "node_id": leg.session.node_id,
            "segment_id": leg.call_id,
            "room_session_id": call.room.room_session_id,
            "call_state": "ringing",
            "direction": "outbound",
            "device": device,
        }
        self._tell(leg, "call.state", state)

    def joined(self, call: Call, answer: str) -> None:
        """Tell both ends of a call, just answered by the description `answer`, who is in it."""
        for leg, sdp in zip(talking(call), (call.sdp, answer), strict=True):
            leg.membership = Membership(MemberState(video_muted=not sends_pictures(sdp)))
        for leg in talking(call):
            self.join(leg)
        for leg in talking(call):
            self._announce(leg, "member.joined", {"member": described(leg)}, talking(call))

    def join(self, leg: Leg) -> None:
        """Tell one end of an answered call who is in it."""
        room = leg.call.room
        about = {
            "room_session": described_room(leg.call, leg),
            "call_id": leg.call_id,
            "origin_call_id": leg.call_id,
            "member_id": leg.member_id,
            "capabilities": rights_of(leg),
        }
        self._tell(leg, "call.joined", {**_names(room), **about})
        self._lay_out(leg)

    def rejoined(self, leg: Leg, offer: str) -> None:
        """Tell one end, which has come back with the description `offer`, who is in the call, and the other of it.

        The reference comes back so when its page was loaded anew: its microphone is open, whatever it was before.
        """
        before = leg.membership.state
        if is_reference(leg.session.agent):
            leg.membership = Membership(MemberState(video_muted=not sends_pictures(offer)))
        self.join(leg)
        if leg.membership.state != before:
            member = {**described(leg), "updated": _changed(before, leg.membership.state)}
            self._announce(leg, "member.updated", {"member": member}, talking(leg.call))

    def left(self, leg: Leg, reason: str) -> None:
        """Tell the other end of an answered call that this one leaves it."""
        self._announce(leg, "member.left", {"member": described(leg), "reason": reason}, talking(leg.call))

    # -- what members change -------------------------------------------------------------------------------

    def change(self, leg: Leg, changes: Mapping[str, Any]) -> None:
        """Change what is told about a member, and tell everybody."""
        before = leg.membership.state
        leg.membership = msgspec.structs.replace(leg.membership, state=msgspec.structs.replace(before, **changes))
        updated = _changed(before, leg.membership.state)
        member = {**described(leg), "updated": updated}
        for other in talking(leg.call):
            self._tell(other, "member.updated", {**_names(leg.call.room), "member": member})
        self._tell_room(leg.call)
        if not {"video_muted", "requested_position"}.isdisjoint(updated):
            self.lay_out(leg.call)

    def change_room(self, call: Call, **changes: Any) -> None:
        """Change the room of a call, and tell everybody."""
        call.room = msgspec.structs.replace(call.room, **changes)
        self._tell_room(call)
        if "layout" in changes:
            self.lay_out(call)

    def lay_out(self, call: Call) -> None:
        """Tell everybody where the pictures are."""
        for leg in talking(call):
            self._lay_out(leg)

    # -- events --------------------------------------------------------------------------------------------

    def _tell_room(self, call: Call) -> None:
        for leg in talking(call):
            self._tell(leg, "call.updated", {**_names(call.room), "room_session": described_room(call, leg)})

    def _lay_out(self, leg: Leg) -> None:
        layout = leg.call.room.layout
        layers = [_layer(index, one, leg) for index, one in enumerate(talking(leg.call))]
        about = {"layout": {"id": layout, "name": layout, "layers": layers}}
        self._tell(leg, "layout.changed", {**_names(leg.call.room), **about})

    def _announce(self, leg: Leg, event: str, about: Mapping[str, Any], among: Iterable[Leg]) -> None:
        for other in among:
            if other is not leg:
                self._tell(other, event, {**_names(leg.call.room), **about})

    def _tell(self, leg: Leg, event: str, params: dict[str, Any]) -> None:
        leg.session.send_about(event, params, self._wall())


def talking(call: Call) -> list[Leg]:
    """Return the members: both ends of an answered call."""
    return [] if call.answered is None else [call.caller, call.answered]


def far_of(leg: Leg) -> Leg:
    """Return the other member of an answered call."""
    return leg.call.others(leg)[0]


def rights_of(leg: Leg) -> list[str]:
    """Return the capabilities of a member."""
    return capabilities(leg.session.agent, far_of(leg).session.agent)


def described(leg: Leg) -> dict[str, Any]:
    """Return a member as the events describe it."""
    state = leg.membership.state
    return {
        **_names(leg.call.room),
        **msgspec.to_builtins(state),
        "member_id": leg.member_id,
        "call_id": leg.call_id,
        "node_id": leg.session.node_id,
        "name": leg.session.subscriber.display_name,
        "type": "member",
        "visible": _is_visible(state),
        "denoise": False,
        "meta": {},
        "subscriber_id": leg.session.subscriber.id,
        "address_id": "",
    }


def described_room(call: Call, leg: Leg) -> dict[str, Any]:
    """Return the room of a call as the events describe it to one end."""
    return {
        **_names(call.room),
        "event_channel": leg.session.protocol,
        "name": call.called.number,
        "display_name": call.called.name,
        "layout_name": call.room.layout,
        "recording": False,
        "streaming": False,
        "prioritize_handraise": False,
        "hide_video_muted": False,
        "locked": call.room.locked,
        "meta": {},
        "members": [described(one) for one in talking(call)],
        "recordings": [],
        "streams": [],
        "playbacks": [],
    }


def subscribed(wanted: object) -> dict[str, Any]:
    """Return the answer to a verto.subscribe: which of the wanted events the space has, and which not."""
    names = [wanted] if isinstance(wanted, str) else wanted
    if not isinstance(names, list) or len(names) > SUBSCRIBED_LIMIT or not all(isinstance(name, str) for name in names):
        raise RefusedError(f"eventChannel names up to {SUBSCRIBED_LIMIT} events")
    return {
        "subscribedChannels": [name for name in names if name in EVENTS],
        "unauthorizedChannels": [name[:64] for name in names if name not in EVENTS],
    }


def sends_pictures(sdp: str) -> bool:
    """Return whether the end that describes itself so sends pictures."""
    sections = sdp.replace("\r\n", "\n").split("\nm=")[1:]
    video = [section for section in sections if section.startswith("video ") and not section.startswith("video 0 ")]
    return any("\na=recvonly" not in section and "\na=inactive" not in section for section in video)


def _changed(before: MemberState, after: MemberState) -> list[str]:
    return [name for name in after.__struct_fields__ if getattr(before, name) != getattr(after, name)]


def _names(room: Room) -> dict[str, str]:
    return {"room_id": room.room_id, "room_session_id": room.room_session_id}


def _is_visible(state: MemberState) -> bool:
    return not state.video_muted and state.requested_position != "off-canvas"


def _layer(index: int, one: Leg, viewer: Leg) -> dict[str, Any]:
    """Return the layer of a member in the picture that `viewer` sees."""
    state, mine = one.membership.state, one is viewer
    return {
        **(CORNER if mine else WHOLE),
        "layer_index": index,
        "z_index": int(mine),
        "member_id": one.member_id,
        "playing_file": False,
        "position": state.requested_position,
        "reservation": "",
        "visible": _is_visible(state) and not (mine and one.call.room.layout == "full-screen"),
    }
