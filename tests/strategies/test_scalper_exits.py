"""How the scalper's trades end in a real engine, on books made by hand: stop, targets, time, the venue, the end."""

from decimal import Decimal
from typing import Any

import pytest
from nautilus_trader.core.uuid import UUID4
from nautilus_trader.model.enums import LiquiditySide, OrderSide, OrderStatus, OrderType
from nautilus_trader.model.events import OrderRejected
from nautilus_trader.model.identifiers import ClientOrderId, PositionId, TradeId, VenueOrderId
from nautilus_trader.model.instruments import Instrument
from nautilus_trader.model.objects import Money
from nautilus_trader.model.orders import MarketOrder

from strategies.scalper import Scalper
from tests.strategies.conftest import Stage, at, book_frame
from tests.strategies.scalper_stage import (
    BTC,
    CALM,
    Watch,
    calm,
    equal_to_the_engine,
    flat_and_idle,
    long,
    orders,
    scalper,
    short,
)

ASKS = [("100.1", "50")]
TWO_TARGETS = {"targets": {"multiples": [1, 1.5]}}
"""Half at 102 and half at 103."""


def test_a_stop_that_is_hit_ends_the_trade(stage) -> None:
    """Bids fall through 98: flat at 97.9, the target is cancelled, the row says stop."""
    one = stage(BTC)
    watch = Watch(one)
    strategy = scalper()
    data = [*calm(BTC), book_frame(BTC, 10, [("97.9", "50")], [("98.1", "50")])]
    one.play(data, strategy, until=20, signals=[long()], look=watch)
    (trade,) = strategy.trades
    assert (trade.reason, trade.exited, trade.exit_price) == ("stop", 5, Decimal("97.9"))
    assert watch.rows[10.25] == (0, 0, 0)
    assert orders(one, OrderType.LIMIT)[0].status == OrderStatus.CANCELED
    row = trade.to_row()
    assert row["gross"] == pytest.approx(5 * (97.9 - 100.1))
    assert row["fees"] == pytest.approx((5 * 100.1 + 5 * 97.9) * 0.0005)
    assert row["r"] == pytest.approx(row["net"] / 10)
    assert (trade.entry_ns, trade.exit_ns) == (at(5), at(10))
    assert [fill.role for fill in trade.fills] == ["entry", "stop"]
    assert equal_to_the_engine(one, trade)
    assert flat_and_idle(one)


def test_a_target_that_is_hit_ends_the_trade(stage) -> None:
    """Bids rise through 103: flat at the target's price as a maker, the stop is cancelled, the row says target."""
    one = stage(BTC)
    strategy = scalper()
    data = [*calm(BTC), book_frame(BTC, 10, [("103.1", "50")], [("103.2", "50")])]
    one.play(data, strategy, until=20, signals=[long()])
    (trade,) = strategy.trades
    assert (trade.reason, trade.exited, trade.exit_price) == ("target", 5, 103)
    assert orders(one, OrderType.STOP_MARKET)[0].status == OrderStatus.CANCELED
    assert trade.to_row()["fees"] == pytest.approx(5 * 100.1 * 0.0005 + 5 * 103 * 0.0002)
    assert [fill.role for fill in trade.fills] == ["entry", "target"]
    assert equal_to_the_engine(one, trade)
    assert flat_and_idle(one)


def test_the_stop_shrinks_with_a_target_that_is_filled_in_part(stage) -> None:
    """2 of 5 are sold at the target: the stop then rests for 3, and what it closes makes the trade a stop."""
    one = stage(BTC)
    watch = Watch(one)
    strategy = scalper()
    data = [
        *calm(BTC),
        book_frame(BTC, 10, [("103.0", "2"), ("102.9", "50")], [("103.3", "50")]),
        book_frame(BTC, 20, [("97.9", "50")], [("98.1", "50")]),
    ]
    one.play(data, strategy, until=30, signals=[long()], look=watch)
    assert watch.rows[9.75] == (5, 5, 5)
    assert watch.rows[10.25] == (3, 3, 3)
    assert watch.rows[20.25] == (0, 0, 0)
    (trade,) = strategy.trades
    assert (trade.reason, trade.exited) == ("stop", 5)
    assert trade.exit_value == 2 * 103 + 3 * Decimal("97.9")
    assert equal_to_the_engine(one, trade)


# -- a ladder ----------------------------------------------------------------------------------------------------------


def test_the_stop_goes_to_break_even_after_the_first_target(stage) -> None:
    """Half is sold at 102, then the stop rests at 100.2 for the other half, and closes it at 100.1.

    Break-even: the entry costs half the spread and 100.1 × 0.0005, a resting exit 0.0002 of its price:
    100.15005 / 0.9998 = 100.18, on the next tick.
    """
    one = stage(BTC)
    watch = Watch(one)
    strategy = scalper(candidates=TWO_TARGETS)
    data = [
        *calm(BTC),
        book_frame(BTC, 10, [("102.1", "50")], [("102.2", "50")]),
        book_frame(BTC, 20, [("100.1", "50")], [("100.2", "50")]),
    ]
    one.play(data, strategy, until=30, signals=[long()], look=watch)
    near, far = orders(one, OrderType.LIMIT)
    assert [(o.price, o.quantity) for o in (near, far)] == [(102, Decimal("2.5")), (103, Decimal("2.5"))]
    assert watch.rows[9.75] == (5, 5, 5)
    assert watch.rows[10.25] == (2.5, 2.5, 2.5)
    (stop,) = orders(one, OrderType.STOP_MARKET)
    assert stop.trigger_price == Decimal("100.2")
    (trade,) = strategy.trades
    assert (trade.reason, trade.stop) == ("break-even stop", 98)
    assert trade.gross == Decimal("2.5") * Decimal("1.9")
    assert [(r.role, r.price, r.from_ns, r.to_ns) for r in trade.resting] == [
        ("stop", Decimal("98.0"), at(5), at(10)),
        ("target", Decimal("102.0"), at(5), at(10)),
        ("target", Decimal("103.0"), at(5), at(20)),
        ("stop", Decimal("100.2"), at(10), at(20)),
    ]
    assert equal_to_the_engine(one, trade)
    assert flat_and_idle(one)


def test_the_stop_stays_where_it_was_if_the_settings_say_so(stage) -> None:
    """Without break_even_after_target the other half is stopped at 98, or sold at the second target."""
    for last, reason, price in ((("97.9", "98.1"), "stop", "97.9"), (("103.1", "103.2"), "target", "103.0")):
        one = stage(BTC)
        strategy = scalper(candidates=TWO_TARGETS, break_even_after_target=False)
        data = [
            *calm(BTC),
            book_frame(BTC, 10, [("102.1", "50")], [("102.2", "50")]),
            book_frame(BTC, 20, [(last[0], "50")], [(last[1], "50")]),
        ]
        one.play(data, strategy, until=30, signals=[long()])
        assert orders(one, OrderType.STOP_MARKET)[0].trigger_price == 98
        (trade,) = strategy.trades
        assert (trade.reason, trade.exit_value) == (reason, Decimal("2.5") * (102 + Decimal(price)))
        assert equal_to_the_engine(one, trade)


def test_a_short_s_ladder_mirrors_it(stage) -> None:
    """Half is bought at 98, the stop then rests below the entry: 99.85005 / 1.0002 = 99.83, on the next tick."""
    one = stage(BTC)
    strategy = scalper(candidates=TWO_TARGETS)
    data = [*calm(BTC), book_frame(BTC, 10, [("97.8", "50")], [("97.9", "50")])]
    one.play(data, strategy, until=20, signals=[short()])
    assert [o.price for o in orders(one, OrderType.LIMIT)] == [98, 97]
    assert orders(one, OrderType.STOP_MARKET)[0].trigger_price == Decimal("99.8")
    assert strategy.trades[0].fills[1].price == 98


WALLS = {"ask_wall_bps": 200.0, "ask_wall_strength": 4.0}


def test_a_target_lies_in_front_of_a_wall_and_is_planned_anew_when_it_has_gone(stage) -> None:
    """A wall at 102 is aimed at from 101.9. A later scan sees as far as 110 and no wall: all is offered at 103 then."""
    one = stage(BTC)
    strategy = scalper(flow={"levels_reach_bps": 1_000.0})
    none = {"ask_wall_bps": float("nan"), "ask_wall_strength": 0.0}
    scans = [long(5, **WALLS), long(10, **WALLS), long(15, **none)]
    one.play(calm(BTC, until=20), strategy, until=20, signals=scans)
    (trade,) = strategy.trades
    assert [(t.price, t.source, t.wall) for t in trade.targets] == [(Decimal("101.9"), "wall", 102)]
    assert [(r.price, r.from_ns, r.to_ns) for r in trade.resting if r.role == "target"] == [
        (Decimal("101.9"), at(5), at(15)),
        (Decimal("103.0"), at(15), at(20)),
    ]


# -- time --------------------------------------------------------------------------------------------------------------


def test_the_time_barrier_closes_what_neither_exit_took(stage) -> None:
    """60 seconds after the first fill the trade is closed at the bid; the row says time."""
    one = stage(BTC)
    watch = Watch(one)
    strategy = scalper()
    one.play(calm(BTC), strategy, until=80, signals=[long()], look=watch)
    (trade,) = strategy.trades
    assert (trade.reason, trade.exit_ns, trade.exit_price) == ("time", at(65), Decimal("99.9"))
    assert watch.rows[64.75] == (5, 5, 5)
    assert watch.rows[65.25] == (0, 0, 0)
    assert equal_to_the_engine(one, trade)
    assert flat_and_idle(one)


def test_a_close_larger_than_the_book_is_tried_until_flat(stage) -> None:
    """At the barrier the bid has 2 of 5, later 2 more, later the rest: the stop rests for what is left meanwhile."""
    one = stage(BTC)
    watch = Watch(one)
    strategy = scalper()
    data = [
        *calm(BTC),
        book_frame(BTC, 60, [("99.9", "2")], ASKS),
        book_frame(BTC, 70.5, [("99.8", "2")], ASKS),
        book_frame(BTC, 75.5, [("99.7", "50")], ASKS),
    ]
    one.play(data, strategy, until=90, signals=[long()], look=watch)
    assert watch.rows[65.25] == (3, 3, 0)
    assert watch.rows[71.25] == (1, 1, 0)
    assert watch.rows[76.25] == (0, 0, 0)
    (trade,) = strategy.trades
    assert trade.reason == "time"
    assert trade.exit_value == 2 * Decimal("99.9") + 2 * Decimal("99.8") + Decimal("99.7")
    assert equal_to_the_engine(one, trade)
    assert flat_and_idle(one)


def test_a_close_that_finds_no_book_is_tried_again(stage) -> None:
    """Nobody bids at the barrier; the first bid, ten seconds later, is taken within a second."""
    one = stage(BTC)
    watch = Watch(one)
    strategy = scalper()
    data = [*calm(BTC), book_frame(BTC, 60, [], ASKS), book_frame(BTC, 75.5, [("99.7", "50")], ASKS)]
    one.play(data, strategy, until=90, signals=[long()], look=watch)
    assert watch.rows[75.25] == (5, 5, 0)
    (trade,) = strategy.trades
    assert (trade.reason, trade.exit_ns, trade.exit_price) == ("time", at(76), Decimal("99.7"))
    assert equal_to_the_engine(one, trade)
    assert flat_and_idle(one)


# -- stops that do not hold --------------------------------------------------------------------------------------------


def test_what_a_stop_leaves_open_is_closed_at_market(stage) -> None:
    """The stop finds 2 of 5 and the price comes back above it: the rest goes a second later, not at the horizon."""
    one = stage(BTC)
    watch = Watch(one)
    strategy = scalper()
    data = [
        *calm(BTC),
        book_frame(BTC, 10, [("97.9", "2")], ASKS),
        book_frame(BTC, 10.5, [("99.0", "50")], ASKS),
    ]
    one.play(data, strategy, until=20, signals=[long()], look=watch)
    assert watch.rows[10.25] == (3, 3, 0)
    assert watch.rows[11.25] == (0, 0, 0)
    (trade,) = strategy.trades
    assert (trade.reason, trade.exit_ns) == ("stop", at(11))
    assert trade.exit_value == 2 * Decimal("97.9") + 3 * 99
    assert equal_to_the_engine(one, trade)


def test_a_stop_over_several_levels_sends_nothing_else(stage) -> None:
    """A stop that walks three levels closes the trade alone: no market order is sent on top of it."""
    one = stage(BTC)
    strategy = scalper()
    data = [*calm(BTC), book_frame(BTC, 10, [("97.9", "1"), ("97.8", "1"), ("97.7", "9")], [("98.1", "50")])]
    one.play(data, strategy, until=20, signals=[long()])
    assert strategy.trades[0].exit_value == Decimal("97.9") + Decimal("97.8") + 3 * Decimal("97.7")
    assert len(orders(one, OrderType.MARKET)) == 1


def test_a_rejected_stop_closes_the_position_at_once(stage) -> None:
    """While the entry travels the bid falls below the stop, so the venue refuses it: out with the next order."""
    one = stage(BTC, latency_seconds=0.2)
    strategy = scalper()
    data = calm(BTC) + [book_frame(BTC, 5.1 + k / 10, [("90.0", "50")], ASKS) for k in range(20)]
    one.play(data, strategy, until=10, signals=[long()])
    (trade,) = strategy.trades
    assert (trade.reason, trade.exit_price) == ("stop refused", 90)
    # the entry fills at 5.2, the stop arrives at 5.4, the close at 5.6
    assert (trade.entry_ns, trade.exit_ns) == (at(5.2), at(5.6))
    assert isinstance(orders(one, OrderType.STOP_MARKET)[0].last_event, OrderRejected)
    assert equal_to_the_engine(one, trade)
    assert flat_and_idle(one)


def test_a_denied_stop_closes_the_position_as_soon_as_orders_pass(stage) -> None:
    """Our own rate limit lets one order pass in 5 seconds: the stop is denied, the close is tried until it passes."""
    one = stage(BTC, submit_rate="1/00:00:05")
    strategy = scalper()
    one.play(calm(BTC), strategy, until=20, signals=[long()])
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

    one.play(calm(BTC), strategy, until=20, signals=[long()], look=cancel_stop)
    (trade,) = strategy.trades
    assert (trade.reason, trade.exit_ns) == ("stop gone", at(10.25))
    assert flat_and_idle(one)


# -- the venue ---------------------------------------------------------------------------------------------------------


def take_over(stage: Stage, strategy: Scalper, instrument: Instrument, price: str) -> None:
    """Close a strategy's position by an order that nobody here has sent, at a fee of 1: as a liquidation is told."""
    engine = stage.engine.kernel.exec_engine
    (position,) = stage.engine.kernel.cache.positions_open()
    now, name = stage.engine.kernel.clock.timestamp_ns(), "LIQUIDATION-1"
    order = MarketOrder(
        strategy.trader_id,
        strategy.id,
        instrument.id,
        ClientOrderId(name),
        OrderSide.SELL if position.is_long else OrderSide.BUY,
        position.quantity,
        UUID4(),
        now,
        reduce_only=True,
    )
    stage.engine.kernel.cache.add_order(order, position_id=PositionId(position.id.value))
    (client,) = engine.get_clients_for_orders([order])
    asked = (order.strategy_id, order.instrument_id, order.client_order_id)
    client.generate_order_submitted(*asked, now)
    client.generate_order_accepted(*asked, VenueOrderId(name), now)
    client.generate_order_filled(
        *asked,
        venue_order_id=VenueOrderId(name),
        venue_position_id=None,
        trade_id=TradeId(name),
        order_side=order.side,
        order_type=OrderType.MARKET,
        last_qty=order.quantity,
        last_px=instrument.make_price(Decimal(price)),
        quote_currency=instrument.quote_currency,
        commission=Money(1, instrument.quote_currency),
        liquidity_side=LiquiditySide.TAKER,
        ts_event=now,
    )


@pytest.mark.parametrize("setup", [long(), short()], ids=["a long", "a short"])
def test_a_position_that_the_venue_takes_over_ends_the_trade(stage, setup) -> None:
    """Nobody here asked for that fill: it is booked as the venue's, and stop and target are withdrawn."""
    one = stage(BTC)
    watch = Watch(one)
    strategy = scalper()

    def look(seconds: float) -> None:
        watch(seconds)
        if seconds == 10.25:
            take_over(one, strategy, BTC, "95.0")

    one.play(calm(BTC), strategy, until=20, signals=[setup], look=look)
    assert abs(watch.rows[10.25][0]) == 5
    assert watch.rows[10.75] == (0, 0, 0)
    (trade,) = strategy.trades
    assert (trade.reason, trade.exit_price, trade.exit_ns) == ("liquidation", 95, at(10.25))
    assert [(fill.role, fill.fee) for fill in trade.fills[1:]] == [("venue", 1)]
    assert trade.fills[1].side == -trade.side
    assert equal_to_the_engine(one, trade)
    assert flat_and_idle(one)


@pytest.mark.parametrize("dip", [5.2, 5.3, 5.4, 5.5, 5.6, 5.7])
def test_orders_that_travel_leave_nothing_behind(stage, dip: float) -> None:
    """With 200 ms each way of an order, a fall at any moment of the entry ends flat, with every fill in the log."""
    one = stage(BTC, latency_seconds=0.2)
    strategy = scalper(candidates={"depth_share": "0.098"})  # of 51: 4.998, and one of them is on the first level
    asks = [("100.1", "1"), ("100.2", "50")]
    data = calm(BTC) + [book_frame(BTC, second / 10, [("99.9", "50")], asks) for second in range(1, round(dip * 10))]
    data += [book_frame(BTC, dip + second / 10, [("97.0", "50")], [("98.0", "50")]) for second in range(100)]
    one.play(data, strategy, until=15, signals=[long()])
    (trade,) = strategy.trades
    assert trade.open_size == 0
    assert equal_to_the_engine(one, trade)
    assert flat_and_idle(one)


# -- the end -----------------------------------------------------------------------------------------------------------


def test_the_end_of_a_run_leaves_nothing_working(stage) -> None:
    """A trade that is open at the end is closed at market, and its row has the exit and says end."""
    one = stage(BTC)
    strategy = scalper()
    one.play(calm(BTC), strategy, until=10, signals=[long()])
    (trade,) = strategy.trades
    assert (trade.reason, trade.exited, trade.exit_price) == ("end", 5, Decimal("99.9"))
    assert equal_to_the_engine(one, trade)
    assert flat_and_idle(one)


def test_an_entry_that_rests_at_the_end_is_withdrawn(stage) -> None:
    """It was never a trade."""
    one = stage(BTC)
    strategy = scalper(entry={"style": "post_only", "timeout_seconds": 60})
    one.play(calm(BTC), strategy, until=10, signals=[long()])
    assert strategy.trades == []
    assert flat_and_idle(one)


def test_what_the_end_cannot_close_is_logged_as_open_and_stays_protected(stage) -> None:
    """The last book bids 2 for 5: the row has what was sold, and only the stop for the 3 is left at the venue."""
    one = stage(BTC)
    strategy = scalper()
    data = [*calm(BTC), book_frame(BTC, 9, [("99.9", "2")], ASKS)]
    one.play(data, strategy, until=10, signals=[long()])
    (trade,) = strategy.trades
    assert (trade.reason, trade.exited, trade.open_size) == ("end", 2, 3)
    (stop,) = one.engine.kernel.cache.orders_open()
    assert (stop.order_type, stop.leaves_qty) == (OrderType.STOP_MARKET, 3)


# -- the log -----------------------------------------------------------------------------------------------------------


def test_excursions_are_those_of_the_scans_while_it_was_open(stage) -> None:
    """Bids of 99.0 and 102.0 are seen, and the close at 99.9: 1.1 against the entry at 100.1, 1.9 with it."""
    one = stage(BTC)
    strategy = scalper()
    data: list[Any] = [
        *calm(BTC),
        book_frame(BTC, 8, [("99.0", "50")], ASKS),
        book_frame(BTC, 12, [("102.0", "50")], [("102.2", "50")]),
        book_frame(BTC, 17, *CALM),
        book_frame(BTC, 70, [("90.0", "50")], ASKS),  # when it is over
    ]
    one.play(data, strategy, until=80, signals=[long()], scans=(10, 15, 20, 75))
    (trade,) = strategy.trades
    assert (trade.reason, trade.mae, trade.mfe) == ("time", Decimal("1.1"), Decimal("1.9"))
    assert (trade.to_row()["mae_r"], trade.to_row()["mfe_r"]) == (0.55, 0.95)
