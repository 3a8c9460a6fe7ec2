"""All trades for the report: a table to sort and to choose from, and the chart of the one that was chosen."""

import html
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import plotly.io

from backtests.attribution import TradeCosts
from backtests.cost_forecast import forecast_of
from backtests.trade_chart import trade_figure
from backtests.trade_scenes import SECOND_NS, Scene
from catalog.times import format_ns
from strategies.trade_log import Trade

SCRIPT = Path(__file__).parent / "page" / "trades.js"
"""Sorts the table, and draws the chart of the row that is chosen."""
COLUMNS = (
    "decided, UTC", "asset", "venue", "side", "probability", "break-even", "expected R", "R", "net", "forecast",
    "cost", "MAE, R", "MFE, R", "held, s", "left by",
)  # fmt: skip


def trades_page(trades: Sequence[Trade], costs: Sequence[TradeCosts], scenes: Mapping[int, Scene]) -> str:
    """HTML of the whole section, for a page that has plotly.js. `scenes` are those of the trades, by their numbers,
    that are to have a chart."""
    return (
        f"<p class='note'>{_note(trades, scenes)}</p>"
        "<div id='trade-chart'></div><div id='trade-buttons'><button id='trade-before'>previous</button>"
        "<button id='trade-after'>next</button></div>"
        f"<div id='trade-table' class='scrolling' tabindex='0'>{_table(trades, costs, scenes)}</div>"
        "<details id='trade-history'><summary>every order of this trade, and why</summary>"
        "<table class=texts></table></details>"
        f"<script type='application/json' id='trade-data'>{_data(trades, costs, scenes)}</script>"
        f"<script>{SCRIPT.read_text(encoding='utf-8')}</script>"
    )


def _note(trades: Sequence[Trade], scenes: Mapping[int, Scene]) -> str:
    words = (
        "Choose a row, or step with the arrow keys; a click on a column sorts. Money is in account currency; costs are "
        "execution and fees, forecast ones scaled to what was entered; R is the loss at the stop. MAE and MFE are of "
        "the prices seen at scans. Walls are drawn where the strategy takes them to be: at the lead's distance from "
        "this venue's mid. "
    )
    if len(scenes) == len(trades):
        return words + "Every trade has a chart."
    return words + (
        f"{len(scenes)} of {len(trades)} trades have a chart (the others are grey): of many, those that made and lost "
        "the most R and the newest; a market without a book in the catalog has none."
    )


def _table(trades: Sequence[Trade], costs: Sequence[TradeCosts], scenes: Mapping[int, Scene]) -> str:
    head = "".join(f"<th>{html.escape(name)}</th>" for name in COLUMNS)
    rows = []
    for number in sorted(range(len(trades)), key=lambda number: trades[number].decided_ns):
        mark = f" data-chart='{number}'" if number in scenes else ""
        rows.append(f"<tr{mark}>{_row(trades[number], costs[number])}</tr>")
    return f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>"


def _row(trade: Trade, cost: TradeCosts) -> str:
    row, forecast = trade.to_row(), forecast_of(trade)
    closed = not trade.open_size
    texts = [format_ns(trade.decided_ns)[:19], trade.asset, trade.venue, row["side"]]
    numbers = [
        _number(trade.probability, ".3f"),
        _number(trade.break_even, ".3f"),
        _number(trade.expected_r, "+z.2f"),
        _number(row["r"], "+z.2f", judged=closed),
        _number(row["net"], "+z,.2f", judged=closed),
        _number(None if forecast is None else forecast["total"], "z,.2f"),
        _number(float(cost.costs.total), "z,.2f"),
        _number(row["mae_r"], "z.2f"),
        _number(row["mfe_r"], "z.2f"),
        _number((trade.exit_ns - trade.entry_ns) / SECOND_NS if closed else None, ",.1f"),
    ]
    left = html.escape(trade.reason if closed else "still open")
    return "".join(f"<td>{html.escape(text)}</td>" for text in texts) + "".join(numbers) + f"<td>{left}</td>"


def _number(value: float | None, form: str, *, judged: bool = False) -> str:
    """A cell; `judged`: coloured by whether it was good or bad."""
    if value is None:
        return "<td>-</td>"
    colour = (" class=good" if value > 0 else " class=bad") if judged and value else ""
    return f"<td{colour}>{value:{form}}</td>"


def _data(trades: Sequence[Trade], costs: Sequence[TradeCosts], scenes: Mapping[int, Scene]) -> str:
    """JSON of the charts, with the template that all share and every note of a trade's history."""
    charts: dict[int, dict[str, Any]] = {}
    for number, scene in scenes.items():
        trade = trades[number]
        history = [[f"{(ts - trade.decided_ns) / SECOND_NS:+.3f}", what, why] for ts, what, why in trade.history]
        charts[number] = trade_figure(trade, costs[number], scene) | {"history": history}
    page = {"template": plotly.io.templates["plotly_white"].to_plotly_json(), "charts": charts}
    text = json.dumps(page, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c")  # nothing in it can end the script
