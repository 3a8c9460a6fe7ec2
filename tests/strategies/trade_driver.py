"""A trade driven by hand: events in, the answers in words."""

from decimal import Decimal
from typing import Any

from strategies.sizing import SizeRules
from strategies.target_sizes import Part
from strategies.targets import Ladder, Reach, Source, Target, TargetSettings
from strategies.trade_manager import (
    Accepted,
    ClosedByVenue,
    Event,
    Filled,
    PostOnly,
    Submit,
    TradeManager,
    TradePlan,
)
from strategies.trade_manager.commands import Command, describe

SECOND = 1_000_000_000
HORIZON = 60 * SECOND
T0 = 1_700_000_000 * SECOND
LONG = Reach(1, Decimal(100), break_even=Decimal(101), barrier=Decimal(120), stop_distance=Decimal(5), tick=Decimal(1))
SHORT = Reach(-1, Decimal(100), break_even=Decimal(99), barrier=Decimal(80), stop_distance=Decimal(5), tick=Decimal(1))


def ladder(shares: dict[int, str], reach: Reach = LONG) -> Ladder:
    """Targets by price, nearest first."""
    targets = (Target(Decimal(price), Decimal(share), Source.WALL) for price, share in shares.items())
    return Ladder(tuple(targets), reach, TargetSettings())


def parts(sizes: dict[int, str]) -> tuple[Part, ...]:
    return tuple(Part(Decimal(price), Decimal(size)) for price, size in sizes.items())


def plan(**others: Any) -> TradePlan:
    """A long of 10 with its stop at 95, half of it to leave at 102 and half at 104."""
    fields: dict[str, Any] = {
        "asset": "BTC",
        "instrument_id": "BTCUSDT-PERP.BINANCE",
        "side": 1,
        "size": Decimal(10),
        "stop": Decimal(95),
        "targets": ladder({102: "0.5", 104: "0.5"}),
        "horizon_ns": HORIZON,
        "rules": SizeRules(step=Decimal(1)),
    }
    return TradePlan(**(fields | others))


def resting(seconds: int = 5, **others: Any) -> TradePlan:
    """The same, entered by a post-only order at 100."""
    return plan(entry=PostOnly(Decimal(100), seconds * SECOND), **others)


class Driver:
    """Keeps the time, makes fill ids, and remembers every command."""

    def __init__(self, one: TradePlan | None = None) -> None:
        self.trade = TradeManager(one or plan())
        self.now = T0
        self.sent: list[Command] = []
        self._fills = 0

    def start(self) -> list[str]:
        return self._answer(self.trade.start(self.now))

    def on(self, event: Event, after: float = 0) -> list[str]:
        self.now += round(after * SECOND)
        return self._answer(self.trade.on(event, self.now))

    def fill(self, ref: str, size: str | int, price: int = 100) -> list[str]:
        self._fills += 1
        return self.on(Filled(ref, f"f{self._fills}", Decimal(size), Decimal(price), Decimal(0), self.now))

    def liquidate(self, size: int) -> list[str]:
        self._fills += 1
        return self.on(ClosedByVenue(f"f{self._fills}", Decimal(size), Decimal(90), Decimal(0), self.now))

    def accept(self, *refs: str) -> list[str]:
        return [said for ref in refs for said in self.on(Accepted(ref))]

    def enter(self) -> None:
        """Fully entered, and all that rests is accepted."""
        self.start()
        self.fill("entry", 10)
        self.accept("stop-1", "target-1-1", "target-2-1")

    def submits(self) -> list[Submit]:
        return [command for command in self.sent if isinstance(command, Submit)]

    def _answer(self, commands: list[Command]) -> list[str]:
        self.sent += commands
        return [describe(command) for command in commands]


def entered(**others: Any) -> Driver:
    """A trade that is fully entered."""
    driver = Driver(plan(**others))
    driver.enter()
    return driver
