"""Wakes lgpio's thread that reports the edges of the pins.

lgpio 0.2.2 loses the wake-up of that thread when a pin is claimed between the thread's look at the list of pins and
its wait (lgPthAlerts.c, `lgPthAlert`): it then sleeps, and no edge of any pin is reported until the next wake-up. On
a busy machine a door that started so did not feel its button. The kernel keeps the edges meanwhile, with their times.
"""

from __future__ import annotations

import ctypes
import threading

from intercom.gpio_chip import Chip

WAKE_AT_S = (0.1, 0.5, 2.0, 10.0)
"""Times of the wake-ups after a pin is claimed: from the first that finds the thread waiting, it works for good."""


class AlertWaker:
    """Wakes the thread several times, until `close`.

    lgpio has no call for that alone; to close a chip includes it. Python's own binding of it would keep the
    interpreter's lock for the 0.1 s that it takes.
    """

    def __init__(self, chip: Chip) -> None:
        import lgpio

        self._lgpio = ctypes.CDLL(lgpio._lgpio.__file__)
        self._chip = chip
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._run, name="panel-alerts", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop waking it."""
        self._closed.set()
        self._thread.join()

    def _run(self) -> None:
        slept_s = 0.0
        for at_s in WAKE_AT_S:
            if self._closed.wait(at_s - slept_s):
                return
            slept_s = at_s
            handle = self._lgpio.lgGpiochipOpen(self._chip.number)
            if handle >= 0:
                self._lgpio.lgGpiochipClose(handle)
