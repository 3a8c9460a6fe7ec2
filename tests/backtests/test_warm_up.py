"""When a feature has forgotten its start: by hand, on the built-in market, and for one that never does."""

import json
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from backtests.asset_player import AssetPlayer
from backtests.audit import app
from backtests.market_data import EVERYTHING
from backtests.memory import PRINTS_A_BURST, TIME_CONSTANTS, WINDOWS, memory_seconds
from backtests.profile import load_profile
from backtests.warm_up import STAYS, TOLERANCE, Comparison, Verdict, aligned, mean_sizes, measure_warm_up
from catalog.store import Catalog
from strategies.config import FlowSettings
from strategies.flow.groups import FEATURES

SECOND = 1_000_000_000
COUNT = len(FEATURES)
RSI = [f.name for f in FEATURES].index("rsi")
NAN = math.nan

type Batch = tuple[np.ndarray, np.ndarray, np.ndarray]


def batch(*rows: tuple[int, int, float]) -> Batch:
    """Snapshots of (second, asset, value of the first feature); the others are missing."""
    values = np.full((len(rows), COUNT), NAN)
    values[:, 0] = [row[2] for row in rows]
    return np.array([row[0] * SECOND for row in rows]), np.array([row[1] for row in rows]), values


def pairs(whole: Sequence[Batch], late: Sequence[Batch]) -> list[tuple[int, int, str, str]]:
    """The second, the asset and the two values of each pair, as texts because NaN equals nothing."""
    found = []
    for ts, assets, a, b in aligned(iter(whole), iter(late), 2):
        rows = zip(ts // SECOND, assets, a[:, 0], b[:, 0], strict=True)
        found += [(int(t), int(n), str(float(x)), str(float(y))) for t, n, x, y in rows]
    return found


# -- by hand -----------------------------------------------------------------------------------------------------------


def test_snapshots_are_paired_by_time_and_asset() -> None:
    """However they are split into batches, and whichever of the two begins, ends or lacks one."""
    rows = [(1, 0, 1.0), (1, 1, 2.0), (2, 0, 3.0), (4, 1, 4.0)]
    late = [(2, 0, 5.0), (3, 1, 6.0), (4, 1, 7.0), (9, 0, 8.0)]
    expected = [
        (1, 0, "1.0", "nan"), (1, 1, "2.0", "nan"), (2, 0, "3.0", "5.0"),
        (3, 1, "nan", "6.0"), (4, 1, "4.0", "7.0"), (9, 0, "nan", "8.0"),
    ]  # fmt: skip
    assert pairs([batch(*rows)], [batch(*late)]) == expected
    assert pairs([batch(row) for row in rows], [batch(*late[:3]), batch(late[3])]) == expected
    assert pairs([], [batch(*late[:1])]) == [(2, 0, "nan", "5.0")]
    assert pairs([], []) == []


def test_sizes_are_means_of_what_is_there() -> None:
    """Of each asset, without signs; NaN and infinity are left out, and without a value the size is 0."""
    rows = [(1, 0, 1.0), (2, 0, -3.0), (3, 0, NAN), (4, 0, math.inf), (5, 1, 7.0)]
    sizes = mean_sizes(iter([batch(*rows[:2]), batch(*rows[2:])]), 2)
    assert sizes.shape == (2, COUNT)
    assert sizes[:, 0].tolist() == [2.0, 7.0]
    assert not sizes[:, 1:].any()


def comparison(whole: Sequence[float], late: Sequence[float], *, size: float = 1.0) -> Comparison:
    """Two runs of one feature of one asset, with a snapshot at 10, 15, 20, ... s; the later one began at 8 s."""
    made = Comparison(8 * SECOND, ["BTC"], np.full((1, COUNT), size), 5 * SECOND)
    rows = [batch(*((10 + 5 * k, 0, value) for k, value in enumerate(values))) for values in (whole, late)]
    for ts, assets, a, b in aligned(iter(rows[:1]), iter(rows[1:]), 1):
        for k in range(len(ts)):  # one by one: what is remembered between batches counts too
            made.take(ts[k : k + 1], assets[k : k + 1], a[k : k + 1], b[k : k + 1])
    return made


SAME = [1.0] * STAYS


def test_a_feature_has_settled_at_the_scan_after_the_last_that_differs() -> None:
    """Missing in one alone differs; equal bits and values near enough are told apart; seconds are since the start."""
    made = comparison([1.0, 1.0, 1.0, *SAME], [NAN, 1.5, 1.0 + TOLERANCE / 2, *SAME])
    assert made.seconds(0, near=False) == 25 - 8  # differs at 10, 15, 20
    assert made.seconds(0, near=True) == 20 - 8
    left = made.remnant(0)
    assert left is not None
    assert (left.asset, left.ts, left.whole, left.late) == ("BTC", 15 * SECOND, 1.0, 1.5)
    assert left.after_seconds == 7
    assert "BTC at 1970-01-01 00:00:15.000000, 7 s after a start at 1970-01-01 00:00:08.000000: 1.5" in str(left)


def test_one_that_was_never_another_has_settled_at_the_first_scan() -> None:
    """Missing in both is the same."""
    made = comparison([NAN, *SAME], [NAN, *SAME])
    assert made.seconds(0, near=False) == 2
    assert made.remnant(0) is None


def test_it_must_stay_the_same() -> None:
    """One difference among the last snapshots, and it has not settled."""
    assert comparison([1.0, *SAME], [2.0, *SAME]).seconds(0, near=True) == 15 - 8
    assert comparison([1.0, *SAME], [1.0, 2.0, *SAME[1:]]).seconds(0, near=True) is None


def test_near_is_relative_to_the_feature_where_that_is_larger() -> None:
    """A value that happens to be near zero is held against the usual size of the feature."""
    tiny = [0.0, *SAME], [1e-9, *SAME]
    assert comparison(*tiny, size=1.0).seconds(0, near=True) == 2
    assert comparison(*tiny, size=1e-6).seconds(0, near=True) == 15 - 8


def test_infinite_values_and_signs_of_zero() -> None:
    """Two infinities are the same; 0 and -0 are near, but not the same bits."""
    made = comparison([math.inf, 0.0, *SAME], [math.inf, -0.0, *SAME])
    assert made.seconds(0, near=True) == 2
    assert made.seconds(0, near=False) == 20 - 8
    assert comparison([math.inf, *SAME], [1.0, *SAME]).seconds(0, near=True) == 15 - 8


def test_a_feature_without_a_value_is_not_seen() -> None:
    """That says nothing of it."""
    made = comparison([1.0, *SAME], [1.0, *SAME])
    assert made.seen(0)
    assert not made.seen(1)


def test_memory_is_that_of_the_longest_windows() -> None:
    """14 time constants of the longest exponential mean and two of the longest windows; prints count at their rate."""
    baseline = (1440 + 1) / 2 * 5  # absorption's running means, in scans of 5 s: longer than 14 bars of a minute
    hour = 3600  # of open interest
    assert memory_seconds(FlowSettings(), 100.0) == pytest.approx(TIME_CONSTANTS * baseline + WINDOWS * hour)
    slow = 1000 * PRINTS_A_BURST / 0.5  # 1,000 bursts at one print in two seconds
    assert memory_seconds(FlowSettings(), 0.5) == pytest.approx(TIME_CONSTANTS * baseline + WINDOWS * slow)
    assert memory_seconds(FlowSettings(), 0.0) == math.inf
    long_bars = FlowSettings(bar_seconds=3600)
    macd = (26 + 9) / 2  # bars: a signal of 9 on means of 12 and 26, more than the 14 of RSI and ATR
    assert memory_seconds(long_bars, 100.0) == pytest.approx(TIME_CONSTANTS * macd * 3600 + WINDOWS * 20 * 3600)


# -- on the built-in market --------------------------------------------------------------------------------------------


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["look-ahead", "--cuts", "1", *(str(a) for a in arguments)])


def verdicts(catalog: Path, profile: Path, **options: Any) -> dict[str, Verdict]:
    span = {"start_ns": EVERYTHING[0], "end_ns": EVERYTHING[1]}
    found = measure_warm_up(Catalog(catalog), load_profile(profile), **span, **options)
    return {one.feature: one.verdict for one in found.features}


def test_what_lives_on_the_last_book_is_warm_at_once_and_sums_never(sample: Path, lively: Path) -> None:
    """Each feature of its kind: the spread, a window, sums since the start, and changes over more than the span."""
    span = {"start_ns": EVERYTHING[0], "end_ns": EVERYTHING[1]}
    found = measure_warm_up(Catalog(sample), load_profile(lively), **span)
    by_name = {one.feature: one for one in found.features}
    scan, window = 5, 4
    spread, flow = by_name["spread_bps"].seconds_to_equal, by_name["perp_flow_long"].seconds_to_equal
    assert spread is not None
    assert spread <= 2 * scan
    assert flow is not None
    assert flow <= window + 2 * scan
    assert by_name["cvd_perp"].verdict is Verdict.SINCE_START
    assert by_name["cvd_perp"].seconds_to_near is None
    assert by_name["oi_change_1h"].verdict is Verdict.NO_VALUE
    assert not found.of(Verdict.DEPENDS), "the span is shorter than what features may remember"
    assert found.observed_seconds < found.bound_seconds


@pytest.fixture
def counting(monkeypatch: pytest.MonkeyPatch) -> None:
    """The bulk driver's RSI is the seconds since the run began: a learnable feature that is none."""
    honest = AssetPlayer.snapshots

    def since_start(self: AssetPlayer) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        for ts, values in honest(self):
            values[:, RSI] = (ts - self._task.span[0]) / SECOND
            yield ts, values

    monkeypatch.setattr(AssetPlayer, "snapshots", since_start)


@pytest.mark.usefixtures("counting")
def test_a_feature_that_never_forgets_its_start_is_reported(sample: Path, lively: Path) -> None:
    """Once the time has passed in which all must have forgotten; before that it is undecided."""
    assert verdicts(sample, lively)["rsi"] is Verdict.UNDECIDED
    judged = verdicts(sample, lively, bound_seconds=300.0)
    assert judged["rsi"] is Verdict.DEPENDS
    assert judged["spread_bps"] is Verdict.SETTLED
    assert judged["cvd_perp"] is Verdict.SINCE_START


@pytest.mark.usefixtures("counting")
def test_the_command_names_it_and_exits_with_1(sample: Path, lively: Path) -> None:
    """In words with the last time at which it differed, and in JSON."""
    result = run("--catalog", sample, "--profile", lively, "--settle-seconds", "300")
    assert result.exit_code == 1
    words = " ".join(result.stdout.split())
    assert (
        "DEPENDS ON THE START: rsi, longer than the 300 s that features may remember: BTC at 2026-01-05 00:08:5"
        in words
    )
    assert "sums and levels since the start, which no later run can share: cvd_perp, cvd_spot" in words


def test_json_has_every_feature(sample: Path, lively: Path) -> None:
    """With strict JSON: numbers that are none are texts."""

    def refuse(word: str) -> None:
        raise ValueError(f"{word} is no JSON")

    part = ("--end", "2026-01-05T00:04")
    result = run("--catalog", sample, "--profile", lively, "--json", *part)
    assert result.exit_code == 0, result.output
    warm_up = json.loads(result.stdout, parse_constant=refuse)["warm_up"]
    by_name = {one["feature"]: one for one in warm_up["features"]}
    assert list(by_name) == [f.name for f in FEATURES]
    assert by_name["spread_bps"]["verdict"] == "settled"
    assert by_name["cvd_perp"]["seconds_to_near"] is None
    assert len(warm_up["starts"]) == 3
