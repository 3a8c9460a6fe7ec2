"""What a client sends to place an order, checked in MEXC's way and put into the engine's words."""

from decimal import Decimal
from typing import Any

from adapters.loopback.matching.account import Account, PositionMode
from adapters.loopback.matching.market import Market
from adapters.loopback.matching.order import Effect, Kind, MarginMode, NewOrder, SelfTrade, Side
from adapters.loopback.mexc.codes import (
    ID_TOO_LONG,
    KINDS,
    MARGIN_MODES,
    PARAMETER,
    POSITION_MODE_CODES,
    POSITION_MODE_MISMATCH,
    POSITION_MODES,
    SIDES,
    WRONG_OPEN_TYPE,
    WRONG_SIDE,
    WRONG_TYPE,
    ApiError,
)
from adapters.loopback.mexc.venue import Venue
from adapters.loopback.mexc.wire import integer, number, required, text

LONGEST_ID = 32
ID_ALPHABET = frozenset("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_-")
WRONG_POSITION_TYPE = 2022


def new_order(venue: Venue, account: Account, fields: dict[str, Any], *, type_key: str = "type") -> NewOrder:
    """The order that `fields` ask for. Raises ApiError with the venue's code for what is wrong.

    `type_key` is where the order type stands: `orderType` in trigger orders.
    """
    market = venue.market(required(text(fields, "symbol") or None, "symbol"))
    kind_code = required(integer(fields, type_key), type_key)
    kind = KINDS.get(kind_code)
    if kind is None:
        raise ApiError(WRONG_TYPE)
    side, effect = _side(venue, account, market, fields)
    mode, leverage = margin_mode(integer(fields, "openType")), integer(fields, "leverage")
    if mode is MarginMode.ISOLATED and effect is Effect.OPEN:
        required(leverage, "leverage")
    price = None if kind is Kind.MARKET else number(fields, "price")
    if kind_code == 5 and venue.assumptions.market_order_needs_price:
        required(number(fields, "price"), "price")
    return NewOrder(
        account.id,
        market.symbol,
        side,
        effect,
        kind,
        required(number(fields, "vol"), "vol"),
        price,
        mode,
        leverage,
        _client_id(fields),
        _self_trade(fields),
        stop_loss=_positive(fields, "stopLossPrice"),
        take_profit=_positive(fields, "takeProfitPrice"),
        extras=_extras(account, fields, kind_code),
    )


def margin_mode(code: int | None) -> MarginMode:
    """Raises ApiError for a code that is neither isolated nor cross."""
    mode = MARGIN_MODES.get(code or 0)
    if mode is None:
        raise ApiError(WRONG_OPEN_TYPE)
    return mode


def _side(venue: Venue, account: Account, market: Market, fields: dict[str, Any]) -> tuple[Side, Effect]:
    mode = integer(fields, "positionMode")
    if mode is not None and POSITION_MODES.get(mode) is not account.position_mode:
        raise ApiError(POSITION_MODE_MISMATCH)
    words = SIDES.get(integer(fields, "side") or 0)
    if words is None:
        raise ApiError(WRONG_SIDE)
    side, effect = words
    if fields.get("reduceOnly"):
        if account.position_mode is PositionMode.HEDGE:
            raise ApiError(PARAMETER, "reduceOnly is for one-way mode")
        effect = Effect.CLOSE
    against = account.position(market.symbol, side.opposite)
    one_way = account.position_mode is PositionMode.ONE_WAY
    if effect is Effect.OPEN and one_way and against is not None and not venue.assumptions.nets_in_one_way:
        raise ApiError(WRONG_POSITION_TYPE, "Position type error")
    return side, effect


def _client_id(fields: dict[str, Any]) -> str:
    client_id = text(fields, "externalOid")
    if len(client_id) > LONGEST_ID:
        raise ApiError(ID_TOO_LONG)
    if not set(client_id) <= ID_ALPHABET:
        raise ApiError(PARAMETER, "externalOid has letters that are not allowed")
    return client_id


def _self_trade(fields: dict[str, Any]) -> SelfTrade:
    code = integer(fields, "stpMode") or 0
    if code not in set(SelfTrade):
        raise ApiError(PARAMETER, "stpMode is unknown")
    return SelfTrade(code)


def _positive(fields: dict[str, Any], key: str) -> Decimal | None:
    value = number(fields, key)
    return value if value else None


def _extras(account: Account, fields: dict[str, Any], kind_code: int) -> dict[str, int]:
    extras = {"type": kind_code, "positionMode": POSITION_MODE_CODES[account.position_mode]}
    if account.position_mode is PositionMode.ONE_WAY:
        extras["reduceOnly"] = int(bool(fields.get("reduceOnly")))
    return extras
