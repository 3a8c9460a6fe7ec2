"""An honest model of the built-in market: logistic, fitted on some of its seeds and calibrated on others.

It answers the question that a trade asks: is the target touched before the stop and the time barrier, all of them where
the strategy would put them? Costs are left out of the answer; they are the decision's business.

Two such models lie in ``models/``, as fitting them takes minutes: one of markets with an edge of 5, one of markets with
none. They are made anew, when features or the market have changed, by ``python -m tests.backtests.fitted_model``.
"""

import hashlib
import math
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, fields
from itertools import pairwise
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression

from backtests.best_prices import BestPrices, best_prices
from backtests.bulk import write_features
from backtests.profile import Profile, load_profile
from backtests.snapshot_file import Origin, read_batches
from catalog.sample_market import write_sample_market
from catalog.store import Catalog
from catalog.tables import Kind
from strategies.candidates import CandidateSettings
from strategies.features import schema_id
from strategies.flow.groups import FEATURES
from strategies.mirror import mirrored
from strategies.model_folder import save_model
from strategies.model_manifest import FORMAT_VERSION, LogisticManifest, TrainedOn
from strategies.scoring import Barriers

MODELS = Path(__file__).parent / "models"
EDGES = (0.0, 5.0)
TRAINED, HELD_OUT = range(1000, 1016), range(1100, 1104)  # seeds
HOURS, ASSETS = 3.0, 5
SECOND_NS = 1_000_000_000
VENUES = ("BINANCE",)
NO_COMMIT = "0" * 40  # a model of the tests is of no commit
SPACING_SECONDS = 15  # between the rows that are fitted: those of every scan share nearly all of their outcome
SHRINKAGE = 0.01  # scikit-learn's C: the smaller, the nearer the coefficients are to zero
LEAST_SLOPE = 1e-6  # of the curve: where held-out probabilities do not rise with the model's, the model knows nothing
SIGNAL = 1.5  # times the base rate: from there on a setup is called a signal
INPUTS = (
    "perp_flow_short", "perp_flow_long", "spot_flow_short", "spot_flow_long", "spot_minus_perp",
    "cvd_perp_slope", "cvd_spot_slope", "volume_surge_z", "obi_far", "trend_atr", "macd_histogram_atr", "rsi",
    "bollinger_b", "atr_bps", "basis_bps", "basis_z", "oi_change_5m", "oi_change_15m",
    "bullish_divergence", "bearish_divergence", "bid_wall_bps", "ask_wall_bps",
    "bid_wall_strength", "ask_wall_strength", "wall_pressure", "absorption", "distribution",
)  # fmt: skip
"""What is learned from: warm within twenty minutes, and there on a single venue."""

type Ints = npt.NDArray[np.int64]
type Floats = npt.NDArray[np.float64]
type Bools = npt.NDArray[np.bool_]

_AT = {feature.name: k for k, feature in enumerate(FEATURES)}
_INPUTS = [_AT[name] for name in INPUTS]


@dataclass(frozen=True)
class Played:
    """A built-in market on disk, with the snapshots of a profile."""

    catalog: Catalog
    snapshots: Path


@dataclass(frozen=True)
class Outcomes:
    """Snapshots of shape (n, features) and what became of their two sides, long and short, of shape (n, 2).

    `ts` is UNIX ns; a row that neither `won` nor `timed_out` was stopped. `gross_r` is before costs, in distances of
    the stop; of those that timed out it is where the mid stood then.
    """

    ts: Ints
    values: Floats
    won: Bools
    timed_out: Bools
    gross_r: Floats

    @classmethod
    def joined(cls, parts: Sequence[Self]) -> Self:
        """All rows of all parts."""
        return cls(*(np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(cls)))

    def rows(self, chosen: Bools) -> Self:
        """Some of the rows."""
        return type(self)(*(getattr(self, field.name)[chosen] for field in fields(self)))


def played(folder: Path, profile: Profile, *, seed: int, hours: float, assets: int, edge: float) -> Played:
    """Make a market and its snapshots in `folder`."""
    root, snapshots = folder / f"market_{seed}_{edge:g}", folder / f"snapshots_{seed}_{edge:g}.parquet"
    write_sample_market(root, seed=seed, hours=hours, assets=assets, venues=VENUES, edge=edge)
    write_features(Catalog(root), profile, snapshots)
    return Played(Catalog(root), snapshots)


def outcomes_of(market: Played, profile: Profile) -> Outcomes:
    """Of all snapshots whose inputs are there and whose time barrier lies within the market, by its lead books."""
    origin = Origin.read(market.snapshots)
    batches = list(read_batches(market.snapshots))
    ts, assets, values = (np.concatenate([batch[k] for batch in batches]) for k in range(3))
    series = market.catalog.ledger.series()
    parts = []
    for number, (_, markets) in enumerate(sorted(origin.assets.items())):
        paths = [market.catalog.root / s.path for s in series if (s.kind, s.instrument_id) == (Kind.BOOK, markets[0])]
        book = best_prices(paths, [(origin.start_ns, origin.end_ns)])[0]
        own = assets == number
        parts.append(_outcomes(ts[own], values[own], book, profile))
    return Outcomes.joined(parts)


def _outcomes(ts: Ints, values: Floats, book: BestPrices, profile: Profile) -> Outcomes:
    settings, scan = profile.scalper.candidates, profile.flow.scan_seconds * SECOND_NS
    scans = settings.horizon_seconds * SECOND_NS // scan
    usable = (ts + scans * scan <= book.ts[-1]) & np.isfinite(values[:, [*_INPUTS, _AT["atr"]]]).all(axis=1)
    ts, values = ts[usable], values[usable]
    ends = ts[:, np.newaxis] + scan * np.arange(scans + 1)
    price, stop = values[:, _AT["price"]], stop_distance(values, settings)
    sides = [
        touched(side, price, stop, float(settings.target_r), extremes(book, ends, side), mids(book, ends[:, -1]))
        for side in (1, -1)
    ]
    won, timed_out, gross_r = (np.stack(columns, axis=1) for columns in zip(*sides, strict=True))
    return Outcomes(ts, values, won, timed_out, gross_r)


def stop_distance(values: Floats, settings: CandidateSettings) -> Floats:
    """Where the rule of the ATR puts the stop, quote per base from the mid, before it is rounded to the tick."""
    price = values[:, _AT["price"]]
    least = float(settings.stop.min_bps) * price / 1e4
    spreads = float(settings.stop.min_spreads) * values[:, _AT["spread_bps"]] * price / 1e4
    return np.maximum.reduce([float(settings.stop.atr_multiple) * values[:, _AT["atr"]], least, spreads])


def extremes(book: BestPrices, ends: Ints, side: int) -> tuple[Floats, Floats]:
    """Lowest and highest price that a side (+1 long) could be left at between each two of the rising times of a row.

    A long is left at the bid, a short at the ask. `ends` has shape (n, k + 1), the results (n, k).
    """
    prices = book.bid if side > 0 else book.ask
    grid, place = np.unique(ends, return_inverse=True)
    standing = np.maximum(np.searchsorted(book.ts, grid, side="right") - 1, 0)
    bounds = np.stack((standing[:-1], standing[1:] + 1), axis=1).ravel()
    padded = np.append(prices, np.nan)
    low, high = (reduce.reduceat(padded, bounds)[::2] for reduce in (np.fmin, np.fmax))
    first = place.reshape(ends.shape)[:, :-1]
    return low[first], high[first]


def mids(book: BestPrices, ts: Ints) -> Floats:
    """The middle of the best prices at each time."""
    standing = np.searchsorted(book.ts, ts, side="right") - 1
    mid: Floats = (book.bid[standing] + book.ask[standing]) / 2
    return mid


def touched(
    side: int, price: Floats, stop: Floats, target_r: float, seen: tuple[Floats, Floats], last: Floats
) -> tuple[Bools, Bools, Floats]:
    """Whether the target was touched first, whether nothing was, and the gross result in R.

    `seen` are the lowest and highest prices of the steps, of shape (n, k), `last` the price at the time barrier. Where
    one step touches both, the stop wins.
    """
    worst, best = seen if side > 0 else seen[::-1]
    entry, risk = price[:, np.newaxis], stop[:, np.newaxis]
    never = worst.shape[1]
    stopped = _first(side * (worst - entry) <= -risk, never)
    reached = _first(side * (best - entry) >= target_r * risk, never)
    won, timed_out = reached < stopped, (reached == never) & (stopped == never)
    gross_r = np.where(won, target_r, np.where(timed_out, side * (last - price) / stop, -1.0))
    return won, timed_out, gross_r


def _first(hits: Bools, never: int) -> Ints:
    return np.where(hits.any(axis=1), hits.argmax(axis=1), never)


def fitted(training: Sequence[Played], held_out: Sequence[Played], profile: Profile, *, name: str) -> LogisticManifest:
    """A logistic model of the training markets with Platt's curve of those held out.

    `metrics` say of the setups held out: ``time_out_share`` and ``time_out_gross_r`` of those that miss the target, and
    ``base_rate`` of the target.
    """
    train, check = (
        _spaced(Outcomes.joined([outcomes_of(market, profile) for market in markets]))
        for markets in (training, held_out)
    )
    inputs, hits = _both_sides(train)
    mean, sd = inputs.mean(axis=0), inputs.std(axis=0)
    model = LogisticRegression(C=SHRINKAGE, max_iter=1_000).fit((inputs - mean) / sd, hits)
    checked, came_true = _both_sides(check)
    log_odds = model.decision_function((checked - mean) / sd)
    slope, level = platt(log_odds, came_true)
    return LogisticManifest.model_validate(
        {
            "format_version": FORMAT_VERSION,
            "schema_id": schema_id(profile.flow),
            "barriers": _barriers(profile.scalper.candidates),
            "name": name,
            "features": INPUTS,
            "normaliser": {"kind": "z-score", "mean": tuple(mean.tolist()), "sd": tuple(sd.tolist())},
            "calibrator": {"kind": "platt", "on": "log-odds", "a": -slope, "b": -level},
            "trained_on": _trained_on(training),
            "git_commit": NO_COMMIT,
            "metrics": {
                "time_out_share": float(check.timed_out.sum() / (~check.won).sum()),
                "time_out_gross_r": float(check.gross_r[check.timed_out].mean()),
                "base_rate": float(came_true.mean()),
            },
            "coefficients": tuple(model.coef_[0].tolist()),
            "intercept": float(model.intercept_[0]),
        },
    )


def platt(log_odds: Floats, came_true: Bools) -> tuple[float, float]:
    """Slope and level of the curve ``1 / (1 + exp(-(slope f + level)))`` through what came true.

    Of a model that is no better than chance on the held-out data the curve is flat, at their base rate.
    """
    curve = LogisticRegression(C=np.inf).fit(log_odds[:, np.newaxis], came_true)
    slope, level = float(curve.coef_[0, 0]), float(curve.intercept_[0])
    if slope > LEAST_SLOPE:
        return slope, level
    rate = float(came_true.mean())
    return LEAST_SLOPE, math.log(rate / (1 - rate))


def _spaced(outcomes: Outcomes) -> Outcomes:
    return outcomes.rows(outcomes.ts % (SPACING_SECONDS * SECOND_NS) == 0)


def _both_sides(outcomes: Outcomes) -> tuple[Floats, Bools]:
    """Inputs of the longs and, mirrored, of the shorts, and whether their targets were touched."""
    inputs = np.concatenate((outcomes.values, mirrored(outcomes.values)))[:, _INPUTS]
    return inputs, np.concatenate((outcomes.won[:, 0], outcomes.won[:, 1]))


def _barriers(settings: CandidateSettings) -> Barriers:
    return Barriers(unit="R", take_profit=float(settings.target_r), stop=1.0, horizon_seconds=settings.horizon_seconds)


def _trained_on(training: Sequence[Played]) -> TrainedOn:
    """The markets as one: the digest of their digests, and the span of all."""
    origins = [Origin.read(market.snapshots) for market in training]
    digest = hashlib.sha256("".join(market.catalog.digest() for market in training).encode()).hexdigest()
    return TrainedOn(
        catalog_digest=digest, start_ns=min(o.start_ns for o in origins), end_ns=max(o.end_ns for o in origins)
    )


@dataclass(frozen=True)
class Bin:
    """Setups of like probability: how many, their mean probability, and how many of them reached their target."""

    count: int
    stated: float
    came_true: float


def reliability(probabilities: Floats, came_true: Bools, edges: Sequence[float]) -> list[Bin]:
    """By probability between each two of the rising `edges`, without the empty ones."""
    bins = []
    for low, high in pairwise(edges):
        inside = (probabilities >= low) & (probabilities < high)
        if inside.any():
            bins.append(Bin(int(inside.sum()), float(probabilities[inside].mean()), float(came_true[inside].mean())))
    return bins


def folder_of(edge: float) -> Path:
    """Where the model of markets with an edge lies."""
    return MODELS / f"edge_{edge:g}"


def main() -> None:
    """Fit the models of ``models/`` anew."""
    profile = load_profile()
    for edge in EDGES:
        with tempfile.TemporaryDirectory() as folder:
            training, held_out = (
                [played(Path(folder), profile, seed=s, hours=HOURS, assets=ASSETS, edge=edge) for s in seeds]
                for seeds in (TRAINED, HELD_OUT)
            )
            manifest = fitted(training, held_out, profile, name=f"built-in market, edge {edge:g}")
        shutil.rmtree(folder_of(edge), ignore_errors=True)
        save_model(folder_of(edge), manifest)


if __name__ == "__main__":
    main()
