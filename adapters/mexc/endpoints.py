"""Every REST endpoint that the adapter calls: method, path, rate limit, and what kind of request it is.

Source of the limits: MEXC contract API pages of 2026-04. They hold per endpoint and are not weighted.
"""

from dataclasses import dataclass
from enum import IntEnum, StrEnum


class Method(StrEnum):
    GET = "GET"
    POST = "POST"


class Priority(IntEnum):
    """Who goes first when requests wait: what takes risk away before what adds it."""

    CANCEL = 0
    CREATE = 1
    ACCOUNT = 2
    MARKET = 3


@dataclass(frozen=True)
class RateLimit:
    """At most `count` requests within any `seconds`."""

    count: int
    seconds: float


@dataclass(frozen=True)
class Endpoint:
    """One endpoint. Parts of `path` in braces are filled in per request and are not signed.

    `repeatable` ones only ask, and are repeated when no answer comes; the others change something and are sent once.
    `private` requests are signed.
    """

    name: str
    method: Method
    path: str
    limit: RateLimit
    priority: Priority
    private: bool
    repeatable: bool


_MARKET_LIMIT = RateLimit(20, 2.0)
_HEAVY_MARKET_LIMIT = RateLimit(10, 2.0)
_PRIVATE_LIMIT = RateLimit(20, 2.0)
_CREATE_LIMIT = RateLimit(4, 2.0)
_BATCH_QUERY_LIMIT = RateLimit(5, 2.0)
_LEVERAGE_LIMIT = RateLimit(10, 10.0)


def _market(path: str, limit: RateLimit = _MARKET_LIMIT) -> Endpoint:
    name = path.split("/{")[0]
    return Endpoint(
        name, Method.GET, f"/api/v1/contract/{path}", limit, Priority.MARKET, private=False, repeatable=True
    )


def _query(path: str, limit: RateLimit = _PRIVATE_LIMIT, method: Method = Method.GET) -> Endpoint:
    name = path.split("/{")[0]
    return Endpoint(name, method, f"/api/v1/private/{path}", limit, Priority.ACCOUNT, private=True, repeatable=True)


def _create(path: str, limit: RateLimit = _CREATE_LIMIT) -> Endpoint:
    return Endpoint(
        path, Method.POST, f"/api/v1/private/{path}", limit, Priority.CREATE, private=True, repeatable=False
    )


def _cancel(path: str) -> Endpoint:
    return Endpoint(
        path, Method.POST, f"/api/v1/private/{path}", _PRIVATE_LIMIT, Priority.CANCEL, private=True, repeatable=False
    )


PING = _market("ping")
CONTRACT_DETAIL = _market("detail", _HEAVY_MARKET_LIMIT)
SUPPORT_CURRENCIES = _market("support_currencies")
DEPTH = _market("depth/{symbol}", _HEAVY_MARKET_LIMIT)
DEPTH_COMMITS = _market("depth_commits/{symbol}/{limit}")
INDEX_PRICE = _market("index_price/{symbol}")
FAIR_PRICE = _market("fair_price/{symbol}")
FUNDING_RATE = _market("funding_rate/{symbol}")
FUNDING_RATES = _market("funding_rate")
FUNDING_HISTORY = _market("funding_rate/history")
KLINE = _market("kline/{symbol}")
DEALS = _market("deals/{symbol}")
TICKER = _market("ticker", _HEAVY_MARKET_LIMIT)

ACCOUNT_ASSETS = _query("account/assets")
ACCOUNT_ASSET = _query("account/asset/{currency}")
FEE_RATE = _query("account/tiered_fee_rate/v2")
RISK_LIMIT = _query("account/risk_limit")
OPEN_POSITIONS = _query("position/open_positions")
HISTORY_POSITIONS = _query("position/list/history_positions")
FUNDING_RECORDS = _query("position/funding_records")
LEVERAGE = _query("position/leverage")
POSITION_MODE = _query("position/position_mode")
ORDER_BY_ID = _query("order/get/{order_id}")
ORDER_BY_CLIENT_ID = _query("order/external/{symbol}/{external_oid}")
ORDERS_BY_ID = _query("order/batch_query", _BATCH_QUERY_LIMIT)
OPEN_ORDERS = _query("order/list/open_orders")
HISTORY_ORDERS = _query("order/list/history_orders")
ORDER_DEALS = _query("order/deal_details/{order_id}")
DEALS_OF_ACCOUNT = _query("order/list/order_deals/v3")
PLAN_ORDERS = _query("planorder/list/orders")
STOP_ORDERS = _query("stoporder/list/orders")
OPEN_STOP_ORDERS = _query("stoporder/open_orders")

CREATE_ORDER = _create("order/create")
CHANGE_ORDER = _create("order/change_limit_order")
CREATE_PLAN_ORDER = _create("planorder/place/v2")
CHANGE_PLAN_PRICE = _create("planorder/change_price")
CREATE_STOP_ORDER = _create("stoporder/place", _BATCH_QUERY_LIMIT)
CHANGE_STOP_ORDER = _create("stoporder/change_plan_price")
CHANGE_LEVERAGE = _create("position/change_leverage", _LEVERAGE_LIMIT)
CHANGE_POSITION_MODE = _create("position/change_position_mode", _PRIVATE_LIMIT)
CLOSE_ALL_POSITIONS = _create("position/close_all")

CANCEL_ORDERS = _cancel("order/cancel")
CANCEL_BY_CLIENT_ID = _cancel("order/cancel_with_external")
CANCEL_ALL_ORDERS = _cancel("order/cancel_all")
CANCEL_PLAN_ORDERS = _cancel("planorder/cancel")
CANCEL_ALL_PLAN_ORDERS = _cancel("planorder/cancel_all")
CANCEL_STOP_ORDERS = _cancel("stoporder/cancel")
CANCEL_ALL_STOP_ORDERS = _cancel("stoporder/cancel_all")
