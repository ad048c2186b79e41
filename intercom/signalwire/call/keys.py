"""Sends and receives the keys of a call: by verto.info, as telephone events, and as tones in the audio."""

from __future__ import annotations

from typing import Any, Literal

from intercom.signalwire.call.dialog.run import DialogRun
from intercom.signalwire.call.digit_merge import DigitMerge, KeyPress
from intercom.signalwire.call.line import CallLine
from intercom.signalwire.call.media_slot import MediaSlot
from intercom.signalwire.errors import InvalidStateError
from intercom.signalwire.media import CallMedia, DigitMedia, KeyMedia, ToneMedia
from intercom.signalwire.observable import Happenings


class Keys:
    """The keys that either end of one call presses."""

    def __init__(self, line: CallLine, run: DialogRun, slot: MediaSlot) -> None:
        self.digits: Happenings[str] = Happenings()
        """Digits that the far end presses, one at a time."""
        self.presses: Happenings[KeyPress] = Happenings()
        """The digits with the way by which each came, and keys heard in the audio."""
        self._line = line
        self._run = run
        self._slot = slot
        self._merge = DigitMerge()

    def listen(self, media: CallMedia) -> None:
        """Receive the keys that the media reports."""
        if isinstance(media, DigitMedia):
            self._slot.follow(media.digits_stream, lambda digits: self.receive(digits, "media"))
        if isinstance(media, ToneMedia):
            self._slot.follow(media.tones_stream, self._heard_tone)

    def receive(self, digits: str, way: Literal["signalling", "media"]) -> None:
        """Report digits of the far end, unless they came by the other way before."""
        media = self._slot.media
        for digit in digits:
            if self._merge.is_new(digit, way, self._run.now()):
                echo_s = media.sent_key_s(digit) if isinstance(media, ToneMedia) else None
                self.digits.emit(digit)
                self.presses.emit(KeyPress(digit, way, echo_s))

    async def send(self, digits: str, *, way: Literal["signalling", "media"] | None = None) -> None:
        """Send digits; see `WebRTCCall.send_digits`."""
        media = self._slot.media
        if way is None:
            takes_keys = isinstance(media, KeyMedia) and media.takes_keys
            way = "signalling" if self._line.reachable or not takes_keys else "media"
        if way == "signalling":
            await self._run.request(lambda dialog: dialog.digits(digits))
            return
        digits = self._run.dialog.sendable(digits)
        if not (isinstance(media, KeyMedia) and await media.send_digits(digits)):
            raise InvalidStateError("This call's sound carries no digits (RFC 4733); send them by signalling.")

    def streams(self) -> list[Happenings[Any]]:
        """Return the streams, which end with the call."""
        return [self.digits, self.presses]

    def _heard_tone(self, tone: tuple[str, float | None]) -> None:
        digit, echo_s = tone
        if echo_s is not None or self._merge.is_new(digit, "tones", self._run.now()):
            self.presses.emit(KeyPress(digit, "tones", echo_s))
