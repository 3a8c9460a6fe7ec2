from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from backtests.margin import load_margin_tiers
from backtests.market_data import EVERYTHING
from backtests.profile import Profile, load_profile
from backtests.replay import disposing, run_replay
from backtests.simulation import maintenance_rates, with_fees
from backtests.universe import universe
from catalog.ledger import CatalogError
from catalog.markets import Market, MarketKind
from catalog.store import Catalog
from catalog.tables import Chunk, Kind
from tests.backtests.conftest import TENTHS, book, chunk, ns, trades, write_catalog

BINANCE = Market("BINANCE", MarketKind.PERP, "BTCUSDT")
BYBIT = Market("BYBIT", MarketKind.PERP, "BTCUSDT")
SPOT = Market("BINANCE_SPOT", MarketKind.SPOT, "BTCUSDT")
ETH = Market("BINANCE", MarketKind.PERP, "ETHUSDT")
FRAMES = [(10, "snapshot", [("99.9", "1")], [("100.1", "1")])]
BOOK, PRINTS = book(FRAMES), trades([20, 30])
QUOTES = chunk(Kind.QUOTES, {"bid_price": ["1"], "ask_price": ["2"], "bid_size": ["1"], "ask_size": ["1"]}, [10])


def make(root: Path, series: dict[Market, Sequence[Chunk]], **others: Any) -> Catalog:
    bases = {ETH: replace(TENTHS, base="ETH")}
    return write_catalog(root, series, bases | others.pop("definitions", {}), **others)


def profile(**replay: Any) -> Profile:
    base = load_profile()
    return base.model_copy(update={"replay": base.replay.model_copy(update=replay)})


def test_fees_are_the_profiles(tmp_path: Path) -> None:
    """A perp of a venue of the profile gets its fees and margins, a market that is only read is left as it is."""
    perp, spot = universe(make(tmp_path, {BINANCE: [BOOK], SPOT: [PRINTS]}), profile()).instruments
    charged = with_fees(perp, profile())
    assert (charged.maker_fee, charged.taker_fee) == (Decimal("0.0002"), Decimal("0.0005"))
    assert (charged.margin_init, charged.margin_maint) == (1, Decimal("0.5"))
    assert (charged.id, charged.price_increment, charged.info) == (perp.id, perp.price_increment, perp.info)
    assert with_fees(spot, profile()) is spot


def test_maintenance_rates_are_those_of_the_largest_position(tmp_path: Path) -> None:
    """Of every perp that is traded, of the tier of max_notional, or of the last one where that is beyond all tiers."""
    markets = universe(make(tmp_path, {BINANCE: [BOOK], BYBIT: [BOOK], SPOT: [BOOK], ETH: [PRINTS]}), profile())
    for most, tier in ((Decimal(1), 0), (Decimal(10) ** 12, -1)):
        body = profile().model_dump(mode="json")
        body["scalper"]["candidates"]["max_notional"] = str(most)
        tables = {name: load_margin_tiers().tiers(name, "BTC").tiers for name in ("BINANCE", "BYBIT")}
        assert {
            name: Decimal(rate) for name, rate in maintenance_rates(markets, Profile.model_validate(body)).items()
        } == {
            BINANCE.instrument_id: tables["BINANCE"][tier].maintenance_rate,
            BYBIT.instrument_id: tables["BYBIT"][tier].maintenance_rate,
        }
    assert tables["BINANCE"][0].maintenance_rate < tables["BINANCE"][-1].maintenance_rate


# -- a run -------------------------------------------------------------------------------------------------------------


def snapshots(sample: Path, lively: Path, path: Path, start_ns: int, end_ns: int) -> pd.DataFrame:
    settings = load_profile(lively)
    with disposing(run_replay(Catalog(sample), settings, start_ns=start_ns, end_ns=end_ns, snapshots=path)) as replay:
        assert replay.recorder is not None
        frame = pd.read_parquet(path)
        assert len(frame) == replay.recorder.count
        return frame


def test_the_future_changes_nothing(sample: Path, lively: Path, tmp_path: Path) -> None:
    """A replay that ends after three minutes has the snapshots and the trades' times of one that goes on."""
    start = Catalog(sample).ledger.series()[0].first_ns
    minutes = [start + m * 60_000_000_000 for m in (3, 5)]
    short, long = (snapshots(sample, lively, tmp_path / f"{end}.parquet", 0, end) for end in minutes)
    assert len(long) > len(short) > 20
    pd.testing.assert_frame_equal(long[long["ts"] <= short["ts"].max()], short, check_exact=True)


def test_a_later_start_sees_the_same_books_at_the_same_times(sample: Path, lively: Path, tmp_path: Path) -> None:
    """What comes from the book alone is bit for bit that of the whole run, from the second sample on."""
    first = Catalog(sample).ledger.series()[0].first_ns
    start = first // 1_000_000_000 * 1_000_000_000 + 60_123_456_789
    whole = snapshots(sample, lively, tmp_path / "whole.parquet", 0, start + 60_000_000_000)
    later = snapshots(sample, lively, tmp_path / "later.parquet", start, start + 60_000_000_000)
    assert len(later) > 5
    columns = ["ts", "price", "spread_bps", "obi_near", "bid_depth_far", "ask_depth_far", "basis_bps"]
    same_times = whole[whole["ts"].isin(later["ts"])].reset_index(drop=True)
    pd.testing.assert_frame_equal(same_times[columns], later[columns], check_exact=True)


def test_a_bare_run_has_no_components_and_reads_everything(sample: Path, lively: Path) -> None:
    """The engine alone gets the rows that were announced; progress ends where the total is."""
    seen: list[tuple[int, int]] = []
    start = Catalog(sample).ledger.series()[0].first_ns
    replay = run_replay(
        Catalog(sample), load_profile(lively), start_ns=0, end_ns=start + 20_000_000_000, bare=True,
        on_rows=lambda done, total: seen.append((done, total)),
    )  # fmt: skip
    with disposing(replay):
        assert (replay.scalper, replay.actor, replay.recorder) == (None, None, None)
        assert replay.rows == seen[-1][0] > 0
        # funding and open interest are announced and not told
        assert 0 <= seen[-1][1] - seen[-1][0] < 20


def test_every_venue_of_the_profile_is_traded(sample: Path, lively: Path) -> None:
    """Where an asset is entered is a choice between them: fees of nothing on one of three draw all trades to it."""
    body = load_profile(lively).model_dump(mode="json")
    dear, cheap = {"maker_fee": "0.00002", "taker_fee": "0.00005"}, {"maker_fee": "0", "taker_fee": "0"}
    body["venues"] = {"BINANCE": dear, "BYBIT": cheap, "MEXC": dear}
    settings = Profile.model_validate(body)
    with disposing(run_replay(Catalog(sample), settings, start_ns=0, end_ns=EVERYTHING[1])) as replay:
        assert replay.scalper is not None
        assert [i.id.venue.value for i in replay.universe.tradable["BTC"]] == ["BINANCE", "BYBIT", "MEXC"]
        assert len(replay.scalper.trades) > 5
        assert {trade.venue for trade in replay.scalper.trades} == {"BYBIT"}


def test_a_span_without_data_is_an_error(tmp_path: Path) -> None:
    """The error names the catalog."""
    catalog = make(tmp_path, {BINANCE: [BOOK, PRINTS]})
    with pytest.raises(CatalogError, match="has no data between the given start and end"):
        run_replay(catalog, profile(), start_ns=ns(10**9), end_ns=EVERYTHING[1])


def test_a_market_without_flow_settings_of_its_own_runs(tmp_path: Path) -> None:
    """The smallest catalog: one frame and two prints make no snapshot and no trade, and end well."""
    catalog = make(tmp_path / "catalog", {BINANCE: [BOOK, PRINTS]})
    path = tmp_path / "snapshots.parquet"
    with disposing(run_replay(catalog, profile(), start_ns=0, end_ns=EVERYTHING[1], snapshots=path)) as replay:
        assert replay.scalper is not None
        assert replay.scalper.trades == []
        assert pd.read_parquet(path).empty
        assert replay.rows == 5
