"""The numbers inside an asset's record by name: a path such as ``technical.rsi.value`` and the word it stands in."""

from typing import NamedTuple

import numpy as np

WORD = 8  # bytes


class StateField(NamedTuple):
    """A number of a record: its place in words of 8 bytes, and its type."""

    word: int
    dtype: np.dtype[np.generic]


def state_fields(dtype: np.dtype[np.void]) -> dict[str, StateField]:
    """Return all numbers of a record's layout by their paths; elements of arrays are ``name[0]``, ``name[1][2]``."""
    found: dict[str, StateField] = {}
    _collect(dtype, "", 0, found)
    return found


def _collect(dtype: np.dtype[np.generic], path: str, offset: int, found: dict[str, StateField]) -> None:
    if dtype.subdtype is not None:
        base, shape = dtype.subdtype
        for number, index in enumerate(np.ndindex(*shape)):
            _collect(base, path + "".join(f"[{k}]" for k in index), offset + number * base.itemsize, found)
    elif dtype.fields is not None:
        for name in dtype.names or ():
            inner, at = dtype.fields[name][:2]
            _collect(inner, f"{path}.{name}" if path else name, offset + at, found)
    elif dtype.itemsize == WORD and offset % WORD == 0:
        found[path] = StateField(offset // WORD, dtype)
