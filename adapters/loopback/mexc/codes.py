"""MEXC's numbers and the engine's words: sides, types, modes, states, and the codes of refusals."""

from adapters.loopback.matching.account import PositionMode
from adapters.loopback.matching.order import Effect, End, Kind, MarginMode, Reason, Side, State
from adapters.loopback.matching.triggers import PriceKind, TriggerState

SIDES = {
    1: (Side.BUY, Effect.OPEN),
    2: (Side.BUY, Effect.CLOSE),
    3: (Side.SELL, Effect.OPEN),
    4: (Side.SELL, Effect.CLOSE),
}
SIDE_CODES = {words: code for code, words in SIDES.items()}

KINDS = {1: Kind.LIMIT, 2: Kind.POST_ONLY, 3: Kind.IOC, 4: Kind.FOK, 5: Kind.MARKET, 6: Kind.MARKET}
"""6 is the older "market to limit at the current price"; here it trades as 5, and reads back as it was sent."""
KIND_CODES = {Kind.LIMIT: 1, Kind.POST_ONLY: 2, Kind.IOC: 3, Kind.FOK: 4, Kind.MARKET: 5}

MARGIN_MODES = {1: MarginMode.ISOLATED, 2: MarginMode.CROSS}
MARGIN_MODE_CODES = {mode: code for code, mode in MARGIN_MODES.items()}

POSITION_MODES = {1: PositionMode.HEDGE, 2: PositionMode.ONE_WAY}
POSITION_MODE_CODES = {mode: code for code, mode in POSITION_MODES.items()}

POSITION_TYPES = {1: Side.BUY, 2: Side.SELL}
POSITION_TYPE_CODES = {side: code for code, side in POSITION_TYPES.items()}

STATE_CODES = {State.OPEN: 2, State.FILLED: 3, State.CANCELLED: 4}
NORMAL_CATEGORY = 1
"""Of orders and fills. Liquidation and ADL, which have others, do not happen here."""

PRICE_KINDS = {1: PriceKind.LAST, 2: PriceKind.FAIR, 3: PriceKind.INDEX}
PRICE_KIND_CODES = {kind: code for code, kind in PRICE_KINDS.items()}

TRIGGER_STATE_CODES = {
    TriggerState.WAITING: 1,
    TriggerState.CANCELLED: 2,
    TriggerState.FIRED: 3,
    TriggerState.EXPIRED: 4,
    TriggerState.FAILED: 5,
}

END_CODES = {
    End.BY_USER: 0,
    End.IOC: 18,
    End.FOK: 19,
    End.POST_ONLY: 20,
    End.MARKET: 21,
    End.NO_POSITION: 4,
    End.SELF_TRADE: 8,
}
"""`errorCode` of a cancelled order."""

OK = 0
INTERNAL = 500
UNAUTHORIZED = 401
TOO_FREQUENT = 510
NO_ACCESS = 511
OUT_OF_TIME = 513
PARAMETER = 600
BAD_SIGNATURE = 602
WRONG_SIDE = 2001
WRONG_OPEN_TYPE = 2002
TOO_MANY_CANCELS = 2013
TOO_MANY_IN_BATCH = 2014
WRONG_TYPE = 2029
ID_TOO_LONG = 2030
TOO_MANY_QUERIED = 2034
NO_STOP_PRICES = 5001
NO_STOP_ORDER = 5002
POSITION_MODE_MISMATCH = 7002
RISK_LIMIT_OFF = 8817

MESSAGES = {
    INTERNAL: "Internal error",
    UNAUTHORIZED: "Not logged in",
    TOO_FREQUENT: "Requests are too frequent",
    NO_ACCESS: "No permission to access the endpoint",
    OUT_OF_TIME: "Request is out of its time window",
    PARAMETER: "Parameter error",
    BAD_SIGNATURE: "Confirming signature failed",
    WRONG_SIDE: "Order side error",
    WRONG_OPEN_TYPE: "Opening type error",
    TOO_MANY_CANCELS: "Too many orders to cancel",
    TOO_MANY_IN_BATCH: "Too many orders in the batch",
    WRONG_TYPE: "Order type error",
    ID_TOO_LONG: "External order id too long",
    TOO_MANY_QUERIED: "Too many orders queried",
    NO_STOP_PRICES: "Stop loss and take profit are both missing",
    NO_STOP_ORDER: "Stop order does not exist or is closed",
    POSITION_MODE_MISMATCH: "Position mode mis match",
    RISK_LIMIT_OFF: "Changing the risk level is switched off",
}

REFUSALS: dict[Reason, tuple[int, str]] = {
    Reason.NO_CONTRACT: (1001, "Contract does not exist"),
    Reason.NOT_TRADABLE: (1002, "Contract not allow place order!"),
    Reason.PRICE_TOO_HIGH: (2003, "Buy price too high"),
    Reason.PRICE_TOO_LOW: (2004, "Sell price too low"),
    Reason.BALANCE: (2005, "Balance insufficient"),
    Reason.LEVERAGE: (2006, "Leverage error"),
    Reason.PRICE: (2007, "Order price error"),
    Reason.CLOSE_TOO_MUCH: (2008, "Quantity insufficient to close"),
    Reason.NO_POSITION: (2009, "Position does not exist or is closed"),
    Reason.VOLUME: (2011, "Order quantity error"),
    Reason.PRECISION: (2015, "Price or quantity precision error"),
    Reason.ORDERS_IN_THE_WAY: (2019, "Active orders or positions exist"),
    Reason.LEVERAGE_MISMATCH: (2021, "Leverage differs from the position's"),
    Reason.MARGIN_MODE_MISMATCH: (2027, "One margin mode per side"),
    Reason.TOO_MANY_ORDERS: (2036, "Too many orders"),
    Reason.NO_ORDER: (2040, "order not exist"),
    Reason.NOT_CANCELLABLE: (2041, "order state cannot be cancelled"),
    Reason.DUPLICATE_ID: (2042, "Duplicate external order id"),
    Reason.NO_TRIGGER: (2040, "order not exist"),
    Reason.TRIGGER_PRICE: (3004, "Trigger price error"),
}

ORDER_ERRORS: dict[Reason, int] = {
    Reason.BALANCE: 2,
    Reason.NO_POSITION: 3,
    Reason.CLOSE_TOO_MUCH: 4,
    Reason.NOT_TRADABLE: 11,
}
"""`errorCode` of a trigger order whose own order was refused; 1 (parameter) for the other reasons."""


class ApiError(Exception):
    """An error reply. `code` is MEXC's; the message is said in its place where none is given."""

    def __init__(self, code: int, message: str | None = None) -> None:
        self.code = code
        self.message = message if message is not None else MESSAGES[code]
        super().__init__(f"{code}: {self.message}")
