"""A trade while it runs: its manager, its row of the log, and the ladder that it aims at. Pure."""

from collections import deque
from collections.abc import Callable, Sequence
from decimal import Decimal

from strategies.candidates import Candidate, OpenPosition
from strategies.targets import Ladder, Source, Wall, replan
from strategies.ticks import to_tick
from strategies.trade_log import PlannedTarget, RestingOrder, Trade
from strategies.trade_manager import (
    ClosedByVenue,
    Command,
    Event,
    Filled,
    PostOnly,
    Replanned,
    Role,
    Submit,
    TradeManager,
    TradePlan,
    TradeState,
    Updated,
)

SECOND_NS = 1_000_000_000
_RESTS = (Role.STOP, Role.TARGET)


def plan_of(candidate: Candidate, *, horizon_seconds: int, rest_seconds: float | None, break_even: bool) -> TradePlan:
    """What the manager is to do for a candidate. `rest_seconds`: the entry rests so long at its own side's best price;
    None: it takes at once. `break_even`: the stop goes there once a target is filled."""
    view, side = candidate.view, candidate.setup.side
    entry = None
    if rest_seconds is not None:
        own = (view.bids if side > 0 else view.asks)[0].price
        entry = PostOnly(own, round(rest_seconds * SECOND_NS))
    return TradePlan(
        asset=candidate.setup.asset,
        instrument_id=view.instrument_id,
        side=side,
        size=candidate.size.size,
        stop=candidate.stop.price,
        targets=candidate.targets,
        horizon_ns=horizon_seconds * SECOND_NS,
        rules=view.rules,
        entry=entry,
        break_even=to_tick(candidate.break_even_price, view.tick, side) if break_even else None,
    )


def trade_of(candidate: Candidate, *, model: str) -> Trade:
    """The row of a candidate that is to be traded."""
    setup, view = candidate.setup, candidate.view
    side = "L" if setup.side > 0 else "S"
    return Trade(
        trace_id=f"{setup.asset}-{setup.ts // 1_000_000}-{side}",
        asset=setup.asset,
        instrument_id=view.instrument_id,
        side=setup.side,
        model=model,
        probability=setup.probability,
        break_even=float(candidate.break_even),
        expected_r=float(candidate.net_value_r),
        setup=setup.snapshot,  # type: ignore[arg-type]  # a Snapshot of candidates is a FlowSnapshot here
        planned_size=candidate.size.size,
        mid=candidate.mid,
        stop=candidate.stop.price,
        targets=tuple(PlannedTarget(t.price, t.share, t.source.value, t.wall) for t in candidate.targets.targets),
        risk=candidate.stop.distance,
        multiplier=view.rules.multiplier,
        decided_ns=setup.ts,
        forecast=candidate.costs.as_floats(),
    )


class RunningTrade:
    """Gives events to the manager one after the other, and has `send` carry out what it answers.

    Carrying out a command may bring events at once: they wait until all commands before them are sent. `risk` is what
    the trade loses at its stop, in account currency.
    """

    def __init__(
        self, trade: Trade, plan: TradePlan, risk: Decimal, send: Callable[["RunningTrade", Command], None]
    ) -> None:
        self.trade = trade
        self.plan = plan
        self.manager = TradeManager(plan)
        self._risk = risk
        self._send = send
        self._waiting: deque[tuple[Event, str, int]] = deque()
        self._busy = False
        self._ladder = plan.targets if isinstance(plan.targets, Ladder) else None
        self._sent: dict[str, Submit] = {}

    @property
    def done(self) -> bool:
        """Whether nothing is open and nothing can work any more."""
        return self.manager.done and not self._waiting

    @property
    def position(self) -> OpenPosition:
        """What it is to the selection."""
        return OpenPosition(self.trade.asset, self.trade.side, self.trade.venue, self._risk)

    @property
    def signed_open(self) -> Decimal:
        """What is open, below 0 for a short, in the venue's units."""
        return self.manager.open_size * self.trade.side

    def unrealised(self, price: Decimal) -> Decimal:
        """Profit of what is open at a price, quote currency."""
        trade = self.trade
        if not self.manager.open_size or trade.entry_price is None:
            return Decimal(0)
        return trade.side * (price - trade.entry_price) * self.manager.open_size * trade.multiplier

    @property
    def aims_at_walls(self) -> bool:
        """Whether it is open and a wall that vanishes would move one of its targets."""
        ladder = self._ladder
        return (
            ladder is not None
            and self.manager.state is TradeState.OPEN
            and any(target.source in (Source.WALL, Source.CLUSTER) for target in ladder.targets)
        )

    def start(self, now_ns: int) -> None:
        """Send the entry."""
        self._carry_out(self.manager.start(now_ns), now_ns)
        self._work()

    def on(self, event: Event, now_ns: int, order_id: str = "") -> None:
        """Take an event; `order_id` is the venue-facing id of its order, for the log."""
        self._waiting.append((event, order_id, now_ns))
        self._work()

    def see(self, bid: Decimal, ask: Decimal) -> None:
        """Take the best prices while something is open."""
        if self.manager.open_size > 0:
            self.trade.see(bid if self.trade.side > 0 else ask)

    def aim_anew(self, walls: Sequence[Wall], *, seen_to: Decimal, market: Decimal, now_ns: int) -> None:
        """Look at the walls on its way: a target whose wall is gone is planned anew, by the rules of `replan`."""
        ladder = self._ladder
        if ladder is None or self.manager.state is not TradeState.OPEN:
            return
        # a magnet is where much has rested, not an order that could vanish
        magnets = [Wall(t.wall, Decimal(1)) for t in ladder.targets if t.source is Source.MAGNET and t.wall is not None]
        filled = self.manager.filled_shares(ladder)
        new = replan(ladder, [*walls, *magnets], filled, seen_to=seen_to, market=market)
        if new is not ladder:
            self._ladder = new
            self.on(Replanned(new), now_ns)

    def close_log(self) -> Trade:
        """The row, with everything that the manager knows."""
        self.trade.reason = self.manager.reason
        self.trade.history = [(note.ts, note.what, note.why) for note in self.manager.history]
        return self.trade

    def _work(self) -> None:
        while self._waiting and not self._busy:
            event, order_id, now_ns = self._waiting.popleft()
            before = len(self.manager.fills)
            commands = self.manager.on(event, now_ns)
            if len(self.manager.fills) > before:
                self._log_fill(self.manager.fills[-1], order_id)
            self._log_rest(event, now_ns)
            self._carry_out(commands, now_ns)

    def _carry_out(self, commands: Sequence[Command], now_ns: int) -> None:
        self._busy = True
        try:
            for command in commands:
                self._log_command(command, now_ns)
                self._send(self, command)
        finally:
            self._busy = False

    def _log_fill(self, fill: Filled | ClosedByVenue, order_id: str) -> None:
        sent = self._sent[fill.ref] if isinstance(fill, Filled) else None
        self.trade.fill(
            role="venue" if sent is None else sent.role.value,
            # what was closed too much is taken back by an order of the entry's side
            entry=sent is not None and sent.side == self.trade.side,
            size=fill.size,
            price=fill.price,
            fee=fill.fee,
            ts=fill.ts,
            order_id=order_id,
        )

    def _log_command(self, command: Command, now_ns: int) -> None:
        if isinstance(command, Submit):
            self._sent[command.ref] = command
            if command.role in _RESTS and command.price is not None:
                self.trade.resting.append(RestingOrder(command.role.value, command.ref, command.price, now_ns))

    def _log_rest(self, event: Event, now_ns: int) -> None:
        """End what rests no more, whatever event ended it, and what rests at another price since this event."""
        working, resting = self.manager.working, self.trade.resting
        for order in [one for one in resting if not one.to_ns]:
            if order.ref not in working:
                order.to_ns = now_ns
            elif isinstance(event, Updated) and event.ref == order.ref and event.price not in (None, order.price):
                order.to_ns = now_ns
                resting.append(RestingOrder(order.role, order.ref, event.price, now_ns))
