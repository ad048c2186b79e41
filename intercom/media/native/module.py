"""Tells whether the compiled module fits this program; where it does not, Python, NumPy and libspeexdsp do its work.

It is missing where nobody compiled it. One that was made from an older source counts as missing: it would be asked for
what it does not know.
"""

from __future__ import annotations

import logging
from functools import cache

log = logging.getLogger(__name__)

VERSION = 11
"""Version of what the module offers, and of `_native.h`; both rise with every change of `_native.pyi`."""
EFFECT = "a call costs more"
"""What is different without it, as the log says it."""
MEND = "`./setup.sh` compiles it, and `sudo make install` for the service"
"""How it gets there, as the log says it."""


@cache
def is_there() -> bool:
    """Return whether the compiled module can be used; the log says once why not."""
    lack = why_not()
    if lack:
        log.info("%s: %s. %s.", lack, EFFECT, MEND)
    return not lack


def why_not() -> str:
    """Return the reason that the compiled module is not used; nothing when it is."""
    try:
        from intercom.media.native import _native
    except ImportError as error:
        return f"The sound path's compiled module is not used ({error})"
    if _native.VERSION != VERSION:
        return f"The sound path's compiled module is not used (its version is {_native.VERSION}, not {VERSION})"
    return ""
