"""Bars of the venue, published once each when they are closed, in order; what pushes leave open is asked for."""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from nautilus_trader.core.data import Data
from nautilus_trader.model.data import BarType

from adapters.mexc.bar_closer import BarCloser, Closed
from adapters.mexc.bars import BarRow, bar, interval_seconds, kline_interval, pushed_row
from adapters.mexc.constants import KlineInterval
from adapters.mexc.errors import MexcError, MexcPayloadError
from adapters.mexc.history import fetch_bar_rows
from adapters.mexc.parsing import ContractParser
from adapters.mexc.rest import RestClient
from adapters.mexc.schemas.public_socket import Kline

CONFIRM_TRIES = 3
CONFIRM_PAUSE_SECONDS = 1.0
"""REST may still show the bar without its last trades, as its smaller volume tells."""


@dataclass
class _Series:
    bar_type: BarType
    interval: KlineInterval
    seconds: int
    parser: ContractParser
    closer: BarCloser
    closed: deque[Closed] = field(default_factory=deque)
    """What waits for REST, oldest first."""
    task: asyncio.Task[None] | None = None


class BarFeed:
    """All bar types that are wanted. `publish` is given closed bars, `trouble` what a person should read.

    `confirm`: whether a closed bar is asked of REST before it is published, because the last push may lack the trades
    of its last moment; False publishes it as it was last pushed.
    """

    def __init__(
        self,
        rest: RestClient,
        publish: Callable[[list[Data]], None],
        trouble: Callable[[str], None],
        now_ns: Callable[[], int],
        *,
        grace_seconds: float,
        confirm: bool,
    ) -> None:
        self._rest = rest
        self._publish = publish
        self._trouble = trouble
        self._now_ns = now_ns
        self._grace = grace_seconds
        self._confirms = confirm
        self._series: dict[BarType, _Series] = {}

    def add(self, bar_type: BarType, parser: ContractParser) -> KlineInterval:
        """Want a bar type; returns the venue's interval. ValueError when the venue does not make such bars."""
        interval = kline_interval(bar_type)
        seconds = interval_seconds(interval)
        closer = BarCloser(seconds, self._grace)
        self._series[bar_type] = _Series(bar_type, interval, seconds, parser, closer)
        return interval

    def remove(self, bar_type: BarType) -> KlineInterval | None:
        """Want it no more; returns its interval if it was wanted."""
        series = self._series.pop(bar_type, None)
        if series is None:
            return None
        _cancel(series)
        return series.interval

    def define(self, parser: ContractParser) -> None:
        """A contract has a new definition."""
        for series in self._series.values():
            if series.parser.symbol == parser.symbol:
                series.parser = parser

    def on_push(self, symbol: str, kline: Kline) -> None:
        """The bar in progress. MexcPayloadError when it cannot be read."""
        row = pushed_row(kline)
        for series in self._series.values():
            if series.parser.symbol == symbol and series.interval == kline.interval:
                self._take(series, series.closer.on_row(row))

    def on_time(self, venue_seconds: float) -> None:
        """The venue's clock, UNIX seconds."""
        for series in self._series.values():
            self._take(series, series.closer.on_time(venue_seconds))

    def on_disconnected(self, symbols: frozenset[str]) -> None:
        """The stream of these contracts is interrupted."""
        for series in self._series.values():
            if series.parser.symbol in symbols:
                series.closer.on_disconnected()

    def stop(self) -> None:
        for series in self._series.values():
            _cancel(series)

    def _take(self, series: _Series, closed: Closed | None) -> None:
        if closed is None:
            return
        if closed.row is not None and not self._confirms and not series.closed:
            self._publish_rows(series, [closed.row])
            return
        series.closed.append(closed)
        if series.task is None or series.task.done():
            series.task = asyncio.create_task(self._work_off(series), name="mexc-closed-bars")

    async def _work_off(self, series: _Series) -> None:
        """Ask REST for what waits, in order."""
        while series.closed:
            closed = series.closed[0]
            if closed.row is not None:
                rows = await self._confirmed(series, closed.row) if self._confirms else [closed.row]
            else:
                rows = await self._missing(series, closed)
            self._publish_rows(series, rows)
            series.closed.popleft()

    async def _confirmed(self, series: _Series, pushed: BarRow) -> list[BarRow]:
        """The bar as REST has it, or as it was pushed when REST has less of it."""
        problem = "REST does not show it whole"
        for _ in range(CONFIRM_TRIES):
            try:
                rows = await self._ask(series, pushed.start, pushed.start)
            except MexcError as error:
                problem = str(error)
                break
            if rows and rows[0].volume >= pushed.volume:
                return rows
            await asyncio.sleep(CONFIRM_PAUSE_SECONDS)
        self._trouble(f"{series.parser.symbol}: bar of {pushed.start} is published as it was last pushed: {problem}")
        return [pushed]

    async def _missing(self, series: _Series, closed: Closed) -> list[BarRow]:
        first, last = closed.missing or (0, -1)
        try:
            return await self._ask(series, first, last)
        except MexcError as error:
            self._trouble(f"{series.parser.symbol}: bars from {first} to {last} are missing: {error}")
            return []

    async def _ask(self, series: _Series, first: int, last: int) -> list[BarRow]:
        return await fetch_bar_rows(self._rest, series.parser.symbol, series.interval, first, last)

    def _publish_rows(self, series: _Series, rows: list[BarRow]) -> None:
        for row in rows:
            try:
                self._publish([bar(row, series.bar_type, series.seconds, series.parser, self._now_ns())])
            except MexcPayloadError as error:
                self._trouble(f"{series.parser.symbol}: bar of {row.start} is left out: {error}")


def _cancel(series: _Series) -> None:
    if series.task is not None:
        series.task.cancel()
