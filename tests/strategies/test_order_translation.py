"""The trade manager's commands as Nautilus's orders, and Nautilus's events as the trade manager's."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pytest
from nautilus_trader.common.component import TestClock
from nautilus_trader.common.factories import OrderFactory
from nautilus_trader.core.uuid import UUID4
from nautilus_trader.model.currencies import USDT
from nautilus_trader.model.enums import LiquiditySide, OrderSide, OrderType, TimeInForce
from nautilus_trader.model.events import (
    OrderAccepted,
    OrderCanceled,
    OrderCancelRejected,
    OrderDenied,
    OrderEvent,
    OrderExpired,
    OrderFilled,
    OrderModifyRejected,
    OrderPendingUpdate,
    OrderRejected,
    OrderSubmitted,
    OrderTriggered,
    OrderUpdated,
)
from nautilus_trader.model.identifiers import (
    AccountId,
    ClientOrderId,
    StrategyId,
    TradeId,
    TraderId,
    VenueOrderId,
)
from nautilus_trader.model.objects import Money, Price, Quantity
from nautilus_trader.trading.config import StrategyConfig
from nautilus_trader.trading.strategy import Strategy

from catalog.instruments import Definition
from catalog.markets import Market, MarketKind
from strategies.order_translation import closed_by_venue, event_of, order_of, order_side
from strategies.trade_manager import (
    Accepted,
    Cancelled,
    CancelRefused,
    ClosedByVenue,
    Event,
    Expired,
    Filled,
    Kind,
    ModifyRefused,
    Refused,
    Role,
    Submit,
    Updated,
)
from tests.strategies.conftest import at, book_frame, listed, signal

D = Decimal
BTC = listed(Market("BINANCE", MarketKind.PERP, "BTCUSDT"), Definition("BTC", "USDT", D("0.1"), D("0.001")))
FACTORY = OrderFactory(TraderId("TESTER-001"), StrategyId("S-001"), TestClock())

ENTRY = Submit("entry", Role.ENTRY, Kind.MARKET_IOC, 1, D("0.5"), None, reduce_only=False)
REST = Submit("entry", Role.ENTRY, Kind.POST_ONLY, 1, D("0.5"), D("99.9"), reduce_only=False)
STOP = Submit("stop-1", Role.STOP, Kind.STOP_MARKET, -1, D("0.5"), D("98.0"), reduce_only=True)
TARGET = Submit("target-1-1", Role.TARGET, Kind.LIMIT, -1, D("0.25"), D("103"), reduce_only=True)


# -- commands to orders ------------------------------------------------------------------------------------------------


def test_sides() -> None:
    """+1 buys, -1 sells."""
    assert (order_side(1), order_side(-1)) == (OrderSide.BUY, OrderSide.SELL)


@pytest.mark.parametrize(
    ("command", "kind", "force", "price"),
    [
        (ENTRY, OrderType.MARKET, TimeInForce.IOC, None),
        (REST, OrderType.LIMIT, TimeInForce.GTC, "99.9"),
        (STOP, OrderType.STOP_MARKET, TimeInForce.GTC, "98.0"),
        (TARGET, OrderType.LIMIT, TimeInForce.GTC, "103.0"),
    ],
)
def test_an_order_is_what_the_command_asks_for(
    command: Submit, kind: OrderType, force: TimeInForce, price: str | None
) -> None:
    """Type, time in force, side, size, price on the instrument's places, and tags by which it is found again."""
    order = order_of(command, BTC, FACTORY, "BTC-1-L")
    assert (order.order_type, order.time_in_force, order.side) == (kind, force, order_side(command.side))
    assert (order.quantity, order.is_reduce_only) == (BTC.make_qty(command.size), command.reduce_only)
    assert order.tags == ["BTC-1-L", command.ref]
    if price is not None:
        asked = order.trigger_price if kind == OrderType.STOP_MARKET else order.price
        assert str(asked) == price
    if kind == OrderType.LIMIT:
        assert order.is_post_only == (command is REST)


@pytest.mark.parametrize("kind", [Kind.POST_ONLY, Kind.LIMIT, Kind.STOP_MARKET])
def test_what_rests_needs_a_price(kind: Kind) -> None:
    """The error names the order."""
    command = Submit("stop-1", Role.STOP, kind, -1, D(1), None, reduce_only=True)
    with pytest.raises(ValueError, match=f"stop-1 is a {kind} without a price"):
        order_of(command, BTC, FACTORY, "BTC-1-L")


# -- events back -------------------------------------------------------------------------------------------------------

WHO: dict[str, Any] = {
    "trader_id": TraderId("TESTER-001"),
    "strategy_id": StrategyId("S-001"),
    "instrument_id": BTC.id,
    "client_order_id": ClientOrderId("O-1"),
}
ACCOUNT: dict[str, Any] = {"account_id": AccountId("BINANCE-001")}
AT_VENUE: dict[str, Any] = ACCOUNT | {"venue_order_id": VenueOrderId("V-1")}
WHEN: dict[str, Any] = {"event_id": UUID4(), "ts_event": 5, "ts_init": 6}


def filled(commission: str = "0.025") -> OrderFilled:
    return OrderFilled(
        **WHO,
        **AT_VENUE,
        **WHEN,
        trade_id=TradeId("T-1"),
        position_id=None,
        order_side=OrderSide.SELL,
        order_type=OrderType.MARKET,
        last_qty=Quantity.from_str("0.250"),
        last_px=Price.from_str("103.1"),
        currency=USDT,
        commission=Money(D(commission), USDT),
        liquidity_side=LiquiditySide.TAKER,
    )


def updated(price: str | None, trigger: str | None) -> OrderUpdated:
    return OrderUpdated(
        **WHO,
        **AT_VENUE,
        **WHEN,
        quantity=Quantity.from_str("0.500"),
        price=None if price is None else Price.from_str(price),
        trigger_price=None if trigger is None else Price.from_str(trigger),
    )


@pytest.mark.parametrize(
    ("event", "told"),
    [
        (OrderAccepted(**WHO, **AT_VENUE, **WHEN), Accepted("x")),
        (OrderRejected(**WHO, **ACCOUNT, **WHEN, reason="no margin"), Refused("x", "no margin")),
        (OrderDenied(**WHO, reason="too large", event_id=UUID4(), ts_init=6), Refused("x", "too large")),
        (OrderCanceled(**WHO, **AT_VENUE, **WHEN), Cancelled("x")),
        (OrderExpired(**WHO, **AT_VENUE, **WHEN), Expired("x")),
        (OrderModifyRejected(**WHO, **AT_VENUE, **WHEN, reason="filled"), ModifyRefused("x", "filled")),
        (OrderCancelRejected(**WHO, **AT_VENUE, **WHEN, reason="filled"), CancelRefused("x", "filled")),
        (filled(), Filled("x", "T-1", D("0.25"), D("103.1"), D("0.025"), 5)),
        (filled("-0.01"), Filled("x", "T-1", D("0.25"), D("103.1"), D("-0.01"), 5)),
        (updated("103.0", None), Updated("x", D("0.5"), D(103))),
        (updated(None, "98.0"), Updated("x", D("0.5"), D(98))),
        (updated("97.0", "98.0"), Updated("x", D("0.5"), D(98))),
        (updated(None, None), Updated("x", D("0.5"), None)),
    ],
)
def test_an_event_is_what_it_says(event: OrderEvent, told: Event) -> None:
    """Under the trade's own name of the order: sizes, prices and fees exact, a fill's time that of the venue.

    The price of an update is a stop's trigger where there is one, and none where the venue told none.
    """
    assert event_of(event, "x") == told


@pytest.mark.parametrize(
    "event",
    [
        OrderSubmitted(**WHO, **ACCOUNT, **WHEN),
        OrderPendingUpdate(**WHO, **AT_VENUE, **WHEN),
        OrderTriggered(**WHO, **AT_VENUE, **WHEN),
    ],
)
def test_what_is_on_its_way_says_nothing_new(event: OrderEvent) -> None:
    """The manager knows what it has asked for; a stop that has triggered is heard of by its fills."""
    assert event_of(event, "x") is None


def test_a_fill_that_no_order_asked_for() -> None:
    """A liquidation, with its own id, size, price, fee and the venue's time."""
    assert closed_by_venue(filled()) == ClosedByVenue("T-1", D("0.25"), D("103.1"), D("0.025"), 5)


# -- both ways, through an engine --------------------------------------------------------------------------------------


class Sender(Strategy):
    """Sends commands at their seconds, and keeps what comes back, translated."""

    def __init__(self, script: Sequence[tuple[float, Submit]]) -> None:
        super().__init__(StrategyConfig(order_id_tag="001"))
        self._script = script
        self._refs: dict[ClientOrderId, str] = {}
        self.orders: dict[str, Any] = {}
        self.heard: list[Event] = []

    def on_start(self) -> None:
        for number, (seconds, command) in enumerate(self._script):
            self.clock.set_time_alert_ns(f"send-{number}", at(seconds), lambda _, c=command: self._send(c))

    def _send(self, command: Submit) -> None:
        order = order_of(command, BTC, self.order_factory, "BTC-1-L")
        self.orders[command.ref], self._refs[order.client_order_id] = order, command.ref
        self.submit_order(order)

    def on_order_event(self, event: OrderEvent) -> None:
        told = event_of(event, self._refs[event.client_order_id])
        if told is not None:
            self.heard.append(told)


def heard(stage: Any, *script: tuple[float, Submit], frames: Sequence[Any] = ()) -> list[str]:
    """Name, ref and size of what came back."""
    sender = Sender(script)
    calm = book_frame(BTC, 0, [("99.9", "5")], [("100.1", "0.3")])
    stage(BTC).play([calm, *frames], sender, until=10, signals=[signal(9, 0.0)])
    return [f"{type(e).__name__} {e.ref} {getattr(e, 'size', '')}".strip() for e in sender.heard]


def test_a_market_order_larger_than_the_book_ends(stage) -> None:
    """Of 0.5 only 0.3 are offered: the rest is cancelled, nothing hangs."""
    assert heard(stage, (5, ENTRY))[-2:] == ["Filled entry 0.3", "Cancelled entry"]


def test_an_entry_that_would_take_is_refused(stage) -> None:
    """Post-only: a bid at 100.1 would buy at once."""
    crossing = Submit("entry", Role.ENTRY, Kind.POST_ONLY, 1, D("0.2"), D("100.1"), reduce_only=False)
    assert heard(stage, (5, crossing)) == ["Refused entry"]
    assert heard(stage, (5, REST)) == ["Accepted entry"]


def test_a_stop_rests_and_closes_what_it_covers(stage) -> None:
    """0.3 are bought and protected; the bid falls to the trigger, and the stop sells them."""
    stop = Submit("stop-1", Role.STOP, Kind.STOP_MARKET, -1, D("0.3"), D("98.0"), reduce_only=True)
    fallen = book_frame(BTC, 7, [("97.9", "5")], [("98.1", "5")])
    said = heard(stage, (5, ENTRY), (6, stop), frames=[fallen])
    assert said[-2:] == ["Accepted stop-1", "Filled stop-1 0.3"]


def test_a_target_rests_and_is_filled(stage) -> None:
    """A limit at 103 is taken when the bid is there."""
    target = Submit("target-1-1", Role.TARGET, Kind.LIMIT, -1, D("0.3"), D("103"), reduce_only=True)
    risen = book_frame(BTC, 7, [("103.5", "5")], [("103.6", "5")])
    said = heard(stage, (5, ENTRY), (6, target), frames=[risen])
    assert said[-2:] == ["Accepted target-1-1", "Filled target-1-1 0.3"]


def test_an_exit_without_a_position_never_rests(stage) -> None:
    """What is reduce-only is refused where nothing is open."""
    assert heard(stage, (5, TARGET)) == ["Refused target-1-1"]
