"""Checks made once, where Python hands parameters and columns to kernels: a kernel itself can not refuse."""

import math

import numpy as np
import numpy.typing as npt

from indicators.kernel import Floats, Ints


def whole(name: str, value: int, minimum: int = 1) -> int:
    """Return `value` if it is an integer of at least `minimum`, else raise ValueError."""
    if not isinstance(value, int | np.integer) or isinstance(value, bool) or value < minimum:
        raise ValueError(f"{name} is {value!r}: give an integer of at least {minimum}")
    return int(value)


def fraction(name: str, value: float) -> float:
    """Return `value` if it lies strictly between 0 and 1, else raise ValueError."""
    if not 0.0 < value < 1.0:
        raise ValueError(f"{name} is {value!r}: give a number between 0 and 1, both excluded")
    return float(value)


def finite(name: str, value: float) -> float:
    """Return `value` if it is a finite number, else raise ValueError."""
    if not math.isfinite(value):
        raise ValueError(f"{name} is {value!r}: give a finite number")
    return float(value)


def positive(name: str, value: float) -> float:
    """Return `value` if it is a finite number above 0, else raise ValueError."""
    if not 0.0 < value < math.inf:
        raise ValueError(f"{name} is {value!r}: give a finite number above 0")
    return float(value)


def window_of(dtype: np.dtype[np.void], field: str = "ring") -> int:
    """Return the length of the window that is laid out in the sub-array `field` of a state."""
    return int(dtype[field].shape[0])


def float_column(values: npt.ArrayLike) -> Floats:
    """Return `values` as one contiguous column of doubles; ValueError unless it has one dimension."""
    return _one_dimension(np.ascontiguousarray(values, dtype=np.float64))


def int_column(values: npt.ArrayLike) -> Ints:
    """Return integers as one contiguous column of int64; ValueError for fractions or for other than one dimension."""
    given = np.asarray(values)
    if given.size and given.dtype.kind not in "iu":
        raise ValueError(f"a column of {given.dtype} where integers belong: convert it, saying how to round")
    return _one_dimension(np.ascontiguousarray(given, dtype=np.int64))


def same_length(**columns: npt.NDArray[np.generic]) -> int:
    """Return the common length of `columns`; ValueError names those that differ: kernels read them side by side."""
    lengths = {name: len(column) for name, column in columns.items()}
    if len(set(lengths.values())) > 1:
        raise ValueError(f"columns differ in length: {lengths}; cut them to the same rows")
    return next(iter(lengths.values()))


def _one_dimension[T: npt.NDArray[np.generic]](column: T) -> T:
    if column.ndim != 1:
        raise ValueError(f"a column of shape {column.shape}: give one dimension")
    return column
