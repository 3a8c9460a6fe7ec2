"""The future is cut off: an honest system passes on sound and damaged data, and what peeks is caught and named."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from backtests.asset_player import AssetPlayer
from backtests.audit import app
from backtests.cut_times import Moment, cut_times, event_times
from backtests.look_ahead import BULK_CUTS, find_look_ahead
from backtests.market_data import EVERYTHING, MarketData
from backtests.profile import load_profile
from backtests.replay import Replay, run_replay
from backtests.series_rows import SeriesFile
from catalog.ledger import CatalogError
from catalog.markets import Market, MarketKind
from catalog.store import Catalog
from catalog.tables import Kind
from catalog.times import format_ns
from strategies.decider import Decider
from strategies.features import AssetFlow, FlowSnapshot
from strategies.flow.groups import FEATURES
from tests.backtests.conftest import ns, trades, write_catalog
from tests.backtests.damaged_market import write_damaged_market

LEAD = Market("BINANCE", MarketKind.PERP, "BTCUSDT")
RSI = [f.name for f in FEATURES].index("rsi")
PART = ("--end", "2026-01-05T00:04")


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["look-ahead", *(str(a) for a in arguments)])


# -- where is cut ------------------------------------------------------------------------------------------------------


def crowded(root: Path) -> MarketData:
    """Prints at 1, 2, ... 20 s, and nine more within 9 us after 10.5 s."""
    burst = [10_500_000 + k for k in range(1, 10)]
    times = sorted([*(1_000_000 * second for second in range(1, 21)), *burst])
    catalog = write_catalog(root, {LEAD: [trades(times)]})
    return MarketData(catalog, (LEAD.instrument_id,))


def test_cuts_come_right_after_a_scan_an_order_or_amid_a_burst(tmp_path: Path) -> None:
    """One nanosecond after the last scan, the nearest order, the middle one of the densest events."""
    data = crowded(tmp_path / "catalog")
    second = 1_000_000_000
    around = (data, ns(0), ns(20_000_000), 1)
    slot = int(event_times(data, ns(1_000_000), ns(1_500_000))[0]) - ns(
        1_000_000
    )  # of the series, within a microsecond

    def cut(moment: Moment, *orders: int) -> list[int]:
        return cut_times(*around, (moment,), scan_ns=4 * second, orders=orders)

    assert cut(Moment.SCAN) == [ns(8_000_000) + 1]
    assert cut(Moment.ORDER, ns(3_000_000), ns(9_000_000), ns(19_000_000)) == [ns(9_000_000) + 1]
    assert cut(Moment.BURST) == [ns(10_500_005) + slot + 1]
    assert cut(Moment.ORDER) == cut(Moment.BURST)


def test_cuts_are_spread_and_all_different(tmp_path: Path) -> None:
    """They divide the span; where there is only one scan the others fall on other moments; none is at the end."""
    data = crowded(tmp_path / "catalog")
    found = cut_times(data, ns(0), ns(20_000_000), 9, (Moment.SCAN,), scan_ns=20_000_000_000)
    assert len(found) == 9
    assert found == sorted(set(found))
    assert found[0] == ns(0) + 1
    assert found[-1] == ns(18_000_000)
    assert all(ns(0) <= cut < ns(20_000_000) for cut in found)
    assert cut_times(data, ns(5), ns(5), 3, (Moment.SCAN,), scan_ns=1) == []


# -- what is honest passes ---------------------------------------------------------------------------------------------


def test_the_built_in_market_passes(sample: Path, lively: Path) -> None:
    """As JSON: the cuts, what was compared before them, no leak; the warm-up beside it. Exit code 0."""
    result = run("--catalog", sample, "--profile", lively, "--cuts", 3, "--json")
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    cut = found["look_ahead"]
    assert len(cut["engine_cuts"]) == 3
    assert len(cut["bulk_cuts"]) == 3 * BULK_CUTS
    assert [ts for ts in cut["engine_cuts"] if ts % 1_000_000_000 > 1], "not all cuts lie at a scan"
    assert cut["snapshots"] > 300
    assert cut["orders"] > 3
    assert cut["decisions"] > cut["orders"]
    assert cut["leak"] is None
    assert [one["feature"] for one in found["warm_up"]["features"]] == [f.name for f in FEATURES]


def test_a_damaged_market_passes(tmp_path: Path, lively: Path) -> None:
    """Gaps, silences and late snapshots are no look-ahead either."""
    catalog, _ = write_damaged_market(tmp_path / "damaged", seed=5, hours=0.1)
    found = find_look_ahead(catalog, load_profile(lively), start_ns=0, end_ns=EVERYTHING[1], cuts=3)
    assert found.leak is None, str(found.leak)
    assert found.snapshots > 100


# -- what peeks is caught ----------------------------------------------------------------------------------------------


def prints(catalog: Catalog, end_ns: int) -> tuple[np.ndarray, np.ndarray]:
    """Times and prices (units) of the lead's prints in data that end at `end_ns`."""
    entry = next(s for s in catalog.ledger.series() if (s.instrument_id, s.kind) == (LEAD.instrument_id, Kind.TRADES))
    rows = list(SeriesFile.of_span(catalog.root / entry.path, Kind.TRADES, 0, end_ns).batches())
    return np.concatenate([r.ts for r in rows]), np.concatenate([r.whole for r in rows]).astype(float)


@pytest.fixture
def last_price(monkeypatch: pytest.MonkeyPatch) -> dict[str, float]:
    """What only a prophet knows: under "units" the last price of the data of the replay that is running."""
    known: dict[str, float] = {}

    def replay(catalog: Catalog, profile: Any, *, end_ns: int, **others: Any) -> Replay:
        known["units"] = float(prints(catalog, end_ns)[1][-1])
        return run_replay(catalog, profile, end_ns=end_ns, **others)

    monkeypatch.setattr("backtests.look_ahead.run_replay", replay)
    return known


def test_a_feature_of_the_actor_that_knows_the_last_price_is_caught(
    sample: Path, lively: Path, last_price: dict[str, float], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The engine's first cut shows it at the first snapshot, though the bulk driver is honest."""
    honest = AssetFlow.snapshot

    def leaking(self: AssetFlow, ts: int) -> FlowSnapshot | None:
        snapshot = honest(self, ts)
        if snapshot is None:
            return None
        values = snapshot.values.copy()
        values[RSI] = last_price["units"]
        return replace(snapshot, values=values)

    monkeypatch.setattr(AssetFlow, "snapshot", leaking)
    result = run("--catalog", sample, "--profile", lively, "--cuts", 1, "--json", *PART)
    assert result.exit_code == 1
    leak = json.loads(result.stdout)["look_ahead"]["leak"]
    assert (leak["driver"], leak["subject"], leak["feature"]) == ("engine", "BTC", "rsi")
    catalog = Catalog(sample)
    assert leak["cut"] == prints(catalog, leak["cut_ns"])[1][-1]
    assert leak["whole"] != leak["cut"]
    assert leak["ts"] < leak["cut_ns"]
    assert leak["time"] == format_ns(leak["ts"])


def test_a_feature_of_the_bulk_driver_that_knows_when_the_next_print_comes_is_caught(
    sample: Path, lively: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One event is enough: a cut comes right after a scan. Feature, time and both values are told. Exit code 1."""
    honest = AssetPlayer.snapshots

    def leaking(self: AssetPlayer) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        times, _ = prints(Catalog(sample), self._task.end_ns)
        for ts, values in honest(self):
            following = np.minimum(np.searchsorted(times, ts, side="right"), len(times) - 1)
            values[:, RSI] = times[following] - ts
            yield ts, values

    monkeypatch.setattr(AssetPlayer, "snapshots", leaking)
    result = run("--catalog", sample, "--profile", lively, "--cuts", 1, *PART)
    assert result.exit_code == 1
    words = " ".join(result.stderr.split())
    assert "LOOK-AHEAD: BTC at 2026-01-05 00:0" in words
    assert ": rsi is " in words
    assert "with the whole data and" in words
    assert "it depends on what comes later (bulk driver)" in words


def peeking(known: dict[str, float], honest: Callable[..., Any]) -> Any:
    """A decision that looks at an asset only where the data will end above its price."""

    def decide(self: Decider, snapshots: Sequence[FlowSnapshot], *others: Any) -> Any:
        return honest(self, [s for s in snapshots if known["units"] > s["price"] * 10], *others)  # units are tenths

    return decide


def test_a_strategy_that_peeks_is_caught(
    sample: Path, lively: Path, last_price: dict[str, float], monkeypatch: pytest.MonkeyPatch
) -> None:
    """All snapshots are the same, the orders are not: the first one is told, with its market."""
    monkeypatch.setattr(Decider, "decide", peeking(last_price, Decider.decide))
    found = find_look_ahead(Catalog(sample), load_profile(lively), start_ns=0, end_ns=EVERYTHING[1], cuts=4)
    leak = found.leak
    assert leak is not None
    assert (leak.driver, leak.feature) == ("engine", None)
    assert leak.subject == LEAD.instrument_id
    assert leak.ts <= leak.cut_ns
    assert leak.what.startswith("order O-")
    assert "OrderInitialized order_side=" in str(leak)
    assert "missing" in str(leak)


# -- nothing to say ----------------------------------------------------------------------------------------------------


def test_a_span_without_snapshots_is_too_short(sample: Path, lively: Path) -> None:
    """Nothing could be compared, so nothing is called honest."""
    first = Catalog(sample).ledger.series()[0].first_ns
    with pytest.raises(CatalogError, match="no snapshots to compare: it is too short"):
        find_look_ahead(Catalog(sample), load_profile(lively), start_ns=first, end_ns=first + 1_500_000_000)


def test_a_span_too_short_for_later_starts_is_exit_2(sample: Path, lively: Path) -> None:
    """What could be compared is told, then what could not."""
    result = run("--catalog", sample, "--profile", lively, "--cuts", 1, "--end", "2026-01-05T00:00:40")
    assert result.exit_code == 2
    assert result.stdout.startswith("no look-ahead: before 1 cuts of the engine and 4 of the bulk driver")
    assert "too short to measure the warm-up" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--catalog", "nowhere"), "nowhere is not a catalog"),
        (("--profile", "nowhere.toml"), "nowhere.toml: cannot be read"),
        (("--start", "2030-01-01"), "has no data between the given start and end"),
        (("--cuts", "0"), "--cuts"),
        (("--settle-seconds", "-1"), "--settle-seconds"),
    ],
)
def test_bad_input_is_exit_2(sample: Path, lively: Path, arguments: tuple[str, ...], message: str) -> None:
    """The error names the value, on standard error alone."""
    given = {"--catalog": str(sample), "--profile": str(lively)}
    rest = [pair for name, value in given.items() if name not in arguments for pair in (name, value)]
    result = run(*rest, *arguments)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert message in " ".join(result.stderr.split())
    assert "Traceback" not in result.stderr
