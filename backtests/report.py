"""The HTML report: what a run made and why, trade by trade, then the flow that was seen, then Nautilus's tearsheet."""

import html
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from nautilus_trader.analysis.tearsheet import create_tearsheet
from nautilus_trader.backtest.engine import BacktestEngine
from plotly.offline import get_plotlyjs

from backtests.asset_chart import asset_figure, times_of
from backtests.attribution import TradeCosts
from backtests.cost_forecast import NOTE as FORECAST_NOTE
from backtests.cost_forecast import cost_figure
from backtests.depth_map import DepthMap
from backtests.every_signal import NOTE as SELECTION_NOTE
from backtests.every_signal import selection_rows
from backtests.html_tables import grid, listing, pairs, scrolling
from backtests.statistics_report import expectancy_figure, statistics_note, statistics_rows
from backtests.trade_scenes import Scene
from backtests.trades_page import trades_page
from catalog.times import format_ns
from strategies.candidates import Why
from strategies.halt_notes import HaltNote
from strategies.trade_log import Trade

STYLE = Path(__file__).parent / "page" / "report.css"
APART = ("statistics", "cost_forecast", "selection")
"""Parts of the summary that have a section of their own."""
UNCALIBRATED = "The model is uncalibrated: what it states as a probability is none. "
NOTE = (
    "What the replay assumes, and how wrong that can be, stands in docs/assumptions.md; what it did not simulate, if "
    "anything, in the table not_simulated."
)


def write_report(
    path: Path,
    *,
    title: str,
    summary: dict[str, Any],
    trades: Sequence[Trade],
    costs: Sequence[TradeCosts],
    scenes: Mapping[int, Scene],
    halts: Sequence[HaltNote],
    reasons: Mapping[str, Mapping[Why, int]],
    snapshots: pd.DataFrame,
    engine: BacktestEngine,
    depth: Mapping[str, DepthMap],
) -> None:
    """Write one self-contained HTML file.

    `costs` are those of the trades, in their order, and `scenes` those of the trades that get a chart, by number;
    `reasons` count by asset why setups were not taken. `snapshots` has ``ts``, ``asset`` and the features; `depth` is
    by asset.
    """
    sections: dict[str, Iterable[str]] = {"summary": _summary(summary, snapshots)}
    if (statistics := summary.get("statistics")) and statistics["overall"]["count"]:
        sections["what a trade is worth"] = _statistics(statistics, trades)
    if selection := summary.get("selection"):
        sections["selection"] = _selection(selection)
    if trades:
        sections["trades"] = [trades_page(trades, costs, scenes)]
    if (forecast := summary.get("cost_forecast")) and forecast["count"]:
        sections["forecast costs"] = _forecast(forecast, trades, costs)
    sections["halts"] = _halts(halts)
    sections["setups not taken"] = _reasons(reasons)
    sections["assets"] = _assets(trades, snapshots, depth)
    sections["tearsheet"] = _tearsheet(engine, title)
    temporary = path.with_suffix(".new")
    temporary.write_text(_page(title, sections), encoding="utf-8")
    temporary.replace(path)


def _page(title: str, sections: Mapping[str, Iterable[str]]) -> str:
    name, style = html.escape(title), STYLE.read_text(encoding="utf-8")
    links = "".join(f"<a href='#{section.replace(' ', '-')}'>{html.escape(section)}</a>" for section in sections)
    parts = [
        f"<!doctype html><html><head><meta charset='utf-8'><title>{name}</title><style>{style}</style>",
        f"<script>{get_plotlyjs()}</script></head><body><h1>{name}</h1><nav>{links}</nav>",
    ]
    for section, content in sections.items():
        parts += [f"<h2 id='{section.replace(' ', '-')}'>{html.escape(section.capitalize())}</h2>", *content]
    return "\n".join([*parts, "</body></html>"])


def _summary(summary: dict[str, Any], snapshots: pd.DataFrame) -> Iterable[str]:
    flat = {k: v for k, v in summary.items() if not isinstance(v, dict | list)}
    tables = [pairs("run", flat)]
    for name, table in summary.items():
        if isinstance(table, dict) and table and name not in APART:
            nested = isinstance(next(iter(table.values())), dict)
            tables.append(grid(name, table) if nested else pairs(name, table))
    yield f"<div style='display:flex;flex-wrap:wrap;align-items:flex-start'>{''.join(tables)}</div>"
    yield f"<p class='note'>{'' if summary.get('calibrated') else UNCALIBRATED}{NOTE}</p>"
    if snapshots.empty:
        yield "<p>No snapshot was made: the span is shorter than the warm-up, or no market had a book.</p>"


def _statistics(statistics: dict[str, Any], trades: Sequence[Trade]) -> Iterable[str]:
    """Profit over time, the table of trades by group, and the panel of what they were worth."""
    yield _figure(equity_figure(trades))
    yield f"<p class='note'>{html.escape(statistics_note(statistics))}</p>"
    yield scrolling(grid("", statistics_rows(statistics)))
    yield _figure(expectancy_figure(statistics))


def _selection(selection: dict[str, Any]) -> Iterable[str]:
    yield f"<p class='note'>{html.escape(SELECTION_NOTE)}</p>"
    yield scrolling(grid("", selection_rows(selection)))


def _forecast(forecast: dict[str, Any], trades: Sequence[Trade], costs: Sequence[TradeCosts]) -> Iterable[str]:
    left_out = f" Without {forecast['left_out']} that lack one or the other." if forecast["left_out"] else ""
    yield f"<p class='note'>{html.escape(FORECAST_NOTE + left_out)}</p>"
    yield grid(f"{forecast['count']} trades, mean", forecast["parts"])
    yield _figure(cost_figure(trades, costs, forecast))


def _halts(halts: Sequence[HaltNote]) -> Iterable[str]:
    if not halts:
        yield "<p>No guard stopped anything.</p>"
        return
    head = ("time, UTC", "what", "guard", "scope", "cause", "action")
    rows = [(format_ns(n.ts)[:23], n.what, n.guard, n.scope, n.reason, n.action) for n in halts]
    yield scrolling(listing(head, rows, texts=True))


def _reasons(reasons: Mapping[str, Mapping[Why, int]]) -> Iterable[str]:
    if not reasons:
        yield "<p>No setup was passed over.</p>"
        return
    total: Counter[Why] = sum((Counter(counts) for counts in reasons.values()), Counter())
    named = {"all": total} | dict(reasons)
    rows = {name: {why.value: counts.get(why, 0) for why in Why if total[why]} for name, counts in named.items()}
    yield (
        "<p class='note'>Setups (a direction on an asset at a scan) by reason; one that failed on two venues for two "
        "reasons counts in both. Each of them: passed.parquet, listed by backtests/why_not.py.</p>"
    )
    yield scrolling(grid("", rows))


def _assets(trades: Sequence[Trade], snapshots: pd.DataFrame, depth: Mapping[str, DepthMap]) -> Iterable[str]:
    for asset in sorted(snapshots["asset"].unique()) if not snapshots.empty else []:
        own = [t for t in trades if t.asset == asset]
        yield _figure(asset_figure(asset, snapshots[snapshots["asset"] == asset], own, depth.get(asset)))


def _tearsheet(engine: BacktestEngine, title: str) -> Iterable[str]:
    venue = _analyse_traded_venue(engine)
    yield f"<p>NautilusTrader tearsheet{f', account {venue}' if venue else ''}</p>"
    tearsheet = create_tearsheet(engine, output_path=None, title=title)
    # a frame of its own: the tearsheet brings its whole page along
    yield f'<iframe title="tearsheet" srcdoc="{html.escape(tearsheet or "")}"></iframe>'


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


def equity_figure(trades: Sequence[Trade]) -> go.Figure:
    """Profit after fees, summed in order of exit."""
    closed = sorted((t for t in trades if t.exited), key=lambda t: t.exit_ns)
    net = np.cumsum([float(t.net) for t in closed])
    gross = np.cumsum([float(t.gross) for t in closed])
    figure = go.Figure()
    for name, values, colour in (("net", net, "#333"), ("before fees", gross, "#aaa")):
        line = {"color": colour, "shape": "hv"}
        figure.add_scatter(x=times_of([t.exit_ns for t in closed]), y=values, name=name, line=line)
    figure.update_layout(
        title="cumulative profit (USDT)", height=300, template="plotly_white", margin={"t": 50, "l": 60, "r": 60}
    )
    return figure


def _figure(figure: go.Figure) -> str:
    return str(figure.to_html(full_html=False, include_plotlyjs=False))
