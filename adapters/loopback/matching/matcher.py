"""Price-time matching: our orders against each other and against the fed market."""

from collections.abc import Callable
from decimal import Decimal
from itertools import count

from adapters.loopback.matching.account import Account
from adapters.loopback.matching.book import Chunk, Level
from adapters.loopback.matching.ledger import Ledger
from adapters.loopback.matching.market import Market, Print
from adapters.loopback.matching.order import ZERO, Effect, End, Kind, Order, SelfTrade, Side, State
from adapters.loopback.matching.settlement import Settlement, Trade

REST_ENDS = {Kind.IOC: End.IOC, Kind.FOK: End.FOK, Kind.MARKET: End.MARKET}


class Matcher:
    """Trades orders, and notes on the ledger what came of them. The caller publishes the market afterwards."""

    def __init__(
        self, ledger: Ledger, settlement: Settlement, account_of: Callable[[Order], Account], first_trade_id: int
    ) -> None:
        self._ledger = ledger
        self._settlement = settlement
        self._account_of = account_of
        self._trade_ids = count(first_trade_id)

    def enter(self, market: Market, order: Order, ts_ms: int) -> None:
        """Trade a new order as far as it goes; what is left rests or ends."""
        kind = order.request.kind
        if kind is Kind.POST_ONLY and self._would_take(market, order):
            self.end(market, order, End.POST_ONLY, ts_ms)
            return
        if kind is Kind.FOK and market.book.available(order.request.side, order.price) < order.vol:
            self.end(market, order, End.FOK, ts_ms)
            return
        before = order.filled
        self._take(market, order, ts_ms)
        if not order.is_open:
            return
        if kind in REST_ENDS:
            self.end(market, order, REST_ENDS[kind], ts_ms)
            return
        market.rest(order)
        if order.filled > before:
            order.version += 1
            self._ledger.order(ts_ms, order)

    def end(self, market: Market, order: Order, end: End, ts_ms: int) -> None:
        """Cancel what is left of an order."""
        market.withdraw(order)
        self._settlement.end(self._account_of(order), order, market.contract.settle, end, ts_ms)

    def take_for_market(
        self, market: Market, side: Side, limit: Decimal, vol: Decimal, ts_ms: int, *, beyond: bool = False
    ) -> Decimal:
        """Trade the fed market's `vol` against our resting orders up to `limit`; returns what is left of it.

        `beyond`: only at prices better than the limit. The fed market's own volume is passed over: it stands aside by
        the next update of its book.
        """
        ladder = market.book.ladder(side.opposite)
        for level in ladder:
            if vol <= 0 or not ladder.reaches(level.price, limit) or (beyond and level.price == limit):
                break
            for order in [entry for entry in level.queue if isinstance(entry, Order)]:
                if vol <= 0:
                    break
                if order.is_open:  # an earlier trade may have ended it
                    vol -= self._trade(market, None, order, side, level.price, min(vol, order.remaining), ts_ms)
        return vol

    def trade_at_level(self, market: Market, side: Side, price: Decimal, vol: Decimal, ts_ms: int) -> Decimal:
        """A trade of the fed market at `price`: it goes through the level's queue; returns what the queue left."""
        ladder = market.book.ladder(side.opposite)
        level = ladder.at(price)
        for entry in list(level.queue) if level is not None else []:
            if vol <= 0:
                break
            if isinstance(entry, Chunk):
                taken = min(vol, entry.vol)
                entry.vol -= taken
                self._print(market, side, price, taken, ts_ms)
                vol -= taken
            elif entry.is_open:
                vol -= self._trade(market, None, entry, side, price, min(vol, entry.remaining), ts_ms)
        if level is not None:
            ladder.prune(level)
            market.touch(side.opposite, price)
        return vol

    def print_elsewhere(self, market: Market, side: Side, price: Decimal, vol: Decimal, ts_ms: int) -> None:
        """A trade of the fed market with itself, in which no order of ours had a part."""
        if vol > 0:
            self._print(market, side, price, vol, ts_ms)

    @staticmethod
    def _would_take(market: Market, order: Order) -> bool:
        side = order.request.side
        best = market.best(side.opposite)
        return best is not None and market.book.ladder(side.opposite).reaches(best, order.price)

    def _take(self, market: Market, order: Order, ts_ms: int) -> None:
        """Trade with the head of the best level for as long as the order is open and reaches it."""
        ladder = market.book.ladder(order.request.side.opposite)
        while order.is_open and (level := ladder.best()) is not None and ladder.reaches(level.price, order.price):
            self._meet(market, order, level, ts_ms)
            ladder.prune(level)
            market.touch(ladder.side, level.price)

    def _meet(self, market: Market, order: Order, level: Level, ts_ms: int) -> None:
        head = level.queue[0]
        if isinstance(head, Chunk):
            vol = min(order.remaining, head.vol)
            head.vol -= vol
            self._trade(market, order, None, order.request.side, level.price, vol, ts_ms)
        elif self._may_trade(market, order, head, ts_ms):
            vol = min(order.remaining, head.remaining)
            self._trade(market, order, head, order.request.side, level.price, vol, ts_ms)

    def _may_trade(self, market: Market, taker: Order, maker: Order, ts_ms: int) -> bool:
        """Apply self-trade prevention; True where the two may trade."""
        if taker.request.account != maker.request.account or taker.request.self_trade is SelfTrade.ALLOW:
            return True
        if taker.request.self_trade in (SelfTrade.CANCEL_BOTH, SelfTrade.CANCEL_MAKER):
            self.end(market, maker, End.SELF_TRADE, ts_ms)
        if taker.request.self_trade in (SelfTrade.CANCEL_BOTH, SelfTrade.CANCEL_TAKER):
            self.end(market, taker, End.SELF_TRADE, ts_ms)
        return False

    def _trade(
        self,
        market: Market,
        taker: Order | None,
        maker: Order | None,
        side: Side,
        price: Decimal,
        vol: Decimal,
        ts_ms: int,
    ) -> Decimal:
        """One match, None standing for the fed market; returns its volume."""
        own = taker is not None and maker is not None and taker.request.account == maker.request.account
        trade_id = self._print(market, side, price, vol, ts_ms, self_trade=own)
        for order in (taker, maker):
            if order is None:
                continue
            is_maker = order is maker
            self._fill(market, order, Trade(trade_id, ts_ms, vol, price, is_maker, own))
        if taker is None:
            market.counterparty += side * vol
        if maker is None:
            market.counterparty -= side * vol
        return vol

    def _fill(self, market: Market, order: Order, trade: Trade) -> None:
        account = self._account_of(order)
        changed = self._settlement.fill(account, market, order, trade)
        done = order.remaining == 0
        if done:
            self._settlement.release(account, order, market.contract.settle)
            order.state = State.FILLED
            account.open_orders.pop(order.id, None)
        if done or trade.maker:
            order.version += 1
            self._ledger.order(trade.ts_ms, order)
        if trade.maker:
            market.touch(order.request.side, order.price)
            if done:
                market.withdraw(order)
        for position in changed:
            self._ledger.position(trade.ts_ms, position)
            if order.request.effect is Effect.OPEN:
                self._trim_closers(market, account, position.side.opposite, trade.ts_ms)

    def _trim_closers(self, market: Market, account: Account, side: Side, ts_ms: int) -> None:
        """End closing orders, newest first, until no more is under way than is held: netting took their volume."""
        position = account.position(market.symbol, side.opposite)
        held = position.vol if position is not None else ZERO
        closers = [
            o for o in account.orders(market.symbol) if o.request.effect is Effect.CLOSE and o.request.side is side
        ]
        under_way = sum((o.remaining for o in closers), ZERO)
        for order in reversed(closers):
            if under_way <= held:
                return
            under_way -= order.remaining
            self.end(market, order, End.NO_POSITION, ts_ms)

    def _print(
        self, market: Market, side: Side, price: Decimal, vol: Decimal, ts_ms: int, *, self_trade: bool = False
    ) -> int:
        trade_id = next(self._trade_ids)
        market.print(Print(trade_id, ts_ms, price, vol, side, self_trade))
        return trade_id
