"""Spare a process that measures the full collections that the door's own service spares itself."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def settled() -> Iterator[None]:
    """Pass over what is loaded by now, as the service does once it has started (intercom/service/memory.py).

    A process that measures has loaded the space, a browser's driver and the tests beside the door: a full collection
    of that stops every thread for a tenth of a second, the sound's too.
    """
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
