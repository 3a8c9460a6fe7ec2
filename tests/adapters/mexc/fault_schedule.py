"""One random story on a local MEXC that drops, doubles, delays, refuses and lies, made from a seed.

The seed makes the faults and their rates, what is sent, what the market does, when the line is cut, when this machine's
clock goes wrong, and when the node is restarted. At the end the faults stop, everything is cancelled and closed, and
engine, venue and wire must agree on every order, fill, fee, position and balance; where the node listens to the
market, its books must be the venue's.
"""

import asyncio
import random
import time
import traceback
from collections import Counter
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from nautilus_trader.model.enums import BookType, OrderSide, OrderStatus, TimeInForce
from nautilus_trader.model.orders import Order

from adapters.loopback.faults import Fault, Faults
from adapters.loopback.matching.audit import problems as unsound
from adapters.loopback.matching.order import Side
from adapters.loopback.mexc.assumptions import Assumptions
from adapters.loopback.mexc.local import LocalMexc
from tests.adapters.mexc.local_node import LocalNode, listing, local_node, quote, trade, until
from tests.adapters.mexc.three_ledgers import differences
from tests.adapters.mexc.wire_account import wire_differences

BUY, SELL = OrderSide.BUY, OrderSide.SELL
SYMBOLS = ("X_USDT", "Y_USDT")
SETTLE_SECONDS = 90.0
LOOK_SECONDS = 0.1
WRONG_BOOK_SECONDS = 15.0
"""No book may differ from the venue's for longer: two seconds of silence are noticed here, 60 by default, after which a
snapshot is asked for; of which this venue, unlike a sound one, answers one in three wrongly, late or not at all."""
PRIVATE = (Fault.DROP_PRIVATE, Fault.DUPLICATE_PRIVATE, Fault.REORDER_PRIVATE)
PUBLIC = (Fault.DROP_FRAME, Fault.DEPTH_GAP, Fault.STALE_SNAPSHOT)
REQUESTS = (Fault.DELAY_REPLY, Fault.LOST_ACK, Fault.ERROR_AFTER, Fault.ERROR_BEFORE, Fault.RATE_LIMITED)


@dataclass
class Outcome:
    """What became of a schedule. `problems` is empty when all went as it must."""

    seed: int
    problems: list[str] = field(default_factory=list)
    faults: Counter[str] = field(default_factory=Counter)
    orders: int = 0
    fills: int = 0
    seconds: float = 0.0
    wrong_book_seconds: float = 0.0


class Schedule:
    """One random story."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.rng = random.Random(seed)  # a simulation
        self.one_way = self.rng.random() < 0.5
        self.listens = self.rng.random() < 0.5
        self.mid = Decimal(100)
        self.sent: list[Order] = []
        self.wrong_book_seconds = 0.0

    def faults(self) -> Faults:
        """Some of the faults, each at a rate of its own."""
        faults, rng = Faults(self.seed), self.rng
        faults.delay_s = (0.05, 1.5)
        for kind in (*PRIVATE, *REQUESTS):
            if rng.random() < 0.5:
                faults.rate(kind, rng.choice([0.02, 0.1, 0.3] if kind in PRIVATE else [0.02, 0.08]))
        for kind in PUBLIC:
            faults.rate(kind, rng.choice([0.0, 0.05, 0.3]))
        faults.rate(Fault.DISCONNECT, rng.choice([0.0, 0.01, 0.05]))
        faults.rate(Fault.DELAY_FRAME, rng.choice([0.0, 0.0, 0.05]))
        faults.clock_skew_ms = rng.choice([0, 0, -40_000, 25_000])
        return faults

    async def run(self) -> Outcome:
        """Live through it."""
        begun, outcome = time.monotonic(), Outcome(self.seed)
        assumptions = Assumptions(
            amend_keeps_id=self.rng.random() < 0.7, too_frequent_status=self.rng.choice([200, 429])
        )
        venue = LocalMexc(
            contracts=[listing(symbol, number) for number, symbol in enumerate(SYMBOLS, 1)],
            faults=self.faults(),
            assumptions=assumptions,
        )
        async with venue:
            self.move(venue)
            try:
                await self._live(venue, outcome)
            except Exception:  # noqa: BLE001  # whatever it is, it is this schedule's outcome
                outcome.problems.append(traceback.format_exc(limit=4))
            outcome.problems += unsound(venue.exchange)
            outcome.faults = Counter(item.fault.name for item in venue.faults.committed)
            outcome.fills = len(venue.ledger.fills())
        outcome.wrong_book_seconds = self.wrong_book_seconds
        if self.wrong_book_seconds > WRONG_BOOK_SECONDS:
            outcome.problems.append(f"a book was wrong for {self.wrong_book_seconds:.1f} s")
        outcome.orders, outcome.seconds = len(self.sent), time.monotonic() - begun
        return outcome

    async def _live(self, venue: LocalMexc, outcome: Outcome) -> None:
        restart_at = self.rng.choice([None, None, None, 8])
        async with AsyncExitStack() as stack:
            node = await self._enter(stack, venue, "001")
            for step in range(self.rng.randint(10, 22)):
                if step == restart_at:
                    await stack.aclose()
                    node = await self._enter(stack, venue, "002")
                self.act(node)
                await asyncio.sleep(self.rng.choice([0.0, 0.02, 0.1, 0.4]))
            for kind in Fault:
                venue.faults.rate(kind, 0.0)
            await self._settle(node, outcome)

    async def _enter(self, stack: AsyncExitStack, venue: LocalMexc, name: str) -> LocalNode:
        node = await stack.enter_async_context(self._node(venue, name))
        if self.listens:
            for symbol in SYMBOLS:
                node.hand.subscribe_order_book_deltas(node.id(symbol), BookType.L2_MBP)
            watching = asyncio.create_task(self._watch_books(node))
            stack.callback(watching.cancel)
        return node

    async def _watch_books(self, node: LocalNode) -> None:
        """Note for how long at a stretch a book that is not empty was not the venue's. An empty one claims nothing."""
        loop = asyncio.get_running_loop()
        right_at = dict.fromkeys(SYMBOLS, loop.time())
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            for symbol in SYMBOLS:
                book = node.cache.order_book(node.id(symbol))
                if book is None or not (book.bids() or book.asks()) or self._same_book(node, symbol):
                    right_at[symbol] = loop.time()
                self.wrong_book_seconds = max(self.wrong_book_seconds, loop.time() - right_at[symbol])

    def _node(self, venue: LocalMexc, name: str) -> Any:
        return local_node(
            venue,
            name=name,
            data={"quiet_book_seconds": 2.0} if self.listens else None,
            claims=SYMBOLS,
            engine={"inflight_check_interval_ms": 0},
            position_mode="one_way" if self.one_way else "hedge",
            change_position_mode=True,
            leverage=5,
            refresh_interval_seconds=1.0,
            request_timeout_seconds=1.0,
        )

    # -- what happens --------------------------------------------------------------------------------------------------

    def act(self, node: LocalNode) -> None:
        """One random thing."""
        kinds = ["send"] * 8 + ["move"] * 4 + ["trade"] * 4 + ["cancel"] * 2 + ["change"] * 2
        kind = self.rng.choice([*kinds, "batch", "all", "cut", "clock"])
        working = [order for order in node.cache.orders_open() if not order.is_pending_cancel]
        match kind:
            case "send":
                self.send(node)
            case "move":
                self.move(node.venue)
            case "trade":
                side = self.rng.choice([Side.BUY, Side.SELL])
                price = self.mid + self.rng.choice([-2, -1, 0, 1, 2])
                trade(node.venue, side, str(price), self.rng.randint(1, 8), symbol=self.rng.choice(SYMBOLS))
            case "cancel" if working:
                node.hand.cancel_order(self.rng.choice(working))
            case "change" if working:
                self.change(node, self.rng.choice(working))
            case "batch" if working:
                symbol = working[0].instrument_id
                node.hand.cancel_orders([order for order in working if order.instrument_id == symbol])
            case "all":
                node.hand.cancel_all_orders(node.id(self.rng.choice(SYMBOLS)))
            case "cut":
                node.venue.disconnect()
            case "clock":
                self.set_clock(node, self.rng.choice([0, 3_000, -8_000]))

    def send(self, node: LocalNode) -> None:
        """Any order type."""
        rng, symbol = self.rng, self.rng.choice(SYMBOLS)
        side, vol, step = rng.choice([BUY, SELL]), rng.randint(1, 6), rng.randint(1, 4)
        away = self.mid - step if side == BUY else self.mid + step
        across = self.mid + step if side == BUY else self.mid - step
        closing = {"reduce_only": rng.random() < 0.3}
        match rng.choice(["market", "rest", "rest", "post", "ioc", "fok", "stop", "stop limit", "touched"]):
            case "market":
                order = node.market(side, vol, symbol=symbol, **closing)
            case "rest":
                order = node.limit(side, vol, str(away), symbol=symbol, **closing)
            case "post":
                order = node.limit(side, vol, str(rng.choice([away, across])), symbol=symbol, post_only=True)
            case "ioc":
                order = node.limit(side, vol, str(across), symbol=symbol, time_in_force=TimeInForce.IOC)
            case "fok":
                order = node.limit(side, vol, str(across), symbol=symbol, time_in_force=TimeInForce.FOK)
            case "stop":
                order = node.stop(side, vol, str(across), symbol=symbol, **closing)
            case kind:
                order = self._triggered(node, kind, side, vol, symbol, across, away)
        self.sent.append(order)

    def _triggered(
        self, node: LocalNode, kind: str, side: OrderSide, vol: int, symbol: str, across: Decimal, away: Decimal
    ) -> Order:
        instrument, make = node.instrument(symbol), node.make
        if kind == "touched":
            price = instrument.make_price(away)
            order = make.market_if_touched(instrument.id, side, instrument.make_qty(vol), price)
        else:
            trigger, limit = instrument.make_price(across), instrument.make_price(self.mid)
            order = make.stop_limit(instrument.id, side, instrument.make_qty(vol), limit, trigger)
        node.hand.submit_order(order)
        return order

    def change(self, node: LocalNode, order: Order) -> None:
        """Another price, trigger price or quantity."""
        instrument = node.cache.instrument(order.instrument_id)
        price = instrument.make_price(self.mid + self.rng.choice([-5, 5]))
        if order.has_trigger_price:
            node.hand.modify_order(order, trigger_price=price)
        elif order.has_price:
            more = {"quantity": instrument.make_qty(order.quantity + 1)} if self.rng.random() < 0.5 else {}
            node.hand.modify_order(order, price=price, **more)

    def move(self, venue: LocalMexc) -> None:
        """The market walks, and its books are thin."""
        self.mid = max(Decimal(80), self.mid + self.rng.choice([-3, -1, 1, 3]))
        for symbol in SYMBOLS:
            quote(venue, str(self.mid - Decimal("0.5")), str(self.mid), vol=self.rng.choice([3, 200]), symbol=symbol)

    def set_clock(self, node: LocalNode, skew_ms: int) -> None:
        """This machine's clock is wrong from now on."""
        rest = node.client._rest
        rest._now_ns = lambda: time.time_ns() + skew_ms * 1_000_000

    # -- the end -------------------------------------------------------------------------------------------------------

    async def _settle(self, node: LocalNode, outcome: Outcome) -> None:
        """No more faults: cancel and close everything, and wait until nothing differs."""
        self.set_clock(node, 0)
        quote(node.venue, "99.5", "100", vol=100_000, symbol="X_USDT")
        quote(node.venue, "99.5", "100", vol=100_000, symbol="Y_USDT")
        busy = (OrderStatus.SUBMITTED, OrderStatus.PENDING_UPDATE, OrderStatus.PENDING_CANCEL)
        try:
            await until(lambda: not any(o.status in busy for o in node.cache.orders()), seconds=SETTLE_SECONDS)
            await self._flatten(node)
            await until(lambda: not self._differences(node), seconds=SETTLE_SECONDS)
            while node.cache.positions_open():  # a trigger order had fired as it was cancelled
                await self._flatten(node)
                await until(lambda: not self._differences(node), seconds=SETTLE_SECONDS)
        except AssertionError as error:
            stuck = [str(order) for order in node.cache.orders() if order.status in busy]
            outcome.problems += [f"not settled: {error}", *stuck]
        outcome.problems += self._differences(node)
        outcome.problems += [f"in a task: {error!r}" for error in node.failures]
        if node.venue.exchange.accounts[node.venue.account_id].positions:
            outcome.problems.append("not flat")

    def _differences(self, node: LocalNode) -> list[str]:
        began = node.client.watch.started_ms
        found = differences(node.cache, node.venue, one_way=self.one_way, since_ms=began) + wire_differences(node.venue)
        return found + [
            f"book of {symbol} is not the venue's" for symbol in SYMBOLS if not self._same_book(node, symbol)
        ]

    def _same_book(self, node: LocalNode, symbol: str) -> bool:
        if not self.listens:
            return True
        book, theirs = node.cache.order_book(node.id(symbol)), node.venue.exchange.markets[symbol]
        if book is None:
            return False
        sides = ((book.bids(), Side.BUY), (book.asks(), Side.SELL))
        return all(
            [(level.price.as_decimal(), int(level.size())) for level in ours]
            == [(price, int(vol)) for price, vol, _ in theirs.levels(side, 10_000)]
            for ours, side in sides
        )

    async def _flatten(self, node: LocalNode) -> None:
        loop = asyncio.get_running_loop()
        end = loop.time() + SETTLE_SECONDS
        while loop.time() < end:
            working = node.cache.orders_open()
            if not working and not node.cache.positions_open() and not node.cache.orders_inflight():
                return
            for order in working:
                if not order.is_pending_cancel and not order.is_pending_update:
                    node.hand.cancel_order(order)
            await asyncio.sleep(0.5)
            for position in node.cache.positions_open():
                closing = [o for o in node.cache.orders(instrument_id=position.instrument_id) if not o.is_closed]
                if not closing:
                    node.hand.close_position(position)
            await asyncio.sleep(0.5)
        raise AssertionError("not everything could be cancelled and closed")
