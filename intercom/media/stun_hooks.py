"""What aioice must be told about datagrams that only look like STUN: pinned, and a test fails when its name goes."""

from __future__ import annotations

import struct

from aioice import stun

_parse = stun.parse_message


def read_any_datagram() -> None:
    """Let aioice take a STUN message that is cut within an attribute for none; harmless when it does already.

    It catches ValueError alone: what else a stranger's datagram raises is logged with its traceback, each time.
    """
    stun.parse_message = _parse_any


def _parse_any(data: bytes) -> stun.Message:
    try:
        return _parse(data)
    except (struct.error, LookupError) as error:
        raise ValueError(f"no STUN message: {error}") from error
