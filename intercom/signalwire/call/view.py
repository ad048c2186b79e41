"""Shows a call's state: its parties, its status, and the far end's digits and messages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reactivex import Observable

from intercom.signalwire.call.dialog import Dialog
from intercom.signalwire.call.dialog_base import FarEndKind
from intercom.signalwire.call.dialog_events import CallStatus
from intercom.signalwire.call.digit_merge import KeyPress
from intercom.signalwire.errors import SignalWireError
from intercom.signalwire.observable import Happenings, Value


class CallView:
    """The readable fields of a call."""

    def __init__(self, dialog: Dialog) -> None:
        self._dialog = dialog
        self._status: Value[CallStatus] = Value(dialog.status)
        self._digits: Happenings[str] = Happenings()
        self._keys: Happenings[KeyPress] = Happenings()
        self._info: Happenings[dict[str, Any]] = Happenings()
        self._errors: Happenings[SignalWireError] = Happenings()
        self._far_held: Value[bool] = Value(False)
        self._held_by: frozenset[str] = frozenset()
        self._transfers: Happenings[str] = Happenings()
        self._media_params: Happenings[dict[str, Any]] = Happenings()

    # -- what it is ------------------------------------------------------------------------------------

    @property
    def id(self) -> str:
        """The call's id, a UUID of the caller's."""
        return self._dialog.call_id

    @property
    def direction(self) -> str:
        """Direction of the call, "inbound" or "outbound"."""
        return self._dialog.direction

    @property
    def from_(self) -> str:
        """The address or number of the caller."""
        return self._dialog.from_

    @property
    def from_name(self) -> str:
        """The caller's display name."""
        return self._dialog.from_name

    @property
    def far_end_kind(self) -> FarEndKind:
        """The kind of the far end, as the service reports it once the far end has called or answered.

        The embedded space tells its doors from its residents' devices; SignalWire does not say.
        """
        return self._dialog.far_end_kind

    @property
    def to(self) -> str:
        """The address or number called."""
        return self._dialog.to

    @property
    def to_name(self) -> str:
        """The callee's display name."""
        return self._dialog.to_name

    @property
    def node_id(self) -> str:
        """The node of the service that holds the call."""
        return self._dialog.node_id

    @property
    def self_id(self) -> str:
        """Our member id in the call; empty until the service reports it."""
        return self._dialog.member_id

    @property
    def status(self) -> CallStatus:
        """The call's status, a string."""
        return self._status.value

    @property
    def status_stream(self) -> Observable[CallStatus]:
        """The call's status, now and at each change."""
        return self._status.stream

    @property
    def end_cause(self) -> str | None:
        """The cause of the call's end, for example "NORMAL_CLEARING" or "USER_BUSY"; None until it ends."""
        return self._dialog.end_cause

    @property
    def digits_stream(self) -> Observable[str]:
        """Digits that the far end presses, one at a time, by verto.info or telephone events."""
        return self._digits.stream

    @property
    def keys_stream(self) -> Observable[KeyPress]:
        """The digits with the way by which each came, and keys heard in the audio if that is enabled."""
        return self._keys.stream

    @property
    def info_stream(self) -> Observable[dict[str, Any]]:
        """Messages of the far end's application, sent by `send_info`."""
        return self._info.stream

    @property
    def errors_stream(self) -> Observable[SignalWireError]:
        """Errors of this call, fatal or not."""
        return self._errors.stream

    @property
    def media_params_updated_stream(self) -> Observable[dict[str, Any]]:
        """Media constraints that the service asks for: {"audio": {...}, "video": {...}}."""
        return self._media_params.stream

    @property
    def user_variables(self) -> Mapping[str, Any]:
        """Variables that the caller sent along; they may claim anything."""
        return self._dialog.user_variables

    def _far_holds(self, way: str, held: bool) -> None:
        """Note whether the far end holds us, by its "word" or by the direction of its "offer"."""
        self._held_by = self._held_by | {way} if held else self._held_by - {way}
        self._far_held.set(bool(self._held_by))
