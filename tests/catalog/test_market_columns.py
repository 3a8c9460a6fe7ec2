"""Columns: rows and trades of a book as the catalog's tables."""

from decimal import Decimal

import numpy as np
import pyarrow as pa

from catalog.market_columns import Arrivals, book_chunk, trade_chunk
from catalog.market_levels import SWEEPING_BUYER, SWEEPING_SELLER, write_snapshot
from catalog.market_specs import MarketSpec, listings
from catalog.tables import ADD, ASK, BID, BUYER, CLEAR, F_LAST, F_SNAPSHOT, NO_SIDE, SELLER, Kind
from tests.catalog.small_books import blank_rows, small_book


def btc() -> MarketSpec:
    """Ticks of 0.1, steps of 0.001."""
    return listings(1, ("BINANCE",))[0].spec


def columns(table: pa.Table, *names: str) -> list[tuple[object, ...]]:
    return [tuple(row[name] for name in names) for row in table.to_pylist()]


def test_prints_take_the_side_of_their_taker() -> None:
    """A buyer's walk is two buys, a seller follows, and the takers that break walls have sides of their own."""
    trades = np.array(
        [
            [1000, 930_000, 5, 0],
            [2000, 930_001, 2, 0],
            [3000, 929_999, 1, 1],
            [4000, 930_000, 7, SWEEPING_BUYER],
            [5000, 930_000, 7, SWEEPING_SELLER],
        ]
    )
    chunk = trade_chunk(btc(), trades, np.array([1, -1]), Arrivals(0.004), np.random.default_rng(0))
    assert chunk.kind is Kind.TRADES
    assert columns(chunk.table, "price", "size", "aggressor_side", "trade_id", "ts_event", "line") == [
        (Decimal("93000.0"), Decimal("0.005"), BUYER, "1", 1000, 1),
        (Decimal("93000.1"), Decimal("0.002"), BUYER, "2", 2000, 2),
        (Decimal("92999.9"), Decimal("0.001"), SELLER, "3", 3000, 3),
        (Decimal("93000.0"), Decimal("0.007"), BUYER, "4", 4000, 4),
        (Decimal("93000.0"), Decimal("0.007"), SELLER, "5", 5000, 5),
    ]


def test_no_trades_are_an_empty_table() -> None:
    """A quiet block has the columns all the same, and numbering goes on behind it."""
    arrivals, rng = Arrivals(0.004), np.random.default_rng(0)
    empty = trade_chunk(btc(), np.empty((0, 4), np.int64), np.empty(0, np.int64), arrivals, rng)
    assert empty.table.num_rows == 0
    following = trade_chunk(btc(), np.array([[9, 930_000, 1, 0]]), np.array([1]), arrivals, rng)
    assert following.table["line"].to_pylist() == [1]


def test_rows_of_a_frame_share_their_stamps() -> None:
    """Two snapshots of a bid and an ask: exact decimals, one arrival a frame, frames numbered."""
    book, rows = small_book({930_000: 5}, {930_001: 2}), blank_rows()
    n = write_snapshot(book, rows, 0, 1000)
    n = write_snapshot(book, rows, n, 2000)
    table = book_chunk(btc(), rows[:n], Arrivals(0.004), np.random.default_rng(0)).table
    bid, ask = (Decimal("93000.0"), Decimal("0.005")), (Decimal("93000.1"), Decimal("0.002"))
    frame = [(CLEAR, NO_SIDE, Decimal(0), Decimal(0), F_SNAPSHOT), (ADD, BID, *bid, F_SNAPSHOT)]
    frame.append((ADD, ASK, *ask, F_SNAPSHOT | F_LAST))
    assert columns(table, "action", "side", "price", "size", "flags") == frame * 2
    assert columns(table, "ts_event", "sequence", "line") == [(1000, 1, 1)] * 3 + [(2000, 2, 2)] * 3
    arrivals = table["ts_init"].to_pylist()
    assert len(set(arrivals[:3])) == len(set(arrivals[3:])) == 1
    assert 1000 < arrivals[0] < arrivals[3]
