"""Holds an exchange against its own ledger: what must be true of contracts and money, whatever happened.

Nothing here trusts the engine's sums. The money identity, for one, needs no average prices: what an account gained is
what its fills brought in, plus what its open positions cost, minus fees, plus funding.
"""

from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal

from adapters.loopback.matching.account import Account
from adapters.loopback.matching.book import Chunk, volume_of
from adapters.loopback.matching.exchange import Exchange
from adapters.loopback.matching.ledger import CashEntry, Cause, FillEntry
from adapters.loopback.matching.market import Market
from adapters.loopback.matching.order import ZERO, Effect, Order, Side, State


def problems(exchange: Exchange) -> list[str]:
    """Everything that does not add up, in words; empty for a sound exchange."""
    found: list[str] = []
    for market in exchange.markets.values():
        found += _book(exchange, market)
        found += _contracts(exchange, market)
    for account in exchange.accounts.values():
        found += _cash(exchange, account)
        found += _set_aside(account)
        found += _positions(exchange, account)
    fills: defaultdict[int, list[FillEntry]] = defaultdict(list)
    for fill in exchange.ledger.fills():
        fills[fill.order_id].append(fill)
    for order in exchange.orders.values():
        found += _order(order, fills[order.id])
    return found


def _book(exchange: Exchange, market: Market) -> Iterator[str]:
    if market.book.crossed():
        yield f"{market.symbol}: the book is crossed"
    entries = [entry for side in Side for level in market.book.ladder(side) for entry in level.queue]
    resting = [entry for entry in entries if not isinstance(entry, Chunk)]
    expected = {o.id for o in exchange.orders.values() if o.is_open and o.request.symbol == market.symbol}
    if {order.id for order in resting} != expected or len(resting) != len(expected):
        yield f"{market.symbol}: orders {[o.id for o in resting]} rest, {sorted(expected)} are open"
    for side in Side:
        for level in market.book.ladder(side):
            if not level.queue or any(volume_of(entry) <= 0 for entry in level.queue):
                yield f"{market.symbol}: level {level.price} holds something empty"
        shown = [(price, vol) for price, vol, _ in market.levels(side)]
        if shown != [(level.price, level.total) for level in market.book.ladder(side)]:
            yield f"{market.symbol}: what is published of {side.name} is not what rests"


def _contracts(exchange: Exchange, market: Market) -> Iterator[str]:
    held = sum(
        (p.side * p.vol for a in exchange.accounts.values() for p in a.positions if p.symbol == market.symbol), ZERO
    )
    if held + market.counterparty:
        yield f"{market.symbol}: accounts hold {held}, the market {market.counterparty} against them"


def _cash(exchange: Exchange, account: Account) -> Iterator[str]:
    for currency, purse in account.purses.items():
        entries = [e for e in exchange.ledger.of(CashEntry, account.id) if e.currency == currency]
        if sum((e.amount for e in entries), ZERO) != purse.cash:
            yield f"{account.id}: cash of {purse.cash} {currency} is not the sum of its entries"
        fills = [f for f in exchange.ledger.fills(account.id) if f.currency == currency]
        expected = sum((e.amount for e in entries if e.cause in (Cause.DEPOSIT, Cause.FUNDING)), ZERO)
        expected -= sum((f.side * f.price * f.vol * _size(exchange, f) + f.fee for f in fills), ZERO)
        expected += sum((p.side * p.cost for p in account.positions if p.contract.settle == currency), ZERO)
        if expected != purse.cash:
            yield f"{account.id}: cash is {purse.cash} {currency}, its fills make it {expected}"


def _size(exchange: Exchange, fill: FillEntry) -> Decimal:
    return exchange.markets[fill.symbol].contract.size


def _set_aside(account: Account) -> Iterator[str]:
    margin: defaultdict[str, Decimal] = defaultdict(Decimal)
    for position in account.positions:
        margin[position.contract.settle] += position.margin
        closers = [o for o in account.orders(position.symbol) if _closes(o, position.side)]
        if sum((o.remaining for o in closers), ZERO) != position.frozen or position.frozen > position.vol:
            yield f"{account.id}: position {position.id} of {position.vol} has {position.frozen} frozen"
    frozen = sum((order.frozen for order in account.open_orders.values()), ZERO)
    if frozen != sum((purse.frozen for purse in account.purses.values()), ZERO):
        yield f"{account.id}: {frozen} is frozen for orders, the purses say otherwise"
    for currency, purse in account.purses.items():
        if purse.margin != margin[currency]:
            yield f"{account.id}: positions hold {margin[currency]} {currency}, the purse says {purse.margin}"


def _closes(order: Order, position_side: Side) -> bool:
    return order.request.effect is Effect.CLOSE and order.request.side is position_side.opposite


def _positions(exchange: Exchange, account: Account) -> Iterator[str]:
    """Volumes from the fills alone."""
    net: defaultdict[str, Decimal] = defaultdict(Decimal)
    for fill in exchange.ledger.fills(account.id):
        net[fill.symbol] += fill.side * fill.vol
        if fill.effect is Effect.CLOSE and fill.closed_vol != fill.vol:
            yield f"{account.id}: fill {fill.id} was to close {fill.vol} and closed {fill.closed_vol}"
    for symbol, vol in net.items():
        held = sum((p.side * p.vol for p in account.positions if p.symbol == symbol), ZERO)
        if held != vol:
            yield f"{account.id}: {symbol} position is {held}, its fills make it {vol}"


def _order(order: Order, fills: list[FillEntry]) -> Iterator[str]:
    if sum((f.vol for f in fills), ZERO) != order.filled or order.filled > order.vol:
        yield f"order {order.id}: {order.filled} of {order.vol} filled, its fills say otherwise"
    if sum((f.fee for f in fills), ZERO) != order.maker_fees + order.taker_fees:
        yield f"order {order.id}: fees differ from those of its fills"
    if (order.state is State.FILLED) != (order.filled == order.vol):
        yield f"order {order.id}: is {order.state} with {order.filled} of {order.vol} filled"
