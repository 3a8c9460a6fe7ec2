"""Rows of the venue as Nautilus's reports: orders, fills and positions.

A trigger order and the order that it became are one order to Nautilus, under the plan's id. Nautilus must never have to
infer a fill, because an invented one has neither the venue's id nor its fee: a report says that filled is what the
fills add up to that come with it.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal

from nautilus_trader.core.uuid import UUID4
from nautilus_trader.execution.reports import FillReport, OrderStatusReport, PositionStatusReport
from nautilus_trader.model.enums import (
    LiquiditySide,
    OrderSide,
    OrderStatus,
    OrderType,
    PositionSide,
    TimeInForce,
    TriggerType,
)
from nautilus_trader.model.identifiers import AccountId, ClientOrderId, PositionId, TradeId, VenueOrderId
from nautilus_trader.model.instruments import Instrument
from nautilus_trader.model.objects import Money, Quantity

from adapters.mexc.constants import (
    MexcOrderType,
    MexcPlanState,
    MexcPositionMode,
    MexcPositionType,
    MexcTriggerPrice,
    MexcTriggerType,
)
from adapters.mexc.errors import MexcPayloadError
from adapters.mexc.order_ends import OVER, end_of_order, end_of_plan
from adapters.mexc.order_events import End
from adapters.mexc.schemas.private import DealRow, OrderRow, PlanOrderRow
from adapters.mexc.schemas.private_account import PositionRow
from adapters.mexc.sides import direction, hedge_position_id
from adapters.mexc.symbols import currency
from adapters.mexc.wire_numbers import places

MS_NS = 1_000_000
MAKER_MARK = "-M"

_TIMES_IN_FORCE = {MexcOrderType.IOC: TimeInForce.IOC, MexcOrderType.FOK: TimeInForce.FOK}
_TRIGGER_TYPES = {
    MexcTriggerPrice.LAST: TriggerType.LAST_PRICE,
    MexcTriggerPrice.FAIR: TriggerType.MARK_PRICE,
    MexcTriggerPrice.INDEX: TriggerType.INDEX_PRICE,
}
_ENDS = {
    End.CANCELLED: OrderStatus.CANCELED,
    End.REJECTED: OrderStatus.REJECTED,
    End.POST_ONLY: OrderStatus.REJECTED,
    End.EXPIRED: OrderStatus.EXPIRED,
}


@dataclass(frozen=True)
class VenueOrder:
    """An order as the venue has it: a row, or a plan's row and that of the order which it became; and its fills."""

    row: OrderRow | None
    plan: PlanOrderRow | None = None
    deals: tuple[DealRow, ...] = ()

    @property
    def shown(self) -> OrderRow | PlanOrderRow:
        """The row that tells what it is: the plan's, if there is one. ValueError when there is none at all."""
        shown = self.plan or self.row
        if shown is None:
            raise ValueError("an order of the venue has a row at least")
        return shown

    @property
    def id(self) -> str:
        """The id under which Nautilus knows it: of a trigger order the plan's."""
        shown = self.shown
        return shown.id if isinstance(shown, PlanOrderRow) else shown.order_id

    @property
    def filled(self) -> Decimal:
        """What the fills at hand add up to."""
        return sum((deal.vol for deal in self.deals), Decimal(0))


class Reports:
    """Makes reports for one account. `client_order_id` gives the client order id of a venue's order, or None."""

    def __init__(
        self,
        account_id: AccountId,
        position_mode: MexcPositionMode,
        client_order_id: Callable[[VenueOrder], ClientOrderId | None],
        now_ns: Callable[[], int],
    ) -> None:
        self._account_id = account_id
        self._hedge = position_mode is MexcPositionMode.HEDGE
        self._client_order_id = client_order_id
        self._now_ns = now_ns

    def order(self, order: VenueOrder, instrument: Instrument) -> OrderStatusReport:
        """The state of an order, as far as its fills are at hand.

        An order with fills is not reported as reduce-only: Nautilus applies fills order by order, not by time, and
        drops one that would open a position from its books where the order is reduce-only.
        """
        shown, plan, row = order.shown, order.plan, order.row
        end = self._end(order)
        price = shown.price if shown.order_type is not MexcOrderType.MARKET and shown.price else None
        triggered = plan is not None and plan.state is MexcPlanState.EXECUTED
        return OrderStatusReport(
            account_id=self._account_id,
            instrument_id=instrument.id,
            venue_order_id=VenueOrderId(order.id),
            client_order_id=self._client_order_id(order),
            venue_position_id=self._position_id(shown, instrument),
            order_side=_order_side(shown),
            order_type=_order_type(order),
            time_in_force=_TIMES_IN_FORCE.get(shown.order_type, TimeInForce.GTC),
            order_status=self._status(order, end),
            price=None if price is None else instrument.make_price(price),
            trigger_price=None if plan is None else instrument.make_price(plan.trigger_price),
            trigger_type=TriggerType.NO_TRIGGER if plan is None else _trigger_type(plan),
            quantity=_contracts(shown.vol, instrument),
            filled_qty=_contracts(order.filled, instrument),
            avg_px=_average_price(order.deals),
            post_only=shown.order_type is MexcOrderType.POST_ONLY,
            reduce_only=direction(shown.side).closes and not order.filled,
            cancel_reason=None if end is None else end[1],
            report_id=UUID4(),
            ts_accepted=shown.create_time * MS_NS,
            ts_triggered=plan.update_time * MS_NS if triggered and plan is not None and price is not None else None,
            ts_last=max(shown.update_time, row.update_time if row is not None else 0) * MS_NS,
            ts_init=self._now_ns(),
        )

    def fills(self, order: VenueOrder, instrument: Instrument) -> list[FillReport]:
        """Its fills, oldest first."""
        return [
            self.fill(deal, order.id, self._client_order_id(order), instrument)
            for deal in sorted(order.deals, key=_by_time)
        ]

    def fill(
        self, deal: DealRow, venue_order_id: str, client_order_id: ClientOrderId | None, instrument: Instrument
    ) -> FillReport:
        """One fill, of the order that Nautilus knows by this id."""
        return FillReport(
            account_id=self._account_id,
            instrument_id=instrument.id,
            venue_order_id=VenueOrderId(venue_order_id),
            client_order_id=client_order_id,
            venue_position_id=self._position_id(deal, instrument),
            trade_id=trade_id(deal),
            order_side=_order_side(deal),
            last_qty=_contracts(deal.vol, instrument),
            last_px=instrument.make_price(deal.price),
            commission=Money(deal.fee, currency(deal.fee_currency)),
            liquidity_side=LiquiditySide.TAKER if deal.took else LiquiditySide.MAKER,
            report_id=UUID4(),
            ts_event=deal.timestamp * MS_NS,
            ts_init=self._now_ns(),
        )

    def position(self, row: PositionRow, instrument: Instrument) -> PositionStatusReport:
        """A position; in hedge mode one of each side."""
        side = PositionSide.LONG if row.position_type is MexcPositionType.LONG else PositionSide.SHORT
        name = hedge_position_id(instrument.id.value, row.position_type)
        return PositionStatusReport(
            account_id=self._account_id,
            instrument_id=instrument.id,
            position_side=side if row.hold_vol else PositionSide.FLAT,
            quantity=_contracts(row.hold_vol, instrument),
            venue_position_id=PositionId(name) if self._hedge else None,
            avg_px_open=row.hold_avg_price if row.hold_vol else None,
            report_id=UUID4(),
            ts_last=row.update_time * MS_NS,
            ts_init=self._now_ns(),
        )

    def flat(self, instrument: Instrument) -> list[PositionStatusReport]:
        """No position; in hedge mode none of either side."""
        now = self._now_ns()
        names = [hedge_position_id(instrument.id.value, side) for side in MexcPositionType] if self._hedge else [None]
        return [
            PositionStatusReport(
                account_id=self._account_id,
                instrument_id=instrument.id,
                position_side=PositionSide.FLAT,
                quantity=instrument.make_qty(0),
                venue_position_id=None if name is None else PositionId(name),
                report_id=UUID4(),
                ts_last=now,
                ts_init=now,
            )
            for name in names
        ]

    def position_id(self, deal: DealRow, instrument: Instrument) -> PositionId | None:
        """The position that a fill belongs to; None in one-way mode, where there is only one."""
        return self._position_id(deal, instrument)

    def _position_id(self, row: OrderRow | PlanOrderRow | DealRow, instrument: Instrument) -> PositionId | None:
        if not self._hedge:
            return None
        return PositionId(hedge_position_id(instrument.id.value, direction(row.side).position))

    def _end(self, order: VenueOrder) -> tuple[OrderStatus, str] | None:
        row, plan = order.row, order.plan
        if row is not None and row.state in OVER:
            end = end_of_order("", row)
        elif (
            row is None
            and plan is not None
            and plan.state
            in (
                MexcPlanState.CANCELLED,
                MexcPlanState.EXPIRED,
                MexcPlanState.FAILED,
            )
        ):
            end = end_of_plan("", plan)
        else:
            return None
        return _ENDS[End.CANCELLED if order.filled else end.how], end.reason

    def _status(self, order: VenueOrder, end: tuple[OrderStatus, str] | None) -> OrderStatus:
        if order.filled >= order.shown.vol:
            return OrderStatus.FILLED
        if end is not None:
            return end[0]
        if order.filled:
            return OrderStatus.PARTIALLY_FILLED
        plan = order.plan
        triggered = plan is not None and plan.state is MexcPlanState.EXECUTED
        return OrderStatus.TRIGGERED if triggered and _order_type(order) in _TRIGGERABLE else OrderStatus.ACCEPTED


_TRIGGERABLE = (OrderType.STOP_LIMIT, OrderType.LIMIT_IF_TOUCHED)


def trade_id(deal: DealRow) -> TradeId:
    """Nautilus's name of a fill: the venue's id, with a mark on the maker's side.

    Both sides of a trade with oneself may share an id, and a position takes no id twice.
    """
    return TradeId(deal.id if deal.took else deal.id + MAKER_MARK)


def deal_id(trade: TradeId) -> str:
    """The venue's id of a fill that Nautilus has."""
    return str(trade.value).removesuffix(MAKER_MARK)


def first_fills(deals: Iterable[DealRow], vol: Decimal) -> tuple[DealRow, ...]:
    """The oldest fills that add up to `vol`, so that they fit a row which is older than the last of them.

    ValueError when none do: fills are missing, and nothing may be reported until they are there.
    """
    taken: list[DealRow] = []
    left = vol
    for deal in sorted({deal.id: deal for deal in deals}.values(), key=_by_time):
        if left <= 0:
            break
        taken.append(deal)
        left -= deal.vol
    if left != 0:
        raise ValueError(f"fills add up to {vol - left} where the venue says {vol}")
    return tuple(taken)


def _contracts(vol: Decimal, instrument: Instrument) -> Quantity:
    """Exactly so many. MexcPayloadError where the contract has no such quantity, which Nautilus would round."""
    if places(vol) > instrument.size_precision:
        raise MexcPayloadError(
            "reports", "vol", f"{instrument.raw_symbol}: {vol} contracts: the step is finer than known"
        )
    return instrument.make_qty(vol)


def _by_time(deal: DealRow) -> tuple[int, int, str]:
    return deal.timestamp, len(deal.id), deal.id


def _average_price(deals: tuple[DealRow, ...]) -> Decimal | None:
    vol = sum((deal.vol for deal in deals), Decimal(0))
    return sum((deal.vol * deal.price for deal in deals), Decimal(0)) / vol if vol else None


def _order_side(row: OrderRow | PlanOrderRow | DealRow) -> OrderSide:
    return OrderSide.BUY if direction(row.side).buys else OrderSide.SELL


def _order_type(order: VenueOrder) -> OrderType:
    shown, plan = order.shown, order.plan
    market = shown.order_type is MexcOrderType.MARKET
    if plan is None:
        return OrderType.MARKET if market else OrderType.LIMIT
    if (plan.trigger_type is MexcTriggerType.AT_OR_ABOVE) is direction(plan.side).buys:
        return OrderType.STOP_MARKET if market else OrderType.STOP_LIMIT
    return OrderType.MARKET_IF_TOUCHED if market else OrderType.LIMIT_IF_TOUCHED


def _trigger_type(plan: PlanOrderRow) -> TriggerType:
    return TriggerType.DEFAULT if plan.trend is None else _TRIGGER_TYPES[plan.trend]
