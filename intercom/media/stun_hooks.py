"""Hooks into aioice against strangers' datagrams: pinned, and a test fails when a name goes."""

from __future__ import annotations

import struct

from aioice import Connection, stun

MOST_WAITING = 512
"""Limit of datagrams that wait for their reader: half a second of a call, and far more than a handshake has."""

_parse = stun.parse_message
_take = Connection.data_received


def read_any_datagram() -> None:
    """Make aioice survive any datagram sent to a call's port; harmless when repeated.

    Of what a STUN message that is cut within an attribute raises, it catches ValueError alone: the rest is logged with
    its traceback, each time. A datagram without a byte ends aiortc's reader, and the call with it. What waits for a
    reader that is slow, or does not read yet, has no end.
    """
    stun.parse_message = _parse_any
    Connection.data_received = _take_some  # type: ignore[method-assign]  # see the module's docstring


def _parse_any(data: bytes) -> stun.Message:
    try:
        return _parse(data)
    except (struct.error, LookupError) as error:
        raise ValueError(f"no STUN message: {error}") from error


def _take_some(self: Connection, data: bytes, component: int) -> None:
    if data and self._queue.qsize() < MOST_WAITING:
        _take(self, data, component)
