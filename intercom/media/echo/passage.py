"""What the far end is sent of a frame: WebRTC's output without its residual echo, or the visitor, as the judge finds.

It runs in C where that is compiled: the judge's few numbers for each block took Python as long as the filter takes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from intercom.media.echo.judge import Judge
from intercom.media.echo.residual import ResidualSuppressor, fade
from intercom.media.echo.webrtc import Frame
from intercom.media.native import module


class Passage(Protocol):
    """The judge and the suppression of the residual echo; frames are whole blocks of CANCELLER_SAMPLES."""

    def sent(self, near: Frame, left: Frame, cleaned: Frame, spoken: Frame, share: float) -> tuple[Frame, float]:
        """Return what is sent of a frame, and the share of the visitor's voice at its end; `share` is that before it.

        `near` is what the microphone heard, `left` what the linear filter leaves of it, `cleaned` WebRTC's output,
        `spoken` the visitor's voice as it would be sent.
        """
        ...

    def rest(self) -> None:
        """Forget what was heard last, and keep how well the filter holds the echo: nothing is played."""
        ...

    def forget_the_background(self) -> None:
        """Listen for the door's background anew: the far end is silent."""
        ...


def open_passage() -> Passage:
    """Open the compiled one, or else Python's."""
    return CompiledPassage() if module.is_there() else PythonPassage()


class CompiledPassage:
    """The one of the compiled module, which has to be there."""

    def __init__(self) -> None:
        from intercom.media.native._native import Passage as Compiled

        compiled = Compiled()
        self._send = compiled.send
        self.rest = compiled.rest
        self.forget_the_background = compiled.forget_the_background

    def sent(self, near: Frame, left: Frame, cleaned: Frame, spoken: Frame, share: float) -> tuple[Frame, float]:
        """Return what is sent of a frame, and the share of the visitor's voice at its end."""
        sent: Frame = np.empty(len(near), np.int16)
        return sent, self._send(near, left, cleaned, spoken, share, sent)


class PythonPassage:
    """The same in Python."""

    def __init__(self) -> None:
        self._judge = Judge()
        self._residual = ResidualSuppressor()

    def sent(self, near: Frame, left: Frame, cleaned: Frame, spoken: Frame, share: float) -> tuple[Frame, float]:
        """Return what is sent of a frame, and the share of the visitor's voice at its end."""
        heard = self._judge.hears(near, left, cleaned)
        shares = [share, *[float(block.visitor) for block in heard]]
        cleaned = self._residual.suppress(cleaned, [(block.cleaned_db, block.alone_db) for block in heard])
        return mixed(cleaned, spoken, shares), shares[-1]

    def rest(self) -> None:
        """Forget what was heard last, and keep how well the filter holds the echo: nothing is played."""
        self._judge.rest()
        self._residual.rest()

    def forget_the_background(self) -> None:
        """Listen for the door's background anew: the far end is silent."""
        self._residual.rest()


def mixed(cleaned: Frame, spoken: Frame, shares: Sequence[float]) -> Frame:
    """Return two outputs of a frame in one, whose blocks begin and end with these shares of `spoken`."""
    if min(shares) == max(shares):
        return spoken if shares[0] else cleaned
    share = fade(shares)
    both: Frame = (cleaned * (1 - share) + spoken * share).astype(np.int16)
    return both
