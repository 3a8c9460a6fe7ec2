"""Running trades for tests: the plans of the trade manager's tests with the row of a log, and a venue by hand."""

from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from strategies.running_trade import RunningTrade, trade_of
from strategies.trade_log import Trade
from strategies.trade_manager import Accepted, Command, Event, Filled, TradePlan
from strategies.trade_manager.commands import describe
from tests.strategies.candidate_views import on, setup, venue
from tests.strategies.trade_driver import SECOND, SHORT, T0, ladder, plan

RISK = Decimal(60)


def row(side: int = 1) -> Trade:
    """The row of a candidate; what follows is entered at 100 whatever it says."""
    return trade_of(on(venue(), setup(side)), model="by hand")


def short_plan(**others: Any) -> TradePlan:
    """The mirror of the trade driver's plan: a short of 10 with its stop at 105, half of it to leave at 98 and 96."""
    fields: dict[str, Any] = {"side": -1, "stop": Decimal(105), "targets": ladder({98: "0.5", 96: "0.5"}, SHORT)}
    return plan(**fields | others)


@dataclass
class Stand:
    """A running trade, the time, and everything that it sent, in words. `answer`, if set, is called while it sends."""

    of: TradePlan = field(default_factory=plan)
    answer: Callable[["Stand", Command], None] | None = None
    now: int = T0
    sent: list[str] = field(default_factory=list)
    _fills: int = 0

    def __post_init__(self) -> None:
        self.one = RunningTrade(row(self.of.side), self.of, RISK, self._send)

    @property
    def trade(self) -> Trade:
        return self.one.trade

    def start(self) -> list[str]:
        return self.said(lambda: self.one.start(self.now))

    def on(self, event: Event, after: float = 0, order_id: str = "") -> list[str]:
        self.now += round(after * SECOND)
        return self.said(lambda: self.one.on(event, self.now, order_id))

    def fill(self, ref: str, size: int, price: float = 100, *, after: float = 0, fee: str = "0") -> list[str]:
        self._fills += 1
        self.now += round(after * SECOND)
        event = Filled(ref, f"f{self._fills}", Decimal(size), Decimal(str(price)), Decimal(fee), self.now)
        return self.on(event, order_id=f"O-{ref}")

    def enter(self, size: int = 10) -> "Stand":
        """Entered, and all that rests is accepted."""
        self.start()
        self.fill("entry", size)
        for ref in self.one.manager.working:
            if ref != "entry":
                self.on(Accepted(ref))
        return self

    def see(self, *prices: tuple[float, float]) -> None:
        for bid, ask in prices:
            self.one.see(Decimal(str(bid)), Decimal(str(ask)))

    def _send(self, one: RunningTrade, command: Command) -> None:
        self.sent.append(describe(command))
        if self.answer is not None:
            self.answer(self, command)

    def said(self, do: Callable[[], None]) -> list[str]:
        before = len(self.sent)
        do()
        return self.sent[before:]
