"""What REST knows of the past: bars, the last trades, settled funding. Raises a MexcError when the venue fails."""

from nautilus_trader.model.data import Bar, BarType, FundingRateUpdate, TradeTick

from adapters.mexc import endpoints
from adapters.mexc.bars import BarRow, bar, interval_seconds, kline_interval, kline_rows
from adapters.mexc.constants import MAX_DEALS, MAX_KLINES, MAX_PAGE_SIZE, KlineInterval
from adapters.mexc.errors import MexcPayloadError
from adapters.mexc.parsing import ContractParser
from adapters.mexc.rest import RestClient
from adapters.mexc.schemas.public_rest import Deal, FundingHistory, FundingRate, Klines, SettledFunding
from adapters.mexc.wire_numbers import millis

MAX_PAGES = 500


async def fetch_bars(
    rest: RestClient, parser: ContractParser, bar_type: BarType, first: int, last: int, ts_init: int
) -> list[Bar]:
    """Closed bars that start from `first` to `last` (UNIX seconds), oldest first. ValueError for a foreign bar type."""
    interval = kline_interval(bar_type)
    seconds = interval_seconds(interval)
    last_closed = rest.venue_ms() // 1000 - seconds  # the bar in progress is served too
    rows = await fetch_bar_rows(rest, parser.symbol, interval, first, min(last, last_closed))
    return [bar(row, bar_type, seconds, parser, ts_init) for row in rows]


async def fetch_bar_rows(rest: RestClient, symbol: str, interval: KlineInterval, first: int, last: int) -> list[BarRow]:
    """Bars that start from `first` to `last` (UNIX seconds), oldest first, asked for page by page."""
    seconds = interval_seconds(interval)
    rows: dict[int, BarRow] = {}
    begin = first
    while begin <= last:
        end = min(last, begin + (MAX_KLINES - 1) * seconds)
        klines = await rest.get(
            endpoints.KLINE,
            Klines,
            path={"symbol": symbol},
            parameters={"interval": interval.value, "start": begin, "end": end},
        )
        if klines is not None:
            rows |= {row.start: row for row in kline_rows(klines) if begin <= row.start <= end}
        begin = end + seconds
    return [row for _, row in sorted(rows.items())]


async def fetch_trades(rest: RestClient, parser: ContractParser, limit: int, ts_init: int) -> list[TradeTick]:
    """The last trades, oldest first: at most 100, the venue has no older ones."""
    deals = await rest.get(
        endpoints.DEALS,
        list[Deal],
        path={"symbol": parser.symbol},
        parameters={"limit": min(limit, MAX_DEALS) if limit > 0 else MAX_DEALS},
    )
    return parser.past_trades(deals or [], ts_init)


async def fetch_funding(
    rest: RestClient, parser: ContractParser, start_ms: int, end_ms: int, limit: int, ts_init: int
) -> list[FundingRateUpdate]:
    """Settled rates from `start_ms` to `end_ms`, oldest first; the newest `limit` of them when that is above 0."""
    found: list[FundingRateUpdate] = []
    for page in range(1, MAX_PAGES + 1):
        history = await rest.get(
            endpoints.FUNDING_HISTORY,
            FundingHistory,
            parameters={"symbol": parser.symbol, "page_num": page, "page_size": MAX_PAGE_SIZE},
        )
        rows = history.result_list if history is not None else []
        found += [
            parser.settled_funding(row, ts_init)
            for row in rows
            if start_ms <= millis(row.settle_time, endpoints.FUNDING_HISTORY.name, "settleTime") <= end_ms
        ]
        enough = 0 < limit <= len(found)
        if len(rows) < MAX_PAGE_SIZE or enough or _oldest(rows) < start_ms:
            break
    found.sort(key=_event_time)
    return found[-limit:] if limit > 0 else found


async def fetch_funding_now(rest: RestClient, parser: ContractParser) -> FundingRate:
    """The estimate for the coming settlement, with the interval, which pushes lack."""
    row = await rest.get(endpoints.FUNDING_RATE, FundingRate, path={"symbol": parser.symbol})
    if row is None:
        raise MexcPayloadError(endpoints.FUNDING_RATE.name, "data", f"no funding rate for {parser.symbol}")
    return row


def _oldest(rows: list[SettledFunding]) -> int:
    return min(millis(row.settle_time, endpoints.FUNDING_HISTORY.name, "settleTime") for row in rows)


def _event_time(update: FundingRateUpdate) -> int:
    ts_event: int = update.ts_event
    return ts_event
