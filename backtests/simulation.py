"""One place that turns a profile into simulated venues: latency, fills, fees, funding, liquidation, rules.

What Nautilus's engine does well stays with it: orders walk the L2 book and consume it, resting ones wait in the queue,
post-only and reduce-only are kept. What it leaves out, or would flatter with, is done here and in the files beside:
:mod:`backtests.simulated_venue` (commands on their way, refusals), :mod:`backtests.latency`, :mod:`backtests.fees`,
:mod:`backtests.funding`, :mod:`backtests.margin`, :mod:`backtests.account_ledger`. docs/assumptions.md says what all of
it assumes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from nautilus_trader.backtest.config import SimulationModuleConfig
from nautilus_trader.backtest.engine import BacktestEngine, SimulatedExchange
from nautilus_trader.backtest.models import FillModel
from nautilus_trader.backtest.modules import SimulationModule
from nautilus_trader.common.actor import Actor
from nautilus_trader.common.config import ActorConfig
from nautilus_trader.common.events import TimeEvent
from nautilus_trader.core.uuid import UUID4
from nautilus_trader.model.currencies import USDT
from nautilus_trader.model.data import MarkPriceUpdate
from nautilus_trader.model.enums import AccountType, BookType, LiquiditySide, OmsType, OrderSide, OrderType
from nautilus_trader.model.events import OrderEvent, OrderFilled
from nautilus_trader.model.identifiers import (
    ClientOrderId,
    InstrumentId,
    PositionId,
    StrategyId,
    TradeId,
    Venue,
    VenueOrderId,
)
from nautilus_trader.model.instruments import CryptoPerpetual, Instrument
from nautilus_trader.model.objects import Money
from nautilus_trader.model.orders import MarketOrder

from backtests.account_ledger import AccountLedger, FundingPayment, Holding, funding_amount
from backtests.fees import Fees, load_fee_schedules
from backtests.funding import Settlement, settlements
from backtests.latency import Connection
from backtests.margin import (
    CrossPosition,
    account_is_liquidatable,
    bankruptcy_price,
    cross_bankruptcy_price,
    liquidation_price,
    load_margin_tiers,
)
from backtests.profile import Profile, VenueSettings
from backtests.simulated_venue import AccountTerms, MarketTerms, SimulatedVenueClient
from backtests.universe import Universe
from backtests.venue_rules import VenueRules
from catalog.store import Catalog
from catalog.tables import Kind

CURRENCY_UNIT = Decimal(1).scaleb(-USDT.precision)
LIQUIDATION = "LIQUIDATION"
"""Tag of an order with which a venue closes a position."""
MEASURED_ROWS = 20_000
_TAKES_AT_ONCE = (OrderType.MARKET, OrderType.STOP_MARKET, OrderType.MARKET_IF_TOUCHED, OrderType.TRAILING_STOP_MARKET)


@dataclass(frozen=True)
class Liquidation:
    """A position that a venue closed."""

    order_id: str
    ts: int  # UNIX ns
    instrument_id: str
    size: Decimal  # signed, base units
    mark: Decimal
    price: Decimal
    fee: Decimal


@dataclass
class SimulatedVenue:
    """A venue with what was done there."""

    name: str
    settings: VenueSettings
    client: SimulatedVenueClient
    ledger: AccountLedger
    feed_ms: float
    settlements: Mapping[str, Sequence[Settlement]]
    without_funding: tuple[str, ...]
    without_marks: tuple[str, ...]
    payments: list[FundingPayment] = field(default_factory=list)
    liquidations: list[Liquidation] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.connection = self.client.connection  # kept: the client hangs up at the end
        self.currency = USDT

    def open_profit(self) -> Decimal:
        """What open positions have made or lost at their marks (quote currency)."""
        profit = Decimal(0)
        for (name, _), holding in self.ledger.open_holdings().items():
            mark = self.client.mark(InstrumentId.from_str(name))
            if mark is None:
                raise RuntimeError(f"{name}: no mark price and no book: what is held cannot be valued")
            profit += holding.unrealised(mark)
        return profit


def add_venues(
    engine: BacktestEngine,
    catalog: Catalog,
    markets: Universe,
    profile: Profile,
    span: tuple[int, int],
    *,
    bare: bool = False,
) -> dict[str, SimulatedVenue]:
    """Give the engine all venues of a universe, and the actor that runs what Nautilus does not; those that trade are
    returned by name. `bare` leaves the engine as it is, for the measure of what we cost.

    Raises ValueError for a venue or a fee tier that the tables do not know.
    """
    venues: dict[str, SimulatedVenue] = {}
    for name in sorted({i.id.venue.value for i in markets.instruments}):
        settings = profile.venues.get(name)
        exchange = _exchange(engine, name, settings, profile)
        own = [i for i in markets.instruments if i.id.venue.value == name]
        for instrument in own:
            engine.add_instrument(with_fees(instrument, profile))
            # whoever asks the cache for a book reads the venue's own, instead of having the engine keep a second one
            engine.kernel.cache.add_order_book(exchange.get_book(instrument.id))
        if settings is not None and not bare:
            perps = [i for i in own if isinstance(i, CryptoPerpetual)]
            venues[name] = _venue(engine, exchange, catalog, name, settings, perps, profile, span)
    if venues:
        engine.add_actor(Simulation(venues, profile))
    return venues


def maintenance_rates(markets: Universe, profile: Profile) -> dict[str, str]:
    """Of every perp that is traded, the maintenance rate of the tier of the largest position that may be opened."""
    tables, most = load_margin_tiers(), profile.scalper.candidates.max_notional
    rates: dict[str, str] = {}
    for perps in markets.tradable.values():
        for instrument in perps:
            tiers = tables.tiers(instrument.id.venue.value, str(instrument.base_currency.code))
            cap = tiers.tiers[-1].notional_cap
            rates[instrument.id.value] = str(tiers.tier(most if cap is None else min(most, cap)).maintenance_rate)
    return rates


def with_fees(instrument: Instrument, profile: Profile) -> Instrument:
    """The instrument with the profile's fees; margin is its whole notional divided by the account's leverage."""
    settings = profile.venues.get(instrument.id.venue.value)
    if settings is None or not isinstance(instrument, CryptoPerpetual):
        return instrument
    fees = (
        venue_fees(instrument.id.venue.value, settings)
        if profile.simulation.fees
        else Fees(maker=Decimal(0), taker=Decimal(0))
    )
    fields: dict[str, Any] = CryptoPerpetual.to_dict(instrument)
    fields |= {
        "maker_fee": str(fees.maker),
        "taker_fee": str(fees.taker),
        "margin_init": "1",
        "margin_maint": "0.5",
    }
    return CryptoPerpetual.from_dict(fields)


def venue_fees(name: str, settings: VenueSettings) -> Fees:
    """What perps of a venue cost: the profile's own figures, or those of its tier in the venue's schedule."""
    if settings.maker_fee is not None and settings.taker_fee is not None:
        return Fees(maker=settings.maker_fee, taker=settings.taker_fee)
    return load_fee_schedules().fees(name, "perp", settings.fee_tier, settings.fee_discount)


class _Catcher(SimulationModule):
    """Gets hold of the exchange that the engine makes and keeps to itself."""

    caught: SimulatedExchange

    def register_venue(self, exchange: SimulatedExchange) -> None:
        self.caught = exchange


def _exchange(engine: BacktestEngine, name: str, settings: VenueSettings | None, profile: Profile) -> SimulatedExchange:
    catcher = _Catcher(SimulationModuleConfig())
    engine.add_venue(
        venue=Venue(name),
        oms_type=OmsType.NETTING,
        account_type=AccountType.MARGIN,
        # a venue whose markets are only read still has an account in Nautilus: empty
        starting_balances=[Money(settings.starting_balance if settings else 0, USDT)],
        default_leverage=settings.leverage if settings else Decimal(1),
        modules=[catcher],
        book_type=BookType.L2_MBP,
        fill_model=FillModel(random_seed=profile.replay.seed),
        liquidity_consumption=True,  # else two orders take the same level twice
        queue_position=profile.simulation.queue,
    )
    catcher.caught.modules.clear()  # a module would be called at every event of every market
    return catcher.caught


def _venue(
    engine: BacktestEngine,
    exchange: SimulatedExchange,
    catalog: Catalog,
    name: str,
    settings: VenueSettings,
    perps: Sequence[CryptoPerpetual],
    profile: Profile,
    span: tuple[int, int],
) -> SimulatedVenue:
    simulation = profile.simulation
    feed_ns = round(settings.latency.feed_ms * 1e6) if settings.latency.feed_ms is not None else None
    if feed_ns is None:
        feed_ns = measured_feed_ns(catalog, [i.id.value for i in perps])
    law = settings.latency.law()
    connection = Connection(name, law, seed=profile.replay.seed, feed_ns=feed_ns) if simulation.latency else None
    ledger = AccountLedger(settings.starting_balance)
    tiers = load_margin_tiers()
    client = SimulatedVenueClient(
        exchange,
        engine.kernel,
        markets={
            i.id: MarketTerms(i, market_rules(i, settings), tiers.tiers(name, str(i.base_currency.code))) for i in perps
        },
        account=AccountTerms(
            leverage=settings.leverage,
            cross=settings.margin_mode == "cross",
            max_position_notional=settings.max_position_notional,
            checked=simulation.rules,
        ),
        ledger=ledger,
        connection=connection,
    )
    engine.kernel.exec_engine.deregister_client(exchange.exec_client)
    exchange.register_client(client)
    engine.kernel.exec_engine.register_client(client)
    due = {i.id.value: settlements(catalog, i.id.value, *span) for i in perps}
    without_funding, without_marks = (_without(catalog, perps, kind) for kind in (Kind.FUNDING, Kind.MARKS))
    return SimulatedVenue(name, settings, client, ledger, feed_ns / 1e6, due, without_funding, without_marks)


def _without(catalog: Catalog, instruments: Sequence[Instrument], kind: Kind) -> tuple[str, ...]:
    """Instruments of which the catalog has none of a kind."""
    known = {s.instrument_id for s in catalog.ledger.series() if s.kind == kind}
    return tuple(sorted(i.id.value for i in instruments if i.id.value not in known))


def market_rules(instrument: Instrument, settings: VenueSettings) -> VenueRules:
    """A market's rules from its definition and the profile."""

    def decimal(value: Any) -> Decimal | None:
        return None if value is None else value.as_decimal()

    return VenueRules(
        tick=instrument.price_increment.as_decimal(),
        step=instrument.size_increment.as_decimal(),
        multiplier=instrument.multiplier.as_decimal(),
        min_size=decimal(instrument.min_quantity),
        max_size=decimal(instrument.max_quantity),
        min_notional=decimal(instrument.min_notional),
        price_band=settings.price_band,
    )


def measured_feed_ns(catalog: Catalog, instrument_ids: Sequence[str]) -> int:
    """How long data of some markets took to arrive: the median of receive time less venue time of their first trades.

    0 where the catalog does not tell (dumps without a receive time, a recorder whose clock ran behind), in ns.
    """
    found: list[float] = []
    for entry in catalog.ledger.series():
        if entry.instrument_id in instrument_ids and entry.kind == Kind.TRADES:
            file = pq.ParquetFile(catalog.root / entry.path)
            batch = next(file.iter_batches(MEASURED_ROWS, columns=["ts_event", "ts_init"]))
            sent, received = (batch.column(name).to_numpy().astype(np.int64) for name in ("ts_event", "ts_init"))
            found.append(float(np.median(received - sent)))
    return max(0, round(float(np.median(found)))) if found else 0


class Simulation(Actor):
    """What venues do of themselves: settle funding, liquidate, and let no market order hang."""

    def __init__(self, venues: Mapping[str, SimulatedVenue], profile: Profile) -> None:
        super().__init__(ActorConfig(component_id="SIMULATION"))
        self._venues = venues
        self._settings = profile.simulation
        self._liquidation_prices: dict[tuple[str, str], tuple[Decimal, Decimal, Decimal | None]] = {}
        self._watched: set[InstrumentId] = set()

    def on_start(self) -> None:
        # before the strategies: what they ask of the ledger in answer to a fill has the fill in it
        self.msgbus.subscribe("events.order.*", self._on_order_event, priority=100)
        for venue in self._venues.values():
            if self._settings.funding:
                for name, due in venue.settlements.items():
                    for number, settlement in enumerate(due):
                        if settlement.ts > self.clock.timestamp_ns():
                            self._at(f"funding-{name}-{number}", settlement.ts, self._settle, venue, name, settlement)

    def on_stop(self) -> None:
        for venue in self._venues.values():
            venue.client.hang_up()

    def _at(self, name: str, ts: int, act: Any, *arguments: Any) -> None:
        def run(_event: TimeEvent) -> None:
            act(*arguments)

        self.clock.set_time_alert_ns(name, ts, run)

    # -- fills ---------------------------------------------------------------------------------------------------------

    def _on_order_event(self, event: OrderEvent) -> None:
        if isinstance(event, OrderFilled):
            self._on_fill(event)

    def _on_fill(self, fill: OrderFilled) -> None:
        venue = self._venues.get(fill.instrument_id.venue.value)
        if venue is None:
            return
        multiplier = venue.client.markets[fill.instrument_id].rules.multiplier
        side = 1 if fill.order_side == OrderSide.BUY else -1
        venue.ledger.fill(
            (fill.instrument_id.value, fill.strategy_id.value),
            side * fill.last_qty.as_decimal() * multiplier,
            fill.last_px.as_decimal(),
            fill.commission.as_decimal(),
        )
        self._watch(venue, fill.instrument_id)
        order = self.cache.order(fill.client_order_id)
        if order.is_open and fill.order_type in _TAKES_AT_ONCE:
            # the book was too thin: a venue lets the rest expire, the engine would let it hang for ever. Not now: more
            # fills of the same order may follow in this very moment
            name = f"rest-{fill.client_order_id}"
            if name not in self.clock.timer_names:
                self._at(name, self.clock.timestamp_ns() + 1, self._expire_rest, venue, fill.client_order_id)

    def _expire_rest(self, venue: SimulatedVenue, order_id: ClientOrderId) -> None:
        order = self.cache.order(order_id)
        if order.is_open:
            venue.client.exchange.get_matching_engine(order.instrument_id).cancel_order(order)

    # -- funding -------------------------------------------------------------------------------------------------------

    def _settle(self, venue: SimulatedVenue, name: str, settlement: Settlement) -> None:
        instrument_id = InstrumentId.from_str(name)
        for (held, strategy), holding in venue.ledger.open_holdings().items():
            if held != name:
                continue
            mark = venue.client.mark(instrument_id)
            if mark is None:
                raise RuntimeError(f"{name}: no mark price and no book at a settlement: what is held cannot be valued")
            amount = funding_amount(holding.size, mark, settlement.rate, CURRENCY_UNIT)
            payment = FundingPayment(settlement.ts, name, strategy, holding.size, mark, settlement.rate, amount)
            venue.payments.append(payment)
            venue.ledger.pay(payment)
            if amount:
                venue.client.exchange.adjust_account(Money(amount, USDT))

    # -- liquidation ---------------------------------------------------------------------------------------------------

    def _watch(self, venue: SimulatedVenue, instrument_id: InstrumentId) -> None:
        """Listen to the marks of what is held, and of nothing else: an idle replay pays nothing for them."""
        held = any(name == instrument_id.value for name, _ in venue.ledger.open_holdings())
        topic = f"data.mark_prices.{instrument_id.venue}.{instrument_id.symbol}"
        if held and self._settings.liquidation and instrument_id not in self._watched:
            self._watched.add(instrument_id)
            self.msgbus.subscribe(topic, self._on_mark)
        elif not held and instrument_id in self._watched:
            self._watched.remove(instrument_id)
            self.msgbus.unsubscribe(topic, self._on_mark)

    def _on_mark(self, mark: MarkPriceUpdate) -> None:
        venue = self._venues[mark.instrument_id.venue.value]
        held = venue.ledger.open_holdings()
        if not held:
            return
        if venue.client.terms.cross:
            self._check_account(venue, held)
            return
        price = mark.value.as_decimal()
        for key, holding in held.items():
            if key[0] == mark.instrument_id.value:
                self._check_position(venue, key, holding, price)

    def _check_position(self, venue: SimulatedVenue, key: tuple[str, str], holding: Holding, mark: Decimal) -> None:
        side = 1 if holding.size > 0 else -1
        size, margin = abs(holding.size), abs(holding.cost) / venue.client.terms.leverage
        known = self._liquidation_prices.get(key)
        if known is None or known[:2] != (holding.size, holding.cost):
            tiers = venue.client.markets[InstrumentId.from_str(key[0])].tiers
            limit = liquidation_price(side, holding.entry, size, margin, tiers)
            self._liquidation_prices[key] = known = (holding.size, holding.cost, limit)
        limit = known[2]
        if limit is not None and side * (mark - limit) <= 0:
            self._liquidate(venue, key, mark, bankruptcy_price(side, holding.entry, size, margin))

    def _check_account(self, venue: SimulatedVenue, held: Mapping[tuple[str, str], Holding]) -> None:
        positions = {key: _position(venue, key, holding) for key, holding in held.items()}
        while positions and account_is_liquidatable(venue.ledger.balance, list(positions.values())):
            # the worst first, as venues do, until what is left can be carried
            key = min(positions, key=lambda k: held[k].unrealised(positions[k].mark))
            position = positions.pop(key)
            price = cross_bankruptcy_price(venue.ledger.balance, position, list(positions.values()))
            self._liquidate(venue, key, position.mark, price)

    def _liquidate(self, venue: SimulatedVenue, key: tuple[str, str], mark: Decimal, price: Decimal | None) -> None:
        """Take the position over at its bankruptcy price, and charge the fee: what rests of the market is cancelled.

        A long whose margin covers all of it has no such price: the least there is is one tick.
        """
        instrument_id, strategy = InstrumentId.from_str(key[0]), StrategyId(key[1])
        client, holding = venue.client, venue.ledger.holdings[key]
        instrument, size = client.markets[instrument_id].instrument, holding.size
        matching = client.exchange.get_matching_engine(instrument_id)
        for order in client.exchange.get_open_orders(instrument_id):
            if order.strategy_id == strategy:
                matching.cancel_order(order)
        tick = instrument.price_increment.as_decimal()
        towards = ROUND_CEILING if size > 0 else ROUND_FLOOR  # never more than the margin
        taken_at = tick if price is None else max((price / tick).to_integral_value(towards) * tick, tick)
        fee = (abs(size) * taken_at * venue.settings.liquidation_fee).quantize(CURRENCY_UNIT)
        if not self._settings.fees:
            fee = Decimal(0)
        name = f"{LIQUIDATION}-{venue.name}-{len(venue.liquidations) + 1}"
        venue.liquidations.append(Liquidation(name, self.clock.timestamp_ns(), key[0], size, mark, taken_at, fee))
        self._close_for(venue, instrument, strategy, name, size, taken_at, fee)

    def _close_for(
        self,
        venue: SimulatedVenue,
        instrument: Instrument,
        strategy: StrategyId,
        name: str,
        size: Decimal,
        price: Decimal,
        fee: Decimal,
    ) -> None:
        now = self.clock.timestamp_ns()
        multiplier = instrument.multiplier.as_decimal()
        order = MarketOrder(
            trader_id=self.trader_id,
            strategy_id=strategy,
            instrument_id=instrument.id,
            client_order_id=ClientOrderId(name),
            order_side=OrderSide.SELL if size > 0 else OrderSide.BUY,
            quantity=instrument.make_qty(abs(size) / multiplier),
            init_id=UUID4(),
            ts_init=now,
            reduce_only=True,
            tags=[LIQUIDATION],
        )
        position = PositionId(f"{instrument.id}-{strategy}")
        self.cache.add_order(order, position_id=position)
        client, order_id, venue_id = venue.client, order.client_order_id, VenueOrderId(name)
        client.generate_order_submitted(strategy, instrument.id, order_id, now)
        client.generate_order_accepted(strategy, instrument.id, order_id, venue_id, now)
        client.generate_order_filled(
            strategy_id=strategy,
            instrument_id=instrument.id,
            client_order_id=order_id,
            venue_order_id=venue_id,
            venue_position_id=None,
            trade_id=TradeId(name),
            order_side=order.side,
            order_type=OrderType.MARKET,
            last_qty=order.quantity,
            last_px=instrument.make_price(price),
            quote_currency=instrument.quote_currency,
            commission=Money(fee, USDT),
            liquidity_side=LiquiditySide.TAKER,
            ts_event=now,
        )


def _position(venue: SimulatedVenue, key: tuple[str, str], holding: Holding) -> CrossPosition:
    instrument_id = InstrumentId.from_str(key[0])
    mark = venue.client.mark(instrument_id)
    if mark is None:
        raise RuntimeError(f"{key[0]}: no mark price and no book: what is held cannot be valued")
    side = 1 if holding.size > 0 else -1
    return CrossPosition(side, holding.entry, abs(holding.size), mark, venue.client.markets[instrument_id].tiers)


TRANSIT_SCHEMA = pa.schema(
    [("venue", pa.string()), *((name, pa.int64()) for name in ("sent_ns", "drawn_ns", "arrival_ns"))]
)
FUNDING_SCHEMA = pa.schema(
    [
        ("venue", pa.string()),
        ("ts", pa.int64()),
        ("instrument_id", pa.string()),
        *((name, pa.float64()) for name in ("size", "mark", "rate", "amount")),
    ]
)


def transit_rows(venues: Mapping[str, SimulatedVenue]) -> list[dict[str, Any]]:
    """All commands that were under way: venue, when sent, what the law drew and when it arrived (ns)."""
    return [
        {"venue": venue.name, "sent_ns": t.sent_ns, "drawn_ns": t.drawn_ns, "arrival_ns": t.arrival_ns}
        for venue in venues.values()
        if venue.connection is not None
        for t in venue.connection.transits
    ]


def funding_rows(venues: Mapping[str, SimulatedVenue]) -> list[dict[str, Any]]:
    """All settlements of funding on open positions: size in base units, amount in account currency as it was got."""
    return [
        {
            "venue": venue.name,
            "ts": p.ts,
            "instrument_id": p.instrument_id,
            "size": float(p.size),
            "mark": float(p.mark),
            "rate": float(p.rate),
            "amount": float(p.amount),
        }
        for venue in venues.values()
        for p in venue.payments
    ]
