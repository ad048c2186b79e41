"""The linear filter in C leaves what libspeexdsp's leaves: the judge of double talk was set by that one."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from intercom.media.echo.linear import CompiledFilter, LinearFilter, SpeexFilter
from intercom.media.echo.webrtc import CANCELLER_HZ, CANCELLER_SAMPLES, Frame
from intercom.media.native import module
from intercom.media.sound.format import level_db
from intercom.media.sound.sound_file import load_sound
from tests.media.native.sound import sounds

if module.why_not():
    pytest.skip(module.why_not(), allow_module_level=True)

SECONDS = 20
APART_DB, LEAST_DB = -50.0, -90.0
"""Limits of the difference: against the echo that the oracle takes away, and of what rounds apart in silence."""
FRAMES = st.integers(0, 3).map(lambda blocks: blocks * CANCELLER_SAMPLES)


@pytest.fixture
def oracle() -> SpeexFilter:
    try:
        return SpeexFilter()
    except OSError as error:
        pytest.skip(str(error))


def speech(seconds: float = SECONDS) -> Frame:
    """A voice at 16 kHz."""
    spoken = load_sound(Path(str(files("intercom.media").joinpath("visitor.wav"))))[::3]
    return np.resize(spoken, int(seconds * CANCELLER_HZ))


def echo_of(far: Frame, *, delay_s: float = 0.06, level: float = 0.5, seed: int = 1) -> Frame:
    """What a microphone beside the speaker hears: a delayed, reverberating copy."""
    chance = np.random.default_rng(seed)
    heard = chance.standard_normal(len(far)) * 3
    for _ in range(40):
        late_s = chance.exponential(0.02)
        shift = int((delay_s + late_s) * CANCELLER_HZ)
        heard[shift:] += far[: len(far) - shift] * (level / 4 * np.exp(-late_s / 0.03) * chance.choice([-1, 1]))
    return as_samples(heard)


def as_samples(sound: np.ndarray[tuple[int], np.dtype[np.float64]]) -> Frame:
    return np.clip(sound, -32768, 32767).astype(np.int16)


def scene(name: str) -> tuple[Frame, Frame]:
    """The near and the far frame of a made-up call."""
    far = speech()
    near = echo_of(far)
    visitor = np.roll(far, len(far) // 3).astype(np.float64)
    visitor[: len(visitor) // 3] = 0
    chance = np.random.default_rng(3)
    if name == "both speak":
        near = as_samples(near + 0.7 * visitor)
    elif name == "a direct current":
        near, far = as_samples(near + 4000.0), as_samples(far + 2000.0)
    elif name == "a clipping microphone":
        far = as_samples(far * 4.0)
        near = as_samples(echo_of(far, level=3.0).astype(np.float64) + visitor)
        assert np.abs(near.astype(int)).max() > 32000
    elif name == "a moved microphone":
        moved = echo_of(far, delay_s=0.1, seed=2)
        near = np.concatenate([near[: len(near) // 2], moved[len(near) // 2 :]])
    elif name == "noise that is no echo":
        near = chance.integers(-9000, 9000, len(far), np.int16)
    elif name == "a silent far end":
        near, far = as_samples(0.7 * visitor), np.zeros_like(far)
    elif name == "silence after speech":
        far[len(far) // 4 :] = 0
        near = echo_of(far)
        near[len(far) // 3 :] = 0
    return near, far


def through(linear: LinearFilter, near: Frame, far: Frame, blocks: int = 2) -> Frame:
    """What the filter leaves, so many blocks at a time."""
    step = blocks * CANCELLER_SAMPLES
    frames = [slice(at, at + step) for at in range(0, len(near), step)]
    return np.concatenate([linear.process(near[frame], far[frame]) for frame in frames])


def assert_alike(near: Frame, left: Frame, wanted: Frame) -> None:
    echo_db, apart_db = level_db(near.astype(np.int32) - wanted), level_db(left.astype(np.int32) - wanted)
    assert apart_db < max(echo_db + APART_DB, LEAST_DB)


@pytest.mark.parametrize(
    "name",
    [
        "the far end alone",
        "both speak",
        "a direct current",
        "a clipping microphone",
        "a moved microphone",
        "noise that is no echo",
        "a silent far end",
        "silence after speech",
    ],
)
def test_it_leaves_what_libspeexdsp_leaves(name: str, oracle: SpeexFilter) -> None:
    near, far = scene(name)
    wanted, left = through(oracle, near, far), through(CompiledFilter(), near, far)
    assert_alike(near, left, wanted)
    if name == "the far end alone":
        assert level_db(left) < level_db(near) - 10, "it does take the echo away"


def test_it_forgets_the_room_as_libspeexdsp_does(oracle: SpeexFilter) -> None:
    near, far = scene("the far end alone")
    compiled = CompiledFilter()
    for linear in oracle, compiled:
        through(linear, near, far)
        linear.reset()
    wanted, left = through(oracle, near, far), through(compiled, near, far)
    assert np.array_equal(left[:CANCELLER_SAMPLES], wanted[:CANCELLER_SAMPLES])
    assert_alike(near, left, wanted)


@settings(max_examples=30, deadline=None)
@given(near=sounds(FRAMES), seed=st.integers(0, 2**32 - 1), blocks=st.integers(1, 5))
def test_a_long_frame_is_as_good_as_its_blocks(near: Frame, seed: int, blocks: int) -> None:
    near = np.tile(near, blocks)
    far = np.random.default_rng(seed).permutation(near)
    at_once, one_by_one = CompiledFilter(), CompiledFilter()
    for _ in range(3):
        left = at_once.process(near, far)
        if len(near):
            assert np.array_equal(left, through(one_by_one, near, far, blocks=1))


@settings(max_examples=30, deadline=None)
@given(sound=st.lists(st.tuples(sounds(st.just(1600)), sounds(st.just(1600))), min_size=1, max_size=8))
def test_whatever_was_heard_silence_stays_silence_and_an_echo_is_learnt_again(sound: list[tuple[Frame, Frame]]) -> None:
    linear = CompiledFilter()
    for near, far in sound:
        linear.process(near, far)
    silence = np.zeros(CANCELLER_HZ, np.int16)
    linear.process(silence, silence)
    assert not linear.process(silence, silence).any()
    near, far = (frame[: 10 * CANCELLER_HZ] for frame in scene("the far end alone"))
    left = linear.process(near, far)
    assert level_db(left[-5 * CANCELLER_HZ :]) < level_db(near[-5 * CANCELLER_HZ :]) - 10


def test_what_is_left_may_be_written_over_the_near_frame() -> None:
    from intercom.media.native._native import LinearFilter as Compiled

    near, far = scene("a clipping microphone")
    wanted = CompiledFilter().process(near, far)
    Compiled().process(near, far, near)
    assert np.array_equal(near, wanted)


def test_a_frame_of_half_a_block_is_refused() -> None:
    from intercom.media.native._native import LinearFilter as Compiled

    half = np.zeros(CANCELLER_SAMPLES // 2, np.int16)
    with pytest.raises(ValueError, match="a frame of 80 is no multiple of 160"):
        Compiled().process(half, half, half)
    with pytest.raises(ValueError, match="an array of 160 is wanted, not of 80"):
        Compiled().process(np.zeros(CANCELLER_SAMPLES, np.int16), half, half)
