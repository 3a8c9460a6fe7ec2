"""The HTML report: what happened on the price, under it the flow that was seen, then Nautilus's tearsheet."""

import html
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from nautilus_trader.analysis.tearsheet import create_tearsheet
from nautilus_trader.backtest.engine import BacktestEngine
from plotly.offline import get_plotlyjs
from plotly.subplots import make_subplots

from backtests.depth_map import DepthMap
from backtests.statistics_report import expectancy_figure, statistics_note, statistics_rows
from strategies.trade_log import Trade

MAX_POINTS = 4_000  # a chart: more is slower to look at and shows no more
LONG, SHORT, PERP, SPOT = "#1a9850", "#d73027", "#4575b4", "#fdae61"

STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 1280px; padding: 0 1rem; color: #222; }
table { border-collapse: collapse; margin: 0 2rem 1rem 0; }
td, th { padding: .2rem .8rem; border-bottom: 1px solid #ddd; text-align: right; }
td:first-child, th:first-child { text-align: left; } .note { color: #666; }
iframe { width: 100%; height: 1800px; border: 0; }
"""

NOTE = (
    "<p class='note'>The rule score is uncalibrated: it is no probability. What the replay assumes, and how wrong that "
    "can be, stands in docs/assumptions.md; what it did not simulate, if anything, in the table not_simulated.</p>"
)


def write_report(
    path: Path,
    *,
    title: str,
    summary: dict[str, Any],
    trades: list[Trade],
    snapshots: pd.DataFrame,
    engine: BacktestEngine,
    depth: Mapping[str, DepthMap],
) -> None:
    """Write one self-contained HTML file. `snapshots` has ``ts``, ``asset`` and the features; `depth` is by asset."""
    parts = [
        "<!doctype html><html><head><meta charset='utf-8'>",
        f"<title>{html.escape(title)}</title><style>{STYLE}</style><script>{get_plotlyjs()}</script></head><body>",
        f"<h1>{html.escape(title)}</h1>",
        _tables(summary),
        NOTE,
    ]
    if snapshots.empty:
        parts.append("<p>No snapshot was made: the span is shorter than the warm-up, or no market had a book.</p>")
    if (statistics := summary.get("statistics")) and statistics["overall"]["count"]:
        parts.append(_statistics(statistics))
    if any(t.exited for t in trades):
        parts.append(equity_figure(trades).to_html(full_html=False, include_plotlyjs=False))
    for asset in sorted(snapshots["asset"].unique()) if not snapshots.empty else []:
        own = [t for t in trades if t.asset == asset]
        figure = asset_figure(asset, snapshots[snapshots["asset"] == asset], own, depth.get(asset))
        parts.append(figure.to_html(full_html=False, include_plotlyjs=False))
    venue = _analyse_traded_venue(engine)
    parts.append(f"<h2>NautilusTrader tearsheet{f', account {venue}' if venue else ''}</h2>")
    tearsheet = create_tearsheet(engine, output_path=None, title=title)
    # a frame of its own: the tearsheet brings its whole page along
    parts.append(f'<iframe title="tearsheet" srcdoc="{html.escape(tearsheet or "")}"></iframe></body></html>')
    temporary = path.with_suffix(".new")
    temporary.write_text("\n".join(parts), encoding="utf-8")
    temporary.replace(path)


def _analyse_traded_venue(engine: BacktestEngine) -> str | None:
    """Nautilus leaves its analyzer at the last venue, which may be one that is only read: point it at the busiest."""
    cache = engine.kernel.cache
    closed = [*cache.positions(), *cache.position_snapshots()]
    venues = Counter(p.instrument_id.venue for p in closed)
    if not venues:
        return None
    venue = venues.most_common(1)[0][0]
    positions = [p for p in closed if p.instrument_id.venue == venue]
    engine.portfolio.analyzer.calculate_statistics(cache.account_for_venue(venue), positions)
    return str(venue)


def equity_figure(trades: list[Trade]) -> go.Figure:
    """Profit after fees, summed in order of exit."""
    closed = sorted((t for t in trades if t.exited), key=lambda t: t.exit_ns)
    net = np.cumsum([float(t.net) for t in closed])
    gross = np.cumsum([float(t.gross) for t in closed])
    figure = go.Figure()
    for name, values, colour in (("net", net, "#333"), ("before fees", gross, "#aaa")):
        line = {"color": colour, "shape": "hv"}
        figure.add_scatter(x=_times([t.exit_ns for t in closed]), y=values, name=name, line=line)
    figure.update_layout(
        title="cumulative profit (USDT)", height=300, template="plotly_white", margin={"t": 50, "l": 60, "r": 60}
    )
    return figure


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
    entries = _times([t.entry_ns for t in trades])
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
        x=_times([t.exit_ns for t in closed]),
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
            xs += [start, _times([t.exit_ns])[0], None]
            ys += [float(t.entry_price or np.nan), float(t.exit_price or np.nan), None]
    line = {"color": colour, "width": 1, "dash": "dot"}
    figure.add_scatter(x=xs, y=ys, mode="lines", line=line, showlegend=False, hoverinfo="skip", row=1, col=1)


def _times(ns: list[int]) -> list[pd.Timestamp]:
    return list(pd.to_datetime(ns, unit="ns", utc=True).floor("us"))  # charts have no nanoseconds


def _tables(summary: dict[str, Any]) -> str:
    flat = {k: v for k, v in summary.items() if not isinstance(v, dict | list)}
    nested = {k: v for k, v in summary.items() if isinstance(v, dict) and v and k != "statistics"}
    out = _table("run", flat)
    for name, table in nested.items():
        out += _table(name, table) if not isinstance(next(iter(table.values())), dict) else _grid(name, table)
    return f"<div style='display:flex;flex-wrap:wrap;align-items:flex-start'>{out}</div>"


def _statistics(statistics: dict[str, Any]) -> str:
    """The table of trades by group, and the panel of what they were worth."""
    table = (
        f"<div style='white-space:nowrap;overflow-x:auto;font-size:13px'>{_grid('', statistics_rows(statistics))}</div>"
    )
    figure = expectancy_figure(statistics).to_html(full_html=False, include_plotlyjs=False)
    return (
        f"<h2>What a trade is worth</h2><p class='note'>{html.escape(statistics_note(statistics))}</p>{table}{figure}"
    )


def _table(name: str, rows: dict[str, Any]) -> str:
    body = "".join(f"<tr><td>{html.escape(str(k))}</td><td>{html.escape(_cell(v))}</td></tr>" for k, v in rows.items())
    return f"<table><tr><th>{html.escape(name)}</th><th></th></tr>{body}</table>"


def _grid(name: str, rows: dict[str, dict[str, Any]]) -> str:
    columns = list(next(iter(rows.values())))
    head = "".join(f"<th>{html.escape(c)}</th>" for c in columns)
    body = "".join(
        f"<tr><td>{html.escape(k)}</td>" + "".join(f"<td>{html.escape(_cell(r[c]))}</td>" for c in columns) + "</tr>"
        for k, r in rows.items()
    )
    return f"<table><tr><th>{html.escape(name)}</th>{head}</tr>{body}</table>"


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    return (
        f"{value:,.4g}"
        if isinstance(value, float) and abs(value) < 1
        else f"{value:,.2f}"
        if isinstance(value, float)
        else str(value)
    )
