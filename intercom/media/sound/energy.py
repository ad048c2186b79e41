"""Energy and peak of sound, for whoever looks at every block: in C where that is compiled, else by NumPy."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from intercom.media.native import module

Samples = npt.NDArray[np.int16]
Energies = list[tuple[float, float, float]]


def numpy_energy(samples: Samples) -> float:
    """Return the sum of the squares."""
    wave = samples.astype(np.float32)
    return float(wave.dot(wave))


def numpy_peak(samples: Samples) -> int:
    """Return the largest magnitude; 0 of nothing."""
    return max(int(samples.max()), -int(samples.min())) if len(samples) else 0


def numpy_echo_energies(left: Samples, near: Samples, cleaned: Samples, length: int) -> Energies:
    """Return the energies of each block of this length: of `left`, of what `near` has more, and of `cleaned`."""
    waves = np.empty((3, len(near)), np.float32)
    waves[0], waves[1], waves[2] = left, near, cleaned
    waves[1] -= waves[0]
    blocks = waves.reshape(3, -1, length)
    return [(left, echo, cleaned) for left, echo, cleaned in np.einsum("ijk,ijk->ji", blocks, blocks).tolist()]


energy: Callable[[Samples], float] = numpy_energy
peak: Callable[[Samples], int] = numpy_peak
echo_energies: Callable[[Samples, Samples, Samples, int], Energies] = numpy_echo_energies
if not module.why_not():
    from intercom.media.native import _native

    energy, peak, echo_energies = _native.energy, _native.peak, _native.echo_energies
