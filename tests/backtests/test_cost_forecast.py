"""What trades were expected to cost, held against what they did."""

from decimal import Decimal

import pytest

from backtests.attribution import TradeCosts
from backtests.cost_forecast import PARTS, cost_errors, cost_figure, forecast_of
from backtests.costs import Costs
from strategies.trade_log import Trade
from tests.strategies.conftest import at
from tests.strategies.trade_rows import enter, leave, planned

FORECAST = {"fee_in": 1.0, "fee_out": 0.5, "spread": 2.0, "slippage": 0.25, "funding": -0.5, "total": 3.25}


def trade(*, size: str = "1", closed: bool = True, forecast: dict[str, float] = FORECAST) -> Trade:
    """Planned for 1, of which `size` was entered."""
    made = planned(forecast=forecast)
    enter(made, 100, at(6), size=size)
    if closed:
        leave(made, 101, at(9), size=size)
    return made


def paid(fees: str, spread: str, *, unattributed: int = 0) -> TradeCosts:
    """Costs that are known in full unless some fills are `unattributed`."""
    return TradeCosts(Costs(fees=Decimal(fees), spread=Decimal(spread), latency=Decimal("0.5")), unattributed)


def test_a_forecast_is_of_what_was_entered() -> None:
    """Both fees are one part, latency is none; half of the plan is expected to cost half."""
    whole = {"fees": 1.5, "spread": 2.0, "latency": 0.0, "slippage": 0.25, "funding": -0.5, "total": 3.25}
    assert forecast_of(trade()) == whole
    assert forecast_of(trade(size="0.5")) == {part: value / 2 for part, value in whole.items()}
    assert list(whole) == list(PARTS)


def test_a_part_that_is_missing_is_not_zero() -> None:
    """Without all parts there is no forecast."""
    assert forecast_of(trade(forecast={"fee_in": 1.0})) is None


def test_errors_by_hand() -> None:
    """Fees of 2 and 1 where 1.5 were forecast: right on average, half wrong each time."""
    errors = cost_errors([trade(), trade()], [paid("2", "2"), paid("1", "3")])
    assert (errors["count"], errors["left_out"]) == (2, 0)
    assert errors["parts"]["fees"] == {"forecast": 1.5, "actual": 1.5, "error": 0.0, "absolute_error": 0.5}
    assert errors["parts"]["spread"] == {"forecast": 2.0, "actual": 2.5, "error": 0.5, "absolute_error": 0.5}
    assert errors["parts"]["latency"]["error"] == 0.5
    assert errors["parts"]["funding"]["error"] == 0.5
    assert errors["parts"]["total"]["actual"] == pytest.approx(4.5)


def test_only_trades_that_are_known_in_full_count() -> None:
    """One is open, one has no forecast, and of one nothing but a fee is known: the last two are said to be left out."""
    trades = [trade(), trade(closed=False), trade(forecast={}), trade()]
    errors = cost_errors(trades, [paid("1", "1"), paid("1", "1"), paid("1", "1"), paid("9", "0", unattributed=1)])
    assert (errors["count"], errors["left_out"]) == (1, 2)
    assert errors["parts"]["fees"]["actual"] == 1.0


def test_without_a_trade_there_is_no_mean() -> None:
    """No part has a figure."""
    assert cost_errors([], []) == {"count": 0, "left_out": 0, "parts": {}}


def test_the_panel_shows_parts_and_trades() -> None:
    """Bars of both means by part, and a point a trade: the forecast across, what it cost up."""
    trades, costs = [trade(), trade(size="0.5")], [paid("2", "2"), paid("1", "0.5")]
    figure = cost_figure(trades, costs, cost_errors(trades, costs))
    traces = {trace.name: trace for trace in figure.data}
    assert list(traces["forecast"].x) == list(traces["actual"].x) == list(PARTS)
    assert traces["actual"].y[0] == 1.5
    assert list(traces["trade"].x) == [3.25, 1.625]
    assert list(traces["trade"].y) == [4.5, 2.0]
    assert list(traces["as forecast"].x) == [1.625, 4.5]
