"""Chooses how far back WebRTC's canceller looks for the echo: its search costs more than its cancelling.

Its package has no setting for that. But it calls the constructor of its configuration through the table of the dynamic
linker, which takes the first library that has it among those shown to the whole process (ELF, "symbol resolution"). The
compiled module has one (`native/delay_search.c`): it calls the package's own, and changes the number of filters if that
and its neighbours are what is known. Where any of this is not so, WebRTC looks as far back as it does by itself.
"""

from __future__ import annotations

import ctypes
import threading
from functools import cache
from typing import Any

from intercom.media.native import module

LONG, SHORT = 5, 1
"""Filters that look for the delay: WebRTC's own five reach back for half a second, one for an eighth."""
PACKAGE = "pywebrtc_audio"
"""Python's package of WebRTC's audio processing."""
CONSTRUCTOR = "_ZN6webrtc20EchoCanceller3Config5DelayC1Ev"
"""Name of the constructor, by the C++ ABI."""
_choosing = threading.Lock()


@cache
def _constructor() -> int:
    """Put the compiled module's constructor before the package's, and return the address of that; 0 where it cannot be.

    It has to be the first that loads the package. ImportError when there is none.
    """
    if module.is_there():
        from intercom.media.native import _native

        ctypes.CDLL(_native.__file__, mode=ctypes.RTLD_GLOBAL)
    from pywebrtc_audio import _webrtc_audio

    theirs = getattr(ctypes.CDLL(_webrtc_audio.__file__), CONSTRUCTOR, None) if module.is_there() else None
    return 0 if theirs is None else ctypes.cast(theirs, ctypes.c_void_p).value or 0


def new_processor(filters: int, **settings: Any) -> tuple[Any, int]:
    """Return WebRTC's processing with these settings, and how many filters its canceller looks with; ImportError."""
    constructor = _constructor()
    from pywebrtc_audio import AudioProcessor

    if not constructor:
        return AudioProcessor(**settings), LONG
    from intercom.media.native import _native

    with _choosing:
        before = _native.choose_filters(constructor, filters)
        processor = AudioProcessor(**settings)
        chosen = _native.choose_filters(constructor, filters) > before
    return processor, filters if chosen else LONG
