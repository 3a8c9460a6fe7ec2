"""The public endpoints."""

from decimal import Decimal
from typing import Any

from adapters.loopback.faults import Fault
from adapters.loopback.matching.order import ZERO, Side
from adapters.loopback.mexc.calls import Call, Route, paginated
from adapters.loopback.mexc.codes import PARAMETER, ApiError
from adapters.loopback.mexc.limits import HEAVY_PUBLIC, PUBLIC
from adapters.loopback.mexc.listing import detail
from adapters.loopback.mexc.tickers import funding_row, ticker_row
from adapters.loopback.mexc.wire import integer, plain

PREFIX = "/api/v1/contract"
DEFAULT_DEPTH = 1_500
MAX_BARS = 2_000
DEALS = 100
INTERVALS = {
    "Min1": 60,
    "Min5": 300,
    "Min15": 900,
    "Min30": 1_800,
    "Min60": 3_600,
    "Hour4": 14_400,
    "Hour8": 28_800,
    "Day1": 86_400,
    "Week1": 604_800,
    "Month1": 2_592_000,
}
"""Seconds; the venue's months follow the calendar, here they are 30 days."""


def ping(call: Call) -> int:
    return call.venue.now_ms()


def contract_detail(call: Call) -> Any:
    """One contract as an object, or all as a list."""
    symbol = call.query.get("symbol")
    if symbol:
        return detail(call.venue.listing(symbol))
    return [detail(listing) for listing in call.venue.listings.values()]


def support_currencies(call: Call) -> list[str]:
    return sorted({listing.contract.settle for listing in call.venue.listings.values()})


def depth(call: Call) -> dict[str, Any]:
    """A book. Of a contract that is no longer listed it is empty, and still a success."""
    market = call.venue.market(call.path["symbol"])
    limit = integer(call.query, "limit") or DEFAULT_DEPTH
    if market.symbol not in call.venue.listings:
        return {"cts": None, "asks": [], "bids": [], "version": market.version, "timestamp": 0}
    faults = call.venue.faults
    behind = faults.versions_behind() if faults.happens(Fault.STALE_SNAPSHOT, f"depth/{market.symbol}") else 0
    behind = min(behind, len(market.commits))
    return {
        "cts": None,
        "asks": [level_row(*row) for row in market.levels(Side.SELL, limit, behind)],
        "bids": [level_row(*row) for row in market.levels(Side.BUY, limit, behind)],
        "version": market.version - behind,
        "timestamp": call.venue.now_ms(),
    }


def depth_commits(call: Call) -> list[dict[str, Any]]:
    """The last changes, newest first."""
    market = call.venue.market(call.path["symbol"])
    limit = call.path["limit"]
    if not limit.isdigit():
        raise ApiError(PARAMETER, "limit is no number")
    newest = list(reversed(market.commits))[: int(limit)]
    rows = []
    for change in newest:
        row = [level_row(change.price, change.vol, change.count)]
        asks, bids = (row, []) if change.side is Side.SELL else ([], row)
        rows.append({"cts": change.ts_ms, "asks": asks, "bids": bids, "version": change.version})
    return rows


def level_row(price: Decimal, vol: Decimal, count: int) -> list[Any]:
    """[price, contracts, orders]."""
    return [plain(price), plain(vol), count]


def index_price(call: Call) -> dict[str, Any]:
    market = call.venue.market(call.path["symbol"])
    return {"symbol": market.symbol, "indexPrice": _price(market.index), "timestamp": call.venue.now_ms()}


def fair_price(call: Call) -> dict[str, Any]:
    market = call.venue.market(call.path["symbol"])
    return {"symbol": market.symbol, "fairPrice": _price(market.fair), "timestamp": call.venue.now_ms()}


def funding_rate(call: Call) -> dict[str, Any]:
    return funding_row(call.venue.market(call.path["symbol"]), call.venue.now_ms())


def funding_rates(call: Call) -> list[dict[str, Any]]:
    now = call.venue.now_ms()
    return [funding_row(call.venue.market(symbol), now) for symbol in call.venue.listings]


def funding_history(call: Call) -> dict[str, Any]:
    """Settlements, newest first."""
    market = call.venue.market(call.query.get("symbol", ""))
    cycle = market.funding.interval_ms // 3_600_000
    rows = [
        {"symbol": market.symbol, "fundingRate": plain(rate), "settleTime": at_ms, "collectCycle": cycle}
        for at_ms, rate in reversed(call.venue.funding.settled.get(market.symbol, []))
    ]
    return paginated(call, rows, largest=1_000)


def kline(call: Call) -> dict[str, Any]:
    return _bars(call, "")


def kline_index(call: Call) -> dict[str, Any]:
    return _bars(call, " index")


def kline_fair(call: Call) -> dict[str, Any]:
    return _bars(call, " fair")


def deals(call: Call) -> list[dict[str, Any]]:
    """The last trades, newest first; without ids, as documented."""
    market = call.venue.market(call.path["symbol"])
    limit = min(integer(call.query, "limit") or DEALS, DEALS)
    newest = list(reversed(market.prints))[:limit]
    return [
        {
            "p": plain(trade.price),
            "v": plain(trade.vol),
            "T": 1 if trade.side is Side.BUY else 2,
            "O": 3,
            "M": 1 if trade.self_trade else 2,
            "t": trade.ts_ms,
        }
        for trade in newest
    ]


def ticker(call: Call) -> Any:
    """One ticker as an object, or all as a list."""
    symbol = call.query.get("symbol")
    if symbol:
        return ticker_row(call.venue, call.venue.market(symbol))
    return [ticker_row(call.venue, call.venue.market(name)) for name in call.venue.listings]


def risk_reverse(call: Call) -> list[dict[str, Any]]:
    """The insurance fund: one of nothing, for nobody is ever bailed out here."""
    now = call.venue.now_ms()
    return [
        {"symbol": symbol, "currency": listing.contract.settle, "available": 0, "timestamp": now}
        for symbol, listing in call.venue.listings.items()
    ]


def _bars(call: Call, suffix: str) -> dict[str, Any]:
    """Column arrays; at most the last 2,000 bars of the span."""
    market = call.venue.market(call.path["symbol"])
    step = INTERVALS.get(call.query.get("interval", "Min1"))
    if step is None:
        raise ApiError(PARAMETER, "interval is unknown")
    end = integer(call.query, "end") or call.venue.now_ms() // 1000
    start = integer(call.query, "start") or 0
    bars = call.venue.bars.bars(market.symbol + suffix, start, end, step)[-MAX_BARS:]
    return {
        "time": [bar.start_s for bar in bars],
        "open": [plain(bar.open) for bar in bars],
        "close": [plain(bar.close) for bar in bars],
        "high": [plain(bar.outer_high) for bar in bars],
        "low": [plain(bar.outer_low) for bar in bars],
        "vol": [plain(bar.vol) for bar in bars],
        "amount": [plain(bar.turnover) for bar in bars],
        "realOpen": [plain(bar.first) for bar in bars],
        "realClose": [plain(bar.close) for bar in bars],
        "realHigh": [plain(bar.high) for bar in bars],
        "realLow": [plain(bar.low) for bar in bars],
    }


def _price(price: Decimal | None) -> Decimal:
    return plain(price) if price is not None else ZERO


ROUTES = (
    Route("GET", f"{PREFIX}/ping", ping, PUBLIC),
    Route("GET", f"{PREFIX}/detail", contract_detail, HEAVY_PUBLIC),
    Route("GET", f"{PREFIX}/detail/country", contract_detail, HEAVY_PUBLIC),
    Route("GET", f"{PREFIX}/support_currencies", support_currencies, PUBLIC),
    Route("GET", f"{PREFIX}/depth/{{symbol}}", depth, HEAVY_PUBLIC),
    Route("GET", f"{PREFIX}/depth_commits/{{symbol}}/{{limit}}", depth_commits, PUBLIC),
    Route("GET", f"{PREFIX}/index_price/{{symbol}}", index_price, PUBLIC),
    Route("GET", f"{PREFIX}/fair_price/{{symbol}}", fair_price, PUBLIC),
    Route("GET", f"{PREFIX}/funding_rate", funding_rates, PUBLIC),
    Route("GET", f"{PREFIX}/funding_rate/history", funding_history, PUBLIC),
    Route("GET", f"{PREFIX}/funding_rate/{{symbol}}", funding_rate, PUBLIC),
    Route("GET", f"{PREFIX}/kline/index_price/{{symbol}}", kline_index, PUBLIC),
    Route("GET", f"{PREFIX}/kline/fair_price/{{symbol}}", kline_fair, PUBLIC),
    Route("GET", f"{PREFIX}/kline/{{symbol}}", kline, PUBLIC),
    Route("GET", f"{PREFIX}/deals/{{symbol}}", deals, PUBLIC),
    Route("GET", f"{PREFIX}/ticker", ticker, HEAVY_PUBLIC),
    Route("GET", f"{PREFIX}/risk_reverse", risk_reverse, PUBLIC),
)
