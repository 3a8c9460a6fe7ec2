"""The venue's error codes: what each means, and which error it becomes.

Codes decide, never texts: those vary and are localised. Source: MEXC's contract API error tables (2025 and 2026), codes
seen live where no table has them.
"""

from adapters.mexc.errors import (
    MexcBusyError,
    MexcClockError,
    MexcContractError,
    MexcDuplicateOrderError,
    MexcFundsError,
    MexcKeyRefusedError,
    MexcKycError,
    MexcLimitError,
    MexcNotCancellableError,
    MexcOrderNotFoundError,
    MexcParameterError,
    MexcPermissionError,
    MexcRefusedError,
    MexcStateError,
    MexcVenueDownError,
)

SUCCESS_CODES = frozenset({0, 200})
"""200 is in one sample of the documentation."""

UNSURE_CODES = frozenset({500, 501, 504, 510, 2037})
"""Transient for a read. For a request that changes something they leave open whether it was taken."""

UNKNOWN_CONTRACT = 1001
ORDER_NOT_FOUND = 2040
NOT_CANCELLABLE = 2041
CLOCK_CODE = 513

ERROR_CODES: dict[int, tuple[type[MexcRefusedError], str]] = {
    401: (MexcKeyRefusedError, "not authorised"),
    402: (MexcKeyRefusedError, "API key expired"),
    403: (MexcPermissionError, "access denied"),
    406: (MexcKeyRefusedError, "address not on the key's IP list"),
    500: (MexcVenueDownError, "internal error or maintenance"),
    501: (MexcBusyError, "venue busy"),
    504: (MexcVenueDownError, "gateway time-out"),
    506: (MexcPermissionError, "unknown source of request"),
    510: (MexcBusyError, "too many requests"),
    511: (MexcPermissionError, "endpoint not open to this key"),
    513: (MexcClockError, "request outside the time window"),
    600: (MexcParameterError, "parameter error"),
    601: (MexcParameterError, "body cannot be decoded"),
    602: (MexcKeyRefusedError, "signature wrong"),
    603: (MexcDuplicateOrderError, "repeated request"),
    604: (MexcVenueDownError, "maintenance"),
    701: (MexcPermissionError, "key may not read the account"),
    702: (MexcPermissionError, "key may not change the account"),
    703: (MexcPermissionError, "key may not read orders"),
    704: (MexcPermissionError, "key may not place orders"),
    801: (MexcVenueDownError, "maintenance"),
    1000: (MexcPermissionError, "account does not exist"),
    1001: (MexcContractError, "no such contract"),
    1002: (MexcContractError, "contract takes no orders by API"),
    1003: (MexcParameterError, "risk level"),
    1004: (MexcParameterError, "amount"),
    2001: (MexcParameterError, "side"),
    2002: (MexcParameterError, "margin mode"),
    2003: (MexcParameterError, "buy price too high"),
    2004: (MexcParameterError, "sell price too low"),
    2005: (MexcFundsError, "balance insufficient"),
    2006: (MexcParameterError, "leverage"),
    2007: (MexcParameterError, "price"),
    2008: (MexcStateError, "position smaller than what is to be closed"),
    2009: (MexcStateError, "no such position"),
    2011: (MexcParameterError, "quantity"),
    2013: (MexcParameterError, "too many cancels in one request"),
    2014: (MexcParameterError, "batch too large"),
    2015: (MexcParameterError, "precision of price or quantity"),
    2016: (MexcLimitError, "too many trigger orders"),
    2018: (MexcFundsError, "margin insufficient"),
    2019: (MexcStateError, "orders at the venue bar the change"),
    2021: (MexcStateError, "leverage is not that of the position"),
    2022: (MexcStateError, "position type"),
    2023: (MexcParameterError, "leverage above the contract's"),
    2024: (MexcParameterError, "leverage above the risk level's"),
    2025: (MexcLimitError, "position limit"),
    2026: (MexcStateError, "leverage of a cross position"),
    2027: (MexcStateError, "one margin mode per side"),
    2028: (MexcLimitError, "order larger than the most allowed"),
    2029: (MexcParameterError, "order type"),
    2030: (MexcParameterError, "client id longer than 32"),
    2031: (MexcLimitError, "position limit"),
    2032: (MexcParameterError, "price beyond liquidation"),
    2033: (MexcParameterError, "price beyond liquidation"),
    2034: (MexcParameterError, "too many ids in a query"),
    2035: (MexcParameterError, "price tier"),
    2036: (MexcLimitError, "too many orders"),
    2037: (MexcBusyError, "trading too often"),
    2038: (MexcLimitError, "position limit"),
    2040: (MexcOrderNotFoundError, "no such order"),
    2041: (MexcNotCancellableError, "order cannot be cancelled any more"),
    2042: (MexcDuplicateOrderError, "client id in use"),
    2043: (MexcStateError, "order and position do not match"),
    3001: (MexcParameterError, "trigger price type"),
    3002: (MexcParameterError, "trigger type"),
    3003: (MexcParameterError, "execution cycle"),
    3004: (MexcParameterError, "trigger price"),
    4001: (MexcParameterError, "currency"),
    5001: (MexcParameterError, "take-profit and stop prices are both missing"),
    5002: (MexcStateError, "no such take-profit or stop order"),
    5003: (MexcParameterError, "take-profit or stop price"),
    5004: (MexcParameterError, "quantity of a take-profit or stop"),
    6001: (MexcPermissionError, "account may not trade"),
    6002: (MexcPermissionError, "account may not open positions"),
    6003: (MexcParameterError, "time range"),
    6004: (MexcParameterError, "neither symbol nor state given"),
    6005: (MexcContractError, "contract not available"),
    7002: (MexcStateError, "position mode is not the account's"),
    8817: (MexcPermissionError, "risk limit cannot be set by API"),
    9999: (MexcRefusedError, "general error"),
    200005: (MexcKycError, "identity check needed"),
    200006: (MexcKycError, "identity check needed"),
    300000: (MexcKycError, "identity check needed"),
    300001: (MexcKycError, "identity check needed"),
}
"""Where the tables give a range, the words of its members are ours."""


def refusal(endpoint: str, code: int, message: str) -> MexcRefusedError:
    """The error of an answer that was not a success; a code that no table has is a plain :class:`MexcRefusedError`."""
    kind, meaning = ERROR_CODES.get(code, (MexcRefusedError, "code in no table"))
    return kind(endpoint, code, message, meaning)
