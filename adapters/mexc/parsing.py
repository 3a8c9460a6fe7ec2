"""Payloads as Nautilus data: books, trades, quotes, mark and index prices, funding, open interest.

Every number arrives as the decimal that was on the wire and leaves as the fixed-point integer of the same value. Times
are UNIX ns; `ts_event` is the matching engine's time where the venue gives it, else the time of the push.
"""

import hashlib
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from nautilus_trader.model.data import (
    FundingRateUpdate,
    IndexPriceUpdate,
    MarkPriceUpdate,
    OrderBookDelta,
    OrderBookDeltas,
    QuoteTick,
    TradeTick,
)
from nautilus_trader.model.enums import AggressorSide, BookAction, OrderSide, RecordFlag
from nautilus_trader.model.identifiers import TradeId
from nautilus_trader.model.instruments import Instrument
from nautilus_trader.model.objects import Price

from adapters.mexc.constants import Channel, MexcTakerSide
from adapters.mexc.errors import MexcPayloadError
from adapters.mexc.fixed_point import FixedPoint
from adapters.mexc.schemas.public_rest import Deal, DepthSnapshot, FundingRate, Level, SettledFunding
from adapters.mexc.schemas.public_socket import Deals, DepthUpdate, FundingPush
from adapters.mexc.wire_numbers import RAW_SCALE, WireMillis, exact, id_text, millis, places, plain_text
from catalog.data_types import OpenInterest

MS_NS = 1_000_000
HOUR_MINUTES = 60
MAX_COLLECT_CYCLE_HOURS = 24 * 31

_LAST = RecordFlag.F_LAST
_SNAPSHOT = RecordFlag.F_SNAPSHOT
_UPDATE, _DELETE, _ADD = BookAction.UPDATE, BookAction.DELETE, BookAction.ADD
_BUY, _SELL = OrderSide.BUY, OrderSide.SELL
_AGGRESSORS: dict[int, AggressorSide] = {
    MexcTakerSide.BUY: AggressorSide.BUYER,
    MexcTakerSide.SELL: AggressorSide.SELLER,
}


class ContractParser:
    """Payloads of one instrument. Make a new one when its definition changes."""

    def __init__(self, instrument: Instrument) -> None:
        self.instrument_id = instrument.id
        self.symbol: str = instrument.raw_symbol.value
        self.price = FixedPoint("price", instrument.price_precision, zero_allowed=False)
        self.size = FixedPoint("volume", instrument.size_precision, zero_allowed=True)

    @property
    def places(self) -> tuple[int, int]:
        """Decimal places of prices and of sizes."""
        return self.price.precision, self.size.precision

    def deltas(self, update: DepthUpdate, ts_init: int) -> OrderBookDeltas | None:
        """The change of the book; None for a frame that moves the version and nothing else."""
        ts_event = event_ns(update.cts, None, Channel.DEPTH)
        return self._changes(update.bids, update.asks, update.last_version, ts_event, ts_init)

    def book(self, snapshot: DepthSnapshot, ts_init: int) -> OrderBookDeltas:
        """The whole book: a clear, then every level."""
        ts_event = event_ns(snapshot.cts, snapshot.timestamp, "depth")
        price_places, size_places = self.price.precision, self.size.precision
        version = _sequence(snapshot.version, "depth")
        deltas = [OrderBookDelta.clear(self.instrument_id, version, ts_event, ts_init)]
        for side, levels in ((_BUY, snapshot.bids), (_SELL, snapshot.asks)):
            deltas.extend(
                OrderBookDelta.from_raw(
                    self.instrument_id, _ADD, side, self.price.raw(level.price, "depth"), price_places,
                    size, size_places, 0, _SNAPSHOT, version, ts_event, ts_init,
                )
                for level in levels
                if (size := self.size.raw(level.volume, "depth"))
            )  # fmt: skip
        return OrderBookDeltas(self.instrument_id, [*deltas[:-1], _flagged(deltas[-1])])

    def no_book(self, version: int, ts_ns: int) -> OrderBookDeltas:
        """The book is unknown from here on, and says so: empty."""
        clear = OrderBookDelta.clear(self.instrument_id, version, ts_ns, ts_ns)
        return OrderBookDeltas(self.instrument_id, [_flagged(clear)])

    def trades(self, deals: Deals, ts_init: int) -> list[TradeTick]:
        """Trades by time; rows of one frame come in no order."""
        rows = deals if isinstance(deals, list) else [deals]
        ticks = [self._trade(row, ts_init, _trade_id(row, self.symbol)) for row in rows]
        return ticks if len(ticks) < 2 else sorted(ticks, key=_event_time)

    def past_trades(self, deals: Sequence[Deal], ts_init: int) -> list[TradeTick]:
        """Trades of a REST reply, oldest first. Its rows have no ids: equal rows are numbered from the oldest on."""
        seen: dict[str, int] = {}
        ticks = []
        for row in reversed(deals):
            trade_id = _trade_id(row, self.symbol)
            if row.trade_id is None:
                seen[trade_id] = repeat = seen.get(trade_id, 0) + 1
                trade_id = f"{trade_id}.{repeat}"
            ticks.append(self._trade(row, ts_init, trade_id))
        return sorted(ticks, key=_event_time)

    def quote(self, bid: Price, bid_size: Any, ask: Price, ask_size: Any, ts_event: int, ts_init: int) -> QuoteTick:
        """The best prices of the book."""
        return QuoteTick(self.instrument_id, bid, ask, bid_size, ask_size, ts_event, ts_init)

    def mark_price(self, value: Decimal, pushed: WireMillis | None, ts_init: int) -> MarkPriceUpdate:
        """The fair price."""
        ts_event = event_ns(None, pushed, Channel.FAIR_PRICE)
        return MarkPriceUpdate(self.instrument_id, self.reference_price(value, Channel.FAIR_PRICE), ts_event, ts_init)

    def index_price(self, value: Decimal, pushed: WireMillis | None, ts_init: int) -> IndexPriceUpdate:
        """The index."""
        ts_event = event_ns(None, pushed, Channel.INDEX_PRICE)
        return IndexPriceUpdate(self.instrument_id, self.reference_price(value, Channel.INDEX_PRICE), ts_event, ts_init)

    def reference_price(self, value: Decimal, channel: str) -> Price:
        """A price that nobody trades at: with the contract's places, or with its own where it has more."""
        if exact(value, channel, "price") <= 0:
            raise MexcPayloadError(channel, "price", f"{plain_text(value)} must be above 0")
        own = places(value)
        if own > RAW_SCALE:
            raise MexcPayloadError(channel, "price", f"{plain_text(value)} has more than {RAW_SCALE} decimal places")
        return Price.from_str(f"{value:.{max(own, self.price.precision)}f}")

    def funding(
        self, push: FundingPush, cycle_hours: int | None, pushed: WireMillis | None, ts_init: int
    ) -> FundingRateUpdate:
        """The estimate for the coming settlement; `cycle_hours` is known from REST only."""
        return self._funding(
            push.rate,
            cycle_hours,
            millis(push.next_settle_time, Channel.FUNDING_RATE, "nextSettleTime"),
            event_ns(None, pushed, Channel.FUNDING_RATE),
            ts_init,
        )

    def funding_now(self, row: FundingRate, ts_init: int) -> FundingRateUpdate:
        """The same from REST."""
        return self._funding(
            row.funding_rate,
            row.collect_cycle,
            millis(row.next_settle_time, "funding_rate", "nextSettleTime"),
            event_ns(None, row.timestamp, "funding_rate"),
            ts_init,
        )

    def settled_funding(self, row: SettledFunding, ts_init: int) -> FundingRateUpdate:
        """A rate that was paid, at the time of its settlement."""
        settled_ms = millis(row.settle_time, "funding_rate/history", "settleTime")
        return self._funding(row.funding_rate, row.collect_cycle, None, settled_ms * MS_NS, ts_init)

    def open_interest(self, hold_vol: Decimal, pushed: WireMillis | None, ts_init: int) -> OpenInterest:
        """``holdVol``, in contracts."""
        if exact(hold_vol, Channel.TICKER, "holdVol") < 0:
            raise MexcPayloadError(Channel.TICKER, "holdVol", f"{plain_text(hold_vol)} is negative")
        ts_event = event_ns(None, pushed, Channel.TICKER)
        return OpenInterest(ts_event, ts_init, instrument_id=self.instrument_id, value=float(hold_vol))

    def _changes(
        self, bids: list[Level], asks: list[Level], version: int, ts_event: int, ts_init: int
    ) -> OrderBookDeltas | None:
        sequence = _sequence(version, Channel.DEPTH)
        instrument_id, from_raw = self.instrument_id, OrderBookDelta.from_raw
        price_raw, size_raw = self.price.raw, self.size.raw
        price_places, size_places = self.price.precision, self.size.precision
        deltas = []
        left = len(bids) + len(asks)
        for side, levels in ((_BUY, bids), (_SELL, asks)):
            for level in levels:
                left -= 1
                size = size_raw(level.volume, Channel.DEPTH)
                deltas.append(
                    from_raw(
                        instrument_id, _UPDATE if size else _DELETE, side, price_raw(level.price, Channel.DEPTH),
                        price_places, size, size_places, 0, 0 if left else _LAST, sequence, ts_event, ts_init,
                    )
                )  # fmt: skip
        return OrderBookDeltas(instrument_id, deltas) if deltas else None

    def _trade(self, row: Deal, ts_init: int, trade_id: str) -> TradeTick:
        side = _AGGRESSORS.get(row.taker_side)
        if side is None:
            raise MexcPayloadError(Channel.DEAL, "T", f"{row.taker_side} is no side of a taker")
        size = self.size.raw(row.volume, Channel.DEAL)
        if not size:
            raise MexcPayloadError(Channel.DEAL, "v", f"trade {trade_id} has no volume")
        return TradeTick.from_raw(
            self.instrument_id, self.price.raw(row.price, Channel.DEAL), self.price.precision, size,
            self.size.precision, side, TradeId(trade_id), millis(row.time, Channel.DEAL, "t") * MS_NS, ts_init,
        )  # fmt: skip

    def _funding(
        self, rate: Decimal, cycle_hours: int | None, next_ms: int | None, ts_event: int, ts_init: int
    ) -> FundingRateUpdate:
        if abs(exact(rate, Channel.FUNDING_RATE, "rate")) > 1:
            raise MexcPayloadError(Channel.FUNDING_RATE, "rate", f"{plain_text(rate)} is no fraction of a notional")
        if cycle_hours is not None and not 0 < cycle_hours <= MAX_COLLECT_CYCLE_HOURS:
            raise MexcPayloadError("funding_rate", "collectCycle", f"{cycle_hours} is no count of hours")
        return FundingRateUpdate(
            self.instrument_id,
            rate,
            ts_event,
            ts_init,
            interval=None if cycle_hours is None else cycle_hours * HOUR_MINUTES,
            next_funding_ns=None if next_ms is None else next_ms * MS_NS,
        )


def event_ns(engine: WireMillis | None, pushed: WireMillis | None, channel: str) -> int:
    """The engine's time if there is one, else that of the push. MexcPayloadError when there is neither."""
    if engine is not None:
        return millis(engine, channel, "cts") * MS_NS
    if pushed is None:
        raise MexcPayloadError(channel, "ts", "required field is missing")
    return millis(pushed, channel, "ts") * MS_NS


def _trade_id(row: Deal, symbol: str) -> str:
    """The venue's id; for rows without one, a digest of all that the row says."""
    if row.trade_id is not None:
        return id_text(row.trade_id, Channel.DEAL, "i")
    text = f"{symbol}|{row.time}|{plain_text(exact(row.price, Channel.DEAL, 'p'))}|{row.volume}|{row.taker_side}"
    return hashlib.blake2b(text.encode(), digest_size=12).hexdigest()


def _sequence(version: int, channel: str) -> int:
    if not 0 <= version < 2**63:
        raise MexcPayloadError(channel, "version", f"{version!r:.60} is no version of a book")
    return version


def _event_time(tick: TradeTick) -> int:
    ts_event: int = tick.ts_event
    return ts_event


def _flagged(delta: OrderBookDelta) -> OrderBookDelta:
    """The same, marked as the last of its batch."""
    return OrderBookDelta(
        delta.instrument_id, delta.action, delta.order, delta.flags | _LAST, delta.sequence, delta.ts_event,
        delta.ts_init,
    )  # fmt: skip
