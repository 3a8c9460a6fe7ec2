"""The names and numbers of MEXC's wire protocol: venues, hosts, channels and the integer codes of its fields.

Source: MEXC's contract API pages (market, account and trading, WebSocket), as of 2026-04.
"""

from enum import IntEnum, StrEnum

MEXC = "MEXC"
"""Venue and client id of the contracts."""
MEXC_SPOT = "MEXC_SPOT"
"""Venue and client id of the spot market, of which only trades are read."""

REST_URL = "https://api.mexc.com"
SOCKET_URL = "wss://contract.mexc.com/edge"
"""All contracts, public and private. The REST host has no such path."""
SPOT_REST_URL = "https://api.mexc.com"
SPOT_SOCKET_URL = "wss://wbs-api.mexc.com/ws"

API_KEY_VARIABLE = "MEXC_API_KEY"
API_SECRET_VARIABLE = "MEXC_API_SECRET"  # noqa: S105  # the name of a variable, not a secret

MAX_CLIENT_ID_LENGTH = 32
"""Longest ``externalOid``; a longer one is refused with code 2030."""
MAX_CANCEL_BATCH = 50
"""Most ids in one cancel."""
MAX_KLINES = 2000
"""Most rows in a reply of ``kline``."""
MAX_DEALS = 100
"""Most rows in a reply of ``deals``."""
MAX_PAGE_SIZE = 100
"""Most rows on a page of open orders or funding history."""


class Channel(StrEnum):
    """What ``channel`` of a pushed frame says."""

    DEAL = "push.deal"
    DEPTH = "push.depth"
    DEPTH_FULL = "push.depth.full"
    DEPTH_STEP = "push.depth.step"
    TICKER = "push.ticker"
    TICKERS = "push.tickers"
    KLINE = "push.kline"
    FUNDING_RATE = "push.funding.rate"
    INDEX_PRICE = "push.index.price"
    FAIR_PRICE = "push.fair.price"
    CONTRACT = "push.contract"
    PONG = "pong"
    ERROR = "rs.error"
    LOGIN = "rs.login"
    PERSONAL_FILTER = "rs.personal.filter"
    ORDER = "push.personal.order"
    ORDER_DEAL = "push.personal.order.deal"
    POSITION = "push.personal.position"
    ASSET = "push.personal.asset"
    PLAN_ORDER = "push.personal.plan.order"
    STOP_ORDER = "push.personal.stop.order"
    STOP_PLAN_ORDER = "push.personal.stop.planorder"
    POSITION_MODE = "push.personal.position.mode"
    LEVERAGE_MODE = "push.personal.leverage.mode"
    RISK_LIMIT = "push.personal.risk.limit"
    LIQUIDATE_RISK = "push.personal.liquidate.risk"


class KlineInterval(StrEnum):
    """Bars that the venue makes; the value is the wire's name."""

    MIN_1 = "Min1"
    MIN_5 = "Min5"
    MIN_15 = "Min15"
    MIN_30 = "Min30"
    HOUR_1 = "Min60"
    HOUR_4 = "Hour4"
    HOUR_8 = "Hour8"
    DAY_1 = "Day1"
    WEEK_1 = "Week1"
    MONTH_1 = "Month1"


class MexcOrderSide(IntEnum):
    OPEN_LONG = 1
    CLOSE_SHORT = 2
    OPEN_SHORT = 3
    CLOSE_LONG = 4


class MexcOrderType(IntEnum):
    LIMIT = 1
    POST_ONLY = 2
    IOC = 3
    FOK = 4
    MARKET = 5
    MARKET_TO_LIMIT = 6


class MexcMarginMode(IntEnum):
    """``openType``."""

    ISOLATED = 1
    CROSS = 2


class MexcPositionMode(IntEnum):
    HEDGE = 1
    ONE_WAY = 2


class MexcPositionType(IntEnum):
    LONG = 1
    SHORT = 2


class MexcPositionState(IntEnum):
    HOLDING = 1
    SYSTEM = 2
    CLOSED = 3


class MexcOrderState(IntEnum):
    PENDING = 1
    OPEN = 2
    """Also while partially filled: see ``dealVol``."""
    FILLED = 3
    CANCELLED = 4
    """May carry a ``dealVol`` above 0."""
    INVALID = 5


class MexcOrderCategory(IntEnum):
    NORMAL = 1
    LIQUIDATION = 2
    CUSTODY_CLOSE = 3
    ADL = 4
    DELIVERY = 5
    LIQUIDATION_HEDGE = 6


class MexcOrderErrorCode(IntEnum):
    """``errorCode`` of an order: why the venue ended it."""

    NONE = 0
    PARAMETER = 1
    BALANCE = 2
    NO_POSITION = 3
    POSITION_TOO_SMALL = 4
    POSITION_LIQUIDATION = 5
    ORDER_LIQUIDATION = 6
    RISK_LEVEL = 7
    SYSTEM_CANCEL = 8
    POSITION_MODE_MISMATCH = 9
    REDUCE_ONLY_LIQUIDATION = 10
    CONTRACT_OFF = 11
    DELIVERY = 12
    LIQUIDATION_CANCEL = 13
    ADL_CANCEL = 14
    BLACK_USER = 15
    FUNDING_CANCEL = 16
    MARGIN_CHANGE_CANCEL = 17
    IOC_CANCEL = 18
    FOK_CANCEL = 19
    POST_ONLY_CANCEL = 20
    MARKET_CANCEL = 21
    DUPLICATE_ORDER_ID = 22
    DUPLICATE_CLIENT_ID = 23
    OTHER = 999


class MexcTriggerType(IntEnum):
    """``triggerType`` of a plan order."""

    AT_OR_ABOVE = 1
    AT_OR_BELOW = 2


class MexcTriggerPrice(IntEnum):
    """``trend``: the price that is watched."""

    LAST = 1
    FAIR = 2
    INDEX = 3


class MexcPlanState(IntEnum):
    UNTRIGGERED = 1
    CANCELLED = 2
    EXECUTED = 3
    EXPIRED = 4
    FAILED = 5


class MexcExecuteCycle(IntEnum):
    """How long a plan order waits, as it is sent; rows come back in hours."""

    DAY = 1
    WEEK = 2


class MexcContractState(IntEnum):
    ENABLED = 0
    DELIVERY = 1
    DELIVERED = 2
    OFFLINE = 3
    PAUSED = 4


class MexcFutureType(IntEnum):
    PERPETUAL = 1
    DATED = 2


class MexcTakerSide(IntEnum):
    """``T`` of a trade."""

    BUY = 1
    SELL = 2
