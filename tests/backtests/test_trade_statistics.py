"""What trades were worth: figures by hand, groups, and what is said of few or none."""

import json
from decimal import Decimal
from typing import Any

import pytest

from backtests.costs import Costs
from backtests.statistics import stationary_bootstrap, wilson
from backtests.statistics_report import expectancy_figure, statistics_note, statistics_rows
from backtests.trade_statistics import GROUPS, trade_statistics
from strategies.trade_log import Trade
from tests.strategies.conftest import at
from tests.strategies.trade_rows import enter, leave, planned

MINUTE = 60


def trade(
    net: str,
    start: float,
    *,
    minutes: float = 5,
    asset: str = "BTC",
    venue: str = "BINANCE",
    side: int = 1,
    reason: str = "time",
) -> Trade:
    """One unit at 100 with 10 at risk and a fee of 1 that made `net` in the end; open where that is empty."""
    made = planned(side, asset=asset, venue=venue, seconds=start, reason=reason)
    enter(made, 100, at(start), fee=1)
    if net:
        leave(made, 100 + side * (Decimal(net) + 1), at(start + minutes * MINUTE))
    return made


NETS = ["9", "-11", "4", "-1", "0"]
TRADES = [
    trade(NETS[0], 0, reason="target"),
    trade(NETS[1], 10 * MINUTE, side=-1, reason="stop"),
    trade(NETS[2], 20 * MINUTE, asset="ETH", venue="BYBIT"),
    trade(NETS[3], 30 * MINUTE, minutes=10),
    trade(NETS[4], 120 * MINUTE),
]
"""One after the other, the last in a later hour: the script begins at 22:13:20 UTC."""


def statistics(trades: list[Trade], **options: Any) -> dict[str, Any]:
    return trade_statistics(trades, seed=7, **options)


def test_figures_by_hand() -> None:
    """13 won, 12 lost: a net of 1, two winners of five, 0.2 money and 0.02 R a trade, six minutes held."""
    overall = statistics(TRADES)["overall"]
    assert (overall["count"], overall["net"], overall["effective"]) == (5, 1.0, pytest.approx(5))
    assert overall["expectancy"]["value"] == pytest.approx(0.2)
    assert overall["expectancy_r"]["value"] == pytest.approx(0.02)
    assert overall["win_rate"]["value"] == 0.4
    assert overall["profit_factor"] == pytest.approx(13 / 12)
    assert overall["holding_seconds"] == 6 * MINUTE
    assert overall["cost"] is None


def test_intervals_are_those_of_their_methods() -> None:
    """Wilson for shares; a stationary bootstrap in order of exit, not of the log, for means."""
    overall = statistics(TRADES[::-1])["overall"]
    assert tuple(overall["win_rate"].values()) == pytest.approx((0.4, *wilson(2, 5)))
    bounds = stationary_bootstrap([9.0, -11.0, 4.0, -1.0, 0.0], seed=7)
    assert tuple(overall["expectancy"].values()) == pytest.approx((0.2, *bounds))
    assert tuple(overall["expectancy_r"].values()) == pytest.approx((0.02, bounds[0] / 10, bounds[1] / 10))


def test_overlapping_trades_count_less() -> None:
    """Four assets at the same time are worth one trade, and their win rate is as unsure as that of one."""
    together = [trade(net, 0, asset=asset) for net, asset in zip("1113", "ABCD", strict=True)]
    overall = statistics([*together[:3], trade("-3", 0, asset="D")])["overall"]
    assert (overall["count"], overall["effective"]) == (4, pytest.approx(1))
    assert tuple(overall["win_rate"].values()) == pytest.approx((0.75, *wilson(0.75, 1)))


def test_groups_by_hand() -> None:
    """Every trade once in every grouping, under its venue, asset, side, UTC hour of entry and reason of exit."""
    groups = statistics(TRADES)["groups"]
    counts = {name: {key: figures["count"] for key, figures in group.items()} for name, group in groups.items()}
    assert counts == {
        "venue": {"BINANCE": 4, "BYBIT": 1},
        "asset": {"BTC": 4, "ETH": 1},
        "side": {"long": 4, "short": 1},
        "hour": {"00": 1, "22": 4},
        "reason": {"stop": 1, "target": 1, "time": 3},
    }
    assert groups["asset"]["BTC"]["net"] == -3.0
    assert groups["reason"]["time"]["win_rate"]["value"] == pytest.approx(1 / 3)
    assert list(groups) == list(GROUPS)


def test_a_single_trade_is_shown_and_is_unsure() -> None:
    """A mean without an interval, a share whose interval is most of the line, no factor without a loss."""
    alone = statistics(TRADES)["groups"]["asset"]["ETH"]
    assert (alone["count"], alone["profit_factor"]) == (1, None)
    assert alone["expectancy"] == {"value": 4.0, "low": None, "high": None}
    assert alone["win_rate"] == {"value": 1.0, "low": pytest.approx(0.2065, abs=1e-4), "high": 1.0}


def test_without_trades_nothing_is_known() -> None:
    """Counts and sums of nothing are zero; all else is None, and there is no group."""
    empty = statistics([])
    unknown = {"value": None, "low": None, "high": None}
    assert empty["overall"] == {
        "count": 0,
        "effective": 0.0,
        "net": 0.0,
        "expectancy": unknown,
        "expectancy_r": unknown,
        "win_rate": unknown,
        "ppv": unknown | {"stated": None},
        "profit_factor": None,
        "holding_seconds": None,
        "cost": None,
    }
    assert empty["groups"] == {name: {} for name in GROUPS}


def test_a_trade_that_is_still_open_has_no_result() -> None:
    """It is counted as open and is in no figure, though its fee was paid; one that left in part is open too."""
    partly = trade("", 0)
    leave(partly, 100, at(9), size="0.5")
    found = statistics([*TRADES, trade("", 0), partly])
    assert (found["open"], found["overall"]) == (2, statistics(TRADES)["overall"])


def test_costs_go_with_their_trades() -> None:
    """The mean of their totals, also of a group and whatever the order of the log."""
    costs = [Costs(fees=Decimal(k), spread=Decimal(1)) for k in range(5)]
    found = statistics(TRADES[::-1], costs=costs[::-1])
    assert found["overall"]["cost"] == 3.0
    assert found["groups"]["asset"]["ETH"]["cost"] == 3.0
    assert found["groups"]["side"]["short"]["cost"] == 2.0


def test_predictive_value_beside_what_was_stated() -> None:
    """Of the trades with a probability alone; a group without one has none."""
    found = statistics(TRADES, probabilities=[0.6, 0.7, None, 0.5, None])
    assert found["overall"]["ppv"] == {
        "value": pytest.approx(1 / 3),
        "low": pytest.approx(wilson(1, 3)[0]),
        "high": pytest.approx(wilson(1, 3)[1]),
        "stated": pytest.approx(0.6),
    }
    assert found["overall"]["win_rate"]["value"] == 0.4
    assert found["groups"]["asset"]["ETH"]["ppv"] == {"value": None, "low": None, "high": None, "stated": None}


def test_without_probabilities_taking_a_trade_is_the_prediction() -> None:
    """The share of all that were taken, and nothing stated."""
    overall = statistics(TRADES)["overall"]
    assert overall["ppv"] == overall["win_rate"] | {"stated": None}


def test_what_does_not_fit_is_refused() -> None:
    """Costs and probabilities of other trades, and a score that is no probability."""
    with pytest.raises(ValueError, match="1 costs for 5 trades"):
        statistics(TRADES, costs=[Costs()])
    with pytest.raises(ValueError, match="1 probabilities for 5 trades"):
        statistics(TRADES, probabilities=[0.5])
    with pytest.raises(ValueError, match=r"\[0, 1\], got -0.5"):
        statistics(TRADES, probabilities=[-0.5, None, None, None, None])


def test_plain_data_and_the_same_every_time() -> None:
    """JSON takes it as it is, without NaN; the seed decides everything."""
    first = json.dumps(statistics(TRADES), allow_nan=False)
    assert first == json.dumps(statistics(TRADES), allow_nan=False)
    assert first != json.dumps(trade_statistics(TRADES, seed=8), allow_nan=False)


# -- for a reader ------------------------------------------------------------------------------------------------------


def test_rows_of_words() -> None:
    """A row a group: value and interval in one cell, a dash for what is not known."""
    rows = statistics_rows(statistics(TRADES))
    assert list(rows)[:5] == ["overall", "venue BINANCE", "venue BYBIT", "asset BTC", "asset ETH"]
    row = rows["asset ETH"]
    assert (row["trades"], row["expectancy"], row["expectancy, R"]) == ("1", "4.00", "0.400")
    assert (row["win rate"], row["profit factor"], row["held, s"]) == ("1.000 (0.207 to 1.000)", "-", "300")
    assert rows["overall"]["win rate"] == "0.400 (0.118 to 0.769)"
    assert "stated" not in row


def test_stated_probabilities_have_columns() -> None:
    """Only where a trade had one."""
    row = statistics_rows(statistics(TRADES, probabilities=[0.6] * 5))["overall"]
    assert (row["PPV"], row["stated"]) == ("0.400 (0.118 to 0.769)", "0.600")


def test_no_trades_have_one_row() -> None:
    """It says that there were none."""
    rows = statistics_rows(statistics([]))
    assert list(rows) == ["overall"]
    assert rows["overall"]["win rate"] == "-"


def test_the_note_says_what_is_left_out() -> None:
    """How sure the intervals are, and how many trades are open."""
    note = statistics_note(statistics([*TRADES, trade("", 0)], confidence=0.9))
    assert "90% intervals" in note
    assert "1 left open" in note


def test_the_panel_has_a_point_and_a_bar_for_every_group() -> None:
    """Expectancy in R at its group, and the bar ends at the interval's bounds; one trade has a point and no bar."""
    found = statistics(TRADES)
    traces = {trace.name: trace for trace in expectancy_figure(found).data}
    assert list(traces) == ["overall", *GROUPS]
    overall, expected = traces["overall"], found["overall"]["expectancy_r"]
    assert (list(overall.y), list(overall.x)) == (["overall (n=5)"], [pytest.approx(0.02)])
    assert overall.x[0] + overall.error_x.array[0] == pytest.approx(expected["high"])
    assert overall.x[0] - overall.error_x.arrayminus[0] == pytest.approx(expected["low"])
    assert list(traces["side"].y) == ["side long (n=4)", "side short (n=1)"]
    assert traces["side"].error_x.array[1] == 0.0


def test_the_panel_is_as_wide_as_its_points_and_its_sure_bars() -> None:
    """The interval of two trades reaches far beyond all points: it is cut, and widens nothing."""
    two = [trade("9", 0), trade("-11", 10 * MINUTE)]
    found = statistics(two)
    assert found["overall"]["expectancy_r"]["high"] > 5
    assert expectancy_figure(found).layout.xaxis.range[1] < 1
    many = [trade("9" if k % 3 else "-11", k * 10 * MINUTE) for k in range(30)]
    found = statistics(many)
    assert expectancy_figure(found).layout.xaxis.range[1] > found["overall"]["expectancy_r"]["high"]
