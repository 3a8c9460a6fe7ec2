"""What an account may set: leverage, margin mode, position mode, the margin of a position."""

from decimal import Decimal

from adapters.loopback.matching.account import Account, LeverageSetting, PositionMode
from adapters.loopback.matching.contract import money
from adapters.loopback.matching.exchange import Exchange
from adapters.loopback.matching.order import MarginMode, Reason, Refused, Side
from adapters.loopback.matching.position import Position


def set_leverage(
    exchange: Exchange, account: Account, symbol: str, side: Side, leverage: int, margin_mode: MarginMode
) -> None:
    """Set what orders of one side use. A position on that side takes the leverage, and keeps its margin mode.

    Raises Refused: out of bounds, open orders in the way, the position has the other margin mode, balance insufficient.
    """
    market = exchange.market(symbol)
    if not 1 <= leverage <= market.contract.max_leverage:
        raise Refused(Reason.LEVERAGE, f"{leverage} is not within 1 to {market.contract.max_leverage}")
    position = account.position(symbol, side)
    if position is not None and position.margin_mode is not margin_mode:
        raise Refused(Reason.MARGIN_MODE_MISMATCH, f"position is {position.margin_mode}")
    if any(order.request.side is side for order in account.orders(symbol)):
        raise Refused(Reason.ORDERS_IN_THE_WAY, symbol)
    if position is not None:
        _move_margin(exchange, account, position, money(position.cost / leverage) - position.margin)
        position.leverage = leverage
        exchange.ledger.position(exchange.now_ms(), position)
    account.settings[symbol, side] = LeverageSetting(leverage, margin_mode)
    exchange.settle_down(market)


def set_position_mode(account: Account, mode: PositionMode, *, trigger_waiting: bool) -> None:
    """Raises Refused while the account has an order, a waiting trigger or a position."""
    if account.open_orders or account.positions or trigger_waiting:
        raise Refused(Reason.ORDERS_IN_THE_WAY, "close positions and cancel orders first")
    account.position_mode = mode
    account.settings.clear()


def change_margin(exchange: Exchange, account: Account, position: Position, amount: Decimal) -> None:
    """Add to (or, negative, take from) the margin of an isolated position.

    Raises Refused for a cross position, too little money, or less margin left than its leverage asks.
    """
    if position.margin_mode is not MarginMode.ISOLATED:
        raise Refused(Reason.MARGIN_MODE_MISMATCH, "cross positions share their margin")
    if position.margin + amount < money(position.cost / position.leverage):
        raise Refused(Reason.BALANCE, f"margin {position.margin} cannot change by {amount}")
    _move_margin(exchange, account, position, amount)
    exchange.ledger.position(exchange.now_ms(), position)
    exchange.settle_down(exchange.market(position.symbol))


def _move_margin(exchange: Exchange, account: Account, position: Position, amount: Decimal) -> None:
    purse = exchange.settlement.purse(account, position.contract.settle)
    if amount > purse.available:
        raise Refused(Reason.BALANCE, f"{amount} {position.contract.settle} needed, {purse.available} available")
    position.margin += amount
    purse.margin += amount
    position.version += 1
    position.updated_ms = exchange.now_ms()
