"""The shell between Nautilus and the flow of an asset: events in, one snapshot an asset and scan out."""

from collections.abc import Callable
from datetime import timedelta
from operator import itemgetter
from typing import Any

import numpy as np
import pandas as pd
from nautilus_trader.common.actor import Actor
from nautilus_trader.common.config import ActorConfig
from nautilus_trader.common.events import TimeEvent
from nautilus_trader.model.book import OrderBook
from nautilus_trader.model.data import DataType, FundingRateUpdate, MarkPriceUpdate, TradeTick
from nautilus_trader.model.enums import BookType, OrderSide
from nautilus_trader.model.identifiers import InstrumentId
from nautilus_trader.model.instruments import Instrument
from nautilus_trader.model.objects import FIXED_PRECISION, Price, Quantity

from catalog.data_types import FlowSnapshotData, OpenInterest, ScanData
from catalog.markets import MarketKind
from indicators.kernel import Floats, Ints
from strategies.book_view import Bands
from strategies.config import FlowSettings
from strategies.features import AssetFlow, FlowMarket, first_sample_ns

SNAPSHOTS = DataType(FlowSnapshotData)
SCANS = DataType(ScanData)
SECOND_NS = 1_000_000_000
_RAW_PER_ONE = 10**FIXED_PRECISION
_first, _second, _price, _size = itemgetter(0), itemgetter(1), Price.as_double, Quantity.as_double
_from_raw = Price.from_raw
_SELL, _BUY = OrderSide.SELL, OrderSide.BUY  # looked up once: an enum's member is found by name at every use


class FlowActorConfig(ActorConfig, frozen=True):
    """Which markets make up which asset, and how their flow is measured.

    `assets` maps an asset to its instrument ids, the lead first. `without_book` names instruments that have no book, or
    one that is known in part only: nothing but trades is read off them.
    """

    assets: dict[str, tuple[str, ...]]
    flow: dict[str, Any] = {}  # a FlowSettings table; plain, because Nautilus serialises configs
    without_book: tuple[str, ...] = ()


class NautilusBookView:
    """Nautilus's book as the flow sees it; see :class:`strategies.book_view.BookView`."""

    __slots__ = ("_book", "_crossed", "_depth", "_places", "_raw_per_unit", "_size_places")

    def __init__(self, book: OrderBook, price_places: int, size_places: int) -> None:
        self._book = book
        self._crossed = book.get_all_crossed_levels
        self._depth = book.get_quantity_for_price
        self._places = price_places
        self._size_places = size_places
        self._raw_per_unit = Price(1, price_places).raw // 10**price_places

    @property
    def updates(self) -> int:
        count: int = self._book.update_count
        return count

    def best(self) -> tuple[int, int] | None:
        bid, ask = self._book.best_bid_price(), self._book.best_ask_price()
        if bid is None or ask is None:
            return None
        raw = self._raw_per_unit
        return bid.raw // raw, ask.raw // raw

    def depths(self, lowest_bids: Bands, highest_asks: Bands) -> tuple[float, float, float, float, float, float]:
        depth, raw, places = self._depth, self._raw_per_unit, self._places
        (b1, b2, b3), (a1, a2, a3) = lowest_bids, highest_asks
        return (
            depth(_from_raw(b1 * raw, places), _SELL),
            depth(_from_raw(b2 * raw, places), _SELL),
            depth(_from_raw(b3 * raw, places), _SELL),
            depth(_from_raw(a1 * raw, places), _BUY),
            depth(_from_raw(a2 * raw, places), _BUY),
            depth(_from_raw(a3 * raw, places), _BUY),
        )

    def levels_down_to(self, price_units: int) -> tuple[Ints, Floats]:
        return self._levels(_SELL, price_units)

    def levels_up_to(self, price_units: int) -> tuple[Ints, Floats]:
        return self._levels(_BUY, price_units)

    def _levels(self, taker_side: OrderSide, price_units: int) -> tuple[Ints, Floats]:
        """The levels that an endless order with a limit would walk.

        ``bids()`` and ``asks()`` have no limit: they make an object of every level of the book, however far.
        """
        limit = _from_raw(price_units * self._raw_per_unit, self._places)
        levels = self._crossed(taker_side, limit, self._size_places)
        prices = np.fromiter(map(_price, map(_first, levels)), np.float64, len(levels))
        sizes = np.fromiter(map(_size, map(_second, levels)), np.float64, len(levels))
        return np.rint(prices * 10.0**self._places).astype(np.int64), sizes


class _Feed:
    """One market of one asset: where its events go."""

    __slots__ = ("_keep", "flow", "market", "reads_depth", "view")

    def __init__(self, flow: AssetFlow, market: int, prints: list[tuple[int, TradeTick]], *, reads_depth: bool) -> None:
        self.flow = flow
        self._keep = prints.append
        self.market = market
        self.reads_depth = reads_depth
        self.view: NautilusBookView | None = None

    def on_trade(self, tick: TradeTick) -> None:
        """Keep a trade of this market for the next sample."""
        self._keep((self.market, tick))

    def on_mark(self, mark: MarkPriceUpdate) -> None:
        """Hand a mark price of this market to the flow."""
        # exact, where as_double() is often the next double: not every keeper of the number would make the same mistake
        self.flow.on_mark(self.market, mark.value.raw / _RAW_PER_ONE, mark.ts_init)


class FlowActor(Actor):
    """Feeds each asset's :class:`AssetFlow`, publishes its snapshot at every scan, and then that the scan is over.

    Trades, marks, funding and open interest are handed on one by one; books are sampled on a fixed clock. A book that
    has not changed since `stale_seconds` is not sampled: its features become NaN, the setup is not traded.
    """

    def __init__(self, config: FlowActorConfig) -> None:
        super().__init__(config)
        self.settings = FlowSettings.model_validate(config.flow)
        self.flows: dict[str, AssetFlow] = {}
        self._feeds: dict[InstrumentId, _Feed] = {}
        self._booked: dict[InstrumentId, _Feed] = {}  # those that have a book to sample
        self._prints: list[tuple[AssetFlow, list[tuple[int, TradeTick]]]] = []  # since the last sample, in their order
        self._scan_ns = self.settings.scan_seconds * SECOND_NS

    def on_start(self) -> None:
        for asset, names in self.config.assets.items():
            instruments = [self._instrument(InstrumentId.from_str(name)) for name in names]
            flow = AssetFlow(asset, [self._market(i) for i in instruments], self.settings)
            self.flows[asset] = flow
            prints: list[tuple[int, TradeTick]] = []
            self._prints.append((flow, prints))
            for market, instrument in enumerate(instruments):
                self._subscribe(instrument, _Feed(flow, market, prints, reads_depth=flow.markets[market].is_perp))
        step_ns = self.settings.sample_seconds * SECOND_NS
        # a timer first fires one interval after its start
        start = pd.Timestamp(first_sample_ns(self.clock.timestamp_ns(), step_ns) - step_ns, tz="UTC")
        self.clock.set_timer(
            "flow-sample", timedelta(microseconds=step_ns // 1_000), start.to_pydatetime(), callback=self._on_sample
        )

    def _instrument(self, instrument_id: InstrumentId) -> Instrument:
        instrument = self.cache.instrument(instrument_id)
        if instrument is None:
            raise ValueError(
                f"{instrument_id} is configured for the flow but not loaded: add its instrument to the catalog or node"
            )
        return instrument

    def _market(self, instrument: Instrument) -> FlowMarket:
        return flow_market(instrument, has_book=instrument.id.value not in self.config.without_book)

    def _subscribe(self, instrument: Instrument, feed: _Feed) -> None:
        identity = instrument.id
        self._feeds[identity] = feed
        self.subscribe_trade_ticks(identity)
        self._hand_over(f"data.trades.{identity.venue}.{identity.symbol}", self.handle_trade_tick, feed.on_trade)
        if feed.flow.markets[feed.market].has_book:
            if (
                self.cache.order_book(identity) is None
            ):  # else somebody keeps it already: a replay shares the venue's own
                # without a handler of ours: the engine keeps the book, we look at it on the clock
                self.subscribe_order_book_deltas(identity, BookType.L2_MBP, managed=True)
                topic = f"data.book.deltas.{identity.venue}.{identity.symbol}"
                self.msgbus.unsubscribe(topic, self.handle_order_book_deltas)
            self._booked[identity] = feed
        if feed.reads_depth and feed.market == 0:  # the features are of the lead's mark and funding
            self.subscribe_mark_prices(identity)
            self._hand_over(
                f"data.mark_prices.{identity.venue}.{identity.symbol}", self.handle_mark_price, feed.on_mark
            )
            self.subscribe_funding_rates(identity)
        if feed.reads_depth:
            self.subscribe_data(
                DataType(OpenInterest, metadata={"instrument_id": identity.value}), instrument_id=identity
            )

    def _hand_over(self, topic: str, general: Callable[[Any], None], own: Callable[[Any], None]) -> None:
        """Let the bus call a market's own handler.

        The general one looks the market up by its id, twice; hashing an id costs as much as all indicators together.
        """
        self.msgbus.unsubscribe(topic, general)
        self.msgbus.subscribe(topic, own)

    def on_funding_rate(self, funding: FundingRateUpdate) -> None:
        feed = self._feeds[funding.instrument_id]
        feed.flow.on_funding(feed.market, float(funding.rate), funding.next_funding_ns or 0, funding.ts_init)

    def on_data(self, data: Any) -> None:
        if isinstance(data, OpenInterest):
            feed = self._feeds[data.instrument_id]
            self._take_prints()
            feed.flow.on_open_interest(feed.market, data.value, data.ts_init)

    def _take_prints(self) -> None:
        """Hand the prints since the last sample on, one by one in their order.

        Nothing reads what they do before a sample, and an asset's record of some hundred kilobytes is then in the
        processor's cache for all of them: fetching it anew for each would cost three times what is computed.
        """
        for flow, prints in self._prints:
            take = flow.on_trade
            for market, tick in prints:
                take(market, tick.price.as_double(), tick.size.as_double(), int(tick.aggressor_side), tick.ts_init)
            prints.clear()

    def _on_sample(self, event: TimeEvent) -> None:
        ts = event.ts_event
        self._take_prints()
        for identity, feed in self._booked.items():
            self._sample(identity, feed, ts)
        for flow in self.flows.values():
            flow.on_sample(ts)
        if ts % self._scan_ns == 0:
            for flow in self.flows.values():
                snapshot = flow.snapshot(ts)
                if snapshot is not None:
                    self.publish_data(SNAPSHOTS, FlowSnapshotData(snapshot))
            self.publish_data(SCANS, ScanData(ts))

    def _sample(self, identity: InstrumentId, feed: _Feed, ts: int) -> None:
        if feed.view is None:
            book = self.cache.order_book(identity)
            if book is None:
                return
            market = feed.flow.markets[feed.market]
            feed.view = NautilusBookView(book, market.price_places, market.size_places)
        feed.flow.on_book(feed.market, feed.view, ts)


def flow_market(instrument: Instrument, *, has_book: bool) -> FlowMarket:
    """What the flow needs to know of a Nautilus instrument."""
    info = instrument.info or {}
    kind = (
        MarketKind(info["kind"]) if "kind" in info else (MarketKind.PERP if _is_perp(instrument) else MarketKind.SPOT)
    )
    if instrument.is_inverse:
        raise ValueError(
            f"{instrument.id} is inverse (counts in quote currency): only linear markets are supported, leave it out"
        )
    multiplier = instrument.multiplier.as_double() if instrument.multiplier is not None else 1.0
    return FlowMarket(
        name=instrument.id.value,
        is_perp=kind is MarketKind.PERP,
        price_places=instrument.price_precision,
        size_places=instrument.size_precision,
        multiplier=multiplier,
        has_book=has_book,
    )


def _is_perp(instrument: Instrument) -> bool:
    return type(instrument).__name__ == "CryptoPerpetual"
