"""One trade on the price of its venue: what rested, what it aimed at, its fills, and how it was left."""

import html
from collections.abc import Iterator, Sequence
from decimal import Decimal
from itertools import groupby
from typing import Any

import numpy as np

from backtests.attribution import TradeCosts
from backtests.best_prices import Ints
from backtests.cost_forecast import forecast_of
from backtests.trade_scenes import SECOND_NS, Scene
from strategies.targets import Source
from strategies.trade_log import RestingOrder, Trade

BID, ASK, LONG, SHORT = "#5aae61", "#e08277", "#1a9850", "#d73027"
STOP, TARGET, AIMED, SEEN, MAGNET, GREY = "#b2182b", "#2166ac", "#b35806", "#8c6bb1", "#d8b365", "#888888"
EXITS = {
    "target": ("filled target", "star", TARGET),
    "stop": ("filled stop", "x", STOP),
    "close": ("closed at market", "square", "#444444"),
    "venue": ("closed by the venue", "diamond", "#7b3294"),
}
"""Of the role of a fill: its name, marker and colour."""
PRICE, TIME = ".10~g", "%H:%M:%S.%L"


def trade_figure(trade: Trade, costs: TradeCosts, scene: Scene) -> dict[str, Any]:
    """Data and layout as plotly.js takes them, without a template: made as they are, a page can have hundreds. Times
    are UNIX ms, which it takes for dates."""
    low, high = _reach(trade, scene)
    moments = [(trade.decided_ns, "decision", "right")]
    if trade.reason and trade.exit_ns:
        moments.append((trade.exit_ns, f"left: {html.escape(trade.reason)}", "left"))
    data = [
        *_prices(scene),
        *_seen_walls(scene, low, high),
        *_aims(trade, scene),
        *_resting("stop", STOP, trade, scene),
        *_resting("target", TARGET, trade, scene),
        *_excursions(trade, scene),
        *_fills(trade),
    ]
    layout = {
        "title": {
            "text": title_of(trade, costs), "font": {"size": 16}, "x": 0, "xref": "paper", "y": 0.97, "yanchor": "top",
        },
        "height": 560,
        "margin": {"t": 106, "l": 80, "r": 20, "b": 40},
        "xaxis": {"type": "date", "range": _ms(scene.window)},
        "yaxis": {"range": [low, high], "tickformat": PRICE},
        "hovermode": "closest",
        "shapes": [_line_down(ns) for ns, _, _ in moments],
        "annotations": [_name_above(*moment) for moment in moments],
    }  # fmt: skip
    return {"data": [{"type": "scatter"} | trace for trace in data], "layout": layout}


def title_of(trade: Trade, costs: TradeCosts) -> str:
    """What it was and what became of it; what was expected; what it cost, and how far the price went."""
    row, forecast = trade.to_row(), forecast_of(trade)
    end = "still open" if trade.open_size else f"left by {trade.reason}"
    made = "" if row["r"] is None else f": {row['r']:+z.2f} R, net {row['net']:+z,.2f}"
    planned = "" if trade.entered == trade.planned_size else f" of {_base(trade, trade.planned_size)} planned"
    cost = f"cost {float(costs.costs.total):,.2f}"
    if forecast is not None:
        cost += f", forecast {forecast['total']:,.2f}"
    moves = [f"{name} {row[key]:z.2f} R" for name, key in (("MAE", "mae_r"), ("MFE", "mfe_r")) if row[key] is not None]
    heading = f"{trade.asset} {row['side']} {_base(trade, trade.entered)}{planned} on {trade.venue}, {end}{made}"
    stated = f"probability {trade.probability:.3f}, break-even {trade.break_even:.3f}"
    below = (
        f"{trade.model}: {stated}, expected {trade.expected_r:+.2f} R",
        "; ".join([cost, *moves]),
    )
    return "<br>".join(
        [
            f"<b>{html.escape(heading)}</b>",
            *(f"<span style='font-size:13px'>{html.escape(line)}</span>" for line in below),
        ]
    )


type Traces = Iterator[dict[str, Any]]


def _prices(scene: Scene) -> Traces:
    prices = scene.prices
    times = [*_ms(prices.ts), *_ms(scene.window[1:])]  # the last one stands to the end
    for name, values, colour in (("ask", prices.ask, ASK), ("bid", prices.bid, BID)):
        yield {
            "x": times,
            "y": [None if np.isnan(price) else float(price) for price in (*values, *values[-1:])],
            "name": name,
            "mode": "lines",
            "line": {"color": colour, "width": 1.2, "shape": "hv"},
            "hovertemplate": f"{name} %{{y:{PRICE}}}, %{{x|{TIME}}}<extra></extra>",
        }


def _seen_walls(scene: Scene, low: float, high: float) -> Traces:
    for source, name, colour in ((Source.WALL, "proven wall", SEEN), (Source.MAGNET, "magnet", MAGNET)):
        seen = [(ts, w) for ts, w in scene.walls if w.source is source and low <= w.price <= high]
        if seen:
            yield {
                "x": _ms([ts for ts, _ in seen]),
                "y": [float(f"{wall.price:.9g}") for _, wall in seen],
                "text": [f"{wall.strength:.3g}" for _, wall in seen],
                "name": f"{name} at scans",
                "mode": "markers",
                "marker": {"symbol": "line-ew-open", "size": 7, "color": colour},
                "hovertemplate": f"{name} at %{{y:{PRICE}}}, %{{text}} x the median level<extra></extra>",
            }


def _aims(trade: Trade, scene: Scene) -> Traces:
    """The walls before which targets were planned."""
    ends = (trade.decided_ns, trade.exit_ns or scene.window[1])
    aims = [(target.wall, f" {target.source} {target.wall:.7g}") for target in trade.targets if target.wall is not None]
    return _levels("wall that a target lies before", AIMED, 2, ends, aims)


def _excursions(trade: Trade, scene: Scene) -> Traces:
    """How far the price went against the trade and with it, as far as the trade's own scans saw."""
    ends = (trade.entry_ns, trade.exit_ns or scene.window[1])
    moves = ((trade.worst, trade.mae, " MAE"), (trade.best, trade.mfe, " MFE"))
    found = [(price, text) for price, move, text in moves if price is not None and move]
    return _levels("worst and best price at scans", GREY, 1, ends, found)


def _levels(
    name: str, colour: str, width: float, ends: tuple[int, int], levels: Sequence[tuple[Decimal, str]]
) -> Traces:
    """Dotted lines at prices, each with its text at the end; one entry in the legend."""
    for number, (price, text) in enumerate(levels):
        yield {
            "x": _ms(ends),
            "y": [float(price)] * 2,
            "name": name,
            "legendgroup": name,
            "showlegend": number == 0,
            "mode": "lines+text",
            "text": ["", text],
            "textposition": "middle right",
            "textfont": {"color": colour},
            "line": {"color": colour, "width": width, "dash": "dot"},
            "hoverinfo": "skip",
        }


def _resting(role: str, colour: str, trade: Trade, scene: Scene) -> Traces:
    """A step line an order: at which price it rested, and when."""
    orders = sorted((order for order in trade.resting if order.role == role), key=lambda order: order.ref)
    for number, (ref, found) in enumerate(groupby(orders, key=lambda order: order.ref)):
        pieces = sorted(found, key=lambda order: order.from_ns)
        labels = [text for order in pieces for text in (_label(order, trade, first=order is pieces[0]), "")]
        yield {
            "x": _ms([ns for order in pieces for ns in (order.from_ns, order.to_ns or scene.window[1])]),
            "y": [float(order.price) for order in pieces for _ in range(2)],
            "name": role,
            "legendgroup": role,
            "showlegend": number == 0,
            "mode": "lines+text",
            "text": labels,
            "textposition": ["middle left", *["top right"] * (len(labels) - 1)],
            "textfont": {"color": colour},
            "line": {"color": colour, "width": 1.8},
            "hovertemplate": f"{html.escape(ref)} at %{{y:{PRICE}}}, %{{x|{TIME}}}<extra></extra>",
        }


def _label(order: RestingOrder, trade: Trade, *, first: bool) -> str:
    plan = next((t.source for t in trade.targets if order.role == "target" and t.price == order.price), "")
    if not first:
        return f"moved to {order.price:f}"
    return f"{plan or ''} {order.role} {order.price:f} ".lstrip()


def _fills(trade: Trade) -> Traces:
    entry = ("entry", "triangle-up", LONG) if trade.side > 0 else ("entry", "triangle-down", SHORT)
    for role, (name, symbol, colour) in ({"entry": entry} | EXITS).items():
        fills = [fill for fill in trade.fills if fill.role == role]
        if fills:
            yield {
                "x": _ms([fill.ts for fill in fills]),
                "y": [float(fill.price) for fill in fills],
                "name": name,
                "mode": "markers",
                "marker": {"symbol": symbol, "size": 12, "color": colour, "line": {"width": 1, "color": "black"}},
                "text": [
                    f"{name}: {'bought' if fill.side > 0 else 'sold'} {_base(trade, fill.size)} at {fill.price:f}"
                    f"<br>fee {fill.fee:f}, {(fill.ts - trade.decided_ns) / SECOND_NS:+.3f} s from the decision"
                    f"<br>order {html.escape(fill.order_id)}"
                    for fill in fills
                ],
                "hovertemplate": "%{text}<extra></extra>",
            }


def _line_down(ns: int) -> dict[str, Any]:
    """A line down the chart at a time."""
    (at,) = _ms([ns])
    line = {"color": GREY, "width": 1, "dash": "dash"}
    return {"type": "line", "x0": at, "x1": at, "y0": 0, "y1": 1, "yref": "paper", "line": line}


def _name_above(ns: int, text: str, anchor: str) -> dict[str, Any]:
    """A text above the chart of which the `anchor` side is at a time."""
    (at,) = _ms([ns])
    place = {"x": at, "y": 1, "yref": "paper", "xanchor": anchor, "yanchor": "bottom"}
    return {"text": text, "showarrow": False, "font": {"color": GREY}} | place


def _reach(trade: Trade, scene: Scene) -> tuple[float, float]:
    """The prices to show: all that was paid, rested or aimed at, and all that the venue quoted meanwhile."""
    own: list[Decimal | None] = [*(order.price for order in trade.resting), *(fill.price for fill in trade.fills)]
    own += [price for target in trade.targets for price in (target.price, target.wall)] + [trade.stop]
    quoted = np.concatenate([scene.prices.bid, scene.prices.ask])
    prices = [*(float(price) for price in own if price is not None), *quoted[np.isfinite(quoted)].tolist()]
    margin = 0.06 * (max(prices) - min(prices))
    return min(prices) - margin, max(prices) + margin


def _base(trade: Trade, size: Decimal) -> str:
    """A size in base units, whatever the venue counts in."""
    return f"{(size * trade.multiplier).normalize():f}"


def _ms(times: Sequence[int] | Ints) -> list[float]:
    """UNIX ms, to a tenth: finer than that charts do not draw."""
    return [round(ns / 1e6, 1) for ns in np.asarray(times, np.int64).tolist()]
