"""One asset over a whole run: the lead's book with price, walls and trades, under it the flow that was seen."""

from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from backtests.depth_map import DepthMap
from strategies.trade_log import Trade

MAX_POINTS = 4_000  # a chart: more is slower to look at and shows no more
LONG, SHORT, PERP, SPOT = "#1a9850", "#d73027", "#4575b4", "#fdae61"


def asset_figure(asset: str, snapshots: pd.DataFrame, trades: list[Trade], depth: DepthMap | None) -> go.Figure:
    """The lead's book as a heatmap with price, walls, entries and exits; CVD of perp and spot; imbalance."""
    shown = snapshots.iloc[:: max(1, len(snapshots) // MAX_POINTS)]
    times = pd.to_datetime(shown["ts"], unit="ns", utc=True)
    figure = make_subplots(
        rows=3,
        cols=1,
        shared_xaxes=True,
        vertical_spacing=0.04,
        row_heights=[0.6, 0.2, 0.2],
        subplot_titles=(
            f"{asset}: resting size, price, proven walls, entries and exits",
            "CVD since start (base units)",
            "order book imbalance",
        ),
        specs=[[{}], [{"secondary_y": True}], [{}]],
    )
    if depth is not None:
        figure.add_trace(_heatmap(depth), row=1, col=1)
    figure.add_scatter(x=times, y=shown["price"], name="mid", line={"color": "#222", "width": 1}, row=1, col=1)
    for resting, sign, colour in (("bid", -1, LONG), ("ask", 1, SHORT)):
        walls = shown[shown[f"{resting}_wall_strength"] > 0]
        figure.add_scatter(
            x=pd.to_datetime(walls["ts"], unit="ns", utc=True),
            y=walls["price"] * (1 + sign * walls[f"{resting}_wall_bps"] / 1e4),
            name=f"{resting} wall",
            mode="markers",
            marker={"symbol": "line-ew-open", "size": 6, "color": colour},
            hovertemplate="%{y}",
            row=1,
            col=1,
        )
    for side, label, colour, symbol in ((1, "long", LONG, "triangle-up"), (-1, "short", SHORT, "triangle-down")):
        _add_trades(figure, [t for t in trades if t.side == side and t.entered], label, colour, symbol)
    figure.add_scatter(x=times, y=shown["cvd_perp"], name="CVD perp", line={"color": PERP, "width": 1}, row=2, col=1)
    if shown["cvd_spot"].notna().any():
        spot = go.Scatter(x=times, y=shown["cvd_spot"], name="CVD spot (right)", line={"color": SPOT, "width": 1})
        figure.add_trace(spot, row=2, col=1, secondary_y=True)
    for name, colour in (("obi_near", "#abd9e9"), ("obi_far", PERP)):
        figure.add_scatter(x=times, y=shown[name], name=name, line={"color": colour, "width": 1}, row=3, col=1)
    figure.update_layout(height=900, template="plotly_white", hovermode="x unified", margin={"t": 40, "l": 60, "r": 60})
    return figure


def _heatmap(depth: DepthMap) -> go.Heatmap:
    """Sizes on a log scale, from the median of what rests anywhere to the largest."""
    size = np.where(depth.size > 0, depth.size, np.nan)
    shade = np.log10(size)
    return go.Heatmap(
        x=pd.to_datetime(depth.times, unit="ns", utc=True).floor("us"),
        y=0.5 * (depth.edges[:-1] + depth.edges[1:]),
        z=shade,
        zmin=float(np.nanmedian(shade)),
        zmax=float(np.nanmax(shade)),
        colorscale="YlOrBr",
        showscale=False,
        hoverinfo="skip",
        name="resting size",
    )


def _add_trades(figure: go.Figure, trades: list[Trade], label: str, colour: str, symbol: str) -> None:
    if not trades:
        return
    entries = times_of([t.entry_ns for t in trades])
    text = [
        f"{t.asset} {label} {t.entered} at {t.entry_price:f}<br>stop {t.stop}, probability {t.probability:.2f}"
        for t in trades
    ]
    points = {"mode": "markers", "hoverinfo": "text", "row": 1, "col": 1}
    prices = [float(t.entry_price or np.nan) for t in trades]
    marker: dict[str, Any] = {"symbol": symbol, "size": 11, "color": colour}
    figure.add_scatter(x=entries, y=prices, name=f"{label} entry", marker=marker, text=text, **points)
    closed = [t for t in trades if t.exited]
    figure.add_scatter(
        x=times_of([t.exit_ns for t in closed]),
        y=[float(t.exit_price or np.nan) for t in closed],
        name=f"{label} exit",
        marker={"symbol": "x", "size": 9, "color": colour, "line": {"width": 1, "color": "black"}},
        text=[f"{t.reason}: net {t.net:.2f}" for t in closed],
        **points,
    )
    xs: list[Any] = []
    ys: list[float | None] = []
    for t, start in zip(trades, entries, strict=True):
        if t.exited:
            xs += [start, times_of([t.exit_ns])[0], None]
            ys += [float(t.entry_price or np.nan), float(t.exit_price or np.nan), None]
    line = {"color": colour, "width": 1, "dash": "dot"}
    figure.add_scatter(x=xs, y=ys, mode="lines", line=line, showlegend=False, hoverinfo="skip", row=1, col=1)


def times_of(ns: list[int]) -> list[pd.Timestamp]:
    """Times for a chart."""
    return list(pd.to_datetime(ns, unit="ns", utc=True).floor("us"))  # charts have no nanoseconds
