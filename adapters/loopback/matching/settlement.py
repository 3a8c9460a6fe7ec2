"""What a trade does to an account: position, margin, profit, fee. And what is given back when an order ends."""

from dataclasses import dataclass
from decimal import Decimal
from itertools import count

from adapters.loopback.matching.account import Account, PositionMode, Purse
from adapters.loopback.matching.contract import money
from adapters.loopback.matching.ledger import AssetEntry, CashEntry, Cause, FillEntry, Ledger
from adapters.loopback.matching.market import Market
from adapters.loopback.matching.order import ZERO, Effect, End, Order, State
from adapters.loopback.matching.position import Position


@dataclass(frozen=True)
class Trade:
    """A match as one of its sides has it."""

    id: int
    ts_ms: int
    vol: Decimal
    price: Decimal
    maker: bool
    self_trade: bool


class Settlement:
    """Books trades and ends of orders on accounts, and appends all of it to the ledger."""

    def __init__(self, ledger: Ledger, first_position_id: int) -> None:
        self._ledger = ledger
        self._position_ids = count(first_position_id)
        self._changed: dict[tuple[str, str], Account] = {}  # purses by account and currency

    def fill(self, account: Account, market: Market, order: Order, trade: Trade) -> list[Position]:
        """Book a trade of `order`; returns the positions that it changed."""
        request, contract = order.request, market.contract
        purse = self.purse(account, contract.settle)
        opposite = account.position(order.request.symbol, request.side.opposite)
        closing = self._closing_part(account, order, opposite, trade.vol)
        worth = contract.notional(trade.price, trade.vol)
        fee = money(worth * (contract.maker_fee if trade.maker else contract.taker_fee))
        fee_of_closing = money(fee * closing / trade.vol)
        changed: list[Position] = []
        profit = ZERO
        if closing and opposite is not None:
            profit = self._close(purse, order, opposite, closing, trade.price)
            opposite.fees += fee_of_closing
            changed.append(opposite)
        if opening := trade.vol - closing:
            position = self._open(account, market, order, opening, trade)
            position.fees += fee - fee_of_closing
            changed.append(position)
        self._note_on_order(order, trade, fee, profit, changed[-1].id)
        self._ledger.append(
            FillEntry(
                trade.ts_ms, account.id, trade.id, order.id, request.client_id, contract.symbol, request.side,
                request.effect, trade.vol, trade.price, fee, contract.settle, profit, closing, trade.maker,
                trade.self_trade, changed[-1].id,
            )
        )  # fmt: skip
        for amount, cause in ((profit, Cause.PROFIT), (-fee, Cause.FEE)):
            self.cash(account, contract.settle, amount, cause, trade.id, trade.ts_ms)
        for position in changed:
            position.updated_ms = trade.ts_ms
            position.version += 1
            self._retire(account, position)
        return changed

    def cash(self, account: Account, currency: str, amount: Decimal, cause: Cause, reference: int, ts_ms: int) -> None:
        """Add to a purse's cash; an amount of 0 is no event."""
        if amount:
            purse = self.purse(account, currency)
            purse.cash += amount
            self._ledger.append(CashEntry(ts_ms, account.id, currency, amount, cause, reference, purse.cash))

    def note_assets(self, ts_ms: int) -> None:
        """Note every purse that changed since the last call, as it is now."""
        changed, self._changed = self._changed, {}
        for (account_id, currency), account in changed.items():
            purse = account.purses[currency]
            self._ledger.append(AssetEntry(ts_ms, account_id, currency, purse.cash, purse.frozen, purse.margin))

    def purse(self, account: Account, currency: str) -> Purse:
        """The purse, to be changed: it is noted at the end of the step."""
        self._changed[account.id, currency] = account
        return account.purses[currency]

    def freeze(self, account: Account, order: Order, currency: str, margin: Decimal) -> None:
        """Set aside what an order may need: margin for opening, volume of the position for closing."""
        order.margin = order.frozen = margin
        self.purse(account, currency).frozen += margin
        position = self._closed_by(account, order)
        if position is not None:
            position.frozen += order.remaining
            order.position_id = position.id

    def release(self, account: Account, order: Order, currency: str) -> None:
        """Give back all that is still set aside for an order."""
        self.purse(account, currency).frozen -= order.frozen
        order.frozen = ZERO
        position = self._closed_by(account, order)
        if position is not None:
            position.frozen -= order.remaining

    def end(self, account: Account, order: Order, currency: str, end: End, ts_ms: int) -> None:
        """Cancel what is left of an order."""
        self.release(account, order, currency)
        order.state, order.end = State.CANCELLED, end
        order.updated_ms = ts_ms
        order.version += 1
        account.open_orders.pop(order.id, None)
        self._ledger.order(ts_ms, order)

    @staticmethod
    def _closed_by(account: Account, order: Order) -> Position | None:
        if order.request.effect is Effect.OPEN:
            return None
        return account.position(order.request.symbol, order.request.side.opposite)

    @staticmethod
    def _closing_part(account: Account, order: Order, opposite: Position | None, vol: Decimal) -> Decimal:
        if order.request.effect is Effect.CLOSE:
            return vol
        if account.position_mode is PositionMode.ONE_WAY and opposite is not None:
            return min(vol, opposite.vol)
        return ZERO

    @staticmethod
    def _close(purse: Purse, order: Order, position: Position, vol: Decimal, price: Decimal) -> Decimal:
        profit, freed = position.close(vol, price)
        purse.margin -= freed
        if order.request.effect is Effect.CLOSE:
            position.frozen -= vol
        return profit

    def _open(self, account: Account, market: Market, order: Order, vol: Decimal, trade: Trade) -> Position:
        request, contract = order.request, market.contract
        purse = self.purse(account, contract.settle)
        position = account.position(request.symbol, request.side)
        if position is None:
            position = Position(
                next(self._position_ids), account.id, contract, request.side, request.margin_mode, order.leverage,
                created_ms=trade.ts_ms, updated_ms=trade.ts_ms,
            )  # fmt: skip
            account.positions.append(position)
        share = order.frozen if vol >= order.remaining else money(order.frozen * vol / order.remaining)
        order.frozen -= share
        purse.frozen -= share
        taken = position.open(vol, trade.price)
        order.used_margin += taken
        purse.margin += taken
        return position

    @staticmethod
    def _note_on_order(order: Order, trade: Trade, fee: Decimal, profit: Decimal, position_id: int) -> None:
        order.filled += trade.vol
        order.turnover += trade.price * trade.vol
        order.profit += profit
        order.position_id = position_id
        order.fill_ids.append(trade.id)
        order.updated_ms = trade.ts_ms
        if trade.maker:
            order.maker_fees += fee
        else:
            order.taker_fees += fee

    @staticmethod
    def _retire(account: Account, position: Position) -> None:
        if not position.is_open:
            position.frozen = ZERO  # closing orders that are still under way are ended by the matcher
            account.positions.remove(position)
            account.closed_positions.append(position)
