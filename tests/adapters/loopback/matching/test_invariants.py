"""Whatever accounts and the fed market do, contracts and money are kept, and price and time are respected."""

from dataclasses import dataclass
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.loopback.matching.audit import problems
from adapters.loopback.matching.funding import FundingClock
from adapters.loopback.matching.ledger import Entry, FillEntry
from adapters.loopback.matching.order import Effect, Kind, NewOrder, Refused, SelfTrade, Side
from adapters.loopback.matching.triggers import Condition, Direction, PriceKind
from tests.adapters.loopback.small_market import SYMBOL, Small

ACCOUNTS = ("hedge", "net", "other")
sides = st.sampled_from([Side.BUY, Side.SELL])
prices = st.integers(96, 104).map(Decimal)
volumes = st.integers(1, 12).map(Decimal)


@dataclass(frozen=True)
class Submit:
    request: NewOrder


@dataclass(frozen=True)
class Cancel:
    account: str
    nth: int


@dataclass(frozen=True)
class Amend:
    account: str
    nth: int
    price: Decimal
    vol: Decimal


@dataclass(frozen=True)
class Levels:
    rows: tuple[tuple[Side, Decimal, Decimal], ...]
    snapshot: bool


@dataclass(frozen=True)
class Traded:
    side: Side
    price: Decimal
    vol: Decimal


@dataclass(frozen=True)
class Place:
    request: NewOrder
    condition: Condition


@dataclass(frozen=True)
class Fund:
    rate: Decimal


requests = st.builds(
    NewOrder,
    account=st.sampled_from(ACCOUNTS),
    symbol=st.just(SYMBOL),
    side=sides,
    effect=st.sampled_from([Effect.OPEN, Effect.OPEN, Effect.CLOSE]),
    kind=st.sampled_from([Kind.LIMIT] * 4 + list(Kind)),
    vol=volumes,
    price=prices,
    leverage=st.just(10),
    self_trade=st.sampled_from(list(SelfTrade)),
)
conditions = st.builds(Condition, prices, st.sampled_from(list(PriceKind)), st.sampled_from(list(Direction)))
accounts = st.sampled_from(ACCOUNTS)
rows = st.tuples(sides, prices, st.integers(0, 20).map(Decimal))
submits = st.builds(Submit, requests)
acts = st.one_of(
    submits,
    submits,
    submits,
    submits,
    st.builds(Cancel, accounts, st.integers(0, 5)),
    st.builds(Amend, accounts, st.integers(0, 5), prices, volumes),
    st.builds(Levels, st.lists(rows, max_size=4).map(tuple), st.just(value=False)),
    st.builds(Levels, st.lists(rows, min_size=1, max_size=4).map(tuple), st.booleans()),
    st.builds(Traded, sides, prices, volumes),
    st.builds(Traded, sides, prices, volumes),
    st.builds(Place, requests, conditions),
    st.builds(Fund, st.integers(-5, 5).map(lambda n: Decimal(n) / 1_000)),
)
scripts = st.lists(acts, min_size=25, max_size=60)


class Watch:
    """Notes every fill that passed over an order which had to come first."""

    def __init__(self, small: Small) -> None:
        self._small = small
        self._arrival: dict[int, int] = {}  # a stamp for every order's coming to its present place
        self._clock = 0
        self.violations: list[str] = []
        small.exchange.ledger.listeners.append(self._on_entry)

    def arrived(self) -> None:
        """Stamp orders that rest anew; to be called after every act."""
        for side in Side:
            for level in self._small.market.book.ladder(side):
                for entry in level.queue:
                    order_id = getattr(entry, "id", None)
                    if order_id is not None and order_id not in self._arrival:
                        self._clock += 1
                        self._arrival[order_id] = self._clock

    def moved(self, order_id: int) -> None:
        self._arrival.pop(order_id, None)

    def _on_entry(self, entry: Entry) -> None:
        if not isinstance(entry, FillEntry) or not entry.maker:
            return
        filled = self._small.exchange.orders[entry.order_id]
        for level in self._small.market.book.ladder(entry.side):
            for other in level.queue:
                order_id = getattr(other, "id", None)
                if order_id in (None, entry.order_id) or not other.is_open or not other.remaining:
                    continue
                better = (level.price - filled.price) * entry.side > 0
                earlier = self._arrival.get(order_id, 0) < self._arrival.get(entry.order_id, 0)
                if better or (level.price == filled.price and earlier):
                    self.violations.append(f"{entry.order_id} was filled before {order_id}")


def carry_out(small: Small, funding: FundingClock, watch: Watch, act: object) -> None:
    exchange = small.exchange
    match act:
        case Submit(request):
            exchange.submit(request)
        case Cancel(account, nth) if open_orders := list(exchange.accounts[account].open_orders.values()):
            exchange.cancel(account, open_orders[nth % len(open_orders)].id)
        case Amend(account, nth, price, vol) if open_orders := list(exchange.accounts[account].open_orders.values()):
            order = open_orders[nth % len(open_orders)]
            if not (price == order.price and vol <= order.vol):
                watch.moved(order.id)
            exchange.amend(account, order.id, price, vol)
        case Levels(levels, snapshot):
            exchange.feed_book(SYMBOL, levels, snapshot=snapshot)
        case Traded(side, price, vol):
            exchange.feed_trade(SYMBOL, side, price, vol)
            exchange.feed_prices(SYMBOL, fair=price, index=price + 1)
        case Place(request, condition):
            exchange.triggers.place(request, (condition,))
        case Fund(rate):
            small.market.funding.rate = rate
            funding.settle(small.market, small.now)


@settings(max_examples=150, deadline=None)
@given(scripts)
def test_nothing_is_ever_lost_made_or_left_crossed(script: list[object]) -> None:
    """After every act the exchange agrees with its ledger: contracts, money, margins, the book and its publication."""
    small = Small()
    for name in ACCOUNTS:
        small.account(name, one_way=name == "net")
    watch = Watch(small)
    funding = FundingClock(small.exchange)
    small.book(bids={99: 5, 98: 9}, asks={101: 5, 102: 9})
    for act in script:
        small.now += 1
        held = {account: small.held(account) for account in ACCOUNTS}
        try:
            carry_out(small, funding, watch, act)
        except Refused:
            assert held == {account: small.held(account) for account in ACCOUNTS}
        watch.arrived()
        assert not problems(small.exchange)
    assert not watch.violations


@settings(max_examples=100, deadline=None)
@given(scripts, st.integers(1, 30).map(Decimal))
def test_a_closing_order_never_opens(script: list[object], vol: Decimal) -> None:
    """Whatever went before, closing takes a position towards zero and not beyond; too much is refused."""
    small = Small()
    for name in ACCOUNTS:
        small.account(name, one_way=name == "net")
    funding, watch = FundingClock(small.exchange), Watch(small)
    small.book(bids={99: 50}, asks={101: 50})
    for act in script:
        try:
            carry_out(small, funding, watch, act)
        except Refused:
            continue
    for name in ACCOUNTS:
        for side in Side:
            position = small.exchange.accounts[name].position(SYMBOL, side)
            before = position.vol if position is not None else Decimal(0)
            other = small.exchange.accounts[name].position(SYMBOL, side.opposite)
            other_before = other.vol if other is not None else Decimal(0)
            request = NewOrder(name, SYMBOL, side.opposite, Effect.CLOSE, Kind.MARKET, vol)
            try:
                small.exchange.submit(request)
            except Refused:
                continue
            assert position is not None
            assert 0 <= position.vol <= before
            now_other = small.exchange.accounts[name].position(SYMBOL, side.opposite)
            assert (now_other.vol if now_other is not None else 0) <= other_before
    assert not problems(small.exchange)
