"""What all CSV files of Tardis.dev share: exchanges, clocks and the first four columns.

``timestamp`` is the exchange's time (the local one where the exchange gives none), ``local_timestamp`` the receive
time, both us. Source: docs.tardis.dev, Downloadable CSV files, Data types.
"""

from pathlib import Path

import numpy as np

from catalog.anomalies import AnomalyLog, Kind
from catalog.formats.clock import LARGEST_LATENCY_NS, Clock, Latency
from catalog.formats.column_checks import Findings, TimeOrder, times_in_ns
from catalog.formats.csv_blocks import Column, CsvBlock, Ints
from catalog.formats.csv_kernel import FieldKind
from catalog.markets import Market, MarketKind

_VENUES = {
    "binance": ("BINANCE_SPOT", MarketKind.SPOT),
    "binance-futures": ("BINANCE", MarketKind.PERP),
    "binance-delivery": ("BINANCE_COINM", MarketKind.PERP),
    "bybit": ("BYBIT", MarketKind.PERP),
    "bybit-spot": ("BYBIT", MarketKind.SPOT),
}
TRUE_OR_FALSE = ("false", "true")


def tardis_market(exchange: str, symbol: str) -> Market:
    """The market behind Tardis's name of an exchange. Raises ValueError for an exchange that has no venue here.

    Bybit's inverse perpetuals are told by their symbol, ``BTCUSD``; linear ones end in ``USDT`` or ``PERP``.
    """
    if exchange not in _VENUES:
        raise ValueError(f"Tardis exchange {exchange!r} is unknown here: use one of {', '.join(_VENUES)}")
    venue, kind = _VENUES[exchange]
    inverse = exchange == "binance-delivery" or (exchange == "bybit" and symbol.upper().endswith("USD"))
    return Market(venue, kind, symbol.upper(), inverse)


def common_columns(exchange: str, market: Market) -> tuple[Column, ...]:
    """The columns that every file begins with."""
    return (
        Column("exchange", FieldKind.CHOICE, (exchange,), Kind.WRONG_SYMBOL),
        Column("symbol", FieldKind.CHOICE, (market.symbol,), Kind.WRONG_SYMBOL),
        Column("timestamp", FieldKind.INT),
        Column("local_timestamp", FieldKind.INT),
    )


class TardisClocks:
    """The two clocks of a stream of files: units, order, and how they stand to each other."""

    def __init__(self, offset_ns: int, log: AnomalyLog) -> None:
        self._offset_ns = offset_ns
        self._log = log
        self._latency = Latency()
        self._event, self._receive = Clock("timestamp"), Clock("local_timestamp")
        self._event_order = TimeOrder("timestamp")
        self._receive_order = TimeOrder("local_timestamp")

    def begin_file(self) -> None:
        self._event, self._receive = Clock("timestamp"), Clock("local_timestamp")

    def end_file(self, path: Path) -> None:
        self._latency.report(self._log, path)

    def read(self, block: CsvBlock, findings: Findings) -> tuple[Ints, Ints]:
        """ts_event and ts_init in UNIX ns; rows whose times cannot be right are rejected."""
        event = times_in_ns(self._event, block.ints["timestamp"], findings)
        init = times_in_ns(self._receive, block.ints["local_timestamp"], findings) + self._offset_ns
        latency = init - event
        findings.reject(
            np.abs(latency) > LARGEST_LATENCY_NS,
            Kind.BAD_VALUE,
            lambda row: f"timestamp is {latency[row] / 1e9:.0f} s away from local_timestamp",
        )
        self._receive_order.check(init, findings)
        self._event_order.check(event, findings)
        self._latency.add_many(latency[findings.good])
        return event, init


def skipped(count: int, what: str, path: Path, log: AnomalyLog) -> None:
    """Tell once a file how many rows were left out on purpose."""
    if count:
        log.report(Kind.SKIPPED, path, None, f"{count} {what}")
