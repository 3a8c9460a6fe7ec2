"""The section of all trades: table, data of the charts, words."""

import json
import re
from decimal import Decimal
from typing import Any

import numpy as np

from backtests.attribution import TradeCosts
from backtests.best_prices import BestPrices
from backtests.costs import Costs
from backtests.trade_scenes import Scene
from backtests.trades_page import COLUMNS, trades_page
from strategies.trade_log import FORECAST, Trade
from tests.strategies.conftest import at
from tests.strategies.trade_rows import enter, leave, planned

PRICES = BestPrices(np.array([at(0)]), np.array([99.0]), np.array([101.0]))
SCENE = Scene((at(0), at(60)), PRICES, ())
COSTS = TradeCosts(Costs(fees=Decimal("1234.5")), 0)


def trade(seconds: float = 5, *, out: str = "105", reason: str = "target", **others: Any) -> Trade:
    """A long from 100 with 10 at risk that left after twelve seconds at `out`, or is open where that is empty."""
    made = planned(seconds=seconds, reason=reason, **others)
    enter(made, 100, at(seconds + 1))
    if out:
        leave(made, out, at(seconds + 13), fee=1)
    return made


def page(*trades: Trade, scenes: dict[int, Scene] | None = None) -> str:
    known = dict.fromkeys(range(len(trades)), SCENE) if scenes is None else scenes
    return trades_page(trades, [COSTS] * len(trades), known)


def rows(html: str) -> list[list[str]]:
    """Texts of the cells, row by row."""
    (body,) = re.findall(r"<tbody>(.*?)</tbody>", html, re.DOTALL)
    return [re.findall(r"<td[^>]*>(.*?)</td>", row) for row in re.findall(r"<tr[^>]*>(.*?)</tr>", body)]


def data(html: str) -> dict[str, Any]:
    (text,) = re.findall(r"id='trade-data'>(.*?)</script>", html, re.DOTALL)
    return json.loads(text)


def test_a_row_tells_a_trade() -> None:
    """Time, market, what was stated, what was made, what it cost, how far the price went, how long, and why it left."""
    forecast = dict.fromkeys(FORECAST, 0.0) | {"total": 2.0}
    (row,) = rows(page(trade(forecast=forecast)))
    assert dict(zip(COLUMNS, row, strict=True)) == {
        "decided, UTC": "2023-11-14 22:13:25",
        "asset": "BTC",
        "venue": "BINANCE",
        "side": "long",
        "probability": "0.600",
        "break-even": "0.500",
        "expected R": "+0.25",
        "R": "+0.40",
        "net": "+4.00",
        "forecast": "2.00",
        "cost": "1,234.50",
        "MAE, R": "0.00",
        "MFE, R": "0.50",
        "held, s": "12.0",
        "left by": "target",
    }


def test_what_is_not_known_is_a_dash() -> None:
    """An open trade has not been held for a time yet, and one without a forecast has none."""
    (row,) = rows(page(trade(out="", reason="", forecast={})))
    assert row[-6:] == ["-", "1,234.50", "-", "-", "-", "still open"]


def test_wins_and_losses_are_coloured() -> None:
    """R and net of what is closed; what just broke even has no colour, nor a sign."""
    html = page(trade(), trade(out="95"), trade(out="101"), trade(out=""))
    assert (html.count("class=good"), html.count("class=bad")) == (2, 2)
    assert rows(html)[2][7] == "+0.00"


def test_rows_are_in_order_of_decision() -> None:
    """Whatever order the trades ended in; each row has the number of its chart."""
    html = page(trade(50), trade(5))
    assert [row[0][-5:] for row in rows(html)] == ["13:25", "14:10"]
    assert re.findall(r"data-chart='(\d)'", html) == ["1", "0"]


def test_each_scene_is_a_chart_with_the_trades_history() -> None:
    """Traces, layout and every order with its reason, seconds from the decision; one template for all."""
    made = trade()
    made.history = [(at(5), "submit entry", "the plan"), (at(6.5), "entry ended", "filled")]
    found = data(page(made, trade(50)))
    assert list(found["charts"]) == ["0", "1"]
    chart = found["charts"]["0"]
    assert {"bid", "ask", "entry"} <= {trace["name"] for trace in chart["data"]}
    assert "template" not in chart["layout"]
    assert found["template"]["layout"]
    assert chart["history"] == [["+0.000", "submit entry", "the plan"], ["+1.500", "entry ended", "filled"]]


def test_trades_without_a_chart_are_said() -> None:
    """Two trades of which one has a scene: one row can be chosen, and the note says how many and which."""
    html = page(trade(), trade(50), scenes={1: SCENE})
    assert re.findall(r"data-chart='(\d)'", html) == ["1"]
    assert "1 of 2 trades have a chart" in html
    assert "Every trade has a chart." in page(trade())


def test_no_word_of_data_can_end_a_script() -> None:
    """A venue's reason may hold anything."""
    made = trade(reason="</script><b>")
    made.history = [(at(5), "entry ended", "refused: </script>")]
    html = page(made)
    assert html.count("</script>") == 2
    assert data(html)["charts"]["0"]["history"][0][2] == "refused: </script>"
    assert rows(html)[0][-1] == "&lt;/script&gt;&lt;b&gt;"


def test_the_script_is_on_the_page() -> None:
    """Nothing is fetched."""
    html = page(trade())
    assert "Plotly.react" in html
    assert "src=" not in html
