"""Orders, fills, positions and assets as MEXC writes them, by REST and as private pushes."""

from decimal import Decimal
from typing import Any

from adapters.loopback.matching.account import Account
from adapters.loopback.matching.ledger import AssetEntry, FillEntry
from adapters.loopback.matching.market import Market
from adapters.loopback.matching.order import ZERO, MarginMode, Order, Side
from adapters.loopback.matching.position import Position
from adapters.loopback.mexc.codes import (
    END_CODES,
    KIND_CODES,
    MARGIN_MODE_CODES,
    NORMAL_CATEGORY,
    POSITION_MODE_CODES,
    POSITION_TYPE_CODES,
    SIDE_CODES,
    STATE_CODES,
)
from adapters.loopback.mexc.wire import plain

PRICE_PLACES = Decimal("1E-12")
SCALED = Decimal("1E-18")
MARGIN_PLACES = Decimal("1E-8")


def order_row(order: Order, account: Account, market: Market) -> dict[str, Any]:
    """An order as REST answers it."""
    request = order.request
    row = {
        "orderId": str(order.id),
        "symbol": request.symbol,
        "positionId": order.position_id,
        "price": plain(order.price),
        "priceStr": f"{order.price.quantize(SCALED):f}",
        "vol": plain(order.vol),
        "leverage": order.leverage,
        "side": SIDE_CODES[request.side, request.effect],
        "category": NORMAL_CATEGORY,
        "orderType": order_type(order),
        "dealAvgPrice": _average(order.average_price),
        "dealAvgPriceStr": f"{order.average_price.quantize(SCALED):f}",
        "dealVol": plain(order.filled),
        "orderMargin": plain(order.margin),
        "takerFee": plain(order.taker_fees),
        "makerFee": plain(order.maker_fees),
        "profit": plain(order.profit),
        "feeCurrency": market.contract.settle,
        "openType": MARGIN_MODE_CODES[request.margin_mode],
        "state": STATE_CODES[order.state],
        "externalOid": request.client_id,
        "errorCode": END_CODES[order.end] if order.end is not None else 0,
        "usedMargin": plain(order.used_margin),
        "createTime": order.created_ms,
        "updateTime": order.updated_ms,
        "positionMode": position_mode_of(order, account),
    }
    if "reduceOnly" in request.extras:
        row["reduceOnly"] = bool(request.extras["reduceOnly"])
    return row | {
        "version": order.version,
        "showCancelReason": int(order.end is not None),
        "showProfitRateShare": 0,
        "bboTypeNum": 0,
        "totalFee": plain(order.taker_fees + order.maker_fees),
        "zeroSaveTotalFeeBinance": 0,
        "zeroTradeTotalFeeBinance": 0,
    }


REST_ONLY = (
    "priceStr", "dealAvgPriceStr", "showCancelReason", "showProfitRateShare", "totalFee", "zeroSaveTotalFeeBinance",
    "zeroTradeTotalFeeBinance",
)  # fmt: skip


def order_push(order: Order, account: Account, market: Market) -> dict[str, Any]:
    """The data of `push.personal.order`."""
    row = {key: value for key, value in order_row(order, account, market).items() if key not in REST_ONLY}
    return row | {
        "remainVol": plain(order.remaining),
        "bizSource": 1,
        "makerFeeRate": plain(market.contract.maker_fee),
        "takerFeeRate": plain(market.contract.taker_fee),
        "sideType": "buy" if order.request.side is Side.BUY else "sell",
        "positionType": "long" if SIDE_CODES[order.request.side, order.request.effect] in (1, 4) else "short",
    }


def order_type(order: Order) -> int:
    """The type code as it was sent."""
    return order.request.extras.get("type", KIND_CODES[order.request.kind])


def position_mode_of(order: Order, account: Account) -> int:
    return order.request.extras.get("positionMode", POSITION_MODE_CODES[account.position_mode])


def deal_row(fill: FillEntry, account: Account) -> dict[str, Any]:
    """A fill as REST answers it; `taker` is the name on the wire, `isTaker` that of the documentation."""
    return {
        "id": str(fill.id),
        "symbol": fill.symbol,
        "side": SIDE_CODES[fill.side, fill.effect],
        "vol": plain(fill.vol),
        "price": plain(fill.price),
        "feeCurrency": fill.currency,
        "fee": plain(fill.fee),
        "timestamp": fill.ts_ms,
        "profit": plain(fill.profit),
        "category": NORMAL_CATEGORY,
        "orderId": str(fill.order_id),
        "positionMode": POSITION_MODE_CODES[account.position_mode],
        "taker": not fill.maker,
    }


def deal_push(fill: FillEntry, account: Account) -> dict[str, Any]:
    """The data of `push.personal.order.deal`."""
    return deal_row(fill, account) | {"externalOid": fill.client_id, "isSelf": fill.self_trade}


def position_row(position: Position, market: Market, spare: Decimal) -> dict[str, Any]:
    """A position as REST answers it; `spare` is money beyond its margin that stands in for it (cross)."""
    entry, opened = position.entry_price or position.open_price, position.open_price
    margin = plain(position.margin)
    return {
        "positionId": position.id,
        "symbol": position.symbol,
        "positionType": POSITION_TYPE_CODES[position.side],
        "openType": MARGIN_MODE_CODES[position.margin_mode],
        "state": 1 if position.is_open else 3,
        "holdVol": plain(position.vol),
        "frozenVol": plain(position.frozen),
        "closeVol": plain(position.closed_vol),
        "holdAvgPrice": _average(entry),
        "holdAvgPriceFullyScale": f"{entry.quantize(SCALED).normalize():f}",
        "openAvgPrice": _average(opened),
        "openAvgPriceFullyScale": f"{opened.quantize(SCALED).normalize():f}",
        "closeAvgPrice": _average(position.close_price),
        "liquidatePrice": _on_grid(position.liquidation_price(spare), market),
        "oim": margin,
        "im": margin,
        "holdFee": plain(position.funding),
        "realised": plain(position.realised),
        "leverage": position.leverage,
        "marginRatio": _margin_ratio(position, market),
        "createTime": position.created_ms,
        "updateTime": position.updated_ms,
        "autoAddIm": position.auto_add_margin,
        "version": position.version,
        "profitRatio": 0,
        "newOpenAvgPrice": _average(opened),
        "newCloseAvgPrice": _average(position.close_price),
        "closeProfitLoss": plain(position.profit),
        "fee": plain(-position.fees),
        "deductFeeList": [],
        "totalFee": plain(position.fees),
        "zeroSaveTotalFeeBinance": 0,
        "zeroTradeTotalFeeBinance": 0,
    }


POSITION_REST_ONLY = (
    "holdAvgPriceFullyScale", "openAvgPriceFullyScale", "profitRatio", "newOpenAvgPrice", "newCloseAvgPrice",
    "totalFee", "zeroSaveTotalFeeBinance", "zeroTradeTotalFeeBinance",
)  # fmt: skip


def position_push(position: Position, market: Market, spare: Decimal) -> dict[str, Any]:
    """The data of `push.personal.position`."""
    row = {k: v for k, v in position_row(position, market, spare).items() if k not in POSITION_REST_ONLY}
    profit = position.unrealised(market.fair) if market.fair is not None else ZERO
    return row | {"adlLevel": 0, "pnl": plain(profit.quantize(MARGIN_PLACES))}


def asset_row(account: Account, currency: str, unrealised: Decimal) -> dict[str, Any]:
    """A purse as REST answers it. What counts as cash here is what could be drawn."""
    purse = account.purses[currency]
    available = plain(purse.available)
    return {
        "currency": currency,
        "positionMargin": plain(purse.margin),
        "availableBalance": available,
        "cashBalance": available,
        "frozenBalance": plain(purse.frozen),
        "equity": plain(purse.cash + unrealised),
        "unrealized": plain(unrealised),
        "bonus": 0,
        "availableCash": available,
        "availableOpen": available,
        "debtAmount": 0,
        "contributeMarginAmount": 0,
    }


def asset_push(entry: AssetEntry) -> dict[str, Any]:
    """The data of `push.personal.asset`."""
    return {
        "availableBalance": plain(entry.cash - entry.frozen - entry.margin),
        "bonus": 0,
        "currency": entry.currency,
        "frozenBalance": plain(entry.frozen),
        "positionMargin": plain(entry.margin),
    }


def spare_money(account: Account, position: Position) -> Decimal:
    """What stands in for a position beyond its own margin: all that is free, for cross; nothing, for isolated."""
    if position.margin_mode is MarginMode.ISOLATED:
        return ZERO
    return max(ZERO, account.purses[position.contract.settle].available)


def _average(price: Decimal) -> Decimal:
    return plain(price.quantize(PRICE_PLACES))


def _on_grid(price: Decimal, market: Market) -> Decimal:
    return plain((price / market.contract.tick).to_integral_value() * market.contract.tick)


def _margin_ratio(position: Position, market: Market) -> Decimal:
    """Maintenance margin against what the position is worth now; 0 when flat."""
    if not position.is_open or market.fair is None:
        return ZERO
    held = position.margin + position.unrealised(market.fair)
    needed = market.contract.notional(market.fair, position.vol) * market.contract.maintenance_margin
    return plain((needed / held).quantize(Decimal("1E-4"))) if held > 0 else Decimal(1)
