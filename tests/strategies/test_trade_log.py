import json
import math
from decimal import Decimal

import pyarrow as pa
import pytest

from strategies.flow.groups import FEATURES
from strategies.trade_log import FORECAST, TRADE_SCHEMA, Fill, PlannedTarget, RestingOrder, Trade
from tests.strategies.trade_rows import enter, leave, planned


def short_trade(multiplier: str = "1") -> Trade:
    """A short planned for 4 at a stop 10 above."""
    return planned(-1, planned_size=Decimal(4), multiplier=Decimal(multiplier))


def test_a_round_trip_by_hand() -> None:
    """Sold 1 at 100 and 3 at 99, bought 4 at 95: 397 - 380 = 17 before and 16 after fees, 0.4 R of 40 at risk."""
    trade = short_trade()
    enter(trade, 100, 6, size=1, fee="0.2")
    enter(trade, 99, 7, size=3, fee="0.3")
    assert (trade.open_size, trade.gross, trade.exit_price) == (4, 0, None)
    leave(trade, 95, 9, size=4, fee="0.5")
    row = trade.to_row()
    assert (row["entry_ns"], row["exit_ns"], row["side"]) == (6, 9, "short")
    assert (row["entry_price"], row["exit_price"], row["size"]) == (99.25, 95.0, 4.0)
    assert (row["gross"], row["fees"], row["net"], row["r"]) == (17.0, 1.0, 16.0, 0.4)


def test_a_multiplier_scales_money_and_not_r() -> None:
    """The same trade in contracts of 0.001 without fees: 0.017, and 0.425 R either way."""
    trades = short_trade(), short_trade("0.001")
    for trade in trades:
        enter(trade, "99.25", 6, size=4)
        leave(trade, 95, 9, size=4)
    assert [t.to_row()["gross"] for t in trades] == [17.0, 0.017]
    assert [t.to_row()["r"] for t in trades] == pytest.approx([0.425, 0.425])


def test_the_gross_of_what_is_closed_in_part() -> None:
    """Of 4 sold at 100 one was bought at 90: 10 so far."""
    trade = short_trade()
    enter(trade, 100, 6, size=4)
    leave(trade, 90, 9, size=1)
    assert (trade.open_size, trade.gross) == (3, 10)


def test_an_open_trade_has_no_exit_price() -> None:
    """Missing is not zero: the row has a null, and so have R and excursions before anything was entered."""
    row = short_trade().to_row()
    assert (row["entry_price"], row["exit_price"], row["r"]) == (None, None, None)
    assert (row["mae_r"], row["mfe_r"]) == (None, None)
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


def test_what_was_decided_is_in_the_row() -> None:
    """Its id, the model and what it stated, the plan, and every part of the forecast; a part that is missing is null.

    Prices of the plan are as they were decided, whatever is planned anew later.
    """
    targets = (
        PlannedTarget(Decimal("101.9"), Decimal("0.4"), "wall", Decimal(102)),
        PlannedTarget(Decimal(103), Decimal("0.6"), "barrier"),
    )
    costs = {"fee_in": 0.5, "fee_out": 0.25, "spread": 0.125, "slippage": 0.0, "total": 0.875}
    row = planned(targets=targets, forecast=costs, mid=Decimal("100.05")).to_row()
    assert (row["trace_id"], row["model"], row["decided_ns"]) == ("BTC-5-L", "by hand", 1_700_000_005_000_000_000)
    assert (row["probability"], row["break_even"], row["expected_r"]) == (0.6, 0.5, 0.25)
    assert (row["mid"], row["stop"], row["planned_size"]) == (100.05, 90.0, 1.0)
    assert json.loads(row["targets"]) == [
        {"price": 101.9, "share": 0.4, "source": "wall", "wall": 102.0},
        {"price": 103.0, "share": 0.6, "source": "barrier", "wall": None},
    ]
    assert {name: row[f"forecast_{name}"] for name in FORECAST} == costs | {"funding": None}


def test_excursions_are_measured_from_the_entry() -> None:
    """A short from 100 that saw 104, 97 and left at 96: 4 against it, 4 with it; 0.4 R each of 10 at risk."""
    trade = short_trade()
    enter(trade, 100, 6, size=4)
    for price in (104, 97):
        trade.see(Decimal(price))
    leave(trade, 96, 9, size=4)
    assert (trade.mae, trade.mfe) == (4, 4)
    assert (trade.to_row()["mae_r"], trade.to_row()["mfe_r"]) == (0.4, 0.4)


@pytest.mark.parametrize(("side", "against", "with_it"), [(1, 2, 0), (-1, 0, 2)])
def test_an_excursion_is_never_negative(side: int, against: int, with_it: int) -> None:
    """Only 98 was seen: a long from 100 was never above its entry, a short never below it."""
    trade = planned(side)
    enter(trade, 100, 6)
    leave(trade, 98, 9)
    assert (trade.mae, trade.mfe) == (against, with_it)


def test_what_happened_is_in_the_row_as_json() -> None:
    """Every fill that closed, what rested when (an order that still rests has no end), and every command."""
    trade = short_trade()
    trade.resting = [
        RestingOrder("stop", "stop-1", Decimal("110.5"), 6, 9),
        RestingOrder("target", "target-1-1", Decimal(85), 6),
    ]
    trade.history = [(6, "submit entry", "the plan"), (9, "trade done", "target")]
    enter(trade, 100, 6, size=4)
    leave(trade, 85, 8, size=3, fee="0.1", role="target")
    leave(trade, 86, 9, size=1, role="venue")
    row = trade.to_row()
    assert json.loads(row["exits"]) == [
        {"ts": 8, "what": "target", "size": 3.0, "price": 85.0, "fee": 0.1},
        {"ts": 9, "what": "venue", "size": 1.0, "price": 86.0, "fee": 0.0},
    ]
    assert json.loads(row["resting"]) == [
        {"what": "stop", "ref": "stop-1", "price": 110.5, "from": 6, "to": 9},
        {"what": "target", "ref": "target-1-1", "price": 85.0, "from": 6, "to": None},
    ]
    assert json.loads(row["history"]) == [
        {"ts": 6, "what": "submit entry", "why": "the plan"},
        {"ts": 9, "what": "trade done", "why": "target"},
    ]


def test_funding_is_part_of_the_net() -> None:
    """17 gross less 1 of fees and 2 of funding that was paid: 14, or 0.35 R."""
    trade = short_trade()
    enter(trade, "99.25", 6, size=4, fee="0.5")
    leave(trade, 95, 9, size=4, fee="0.5")
    trade.funding = Decimal(-2)
    row = trade.to_row()
    assert (row["gross"], row["fees"], row["funding"], row["net"], row["r"]) == (17.0, 1.0, -2.0, 14.0, 0.35)


def test_fills_remember_their_orders() -> None:
    """A short's entry sold and its exit bought, each with its order, size, price, fee, time and role."""
    trade = short_trade()
    enter(trade, 100, 6, size=4, fee=1, order_id="in")
    leave(trade, 90, 9, size=3, fee=2, order_id="out", role="stop")
    assert trade.fills == [
        Fill("in", -1, Decimal(4), Decimal(100), Decimal(1), 6, "entry"),
        Fill("out", 1, Decimal(3), Decimal(90), Decimal(2), 9, "stop"),
    ]


def test_the_venue_is_that_of_the_instrument() -> None:
    """What stands behind the last dot of its id."""
    assert planned(venue="BYBIT").venue == "BYBIT"
