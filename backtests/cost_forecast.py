"""What trades were expected to cost against what they did: by part, with the error.

A forecast is made before the entry, of the planned size and over both ways out, weighted by the stated probability. It
is held against the costs of the simulated venue, scaled by how much of the plan was filled.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from backtests.attribution import TradeCosts
from strategies.trade_log import FORECAST, Trade

PARTS: dict[str, tuple[str, ...]] = {
    "fees": ("fee_in", "fee_out"),
    "spread": ("spread",),
    "latency": (),
    "slippage": ("slippage",),
    "funding": ("funding",),
    "total": ("total",),
}
"""Parts of the actual cost, and what of the forecast is held against each: nobody forecasts latency."""
FORECAST_COLOUR, ACTUAL_COLOUR = "#92c5de", "#2166ac"
NOTE = (
    "Closed trades, account currency a trade; an error above 0: it cost more than was forecast. A forecast is of the "
    "planned size, scaled to what was entered, and mixes the way out at the target (as a maker) with that at the stop "
    "(as a taker) by the stated probability: where that is too high, fees and spread are forecast too low. Latency is "
    "what the mid moved while orders travelled, which is not forecast."
)


def forecast_of(trade: Trade) -> dict[str, float] | None:
    """The forecast by part of PARTS for what was entered, account currency; None where a part is not known."""
    if not trade.planned_size or any(name not in trade.forecast for name in FORECAST):
        return None
    share = float(trade.entered / trade.planned_size)
    return {part: share * sum((trade.forecast[name] for name in names), 0.0) for part, names in PARTS.items()}


def cost_errors(trades: Sequence[Trade], costs: Sequence[TradeCosts]) -> dict[str, Any]:
    """For ``summary.json``: ``count`` and, by part, the means of ``forecast``, ``actual``, ``error`` (actual less
    forecast) and ``absolute_error``. ``left_out`` counts closed trades without a forecast, or with a fill of which
    nothing but the fee is known.
    """
    known = list(_known(trades, costs))
    closed = sum(1 for trade in trades if _closed(trade))
    parts = {}
    for part in PARTS if known else ():
        forecast = np.array([expected[part] for expected, _, _ in known])
        actual = np.array([paid[part] for _, paid, _ in known])
        parts[part] = {
            "forecast": float(forecast.mean()),
            "actual": float(actual.mean()),
            "error": float((actual - forecast).mean()),
            "absolute_error": float(np.abs(actual - forecast).mean()),
        }
    return {"count": len(known), "left_out": closed - len(known), "parts": parts}


def cost_figure(trades: Sequence[Trade], costs: Sequence[TradeCosts], errors: dict[str, Any]) -> go.Figure:
    """The means by part beside each other; and every trade's total, the forecast one across and the actual one up."""
    figure = make_subplots(
        rows=1, cols=2, column_widths=[0.55, 0.45], subplot_titles=("mean of a trade, by part", "total of each trade")
    )
    parts = errors["parts"]
    for name, colour in (("forecast", FORECAST_COLOUR), ("actual", ACTUAL_COLOUR)):
        values = [figures[name] for figures in parts.values()]
        figure.add_bar(x=list(parts), y=values, name=name, marker={"color": colour}, row=1, col=1)
    known = list(_known(trades, costs))
    points = [(forecast["total"], actual["total"]) for forecast, actual, _ in known]
    ends = [min(min(p) for p in points), max(max(p) for p in points)]
    line = {"color": "#999999", "width": 1, "dash": "dot"}
    figure.add_scatter(x=ends, y=ends, mode="lines", line=line, name="as forecast", hoverinfo="skip", row=1, col=2)
    figure.add_scatter(
        x=[p[0] for p in points],
        y=[p[1] for p in points],
        text=[f"{trade.trace_id}, {trade.venue}" for _, _, trade in known],
        hovertemplate="%{text}<br>forecast %{x:.2f}, actual %{y:.2f}<extra></extra>",
        mode="markers",
        marker={"size": 6, "color": ACTUAL_COLOUR, "opacity": 0.6},
        name="trade",
        row=1,
        col=2,
    )
    figure.update_xaxes(title="forecast", row=1, col=2)
    figure.update_yaxes(title="actual", row=1, col=2)
    figure.update_layout(height=380, template="plotly_white", margin={"t": 50, "l": 60, "r": 60}, barmode="group")
    return figure


def _known(
    trades: Sequence[Trade], costs: Sequence[TradeCosts]
) -> Iterable[tuple[dict[str, float], dict[str, float], Trade]]:
    """Forecast and actual cost by part of the closed trades of which both are known in full."""
    for trade, cost in zip(trades, costs, strict=True):
        forecast = forecast_of(trade)
        if _closed(trade) and forecast is not None and not cost.unattributed:
            yield forecast, cost.costs.as_floats(), trade


def _closed(trade: Trade) -> bool:
    return bool(trade.exited) and not trade.open_size
