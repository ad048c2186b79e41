"""Follows a call's members, layout and room through the service's events (protocol.md §5)."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Struct, field

from intercom.signalwire.call.members.capabilities import CallCapabilities, SelfCapabilities, compute
from intercom.signalwire.call.members.methods import CallMethods
from intercom.signalwire.call.members.orders import Orders
from intercom.signalwire.call.members.participant import LayoutLayer, MemberRecord, Participant, SelfParticipant
from intercom.signalwire.errors import BadFrameError, InvalidParamsError
from intercom.signalwire.observable import Happenings, Value
from intercom.signalwire.wire import messages as m

MAX_MEMBERS = 500
"""Limit of members: a door shows no larger conference, and memory has an end."""
MAX_ROOM_SESSIONS = 8
"""Limit of room sessions kept: a call is in one room at a time, and late events belong to a few earlier ones."""


class RoomState(Struct, frozen=True):
    """The room as the service describes it."""

    layout_name: str = ""
    recording: bool = False
    streaming: bool = False
    prioritize_handraise: bool = False
    locked: bool = False
    meta: dict[str, Any] = field(default_factory=dict)


class Room:
    """The room of one call, with its members and its layout."""

    def __init__(self, methods: CallMethods, orders: Orders) -> None:
        self.state: Value[RoomState] = Value(RoomState())
        self.layout_name: Value[str] = Value("")
        self.participants: Value[tuple[Participant, ...]] = Value(())
        self.me: Value[SelfParticipant | None] = Value(None)
        self.layers: Value[tuple[LayoutLayer, ...]] = Value(())
        self.layouts: Value[tuple[str, ...]] = Value(())
        self.capabilities: Value[tuple[str, ...]] = Value(())
        self._methods = methods
        self._orders = orders
        self._members: dict[str, MemberRecord] = {}
        self._allowed = Value(CallCapabilities())
        self._session_ids: deque[str] = deque(maxlen=MAX_ROOM_SESSIONS)
        self._my_id = ""

    def is_about(self, params: Mapping[str, Any], call_ids: set[str]) -> bool:
        """Return whether an event is about this call: it names the call, or the room that the call is in."""
        names = {name for name in (params.get("call_id"), params.get("origin_call_id")) if isinstance(name, str)}
        room_session_id = params.get("room_session_id")
        in_our_room = isinstance(room_session_id, str) and room_session_id in self._session_ids
        return in_our_room or bool(names & call_ids)

    def receive(self, event: m.Event) -> None:
        """Take an event of this call; raises `BadFrameError` when it is malformed."""
        params = event.params
        match event.event_type:
            case "call.joined":
                self._joined(params)
            case "call.updated" | "room.updated" | "room.subscribed":
                self._room(_mapping(params, "room_session"))
            case "member.joined" | "member.updated" | "member.talking":
                self._member(_mapping(params, "member"))
            case "member.left":
                self._left(_mapping(params, "member"))
            case "layout.changed":
                self._layout(_mapping(params, "layout"))
        self._carry_out(event)

    def _carry_out(self, event: m.Event) -> None:
        """Carry out on our media what the event tells us as a member."""
        me = self.me.value
        if me is None:
            return
        about = event.params.get("member")
        mine = event.event_type == "member.updated" and isinstance(about, Mapping) and about.get("member_id") == me.id
        changed = about.get("updated") if mine and isinstance(about, Mapping) else None
        others = [one.state.value for member_id, one in self._members.items() if member_id != me.id]
        self._orders.follow(me.value, others, changed if isinstance(changed, list) else ())

    def know_me(self, member_id: str) -> None:
        """Note our member id from the service."""
        self._my_id = self._my_id or member_id

    @property
    def may_set_layout(self) -> bool:
        """Return whether we may choose the layout."""
        me = self.me.value
        return me is not None and me.capabilities.set_layout

    # -- what can be done ------------------------------------------------------------------------------

    async def load_layouts(self) -> tuple[str, ...]:
        """Fetch the available layouts."""
        result = await self._methods.execute_on_me("call.layout.list", {})
        layouts = result.get("layouts") if isinstance(result, dict) else None
        self.layouts.set(tuple(str(name) for name in layouts or ()))
        return self.layouts.value

    async def set_layout(self, layout: str, positions: Mapping[str, str] | None = None) -> None:
        """Choose a layout, and positions in it by member id; raises `InvalidParamsError` for an unknown layout."""
        known = self.layouts.value or await self.load_layouts()
        if layout not in known:
            raise InvalidParamsError(f"There is no layout {layout}; there are {', '.join(known) or 'none'}.")
        await self._methods.execute_on_me("call.layout.set", {"layout": layout})
        members = {participant.id: participant for participant in self.participants.value}
        for member_id, position in (positions or {}).items():
            if member_id in members:
                await members[member_id].set_position(position)

    async def toggle_lock(self) -> None:
        """Lock the room, or unlock it."""
        await self._methods.execute_on_me("call.unlock" if self.state.value.locked else "call.lock", {})

    async def switch_me(self, kind: str, on: bool) -> None:
        """Mute or unmute ourselves, and report it to a service that knows members."""
        me = self.me.value
        if me is None:
            self._orders.own(kind, on)
        elif kind == "audio":
            await (me.unmute() if on else me.mute())
        else:
            await (me.unmute_video() if on else me.mute_video())

    def streams(self) -> list[Happenings[Any]]:
        """Return all streams of the room."""
        values = (self.state, self.layout_name, self.participants, self.me, self.layers, self.layouts)
        return [*values, self.capabilities]

    # -- what the service tells ------------------------------------------------------------------------

    def _joined(self, params: Mapping[str, Any]) -> None:
        if isinstance(params.get("member_id"), str):
            self.know_me(params["member_id"])
        room_session_id = params.get("room_session_id")
        if isinstance(room_session_id, str) and room_session_id not in self._session_ids:
            self._session_ids.append(room_session_id)
        self._room(_mapping(params, "room_session"))
        flags = params.get("capabilities")
        if isinstance(flags, list):
            self.capabilities.set(tuple(flag for flag in flags if isinstance(flag, str)))
            self._allowed.set(compute(self.capabilities.value))

    def _room(self, room: Mapping[str, Any]) -> None:
        known = {name: value for name, value in room.items() if value is not None}
        merged = {**msgspec.to_builtins(self.state.value), **known}
        self.state.set(m.decode(merged, RoomState))
        self.layout_name.set(self.state.value.layout_name)
        for raw in room.get("members") or ():
            self._member(raw)

    def _member(self, raw: Any) -> None:
        if not isinstance(raw, Mapping) or not isinstance(raw.get("member_id"), str):
            raise BadFrameError("A member of a call has no id.")
        member_id = raw["member_id"]
        known = self._members.get(member_id)
        if known is not None:
            known.update(raw)
            return
        if len(self._members) >= MAX_MEMBERS:
            raise BadFrameError(f"A call has more than {MAX_MEMBERS} members; the others are not shown.")
        self._members[member_id] = record = MemberRecord(raw)
        execute = self._methods.execute
        if member_id == self._my_id:
            me = SelfParticipant(record, execute, self._orders.own, SelfCapabilities(self._allowed))
            self.me.set(me)
            self._show(me)
        else:
            self._show(Participant(record, execute))

    def _show(self, member: Participant) -> None:
        self.participants.set((*self.participants.value, member))

    def _left(self, raw: Mapping[str, Any]) -> None:
        member_id = str(raw.get("member_id"))
        if self._members.pop(member_id, None) is not None:
            self.participants.set(tuple(shown for shown in self.participants.value if shown.id != member_id))

    def _layout(self, raw: Mapping[str, Any]) -> None:
        layers = tuple(m.decode(layer, LayoutLayer) for layer in raw.get("layers") or ())
        self.layers.set(layers)
        if isinstance(raw.get("id"), str):
            self.layout_name.set(raw["id"])
        places = {layer.member_id: layer for layer in layers if layer.member_id}
        for member_id, participant in self._members.items():
            participant.place(places.get(member_id))


def _mapping(params: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = params.get(name)
    if not isinstance(value, Mapping):
        raise BadFrameError(f"An event of a call has no {name}.")
    return value
