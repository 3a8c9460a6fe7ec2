"""The engine's front: orders, cancels, amendments and triggers of accounts, and what the fed market does.

Pure: no clock but the one given, no network. Every call is one step: it is booked, published and its triggers are fired
before the next.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace
from decimal import Decimal
from itertools import count

from adapters.loopback.matching.account import Account
from adapters.loopback.matching.admission import Admission, admit, check_price, check_volume, opening_margin
from adapters.loopback.matching.contract import Contract
from adapters.loopback.matching.ledger import Cause, Ledger
from adapters.loopback.matching.market import Market
from adapters.loopback.matching.matcher import Matcher
from adapters.loopback.matching.order import ZERO, Effect, End, Kind, NewOrder, Order, Reason, Refused, Side
from adapters.loopback.matching.settlement import Settlement
from adapters.loopback.matching.trigger_desk import TriggerDesk

FIRST_ORDER_ID = 739_113_577_038_255_616  # beyond 2^53, as venues have it: who reads ids as floats is found out
ORDER_ID_STEP = 4_099
FIRST_TRADE_ID = 13_914_408_525
FIRST_POSITION_ID = 1_109_973_831


class Exchange:
    """All markets and accounts. `now_ms` is the venue's clock (UNIX ms)."""

    def __init__(self, now_ms: Callable[[], int]) -> None:
        self.now_ms = now_ms
        self.ledger = Ledger()
        self.markets: dict[str, Market] = {}
        self.accounts: dict[str, Account] = {}
        self.orders: dict[int, Order] = {}
        self.settlement = Settlement(self.ledger, FIRST_POSITION_ID)
        self.matcher = Matcher(
            self.ledger, self.settlement, lambda order: self.accounts[order.request.account], FIRST_TRADE_ID
        )
        self.ids = count(FIRST_ORDER_ID, ORDER_ID_STEP)
        self.triggers = TriggerDesk(self)

    def add_market(self, contract: Contract) -> Market:
        """List a contract."""
        market = self.markets[contract.symbol] = Market(contract)
        return market

    def market(self, symbol: str) -> Market:
        """Raises Refused for a symbol that is not listed."""
        if symbol not in self.markets:
            raise Refused(Reason.NO_CONTRACT, symbol)
        return self.markets[symbol]

    def add_account(self, account_id: str) -> Account:
        account = self.accounts[account_id] = Account(account_id)
        return account

    def deposit(self, account_id: str, currency: str, amount: Decimal) -> None:
        """Add to an account's cash."""
        account = self.accounts[account_id]
        self.settlement.cash(account, currency, amount, Cause.DEPOSIT, 0, self.now_ms())
        self.settlement.note_assets(self.now_ms())

    def submit(self, request: NewOrder) -> Order:
        """Take a new order and trade it. Raises Refused."""
        order = self._enter(request)
        self.settle_down(self.markets[request.symbol])
        return order

    def cancel(self, account_id: str, order_id: int) -> Order:
        """Cancel an open order. Raises Refused (NO_ORDER, NOT_CANCELLABLE)."""
        order = self.orders.get(order_id)
        if order is None or order.request.account != account_id:
            raise Refused(Reason.NO_ORDER, str(order_id))
        if not order.is_open:
            raise Refused(Reason.NOT_CANCELLABLE, f"{order_id} is {order.state}")
        market = self.markets[order.request.symbol]
        self.matcher.end(market, order, End.BY_USER, self.now_ms())
        self.triggers.parent_ended(order)
        self.settle_down(market)
        return order

    def cancel_all(self, account_id: str, symbol: str | None = None) -> list[Order]:
        """Cancel every open order of an account, in one contract or in all."""
        orders = [o for o in self.accounts[account_id].open_orders.values() if symbol in (None, o.request.symbol)]
        return [self.cancel(account_id, order.id) for order in orders if order.is_open]

    def amend(self, account_id: str, order_id: int, price: Decimal, vol: Decimal) -> Order:
        """Change an open limit order; `vol` counts what is filled already. Raises Refused, having changed nothing.

        It keeps its id, and its place in the queue unless the price changes or the volume grows.
        """
        order = self.orders.get(order_id)
        if order is None or order.request.account != account_id:
            raise Refused(Reason.NO_ORDER, str(order_id))
        if not order.is_open:
            raise Refused(Reason.NOT_CANCELLABLE, f"{order_id} is {order.state}")
        market, account = self.markets[order.request.symbol], self.accounts[account_id]
        check_volume(market.contract, Kind.LIMIT, vol)
        check_price(market, order.request.side, price)
        if vol <= order.filled:
            raise Refused(Reason.VOLUME, f"{vol} asked, {order.filled} is filled already")
        stays = price == order.price and vol <= order.vol
        self._reserve_anew(market, account, order, price, vol)
        order.updated_ms = self.now_ms()
        order.version += 1
        self.ledger.order(order.updated_ms, order)
        if stays:
            market.touch(order.request.side, order.price)
        else:
            self.matcher.enter(market, order, order.updated_ms)
        self.settle_down(market)
        return order

    def feed_book(
        self, symbol: str, levels: Iterable[tuple[Side, Decimal, Decimal]], *, snapshot: bool = False
    ) -> None:
        """The fed market's book: rows (side, price, contracts), absolute, 0 for gone; `snapshot`: nothing else rests.

        Volume that crosses our orders trades with them. What it crosses of the fed market itself is out of date and is
        dropped, so that no book is ever left crossed.
        """
        market = self.market(symbol)
        rows = {(side, price): vol for side, price, vol in levels}
        if snapshot:
            for side in Side:
                rows = {(side, price): ZERO for price in market.external_prices(side)} | rows
        for (side, price), vol in sorted(rows.items(), key=lambda row: row[1] > 0):  # what is gone goes first
            self._feed_level(market, side, price, vol)
        self.settle_down(market)

    def feed_trade(self, symbol: str, side: Side, price: Decimal, vol: Decimal) -> None:
        """A trade of the fed market, `side` the taker's. Our orders ahead of it in price or time get their part."""
        market = self.market(symbol)
        now = self.now_ms()
        left = self.matcher.take_for_market(market, side, price, vol, now, beyond=True)
        left = self.matcher.trade_at_level(market, side, price, left, now)
        self.matcher.print_elsewhere(market, side, price, left, now)
        self.settle_down(market)

    def feed_prices(self, symbol: str, *, fair: Decimal | None = None, index: Decimal | None = None) -> None:
        """New fair or index prices of the fed market."""
        market = self.market(symbol)
        market.set_prices(fair=fair, index=index)
        self.settle_down(market)

    def settle_down(self, market: Market) -> None:
        """Finish a step: note the purses that changed, publish the book, fire triggers until none is met."""
        now = self.now_ms()
        self.settlement.note_assets(now)
        market.publish(now)
        self.triggers.check(market)

    def enter_child(self, request: NewOrder) -> Order:
        """Take the order of a trigger that fired; as `submit`, inside its step."""
        order = self._enter(request)
        self.settlement.note_assets(order.updated_ms)
        self.markets[request.symbol].publish(order.updated_ms)
        return order

    def _enter(self, request: NewOrder) -> Order:
        market, account = self.market(request.symbol), self.accounts[request.account]
        order = self._accept(request, admit(request, market, account), account, market)
        self.matcher.enter(market, order, order.created_ms)
        self.triggers.attach(order)
        return order

    def _accept(self, request: NewOrder, admission: Admission, account: Account, market: Market) -> Order:
        now = self.now_ms()
        order = Order(
            next(self.ids), request, admission.price, request.vol, admission.leverage, created_ms=now, updated_ms=now
        )
        self.orders[order.id] = account.open_orders[order.id] = order
        if request.client_id:
            account.client_ids[request.symbol, request.client_id] = order
        self.settlement.freeze(account, order, market.contract.settle, admission.margin)
        self.ledger.order(now, order)
        return order

    def _reserve_anew(self, market: Market, account: Account, order: Order, price: Decimal, vol: Decimal) -> None:
        """Take an order out of the book and set aside what it needs as amended; back as it was where that fails."""
        currency = market.contract.settle
        frozen = order.frozen
        remaining = vol - order.filled
        self.settlement.release(account, order, currency)
        margin = ZERO
        try:
            if order.request.effect is Effect.CLOSE:
                position = account.position(order.request.symbol, order.request.side.opposite)
                if position is None or remaining > position.closable:
                    raise Refused(Reason.CLOSE_TOO_MUCH, str(remaining))
            else:
                wanted = replace(order.request, vol=remaining)
                margin = opening_margin(wanted, market, account, price, order.leverage)
        except Refused:
            self.settlement.freeze(account, order, currency, frozen)
            raise
        if not (price == order.price and vol <= order.vol):
            market.withdraw(order)
        order.price, order.vol = price, vol
        order.request = replace(order.request, price=price, vol=vol)
        self.settlement.freeze(account, order, currency, margin)

    def _feed_level(self, market: Market, side: Side, price: Decimal, vol: Decimal) -> None:
        if vol > 0:
            opposite = market.book.ladder(side.opposite)
            for level in opposite:
                if not opposite.reaches(level.price, price):
                    break
                market.set_external(side.opposite, level.price, ZERO)
            level_now = market.book.ladder(side).at(price)
            more = vol - (level_now.external if level_now is not None else ZERO)
            if more > 0:
                left = self.matcher.take_for_market(market, side, price, more, self.now_ms())
                vol -= more - left
        market.set_external(side, price, vol)
