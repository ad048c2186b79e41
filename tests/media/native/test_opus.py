"""What C asks of libopus is what ctypes asks of it: the same packets, the same sound, the same errors.

`test_sanitized.py` runs these once more in a build that notices each byte beside the buffers.
"""

from __future__ import annotations

import ctypes

import numpy as np
import opuslib_next
import pytest
from hypothesis import given
from hypothesis import strategies as st

from intercom.media.codec import libopus
from intercom.media.native import module
from intercom.media.sound.format import Samples

if module.why_not():
    pytest.skip(module.why_not(), allow_module_level=True)

from intercom.media.native import _native


def noise(seed: int, loudness: int, samples: int) -> Samples:
    return np.random.default_rng(seed).integers(-loudness, loudness, samples, np.int16, endpoint=True)


FRAMES = st.builds(
    noise,
    st.integers(0, 2**32 - 1),
    st.sampled_from([0, 1, 3_000, 32_767]),
    st.sampled_from([0, 1, 40, 159, 160, 320, 640, 960, 2_000]),
)
MADE = [bytes([kind << 3 | code]) for kind in range(32) for code in range(4)]


def both(monkeypatch: pytest.MonkeyPatch, is_there: bool) -> None:
    monkeypatch.setattr(module, "is_there", lambda: is_there)


def encoders() -> tuple[libopus.Encode, libopus.Encode, object]:
    """Return one way and the other, with an encoder each, and what keeps the encoders."""
    kept = [opuslib_next.Encoder(16_000, 1, "voip") for _ in range(2)]
    with pytest.MonkeyPatch.context() as patch:
        both(patch, True)
        compiled = libopus.encode_with(kept[0])
        both(patch, False)
        return compiled, libopus.encode_with(kept[1]), kept


def decoders() -> tuple[libopus.Decode, libopus.Decode, object]:
    """Return one way and the other, with a decoder each, and what keeps the decoders."""
    kept = [opuslib_next.Decoder(48_000, 1) for _ in range(2)]
    with pytest.MonkeyPatch.context() as patch:
        both(patch, True)
        compiled = libopus.decode_with(kept[0])
        both(patch, False)
        return compiled, libopus.decode_with(kept[1]), kept


@given(frames=st.lists(FRAMES, max_size=5))
def test_any_sound_makes_the_same_packets_or_the_same_errors(frames: list[Samples]) -> None:
    compiled, by_ctypes, _ = encoders()
    for frame in frames:
        assert compiled(frame) == by_ctypes(frame)


@given(
    packets=st.lists(
        st.tuples(
            st.binary(max_size=60) | st.builds(bytes.__add__, st.sampled_from(MADE), st.binary(max_size=40)),
            st.sampled_from([0, 1, 120, 480, 959, 960, 2880, 5760]),
            st.booleans(),
        ),
        max_size=6,
    )
)
def test_any_packet_makes_the_same_sound_or_the_same_errors(packets: list[tuple[bytes, int, bool]]) -> None:
    compiled, by_ctypes, _ = decoders()
    for packet, samples, before in packets:
        heard, known = np.zeros((2, samples), np.int16)
        assert compiled(packet, heard, before) == by_ctypes(packet, known, before)
        assert heard.tolist() == known.tolist()


def test_a_voice_comes_back_as_loud_as_it_was_said() -> None:
    encode, _, _kept = encoders()
    decode, _, _also_kept = decoders()
    said = (8_000 * np.sin(2 * np.pi * 440 / 16_000 * np.arange(320))).astype(np.int16)
    heard = np.zeros(960, np.int16)
    for _ in range(5):
        packet = encode(said)
        assert isinstance(packet, bytes)
        assert decode(packet, heard, False) == 960
    assert np.sqrt(np.mean(heard.astype(float) ** 2)) == pytest.approx(8_000 / np.sqrt(2), rel=0.1)


@pytest.mark.parametrize("addresses", [(0, 1), (1, 0)])
def test_no_address_is_no_function(addresses: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="an address is not 0"):
        _native.opus_encode(*addresses, np.zeros(320, np.int16))
    with pytest.raises(ValueError, match="an address is not 0"):
        _native.opus_decode(*addresses, b"", np.zeros(960, np.int16), False)


def test_an_array_of_something_else_is_refused() -> None:
    function = ctypes.cast(libopus._encode, ctypes.c_void_p).value
    assert function is not None
    with pytest.raises(TypeError, match="an array of type 'h' is wanted"):
        _native.opus_encode(function, function, np.zeros(320, np.float32))  # type: ignore[arg-type]  # what is tried
