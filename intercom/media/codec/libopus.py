"""libopus with buffers of ours: by the compiled module, and by ctypes where that is missing.

The binding's own `encode` and `decode` turn every sample into a Python object.
"""

from __future__ import annotations

import ctypes
import functools
from collections.abc import Callable
from typing import Any

import opuslib_next
from opuslib_next.api import info, libopus

from intercom.media.native import module
from intercom.media.sound.format import Samples

LONGEST_BYTES = 1275
"""Limit of one frame's bytes (RFC 6716 section 3.2.1)."""
Encode = Callable[[Samples], bytes | int]
"""Returns the packet of one voice's frame, or libopus' error, which is negative."""
Decode = Callable[[bytes, Samples, bool], int]
"""Writes a packet's sound into an array, with True that of the packet before it, and returns its length, or libopus'
error, which is negative."""

_encode = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int, ctypes.c_void_p, ctypes.c_int32
)(("opus_encode", libopus))
_decode = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int32, ctypes.c_void_p, ctypes.c_int, ctypes.c_int
)(("opus_decode", libopus))


def encode_with(encoder: opuslib_next.Encoder) -> Encode:
    """Return what encodes mono frames with this encoder, which has to outlive it."""
    if module.is_there():
        from intercom.media.native._native import opus_encode

        function, state = _address(_encode), _address(encoder.encoder_state)
        return functools.partial(opus_encode, function, state)
    packet = ctypes.create_string_buffer(LONGEST_BYTES)

    def encode(frame: Samples) -> bytes | int:
        size: int = _encode(encoder.encoder_state, frame.tobytes(), len(frame), packet, LONGEST_BYTES)
        return packet.raw[:size] if size >= 0 else size

    return encode


def decode_with(decoder: opuslib_next.Decoder) -> Decode:
    """Return what decodes mono packets with this decoder, which has to outlive it."""
    if module.is_there():
        from intercom.media.native._native import opus_decode

        function, state = _address(_decode), _address(decoder.decoder_state)
        return functools.partial(opus_decode, function, state)

    def decode(packet: bytes, sound: Samples, before: bool) -> int:
        at = sound.ctypes.data
        count: int = _decode(decoder.decoder_state, packet, len(packet), at, len(sound), before)
        return count

    return decode


def reason(error: int) -> str:
    """Return libopus' words for its error."""
    return str(info.strerror(error).decode("ascii"))


def _address(pointer: Any) -> int:
    return int(ctypes.cast(pointer, ctypes.c_void_p).value or 0)
