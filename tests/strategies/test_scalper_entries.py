"""The scalper's entries in a real engine, on books made by hand: what is sent, for how much, where, and what is not."""

from decimal import Decimal
from typing import Any

import pytest
from nautilus_trader.model.enums import LiquiditySide, OrderStatus, OrderType, TimeInForce

from catalog.markets import Market, MarketKind
from strategies.scalper import Scalper, ScalperConfig
from tests.strategies.conftest import at, book_frame, funding_of, listed
from tests.strategies.scalper_stage import (
    BTC,
    BYBIT_BTC,
    CALM,
    ETH,
    MEXC_BTC,
    TENTHS,
    Watch,
    calm,
    equal_to_the_engine,
    flat_and_idle,
    long,
    orders,
    scalper,
    short,
)

TWO = {"BTC": (BTC,), "ETH": (ETH,)}
CHEAP = listed(Market("BYBIT", MarketKind.PERP, "BTCUSDT"), TENTHS, taker="0.0004")
NO_MARKET = "entry refused: no market with no fills for BTCUSDT-PERP.BINANCE"
POST_ONLY = {"style": "post_only", "timeout_seconds": 5}


def test_entry_is_market_ioc_with_a_resting_stop_and_target(stage) -> None:
    """A long of 5, decided at a mid of 100, has its stop at 98 and its target at 103, both reduce-only for 5."""
    one = stage(BTC)
    watch = Watch(one)
    one.play(calm(BTC), scalper(), until=10, signals=[long()], look=watch)
    entry = orders(one, OrderType.MARKET)[0]
    assert (entry.time_in_force, entry.is_buy, entry.quantity) == (TimeInForce.IOC, True, Decimal(5))
    (stop,), (target,) = orders(one, OrderType.STOP_MARKET), orders(one, OrderType.LIMIT)
    assert (stop.trigger_price, stop.is_reduce_only, stop.is_sell) == (Decimal("98.0"), True, True)
    assert (target.price, target.is_reduce_only, target.is_sell) == (Decimal("103.0"), True, True)
    assert watch.rows[4.75] == (0, 0, 0)
    assert watch.rows[5.25] == watch.rows[9.75] == (5, 5, 5)


def test_a_short_is_the_mirror(stage) -> None:
    """A short of 5 has its stop at 102 and its target at 97, and both buy."""
    one = stage(BTC)
    watch = Watch(one)
    strategy = scalper()
    one.play(calm(BTC), strategy, until=10, signals=[short()], look=watch)
    (stop,), (target,) = orders(one, OrderType.STOP_MARKET), orders(one, OrderType.LIMIT)
    assert (stop.trigger_price, target.price) == (Decimal("102.0"), Decimal("97.0"))
    assert stop.is_buy
    assert target.is_buy
    assert watch.rows[5.25] == (-5, 5, 5)
    assert strategy.trades[0].entry_price == Decimal("99.9")


def test_what_was_planned_is_in_the_row(stage) -> None:
    """Mid, stop, target and size as decided, the model's probability, and the cost that was forecast for it.

    A long of 5 pays 5 × 100.1 × 0.0005 to get in. To get out at the target it pays 5 × 103 × 0.0002 and half the
    spread, at the stop 5 × 98 × 0.0005 and the whole spread: each weighs by its probability.
    """
    one = stage(BTC)
    strategy = scalper()
    one.play(calm(BTC), strategy, until=10, signals=[long()])
    (trade,) = strategy.trades
    row = trade.to_row()
    assert (row["mid"], row["stop"], row["planned_size"], row["model"]) == (100.0, 98.0, 5.0, "rule, uncalibrated")
    # log-odds of the rule at a score of 1: log(1 / 1.5) + 2.32
    p = row["probability"]
    assert p == pytest.approx(1 / (1 + 1.5 * 2.718281828459045**-2.32))
    assert row["targets"] == '[{"price": 103.0, "share": 1.0, "source": "R multiple", "wall": null}]'
    assert row["forecast_fee_in"] == pytest.approx(0.25025)
    assert row["forecast_fee_out"] == pytest.approx(p * 0.103 + (1 - p) * 0.245)
    assert row["forecast_spread"] == pytest.approx(p * 0.5 + (1 - p) * 1.0)
    # a gain of 15 - 0.85325 at the target, a loss of 10 + 1.49525 at the stop
    assert row["break_even"] == pytest.approx(11.49525 / (11.49525 + 14.14675))
    assert row["expected_r"] == pytest.approx((p * 14.14675 - (1 - p) * 11.49525) / 10)


def test_the_stop_grows_with_every_partial_fill(stage) -> None:
    """An entry over three levels is protected from its first fill on, and in the end for all of it."""
    one = stage(BTC)
    watch = Watch(one)
    strategy = scalper(candidates={"depth_share": "0.5", "entry_reach_bps": 20})
    book = book_frame(BTC, 0, [("99.9", "50")], [("100.1", "1"), ("100.2", "2"), ("100.3", "7")])
    one.play([funding_of(BTC), book], strategy, until=10, signals=[long()], look=watch)
    (stop,), (target,) = orders(one, OrderType.STOP_MARKET), orders(one, OrderType.LIMIT)
    assert [e.quantity for e in stop.events if hasattr(e, "quantity")] == [Decimal(1), Decimal(5)]
    assert watch.rows[5.25] == (5, 5, 5)
    assert (stop.trigger_price, target.price) == (Decimal("98.0"), Decimal("103.0"))
    # 1 at 100.1, 2 at 100.2, 2 at 100.3
    assert strategy.trades[0].entry_price == Decimal("100.22")


def test_fills_that_come_before_the_stop_is_accepted_are_protected_as_soon_as_it_is(stage) -> None:
    """An order takes 200 ms. The entry is filled at 5.2, by 1 and by 4, without ever being accepted; the stop for the
    first fill arrives at 5.4, and its change to 5 at 5.6."""
    one = stage(BTC, latency_seconds=0.2)
    watch = Watch(one)
    strategy = scalper()
    book = [("99.9", "50")], [("100.1", "1"), ("100.2", "49")]
    data = [funding_of(BTC), *(book_frame(BTC, k / 10, *book) for k in range(90))]
    one.play(data, strategy, until=9, signals=[long()], look=watch)
    entry = orders(one, OrderType.MARKET)[0]
    assert [type(e).__name__ for e in entry.events[2:]] == ["OrderFilled", "OrderFilled"]
    assert [fill.size for fill in strategy.trades[0].fills] == [1, 4]
    (stop,) = orders(one, OrderType.STOP_MARKET)
    told = [(e.ts_event, e.quantity) for e in stop.events if type(e).__name__ == "OrderUpdated"]
    assert told == [(at(5.6), 5)]
    assert watch.rows[5.25] == (5, 0, 0)
    assert watch.rows[5.75] == watch.rows[8.25] == (5, 5, 5)


def test_an_entry_larger_than_the_book_is_partial_and_leaves_no_order(stage) -> None:
    """Of the 5 that were decided only 3 are offered on arrival: 3 are held and protected, the rest is cancelled."""
    one = stage(BTC, latency_seconds=0.2)
    watch = Watch(one)
    strategy = scalper()
    thin = [("99.9", "50")], [("100.1", "1"), ("100.2", "2")]
    data = calm(BTC) + [book_frame(BTC, 5.1 + k / 10, *thin) for k in range(20)]
    one.play(data, strategy, until=10, signals=[long()], look=watch)
    assert orders(one, OrderType.MARKET)[0].status == OrderStatus.CANCELED
    assert watch.rows[6.25] == (3, 3, 3)
    assert (strategy.trades[0].planned_size, strategy.trades[0].entered) == (5, 3)


def test_an_entry_that_finds_nothing_is_no_trade(stage) -> None:
    """The offer is gone when the order arrives: no trade is logged, and the asset is idle for the cooldown."""
    one = stage(BTC, latency_seconds=0.2)
    strategy = scalper()
    gone = [book_frame(BTC, second, [("99.9", "50")], []) for second in (5.1, 5.3)]
    data = [*calm(BTC), *gone, book_frame(BTC, 7, *CALM)]
    one.play(data, strategy, until=20, signals=[long(5), long(10)])
    assert strategy.trades == []
    ((candidate, trade),) = strategy.chosen
    assert (candidate.size.size, trade.entered, trade.reason) == (5, 0, NO_MARKET)
    assert strategy.passed == {"entry not filled": 1, "busy": 2, "probability": 1}
    assert flat_and_idle(one)


# -- how much ----------------------------------------------------------------------------------------------------------


def test_a_stopped_trade_loses_no_more_than_its_risk_with_all_costs(stage) -> None:
    """10 at risk: a unit loses 2 to the stop, 0.2 of spread, 100.1 and 98 × 0.0005 of fees: 10 / 2.29905 = 4.349."""
    one = stage(BTC)
    strategy = scalper(candidates={"risk_fraction": "0.0001"})
    data = [*calm(BTC), book_frame(BTC, 10, [("97.9", "50")], [("98.1", "50")])]
    one.play(data, strategy, until=20, signals=[long()])
    (trade,) = strategy.trades
    assert (trade.planned_size, trade.entered, trade.reason) == (Decimal("4.349"), Decimal("4.349"), "stop")
    assert trade.to_row()["net"] == pytest.approx(-4.349 * (2.2 + 198.0 * 0.0005))
    assert -10 < trade.net < Decimal("-9.99")


def test_our_own_notional_cap_holds(stage) -> None:
    """With a cap of 400.4 at 100.1 the size is 4, whatever risk and depth would allow."""
    one = stage(BTC)
    strategy = scalper(candidates={"max_notional": "400.4"})
    one.play(calm(BTC), strategy, until=10, signals=[long()])
    assert strategy.trades[0].planned_size == strategy.trades[0].entered == 4


def test_contracts_are_sized_and_charged_by_their_multiplier(stage) -> None:
    """Contracts of 0.0001 BTC: a tenth of the 25000 that rest is 2500, which are 0.25 BTC."""
    one = stage(MEXC_BTC)
    strategy = scalper(MEXC_BTC)
    book = [("99999.9", "25000")], [("100000.1", "25000")]
    data = [*calm(MEXC_BTC, book=book), book_frame(MEXC_BTC, 10, [("99790.0", "25000")], [("99790.1", "25000")])]
    one.play(data, strategy, until=20, signals=[long(atr=100.0)])
    (trade,) = strategy.trades
    assert (trade.planned_size, trade.entered, trade.stop, trade.reason) == (2500, 2500, 99800, "stop")
    row = trade.to_row()
    assert row["gross"] == pytest.approx(0.25 * (99790 - 100000.1))
    assert row["fees"] == pytest.approx(0.25 * (100000.1 + 99790) * 0.0008)
    # 0.25 × 200 were at risk
    assert row["r"] == pytest.approx(row["net"] / 50)
    assert row["mae_r"] == pytest.approx(210.1 / 200)
    assert equal_to_the_engine(one, trade)


# -- where -------------------------------------------------------------------------------------------------------------


def test_the_venue_with_the_better_net_value_is_taken(stage) -> None:
    """Two venues with the same book: the one whose takers pay 4 bps and not 5."""
    one = stage(BTC, CHEAP)
    strategy = scalper({"BTC": (BTC, CHEAP)})
    one.play(calm(BTC, CHEAP), strategy, until=10, signals=[long()])
    assert [t.instrument_id for t in strategy.trades] == [CHEAP.id.value]
    assert {o.instrument_id for o in one.engine.kernel.cache.orders()} == {CHEAP.id}


def test_a_venue_whose_book_is_old_is_not_taken(stage) -> None:
    """The cheaper one has said nothing for 15 seconds."""
    one = stage(BTC, CHEAP)
    strategy = scalper({"BTC": (BTC, CHEAP)})
    one.play(calm(BTC, until=15) + calm(CHEAP), strategy, until=20, signals=[long(15)])
    assert [t.venue for t in strategy.trades] == ["BINANCE"]


def test_a_better_price_may_outweigh_dearer_fees(stage) -> None:
    """The same fees, but a spread of one tick and not two: 100.0 / 100.1 on BYBIT."""
    one = stage(BTC, BYBIT_BTC)
    strategy = scalper({"BTC": (BTC, BYBIT_BTC)})
    near = [("100.0", "50")], [("100.1", "50")]
    one.play(calm(BTC) + calm(BYBIT_BTC, book=near), strategy, until=10, signals=[long()])
    (trade,) = strategy.trades
    # half way 100.05: the stop is 98.05 rounded away, 2.05 from it, and the target 1.5 times as far, rounded towards it
    assert (trade.venue, trade.mid, trade.stop) == ("BYBIT", Decimal("100.05"), Decimal("98.0"))
    assert [t.price for t in trade.targets] == [Decimal("103.1")]


def test_two_assets_on_two_venues_trade_side_by_side(stage) -> None:
    """A long and a short of one scan live together, each with exits of its own."""
    one = stage(BTC, CHEAP, ETH)
    strategy = scalper({"BTC": (BTC, CHEAP), "ETH": (ETH,)})
    fall = [("97.9", "50")], [("98.1", "50")]
    data = [*calm(BTC, CHEAP, ETH), book_frame(CHEAP, 10, *fall)]
    one.play(data, strategy, until=20, signals=[long(), short(asset="ETH")])
    assert {(t.asset, t.venue, t.side, t.reason) for t in strategy.trades} == {
        ("BTC", "BYBIT", 1, "stop"),
        ("ETH", "BINANCE", -1, "end"),
    }
    assert flat_and_idle(one)


def test_every_order_bears_the_trace_id_of_its_trade(stage) -> None:
    """Asset, time of the scan in ms and side; then what the order is to the trade."""
    one = stage(BTC, ETH)
    strategy = scalper(TWO)
    one.play(calm(BTC, ETH), strategy, until=10, signals=[long(), short(asset="ETH")])
    ms = at(5) // 1_000_000
    assert {t.trace_id for t in strategy.trades} == {f"BTC-{ms}-L", f"ETH-{ms}-S"}
    for trade in strategy.trades:
        tags = [o.tags for o in one.engine.kernel.cache.orders() if o.instrument_id.value == trade.instrument_id]
        assert sorted(tags) == [[trade.trace_id, ref] for ref in ("close-1", "entry", "stop-1", "target-1-1")]
        assert {fill.order_id for fill in trade.fills} <= {
            o.client_order_id.value for o in one.engine.kernel.cache.orders() if trade.trace_id in o.tags
        }


# -- what is not taken -------------------------------------------------------------------------------------------------


def test_no_more_than_max_positions(stage) -> None:
    """With one position allowed, the second asset's setup is passed over, and so it is within one scan."""
    for at_once in (False, True):
        one = stage(BTC, ETH)
        strategy = scalper(TWO, candidates={"max_positions": 1})
        signals = [long(5), short(5 if at_once else 6, asset="ETH", perp_flow_short=-0.25)]
        one.play(calm(BTC, ETH), strategy, until=10, signals=signals)
        assert [t.asset for t in strategy.trades] == ["BTC"]
        assert strategy.passed == {"max positions": 1, "probability": 2}


def test_two_assets_whose_correlation_is_not_known_are_one_bet(stage) -> None:
    """Two longs are not entered together until an hour of returns says that they are different."""
    one = stage(BTC, ETH)
    strategy = scalper(TWO)
    one.play(calm(BTC, ETH), strategy, until=10, signals=[long(5), long(5, asset="ETH", perp_flow_short=0.25)])
    assert [t.asset for t in strategy.trades] == ["BTC"]
    assert strategy.passed == {"conflict": 1, "probability": 2}


def test_one_trade_an_asset_and_then_a_cooldown(stage) -> None:
    """Both setups of a scan are passed over while in a trade and for 120 seconds after it, and looked at after that."""
    one = stage(BTC)
    strategy = scalper()
    signals = [long(second) for second in (5, 30, 100, 184, 186)]
    one.play(calm(BTC, until=200), strategy, until=200, signals=signals)
    assert [t.entry_ns for t in strategy.trades] == [at(5), at(186)]
    assert strategy.passed == {"busy": 6, "probability": 2}


def test_a_dry_run_sends_nothing(stage) -> None:
    """It decides, counts and logs, but no order exists."""
    one = stage(BTC)
    strategy = scalper(dry_run=True)
    one.play(calm(BTC), strategy, until=10, signals=[long()])
    assert one.engine.kernel.cache.orders() == []
    assert strategy.trades == []
    assert strategy.passed == {"dry run": 1, "probability": 1}


@pytest.mark.parametrize(
    ("setup", "passed"),
    [
        (long(perp_flow_short=0.0, spot_flow_short=0.0, perp_flow_long=0.0, obi_near_z=0.0), {"probability": 2}),
        (long(perp_flow_long=float("nan")), {"missing": 2}),
        (long(atr=float("nan")), {"missing": 1, "probability": 1}),
        (long(atr=0.0), {"missing": 1, "probability": 1}),
        (long(spread_bps=20.1), {"halted": 1, "probability": 1}),
        (long(spread_bps=float("nan")), {"halted": 1, "probability": 1}),
        # 2 × 5 below 100 is where the venue has liquidated already
        (long(atr=5.0), {"no stop": 1, "probability": 1}),
    ],
    ids=["unlikely", "a feature is missing", "no ATR", "no range", "wide spread", "no spread", "liquidation"],
)
def test_setups_that_are_not_taken(stage, setup, passed: dict[str, int]) -> None:
    """Each side is counted under its reason, and nothing is sent."""
    one = stage(BTC)
    strategy = scalper()
    one.play(calm(BTC), strategy, until=10, signals=[setup])
    assert strategy.passed == passed
    assert one.engine.kernel.cache.orders() == []


@pytest.mark.parametrize(
    ("data", "passed"),
    [
        ([funding_of(BTC), book_frame(BTC, 0, [("99.9", "50")], [])], "no book"),
        ([book_frame(BTC, 0, *CALM)], "missing"),
        # a settlement within the minute of the horizon: 5 % of 100 are not worth a gain of 3
        ([funding_of(BTC, "0.05", due=60), book_frame(BTC, 0, *CALM)], "cost"),
        # a tenth of 0.009 is less than a thousandth of a unit
        ([funding_of(BTC), book_frame(BTC, 0, [("99.9", "50")], [("100.1", "0.009")])], "too small"),
    ],
    ids=["an empty side", "funding is not known", "funding is due", "nothing to take"],
)
def test_markets_that_are_not_entered(stage, data: list[Any], passed: str) -> None:
    """The long is passed over for its market's sake."""
    one = stage(BTC)
    strategy = scalper()
    one.play(data, strategy, until=10, signals=[long()])
    assert strategy.passed == {passed: 1, "probability": 1}
    assert one.engine.kernel.cache.orders() == []


def test_every_setup_that_was_passed_over_is_told(stage) -> None:
    """Whoever listens gets each scan's list, with venue and detail."""
    one = stage(BTC)
    strategy = scalper()
    told: list[list[tuple[int, str, str, str, str, str]]] = []
    strategy.on_passed = lambda passed: told.append([p.row for p in passed])
    one.play(calm(BTC), strategy, until=10, signals=[long(atr=5.0)])
    ((no_stop, unlikely),) = told
    assert unlikely[:5] == (at(5), "BTC", "short", "", "probability")
    why = "the stop is too near to the liquidation price, or beyond it"
    assert no_stop == (at(5), "BTC", "long", "BINANCE", "no stop", why)


def test_snapshots_of_other_assets_are_not_its_business(stage) -> None:
    """An asset without an instrument to trade is not even counted."""
    one = stage(BTC)
    strategy = scalper()
    one.play(calm(BTC), strategy, until=10, signals=[long(asset="SOL")])
    assert strategy.passed == {}


# -- post-only ---------------------------------------------------------------------------------------------------------


def test_a_post_only_entry_rests_at_its_own_side_and_pays_as_a_maker(stage) -> None:
    """It bids 99.9 for 5 and is filled when the offers come down to it; the stop rests from then on."""
    one = stage(BTC)
    watch = Watch(one)
    strategy = scalper(entry=POST_ONLY)
    data = [*calm(BTC), book_frame(BTC, 7, [("99.7", "50")], [("99.8", "50")])]
    one.play(data, strategy, until=12, signals=[long()], look=watch)
    entry = orders(one, OrderType.LIMIT)[0]
    assert (entry.is_post_only, entry.is_buy, entry.price, entry.quantity) == (True, True, Decimal("99.9"), 5)
    assert entry.last_event.liquidity_side == LiquiditySide.MAKER
    assert watch.rows[5.25] == (0, 0, 5)
    assert watch.rows[7.25] == watch.rows[11.75] == (5, 5, 5)
    (trade,) = strategy.trades
    assert (trade.entry_ns, trade.entry_price, trade.stop) == (at(7), Decimal("99.9"), 98)
    assert trade.fills[0].fee == 5 * Decimal("99.9") * Decimal("0.0002")


def test_a_post_only_entry_that_nobody_takes_is_cancelled_in_time(stage) -> None:
    """After 5 seconds it is gone: no trade, a cooldown."""
    one = stage(BTC)
    watch = Watch(one)
    strategy = scalper(entry=POST_ONLY)
    one.play(calm(BTC), strategy, until=20, signals=[long()], look=watch)
    assert watch.rows[9.75] == (0, 0, 5)
    assert watch.rows[10.25] == (0, 0, 0)
    assert strategy.trades == []
    assert strategy.passed == {"entry not filled": 1, "probability": 1}
    assert flat_and_idle(one)


def test_of_a_post_only_entry_what_was_filled_in_time_is_the_trade(stage) -> None:
    """2 of 5 are taken: they are protected at once, and the 3 are cancelled after 5 seconds."""
    one = stage(BTC)
    watch = Watch(one)
    strategy = scalper(entry=POST_ONLY)
    data = [*calm(BTC), book_frame(BTC, 7, [("99.8", "50")], [("99.9", "2"), ("100.1", "50")])]
    one.play(data, strategy, until=15, signals=[long()], look=watch)
    assert watch.rows[7.25] == (2, 2, 5)  # 3 that bid and 2 that are offered at the target
    assert watch.rows[10.25] == (2, 2, 2)
    assert (strategy.trades[0].entered, strategy.trades[0].planned_size) == (2, 5)


def test_a_post_only_entry_that_would_take_is_refused(stage) -> None:
    """The offers have come down while it travelled: the venue refuses it, and there is no trade."""
    one = stage(BTC, latency_seconds=0.2)
    strategy = scalper(entry=POST_ONLY)
    told: list[tuple[int, str, str, str, str, str]] = []
    strategy.on_passed = lambda passed: told.extend(p.row for p in passed)
    down = [book_frame(BTC, 5.1 + k / 10, [("99.7", "50")], [("99.8", "50")]) for k in range(5)]
    one.play(calm(BTC) + down, strategy, until=10, signals=[long()])
    assert orders(one, OrderType.LIMIT)[0].status == OrderStatus.REJECTED
    assert strategy.trades == []
    assert strategy.passed == {"entry not filled": 1, "probability": 1}
    assert told[-1][:5] == (at(5), "BTC", "long", "BINANCE", "entry not filled")


# -- decisions of another world ----------------------------------------------------------------------------------------


def rows(strategy: Scalper) -> list[dict[str, Any]]:
    """The trade log without its NaNs, which equal nothing."""
    return [{k: v for k, v in t.to_row().items() if v == v} for t in strategy.trades]


def test_followed_decisions_are_the_same_trades(stage) -> None:
    """What one run chose, another enters at the same times without deciding: every value of the log is the same."""
    first, second = stage(BTC, ETH), stage(BTC, ETH)
    fall = [("97.9", "50")], [("98.1", "50")]
    data = [*calm(BTC, ETH, until=10), *(book_frame(one, 20, *fall) for one in (BTC, ETH))]
    decided, followed = scalper(TWO), scalper(TWO)
    first.play(data, decided, until=30, signals=[long(5), short(10, asset="ETH")])
    followed.follow(candidate for candidate, _ in decided.chosen)
    # its own opinion would be the opposite
    second.play(data, followed, until=30, signals=[short(5), long(10, asset="ETH")])
    assert [(t.asset, t.side) for t in followed.trades] == [("BTC", 1), ("ETH", -1)]
    names = rows(decided)[0].keys() - {name for name in rows(decided)[0] if name.startswith("at_entry_")}
    for mine, theirs in zip(rows(decided), rows(followed), strict=True):
        assert {n: mine.get(n) for n in names} == {n: theirs.get(n) for n in names}
    assert [candidate for candidate, _ in followed.chosen] == [candidate for candidate, _ in decided.chosen]


def test_a_followed_decision_that_comes_during_a_trade_is_passed_over(stage) -> None:
    """Where the other world was out of its trade, this one may still be in it."""
    one, other = stage(BTC), stage(BTC)
    decided, followed = scalper(cooldown_seconds=0), scalper(cooldown_seconds=0)
    book = [("97.9", "50")], [("98.1", "50")]
    one.play([*calm(BTC), book_frame(BTC, 7, *book)], decided, until=12, signals=[long(5), long(10)])
    assert [t.entry_ns for t in decided.trades] == [at(5), at(10)]
    followed.follow(candidate for candidate, _ in decided.chosen)
    other.play(calm(BTC), followed, until=12, signals=[long(5), long(10)])
    assert [t.entry_ns for t in followed.trades] == [at(5)]
    assert followed.passed == {"busy": 1}


# -- at the start ------------------------------------------------------------------------------------------------------


def test_an_instrument_that_is_not_loaded_is_an_error(stage) -> None:
    """The error names the instrument and what to do."""
    one = stage(BTC)
    with pytest.raises(ValueError, match=r"ETHUSDT-PERP.BINANCE is to be traded but is not loaded"):
        one.play(calm(BTC), scalper(ETH), until=10)


@pytest.mark.parametrize(
    ("rates", "words"),
    [
        ({}, "has no maintenance rate: no stop can be held against its liquidation price"),
        ({BTC.id.value: "1"}, "maintenance rate '1'"),
        ({BTC.id.value: "-0.005"}, "maintenance rate '-0.005'"),
        ({BTC.id.value: "half a percent"}, "maintenance rate 'half a percent'"),
    ],
    ids=["none", "all of it", "negative", "words"],
)
def test_a_maintenance_rate_that_cannot_be_is_an_error(stage, rates: dict[str, str], words: str) -> None:
    """Before anything is traded; the error names the instrument and the rate."""
    one = stage(BTC)
    config = ScalperConfig(instruments={"BTC": (BTC.id.value,)}, maintenance_rates=rates, order_id_tag="001")
    with pytest.raises(ValueError, match=f"BTCUSDT-PERP.BINANCE.*{words}"):
        one.play(calm(BTC), Scalper(config), until=10, signals=[long()])
