"""What ALSA's library says of its own troubles: to our log instead of standard error.

It prints a line at every look at a card that is away. Its errors come back as return codes all the same.
"""

from __future__ import annotations

import ctypes
import functools
import logging

log = logging.getLogger(__name__)

_Handler = ctypes.CFUNCTYPE(None, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p)
"""`snd_lib_error_handler_t` of alsa/error.h: file, line, function, error, format; the format's own arguments follow."""


def _said(file: bytes | None, line: int, function: bytes | None, error: int, form: bytes | None) -> None:
    where = (function or b"?").decode(errors="replace")
    log.debug("ALSA: %s: %s (%d)", where, (form or b"").decode(errors="replace"), error)


_HANDLER = _Handler(_said)
"""The library keeps the pointer for ever, so this must not go."""


@functools.cache
def hush() -> None:
    """Take over what ALSA's library says, for the whole process; the first call counts."""
    try:
        ctypes.CDLL("libasound.so.2").snd_lib_error_set_handler(_HANDLER)
    except (OSError, AttributeError) as error:
        log.debug("ALSA's own messages go on to standard error: %s", error)
