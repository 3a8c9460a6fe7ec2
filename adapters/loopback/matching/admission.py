"""Whether an order may enter, and what is set aside for it. Nothing is changed here."""

from dataclasses import dataclass
from decimal import ROUND_DOWN, ROUND_UP, Decimal

from adapters.loopback.matching.account import Account, PositionMode
from adapters.loopback.matching.contract import Contract, money
from adapters.loopback.matching.market import Market
from adapters.loopback.matching.order import ZERO, Effect, Kind, NewOrder, Reason, Refused, Side

MAX_OPEN_ORDERS = 200
"""Of one account in one contract."""


@dataclass(frozen=True)
class Admission:
    """What an accepted order enters with. `margin` (settlement currency) is set aside, `price` limits its trades."""

    price: Decimal
    leverage: int
    margin: Decimal


def admit(request: NewOrder, market: Market, account: Account) -> Admission:
    """Check a request against contract, book and account. Raises Refused with the reason."""
    contract = market.contract
    if not contract.tradable:
        raise Refused(Reason.NOT_TRADABLE, contract.symbol)
    check_volume(contract, request.kind, request.vol)
    price = _price(request, market)
    _check_client_id(request, account)
    _check_protection(request, contract)
    if sum(1 for _ in account.orders(request.symbol)) >= MAX_OPEN_ORDERS:
        raise Refused(Reason.TOO_MANY_ORDERS, f"{MAX_OPEN_ORDERS} in {request.symbol}")
    if request.effect is Effect.CLOSE:
        return Admission(price, _check_close(request, account), ZERO)
    leverage = _check_open(request, contract, account)
    return Admission(price, leverage, opening_margin(request, market, account, price, leverage))


def check_volume(contract: Contract, kind: Kind, vol: Decimal) -> None:
    """Raises Refused where the volume is out of bounds or off its step."""
    largest = contract.max_vol if kind is Kind.MARKET else contract.limit_max_vol
    if not contract.min_vol <= vol <= largest:
        raise Refused(Reason.VOLUME, f"{vol} is not within {contract.min_vol} to {largest}")
    if not contract.on_step(vol):
        raise Refused(Reason.PRECISION, f"volume {vol} is no multiple of {contract.step}")


def check_price(market: Market, side: Side, price: Decimal) -> None:
    """Raises Refused where a limit price is missing, off its tick or beyond the band around the fair price."""
    if price <= 0:
        raise Refused(Reason.PRICE, str(price))
    if not market.contract.on_tick(price):
        raise Refused(Reason.PRECISION, f"price {price} is no multiple of {market.contract.tick}")
    reference = market.reference()
    if reference is None:
        return
    band = market.contract.price_band
    if side is Side.BUY and price > reference * (1 + band):
        raise Refused(Reason.PRICE_TOO_HIGH, f"{price} against {reference}")
    if side is Side.SELL and price < reference * (1 - band):
        raise Refused(Reason.PRICE_TOO_LOW, f"{price} against {reference}")


def _price(request: NewOrder, market: Market) -> Decimal:
    if request.kind is Kind.MARKET:
        return protection_price(market, request.side)
    if request.price is None:
        raise Refused(Reason.PRICE, "a limit order needs one")
    check_price(market, request.side, request.price)
    return request.price


def protection_price(market: Market, side: Side) -> Decimal:
    """The worst price of a market order: the best price and the market band beyond it; 0 where nothing is offered."""
    best = market.best(side.opposite)
    if best is None:
        return ZERO
    contract = market.contract
    rounding = ROUND_DOWN if side is Side.BUY else ROUND_UP  # never beyond the band
    ticks = (best * (1 + side * contract.market_band) / contract.tick).to_integral_value(rounding)
    return ticks * contract.tick


def _check_client_id(request: NewOrder, account: Account) -> None:
    if request.client_id and (request.symbol, request.client_id) in account.client_ids:
        raise Refused(Reason.DUPLICATE_ID, request.client_id)


def _check_close(request: NewOrder, account: Account) -> int:
    position = account.position(request.symbol, request.side.opposite)
    if position is None:
        raise Refused(Reason.NO_POSITION, request.symbol)
    if request.vol > position.closable:
        raise Refused(Reason.CLOSE_TOO_MUCH, f"{request.vol} asked, {position.closable} can be closed")
    return position.leverage


def _check_open(request: NewOrder, contract: Contract, account: Account) -> int:
    leverage = request.leverage
    if leverage is None:
        leverage = account.setting(request.symbol, request.side).leverage
    if not 1 <= leverage <= contract.max_leverage:
        raise Refused(Reason.LEVERAGE, f"{leverage} is not within 1 to {contract.max_leverage}")
    position = account.position(request.symbol, request.side)
    if position is None:
        return leverage
    if position.margin_mode is not request.margin_mode:
        raise Refused(Reason.MARGIN_MODE_MISMATCH, f"position is {position.margin_mode}")
    if position.leverage != leverage:
        raise Refused(Reason.LEVERAGE_MISMATCH, f"{leverage} asked, position has {position.leverage}")
    return leverage


def _check_protection(request: NewOrder, contract: Contract) -> None:
    for price in (request.stop_loss, request.take_profit):
        if price is not None and (price <= 0 or not contract.on_tick(price)):
            raise Refused(Reason.TRIGGER_PRICE, f"{price} in steps of {contract.tick}")


def opening_margin(request: NewOrder, market: Market, account: Account, price: Decimal, leverage: int) -> Decimal:
    """Margin and taker fee of what the order can open, at the dearest price that it can trade at.

    Raises Refused where the account has not that much free.
    """
    contract, vol = market.contract, request.vol
    if account.position_mode is PositionMode.ONE_WAY:
        opposite = account.position(request.symbol, request.side.opposite)
        vol = max(ZERO, vol - opposite.vol) if opposite is not None else vol
    if request.side is Side.SELL:  # a seller may trade above its limit
        price = max(price, market.best(Side.BUY) or ZERO)
    worth = contract.notional(price, vol)
    margin = money(worth / leverage + worth * max(ZERO, contract.taker_fee))
    available = account.purses[contract.settle].available
    if margin > available:
        raise Refused(Reason.BALANCE, f"{margin} {contract.settle} needed, {available} available")
    return margin
