"""How long each feature depends on when a run began: runs that start later are held against the one from the start.

What a feature keeps of the past must fade, or a model trained on long histories meets other numbers after a restart.
"""

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

import numpy as np
import numpy.typing as npt

from backtests.bulk import Plan, write_features
from backtests.market_data import MarketData
from backtests.memory import memory_seconds
from backtests.profile import Profile
from backtests.replay_clock import SECOND_NS
from backtests.snapshot_file import read_batches
from backtests.universe import universe
from catalog.ledger import CatalogError
from catalog.store import Catalog
from catalog.tables import Kind
from catalog.times import format_ns
from strategies.flow.groups import FEATURES

TOLERANCE = 1e-6
"""Relative to the larger of two values, or to the feature's mean size in the whole run where that is larger still: a
feature that crosses zero is no less settled there."""
STAYS = 12
"""Snapshots for which a feature must have stayed the same at the end of the span."""
START_PARTS = (16, 8, 4)
"""The later starts lie a 16th, an 8th and a quarter of the span after its beginning."""
OFF_THE_CLOCK_NS = 123_456_789


class TooShortError(CatalogError):
    """The span has too few snapshots after the later starts."""


type _Floats = npt.NDArray[np.float64]
type _Ints = npt.NDArray[np.int64]
type _Batch = tuple[_Ints, _Ints, _Floats]


class Verdict(StrEnum):
    """What became of a feature."""

    SETTLED = "settled"
    SINCE_START = "since the start"  # not learnable: a sum or a level that is allowed to remember for ever
    UNDECIDED = "undecided"  # still different, but the span is shorter than what features may remember
    DEPENDS = "depends on the start"  # was another when nothing of the start may be left
    NO_VALUE = "no value"


@dataclass(frozen=True)
class Remnant:
    """The last snapshot at which a feature still was another. Times are UNIX ns; NaN is a value that is missing."""

    asset: str
    ts: int
    start_ns: int  # of the later run
    whole: float
    late: float

    @property
    def after_seconds(self) -> float:
        """Seconds since the later run began."""
        return (self.ts - self.start_ns) / SECOND_NS

    def __str__(self) -> str:
        return (
            f"{self.asset} at {format_ns(self.ts)}, {self.after_seconds:,.0f} s after a start at "
            f"{format_ns(self.start_ns)}: {self.late!r}, from the beginning of the span {self.whole!r}"
        )


@dataclass(frozen=True)
class Settling:
    """After how many seconds of a start a feature is, and stays, what it is in the run from the start.

    The longest over all assets and later starts; None: not within the span. `remnant` is what differed by more than
    TOLERANCE longest after a start.
    """

    feature: str
    seconds_to_equal: float | None  # bit for bit
    seconds_to_near: float | None  # within TOLERANCE
    verdict: Verdict
    remnant: Remnant | None = None


@dataclass(frozen=True)
class WarmUp:
    """All features in their order. `bound_seconds` is when the last learnable one must have settled."""

    starts: tuple[int, ...]
    bound_seconds: float
    observed_seconds: float  # from the first of the later starts to the end
    features: tuple[Settling, ...]

    def of(self, verdict: Verdict) -> list[Settling]:
        """The features with this verdict."""
        return [one for one in self.features if one.verdict is verdict]


def measure_warm_up(
    catalog: Catalog, profile: Profile, *, start_ns: int, end_ns: int, bound_seconds: float | None = None
) -> WarmUp:
    """Compute a span (UNIX ns, both ends included) from its start and from later ones, and compare.

    A learnable feature that is not settled `bound_seconds` after a start (left out: what the profile's windows say,
    :func:`backtests.memory.memory_seconds`) depends on the start.

    Raises TooShortError where the span is too short for STAYS snapshots after the last of the later starts.
    """
    origin = Plan.of(catalog, profile, start_ns, end_ns).origin
    first, last = origin.start_ns, origin.end_ns
    starts = tuple(first + (last - first) // part + OFF_THE_CLOCK_NS for part in START_PARTS)
    found: list[Comparison] = []
    with tempfile.TemporaryDirectory() as folder:
        whole, late = Path(folder) / "whole.parquet", Path(folder) / "late.parquet"
        assets = sorted(write_features(catalog, profile, whole, start_ns=start_ns, end_ns=end_ns).assets)
        sizes = mean_sizes(read_batches(whole), len(assets))
        for start in starts:
            if start <= last:
                write_features(catalog, profile, late, start_ns=start, end_ns=end_ns)
                one = Comparison(start, assets, sizes, profile.flow.scan_seconds * SECOND_NS)
                for batch in aligned(_since(read_batches(whole), start), read_batches(late), len(assets)):
                    one.take(*batch)
                found.append(one)
    short = next((one for one in found if one.late_snapshots < STAYS), None)
    if len(found) < len(starts) or short is not None:
        snapshots = 0 if short is None else short.late_snapshots
        raise TooShortError(
            f"{catalog.root}: the span is too short to measure the warm-up: {snapshots} snapshots after a start at "
            f"{format_ns(starts[-1] if short is None else short.start_ns)}, {STAYS} are needed: give a longer one"
        )
    bound = bound_seconds
    if bound is None:
        bound = memory_seconds(profile.flow, _trades_per_second(catalog, profile, start_ns, end_ns))
    settled = tuple(_settling(k, found, bound) for k in range(len(FEATURES)))
    return WarmUp(starts, bound, (last - starts[0]) / SECOND_NS, settled)


def _trades_per_second(catalog: Catalog, profile: Profile, start_ns: int, end_ns: int) -> float:
    """Of the perps of the asset that has the fewest."""
    markets = universe(catalog, profile)
    rates = []
    for asset in markets.assets:
        perps = tuple(market.name for market in markets.flow_markets(asset) if market.is_perp)
        series = [s for s in MarketData(catalog, perps, start_ns, end_ns).series() if s.kind == Kind.TRADES]
        if series:
            seconds = (max(s.last_ns for s in series) - min(s.first_ns for s in series)) / SECOND_NS
            rates.append(sum(s.rows for s in series) / max(seconds, 1.0))
    return min(rates, default=0.0)


def _since(batches: Iterator[_Batch], start: int) -> Iterator[_Batch]:
    for ts, assets, values in batches:
        kept = int(np.searchsorted(ts, start))
        if kept < len(ts):
            yield ts[kept:], assets[kept:], values[kept:]


def mean_sizes(batches: Iterator[_Batch], assets: int) -> _Floats:
    """The mean absolute value of each feature of each asset, 0 where it has none; shape (assets, features)."""
    sums, counts = np.zeros((assets, len(FEATURES))), np.zeros((assets, len(FEATURES)))
    for _, numbers, values in batches:
        finite = np.isfinite(values)
        np.add.at(sums, numbers, np.where(finite, np.abs(values), 0.0))
        np.add.at(counts, numbers, finite)
    return np.divide(sums, counts, out=np.zeros_like(sums), where=counts > 0)


def aligned(
    whole: Iterator[_Batch], late: Iterator[_Batch], assets: int
) -> Iterator[tuple[_Ints, _Ints, _Floats, _Floats]]:
    """Pair two series of snapshots by time and asset: a snapshot that one of them lacks is a row of NaN."""
    held, streams = [next(whole, None), next(late, None)], (whole, late)
    while any(batch is not None for batch in held):
        horizon = min(int(batch[0][-1]) for batch in held if batch is not None)
        parts: list[tuple[_Ints, _Floats]] = []
        for side, batch in enumerate(held):
            if batch is None:
                parts.append((np.empty(0, np.int64), np.empty((0, len(FEATURES)))))
                continue
            ts, numbers, values = batch
            ready = int(np.searchsorted(ts, horizon, side="right"))
            # snapshots are made at whole seconds
            parts.append((ts[:ready] // SECOND_NS * assets + numbers[:ready], values[:ready]))
            left = ready < len(ts)
            held[side] = (ts[ready:], numbers[ready:], values[ready:]) if left else next(streams[side], None)
        keys = np.union1d(parts[0][0], parts[1][0])
        rows = np.full((2, len(keys), len(FEATURES)), np.nan)
        for side, (mine, values) in enumerate(parts):
            rows[side, np.searchsorted(keys, mine)] = values
        yield keys // assets * SECOND_NS, keys % assets, rows[0], rows[1]


@dataclass
class Comparison:
    """A run that starts at `start_ns` beside the whole one. `sizes` has the shape (assets, features)."""

    start_ns: int
    assets: Sequence[str]
    sizes: _Floats
    scan_ns: int
    late_snapshots: int = 0  # of the asset that has the fewest
    _seen: npt.NDArray[np.bool_] = field(init=False)  # of shape (assets, features): whether there was a value
    _last: _Ints = field(init=False)  # of shape (2, assets, features): when it last was not the same bits, not near
    _values: _Floats = field(init=False)  # of shape (2, assets, features): the whole and the late one, when not near
    _times: list[list[int]] = field(init=False)  # of each asset: the first snapshot, and the last STAYS
    _counts: _Ints = field(init=False)

    def __post_init__(self) -> None:
        shape = self.sizes.shape
        self._seen, self._last = np.zeros(shape, np.bool_), np.zeros((2, *shape), np.int64)
        self._values, self._times = np.full((2, *shape), np.nan), [[] for _ in self.assets]
        self._counts = np.zeros(len(self.assets), np.int64)

    def take(self, ts: _Ints, numbers: _Ints, whole: _Floats, late: _Floats) -> None:
        """Take paired snapshots, in order of time."""
        missing = np.isnan(whole) & np.isnan(late)
        bits = (whole.view(np.int64) != late.view(np.int64)) & ~missing
        for number in range(len(self.assets)):
            rows = np.flatnonzero(numbers == number)
            if not len(rows):
                continue
            a, b, times = whole[rows], late[rows], ts[rows]
            limit = TOLERANCE * np.fmax(np.fmax(np.abs(a), np.abs(b)), self.sizes[number])
            with np.errstate(invalid="ignore"):  # of two infinite values
                apart = np.abs(a - b)
            far = bits[rows] & ~(np.isfinite(apart) & (apart <= limit))
            for kind, wrong in enumerate((bits[rows], far)):
                self._last[kind, number] = np.maximum(
                    self._last[kind, number], np.where(wrong, times[:, None], 0).max(axis=0)
                )
            newest = len(rows) - 1 - np.argmax(far[::-1], axis=0)  # the last row that is far, where there is one
            columns = np.flatnonzero(far.any(axis=0))
            for side, values in enumerate((a, b)):
                self._values[side, number, columns] = values[newest[columns], columns]
            self._seen[number] |= ~missing[rows].all(axis=0)
            known = self._times[number]
            self._times[number] = (known[:1] or [int(times[0])]) + (known[1:] + times.tolist())[-STAYS:]
            self._counts[number] += int((~np.isnan(b)).any(axis=1).sum())
        self.late_snapshots = int(self._counts.min())

    def seen(self, feature: int) -> bool:
        """Whether the feature had a value at all."""
        return bool(self._seen[:, feature].any())

    def seconds(self, feature: int, *, near: bool) -> float | None:
        """When it was the same, and stayed so to the end, in seconds after the start; None: it was not."""
        longest = 0.0
        for number, times in enumerate(self._times):
            if self._seen[number, feature]:
                last = int(self._last[int(near), number, feature])
                if last >= times[-STAYS]:
                    return None
                longest = max(longest, ((last + self.scan_ns if last else times[0]) - self.start_ns) / SECOND_NS)
        return longest

    def remnant(self, feature: int) -> Remnant | None:
        """The last value of all assets that was not near."""
        number = int(np.argmax(self._last[1, :, feature]))
        ts = int(self._last[1, number, feature])
        values = self._values[:, number, feature].tolist()
        return Remnant(self.assets[number], ts, self.start_ns, *values) if ts else None


def _settling(feature: int, found: Sequence[Comparison], bound: float) -> Settling:
    about = FEATURES[feature]
    if not any(one.seen(feature) for one in found):
        return Settling(about.name, None, None, Verdict.NO_VALUE)
    equal = [one.seconds(feature, near=False) for one in found]
    near = [one.seconds(feature, near=True) for one in found]
    to_equal, to_near = (None if None in each else max(s for s in each if s is not None) for each in (equal, near))
    remnants = [left for one in found if (left := one.remnant(feature)) is not None]
    longest = max(remnants, key=lambda left: left.after_seconds, default=None)
    verdict = Verdict.SETTLED
    if about.learnable and longest is not None and longest.after_seconds >= bound:
        verdict = Verdict.DEPENDS
    elif None in near:
        verdict = Verdict.UNDECIDED if about.learnable else Verdict.SINCE_START
    return Settling(about.name, to_equal, to_near, verdict, longest)
