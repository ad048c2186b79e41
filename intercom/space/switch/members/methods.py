"""Carries out the `call.*` methods of the members of a call (protocol §5): sans-I/O.

A method is answered with `{code: "200"}`, or with another code and a sentence. What a member may do stands in its
capabilities; a member is known by its own leg of the call, so that nobody acts in a call that is not theirs.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

import msgspec

from intercom.signalwire.wire.messages import CAUSE_CODES, Request
from intercom.space.errors import RefusedError
from intercom.space.switch import replies
from intercom.space.switch.calls.calls import Call, Calls, Leg
from intercom.space.switch.calls.sdp import is_reference
from intercom.space.switch.members.members import Members, far_of, rights_of, talking
from intercom.space.switch.members.state import LAYOUTS
from intercom.space.switch.sessions.sessions import Session

Params = Mapping[str, Any]

BAD_VALUE: Final = "400"
"""Code for a value that the method does not take."""
FORBIDDEN: Final = "403"
"""Code for a member without the capability."""
UNKNOWN: Final = "404"
"""Code for a call or a member that the caller of the method does not have."""
VOLUME_LIMIT: Final = 50
"""Limit of a volume, both ways."""
SENSITIVITY_LIMIT: Final = 100
"""Limit of a sensitivity. It is kept and told, and has no effect: as with the service, in a call without a mixer."""
TARGETS_LIMIT: Final = 8
"""Limit of members that one request names; a call has two."""
KINDS: Final = frozenset({"audio", "video"})
FLAGS: Final = {
    "echo_cancellation": "echoCancellation",
    "auto_gain": "autoGainControl",
    "noise_suppression": "noiseSuppression",
}
"""The audio flags, and the constraints that carry them out (W3C MediaTrackConstraints)."""
LOW_BITRATE: Final = {"width": {"ideal": 320}, "height": {"ideal": 180}, "frameRate": {"max": 10}}
"""Constraints of a camera at a low bit rate."""
FULL_BITRATE: Final = {"width": {"ideal": 1280}, "height": {"ideal": 720}, "frameRate": {"max": 30}}
"""Constraints of a camera otherwise."""

_POSITION: Final = re.compile(r"auto|off-canvas|playback|full-screen|(reserved|standard)-[0-9]{1,3}")


class End(Protocol):
    """Ends a call; call control does."""

    def __call__(self, call: Call, cause: tuple[str, int], *, but: Leg | None = None) -> None:
        """Tell all ends, but one, that the call is over."""


class MemberRefusedError(RefusedError):
    """A method on a member cannot be carried out."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class _Change:
    """A method that changes what is told about a member."""

    needs: Callable[[Params], list[str]]
    "The capabilities that it needs, without `self.` or `member.`."
    changes: Callable[[Params], dict[str, Any]]
    "The fields that it sets."


class MemberMethods:
    """The `call.*` methods of all calls.

    :param end: ends a call.
    :param wall: the time of day for events, seconds since 1970.
    """

    def __init__(self, calls: Calls, members: Members, *, end: End, wall: Callable[[], float]) -> None:
        self._calls = calls
        self._members = members
        self._end = end
        self._wall = wall
        self._others: dict[str, Callable[[Leg, Params], dict[str, Any] | None]] = {
            "call.layout.list": self._list_layouts,
            "call.layout.set": self._set_layout,
            "call.lock": lambda leg, _: self._lock(leg, locked=True),
            "call.unlock": lambda leg, _: self._lock(leg, locked=False),
            "call.member.position.set": self._place,
            "call.member.remove": self._remove,
            "call.end": self._end_call,
        }

    def __contains__(self, method: str) -> bool:
        """Return whether there is such a method."""
        return method in CHANGES or method in self._others

    def carry_out(self, session: Session, request: Request) -> None:
        """Carry out a method, and answer it."""
        try:
            leg = self._own_leg(session, request.params)
            value = None
            if request.method in CHANGES:
                self._change(leg, request.method, request.params)
            else:
                value = self._others[request.method](leg, request.params)
        except MemberRefusedError as refusal:
            session.send(replies.result(request.id, {"code": refusal.code, "message": str(refusal)}))
            return
        session.send(replies.result(request.id, {"code": "200", "message": "OK", **(value or {})}))

    def _own_leg(self, session: Session, params: Params) -> Leg:
        call_id = _mapping(params.get("self")).get("call_id")
        leg = self._calls.leg(session, call_id) if isinstance(call_id, str) else None
        if leg is None or leg.call.answered is None or leg not in talking(leg.call):
            raise MemberRefusedError(UNKNOWN, "You are in no such call.")
        return leg

    # -- what is told about a member -----------------------------------------------------------------------

    def _change(self, leg: Leg, method: str, params: Params) -> None:
        change = CHANGES[method]
        needs, changes = change.needs(params), change.changes(params)
        targets = _targets(leg, params)
        for target in targets:
            for name in needs:
                _require(leg, target, name)
            if target is not leg and not _muted_itself(target).isdisjoint(_unmuted(changes)):
                raise MemberRefusedError(FORBIDDEN, "They muted themselves; only they can undo it.")
        for target in targets:
            self._note_own_mutes(leg, target, changes)
            self._members.change(target, changes)
            self._constrain(target, method)

    def _note_own_mutes(self, leg: Leg, target: Leg, changes: Mapping[str, Any]) -> None:
        own = target.membership.own_mutes
        for kind in KINDS:
            muted = changes.get(f"{kind}_muted")
            if muted is False:
                own -= {kind}
            elif muted is True and target is leg:
                own |= {kind}
        target.membership = msgspec.structs.replace(target.membership, own_mutes=own)

    def _constrain(self, target: Leg, method: str) -> None:
        """Have the reference client apply what was set: it takes constraints from the service."""
        state = target.membership.state
        if not is_reference(target.session.agent):
            return
        if method == "call.audioflags.set":
            audio = {theirs: getattr(state, name) for name, theirs in FLAGS.items()}
            target.tell("verto.mediaParams", {"mediaParams": {"audio": audio}}, self._wall())
        elif method == "call.lowbitrate.set":
            video = LOW_BITRATE if state.lowbitrate else FULL_BITRATE
            target.tell("verto.mediaParams", {"mediaParams": {"video": video}}, self._wall())

    # -- the room ------------------------------------------------------------------------------------------

    def _list_layouts(self, _leg: Leg, _params: Params) -> dict[str, Any]:
        return {"layouts": list(LAYOUTS)}

    def _set_layout(self, leg: Leg, params: Params) -> None:
        layout = params.get("layout")
        if layout not in LAYOUTS:
            raise MemberRefusedError(BAD_VALUE, f"layout is one of {', '.join(LAYOUTS)}.")
        self._members.change_room(leg.call, layout=layout)

    def _lock(self, leg: Leg, *, locked: bool) -> None:
        self._members.change_room(leg.call, locked=locked)

    def _place(self, leg: Leg, params: Params) -> None:
        places = params.get("targets")
        if not isinstance(places, list) or not 0 < len(places) <= TARGETS_LIMIT:
            raise MemberRefusedError(BAD_VALUE, f"targets holds 1 to {TARGETS_LIMIT} of {{target, position}}.")
        wanted: list[tuple[Leg, str]] = []
        for place in map(_mapping, places):
            position = place.get("position")
            if not isinstance(position, str) or not _POSITION.fullmatch(position):
                raise MemberRefusedError(BAD_VALUE, "position is auto, reserved-0, standard-0, off-canvas or the like.")
            wanted.append((_member(leg, place.get("target")), position))
        for target, position in wanted:
            self._members.change(target, {"requested_position": position})

    def _remove(self, leg: Leg, params: Params) -> None:
        targets = _targets(leg, params)
        for target in targets:
            _require(leg, target, "remove")
        self._members.left(targets[0], "removed")
        self._end(leg.call, ("NORMAL_CLEARING", CAUSE_CODES["NORMAL_CLEARING"]))

    def _end_call(self, leg: Leg, params: Params) -> None:
        _targets(leg, params)
        self._members.left(leg, "NORMAL_CLEARING")
        self._end(leg.call, ("NORMAL_CLEARING", CAUSE_CODES["NORMAL_CLEARING"]))


# -- values ------------------------------------------------------------------------------------------------


def _kinds(params: Params) -> list[str]:
    kinds = params.get("channels")
    if (
        not isinstance(kinds, list)
        or not 0 < len(kinds) <= len(KINDS)
        or not all(isinstance(kind, str) and kind in KINDS for kind in kinds)
    ):
        raise MemberRefusedError(BAD_VALUE, "channels names audio, video or both.")
    return kinds


def _muting(*, on: bool) -> _Change:
    return _Change(
        lambda params: [f"mute.{kind}" for kind in _kinds(params)],
        lambda params: {f"{kind}_muted": on for kind in _kinds(params)},
    )


def _fixed(capability: str, **fields: Any) -> _Change:
    return _Change(lambda _: [capability], lambda _: fields)


def _number(name: str, field: str, lowest: float, highest: float, capability: str = "") -> _Change:
    def changes(params: Params) -> dict[str, Any]:
        value = params.get(name)
        if isinstance(value, bool) or not isinstance(value, int | float) or not lowest <= value <= highest:
            raise MemberRefusedError(BAD_VALUE, f"{name} is a number from {lowest:g} to {highest:g}.")
        return {field: value}

    return _Change(lambda _: [capability] if capability else [], changes)


def _audio_flags(params: Params) -> dict[str, Any]:
    flags = {name: params[name] for name in FLAGS if name in params}
    if not flags or not all(isinstance(value, bool) for value in flags.values()):
        raise MemberRefusedError(BAD_VALUE, f"{', '.join(FLAGS)} are true or false.")
    return flags


def _low_bitrate(params: Params) -> dict[str, Any]:
    if not isinstance(params.get("lowbitrate"), bool):
        raise MemberRefusedError(BAD_VALUE, "lowbitrate is true or false.")
    return {"lowbitrate": params["lowbitrate"]}


CHANGES: Final[Mapping[str, _Change]] = {
    "call.mute": _muting(on=True),
    "call.unmute": _muting(on=False),
    "call.deaf": _fixed("deaf", deaf=True),
    "call.undeaf": _fixed("deaf", deaf=False),
    "call.raisehand": _fixed("raisehand", handraised=True),
    "call.lowerhand": _fixed("raisehand", handraised=False),
    "call.audioflags.set": _Change(lambda _: ["audioflags.set"], _audio_flags),
    "call.lowbitrate.set": _Change(lambda _: ["lowbitrate.set"], _low_bitrate),
    "call.microphone.volume.set": _number(
        "volume", "input_volume", -VOLUME_LIMIT, VOLUME_LIMIT, "microphone.volume.set"
    ),
    "call.speaker.volume.set": _number("volume", "output_volume", -VOLUME_LIMIT, VOLUME_LIMIT, "speaker.volume.set"),
    "call.microphone.sensitivity.set": _number("sensitivity", "input_sensitivity", 0, SENSITIVITY_LIMIT),
}
"""The methods that change what is told about a member."""


# -- members -----------------------------------------------------------------------------------------------


def _targets(leg: Leg, params: Params) -> list[Leg]:
    """Return the members that a method is for; the caller of the method where it names none."""
    if "targets" not in params:
        return [_member(leg, params["target"])] if "target" in params else [leg]
    targets = params["targets"]
    if not isinstance(targets, list) or not 0 < len(targets) <= TARGETS_LIMIT:
        raise MemberRefusedError(BAD_VALUE, f"targets holds 1 to {TARGETS_LIMIT} members.")
    return [_member(leg, target) for target in targets]


def _member(leg: Leg, target: object) -> Leg:
    member_id = _mapping(target).get("member_id")
    found = next((one for one in talking(leg.call) if one.member_id == member_id), None)
    if found is None:
        raise MemberRefusedError(UNKNOWN, "There is no such member in your call.")
    return found


def _require(leg: Leg, target: Leg, name: str) -> None:
    capability = f"{'self' if target is leg else 'member'}.{name}"
    if capability not in rights_of(leg):
        whom = "yourself" if target is leg else far_of(leg).session.subscriber.display_name
        raise MemberRefusedError(FORBIDDEN, f"You may not do this to {whom}: {capability} is not among your rights.")


def _muted_itself(target: Leg) -> frozenset[str]:
    return target.membership.own_mutes


def _unmuted(changes: Mapping[str, Any]) -> set[str]:
    return {kind for kind in KINDS if changes.get(f"{kind}_muted") is False}


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
