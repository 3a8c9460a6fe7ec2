"""The endpoints of money, fees, risk limits, positions and their settings."""

from decimal import Decimal
from typing import Any

from adapters.loopback.matching import settings
from adapters.loopback.matching.ledger import FundingEntry
from adapters.loopback.matching.order import ZERO, Effect, Kind, MarginMode, NewOrder, Reason, Side
from adapters.loopback.matching.position import Position
from adapters.loopback.mexc.calls import NO_DATA, Call, Route, page, paginated
from adapters.loopback.mexc.codes import (
    MARGIN_MODE_CODES,
    PARAMETER,
    POSITION_MODE_CODES,
    POSITION_MODES,
    POSITION_TYPE_CODES,
    POSITION_TYPES,
    REFUSALS,
    RISK_LIMIT_OFF,
    ApiError,
)
from adapters.loopback.mexc.limits import CREATE, LEVERAGE, PRIVATE
from adapters.loopback.mexc.listing import risk_levels
from adapters.loopback.mexc.order_fields import margin_mode
from adapters.loopback.mexc.rows import asset_row, position_row, spare_money
from adapters.loopback.mexc.wire import integer, number, plain, required, text

PREFIX = "/api/v1/private"
READS_ACCOUNT, CHANGES_ACCOUNT, READS_TRADES, TRADES = 701, 702, 703, 704
UNKNOWN_CURRENCY = 4001
WRONG_POSITION_TYPE = 2022


def assets(call: Call) -> list[dict[str, Any]]:
    return [_asset(call, currency) for currency in call.account.purses]


def asset(call: Call) -> dict[str, Any]:
    currency = call.path["currency"]
    if currency not in call.account.purses:
        raise ApiError(UNKNOWN_CURRENCY, "Currency is not supported")
    return _asset(call, currency)


def tiered_fee_rate(call: Call) -> dict[str, Any]:
    """What the account pays: the real rates are those of the engine, the original ones those of the web."""
    listing = call.venue.listing(call.query.get("symbol", ""))
    contract = listing.contract
    return {
        "symbol": contract.symbol,
        "joinDiscount": False,
        "enjoyDiscount": False,
        "discountRate": 0,
        "joinDeduct": False,
        "enjoyDeduct": False,
        "deductRate": 0,
        "originalMakerFee": plain(listing.web_maker_fee),
        "originalTakerFee": plain(listing.web_taker_fee),
        "realMakerFee": plain(contract.maker_fee),
        "realTakerFee": plain(contract.taker_fee),
        "dealAmount": 0,
        "walletBalance": plain(call.account.purses[contract.settle].available),
        "inviterKyc": "",
        "level": 0,
        "feeType": 0,
        "agentFee": False,
        "feeRateMode": "NORMAL",
        "leverageFeeRates": [],
        "tieredFeeRates": [],
    }


def fee_rates(call: Call) -> list[dict[str, Any]]:
    """The web's rates of one contract or of all."""
    symbol = call.query.get("symbol")
    listings = [call.venue.listing(symbol)] if symbol else list(call.venue.listings.values())
    return [
        {
            "symbol": listing.contract.symbol,
            "takerFeeRate": plain(listing.web_taker_fee),
            "makerFeeRate": plain(listing.web_maker_fee),
        }
        for listing in listings
    ]


def risk_limit(call: Call) -> dict[str, Any]:
    """By symbol: the level in force for each side."""
    symbol = call.query.get("symbol")
    names = [call.venue.listing(symbol).contract.symbol] if symbol else list(call.venue.listings)
    sides = (Side.SELL, Side.BUY)
    return {name: [_risk_row(call, name, side) | _of_symbol(call, name) for side in sides] for name in names}


def change_risk_level(call: Call) -> Any:
    raise ApiError(RISK_LIMIT_OFF)


def open_positions(call: Call) -> list[dict[str, Any]]:
    symbol, position_id = call.query.get("symbol"), integer(call.query, "positionId")
    return [
        _position(call, position)
        for position in call.account.positions
        if (not symbol or position.symbol == symbol) and position_id in (None, position.id)
    ]


def history_positions(call: Call) -> list[dict[str, Any]]:
    """Closed ones, newest first; a bare list."""
    symbol, code = call.query.get("symbol"), integer(call.query, "type")
    closed = [
        position
        for position in reversed(call.account.closed_positions)
        if (not symbol or position.symbol == symbol) and code in (None, POSITION_TYPE_CODES[position.side])
    ]
    return [_position(call, position) for position in page(call, closed)]


def funding_records(call: Call) -> dict[str, Any]:
    """What funding gave and took, newest first."""
    symbol, position_id = call.query.get("symbol"), integer(call.query, "position_id")
    rows = [
        {
            "id": entry.id,
            "symbol": entry.symbol,
            "positionType": POSITION_TYPE_CODES[entry.side],
            "positionValue": plain(entry.worth),
            "funding": plain(entry.amount),
            "rate": plain(entry.rate),
            "settleTime": entry.ts_ms,
        }
        for entry in call.venue.exchange.ledger.of(FundingEntry, call.account_id)
        if (not symbol or entry.symbol == symbol) and position_id in (None, entry.position_id)
    ]
    return paginated(call, rows[::-1])


def leverage(call: Call) -> list[dict[str, Any]]:
    """Two rows: long, short."""
    contract = call.venue.listing(call.query.get("symbol", "")).contract
    view = {"maxLeverageView": contract.max_leverage}
    return [_risk_row(call, contract.symbol, side) | view for side in (Side.BUY, Side.SELL)]


def change_leverage(call: Call) -> Any:
    """With `positionId`, or with symbol, openType and positionType."""
    value = required(integer(call.fields, "leverage"), "leverage")
    position_id = integer(call.fields, "positionId")
    if position_id is not None:
        position = _own_position(call, position_id)
        symbol, side, mode = position.symbol, position.side, position.margin_mode
    else:
        symbol = call.venue.market(text(call.fields, "symbol")).symbol
        side = _position_side(call)
        mode = margin_mode(integer(call.fields, "openType"))
    settings.set_leverage(call.venue.exchange, call.account, symbol, side, value, mode)
    return NO_DATA


def position_mode(call: Call) -> int:
    return POSITION_MODE_CODES[call.account.position_mode]


def change_position_mode(call: Call) -> Any:
    mode = POSITION_MODES.get(required(integer(call.fields, "positionMode"), "positionMode"))
    if mode is None:
        raise ApiError(PARAMETER, "positionMode is 1 or 2")
    waiting = bool(call.venue.exchange.triggers.waiting(call.account_id))
    settings.set_position_mode(call.account, mode, trigger_waiting=waiting)
    call.venue.tell_position_mode(call.account_id, POSITION_MODE_CODES[mode])
    return NO_DATA


def change_margin(call: Call) -> Any:
    """`type` ADD or SUB."""
    position = _own_position(call, required(integer(call.fields, "positionId"), "positionId"))
    amount = required(number(call.fields, "amount"), "amount")
    kind = text(call.fields, "type")
    if kind not in ("ADD", "SUB") or amount <= 0:
        raise ApiError(PARAMETER, "type is ADD or SUB, amount is positive")
    settings.change_margin(call.venue.exchange, call.account, position, amount if kind == "ADD" else -amount)
    return NO_DATA


def change_auto_add_margin(call: Call) -> Any:
    """Only noted: no margin is ever added by itself here."""
    position = _own_position(call, required(integer(call.fields, "positionId"), "positionId"))
    position.auto_add_margin = bool(call.fields.get("isEnabled"))
    return NO_DATA


def close_all(call: Call) -> Any:
    """Close every position at market, first cancelling what closes it already."""
    exchange = call.venue.exchange
    for position in list(call.account.positions):
        for order in list(call.account.orders(position.symbol)):
            if order.request.effect is Effect.CLOSE and order.request.side is position.side.opposite:
                exchange.cancel(call.account_id, order.id)
        request = NewOrder(
            call.account_id, position.symbol, position.side.opposite, Effect.CLOSE, Kind.MARKET, position.vol,
            margin_mode=position.margin_mode, client_id=call.venue.make_client_id(),
        )  # fmt: skip
        exchange.submit(request)
    return NO_DATA


def _asset(call: Call, currency: str) -> dict[str, Any]:
    fair = {p.symbol: call.venue.exchange.markets[p.symbol].fair or p.entry_price for p in call.account.positions}
    return asset_row(call.account, currency, call.account.unrealised(currency, fair))


def _position(call: Call, position: Position) -> dict[str, Any]:
    market = call.venue.exchange.markets[position.symbol]
    return position_row(position, market, spare_money(call.account, position))


def _own_position(call: Call, position_id: int) -> Position:
    position = next((p for p in call.account.positions if p.id == position_id), None)
    if position is None:
        raise ApiError(*REFUSALS[Reason.NO_POSITION])
    return position


def _position_side(call: Call) -> Side:
    side = POSITION_TYPES.get(integer(call.fields, "positionType") or 0)
    if side is None:
        raise ApiError(WRONG_POSITION_TYPE, "Position type error")
    return side


def _of_symbol(call: Call, symbol: str) -> dict[str, Any]:
    return {"symbol": symbol, "maxLeverage": call.venue.listings[symbol].contract.max_leverage}


def _risk_row(call: Call, symbol: str, side: Side) -> dict[str, Any]:
    """The risk level of what is held on a side, and the leverage that its orders use."""
    contract = call.venue.exchange.markets[symbol].contract
    position, setting = call.account.position(symbol, side), call.account.setting(symbol, side)
    held = position.vol if position is not None else ZERO
    levels = risk_levels(contract)
    level = next((row for row in levels if held <= Decimal(row["maxVol"])), levels[-1])
    mode: MarginMode = position.margin_mode if position is not None else setting.margin_mode
    return {
        "level": level["level"],
        "maxVol": level["maxVol"],
        "mmr": level["mmr"],
        "imr": level["imr"],
        "positionType": POSITION_TYPE_CODES[side],
        "openType": MARGIN_MODE_CODES[mode],
        "leverage": position.leverage if position is not None else setting.leverage,
        "limitBySys": False,
        "currentMmr": level["mmr"],
    }


ROUTES = (
    Route("GET", f"{PREFIX}/account/assets", assets, PRIVATE, READS_ACCOUNT),
    Route("GET", f"{PREFIX}/account/asset/{{currency}}", asset, PRIVATE, READS_ACCOUNT),
    Route("GET", f"{PREFIX}/account/tiered_fee_rate", tiered_fee_rate, PRIVATE, READS_ACCOUNT),
    Route("GET", f"{PREFIX}/account/tiered_fee_rate/v2", tiered_fee_rate, PRIVATE, READS_ACCOUNT),
    Route("GET", f"{PREFIX}/account/contract/fee_rate", fee_rates, PRIVATE, READS_ACCOUNT),
    Route("GET", f"{PREFIX}/account/risk_limit", risk_limit, PRIVATE, READS_TRADES),
    Route("POST", f"{PREFIX}/account/change_risk_level", change_risk_level, PRIVATE, CHANGES_ACCOUNT),
    Route("GET", f"{PREFIX}/position/open_positions", open_positions, PRIVATE, READS_TRADES),
    Route("GET", f"{PREFIX}/position/list/history_positions", history_positions, PRIVATE, READS_TRADES),
    Route("GET", f"{PREFIX}/position/funding_records", funding_records, PRIVATE, READS_TRADES),
    Route("GET", f"{PREFIX}/position/leverage", leverage, PRIVATE, READS_TRADES),
    Route("POST", f"{PREFIX}/position/change_leverage", change_leverage, LEVERAGE, TRADES),
    Route("GET", f"{PREFIX}/position/position_mode", position_mode, PRIVATE, READS_TRADES),
    Route("POST", f"{PREFIX}/position/change_position_mode", change_position_mode, PRIVATE, TRADES),
    Route("POST", f"{PREFIX}/position/change_margin", change_margin, PRIVATE, TRADES),
    Route("POST", f"{PREFIX}/position/change_auto_add_im", change_auto_add_margin, PRIVATE, TRADES),
    Route("POST", f"{PREFIX}/position/close_all", close_all, CREATE, TRADES),
)
