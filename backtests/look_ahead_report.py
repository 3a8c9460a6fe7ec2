"""What :mod:`backtests.look_ahead` and :mod:`backtests.warm_up` found, in words and as JSON."""

import math
from dataclasses import asdict
from typing import Any

from rich.console import Console
from rich.table import Table

from backtests.look_ahead import LookAhead
from backtests.warm_up import STAYS, TOLERANCE, Verdict, WarmUp
from catalog.times import format_ns


def to_json(found: LookAhead, warm_up: WarmUp | None) -> dict[str, Any]:
    """Everything, times as UNIX ns and the most asked for in words too; `warm_up` null: the span was too short."""
    leak = None if found.leak is None else {**asdict(found.leak), "time": format_ns(found.leak.ts)}
    body: dict[str, Any] = {"look_ahead": {**asdict(found), "leak": leak}, "warm_up": None}
    if warm_up is not None:
        body["warm_up"] = asdict(warm_up)
    cleaned: dict[str, Any] = _plain(body)
    return cleaned


def _plain(value: Any) -> Any:
    """JSON has no word for NaN, infinity and decimals: those become texts."""
    if isinstance(value, dict):
        return {str(name): _plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    return value if value is None or isinstance(value, str | int) else str(value)


def look_ahead_words(found: LookAhead) -> str:
    """The verdict, and of how much it is."""
    if found.leak is not None:
        return f"LOOK-AHEAD: {found.leak}"
    orders = f"and {found.decisions:,} events of {found.orders:,} orders" if found.orders else "but no order was sent"
    return (
        f"no look-ahead: before {len(found.engine_cuts)} cuts of the engine and {len(found.bulk_cuts)} of the bulk "
        f"driver {found.snapshots:,} snapshots are the same bit for bit, {orders}"
    )


def print_warm_up(warm_up: WarmUp, console: Console) -> None:
    """The table of features, and below it what is to be said of those that are not settled."""
    title = f"after {len(warm_up.starts)} later starts: when a feature is, and stays, what it is from the beginning"
    table = Table(title=title)
    table.add_column("feature", no_wrap=True)
    for name in ("equal after s", f"within {TOLERANCE:g} after s"):
        table.add_column(name, justify="right")
    table.add_column("")
    for one in warm_up.features:
        note = "" if one.verdict is Verdict.SETTLED else str(one.verdict)
        table.add_row(one.feature, _seconds(one.seconds_to_equal), _seconds(one.seconds_to_near), note)
    console.print(table)
    for line in warm_up_words(warm_up):
        console.print(line, highlight=False, soft_wrap=True, markup=False)


def _seconds(value: float | None) -> str:
    return "-" if value is None else f"{value:,.0f}"


def warm_up_words(warm_up: WarmUp) -> list[str]:
    """One line a verdict that is not "settled", and one for each feature that depends on the start."""
    undecided = (
        f"not the same for the last {STAYS} snapshots, {warm_up.observed_seconds:,.0f} s after a start; features may "
        f"remember {warm_up.bound_seconds:,.0f} s, so the span is too short to tell"
    )
    named = {
        Verdict.SINCE_START: "sums and levels since the start, which no later run can share",
        Verdict.NO_VALUE: "without a value in this span",
        Verdict.UNDECIDED: undecided,
    }
    found = {words: ", ".join(one.feature for one in warm_up.of(verdict)) for verdict, words in named.items()}
    return [f"{words}: {names}" for words, names in found.items() if names] + [
        f"DEPENDS ON THE START: {one.feature}, longer than the {warm_up.bound_seconds:,.0f} s that features may "
        f"remember: {one.remnant}"
        for one in warm_up.of(Verdict.DEPENDS)
    ]
