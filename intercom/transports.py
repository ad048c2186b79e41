"""Breaks asyncio's connections off, whatever state they are in."""

from __future__ import annotations

import asyncio
import contextlib


def break_off(transport: asyncio.WriteTransport) -> None:
    """Abort a connection at once; what waits to be sent is lost, and one that has ended stays so.

    A TLS connection that was closed twice, as aiohttp does when it stops, has let go of what it would abort: Debian
    12's Python 3.11.2 raises AttributeError there, where later ones do nothing. It ends by its limit for the far end's
    confirmation.
    """
    with contextlib.suppress(AttributeError):
        transport.abort()
