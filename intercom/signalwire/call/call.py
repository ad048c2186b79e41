"""Adds hold, transfer, members and layout to a call (protocol.md §5)."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any

from reactivex import Observable
from reactivex import operators as ops

from intercom.signalwire.call.dialog import Dialog
from intercom.signalwire.call.line import CallLine
from intercom.signalwire.call.media_monitor import MendingCall
from intercom.signalwire.call.participant import LayoutLayer, Participant, SelfParticipant
from intercom.signalwire.call.room import Room
from intercom.signalwire.errors import BadFrameError, InvalidParamsError, InvalidStateError, RpcError
from intercom.signalwire.media import ConstrainableMedia
from intercom.signalwire.observable import Happenings, Value
from intercom.signalwire.wire import messages as m

logger = logging.getLogger(__name__)


class WebRTCCall(MendingCall):
    """A call; see `SignalWire.dial` and `ClientSession.incoming_calls`."""

    def __init__(self, line: CallLine, dialog: Dialog, *, offer: str = "") -> None:
        super().__init__(line, dialog, offer=offer)
        self._room = Room(self.execute_method, self.switch)
        self._held: Value[bool] = Value(False)
        self._held.stream.subscribe(self._expect_sound)
        self._told: Happenings[m.Event] = Happenings()

    # -- hold and transfer -----------------------------------------------------------------------------

    @property
    def held(self) -> bool:
        """Whether we hold the far end."""
        return self._held.value

    @property
    def held_stream(self) -> Observable[bool]:
        """Whether we hold the far end, now and at each change."""
        return self._held.stream

    @property
    def far_held(self) -> bool:
        """Whether the far end holds us."""
        return self._far_held.value

    @property
    def far_held_stream(self) -> Observable[bool]:
        """Whether the far end holds us, now and at each change."""
        return self._far_held.stream

    @property
    def transfer_asked_stream(self) -> Observable[str]:
        """Addresses that the far end asks us to call in its place; the program decides whether to."""
        return self._transfers.stream

    async def hold(self) -> None:
        """Hold the far end."""
        await self._request(lambda dialog: dialog.hold(True))
        self._held.set(self._dialog.held)

    async def unhold(self) -> None:
        """Resume the far end."""
        await self._request(lambda dialog: dialog.hold(False))
        self._held.set(self._dialog.held)

    async def toggle_hold(self) -> None:
        """Hold the far end, or resume it."""
        await (self.unhold() if self.held else self.hold())

    async def transfer(self, destination: str) -> None:
        """Send the far end to another address."""
        await self._request(lambda dialog: dialog.transfer(destination))

    # -- members and layout ----------------------------------------------------------------------------

    @property
    def participants(self) -> tuple[Participant, ...]:
        """All members of the call that the service reports, ourselves included."""
        return self._room.participants.value

    @property
    def participants_stream(self) -> Observable[tuple[Participant, ...]]:
        """All members of the call, now and at each change."""
        return self._room.participants.stream

    @property
    def self_(self) -> SelfParticipant | None:
        """Our own member; None until the service reports it."""
        return self._room.me.value

    @property
    def self_stream(self) -> Observable[SelfParticipant | None]:
        """Our own member, now and when the service reports it."""
        return self._room.me.stream

    @property
    def capabilities(self) -> tuple[str, ...]:
        """Our capabilities as the service lists them; `self_.capabilities` reads them."""
        return self._room.capabilities.value

    @property
    def capabilities_stream(self) -> Observable[tuple[str, ...]]:
        """Our capabilities as the service lists them, now and at each change."""
        return self._room.capabilities.stream

    @property
    def layout(self) -> str:
        """The video layout."""
        return self._room.layout_name.value

    @property
    def layout_stream(self) -> Observable[str]:
        """The video layout, now and at each change."""
        return self._room.layout_name.stream

    @property
    def layout_layers(self) -> tuple[LayoutLayer, ...]:
        """The position of each member in the picture."""
        return self._room.layers.value

    @property
    def layout_layers_stream(self) -> Observable[tuple[LayoutLayer, ...]]:
        """The position of each member in the picture, now and at each change."""
        return self._room.layers.stream

    @property
    def layouts(self) -> tuple[str, ...]:
        """The available layouts; empty until `load_layouts`."""
        return self._room.layouts.value

    @property
    def layouts_stream(self) -> Observable[tuple[str, ...]]:
        """The available layouts, now and at each change."""
        return self._room.layouts.stream

    async def load_layouts(self) -> tuple[str, ...]:
        """Fetch the available layouts."""
        result = await self.execute_method(self.self_id, "call.layout.list", {})
        layouts = result.get("layouts") if isinstance(result, dict) else None
        self._room.layouts.set(tuple(str(name) for name in layouts or ()))
        return self.layouts

    async def set_layout(self, layout: str, positions: Mapping[str, str] | None = None) -> None:
        """Choose a layout, and positions in it by member id; raises `InvalidParamsError` for an unknown layout."""
        known = self.layouts or await self.load_layouts()
        if layout not in known:
            raise InvalidParamsError(f"There is no layout {layout}; there are {', '.join(known) or 'none'}.")
        await self.execute_method(self.self_id, "call.layout.set", {"layout": layout})
        members = {participant.id: participant for participant in self.participants}
        for member_id, position in (positions or {}).items():
            if member_id in members:
                await members[member_id].set_position(position)

    @property
    def locked(self) -> bool:
        """Whether the room is locked, so that nobody else may join."""
        return self._room.state.value.locked

    @property
    def recording(self) -> bool:
        """Whether the service records the call."""
        return self._room.state.value.recording

    @property
    def streaming(self) -> bool:
        """Whether the service streams the call."""
        return self._room.state.value.streaming

    @property
    def raise_hand_priority(self) -> bool:
        """Whether raised hands come first in the picture."""
        return self._room.state.value.prioritize_handraise

    @property
    def meta(self) -> Mapping[str, Any]:
        """The room's metadata, set by applications."""
        return self._room.state.value.meta

    @property
    def room_stream(self) -> Observable[Any]:
        """`locked`, `recording`, `streaming`, `meta` and more in one struct, now and at each change."""
        return self._room.state.stream

    async def toggle_lock(self) -> None:
        """Lock the room, or unlock it."""
        await self.execute_method(self.self_id, "call.unlock" if self.locked else "call.lock", {})

    # -- ourselves -------------------------------------------------------------------------------------

    async def mute(self) -> None:
        """Send silence, and report it to a service that knows members."""
        await self._mute("audio", False)

    async def unmute(self) -> None:
        """Send our audio again."""
        await self._mute("audio", True)

    async def mute_video(self) -> None:
        """Send no video."""
        await self._mute("video", False)

    async def unmute_video(self) -> None:
        """Send our video again."""
        await self._mute("video", True)

    async def set_echo_cancellation(self, enabled: bool) -> None:
        """Switch echo cancellation, at our end if the media can."""
        self._constrain("audio", {"echoCancellation": enabled})

    async def set_noise_suppression(self, enabled: bool) -> None:
        """Switch noise suppression, at our end if the media can."""
        self._constrain("audio", {"noiseSuppression": enabled})

    async def set_auto_gain_control(self, enabled: bool) -> None:
        """Switch automatic gain, at our end if the media can."""
        self._constrain("audio", {"autoGainControl": enabled})

    async def _mute(self, kind: str, on: bool) -> None:
        me = self.self_
        if me is None:
            self.switch(kind, on)
        elif kind == "audio":
            await (me.unmute() if on else me.mute())
        else:
            await (me.unmute_video() if on else me.mute_video())

    def _constrain(self, kind: str, constraints: Mapping[str, Any]) -> None:
        if not isinstance(self._media, ConstrainableMedia):
            raise InvalidStateError("This call's media cannot be told how to process its sound.")
        self._media.apply_constraints(kind, constraints)

    def _media_params_asked(self, params: dict[str, Any]) -> None:
        super()._media_params_asked(params)
        if isinstance(self._media, ConstrainableMedia):
            for kind in ("audio", "video"):
                if isinstance(params.get(kind), dict):
                    self._media.apply_constraints(kind, params[kind])

    # -- the service -----------------------------------------------------------------------------------

    async def execute_method(self, target: str | Mapping[str, str], method: str, args: Mapping[str, Any]) -> Any:
        """Run a `call.*` method on a member: an id in our own call, or {"member_id", "call_id", "node_id"}.

        Raises `RpcError` when the service refuses it.
        """
        me = {"node_id": self.node_id, "call_id": self.id, "member_id": self.self_id}
        params: dict[str, Any] = {**args, "self": me}
        if method != "call.member.position.set":
            if isinstance(target, str):
                params["target"] = {**me, "member_id": target}
            else:
                params["targets"] = [dict(target)]
        result = await self._line.execute(method, params)
        code = result.get("code", "200") if isinstance(result, dict) else "200"
        if str(code) != "200":
            number = m.ErrorObject(code if isinstance(code, int | str) else 0).number
            raise RpcError(number, str(result.get("message", ""))[:200], method=method)
        return result

    async def execute(self, method: str, params: Mapping[str, Any]) -> Any:
        """Send any request to the service and return its result."""
        return await self._line.execute(method, params)

    async def subscribe(self, event_type: str) -> Observable[m.Event]:
        """Subscribe to one more type of event on this call, and return the events as they come."""
        await self._request(lambda dialog: dialog.subscribe(event_type))
        return self.events_stream(event_type)

    @property
    def signaling_event_stream(self) -> Observable[m.Event]:
        """All events of this call, as they come."""
        return self._told.stream

    def events_stream(self, event_type: str) -> Observable[m.Event]:
        """Return the events of one type, for example "member.talking", as they come."""
        wanted: Callable[[m.Event], bool] = lambda event: event.event_type == event_type  # noqa: E731 - typed
        return self._told.stream.pipe(ops.filter(wanted))

    def receive_event(self, event: m.Event) -> None:
        """Handle an event if it is about this call."""
        super().receive_event(event)
        if not self._room.is_about(event.params, self.aliases):
            return
        if self.self_id:
            self._room.know_me(self.self_id)
        try:
            self._room.receive(event)
        except BadFrameError as error:
            self._errors.emit(error)
        self._told.emit(event)

    def _streams(self) -> list[Happenings[Any]]:
        return [*super()._streams(), *self._room.streams(), self._held, self._told]
