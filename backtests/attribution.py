"""Costs of the trades of a replay: what its simulated venues noted, joined with the trade log."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from nautilus_trader.cache.base import CacheFacade
from nautilus_trader.model.enums import LiquiditySide, OrderType
from nautilus_trader.model.identifiers import ClientOrderId, InstrumentId
from nautilus_trader.model.orders import Order

from backtests.costs import Costs, Reference, fill_costs, summed
from backtests.simulation import LIQUIDATION, SimulatedVenue
from strategies.trade_log import Fill, Trade


@dataclass(frozen=True)
class TradeCosts:
    """A trade's costs. `unattributed` counts fills of which only the fee is known: there was no book to hold them
    against."""

    costs: Costs
    unattributed: int


def attribute(trades: Sequence[Trade], venues: Mapping[str, SimulatedVenue], cache: CacheFacade) -> list[TradeCosts]:
    """Costs of each trade; the funding that was settled while it was open is put into the trade itself."""
    return [_of_trade(trade, venues[InstrumentId.from_str(trade.instrument_id).venue.value], cache) for trade in trades]


def by_venue(trades: Sequence[Trade], costs: Sequence[TradeCosts]) -> dict[str, Costs]:
    """Costs of all trades of a venue, by its name."""
    names = [InstrumentId.from_str(trade.instrument_id).venue.value for trade in trades]
    return {
        name: summed(c.costs for n, c in zip(names, costs, strict=True) if n == name) for name in sorted(set(names))
    }


def _of_trade(trade: Trade, venue: SimulatedVenue, cache: CacheFacade) -> TradeCosts:
    trade.funding = sum(
        (
            payment.amount
            for payment in venue.payments
            if payment.instrument_id == trade.instrument_id
            and trade.entry_ns <= payment.ts <= (trade.exit_ns or payment.ts)
        ),
        Decimal(0),
    )
    total, unattributed = Costs(funding=-trade.funding), 0
    for fill in trade.fills:
        reference = _reference(fill, venue, cache)
        if reference is None:
            total += Costs(fees=fill.fee)
            unattributed += 1
        else:
            size = fill.size * trade.multiplier
            total += fill_costs(side=fill.side, size=size, price=fill.price, fee=fill.fee, reference=reference)
    return TradeCosts(total, unattributed)


def _reference(fill: Fill, venue: SimulatedVenue, cache: CacheFacade) -> Reference | None:
    order: Order = cache.order(ClientOrderId(fill.order_id))
    if order.tags and LIQUIDATION in order.tags:
        taken = next(x for x in venue.liquidations if x.order_id == fill.order_id)
        return Reference(resting_price=taken.mark)
    if order.has_trigger_price:
        return Reference(resting_price=order.trigger_price.as_decimal())
    if order.order_type == OrderType.LIMIT and order.liquidity_side == LiquiditySide.MAKER:
        return Reference(resting_price=order.price.as_decimal())
    found = venue.client.references.get(order.client_order_id)
    return found if found is not None and found.sent is not None and found.arrived is not None else None
