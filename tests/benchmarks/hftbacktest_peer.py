"""hftbacktest beside us: its environment, our rows as its events, and what its answer has to be.

hftbacktest replays books and trades for the backtest of orders and calls a compiled strategy at steps of time; reading
features of the book at such steps is what its tutorials do. It is a peer for what we compute in bulk. It pins another
numpy than we do, so it lives in a virtual environment of its own and is talked to by files.

The measured side is `hftbacktest_imbalance.py`, which runs over there.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from catalog.encoding import stored_units
from catalog.tables import ASK, BID, BUYER, CLEAR, DELETE, F_SNAPSHOT, SELLER
from indicators.ladder import Ladder

type Events = npt.NDArray[np.void]
type Ints = npt.NDArray[np.int64]
type Flags = npt.NDArray[np.uint64]

VERSION = "2.4.4"
PINS = (f"hftbacktest=={VERSION}", "numba==0.68.1", "llvmlite==0.50.0", "numpy==2.2.6")
"""All that it imports to run. What it also names (plots, tables, readers) is half a gigabyte that this does not use."""

OTHER_PYTHONS = ("python3.13", "python3.12")
"""Looked for where our own has no build of a pinned package: numpy 2.2 came before Python 3.14."""

SCRIPT = Path(__file__).with_name("hftbacktest_imbalance.py")
READY = "ready"  # written into the environment when it is whole
STEP_NS = 100_000_000  # of the script
LEVELS = 5  # a side; of the script
INSTALL_SECONDS, RUN_SECONDS = 900, 900

# The kinds of an event: the low byte of `ev`.
DEPTH_EVENT = 1  # a level has this quantity now; 0 removes it
TRADE_EVENT = 2
DEPTH_CLEAR_EVENT = 3  # forget the levels of a side from the best to a price, or all of them (no side)
DEPTH_SNAPSHOT_EVENT = 4  # a level of a snapshot, handled as a depth event
# The flags of an event: the high bits of the low half of `ev`.
SELL_EVENT = 1 << 28  # an ask level, or a trade whose taker sold
BUY_EVENT = 1 << 29  # a bid level, or a trade whose taker bought
LOCAL_EVENT = 1 << 30  # the strategy's own book sees it, at `local_ts`
EXCH_EVENT = 1 << 31  # the simulated exchange sees it, at `exch_ts`

EVENT = np.dtype(
    [
        ("ev", "u8"),
        ("exch_ts", "i8"),  # UNIX ns here; any unit, the same everywhere
        ("local_ts", "i8"),
        ("px", "f8"),
        ("qty", "f8"),
        ("order_id", "u8"),  # for feeds that name orders
        ("ival", "i8"),  # reserved
        ("fval", "f8"),  # reserved
    ],
    align=True,
)
"""One event, 64 bytes."""


class PeerUnavailable(Exception):  # noqa: N818  # not our error: there is nothing to compare with
    """hftbacktest cannot be installed here; says why."""


def peer_python(cache: Path) -> Path:
    """The interpreter of an environment with hftbacktest in `cache`, made on the first call.

    Raises:
        PeerUnavailable: no interpreter here can install it.
    """
    folder = cache.absolute() / f"hftbacktest-{VERSION}"
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    ready = folder / READY
    if ready.exists() and ready.read_text() == "\n".join(PINS) and python.exists():
        return python
    reasons = []
    for base in _interpreters():
        shutil.rmtree(folder, ignore_errors=True)  # of an attempt that was cut off, or of other pins
        try:
            _run([base, "-m", "venv", str(folder)], INSTALL_SECONDS)
            # wheels alone: building one takes a Rust compiler and minutes
            pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--retries", "1"]
            _run([*pip, "--only-binary", ":all:", "--no-deps", *PINS], INSTALL_SECONDS)
            _run([str(python), "-I", "-c", "import hftbacktest"], INSTALL_SECONDS)
        except RuntimeError as error:
            reasons.append(f"{Path(base).name}: {error}")
            continue
        ready.write_text("\n".join(PINS))
        return python
    shutil.rmtree(folder, ignore_errors=True)
    raise PeerUnavailable("; ".join(reasons))


def to_events(
    book_rows: pa.Table, trade_rows: pa.Table, price_places: int, size_places: int, *, exchange: bool = True
) -> Events:
    """One market's rows, as the catalog stores them, as hftbacktest's events; prices and sizes in units of the venue.

    `price_places` and `size_places` are the precisions in the metadata of the files (`BookFile` has them). Both of an
    event's times are our ``ts_init``, the time at which a strategy here sees it, so that one row serves its exchange
    and its strategy. Without `exchange` its simulated exchange sees nothing, which spares it a second book; a backtest
    of orders needs that, reading features does not.

    The order is theirs: by time, and a trade before the depth of the same time, which has the trade in it already.
    """
    seen = LOCAL_EVENT | (EXCH_EVENT if exchange else 0)
    trades = _events(trade_rows, price_places, size_places)
    trades["ev"] = TRADE_EVENT | seen | _sides(_ints(trade_rows, "aggressor_side"), buy=BUYER, sell=SELLER)

    levels = _events(book_rows, price_places, size_places)
    action = _ints(book_rows, "action")
    clear, snapshot = action == CLEAR, _ints(book_rows, "flags") & F_SNAPSHOT != 0
    kind = np.select([clear, snapshot], [DEPTH_CLEAR_EVENT, DEPTH_SNAPSHOT_EVENT], DEPTH_EVENT).astype(np.uint64)
    levels["ev"] = kind | seen | _sides(_ints(book_rows, "side"), buy=BID, sell=ASK)
    levels["qty"][(action == DELETE) | clear] = 0.0
    levels["px"][clear] = np.nan  # clears the whole side; up to a finite price their vector book leaves asks behind

    events = np.concatenate([trades, levels])
    ordered: Events = events[np.argsort(events["local_ts"], kind="stable")]
    return ordered


def run_peer(
    python: Path, events: Events, tick: float, lot: float, folder: Path, *, book: str = "roi"
) -> dict[str, Any]:
    """Run hftbacktest over events: what `hftbacktest_imbalance.py` prints, with its seconds of CPU.

    `tick` and `lot` are the steps of price and size, `book` its kind of book (``roi`` or ``hashmap``); the events are
    left in `folder`. Raises RuntimeError with its last words if it fails: that is no reason to skip a comparison.
    """
    path = folder / "events.npy"
    np.save(path, events)
    out = _run([str(python), "-I", str(SCRIPT), str(path), repr(tick), repr(lot), book], RUN_SECONDS)
    result: dict[str, Any] = json.loads(out.splitlines()[-1])
    return result


def expected_checksum(
    book_rows: pa.Table, trade_rows: pa.Table, price_places: int, size_places: int, step_ns: int = STEP_NS
) -> tuple[int, float]:
    """The steps that hftbacktest takes over these rows and the sum of their imbalances, by our own ladder.

    Its clock begins at the first event, be it a trade; its first step ends one step later, and what happens at the very
    end of a step belongs to it. A step in which the data ends does not count: the last one ends before the last event.
    Imbalances are pure numbers from -1 to 1, 0 while a side is empty.
    """
    ts = _ints(book_rows, "ts_init")
    both = np.concatenate([ts[[0, -1]], _ints(trade_rows, "ts_init")[[0, -1]]])
    times = np.arange(both.min() + step_ns, both.max(), step_ns, dtype=np.int64)
    actions, sides = _ints(book_rows, "action"), _ints(book_rows, "side")
    prices = stored_units(book_rows.column("price"), price_places)
    sizes = stored_units(book_rows.column("size"), size_places).astype(np.float64)
    flags = np.zeros(len(ts), dtype=np.int64)  # no check for a crossed book: that was done when they came in
    ladder, total, done = Ladder(), 0.0, 0
    for end in np.searchsorted(ts, times, side="right").tolist():
        rows = slice(done, end)
        ladder.apply_rows(actions[rows], sides[rows], prices[rows], sizes[rows], flags[rows])
        done = end
        bids, asks = (float(ladder.levels(side, LEVELS)[1].sum()) for side in (BID, ASK))
        if bids and asks:
            total += (bids - asks) / (bids + asks)
    return len(times), total


def _interpreters() -> list[str]:
    """The interpreter under our environment first, then others that are at hand."""
    found = (shutil.which(name) for name in OTHER_PYTHONS)
    ours: str = getattr(sys, "_base_executable", sys.executable)  # without a name of its own in the standard library
    return list(dict.fromkeys([ours, *(path for path in found if path)]))


def _run(command: list[str], seconds: int) -> str:
    """What a command prints. Raises RuntimeError with its last words if it fails."""
    # our settings of numba are not theirs: without compilation, say, there is nothing to compare with
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("NUMBA_", "PYTHON", "VIRTUAL_ENV"))}
    try:
        done = subprocess.run(  # noqa: S603  # our own commands
            command, capture_output=True, text=True, timeout=seconds, check=False, env=environment
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise RuntimeError(str(error)) from error
    if done.returncode:
        words = (done.stderr or done.stdout).strip().splitlines() or [f"exit code {done.returncode}"]
        raise RuntimeError(words[-1])
    return done.stdout


def _events(rows: pa.Table, price_places: int, size_places: int) -> Events:
    """Events with times, prices and sizes of rows; what they are is still to be said."""
    events = np.zeros(rows.num_rows, dtype=EVENT)
    events["exch_ts"] = events["local_ts"] = _ints(rows, "ts_init")
    # whole units over a power of ten: the nearest double of the decimal
    events["px"] = stored_units(rows.column("price"), price_places) / 10.0**price_places
    events["qty"] = stored_units(rows.column("size"), size_places) / 10.0**size_places
    return events


def _sides(sides: Ints, *, buy: int, sell: int) -> Flags:
    """The side flags of a column of sides; none for what has no side."""
    flags: Flags = np.select([sides == buy, sides == sell], [BUY_EVENT, SELL_EVENT], 0).astype(np.uint64)
    return flags


def _ints(rows: pa.Table, name: str) -> Ints:
    column: Ints = rows.column(name).to_numpy().astype(np.int64)
    return column
