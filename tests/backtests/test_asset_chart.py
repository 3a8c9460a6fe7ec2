"""One asset's chart over a run: panels, markers, walls and the book behind the price."""

from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest

from backtests.asset_chart import MAX_POINTS, asset_figure
from backtests.depth_map import DepthMap
from strategies.flow.groups import FEATURES
from strategies.trade_log import Trade
from tests.strategies.conftest import SECOND, START, at
from tests.strategies.trade_rows import enter, leave, planned


def seen(count: int = 100, *, spot: bool = True) -> pd.DataFrame:
    """A snapshot every five seconds, with and without a spot market."""
    columns = {f.name: np.full(count, 1.0) for f in FEATURES}
    if not spot:
        columns["cvd_spot"] = np.full(count, np.nan)
    return pd.DataFrame({"ts": START + np.arange(count) * 5 * SECOND, "asset": "BTC"} | columns)


def trade(side: int, second: int, *, closed: bool = True) -> Trade:
    """Entered at 100 and, if closed, out ten seconds later at 101."""
    made = planned(side, seconds=second, reason="time" if closed else "")
    enter(made, 100, at(second))
    if closed:
        leave(made, 101, at(second + 10))
    return made


TRADES = [trade(1, 10), trade(1, 50), trade(-1, 90), trade(-1, 130, closed=False)]


def by_name(figure: go.Figure) -> dict[str, Any]:
    return {trace.name: trace for trace in figure.data if trace.name}


def test_three_panels_share_one_time_axis() -> None:
    """Price with entries and exits, CVD, imbalance."""
    figure = asset_figure("BTC", seen(), TRADES, None)
    titles = [a.text for a in figure.layout.annotations]
    assert titles[0].startswith("BTC: resting size, price")
    assert titles[1].startswith("CVD")
    assert titles[2] == "order book imbalance"
    assert {"mid", "CVD perp", "CVD spot (right)", "obi_near", "obi_far"} <= set(by_name(figure))


def test_a_marker_at_every_entry_and_exit() -> None:
    """Two longs and two shorts, of which one is still open: four entries, three exits, each at its time and price."""
    traces = by_name(asset_figure("BTC", seen(), TRADES, None))
    assert [t.timestamp() for t in pd.to_datetime(traces["long entry"].x)] == [at(10) / 1e9, at(50) / 1e9]
    assert [t.timestamp() for t in pd.to_datetime(traces["short entry"].x)] == [at(90) / 1e9, at(130) / 1e9]
    assert list(traces["short entry"].y) == [100.0, 100.0]
    assert list(traces["long exit"].y) == [101.0, 101.0]
    assert [t.timestamp() for t in pd.to_datetime(traces["short exit"].x)] == [at(100) / 1e9]
    assert "time: net 1.00" in traces["long exit"].text[0]
    assert "stop 110, probability 0.60" in traces["short entry"].text[0]


def test_an_entry_that_was_not_filled_has_no_marker() -> None:
    """Only what was entered is drawn."""
    assert "long entry" not in by_name(asset_figure("BTC", seen(), [planned(seconds=10)], None))


def test_without_spot_there_is_no_spot_line() -> None:
    """A line of missing values would look like one of zeros."""
    assert "CVD spot (right)" not in by_name(asset_figure("BTC", seen(spot=False), [], None))


@pytest.mark.parametrize("count", [10, MAX_POINTS, 3 * MAX_POINTS + 1])
def test_long_runs_are_thinned(count: int) -> None:
    """A chart has a bounded number of points and begins where the run does."""
    line = by_name(asset_figure("BTC", seen(count), [], None))["mid"]
    assert min(count, MAX_POINTS) <= len(line.x) <= 2 * MAX_POINTS
    assert pd.to_datetime(line.x[0]).timestamp() == START / 1e9


def test_the_book_lies_behind_the_price() -> None:
    """A heatmap of what rested where, on the price axis; without a book there is none."""
    times = START + np.arange(3) * 5 * SECOND
    size = np.array([[1.0, 10.0, np.nan], [0.0, 100.0, 10.0]], np.float32)
    line = np.full(3, 1.0)
    depth = DepthMap(times, np.array([0.9, 1.0, 1.1]), size, line, line)
    (heat,) = [t for t in asset_figure("BTC", seen(), [], depth).data if isinstance(t, go.Heatmap)]
    assert heat.yaxis == "y"
    assert list(heat.y) == pytest.approx([0.95, 1.05])
    # tens: a bucket where nothing rests is as blank as one that was not seen
    np.testing.assert_allclose(np.asarray(heat.z), [[0.0, 1.0, np.nan], [np.nan, 2.0, 1.0]], rtol=1e-6)
    assert not [t for t in asset_figure("BTC", seen(), [], None).data if isinstance(t, go.Heatmap)]


def test_walls_stand_at_their_price() -> None:
    """A proven bid wall 10 bps under a mid of 1, an ask wall 20 above; where the strength is 0 nothing is drawn."""
    snapshots = seen(2)
    snapshots["bid_wall_bps"], snapshots["ask_wall_bps"] = 10.0, 20.0
    snapshots["bid_wall_strength"] = [5.0, 0.0]
    traces = by_name(asset_figure("BTC", snapshots, [], None))
    assert list(traces["bid wall"].y) == pytest.approx([0.999])
    assert list(traces["ask wall"].y) == pytest.approx([1.002, 1.002])
