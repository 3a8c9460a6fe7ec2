import math
from decimal import Decimal

import pyarrow as pa
import pytest

from strategies.flow.groups import FEATURES
from strategies.trade_log import TRADE_SCHEMA, Fill, Trade
from tests.strategies.conftest import signal


def short_trade(multiplier: str = "1") -> Trade:
    """A short planned for 4 at a stop 10 above."""
    return Trade(
        asset="BTC",
        instrument_id="BTCUSDT-PERP.BINANCE",
        side=-1,
        score=-0.5,
        setup=signal(5, -0.5),
        planned_size=Decimal(4),
        stop=Decimal(110),
        target=Decimal(85),
        risk=Decimal(10),
        multiplier=Decimal(multiplier),
        decided_ns=5,
    )


def fill(trade: Trade, *, entry: bool, size: str, price: str, fee: str, ts: int) -> None:
    trade.fill(entry=entry, size=Decimal(size), price=Decimal(price), fee=Decimal(fee), ts=ts, order_id="X")


def test_a_round_trip_by_hand() -> None:
    """Sold 1 at 100 and 3 at 99, bought 4 at 95: 397 - 380 = 17 before and 16 after fees, 0.4 R of 40 at risk."""
    trade = short_trade()
    fill(trade, entry=True, size="1", price="100", fee="0.2", ts=6)
    fill(trade, entry=True, size="3", price="99", fee="0.3", ts=7)
    assert (trade.open_size, trade.gross, trade.exit_price) == (4, 0, None)
    fill(trade, entry=False, size="4", price="95", fee="0.5", ts=9)
    row = trade.to_row()
    assert (row["entry_ns"], row["exit_ns"], row["side"]) == (6, 9, "short")
    assert (row["entry_price"], row["exit_price"], row["size"]) == (99.25, 95.0, 4.0)
    assert (row["gross"], row["fees"], row["net"], row["r"]) == (17.0, 1.0, 16.0, 0.4)


def test_a_multiplier_scales_money_and_not_r() -> None:
    """The same trade in contracts of 0.001 without fees: 0.017, and 0.425 R either way."""
    trades = short_trade(), short_trade("0.001")
    for trade in trades:
        fill(trade, entry=True, size="4", price="99.25", fee="0", ts=6)
        fill(trade, entry=False, size="4", price="95", fee="0", ts=9)
    assert [t.to_row()["gross"] for t in trades] == [17.0, 0.017]
    assert [t.to_row()["r"] for t in trades] == pytest.approx([0.425, 0.425])


def test_the_gross_of_what_is_closed_in_part() -> None:
    """Of 4 sold at 100 one was bought at 90: 10 so far."""
    trade = short_trade()
    fill(trade, entry=True, size="4", price="100", fee="0", ts=6)
    fill(trade, entry=False, size="1", price="90", fee="0", ts=9)
    assert (trade.open_size, trade.gross) == (3, 10)


def test_an_open_trade_has_no_exit_price() -> None:
    """Missing is not zero: the row has a null, and so has R before anything was entered."""
    row = short_trade().to_row()
    assert (row["entry_price"], row["exit_price"], row["r"]) == (None, None, None)
    assert row["gross"] == 0.0


def test_rows_fit_the_schema() -> None:
    """A row has the schema's columns in their order, with what was seen at entry, and survives Arrow."""
    trade = short_trade()
    row = trade.to_row()
    assert list(row) == TRADE_SCHEMA.names
    assert row["at_entry_atr"] == 5.0
    assert math.isnan(row["at_entry_rsi"])
    assert [n for n in row if n.startswith("at_entry_")] == [f"at_entry_{f.name}" for f in FEATURES]
    table = pa.Table.from_pylist([row], schema=TRADE_SCHEMA)
    assert table.column("stop").to_pylist() == [110.0]


def test_funding_is_part_of_the_net() -> None:
    """17 gross less 1 of fees and 2 of funding that was paid: 14, or 0.35 R."""
    trade = short_trade()
    fill(trade, entry=True, size="4", price="99.25", fee="0.5", ts=6)
    fill(trade, entry=False, size="4", price="95", fee="0.5", ts=9)
    trade.funding = Decimal(-2)
    row = trade.to_row()
    assert (row["gross"], row["fees"], row["funding"], row["net"], row["r"]) == (17.0, 1.0, -2.0, 14.0, 0.35)


def test_fills_remember_their_orders() -> None:
    """A short's entry sold and its exit bought, each with its order, size, price, fee and time."""
    trade = short_trade()
    trade.fill(entry=True, size=Decimal(4), price=Decimal(100), fee=Decimal(1), ts=6, order_id="in")
    trade.fill(entry=False, size=Decimal(3), price=Decimal(90), fee=Decimal(2), ts=9, order_id="out")
    assert trade.fills == [
        Fill("in", -1, Decimal(4), Decimal(100), Decimal(1), 6),
        Fill("out", 1, Decimal(3), Decimal(90), Decimal(2), 9),
    ]
