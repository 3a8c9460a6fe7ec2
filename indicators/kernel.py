"""The one place that says how a kernel is compiled and how its state is laid out.

A kernel is a plain function over a record of a structured array. The actor calls it once per event from Python, the
bulk driver in a compiled loop, so both give the same bits. Three forms of one indicator:

- ``update_x(state, ...)`` takes the record. Kernels call it, so that a bigger indicator nests smaller ones.
- ``update_x_single(states, ...)`` is called from Python, through :func:`entry`, for an indicator on its own: numba
  unpacks an array from Python four times faster than a record. Where there are many records, as in the actor, such a
  kernel takes ``(states, i, ...)``; a lone indicator saves that argument, which would cost a quarter of the call.
- ``update_x_many(states, i, columns..., out)`` is the bulk loop around the first.

Set ``NUMBA_DISABLE_JIT=1`` to run the very same code as plain Python in a debugger.
"""

import functools
import hashlib
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from types import MethodType
from typing import Any

import numba
import numpy as np
import numpy.typing as npt

type State = Any
"""A record of a structured array. numba knows its fields; to mypy it is opaque."""

type States = npt.NDArray[np.void]
"""A structured array made by :func:`new_states`, one record a position."""

type Floats = npt.NDArray[np.float64]
type Ints = npt.NDArray[np.int64]


_ROOMS_ABOVE = ("strategies", "catalog", "backtests")


def digest_of_sources(root: Path) -> str:
    """Return a digest of every source under `root` that can end up in a compiled kernel.

    That is each file of this room, and each file of the rooms above that defines kernels of its own.
    """
    digest = hashlib.blake2b(digest_size=8)
    for path in sorted((root / "indicators").rglob("*.py")):
        digest.update(path.read_bytes())
    for path in sorted(path for room in _ROOMS_ABOVE for path in (root / room).rglob("*.py")):
        source = path.read_bytes()
        if b"indicators.kernel" in source:
            digest.update(source)
    return digest.hexdigest()


# numba's cache on disk notices a change of a kernel's own file, but not of the kernels and constants that it has taken
# in from other files, and would go on running the old ones: so every state of the sources has a cache of its own
_CACHES = Path(os.environ.get("NUMBA_CACHE_DIR") or Path(__file__).parent / "__pycache__")
_CACHE = _CACHES / f"kernels-{digest_of_sources(Path(__file__).parents[1])}"
numba.config.CACHE_DIR = str(_CACHE)  # type: ignore[attr-defined]


def kernel[**P, R](function: Callable[P, R]) -> Callable[P, R]:
    """Compile `function` for both drivers: cached on disk, no ``fastmath``, so results do not depend on the driver.

    Kernels that it calls are compiled into it, whatever their size: left to itself the compiler calls the larger ones,
    which makes a trade half as dear again, and saves a fifth of the time that compiling takes.
    """
    compiled: Callable[P, R] = numba.njit(cache=True, error_model="numpy", forceinline=True)(function)
    return compiled


def entry[**P, R](function: Callable[P, R], *examples: P.args, **_: P.kwargs) -> Callable[P, R]:
    """Return `function` compiled for the types of `examples`, without numba's search for the types of every call.

    The search takes longer than the call itself (structured arrays are not in its fast path). In exchange the types
    are fixed here: later arrays must have the dtype of the example, and numbers are converted as ``int`` and ``float``
    would (a fraction given for an integer is truncated). Without compilation it is `function` itself.
    """
    compile_for: Callable[[tuple[Any, ...]], Callable[P, R]] | None = getattr(function, "compile", None)
    if compile_for is None:
        return function
    return compile_for(tuple(_numba_type(example) for example in examples))


def bound_entry[R](function: Callable[..., R], states: States, *examples: object) -> Callable[..., R]:
    """Return the :func:`entry` of `function` that already holds `states`.

    A lone indicator's ``update`` is this object itself: a Python frame around it would cost half of the call again.
    """
    return MethodType(entry(function, states, *examples), states)  # the cheapest way of CPython to hold an argument


def _numba_type(example: object) -> object:
    if isinstance(example, np.ndarray) and example.dtype.names is not None:
        return _records_type(example.dtype, example.ndim)
    return numba.typeof(example)  # type: ignore[no-untyped-call]


@functools.lru_cache(maxsize=256)
def _records_type(dtype: np.dtype[np.void], dimensions: int) -> object:
    """The type of arrays that :func:`new_states` makes. numba takes 5 ms to read a layout of 600 fields, every time."""
    return numba.typeof(np.empty((0,) * dimensions, dtype))  # type: ignore[no-untyped-call]


def chained(
    name: str, arguments: str, calls: Sequence[tuple[Callable[..., Any], str]], home: str
) -> Callable[..., Any]:
    """Return one kernel that makes `calls` in order: pairs of a kernel and the text of the arguments it gets.

    `arguments` are those of the new kernel. numba can loop over kernels only through pointers, which hides them from
    the optimiser; calls that are written out are compiled into one. `home` is the file of the caller, under which numba
    keeps the result: a `name` may be used once in it.
    """
    body = "".join(f"    call_{k}({given})\n" for k, (_, given) in enumerate(calls))
    scope: dict[str, Any] = {"__name__": __name__} | {f"call_{k}": function for k, (function, _) in enumerate(calls)}
    source = f"def {name}({arguments}):\n{body or '    pass'}\n"
    exec(compile(source, home, "exec"), scope)  # noqa: S102  # the text is made of names in our own sources
    return kernel(scope[name])


def new_states(dtype: np.dtype[np.void], count: int = 1) -> States:
    """Return `count` zeroed records of `dtype`, to be filled by the indicator's ``configure`` function.

    The records answer to attributes in plain Python too, at every depth of nesting, as they do in compiled code.

    Raises:
        ValueError: a field bears the name of an attribute of numpy's scalars, such as ``mean`` or ``size``: compiled
            code would see the field and plain Python the attribute.
    """
    return np.zeros(count, dtype=_with_attributes(dtype))


def _with_attributes(dtype: np.dtype[Any]) -> np.dtype[Any]:
    if dtype.subdtype is not None:
        base, shape = dtype.subdtype
        return np.dtype((_with_attributes(base), shape))
    if dtype.names is None or dtype.fields is None:
        return dtype
    for name in dtype.names:
        if hasattr(np.record, name):
            raise ValueError(f"state field {name!r} hides behind numpy's own attribute of that name; rename the field")
    fields = [(name, _with_attributes(dtype.fields[name][0])) for name in dtype.names]
    return np.dtype((np.record, fields))
