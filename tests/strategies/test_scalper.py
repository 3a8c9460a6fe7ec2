"""The scalper in a real engine, on books made by hand: what it sends, what rests, what is logged."""

from decimal import Decimal

import pytest
from nautilus_trader.model.enums import OrderStatus, OrderType, TimeInForce
from nautilus_trader.model.events import OrderRejected

from catalog.instruments import Definition
from catalog.markets import Market, MarketKind
from strategies.scalper import Scalper, ScalperConfig
from tests.strategies.conftest import at, book_frame, listed, signal

BTC = listed(Market("BINANCE", MarketKind.PERP, "BTCUSDT"), Definition("BTC", "USDT", Decimal("0.1"), Decimal("0.001")))
ETH = listed(Market("BINANCE", MarketKind.PERP, "ETHUSDT"), Definition("ETH", "USDT", Decimal("0.1"), Decimal("0.001")))
MEXC_BTC = listed(
    Market("MEXC", MarketKind.PERP, "BTC_USDT"),
    Definition("BTC", "USDT", Decimal("0.1"), Decimal(1), multiplier=Decimal("0.0001"), min_size=Decimal(1)),
    taker="0.0008",
)
# 100000 × 0.0005 = 50 at risk, stop 2 × ATR 5 = 10 away: 5 units; the target lies 15 away
SETTINGS = {"risk_fraction": 0.0005, "stop_atr_multiple": 2.0, "target_stop_multiple": 1.5, "horizon_seconds": 60}
CALM = ([("100.0", "50")], [("100.1", "50")])


def scalper(*, tradable=BTC, **settings) -> Scalper:
    """A scalper of BTC on `tradable`, or of the given map of assets."""
    instruments = tradable if isinstance(tradable, dict) else {"BTC": tradable.id.value}
    return Scalper(ScalperConfig(instruments=instruments, scalper=SETTINGS | settings, order_id_tag="001"))


def orders(stage, kind: OrderType) -> list:
    """All orders of a type, in the order of their sending."""
    found = [o for o in stage.engine.kernel.cache.orders() if o.order_type == kind]
    return sorted(found, key=lambda o: o.ts_init)


def flat_and_idle(stage) -> bool:
    """Nothing is open and nothing works."""
    cache = stage.engine.kernel.cache
    return not (cache.positions_open() or cache.orders_open() or cache.orders_inflight())


def equal_to_the_engine(stage, trade) -> bool:
    """Gross and fees of the row are the engine's own realised profit and commissions, to the last of USDT's digits."""
    (position,) = stage.engine.kernel.cache.positions()
    row = trade.to_row()
    fees = sum(c.as_double() for c in position.commissions())
    return row["net"] == pytest.approx(position.realized_pnl.as_double(), abs=1e-7) and row["fees"] == pytest.approx(
        fees, abs=1e-7
    )


class Watch:
    """At every look: what is open, and what the stop and the target would still close."""

    def __init__(self, one) -> None:
        self._cache = one.engine.kernel.cache
        self.rows: dict[float, tuple[float, float, float]] = {}

    def __call__(self, seconds: float) -> None:
        position = sum(float(p.signed_qty) for p in self._cache.positions_open())
        working = dict.fromkeys((OrderType.STOP_MARKET, OrderType.LIMIT), 0.0)
        for order in self._cache.orders_open():
            working[order.order_type] += float(order.leaves_qty)
        self.rows[seconds] = (position, working[OrderType.STOP_MARKET], working[OrderType.LIMIT])


def test_entry_is_market_ioc_with_a_resting_stop_and_target(stage) -> None:
    """A long of 5 at 100.1 has its stop at 90.1 and its target at 115.1, both reduce-only for 5."""
    one = stage(BTC)
    watch = Watch(one)
    one.play([book_frame(BTC, 0, *CALM)], scalper(), until=10, signals=[signal(5, 1.0)], look=watch)
    entry = orders(one, OrderType.MARKET)[0]
    assert (entry.time_in_force, entry.is_buy, entry.quantity) == (TimeInForce.IOC, True, Decimal(5))
    (stop,), (target,) = orders(one, OrderType.STOP_MARKET), orders(one, OrderType.LIMIT)
    assert (stop.trigger_price, stop.is_reduce_only, stop.is_sell) == (Decimal("90.1"), True, True)
    assert (target.price, target.is_reduce_only, target.is_sell) == (Decimal("115.1"), True, True)
    assert watch.rows[4.75] == (0, 0, 0)
    assert watch.rows[5.25] == watch.rows[9.75] == (5, 5, 5)


def test_a_short_is_the_mirror(stage) -> None:
    """A short of 5 at 100.0 has its stop at 110.0 and its target at 85.0, and both buy."""
    one = stage(BTC)
    watch = Watch(one)
    one.play([book_frame(BTC, 0, *CALM)], scalper(), until=10, signals=[signal(5, -1.0)], look=watch)
    (stop,), (target,) = orders(one, OrderType.STOP_MARKET), orders(one, OrderType.LIMIT)
    assert (stop.trigger_price, target.price) == (Decimal("110.0"), Decimal("85.0"))
    assert stop.is_buy
    assert target.is_buy
    assert watch.rows[5.25] == (-5, 5, 5)


def test_the_stop_grows_with_every_partial_fill(stage) -> None:
    """An entry over three levels is protected from its first fill on, and in the end for all of it."""
    one = stage(BTC)
    watch = Watch(one)
    strategy = scalper()
    book = book_frame(BTC, 0, [("100.0", "50")], [("100.1", "1"), ("100.2", "2"), ("100.3", "7")])
    one.play([book], strategy, until=10, signals=[signal(5, 1.0)], look=watch)
    (stop,), (target,) = orders(one, OrderType.STOP_MARKET), orders(one, OrderType.LIMIT)
    assert [e.quantity for e in stop.events if hasattr(e, "quantity")] == [Decimal(1), Decimal(5)]
    assert watch.rows[5.25] == (5, 5, 5)
    assert stop.trigger_price == Decimal("90.1")
    # 1 at 100.1, 2 at 100.2, 2 at 100.3
    assert strategy.trades[0].entry_price == Decimal("100.22")
    assert target.price == Decimal("115.1")


def test_an_entry_larger_than_the_book_is_partial_and_leaves_no_order(stage) -> None:
    """Of 5 wanted only 3 are offered: 3 are held and protected, the rest is cancelled."""
    one = stage(BTC)
    watch = Watch(one)
    strategy = scalper()
    book = book_frame(BTC, 0, [("100.0", "50")], [("100.1", "1"), ("100.2", "2")])
    one.play([book], strategy, until=10, signals=[signal(5, 1.0)], look=watch)
    assert orders(one, OrderType.MARKET)[0].status == OrderStatus.CANCELED
    assert watch.rows[5.25] == (3, 3, 3)
    assert (strategy.trades[0].planned_size, strategy.trades[0].entered) == (5, 3)


def test_a_stop_that_is_hit_ends_the_trade(stage) -> None:
    """Bids fall through 90.1: flat at 90.0, the target is cancelled, the row says stop."""
    one = stage(BTC)
    watch = Watch(one)
    strategy = scalper()
    data = [book_frame(BTC, 0, *CALM), book_frame(BTC, 10, [("90.0", "50")], [("90.1", "50")])]
    one.play(data, strategy, until=20, signals=[signal(5, 1.0)], look=watch)
    (trade,) = strategy.trades
    assert (trade.reason, trade.exited, trade.exit_price) == ("stop", 5, 90)
    assert watch.rows[10.25] == (0, 0, 0)
    assert orders(one, OrderType.LIMIT)[0].status == OrderStatus.CANCELED
    row = trade.to_row()
    assert row["gross"] == pytest.approx(5 * (90.0 - 100.1))
    assert row["fees"] == pytest.approx((5 * 100.1 + 5 * 90.0) * 0.0005)
    assert (trade.entry_ns, trade.exit_ns) == (at(5), at(10))
    assert equal_to_the_engine(one, trade)
    assert flat_and_idle(one)


def test_a_target_that_is_hit_ends_the_trade(stage) -> None:
    """Bids rise through 115.1: flat at the target's price as a maker, the stop is cancelled, the row says target."""
    one = stage(BTC)
    strategy = scalper()
    data = [book_frame(BTC, 0, *CALM), book_frame(BTC, 10, [("115.2", "50")], [("115.3", "50")])]
    one.play(data, strategy, until=20, signals=[signal(5, 1.0)])
    (trade,) = strategy.trades
    assert (trade.reason, trade.exited) == ("target", 5)
    assert trade.exit_price == Decimal("115.1")
    assert orders(one, OrderType.STOP_MARKET)[0].status == OrderStatus.CANCELED
    assert trade.to_row()["fees"] == pytest.approx(5 * 100.1 * 0.0005 + 5 * 115.1 * 0.0002)
    assert equal_to_the_engine(one, trade)
    assert flat_and_idle(one)


def test_the_stop_shrinks_with_a_target_that_is_filled_in_part(stage) -> None:
    """2 of 5 are sold at the target: the stop then rests for 3, and what it closes makes the trade a stop."""
    one = stage(BTC)
    watch = Watch(one)
    strategy = scalper()
    data = [
        book_frame(BTC, 0, *CALM),
        book_frame(BTC, 10, [("115.1", "2"), ("115.0", "50")], [("115.3", "50")]),
        book_frame(BTC, 20, [("90.0", "50")], [("90.1", "50")]),
    ]
    one.play(data, strategy, until=30, signals=[signal(5, 1.0)], look=watch)
    assert watch.rows[9.75] == (5, 5, 5)
    assert watch.rows[10.25] == (3, 3, 3)
    assert watch.rows[20.25] == (0, 0, 0)
    (trade,) = strategy.trades
    assert (trade.reason, trade.exited) == ("stop", 5)
    assert trade.exit_value == 2 * Decimal("115.1") + 3 * 90
    assert equal_to_the_engine(one, trade)


def test_the_time_barrier_closes_what_neither_exit_took(stage) -> None:
    """60 seconds after the first fill the trade is closed at the bid; the row says time."""
    one = stage(BTC)
    watch = Watch(one)
    strategy = scalper()
    one.play([book_frame(BTC, 0, *CALM)], strategy, until=80, signals=[signal(5, 1.0)], look=watch)
    (trade,) = strategy.trades
    assert (trade.reason, trade.exit_ns, trade.exit_price) == ("time", at(65), 100)
    assert watch.rows[64.75] == (5, 5, 5)
    assert watch.rows[65.25] == (0, 0, 0)
    assert equal_to_the_engine(one, trade)
    assert flat_and_idle(one)


def test_a_close_larger_than_the_book_is_tried_until_flat(stage) -> None:
    """At the barrier the bid has 2 of 5, later 2 more, later the rest: the stop rests for what is left meanwhile."""
    one = stage(BTC)
    watch = Watch(one)
    strategy = scalper()
    asks = [("100.1", "50")]
    data = [
        book_frame(BTC, 0, *CALM),
        book_frame(BTC, 60, [("100.0", "2")], asks),
        book_frame(BTC, 70.5, [("99.9", "2")], asks),
        book_frame(BTC, 75.5, [("99.8", "50")], asks),
    ]
    one.play(data, strategy, until=90, signals=[signal(5, 1.0)], look=watch)
    assert watch.rows[65.25] == (3, 3, 0)
    assert watch.rows[71.25] == (1, 1, 0)
    assert watch.rows[76.25] == (0, 0, 0)
    (trade,) = strategy.trades
    assert trade.reason == "time"
    assert trade.exit_value == 2 * 100 + 2 * Decimal("99.9") + Decimal("99.8")
    assert equal_to_the_engine(one, trade)
    assert flat_and_idle(one)


def test_what_a_stop_leaves_open_is_closed_at_market(stage) -> None:
    """The stop finds 2 of 5 and the price comes back above it: the rest goes a second later, not at the horizon."""
    one = stage(BTC)
    watch = Watch(one)
    strategy = scalper()
    data = [
        book_frame(BTC, 0, *CALM),
        book_frame(BTC, 10, [("90.0", "2")], [("100.1", "50")]),
        book_frame(BTC, 10.5, [("95.0", "50")], [("100.1", "50")]),
    ]
    one.play(data, strategy, until=20, signals=[signal(5, 1.0)], look=watch)
    assert watch.rows[10.25] == (3, 3, 0)
    assert watch.rows[11.25] == (0, 0, 0)
    (trade,) = strategy.trades
    assert (trade.reason, trade.exit_ns) == ("stop", at(11))
    assert trade.exit_value == 2 * 90 + 3 * 95
    assert equal_to_the_engine(one, trade)


def test_a_stop_over_several_levels_sends_nothing_else(stage) -> None:
    """A stop that walks three levels closes the trade alone: no market order is sent on top of it."""
    one = stage(BTC)
    strategy = scalper()
    data = [
        book_frame(BTC, 0, *CALM),
        book_frame(BTC, 10, [("90.0", "1"), ("89.9", "1"), ("89.8", "9")], [("90.1", "50")]),
    ]
    one.play(data, strategy, until=20, signals=[signal(5, 1.0)])
    assert strategy.trades[0].exit_value == 90 + Decimal("89.9") + 3 * Decimal("89.8")
    assert len(orders(one, OrderType.MARKET)) == 1


def test_a_rejected_stop_closes_the_position_at_once(stage) -> None:
    """The bid is below the stop already, so the venue refuses it: out at the bid in the same instant."""
    one = stage(BTC)
    strategy = scalper()
    book = book_frame(BTC, 0, [("80.0", "50")], [("100.1", "50")])
    one.play([book], strategy, until=10, signals=[signal(5, 1.0)])
    (trade,) = strategy.trades
    assert (trade.reason, trade.entry_ns, trade.exit_ns, trade.exit_price) == ("stop refused", at(5), at(5), 80)
    assert isinstance(orders(one, OrderType.STOP_MARKET)[0].last_event, OrderRejected)
    assert equal_to_the_engine(one, trade)
    assert flat_and_idle(one)


def test_a_denied_stop_closes_the_position_as_soon_as_orders_pass(stage) -> None:
    """Our own rate limit lets one order pass in 5 seconds: the stop is denied, the close is tried until it passes."""
    one = stage(BTC, submit_rate="1/00:00:05")
    strategy = scalper()
    one.play([book_frame(BTC, 0, *CALM)], strategy, until=20, signals=[signal(5, 1.0)])
    (trade,) = strategy.trades
    assert orders(one, OrderType.STOP_MARKET)[0].status == OrderStatus.DENIED
    assert trade.reason == "stop refused"
    assert at(10) <= trade.exit_ns <= at(11)
    assert flat_and_idle(one)


def test_a_stop_that_the_venue_cancels_closes_the_position_at_once(stage) -> None:
    """A stop that is gone while the position is open protects nothing."""
    one = stage(BTC)
    strategy = scalper()

    def cancel_stop(seconds: float) -> None:
        if seconds == 10.25:
            (stop,) = orders(one, OrderType.STOP_MARKET)
            strategy.cancel_order(stop)  # as good as the venue's own hand

    one.play([book_frame(BTC, 0, *CALM)], strategy, until=20, signals=[signal(5, 1.0)], look=cancel_stop)
    (trade,) = strategy.trades
    assert (trade.reason, trade.exit_ns) == ("stop gone", at(10.25))
    assert flat_and_idle(one)


@pytest.mark.parametrize("dip", [5.2, 5.3, 5.4, 5.5, 5.6, 5.7])
def test_orders_that_travel_leave_nothing_behind(stage, dip: float) -> None:
    """With 200 ms each way of an order, a fall at any moment of the entry ends flat, with every fill in the log."""
    one = stage(BTC, latency_seconds=0.2)
    strategy = scalper()
    asks = [("100.1", "1"), ("100.2", "50")]
    data = [book_frame(BTC, second / 10, [("100.0", "50")], asks) for second in range(round(dip * 10))]
    data += [book_frame(BTC, dip + second / 10, [("85.0", "50")], [("90.0", "50")]) for second in range(100)]
    one.play(data, strategy, until=15, signals=[signal(5, 1.0)])
    (trade,) = strategy.trades
    assert trade.open_size == 0
    assert equal_to_the_engine(one, trade)
    assert flat_and_idle(one)


def test_our_own_notional_cap_holds(stage) -> None:
    """With a cap of 1000 at 100.1 the size is 9.990, whatever the risk would allow."""
    one = stage(BTC)
    strategy = scalper(risk_fraction=0.05, max_notional="1000")
    one.play([book_frame(BTC, 0, *CALM)], strategy, until=10, signals=[signal(5, 1.0)])
    assert strategy.trades[0].planned_size == strategy.trades[0].entered == Decimal("9.990")


def test_contracts_are_sized_and_charged_by_their_multiplier(stage) -> None:
    """Contracts of 0.0001 BTC at 100000, 50 at risk over 200: 0.25 BTC are 2500 contracts."""
    one = stage(MEXC_BTC)
    strategy = scalper(tradable=MEXC_BTC)
    data = [
        book_frame(MEXC_BTC, 0, [("99999.9", "90000")], [("100000.0", "90000")]),
        book_frame(MEXC_BTC, 10, [("99790.0", "90000")], [("99790.1", "90000")]),
    ]
    one.play(data, strategy, until=20, signals=[signal(5, 1.0, atr=100.0)])
    (trade,) = strategy.trades
    assert (trade.planned_size, trade.entered, trade.stop, trade.reason) == (2500, 2500, 99800, "stop")
    row = trade.to_row()
    assert row["gross"] == pytest.approx(0.25 * (99790 - 100000))
    assert row["fees"] == pytest.approx(0.25 * (100000 + 99790) * 0.0008)
    # 52.5 lost and 39.958 paid, where 0.25 × 200 were at risk
    assert row["r"] == pytest.approx((-52.5 - 39.958) / 50)
    assert equal_to_the_engine(one, trade)


def test_no_more_than_max_positions(stage) -> None:
    """With one position allowed, the second asset's setup is passed."""
    one = stage(BTC, ETH)
    strategy = scalper(tradable={"BTC": BTC.id.value, "ETH": ETH.id.value}, max_positions=1)
    data = [book_frame(BTC, 0, *CALM), book_frame(ETH, 0, *CALM)]
    one.play(data, strategy, until=10, signals=[signal(5, 1.0), signal(6, 1.0, asset="ETH")])
    assert [t.asset for t in strategy.trades] == ["BTC"]
    assert strategy.passed == {"max positions": 1}


def test_two_assets_trade_side_by_side(stage) -> None:
    """A long and a short live together, each with exits of its own."""
    one = stage(BTC, ETH)
    strategy = scalper(tradable={"BTC": BTC.id.value, "ETH": ETH.id.value})
    fall = ([("90.0", "50")], [("90.1", "50")])
    data = [book_frame(i, 0, *CALM) for i in (BTC, ETH)] + [book_frame(BTC, 10, *fall)]
    one.play(data, strategy, until=20, signals=[signal(5, 1.0), signal(5, -1.0, asset="ETH")])
    assert {(t.asset, t.side, t.reason) for t in strategy.trades} == {("BTC", 1, "stop"), ("ETH", -1, "end")}
    assert flat_and_idle(one)


def test_one_trade_an_asset_and_then_a_cooldown(stage) -> None:
    """A setup is passed while in a trade and for 120 seconds after it, and taken after that."""
    one = stage(BTC)
    strategy = scalper()
    signals = [signal(second, 1.0) for second in (5, 30, 100, 184, 186)]
    one.play([book_frame(BTC, 0, *CALM)], strategy, until=200, signals=signals)
    assert [t.entry_ns for t in strategy.trades] == [at(5), at(186)]
    assert strategy.passed == {"in a trade": 1, "cooldown": 2}


def test_a_dry_run_sends_nothing(stage) -> None:
    """It decides, counts and logs, but no order exists."""
    one = stage(BTC)
    strategy = scalper(dry_run=True)
    one.play([book_frame(BTC, 0, *CALM)], strategy, until=10, signals=[signal(5, 1.0)])
    assert one.engine.kernel.cache.orders() == []
    assert strategy.trades == []
    assert strategy.passed == {"dry run": 1}


@pytest.mark.parametrize(
    ("setup", "reason"),
    [
        (signal(5, 0.34), "score"),
        (signal(5, 1.0, perp_flow_long=float("nan")), "not warm"),
        (signal(5, 1.0, spread_bps=5.1), "spread"),
        (signal(5, 1.0, spread_bps=float("nan")), "spread"),
        (signal(5, 1.0, atr=float("nan")), "no ATR"),
        (signal(5, 1.0, atr=0.0), "no ATR"),
    ],
)
def test_setups_that_are_not_taken(stage, setup, reason: str) -> None:
    """Each is counted under its reason, and nothing is sent."""
    one = stage(BTC)
    strategy = scalper()
    one.play([book_frame(BTC, 0, *CALM)], strategy, until=10, signals=[setup])
    assert strategy.passed == {reason: 1}
    assert one.engine.kernel.cache.orders() == []


def test_an_empty_side_of_the_book_is_no_price(stage) -> None:
    """Nothing is offered: a long cannot be priced and is passed."""
    one = stage(BTC)
    strategy = scalper()
    book = book_frame(BTC, 0, [("100.0", "50")], [])
    one.play([book], strategy, until=10, signals=[signal(5, 1.0)])
    assert strategy.passed == {"no price": 1}


def test_a_size_below_one_step_is_passed(stage) -> None:
    """1 at risk over an ATR of 50 000 is less than a thousandth of a unit."""
    one = stage(BTC, equity=100)
    strategy = scalper(risk_fraction=0.0001)
    one.play([book_frame(BTC, 0, *CALM)], strategy, until=10, signals=[signal(5, 1.0, atr=40.0)])
    assert strategy.passed == {"below one size step": 1}


def test_an_entry_that_finds_nothing_is_no_trade(stage) -> None:
    """The offer is gone when the order arrives: no trade is logged, and the asset is idle for the cooldown."""
    one = stage(BTC, latency_seconds=0.2)
    strategy = scalper()
    gone = [book_frame(BTC, second, [("100.0", "50")], []) for second in (5.1, 5.3)]
    data = [book_frame(BTC, 0, *CALM), *gone, book_frame(BTC, 7, *CALM)]
    one.play(data, strategy, until=20, signals=[signal(5, 1.0), signal(10, 1.0)])
    assert strategy.trades == []
    assert strategy.passed == {"entry not filled": 1, "cooldown": 1}
    assert flat_and_idle(one)


def test_the_end_of_a_run_leaves_nothing_working(stage) -> None:
    """A trade that is open at the end is closed at market, and its row has the exit and says end."""
    one = stage(BTC)
    strategy = scalper()
    one.play([book_frame(BTC, 0, *CALM)], strategy, until=10, signals=[signal(5, 1.0)])
    (trade,) = strategy.trades
    assert (trade.reason, trade.exited, trade.exit_price) == ("end", 5, 100)
    assert equal_to_the_engine(one, trade)
    assert flat_and_idle(one)


def test_a_trade_that_the_end_cannot_close_is_logged_as_open(stage) -> None:
    """The last book bids 2 for 5: the row has what was sold, and no order works."""
    one = stage(BTC)
    strategy = scalper()
    data = [book_frame(BTC, 0, *CALM), book_frame(BTC, 9, [("100.0", "2")], [("100.1", "50")])]
    one.play(data, strategy, until=10, signals=[signal(5, 1.0)])
    (trade,) = strategy.trades
    assert (trade.reason, trade.exited, trade.open_size) == ("end", 2, 3)
    assert one.engine.kernel.cache.orders_open() == []


def test_an_instrument_that_is_not_loaded_is_an_error(stage) -> None:
    """The error names the instrument and what to do."""
    one = stage(BTC)
    with pytest.raises(ValueError, match=r"ETHUSDT-PERP.BINANCE is to be traded but is not loaded"):
        one.play([book_frame(BTC, 0, *CALM)], scalper(tradable=ETH), until=10)


def test_snapshots_of_other_assets_are_not_its_business(stage) -> None:
    """An asset without an instrument to trade is not even counted."""
    one = stage(BTC)
    strategy = scalper()
    one.play([book_frame(BTC, 0, *CALM)], strategy, until=10, signals=[signal(5, 1.0, asset="SOL")])
    assert strategy.passed == {}
