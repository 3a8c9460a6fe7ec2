"""One order, from its sending until nothing more can happen to it, put together from whatever arrives. Pure.

Rows and fills come over two roads (pushes and queries), late, twice, in any order, or not at all. Three rules make one
history of them: a fill counts once, by its id; a row that is older than one already seen only adds to what is known to
be filled; and an end is held back until every fill that the venue reports has been told. What is missing is asked for:
see `asks`.
"""

from dataclasses import dataclass, field, replace
from decimal import Decimal
from enum import StrEnum

from adapters.mexc.constants import MexcOrderErrorCode, MexcOrderSide, MexcOrderState, MexcPlanState
from adapters.mexc.order_ends import OVER, end_of_order, end_of_plan
from adapters.mexc.order_events import Accepted, Changed, End, Ended, Filled, OrderEvent, StillOpen, Triggered
from adapters.mexc.schemas.private import DealRow, OrderRow, PlanOrderRow

_DUPLICATES = (MexcOrderErrorCode.DUPLICATE_ORDER_ID, MexcOrderErrorCode.DUPLICATE_CLIENT_ID)


class Ask(StrEnum):
    """What is to be asked of the venue about an order."""

    ORDER = "order"
    PLAN = "plan"
    DEALS = "deals"


@dataclass(frozen=True)
class OrderSpec:
    """An order as the engine knows it. `key` is its client order id; quantities are contracts."""

    key: str
    symbol: str
    vol: Decimal
    price: Decimal | None = None
    """None for orders without limit price."""
    trigger_price: Decimal | None = None
    """Set for orders that are sent as plan (trigger) orders, None for others."""
    immediate: bool = False
    """It never rests: its end comes at once (once it was triggered, if it is a trigger order)."""

    @property
    def is_plan(self) -> bool:
        return self.trigger_price is not None


@dataclass(frozen=True)
class Known:
    """What the engine has of an order already. None of it is told again."""

    spec: OrderSpec
    venue_order_id: str | None
    fills: dict[str, Decimal]
    """Ids and sizes."""
    born_ms: int | None = None
    """When the venue took it, by the venue's clock, if that is known."""
    ended: bool = False
    triggered: bool = False


@dataclass
class OrderTrack:
    """State of one order. Call the ``on_`` methods with what arrives; what follows is added to `events`."""

    spec: OrderSpec
    events: list[OrderEvent]
    venue_order_id: str | None = None
    """The id under which the engine knows it: of a trigger order the plan's, for good."""
    order_id: str | None = None
    """The order that trades; of a plan, the one that it became."""
    born_ms: int | None = None
    """When the venue took it, by the venue's clock."""
    side: MexcOrderSide | None = None
    """As the venue shows it."""
    changing: bool = False
    """A change is under way: the venue may end one id and go on under another, and what fills the old quantity may be
    less than the new one."""
    ending: bool = False
    """Its end is due: it was cancelled, or never rests. It is asked for until it is there."""
    cancelled: bool = False
    """The venue has taken a cancel of it. Should it be open all the same, it is to be cancelled again."""
    triggered: bool = False
    """A plan has become an order."""
    filled: Decimal = Decimal(0)
    """What was told to be filled."""
    _deals: set[str] = field(default_factory=set)
    _dealt: Decimal = Decimal(0)
    _held: list[DealRow] = field(default_factory=list)  # fills beyond the quantity that is known
    _reported: dict[str, Decimal] = field(default_factory=dict)  # by order id: what the venue says was filled
    _former: set[str] = field(default_factory=set)  # ids that it had before a change
    _newest: tuple[int, int] | None = None  # version and time of the newest row of the order
    _newest_plan: int = 0
    _end: Ended | None = None
    _told: Ended | None = None
    _doubted: bool = False

    @classmethod
    def of(cls, known: Known, events: list[OrderEvent]) -> "OrderTrack":
        """An order that the engine knows: from before a restart, or placed elsewhere."""
        track = cls(known.spec, events, known.venue_order_id, born_ms=known.born_ms, triggered=known.triggered)
        if not known.spec.is_plan:
            track.order_id = known.venue_order_id
        track._deals = set(known.fills)
        track._dealt = track.filled = sum(known.fills.values(), Decimal(0))
        if known.ended:
            track._told = Ended(known.spec.key, known.venue_order_id, End.CANCELLED, "ended before", 0)
        return track

    # -- what is known -------------------------------------------------------------------------------------------------

    @property
    def accepted(self) -> bool:
        """Whether the venue has it, as far as the engine was told."""
        return self.venue_order_id is not None

    @property
    def ids_with_fills(self) -> list[str]:
        """Orders that have fills, by the venue's word."""
        return [order_id for order_id, vol in self._reported.items() if vol]

    @property
    def unexplained(self) -> Decimal:
        """Contracts that the venue says were filled, beyond the fills that have been seen."""
        return max(Decimal(0), sum(self._reported.values(), Decimal(0)) - self._dealt)

    @property
    def closed(self) -> bool:
        """Whether it is filled to the last contract, or its end was told; and no fill is missing."""
        over = self._told is not None or self.filled >= self.spec.vol
        return over and not self.unexplained and not self._held

    @property
    def ended(self) -> bool:
        """Whether the venue has ended it, by the newest row of the id that it has."""
        return self._end is not None or self._told is not None

    @property
    def asks(self) -> set[Ask]:
        """What has to be asked because it did not come by itself."""
        asks = {Ask.DEALS} if self.unexplained else set()
        waits = self.accepted and not self.closed
        unseen = self.triggered and self._newest is None
        if self._held or (waits and (self._doubted or self.ending or unseen)):
            asks.add(Ask.PLAN if self.spec.is_plan and self.order_id is None else Ask.ORDER)
        return asks

    def on_cancel_taken(self) -> None:
        """The venue has answered a cancel with yes."""
        self.ending = self.cancelled = True

    def doubt(self) -> None:
        """Something suggests that news was missed: ask for its state."""
        self._doubted = True

    # -- what arrives --------------------------------------------------------------------------------------------------

    def on_acknowledged(self, venue_order_id: str, ts_ms: int) -> None:
        """The venue has answered its sending with an id."""
        if not self.spec.is_plan and self.order_id is None:
            self.order_id = venue_order_id
        self._accept(venue_order_id, ts_ms)

    def on_refused(self, reason: str, ts_ms: int) -> None:
        """The venue did not take it, or it never left. Ignored when the venue has shown that it has it."""
        if not self.accepted and self._told is None:
            self._tell_end(Ended(self.spec.key, None, End.REJECTED, reason, ts_ms))

    def on_change_over(self) -> None:
        """A change has been answered, or found not to have happened."""
        self.changing = False
        if self._dealt <= self.spec.vol:
            self._tell_fills()
        self._settle()

    def on_order(self, row: OrderRow) -> None:
        """A row of the order that trades."""
        if row.error_code in _DUPLICATES and row.order_id != self.order_id:
            return  # about a second order, refused for having the name of this one
        reported = row.vol if row.state is MexcOrderState.FILLED else row.deal_vol
        self._reported[row.order_id] = max(reported, self._reported.get(row.order_id, Decimal(0)))
        if row.order_id not in self._former and not self._is_stale(row):
            if self.order_id not in (None, row.order_id):
                self._former.add(self.order_id)
                self._end = None  # that was the end of the former id
            self.order_id, self.side = row.order_id, row.side
            self._newest = (-1 if row.version is None else row.version, row.update_time)
            self._doubted = False
            self._take_state(row)
        self._settle()

    def on_plan(self, row: PlanOrderRow) -> None:
        """A row of the plan."""
        stale = row.update_time < self._newest_plan or (self._end is not None and not self.triggered)
        if stale or (self.triggered and row.state is not MexcPlanState.EXECUTED):
            return
        self._newest_plan = row.update_time
        self._doubted = False
        self._accept(row.id, row.create_time)
        if row.state is MexcPlanState.EXECUTED:
            self.order_id = self.order_id or row.order_id
            self._trigger(row.id, row.update_time)
        elif row.state is not MexcPlanState.UNTRIGGERED:
            self._end = end_of_plan(self.spec.key, row)
        elif self._told is not None:
            self.events.append(StillOpen(self.spec.key, row.id))
        else:
            self._change(row.id, row.vol, row.price, row.trigger_price, row.update_time)
        self._settle()

    def on_deal(self, deal: DealRow) -> None:
        """A fill."""
        if deal.id in self._deals:
            return
        self._deals.add(deal.id)
        self._dealt += deal.vol
        self.order_id = self.order_id or deal.order_id
        self._accept(deal.order_id, deal.timestamp)
        self._held.append(deal)
        if self._dealt < self.spec.vol or (self._dealt == self.spec.vol and not self.changing):
            self._tell_fills()
        self._settle()

    # -- what follows --------------------------------------------------------------------------------------------------

    def _is_stale(self, row: OrderRow) -> bool:
        if self._newest is None or row.order_id != self.order_id:
            return False
        if self._end is not None and row.state not in OVER:
            return True
        version, time = self._newest
        return row.version < version if row.version is not None and version >= 0 else row.update_time < time

    def _take_state(self, row: OrderRow) -> None:
        if row.state is not MexcOrderState.INVALID:
            self._accept(row.order_id, row.create_time)
        earlier = sum((vol for order_id, vol in self._reported.items() if order_id != row.order_id), Decimal(0))
        vol = row.vol + earlier
        if row.state in OVER:
            self._end = end_of_order(self.spec.key, row)
        elif self._told is not None or self.spec.vol <= self.filled < vol:
            self.events.append(StillOpen(self.spec.key, row.order_id))
        name = self.venue_order_id if self.spec.is_plan else row.order_id
        if name is not None:
            self._change(name, vol, row.price, self.spec.trigger_price, row.update_time)
        counted = sum(self._reported.values(), Decimal(0)) >= self._dealt  # the row is not from before the fills
        if (row.state in OVER or not self.changing) and (self._dealt <= self.spec.vol or counted):
            self._tell_fills()

    def _accept(self, venue_order_id: str, ts_ms: int) -> None:
        if self.venue_order_id is None:
            self.venue_order_id, self.born_ms = venue_order_id, ts_ms
            self.ending |= self.spec.immediate and not self.spec.is_plan
            if self._told is None:
                self.events.append(Accepted(self.spec.key, venue_order_id, ts_ms))

    def _trigger(self, plan_id: str, ts_ms: int) -> None:
        if not self.triggered:
            self.triggered = True
            self.ending |= self.spec.immediate or self.spec.price is None
            if self.spec.price is not None and self._told is None:
                self.events.append(Triggered(self.spec.key, plan_id, ts_ms))

    def _change(self, name: str, vol: Decimal, price: Decimal | None, trigger: Decimal | None, ts_ms: int) -> None:
        """Tell what is other than it was said to be. A quantity that is filled already is an end, not a change."""
        new = replace(
            self.spec,
            vol=vol if vol > self.filled else self.spec.vol,
            price=self.spec.price if self.spec.price is None or price is None else price,
            trigger_price=trigger,
        )
        over = self._told is not None or self.filled >= self.spec.vol
        if self.accepted and not over and (new != self.spec or name != self.venue_order_id):
            self.spec, self.venue_order_id = new, name
            self.events.append(Changed(new.key, name, new.vol, new.price, new.trigger_price, ts_ms))

    def _tell_fills(self) -> None:
        for deal in self._held:
            if self._told is not None and self._told.how is End.CANCELLED:
                # told again after the fill, which makes the order live once more for the engine
                self._end, self._told = self._told, None
            self.filled += deal.vol
            self.events.append(Filled(self.spec.key, self.venue_order_id or deal.order_id, deal))
        self._held.clear()

    def _settle(self) -> None:
        end = self._end
        if end is None or self._told is not None or self.changing or self.unexplained or self._held:
            return
        if self.filled < self.spec.vol:
            self._tell_end(replace(end, how=End.CANCELLED) if self.filled else end)

    def _tell_end(self, end: Ended) -> None:
        self._told = replace(end, venue_order_id=self.venue_order_id)
        self.events.append(self._told)
