"""The venue's klines as Nautilus bars.

``open`` of a kline is the close of the one before, and widens its high and low; the ``real`` prices are those of its
trades, which is what a bar is elsewhere. They are used where they are, and where the bar has trades. Volumes are
contracts. A bar's time is its end.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from nautilus_trader.model.data import Bar, BarType
from nautilus_trader.model.enums import AggregationSource, BarAggregation, PriceType

from adapters.mexc import assumptions
from adapters.mexc.constants import KlineInterval
from adapters.mexc.errors import MexcPayloadError
from adapters.mexc.parsing import ContractParser
from adapters.mexc.schemas.public_rest import Klines
from adapters.mexc.schemas.public_socket import Kline
from adapters.mexc.wire_numbers import MAX_SECONDS, exact

SECOND_NS = 1_000_000_000

_STEPS = {
    KlineInterval.MIN_1: (1, BarAggregation.MINUTE, 60),
    KlineInterval.MIN_5: (5, BarAggregation.MINUTE, 300),
    KlineInterval.MIN_15: (15, BarAggregation.MINUTE, 900),
    KlineInterval.MIN_30: (30, BarAggregation.MINUTE, 1_800),
    KlineInterval.HOUR_1: (1, BarAggregation.HOUR, 3_600),
    KlineInterval.HOUR_4: (4, BarAggregation.HOUR, 14_400),
    KlineInterval.HOUR_8: (8, BarAggregation.HOUR, 28_800),
    KlineInterval.DAY_1: (1, BarAggregation.DAY, 86_400),
    KlineInterval.WEEK_1: (1, BarAggregation.WEEK, 604_800),
}
"""Months are left out: they have no fixed length."""
_INTERVAL_OF = {(step, aggregation): interval for interval, (step, aggregation, _) in _STEPS.items()}


@dataclass(frozen=True)
class BarRow:
    """One bar as plain numbers. `start` is UNIX seconds, `volume` contracts."""

    start: int
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal


def kline_interval(bar_type: BarType) -> KlineInterval:
    """The venue's interval of a bar type. ValueError, saying what there is, for one that the venue does not make."""
    spec = bar_type.spec
    interval = _INTERVAL_OF.get((spec.step, spec.aggregation))
    external = bar_type.aggregation_source == AggregationSource.EXTERNAL
    if interval is None or spec.price_type != PriceType.LAST or not external:
        raise ValueError(
            f"MEXC makes no bars {bar_type}: it has LAST-EXTERNAL of 1, 5, 15, 30 minutes, 1, 4, 8 hours, 1 day, 1 week"
        )
    return interval


def interval_seconds(interval: KlineInterval) -> int:
    """Length of a bar. ValueError for months."""
    if interval not in _STEPS:
        raise ValueError(f"{interval} has no fixed length")
    return _STEPS[interval][2]


def pushed_row(kline: Kline) -> BarRow:
    """The bar in progress."""
    return _row(
        kline.start,
        (kline.open, kline.high, kline.low, kline.close),
        (kline.real_open, kline.real_high, kline.real_low, kline.real_close),
        kline.volume,
        "push.kline",
    )


def kline_rows(klines: Klines) -> Iterator[BarRow]:
    """The rows of a reply's columns, oldest first. MexcPayloadError when the columns differ in length."""
    count = len(klines.time)
    columns = {
        "open": klines.open,
        "high": klines.high,
        "low": klines.low,
        "close": klines.close,
        "vol": klines.vol,
        "realOpen": klines.real_open,
        "realHigh": klines.real_high,
        "realLow": klines.real_low,
        "realClose": klines.real_close,
    }
    for name, column in columns.items():
        if column is not None and len(column) != count:
            raise MexcPayloadError("kline", name, f"{len(column)} values, but {count} times")
    real: list[Sequence[Decimal | None]] = [
        columns[name] or [None] * count for name in ("realOpen", "realHigh", "realLow", "realClose")
    ]
    plain = zip(klines.open, klines.high, klines.low, klines.close, strict=True)
    for start, prices, real_prices, volume in zip(klines.time, plain, zip(*real, strict=True), klines.vol, strict=True):
        yield _row(start, prices, real_prices, volume, "kline")


def bar(row: BarRow, bar_type: BarType, seconds: int, parser: ContractParser, ts_init: int) -> Bar:
    """The bar; its time is its end."""
    channel = "kline"
    price, places = parser.price, parser.price.precision
    if not row.low <= min(row.open, row.close) <= max(row.open, row.close) <= row.high:
        raise MexcPayloadError(
            channel, "price", f"open {row.open}, high {row.high}, low {row.low}, close {row.close} are no bar"
        )
    return Bar.from_raw(
        bar_type,
        price.raw(row.open, channel),
        price.raw(row.high, channel),
        price.raw(row.low, channel),
        price.raw(row.close, channel),
        places,
        parser.size.raw(row.volume, channel),
        parser.size.precision,
        (row.start + seconds) * SECOND_NS,
        ts_init,
    )


def _row(
    start: int,
    plain: tuple[Decimal, Decimal, Decimal, Decimal],
    real: tuple[Decimal | None, ...],
    volume: Decimal,
    channel: str,
) -> BarRow:
    if not 0 < start <= MAX_SECONDS:
        raise MexcPayloadError(channel, "time", f"{start!r:.60} is no time in seconds")
    prices = plain
    if assumptions.KLINE_REAL_PRICES_ARE_THE_BAR and volume.is_finite() and volume:
        traded = tuple(price for price in real if price is not None and price.is_finite() and price > 0)
        if len(traded) == 4:
            prices = traded
    for price in prices:
        exact(price, channel, "price")
    return BarRow(start, *prices, volume)
