"""The statistics of trades for a reader: rows of words for the report's table, and a chart of expectancy."""

from typing import Any

import plotly.graph_objects as go

OVERALL = "overall"
ENOUGH = 10  # trades of a group whose whole interval must fit into the panel
COLOURS = {"venue": "#4575b4", "asset": "#1a9850", "side": "#d73027", "hour": "#7b3294", "reason": "#b35806"}


def statistics_note(statistics: dict[str, Any]) -> str:
    """What the columns mean, in words."""
    still = f" {count} left open are not in it." if (count := statistics["open"]) else ""
    return (
        f"Closed trades, after all costs.{still} In brackets {statistics['confidence']:.0%} intervals. Effective: what "
        "trades that overlap are worth as independent ones. Expectancy: the mean of a trade, in account currency and "
        "in R (the loss at its stop). The win rate is also the positive predictive value of taking a trade. Hours are "
        "UTC, of the entry. Reasons of exit are known by the outcome: they say where money went, not what to trade. Of "
        "so many groups some intervals miss the truth: a group that stands out is a question, not a finding."
    )


def statistics_rows(statistics: dict[str, Any]) -> dict[str, dict[str, str]]:
    """Cells by column of every row, overall and ``<group> <key>``, of what `trade_statistics` gave."""
    stated = statistics["overall"]["ppv"]["stated"] is not None
    return {
        name: figures_row(figures, stated=stated)
        for members in _named(statistics).values()
        for name, figures in members.items()
    }


def expectancy_figure(statistics: dict[str, Any]) -> go.Figure:
    """Expectancy in R of every group that has one, with its interval, from overall down to reasons of exit."""
    figure = go.Figure()
    names: list[str] = []
    within: list[float] = [0.0]
    for group, members in _named(statistics).items():
        known = {name: f for name, f in members.items() if f["expectancy_r"]["value"] is not None}
        expectancies = [f["expectancy_r"] for f in known.values()]
        labels = [f"{name} (n={f['count']})" for name, f in known.items()]
        names += labels
        for figures, expectancy in zip(known.values(), expectancies, strict=True):
            fits = expectancy.values() if figures["count"] >= ENOUGH else [expectancy["value"]]
            within += [x for x in fits if x is not None]
        figure.add_scatter(
            x=[e["value"] for e in expectancies],
            y=labels,
            error_x={
                "type": "data",
                "symmetric": False,
                "array": [_reach(e, "high") for e in expectancies],
                "arrayminus": [_reach(e, "low") for e in expectancies],
            },
            text=[interval_text(e, 2) for e in expectancies],
            hovertemplate="%{y}: %{text} R",
            mode="markers",
            marker={"size": 8, "color": COLOURS.get(group, "#222222")},
            name=group,
        )
    margin = 0.1 * (max(within) - min(within)) or 1.0
    figure.add_vline(x=0, line={"color": "#999", "width": 1})
    figure.update_layout(
        title=f"expectancy in R, {statistics['confidence']:.0%} intervals (cut at the edge: see the table)",
        height=140 + 22 * len(names),
        template="plotly_white",
        margin={"t": 50, "l": 60, "r": 60},
        xaxis={"range": [min(within) - margin, max(within) + margin], "title": "R"},
        yaxis={"categoryorder": "array", "categoryarray": names[::-1], "automargin": True},
    )
    return figure


def _named(statistics: dict[str, Any]) -> dict[str, dict[str, dict[str, Any]]]:
    """Figures by group and by the name of their row."""
    groups = statistics["groups"].items()
    named = {group: {f"{group} {key}": figures for key, figures in members.items()} for group, members in groups}
    return {OVERALL: {OVERALL: statistics["overall"]}} | named


def figures_row(figures: dict[str, Any], *, stated: bool = False) -> dict[str, str]:
    """Cells by column of the figures of a group, with what was `stated` or without."""
    row = {
        "trades": str(figures["count"]),
        "effective": f"{figures['effective']:.1f}",
        "net": f"{figures['net']:,.2f}",
        "expectancy": interval_text(figures["expectancy"], 2),
        "expectancy, R": interval_text(figures["expectancy_r"], 3),
        "win rate": interval_text(figures["win_rate"], 3),
    }
    if stated:
        row |= {"PPV": interval_text(figures["ppv"], 3), "stated": _number(figures["ppv"]["stated"], 3)}
    return row | {
        "profit factor": _number(figures["profit_factor"], 2),
        "held, s": _number(figures["holding_seconds"], 0),
        "cost": _number(figures["cost"], 2),
    }


def _reach(interval: dict[str, float | None], bound: str) -> float:
    """From the value to a bound, 0 where there is none."""
    value, end = interval["value"], interval[bound]
    return 0.0 if value is None or end is None else abs(end - value)


def interval_text(interval: dict[str, float | None], decimals: int) -> str:
    """``value (low to high)``, the value alone without bounds, "-" for what could not be known."""
    value = _number(interval["value"], decimals)
    if interval["low"] is None:
        return value
    return f"{value} ({_number(interval['low'], decimals)} to {_number(interval['high'], decimals)})"


def _number(value: float | None, decimals: int) -> str:
    return "-" if value is None else f"{value:,.{decimals}f}"
