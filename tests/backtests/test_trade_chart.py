"""One trade's chart: what is drawn where, when and with which words."""

from decimal import Decimal
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest

from backtests.attribution import TradeCosts
from backtests.best_prices import BestPrices
from backtests.costs import Costs
from backtests.trade_chart import title_of, trade_figure
from backtests.trade_scenes import Scene
from strategies.targets import Source, Wall
from strategies.trade_log import FORECAST, PlannedTarget, RestingOrder, Trade
from tests.strategies.conftest import at
from tests.strategies.trade_rows import enter, leave, planned

WINDOW = (at(0), at(120))
PRICES = BestPrices(np.array([at(0), at(10), at(30)]), np.array([99.0, 100.0, 104.0]), np.array([101.0, 102.0, 105.0]))
WALLS = (
    (at(10), Wall(Decimal(116), Decimal(12))),
    (at(15), Wall(Decimal(97), Decimal(1), Source.MAGNET)),
    (at(15), Wall(Decimal(500), Decimal(9))),
)
SCENE = Scene(WINDOW, PRICES, WALLS)
COSTS = TradeCosts(Costs(fees=Decimal("1.25")), 0)


def trade() -> Trade:
    """A long of 2 in two fills; half leaves at a target before a wall, then the stop goes to break-even and is hit."""
    targets = (
        PlannedTarget(Decimal(110), Decimal("0.5"), "wall", Decimal("110.25")),
        PlannedTarget(Decimal(115), Decimal("0.5"), "R multiple"),
    )
    forecast = dict.fromkeys(FORECAST, 0.0) | {"total": 1.0}
    made = planned(seconds=10, planned_size=Decimal(2), targets=targets, reason="break-even stop", forecast=forecast)
    enter(made, 102, at(11), size="0.5", fee="0.1", order_id="O-1")
    enter(made, "102.5", at(12), size="1.5", fee="0.3", order_id="O-1")
    leave(made, 110, at(30), fee="0.2", order_id="O-3", role="target")
    leave(made, "102.9", at(40), fee="0.2", order_id="O-2", role="stop")
    made.see(Decimal(101))
    made.resting = [
        RestingOrder("stop", "stop-1", Decimal(90), at(11), at(31)),
        RestingOrder("target", "target-1-1", Decimal(110), at(11), at(30)),
        RestingOrder("target", "target-2-1", Decimal(115), at(11), at(41)),
        RestingOrder("stop", "stop-1", Decimal(103), at(31), at(40)),
    ]
    return made


def drawn_figure(trade: Trade, scene: Scene = SCENE) -> go.Figure:
    """The figure as plotly reads it, which refuses what it does not know."""
    return go.Figure(trade_figure(trade, COSTS, scene))


def traces(figure: go.Figure, name: str) -> list[Any]:
    return [trace for trace in figure.data if trace.name == name]


def seconds(ms: Any) -> list[float]:
    """Seconds of the script, of times as charts have them."""
    return [round(float(one) / 1e3 - at(0) / 1e9, 3) for one in ms]


def drawn(line: Any) -> list[tuple[float, float]]:
    return list(zip(seconds(line.x), [float(y) for y in line.y], strict=True))


def test_prices_are_steps_to_the_end_of_the_window() -> None:
    """The best prices stand until they change, and the last ones to the end."""
    figure = drawn_figure(trade())
    (bid,), (ask,) = traces(figure, "bid"), traces(figure, "ask")
    assert drawn(bid) == [(0, 99), (10, 100), (30, 104), (120, 104)]
    assert drawn(ask)[-1] == (120, 105)
    assert bid.line.shape == "hv"
    assert seconds(figure.layout.xaxis.range) == [0, 120]


def test_a_stop_that_moves_is_one_stepped_line() -> None:
    """90 until second 31, then break-even at 103, in words too."""
    (stop,) = traces(drawn_figure(trade()), "stop")
    assert drawn(stop) == [(11, 90), (31, 90), (31, 103), (40, 103)]
    assert [text for text in stop.text if text] == ["stop 90 ", "moved to 103"]


def test_each_target_is_a_line_for_as_long_as_it_rested() -> None:
    """With what it aims at; in the legend once."""
    first, second = traces(drawn_figure(trade()), "target")
    assert drawn(first) == [(11, 110), (30, 110)]
    assert drawn(second) == [(11, 115), (41, 115)]
    assert [first.text[0], second.text[0]] == ["wall target 110 ", "R multiple target 115 "]
    assert [first.showlegend, second.showlegend] == [True, False]


def test_an_order_that_still_rests_is_drawn_to_the_end() -> None:
    """It has no end yet."""
    made = trade()
    made.resting[-1].to_ns = 0
    (stop,) = traces(drawn_figure(made), "stop")
    assert drawn(stop)[-1] == (120, 103)


def test_walls_are_drawn_that_were_aimed_at_or_seen() -> None:
    """The wall of the first target; those of the scans that lie on the chart, magnets apart."""
    figure = drawn_figure(trade())
    (aim,) = traces(figure, "wall that a target lies before")
    assert drawn(aim) == [(10, 110.25), (40, 110.25)]
    (wall,), (magnet,) = traces(figure, "proven wall at scans"), traces(figure, "magnet at scans")
    assert (drawn(wall), list(wall.text)) == ([(10, 116)], ["12"])
    assert drawn(magnet) == [(15, 97)]
    assert figure.layout.yaxis.range[1] < 120


def test_fills_have_size_price_fee_order_and_role() -> None:
    """Two of the entry, one of the target, one of the stop, each in words."""
    figure = drawn_figure(trade())
    (entry,), (target,), (stop,) = (traces(figure, name) for name in ("entry", "filled target", "filled stop"))
    assert drawn(entry) == [(11, 102), (12, 102.5)]
    assert entry.text[1] == "entry: bought 1.5 at 102.5<br>fee 0.3, +2.000 s from the decision<br>order O-1"
    assert (drawn(target), drawn(stop)) == ([(30, 110)], [(40, 102.9)])
    assert target.text[0].startswith("filled target: sold 1 at 110<br>fee 0.2")
    assert entry.marker.symbol == "triangle-up"
    assert not traces(figure, "closed at market")


def test_sizes_are_in_base_units() -> None:
    """1.5 contracts of 0.01 are 0.015."""
    made = trade()
    made.multiplier = Decimal("0.01")
    assert "bought 0.015 at" in traces(drawn_figure(made), "entry")[0].text[1]


def test_the_decision_and_the_reason_are_marked() -> None:
    """Two lines down the chart, named above it."""
    figure = drawn_figure(trade())
    assert [text.text for text in figure.layout.annotations] == ["decision", "left: break-even stop"]
    assert seconds([shape.x0 for shape in figure.layout.shapes]) == [10, 40]


def test_the_worst_and_best_price_are_marked() -> None:
    """Against an entry of 102.375: down to 101, up to 110; a trade that never was ahead has no best price."""
    worst, best = traces(drawn_figure(trade()), "worst and best price at scans")
    assert (worst.y[0], best.y[0]) == (101, 110)
    loser = planned(seconds=10, reason="stop")
    enter(loser, 102, at(11))
    leave(loser, 99, at(20), role="stop")
    (only,) = traces(drawn_figure(loser), "worst and best price at scans")
    assert only.text[1] == " MAE"


def test_the_title_tells_the_trade() -> None:
    """What, where, how it ended, in R and money; what was expected; costs, and how far the price went."""
    heading, stated, below = title_of(trade(), COSTS).split("<br>")
    # entered at 102.375: 7.625 and 0.525 made, 0.8 of fees, 20 at risk
    assert heading == "<b>BTC long 2 on BINANCE, left by break-even stop: +0.37 R, net +7.35</b>"
    assert "by hand: probability 0.600, break-even 0.500, expected +0.25 R" in stated
    assert "cost 1.25, forecast 1.00; MAE 0.14 R; MFE 0.76 R" in below


def test_a_trade_that_was_filled_in_part_and_is_open_says_so() -> None:
    """Of 2 planned only half was entered, and nothing has left."""
    made = planned(-1, planned_size=Decimal(2))
    enter(made, 100, at(6))
    assert "BTC short 1 of 2 planned on BINANCE, still open" in title_of(made, COSTS)
    figure = drawn_figure(made)
    assert traces(figure, "entry")[0].marker.symbol == "triangle-down"
    assert [text.text for text in figure.layout.annotations] == ["decision"]


def test_words_of_a_venue_are_escaped() -> None:
    """A reason may hold what a page would take for its own."""
    made = trade()
    made.reason = "<b>refused"
    assert "left by &lt;b&gt;refused" in title_of(made, COSTS)
    assert drawn_figure(made).layout.annotations[1].text == "left: &lt;b&gt;refused"


def test_a_chart_without_any_price_has_its_own() -> None:
    """The book was not known: what was paid and rested is shown all the same."""
    dark = BestPrices(np.array([at(0)]), np.array([np.nan]), np.array([np.nan]))
    assert [trace["y"] for trace in trade_figure(trade(), COSTS, Scene(WINDOW, dark, ()))["data"][:2]] == [
        [None] * 2
    ] * 2
    low, high = drawn_figure(trade(), Scene(WINDOW, dark, ())).layout.yaxis.range
    assert (low, high) == pytest.approx((90 - 1.5, 115 + 1.5))
