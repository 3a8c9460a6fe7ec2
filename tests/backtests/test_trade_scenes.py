"""What is shown around a trade: which trades, for how long, on which prices, with which walls."""

from decimal import Decimal
from pathlib import Path

import pandas as pd
import pytest

from backtests.trade_scenes import AFTER_NS, BEFORE_NS, WALL_FEATURES, charted, trade_scenes, window_of
from catalog.markets import Market, MarketKind
from strategies.targets import Source
from strategies.trade_log import RestingOrder, Trade
from tests.backtests.conftest import T0, book, trades, write_catalog
from tests.strategies.conftest import SECOND, START, at
from tests.strategies.trade_rows import enter, leave, planned

PERP = Market("BINANCE", MarketKind.PERP, "BTCUSDT")
ALWAYS = (0, 2**63 - 1)


def closed(seconds: float, price: float = 100, **others: object) -> Trade:
    """A long from 100 that left ten seconds later at `price`, with 10 at risk."""
    made = planned(seconds=seconds, **others)
    enter(made, 100, at(seconds + 1))
    leave(made, price, at(seconds + 10))
    return made


def test_few_trades_are_all_charted() -> None:
    """As many as there is room for, in their order."""
    assert charted([closed(5)] * 3, most=3) == [0, 1, 2]
    assert charted([]) == []


def test_of_many_the_best_the_worst_and_the_newest_are_charted() -> None:
    """Two of each of nine: those that left at 108 and 107, at 91 and 92, and the last two of the others."""
    prices = [108, 95, 91, 101, 92, 107, 100, 102, 99]
    assert charted([closed(10 * k, price) for k, price in enumerate(prices)], most=6) == [0, 2, 4, 5, 7, 8]


def test_newest_is_by_decision() -> None:
    """Trades come in the order in which they ended; one that was decided late may have ended early."""
    made = [closed(seconds) for seconds in (300, 10, 20, 30, 40)]
    assert 0 in charted(made, most=3)


def test_a_trade_is_shown_from_before_it_to_after_it() -> None:
    """Two minutes before the decision, a minute after the last order's end, and no farther than the replay."""
    trade = closed(500)
    assert window_of(trade, ALWAYS) == (at(500) - BEFORE_NS, at(510) + AFTER_NS)
    trade.resting = [RestingOrder("stop", "stop-1", Decimal(90), at(501), at(512))]
    assert window_of(trade, ALWAYS) == (at(500) - BEFORE_NS, at(512) + AFTER_NS)
    assert window_of(trade, (at(450), at(520))) == (at(450), at(520))


def test_an_open_trade_is_shown_to_the_end() -> None:
    """Nothing has ended yet."""
    trade = planned(seconds=500)
    enter(trade, 100, at(501))
    assert window_of(trade, (at(0), at(4_000))) == (at(500) - BEFORE_NS, at(4_000))


def snapshots(*seconds: float, **features: float) -> pd.DataFrame:
    """Snapshots of BTC, without any wall unless said otherwise."""
    columns = dict.fromkeys(WALL_FEATURES, 0.0) | features
    rows = [{"ts": at(second), "asset": "BTC"} | columns for second in seconds]
    return pd.DataFrame(rows, columns=["ts", "asset", *WALL_FEATURES])


def test_prices_are_of_the_venue_and_walls_about_its_mid(tmp_path: Path) -> None:
    """A wall 20 bps above and a magnet 10 bps below a mid of 99.9; scans outside of the window are left out."""
    assert START == T0
    frames = [
        (0, "snapshot", [("99.9", "1")], [("100.1", "1")]),
        (300_000_000, "diff", [("99.9", "0"), ("99.7", "1")], []),
    ]
    catalog = write_catalog(tmp_path, {PERP: [book(frames)]})
    seen = snapshots(10, 400, 900, ask_wall_bps=20.0, ask_wall_strength=5.0, bid_magnet_bps=10.0)
    scene = trade_scenes(catalog, {4: closed(400)}, seen, span_ns=ALWAYS, reach_bps=40)[4]
    assert [(ts - START) / SECOND for ts in scene.prices.ts.tolist()] == pytest.approx([280, 300], abs=1e-6)
    assert scene.prices.bid.tolist() == [99.9, 99.7]
    assert scene.prices.ask.tolist() == [100.1, 100.1]
    walls = [((ts - START) / SECOND, wall.source, float(wall.price)) for ts, wall in scene.walls]
    assert walls == [
        (400, Source.MAGNET, pytest.approx(99.9 * 0.999)),
        (400, Source.WALL, pytest.approx(99.9 * 1.002)),
    ]


def test_a_market_without_a_book_has_no_scene(tmp_path: Path) -> None:
    """Its trades go without a chart. An asset without snapshots has no walls."""
    other = Market("BYBIT", MarketKind.PERP, "BTCUSDT")
    frames = [(0, "snapshot", [("99.9", "1")], [("100.1", "1")])]
    catalog = write_catalog(tmp_path, {PERP: [book(frames)], other: [trades([1, 2])]})
    made = {0: closed(400), 1: closed(400, instrument_id=other.instrument_id)}
    scenes = trade_scenes(catalog, made, snapshots(), span_ns=ALWAYS, reach_bps=40)
    assert list(scenes) == [0]
    assert scenes[0].walls == []
