"""The kernel's own deadline for the door: the kernel kills this process when the door is open too long.

A timer of the process whose signal is SIGKILL (timer_create(2)) needs nobody to run: neither this process nor its
guard, which may both be stopped. What the kernel does not do is to turn the pin off; it lets go of it, and systemd's
ExecStopPost drives it.
"""

from __future__ import annotations

import ctypes
import os
import signal

CLOCK_MONOTONIC = 1
SIGEV_SIGNAL = 0
SIGEVENT_BYTES = 64
"""Size of `struct sigevent` on Linux."""


class _SigEvent(ctypes.Structure):
    """`struct sigevent` of <signal.h>, as far as SIGEV_SIGNAL reads it."""

    _fields_ = (
        ("value", ctypes.c_void_p),
        ("signo", ctypes.c_int),
        ("notify", ctypes.c_int),
        ("rest", ctypes.c_char * (SIGEVENT_BYTES - ctypes.sizeof(ctypes.c_void_p) - 2 * ctypes.sizeof(ctypes.c_int))),
    )


class _TimerSpec(ctypes.Structure):
    """`struct itimerspec` of <time.h>."""

    _fields_ = (
        ("interval_s", ctypes.c_long),
        ("interval_ns", ctypes.c_long),
        ("value_s", ctypes.c_long),
        ("value_ns", ctypes.c_long),
    )


class KernelDeadline:
    """Kills this process by SIGKILL unless disarmed in time; raises OSError where the kernel gives no timer."""

    def __init__(self) -> None:
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._timer = ctypes.c_void_p()
        event = _SigEvent(signo=signal.SIGKILL, notify=SIGEV_SIGNAL)
        self._call(self._libc.timer_create, CLOCK_MONOTONIC, ctypes.byref(event), ctypes.byref(self._timer))

    def arm(self, seconds: float) -> None:
        """Kill this process in so many seconds from now."""
        whole = int(seconds)
        self._set(_TimerSpec(value_s=whole, value_ns=int((seconds - whole) * 1e9)))

    def disarm(self) -> None:
        """Cancel the deadline."""
        self._set(_TimerSpec())

    def close(self) -> None:
        """Delete the timer."""
        self._call(self._libc.timer_delete, self._timer)

    def _set(self, spec: _TimerSpec) -> None:
        self._call(self._libc.timer_settime, self._timer, 0, ctypes.byref(spec), None)

    def _call(self, function: object, *arguments: object) -> None:
        assert callable(function)
        if function(*arguments) != 0:
            number = ctypes.get_errno()
            raise OSError(number, f"The kernel's deadline for the door: {os.strerror(number)}")
