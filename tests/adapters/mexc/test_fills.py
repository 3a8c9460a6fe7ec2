"""All orders together: whatever comes first, twice, late or not at all, the engine ends up with what happened."""

from collections import Counter
from collections.abc import Callable
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st
from nautilus_trader.model.enums import OrderStatus

from adapters.mexc.constants import MexcOrderState, MexcPlanState
from adapters.mexc.fills import FIRST_ASK_MS, STRAY_GRACE_MS, Fills, StrayKind
from adapters.mexc.order_events import Filled, OrderEvent
from adapters.mexc.order_track import Ask, Known, OrderSpec
from adapters.mexc.schemas.private import DealRow, OrderRow, PlanOrderRow
from tests.adapters.mexc import engine_order
from tests.adapters.mexc.rows import SYMBOL, T0, deal_row, order_row, plan_row
from tests.adapters.mexc.venue_history import OrderHistory, Push, histories

LIMIT = OrderSpec("A", SYMBOL, Decimal(10), price=Decimal(100))
STOP = OrderSpec("A", SYMBOL, Decimal(10), trigger_price=Decimal(90))


def knows_nothing(venue_order_id: str, external_oid: str | None) -> Known | None:
    return None


def own_name(external_oid: str | None) -> str | None:
    return None if external_oid is None or external_oid.startswith("_m_") else external_oid


def kinds(events: list[OrderEvent]) -> list[str]:
    return [type(event).__name__ for event in events]


# -- whose it is -------------------------------------------------------------------------------------------------------


def test_order_is_found_by_its_name_before_it_has_an_id() -> None:
    """The push overtakes the answer to the order's sending."""
    fills = Fills(knows_nothing, own_name)
    fills.expect(LIMIT, 0)
    fills.on_order(order_row("1"), 1)
    fills.on_deal(deal_row("x", 4, external_oid=None), 2)
    assert kinds(fills.take()) == ["Accepted", "Filled"]


def test_child_of_a_stop_waits_for_the_news_of_its_triggering() -> None:
    """The order that a stop became has a name of the venue's: its fills are kept until its plan names it."""
    fills = Fills(knows_nothing, own_name)
    track = fills.expect(STOP, 0)
    track.on_acknowledged("P", T0)
    fills.touch(track, 0)
    fills.on_deal(deal_row("x", 10, "7", external_oid="_m_1"), 1)
    assert kinds(fills.take()) == ["Accepted"]
    fills.on_plan(plan_row(state=MexcPlanState.EXECUTED, order_id="7", ts=1), 2)
    assert kinds(fills.take()) == ["Filled"]
    assert fills.due_strays(10_000) == []


def test_stray_is_asked_for_after_a_moment_and_again() -> None:
    fills = Fills(knows_nothing, own_name)
    fills.on_deal(deal_row("x", 10, "7", external_oid="_m_1"), 100)
    assert fills.due_strays(100 + STRAY_GRACE_MS - 1) == []
    (stray,) = fills.due_strays(100 + STRAY_GRACE_MS)
    assert (stray.kind, stray.id, len(stray.deals)) == (StrayKind.ORDER, "7", 1)
    assert fills.due_strays(101 + STRAY_GRACE_MS) == []
    assert fills.due_strays(100 + 4 * STRAY_GRACE_MS) == [stray]


def test_adopted_stray_tells_what_had_come_of_it() -> None:
    """A liquidation: the engine takes the venue's order in, and its fills follow."""
    fills = Fills(knows_nothing, own_name)
    fills.on_deal(deal_row("x", 4, "7", external_oid=None), 0)
    fills.adopt(Known(OrderSpec("EXTERNAL-1", SYMBOL, Decimal(10), Decimal(100)), "7", {}), 1)
    (filled,) = fills.take()
    assert isinstance(filled, Filled)
    assert (filled.key, filled.deal.id) == ("EXTERNAL-1", "x")


def test_ignored_stray_is_gone_for_good() -> None:
    fills = Fills(knows_nothing, own_name)
    fills.on_order(order_row("7", external_oid=None), 0)
    fills.ignore(fills.due_strays(STRAY_GRACE_MS)[0])
    fills.on_deal(deal_row("x", 4, "7", external_oid=None), 5)
    assert fills.due_strays(100_000) == []


def test_engine_is_asked_before_an_order_is_a_stray() -> None:
    """After a restart the cache knows the order, and which of its fills it has."""
    known = Known(LIMIT, "1", {"x": Decimal(4)})
    fills = Fills(lambda venue_order_id, _: known if venue_order_id == "1" else None, own_name)
    fills.on_deal(deal_row("x", 4, external_oid=None), 0)
    fills.on_deal(deal_row("y", 1, external_oid=None), 0)
    assert [event.deal.id for event in fills.take() if isinstance(event, Filled)] == ["y"]


# -- what is asked -----------------------------------------------------------------------------------------------------


def test_missing_fills_are_asked_for_at_growing_distance() -> None:
    fills = Fills(knows_nothing, own_name)
    fills.expect(LIMIT, 0)
    fills.on_order(order_row("1", dealt=4), 0)
    assert fills.due(0) == []
    times = [now for now in range(0, 4_000, 10) if fills.due(now)]
    assert times == [FIRST_ASK_MS, 3 * FIRST_ASK_MS, 7 * FIRST_ASK_MS]
    fills.on_deal(deal_row("x", 4), 4_000)
    assert fills.due(100_000) == []


def test_order_that_is_not_among_the_open_ones_is_doubted() -> None:
    """Its end was pushed and lost. An order of which something came after the question was put is not doubted."""
    fills = Fills(knows_nothing, own_name)
    fills.expect(LIMIT, 0)
    fills.on_order(order_row("1"), 5)
    fills.on_open([], [], asked_ms=5, now_ms=6)
    assert fills.due(10_000) == []
    fills.on_open([], [], asked_ms=10_000, now_ms=10_100)
    assert fills.due(10_100) == []
    (question,) = fills.due(10_100 + FIRST_ASK_MS)
    assert question.ask is Ask.ORDER


def test_closed_orders_are_forgotten_after_an_hour() -> None:
    fills = Fills(knows_nothing, own_name)
    fills.expect(LIMIT, 0)
    fills.on_order(order_row("1", state=MexcOrderState.CANCELLED), 0)
    fills.prune(3_600_000)
    assert fills.track("A") is not None
    fills.prune(3_600_001)
    assert fills.track("A") is None
    assert fills.by_venue_id("1") is None


# -- every order of arrival --------------------------------------------------------------------------------------------


class World:
    """Orders that live at a venue, a network that drops, doubles and delays, and an engine that listens."""

    def __init__(self, orders: list[OrderHistory], choose: Callable[[int], int]) -> None:
        self.orders = {history.spec.key: history for history in orders}
        self.choose = choose  # a number below its argument
        self.fills = Fills(knows_nothing, own_name)
        self.engine = {key: engine_order.submitted(history.spec) for key, history in self.orders.items()}
        self.told: Counter[str] = Counter()
        self.now = 0
        self.network: list[tuple[int, Push]] = []
        for history in orders:
            self.fills.expect(history.spec, 0)

    def step(self) -> None:
        """Something happens: an order lives on, news arrive, or somebody asks."""
        self.now += self.choose(3) * 300
        history = list(self.orders.values())[self.choose(len(self.orders))]
        if self.choose(3) == 0:
            self.end_changes()
        if history.at < len(history.steps):
            self.begin_change(history)
            for push in history.advance():
                for _ in range(self.choose(3)):  # dropped, once, twice
                    self.network.append((self.now + self.choose(6) * 400, push))
            if history.at == 1 and (history.spec.is_plan or self.choose(2)):
                self.acknowledge(history)
        self.deliver(self.now)
        if self.choose(3) == 0:
            self.ask(lag=self.choose(2))
        if self.choose(5) == 0:
            self.refresh(lag=self.choose(2))
        self.listen()

    def acknowledge(self, history: OrderHistory) -> None:
        """The answer to the order's sending. A plan has no name of ours: nothing else tells its id."""
        (first, *_), track = history.steps[0], self.fills.track(history.spec.key)
        assert track is not None
        track.on_acknowledged(first.id if isinstance(first, PlanOrderRow | DealRow) else first.order_id, T0)
        self.fills.touch(track, self.now)

    def begin_change(self, history: OrderHistory) -> None:
        """If the next step is a change, it is ours, and its answer is still to come."""
        track = self.fills.track(history.spec.key)
        assert track is not None
        track.changing |= history.next_is_change

    def end_changes(self) -> None:
        """The answers to changes are there, and the orders have been looked at."""
        for key, history in self.orders.items():
            track, row = self.fills.track(key), history.row()
            if track is not None and track.changing and row is not None:
                self.hear(row)
                track.on_change_over()
                self.fills.touch(track, self.now)

    def deliver(self, until: int) -> None:
        for due, push in sorted(self.network, key=lambda item: item[0]):
            if due <= until:
                self.hear(push)
        self.network = [item for item in self.network if item[0] > until]

    def hear(self, push: Push) -> None:
        match push:
            case OrderRow():
                self.fills.on_order(push, self.now)
            case DealRow():
                self.fills.on_deal(push, self.now)
            case PlanOrderRow():
                self.fills.on_plan(push, self.now)

    def ask(self, lag: int = 0) -> None:
        """Put the questions that are due, to a venue whose reads may be a step behind."""
        for question in self.fills.due(self.now):
            history = self.orders[question.track.spec.key]
            if question.ask is Ask.DEALS:
                for deal in history.deals(lag):
                    self.hear(deal)
                continue
            row = history.plan(lag) if question.ask is Ask.PLAN else history.row(lag)
            if row is not None:
                self.hear(row)
        for stray in self.fills.due_strays(self.now):
            for history in self.orders.values():
                plan = history.plan(lag)
                if plan is not None and stray.id in (plan.id, plan.order_id):
                    self.hear(plan)

    def refresh(self, lag: int = 0) -> None:
        rows = [history.row(lag) for history in self.orders.values()]
        plans = [history.plan(lag) for history in self.orders.values()]
        open_rows = [row for row in rows if row is not None and row.state is MexcOrderState.OPEN]
        open_plans = [plan for plan in plans if plan is not None and plan.state is MexcPlanState.UNTRIGGERED]
        self.fills.on_open(open_rows, open_plans, self.now - 100, self.now)

    def listen(self) -> None:
        for event in self.fills.take():
            engine_order.apply(self.engine[event.key], event)
            if isinstance(event, Filled):
                self.told[event.deal.id] += 1

    def settle(self) -> None:
        """All has happened; the network is empty; the adapter may ask until it has nothing more to ask."""
        for history in self.orders.values():
            while history.at < len(history.steps):
                self.begin_change(history)
                history.advance()
            self.acknowledge(history)
        self.end_changes()
        self.deliver(10**9)
        for _ in range(12):
            self.now += 15_000
            self.refresh()
            self.ask()
            self.listen()


def compare(world: World) -> None:
    """The engine's orders against what really happened."""
    for key, history in world.orders.items():
        order, deals = world.engine[key], history.deals()
        assert {deal.id: world.told[deal.id] for deal in deals} == {deal.id: 1 for deal in deals}
        assert order.filled_qty.as_decimal() == sum((deal.vol for deal in deals), Decimal(0))
        row, plan = history.row(), history.plan()
        ended = row is not None and row.state is not MexcOrderState.OPEN
        ended |= plan is not None and plan.state not in (MexcPlanState.UNTRIGGERED, MexcPlanState.EXECUTED)
        assert order.is_closed == ended, (order, row, plan)
        if row is not None and not ended:
            assert order.quantity.as_decimal() == row.vol
            assert order.status in (OrderStatus.ACCEPTED, OrderStatus.PARTIALLY_FILLED, OrderStatus.TRIGGERED)
    assert set(world.told) == {deal.id for history in world.orders.values() for deal in history.deals()}


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_every_arrival_order_ends_in_the_truth(data: st.DataObject) -> None:
    """Random lives of orders, random losses, repeats and delays of news, reads that lag: each fill once, each end."""
    count = data.draw(st.integers(1, 4))
    orders = [data.draw(histories(f"A{number}", number)) for number in range(count)]
    rng = data.draw(st.randoms(use_true_random=False))
    world = World(orders, rng.randrange)
    for _ in range(data.draw(st.integers(0, 40))):
        world.step()
    world.settle()
    compare(world)
