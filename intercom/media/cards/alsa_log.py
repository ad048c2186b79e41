"""Sends ALSA's own error messages to our log instead of standard error.

It prints a line at every look at a card that is away. Its errors come back as return codes all the same.
"""

from __future__ import annotations

import ctypes
import functools
import logging

log = logging.getLogger(__name__)

_Handler = ctypes.CFUNCTYPE(None, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p)
"""Type of `snd_lib_error_handler_t` in alsa/error.h: file, line, function, error, format; the format's own arguments
follow."""


def _said(file: bytes | None, line: int, function: bytes | None, error: int, form: bytes | None) -> None:
    where = (function or b"?").decode(errors="replace")
    log.debug("ALSA: %s: %s (%d)", where, (form or b"").decode(errors="replace"), error)


_HANDLER = _Handler(_said)
"""The handler that ALSA calls: the library keeps the pointer for ever, so this object must live as long."""


@functools.cache
def hush() -> None:
    """Redirect ALSA's error messages to our log, for the whole process; later calls do nothing."""
    try:
        ctypes.CDLL("libasound.so.2").snd_lib_error_set_handler(_HANDLER)
    except (OSError, AttributeError) as error:
        log.debug("ALSA's own messages go on to standard error: %s", error)
