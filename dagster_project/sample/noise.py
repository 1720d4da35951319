"""Numbers that look random and are the same on every machine: a counter-based hash, no generator state, no libm.

The bytes of the sample are pinned by a test. That rules out NumPy's generators, whose streams may change between
versions, and every function whose last digit depends on the platform's mathematical library (exp, log, pow). What is
left, integer arithmetic modulo 2**64 and the four IEEE operations with sqrt, is exact everywhere.
Not here: what the numbers are used for (see `world`).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Key = int | npt.NDArray[np.int64]

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX2 = np.uint64(0x94D049BB133111EB)
_S30, _S27, _S31, _S11 = (np.uint64(shift) for shift in (30, 27, 31, 11))


def uniform(*keys: Key) -> Floats:
    """Uniform numbers in [0, 1), one per combination of keys; arrays of keys broadcast against each other.

    The same keys give the same number, whatever else was asked for before. SplitMix64's finaliser, once per key
    (Steele, Lea and Flood 2014).
    """
    state = np.zeros(1, np.uint64)
    for key in keys:
        state = _mixed(state * _GOLDEN + np.atleast_1d(np.asarray(key, np.int64)).astype(np.uint64))
    return (state >> _S11).astype(np.float64) * 2.0**-53


def chance(*keys: int) -> float:
    """One such number, for code that works row by row; mixed once only, so not equal to `uniform` of the same keys."""
    state = 0
    for key in keys:
        state = state * 0x9E3779B97F4A7C15 + key + 1
    state &= 0xFFFFFFFFFFFFFFFF
    state = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & 0xFFFFFFFFFFFFFFFF
    state = ((state ^ (state >> 27)) * 0x94D049BB133111EB) & 0xFFFFFFFFFFFFFFFF
    return ((state ^ (state >> 31)) >> 11) * 2.0**-53


def _mixed(state: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    state = state + _GOLDEN
    state ^= state >> _S30
    state *= _MIX1
    state ^= state >> _S27
    state *= _MIX2
    state ^= state >> _S31
    return state
