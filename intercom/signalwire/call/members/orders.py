"""Carries out on our media what the members of a call are told: their mutes, deafness and volumes (protocol.md §5).

With the embedded space no mixer stands between the two ends, so that an end that says it does (`wire/agents.py`) sends
nothing while it is muted or nobody is to hear it, and plays the far end as loud as both are told.
"""

from __future__ import annotations

from collections.abc import Container, Sequence

from intercom.signalwire.call.media_slot import MediaSlot
from intercom.signalwire.call.members.participant import Member
from intercom.signalwire.call.mutes import Mutes
from intercom.signalwire.media import HearingMedia
from intercom.signalwire.wire.volume import factor


class Orders:
    """Carries out on one call's media what the service orders for us as a member.

    :param others_may_mute: whether another member's order silences us or changes how loud we play.
    """

    def __init__(self, mutes: Mutes, slot: MediaSlot, *, others_may_mute: bool) -> None:
        self._mutes = mutes
        self._slot = slot
        self._others_may_mute = others_may_mute
        self._gain = 1.0
        self._wanted = 1.0
        self._held = False

    def own(self, kind: str, on: bool) -> None:
        """Mute or unmute `kind` as the user wishes: that also lifts a mute by another member, never the reverse."""
        self._mutes.switch(kind, on)
        if on:
            self._mutes.switch(kind, on, "another member")

    def follow(self, me: Member, others: Sequence[Member], changed: Container[str]) -> None:
        """Carry out the members' present state, of which these fields of ours have just `changed`.

        Our video counts as muted as well while it was never asked for: only a change of it is an order.
        """
        if self._others_may_mute:
            self._mutes.switch("audio", not me.audio_muted, "another member")
            if "video_muted" in changed:
                self._mutes.switch("video", not me.video_muted, "another member")
        nobody_hears = bool(others) and all(other.deaf for other in others)
        self._mutes.switch("audio", not nobody_hears, "deaf far end")
        self._play(
            0.0 if me.deaf else self._volume(me) * min([factor(other.input_volume) for other in others] or [1.0])
        )

    def hold(self, on: bool) -> None:
        """Play nothing while the far end says that it holds us: it may go on sending, unheard as it believes."""
        self._held = on
        self._play(self._wanted)

    def _volume(self, me: Member) -> float:
        return factor(me.output_volume) if self._others_may_mute else 1.0

    def _play(self, wanted: float) -> None:
        self._wanted = wanted
        gain = 0.0 if self._held else wanted
        if gain != self._gain and isinstance(self._slot.media, HearingMedia):
            self._slot.media.set_far_gain(gain)
            self._gain = gain
