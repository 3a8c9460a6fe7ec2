"""The report as a page: its sections, and what it says where there is nothing to show."""

import re
from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from backtests import report
from backtests.attribution import TradeCosts
from backtests.best_prices import BestPrices
from backtests.cost_forecast import cost_errors
from backtests.costs import Costs
from backtests.every_signal import ADVANTAGE, EVERY, SELECTED, Ruled, compared
from backtests.every_signal import NOTE as SELECTION_NOTE
from backtests.report import equity_figure, write_report
from backtests.trade_scenes import Scene
from backtests.trade_statistics import trade_statistics
from strategies.candidates import Why
from strategies.flow.groups import FEATURES
from strategies.halt_notes import HaltNote
from strategies.trade_log import Trade
from tests.strategies.conftest import SECOND, START, at
from tests.strategies.trade_rows import enter, leave, planned


def trade(seconds: float, reason: str = "time") -> Trade:
    """A long from 100 that left at 101 with a fee of 2, ten seconds after its decision."""
    made = planned(seconds=seconds, reason=reason)
    enter(made, 100, at(seconds))
    leave(made, 101, at(seconds + 10), fee=2)
    return made


TRADES = [trade(10), trade(50, "<stop>")]
COSTS = TradeCosts(Costs(fees=Decimal(2)), 0)
SCENE = Scene((at(0), at(60)), BestPrices(np.array([at(0)]), np.array([99.0]), np.array([101.0])), ())
HALT = HaltNote(at(20), "tripped", "kill_file", "all", "<kill>", "closes 1 trade at market until flat")
REASONS = {"BTC": Counter({Why.COST: 3, Why.BUSY: 1}), "ETH": Counter({Why.COST: 2})}


def summary(trades: list[Trade]) -> dict[str, Any]:
    costs = [COSTS] * len(trades)
    return {
        "score": "rule, uncalibrated",
        "calibrated": False,
        "trades": {"count": len(trades)},
        "statistics": trade_statistics(trades, [c.costs for c in costs], seed=1),
        "cost_forecast": cost_errors(trades, costs),
        "left_out": {},
    }


def snapshots(count: int) -> pd.DataFrame:
    columns = {f.name: np.full(count, 1.0) for f in FEATURES}
    return pd.DataFrame({"ts": START + np.arange(count) * 5 * SECOND, "asset": "BTC"} | columns)


@pytest.fixture
def page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Write a report and give its page, without what Nautilus adds to it."""
    monkeypatch.setattr(report, "_tearsheet", lambda *_: ["<p>tearsheet</p>"])

    def make(trades: list[Trade], **others: Any) -> str:
        given = {
            "summary": summary(trades), "trades": trades, "costs": [COSTS] * len(trades),
            "scenes": dict.fromkeys(range(len(trades)), SCENE), "halts": [], "reasons": {},
            "snapshots": snapshots(20), "engine": None, "depth": {},
        }  # fmt: skip
        write_report(tmp_path / "report.html", title="<a run>", **given | others)
        assert [path.name for path in tmp_path.iterdir()] == ["report.html"]
        return (tmp_path / "report.html").read_text()

    return make


def headings(page: str) -> list[str]:
    return re.findall(r"<h2 id='[a-z-]*'>(.*?)</h2>", page)


def test_sections_in_their_order(page: Any) -> None:
    """Each is named and linked on top; nothing is fetched, and no word of data is taken for the page's own."""
    html = page(TRADES, halts=[HALT], reasons=REASONS)
    names = ["What a trade is worth", "Trades", "Forecast costs", "Halts", "Setups not taken", "Assets", "Tearsheet"]
    assert headings(html) == ["Summary", *names]
    assert "<a href='#setups-not-taken'>setups not taken</a>" in html
    assert "<title>&lt;a run&gt;</title>" in html
    assert not any(word in html for word in ("<a run>", "<kill>", "<td><stop>"))
    assert 'script src="http' not in html


def test_statistics_by_group(page: Any) -> None:
    """A row a group, and the panel; the tables of the summary leave them alone."""
    html = page(TRADES)
    assert all(f"<td>{name}</td>" in html for name in ("overall", "venue BINANCE", "asset BTC", "side long", "hour 22"))
    assert "<td>reason &lt;stop&gt;</td>" in html
    assert "<th>statistics</th>" not in html
    assert "<th>cost_forecast</th>" not in html


def test_forecast_costs_by_part(page: Any) -> None:
    """Nothing was forecast and 2 of fees paid: an error of 2; what was left out is said."""
    html = page(TRADES)
    assert "<tr><td>fees</td><td>0</td><td>2.00</td><td>2.00</td><td>2.00</td></tr>" in html
    assert "that lack one or the other" not in html
    lacking = trade(80)
    lacking.forecast = {}
    assert "Without 1 that lack one or the other." in page([*TRADES, lacking])


def test_selection_beside_every_signal_with_intervals(page: Any) -> None:
    """Both rules and the advantage, each sum and expectancy with its interval, under a note that says what is what."""
    one = trade_statistics(TRADES, seed=1)["overall"]
    selected, every = Ruled(one, [0.0, -2.0]), Ruled(one, [-4.0, -2.0])
    html = page(TRADES, summary=summary(TRADES) | {"selection": compared(selected, every, seed=1)})
    assert "Selection" in headings(html)
    assert SELECTION_NOTE in html
    for name in (SELECTED, EVERY, ADVANTAGE):
        assert re.search(rf"<td>{name}</td>.*? to .*?\)", html)
    assert "<th>selection</th>" not in html


def test_halts_have_cause_action_and_end(page: Any) -> None:
    """A row each, words escaped; without one it is said."""
    row = "<td>2023-11-14 22:13:40.000</td><td>tripped</td><td>kill_file</td><td>all</td><td>&lt;kill&gt;</td>"
    assert f"{row}<td>closes 1 trade at market until flat</td>" in page(TRADES, halts=[HALT])
    assert "No guard stopped anything." in page(TRADES)


def test_reasons_by_asset(page: Any) -> None:
    """Those that occurred, in the order in which they are asked, all assets first."""
    html = page(TRADES, reasons=REASONS)
    assert "<th></th><th>busy</th><th>cost</th>" in html
    for row in ("all</td><td>1</td><td>5", "BTC</td><td>1</td><td>3", "ETH</td><td>0</td><td>2"):
        assert f"<tr><td>{row}</td></tr>" in html
    assert "No setup was passed over." in page(TRADES)


def test_without_a_trade_what_is_of_trades_is_left_out(page: Any) -> None:
    """The rest is there, and says why there are no snapshots if there are none."""
    html = page([], snapshots=snapshots(0))
    assert headings(html) == ["Summary", "Halts", "Setups not taken", "Assets", "Tearsheet"]
    assert "No snapshot was made" in html


def test_only_of_a_calibrated_model_probabilities_are_believed(page: Any) -> None:
    """The rule's are none, which is said; of a trained model nothing is."""
    assert report.UNCALIBRATED in page(TRADES)
    assert report.UNCALIBRATED not in page(TRADES, summary=summary(TRADES) | {"calibrated": True})


def test_profit_is_summed_in_order_of_exit() -> None:
    """Each makes 1 and pays 2; one that is open is not in it."""
    still_open = planned(seconds=70)
    enter(still_open, 100, at(70))
    net, gross = equity_figure([TRADES[1], still_open, TRADES[0]]).data
    assert list(net.y) == [-1.0, -2.0]
    assert list(gross.y) == [1.0, 2.0]
    assert [t.timestamp() for t in pd.to_datetime(net.x)] == [at(20) / 1e9, at(60) / 1e9]
