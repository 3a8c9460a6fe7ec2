"""What a replay decided, as facts that two replays of one market can be held to up to a time.

A run that ends makes its strategy close and cancel; the engine's clock then still shows the last event. So what
happened before that time is compared as it is, and at that time itself the shorter run must have done all that the
longer did, in the same order, and beyond it only what a stop can do: send reduce-only orders, and end orders that rest
or are under way.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, zip_longest
from typing import Any

from backtests.replay import Replay
from strategies.trade_log import Trade

# names of a run and of its bookkeeping: another run may give others
_UNTOLD = {"trader_id", "strategy_id", "venue_order_id", "account_id", "position_id", "trade_id", "event_id", "info"}
# these are fields of a step, or say nothing
_UNTOLD |= {"type", "instrument_id", "client_order_id", "ts_init", "ts_event", "reconciliation", "options"}
_SENT, _FILLS = "OrderInitialized", frozenset({"OrderFilled", "OrderTriggered"})
_ENDS = frozenset({"OrderRejected", "OrderDenied", "OrderCanceled", "OrderExpired"})
_PLANNED = ("instrument_id", "side", "probability", "planned_size", "stop", "targets", "risk", "multiplier")
_OUTCOME = ("entry_ns", "exit_ns", "entered", "exited", "entry_value", "exit_value", "fees", "reason")


@dataclass(frozen=True)
class Step:
    """Something that happened to an order at `ts` (UNIX ns); the first step of an order is that it was sent."""

    ts: int
    order: str  # the client order id, which counts the orders of a run
    number: int  # within its order
    instrument_id: str
    what: str  # the name of Nautilus's event
    terms: dict[str, Any]

    def __str__(self) -> str:
        terms = " ".join(f"{name}={value}" for name, value in self.terms.items() if value not in (None, False))
        return f"{self.what} {terms}".strip()


@dataclass(frozen=True)
class Decisions:
    """What a run decided. `stopped_ns` is when it stopped: the time of its last event."""

    steps: tuple[Step, ...]
    trades: tuple[Trade, ...]
    passed: dict[str, int]
    stopped_ns: int

    @classmethod
    def of(cls, replay: Replay) -> "Decisions":
        """Read them off a finished run that was not disposed of yet."""
        steps = [step for order in replay.engine.cache.orders() for step in _steps(order)]
        scalper = replay.scalper
        return cls(
            tuple(sorted(steps, key=_place)),
            () if scalper is None else tuple(scalper.trades),
            {} if scalper is None else dict(scalper.passed),
            int(replay.engine.kernel.clock.timestamp_ns()),
        )

    def times(self) -> list[int]:
        """When orders were sent, each time once, in order."""
        return sorted({step.ts for step in self.steps if step.what == _SENT})


@dataclass(frozen=True)
class Unequal:
    """A decision that two runs did not make alike. `subject` is an instrument, or empty; None: it was not made."""

    ts: int
    subject: str
    what: str
    whole: object
    cut: object


def _steps(order: Any) -> Iterator[Step]:
    for number, event in enumerate(order.events):
        fields = type(event).to_dict(event)
        terms = {name: value for name, value in fields.items() if name not in _UNTOLD}
        terms |= fields.get("options") or {}
        name, market = str(order.client_order_id), str(order.instrument_id)
        yield Step(int(event.ts_init), name, number, market, fields["type"], terms)


def _place(step: Step) -> tuple[int, int, str, int]:
    """Where a step stands: ids of one time end in a count, and a longer one is a higher one."""
    return step.ts, len(step.order), step.order, step.number


def first_unequal(whole: Decisions, cut: Decisions) -> Unequal | None:
    """The first decision up to the stop of the shorter run, `cut`, that is not that of the longer, `whole`."""
    stop = cut.stopped_ns
    found = [
        _unequal_steps(_until(whole.steps, stop - 1), _until(cut.steps, stop - 1)),
        _unequal_at_stop(
            [s for s in whole.steps if s.ts == stop],
            [s for s in cut.steps if s.ts == stop],
        ),
        *_unequal_trades(whole.trades, cut.trades, stop),
        *_unequal_passes(whole, cut),
    ]
    return min((one for one in found if one is not None), key=lambda one: one.ts, default=None)


def _until(steps: Sequence[Step], ts: int) -> list[Step]:
    return [step for step in steps if step.ts <= ts]


def _unequal_steps(whole: Sequence[Step], cut: Sequence[Step]) -> Unequal | None:
    for mine, other in zip_longest(whole, cut):
        if mine == other:
            continue
        if mine is None or other is None or _place(mine) != _place(other) or mine.what != other.what:
            alone = min((s for s in (mine, other) if s is not None), key=_place)
            return _alone(alone, in_whole=alone is mine)
        return _other_terms(mine, other)
    return None


def _alone(step: Step, *, in_whole: bool) -> Unequal:
    what = f"order {step.order}"
    return Unequal(step.ts, step.instrument_id, what, str(step) if in_whole else None, None if in_whole else str(step))


def _other_terms(mine: Step, other: Step) -> Unequal:
    names = [*mine.terms, *(name for name in other.terms if name not in mine.terms)]
    name = next((n for n in names if mine.terms.get(n) != other.terms.get(n)), "instrument")
    both = [(step.terms | {"instrument": step.instrument_id}).get(name) for step in (mine, other)]
    return Unequal(mine.ts, mine.instrument_id, f"{name} of {mine.what} of order {mine.order}", *both)


def _unequal_at_stop(whole: Sequence[Step], cut: Sequence[Step]) -> Unequal | None:
    """Compare the steps at the time of the stop, after which `cut` may go on as a stop does."""
    mine, others = ({o: list(group) for o, group in groupby(steps, lambda s: s.order)} for steps in (whole, cut))
    for order, steps in mine.items():
        unequal = _unequal_steps(steps, others.get(order, [])[: len(steps)])
        if unequal is not None:
            return unequal
    for order, steps in others.items():
        is_new = order not in mine and steps[0].what == _SENT
        for step in steps[len(mine.get(order, [])) :]:
            if not (_reduces(steps) if is_new else step.what not in _FILLS):
                return _alone(step, in_whole=False)
    return None


def _reduces(steps: Sequence[Step]) -> bool:
    """Whether a reduce-only order is sent here, as a stop may."""
    return steps[0].terms.get("reduce_only") is True


def _unequal_trades(whole: Sequence[Trade], cut: Sequence[Trade], stop: int) -> Iterator[Unequal]:
    mine = {(t.decided_ns, t.asset): t for t in whole if t.fills and t.fills[0].ts <= stop}
    others = {(t.decided_ns, t.asset): t for t in cut}
    for key in sorted(mine.keys() | others.keys()):
        trade, other = mine.get(key), others.get(key)
        if trade is None or other is None:
            has = [None if t is None else f"{t.instrument_id} side {t.side}" for t in (trade, other)]
            yield Unequal(key[0], key[1], "trade", *has)
            continue
        fields = [(trade.decided_ns, name, getattr(trade, name), getattr(other, name)) for name in _PLANNED]
        done = [f for f in trade.fills if f.ts <= stop]
        rest = other.fills[len(done) :]
        fields.append((stop, "fills", done, other.fills[: len(done)]))
        fields.append((stop, "later fills", [], [f for f in rest if f.side == trade.side or f.ts != stop]))
        if len(done) == len(trade.fills) and trade.open_size == 0:
            fields += [(stop, name, getattr(trade, name), getattr(other, name)) for name in _OUTCOME]
        unequal = next((field for field in fields if field[2] != field[3]), None)
        if unequal is not None:
            ts, name, *values = unequal
            yield Unequal(ts, trade.asset, f"{name} of the trade decided at {trade.decided_ns}", *values)


def _unequal_passes(whole: Decisions, cut: Decisions) -> Iterator[Unequal]:
    """The counts of a run that goes on can only be higher, less the entries that were under way when it was stopped."""
    alike = {(step.order, step.number) for step in whole.steps if step.ts <= cut.stopped_ns}
    opening = {step.order for step in cut.steps if step.what == _SENT and not step.terms.get("reduce_only")}
    ends = [step for step in cut.steps if step.what in _ENDS and (step.order, step.number) not in alike]
    ended = sum(step.order in opening for step in ends)
    for reason, count in cut.passed.items():
        before = whole.passed.get(reason, 0)
        ended -= max(count - before, 0)
        if ended < 0:
            yield Unequal(cut.stopped_ns, "", f"setups passed by the end, for {reason!r}", before, count)
            return
