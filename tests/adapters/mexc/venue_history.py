"""What really happened at a venue to some orders, step by step: the rows and fills that it would push and answer."""

from dataclasses import dataclass, field
from decimal import Decimal

from hypothesis import strategies as st

from adapters.mexc.constants import MexcOrderErrorCode, MexcOrderState, MexcPlanState
from adapters.mexc.order_track import OrderSpec
from adapters.mexc.schemas.private import DealRow, OrderRow, PlanOrderRow
from tests.adapters.mexc.rows import SYMBOL, deal_row, order_row, plan_row

type Push = OrderRow | DealRow | PlanOrderRow


@dataclass
class OrderHistory:
    """One order's steps; each is what the venue pushes at once. `at` says how many have happened."""

    spec: OrderSpec
    steps: list[list[Push]] = field(default_factory=list)
    at: int = 0

    def advance(self) -> list[Push]:
        """Let the next step happen."""
        self.at += 1
        return self.steps[self.at - 1]

    @property
    def next_is_change(self) -> bool:
        """Whether the next step changes quantity or price."""
        row, step = self.row(), self.steps[self.at]
        new = step[0]
        if len(step) > 1 or row is None or not isinstance(new, OrderRow):
            return False
        return (new.vol, new.price) != (row.vol, row.price)

    def row(self, lag: int = 0) -> OrderRow | None:
        """The order as a query would have it, `lag` steps ago."""
        rows = [p for step in self.steps[: max(0, self.at - lag)] for p in step if isinstance(p, OrderRow)]
        return rows[-1] if rows else None

    def plan(self, lag: int = 0) -> PlanOrderRow | None:
        rows = [p for step in self.steps[: max(0, self.at - lag)] for p in step if isinstance(p, PlanOrderRow)]
        return rows[-1] if rows else None

    def deals(self, lag: int = 0) -> list[DealRow]:
        return [p for step in self.steps[: max(0, self.at - lag)] for p in step if isinstance(p, DealRow)]


class _Writer:
    """Writes an order's rows with growing versions and times."""

    def __init__(self, spec: OrderSpec, order_id: str, named: bool) -> None:
        self.order_id, self.external_oid = order_id, spec.key if named else "_m_made_by_the_venue"
        self.vol, self.price, self.dealt, self.version, self.deals = spec.vol, spec.price, Decimal(0), 0, 0

    def row(self, state: MexcOrderState = MexcOrderState.OPEN, error: int = 0) -> OrderRow:
        self.version += 1
        return order_row(
            self.order_id,
            state=state,
            vol=str(self.vol),
            dealt=str(self.dealt),
            version=self.version,
            ts=self.version,
            external_oid=self.external_oid,
            price=None if self.price is None else str(self.price),
            error_code=error,
        )

    def deal(self, vol: int) -> DealRow:
        self.dealt += vol
        self.deals += 1
        name = f"{self.order_id}-{self.deals}"
        return deal_row(name, vol, self.order_id, external_oid=self.external_oid)


@st.composite
def histories(draw: st.DrawFn, key: str, number: int) -> OrderHistory:
    """A random order with a random life that may still go on at its end."""
    price = draw(st.sampled_from([None, Decimal(100)]))
    trigger = draw(st.sampled_from([None, None, Decimal(90)]))
    immediate = price is None and trigger is None
    spec = OrderSpec(key, SYMBOL, Decimal(draw(st.integers(1, 12))), price, trigger, immediate)
    history = OrderHistory(spec)
    writer = _Writer(spec, str(1000 + number), named=not spec.is_plan)
    if spec.is_plan and not _live_as_plan(draw, history, writer, f"P{number}"):
        return history
    if not spec.is_plan and draw(st.integers(0, 9)) == 0:
        history.steps.append([writer.row(MexcOrderState.INVALID, MexcOrderErrorCode.BALANCE)])
        return history
    if not spec.is_plan:
        history.steps.append([writer.row()])
    _live(draw, history, writer, resting=price is not None)
    return history


def _live_as_plan(draw: st.DrawFn, history: OrderHistory, writer: _Writer, plan_id: str) -> bool:
    """Until it triggers: False when it never does."""
    spec, limit = history.spec, None if history.spec.price is None else str(history.spec.price)
    history.steps.append([plan_row(plan_id, vol=str(spec.vol), price=limit, ts=1)])
    trigger = draw(st.sampled_from([90, 91]))
    if trigger != spec.trigger_price:
        history.steps.append([plan_row(plan_id, vol=str(spec.vol), price=limit, trigger=trigger, ts=2)])
    state = draw(st.sampled_from([MexcPlanState.EXECUTED] * 3 + [s for s in MexcPlanState if s.value != 3]))
    if state is MexcPlanState.UNTRIGGERED:
        return False
    fired = state is MexcPlanState.EXECUTED
    child = writer.order_id if fired else None
    end = plan_row(plan_id, state=state, vol=str(spec.vol), price=limit, trigger=trigger, order_id=child, ts=3)
    first: list[Push] = [writer.row()] if fired else []
    history.steps.append(draw(st.permutations([end, *first])))
    return fired


def _live(draw: st.DrawFn, history: OrderHistory, writer: _Writer, *, resting: bool) -> None:
    for _ in range(draw(st.integers(0, 4))):
        room = int(writer.vol - writer.dealt)
        if room <= 0:
            return
        if resting and not history.spec.is_plan and draw(st.integers(0, 3)) == 0:
            writer.vol = writer.dealt + draw(st.integers(1, 12))
            writer.price = Decimal(draw(st.integers(99, 101)))
            history.steps.append([writer.row()])
            continue
        deals: list[Push] = [writer.deal(draw(st.integers(1, room)))]
        done = writer.dealt == writer.vol
        row = writer.row(MexcOrderState.FILLED if done else MexcOrderState.OPEN)
        history.steps.append(draw(st.permutations([*deals, row])))
    if writer.dealt < writer.vol and (not resting or draw(st.booleans())):
        history.steps.append([writer.row(MexcOrderState.CANCELLED)])
