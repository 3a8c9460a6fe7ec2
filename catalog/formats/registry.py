"""The formats by the names that users type, and how a reader is made from command-line options."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from catalog.formats.binance_capture import BinanceCapture
from catalog.formats.binance_funding import BinanceFunding
from catalog.formats.binance_klines import BinanceKlines
from catalog.formats.binance_metrics import BinanceMetrics
from catalog.formats.binance_stream_csv import BinanceStreamCsv
from catalog.formats.binance_trades import BinanceTrades
from catalog.formats.bybit_book import BybitBook
from catalog.formats.bybit_trades import BybitTrades
from catalog.formats.reader import Reader
from catalog.formats.tardis_book import TardisBook
from catalog.formats.tardis_book_snapshot import TardisBookSnapshot
from catalog.formats.tardis_quotes import TardisQuotes
from catalog.formats.tardis_trades import TardisTrades


class FormatOptionError(ValueError):
    """An option that a format needs is missing, unknown to it, or has a value that it does not take."""


@dataclass(frozen=True)
class Format:
    """How a reader is made: `options` names those it needs with the values they may take (empty: any)."""

    make: Callable[..., Reader]
    options: Mapping[str, tuple[str, ...]]


_BINANCE = {"market": ("spot", "usdm", "coinm")}
_BINANCE_STREAMS = {"market": ("spot", "usdm")}
_BYBIT = {"market": ("linear", "spot", "inverse")}
_TARDIS: dict[str, tuple[str, ...]] = {"exchange": ()}

FORMATS: dict[str, Format] = {
    "binance-capture": Format(lambda market, **common: BinanceCapture(market_type=market, **common), _BINANCE_STREAMS),
    "binance-stream-csv": Format(lambda market, **common: BinanceStreamCsv(market_type=market, **common), _BINANCE),
    "binance-aggtrades": Format(lambda market, **c: BinanceTrades(market_type=market, aggregated=True, **c), _BINANCE),
    "binance-trades": Format(lambda market, **c: BinanceTrades(market_type=market, aggregated=False, **c), _BINANCE),
    "binance-klines": Format(
        lambda market, **common: BinanceKlines(market_type=market, **common), {**_BINANCE, "interval": ()}
    ),
    "binance-metrics": Format(BinanceMetrics, {}),
    "binance-funding": Format(BinanceFunding, {}),
    "bybit-book": Format(lambda market, **common: BybitBook(category=market, **common), _BYBIT),
    "bybit-trades": Format(lambda market, **common: BybitTrades(category=market, **common), _BYBIT),
    "tardis-trades": Format(TardisTrades, _TARDIS),
    "tardis-quotes": Format(TardisQuotes, _TARDIS),
    "tardis-book": Format(TardisBook, _TARDIS),
    "tardis-book-snapshot": Format(TardisBookSnapshot, _TARDIS),
}


def make_reader(name: str, symbol: str, clock_offset_ns: int, given: Mapping[str, str | None]) -> Reader:
    """The reader of format `name`. Raises FormatOptionError naming the option and what it may be."""
    if name not in FORMATS:
        raise FormatOptionError(f"format {name!r} is unknown; there are {', '.join(FORMATS)}")
    wanted = FORMATS[name].options
    for option, value in given.items():
        if value is not None and option not in wanted:
            raise FormatOptionError(f"--{option} {value}: format {name} has no such option")
    for option, allowed in wanted.items():
        value = given.get(option)
        choice = f": one of {', '.join(allowed)}" if allowed else ""
        if value is None:
            raise FormatOptionError(f"format {name} needs --{option}{choice}")
        if allowed and value not in allowed:
            raise FormatOptionError(f"--{option} {value}: format {name} takes {', '.join(allowed)}")
    options = {option: given[option] for option in wanted}
    try:
        return FORMATS[name].make(symbol=symbol, clock_offset_ns=clock_offset_ns, **options)
    except ValueError as error:
        raise FormatOptionError(str(error)) from error
